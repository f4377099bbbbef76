/* The inside of a TIFF open for reading. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_IMAGE_TIFF_H
#define GT_IMAGE_TIFF_H

#include "image/format.h"
#include <tiffio.h>

/* How rows are fetched. */
enum gt_tiff_access {
    GT_TIFF_RAW,  /* uncompressed strips: straight from the file */
    GT_TIFF_SCAN, /* compressed strips, samples together: decoded row by row */
    GT_TIFF_BAND  /* tiles, or compressed strips of separate planes: one row of them is kept */
};

struct gt_tiff_page {
    gt_page_info info;
    uint16_t bits, samples, photometric, format, compression, planar;
    enum gt_tiff_access access;
    gt_type type; /* of the samples after unpacking */
    bool packed;  /* bits is not 8, 16, 32 or 64: unpacked to 16-bit samples */
    bool invert;  /* min-is-white: value is 2^bits - 1 - sample */
    bool palette;
    int32_t planes;     /* planes fetched: 1 (samples together) or the channels */
    int32_t interleave; /* samples in a row of a plane */
    size_t row_bytes;   /* of one plane */
    uint32_t band_rows; /* rows of a strip or tile */
    uint32_t tile_width;
    size_t tile_row_bytes, tile_bytes;
};

struct gt_tiff {
    struct gt_image_file base;
    TIFF *tif; /* owns fd */
    int fd;
    uint64_t *offsets; /* of the directories */
    size_t n_offsets, offsets_capacity;
    bool raw_stack; /* ImageJ's large stacks: one directory, the pixels of all pages behind each
                       other */

    bool selected; /* `page` describes page `index` */
    size_t index;
    struct gt_tiff_page page;
    float *lut; /* [3][65536] of the palette */

    unsigned char *band; /* [planes][band_rows][band_stride] */
    size_t band_capacity, band_stride;
    unsigned char *tile; /* one tile */
    size_t tile_capacity;
    unsigned char *row; /* [planes][row_bytes] */
    size_t row_capacity;
    uint16_t *unpacked; /* one row of a plane */
    size_t unpacked_capacity;
    int64_t band_index; /* what `band` holds, -1: nothing */
    int64_t scan_next;  /* row that follows in the decoder, -1: unknown */

    char message[200]; /* first complaint of libtiff since it was cleared */
};

/* Collect offsets of all directories without decoding them. */
gt_status gt__tiff_walk(struct gt_tiff *t);
/* Read and check the tags of a page. */
gt_status gt__tiff_select(struct gt_tiff *t, size_t page);
/* Rows of the selected page as float. */
gt_status gt__tiff_rows(struct gt_tiff *t, int32_t y, int32_t rows, float *dst);

/* "<path>: page <n>: <what>: <libtiff's words>". */
gt_status gt__tiff_fail(const struct gt_tiff *t, size_t page, const char *what);

/* Options for opening: complaints go to `message` [200], nothing to the process-wide handlers. */
gt_status gt__tiff_options(TIFFOpenOptions **out, char *message, uint64_t max_bytes);
#define GT_TIFF_MESSAGE 200

#endif
