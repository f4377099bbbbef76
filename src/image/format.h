/* What an image format implements; the table of formats is in image.c.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_IMAGE_FORMAT_H
#define GT_IMAGE_FORMAT_H

#include "core/error.h"
#include "core/mem.h"
#include "core/shape.h"
#include <greentea/image.h>

/* A file open for reading; a format's own struct starts with it. */
struct gt_image_file {
    const char *path; /* the reader's, for messages */
    gt_image_limits limits;
    uint64_t bytes;     /* size of the file */
    size_t pages;       /* at least 1 */
    int32_t hyperstack; /* channels that ImageJ noted, at least 1; divides pages */
    bool indices;       /* coloured palettes are not applied */
    gt_image_meta meta; /* channels, slices and frames are filled in by the reader if 0 */
};

/* What is needed to open one. */
struct gt_image_source {
    const char *path;
    uint64_t bytes;
    const gt_image_limits *limits;
    bool indices;
};

/* A file open for writing; a format's own struct starts with it. */
struct gt_image_sink {
    const char *path; /* the final name, the writer's */
    gt_writer_options options;
    size_t row_bytes; /* width * channels * bytes of a sample */
};

struct gt_image_format {
    const char *name;
    const char *endings[3]; /* NULL at the end */
    bool (*match)(const unsigned char *head, size_t n);

    gt_status (*open)(struct gt_image_file **out, const struct gt_image_source *source);
    gt_status (*page)(gt_page_info *out, struct gt_image_file *file, size_t page);
    /* Arguments are checked; dst [channels][rows][width]; finite values only. */
    gt_status (*rows)(struct gt_image_file *file, size_t page, int32_t y, int32_t rows, float *dst);
    void (*close)(struct gt_image_file *file);

    /* Checks options of its own first (GT_EINVAL with fd -1: check only, out untouched). fd stays
     * the caller's. */
    gt_status (*create)(struct gt_image_sink **out, const char *path, int fd,
                        const gt_writer_options *options);
    /* One row, interleaved samples of the file's type; rows and pages follow each other. */
    gt_status (*row)(struct gt_image_sink *sink, const void *samples);
    /* Everything was written: bring it to the file. */
    gt_status (*complete)(struct gt_image_sink *sink);
    void (*discard)(struct gt_image_sink *sink); /* release, complete or not; NULL is accepted */
};

extern const struct gt_image_format gt__image_tiff, gt__image_png;

/* By the ending of the name or by the first bytes; NULL if none. */
const struct gt_image_format *gt__image_format_by_name(const char *path);
const struct gt_image_format *gt__image_format_by_head(const unsigned char *head, size_t n);

/* Does `path` end in `ending`, in any case? */
bool gt__image_has_ending(const char *path, const char *ending);

/* Size of a page as its header gives it. */
struct gt_page_size {
    uint64_t width, height;
    uint64_t row_bytes; /* one decoded row with all its samples, below 2^56 */
};
/* Compare with the limits, before anything is decoded. GT_ELIMIT, GT_EFORMAT  a size of 0 */
gt_status gt__image_check_page(const struct gt_image_file *file, size_t page,
                               const struct gt_page_size *size);

/* GT_ELIMIT unless one allocation of so many bytes is allowed while decoding. */
gt_status gt__image_check_decode(const struct gt_image_file *file, size_t page, uint64_t bytes);

/* GT_ENUMERIC if values [width] of row y, channel c hold NaN or infinity. */
gt_status gt__image_check_finite(const struct gt_image_file *file, size_t page, const float *values,
                                 int32_t width, int32_t y, int32_t c);

/* GT_EIO: "<path>: <what>: <text of error>". */
gt_status gt__image_io_error(const char *path, const char *what, int error);

#endif
