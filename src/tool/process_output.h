/* An output file being written: labels or a map of them. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_PROCESS_OUTPUT_H
#define GT_TOOL_PROCESS_OUTPUT_H

#include "tool/flags_output.h"
#include "tool/spool.h"

struct output {
    const struct output_plan *plan;
    gt_image_writer *writers[GT_MAX_LABELS]; /* one, or one for each label */
    int32_t n_writers;
    char beside[4200]; /* the path, for the spool */
    int32_t width, height;
    struct spool spool; /* where labels of a page alternate in the file but not in time */
    float *row;         /* scratch */
    size_t row_capacity;
};

/* Of every page, and of the file. */
struct output_size {
    int32_t width, height;
    size_t pages; /* of the input */
    int overwrite;
    const gt_image_meta *meta; /* of the input; NULL: unknown */
};

/* Path of label k of a file: with folders, "a/b.tif" becomes "a/<k>/b.tif", k zero-padded. */
void output_label_path(char *to, size_t size, const struct output_plan *plan, const char *path,
                       int32_t k);
/* Open the files of `path`. 0 or an exit code; close in any case. */
int output_open(struct output *o, const struct output_plan *plan, const char *path,
                const struct output_size *size);
/* Begin a page: GT_OK, or GT_EIO with the reason printed. */
bool output_begin(struct output *o);
/* Rows y to y + rows - 1 of the page, [labels][rows][width] probabilities. */
gt_status output_rows(struct output *o, int32_t y, int32_t rows, const float *src);
gt_status output_end(struct output *o);
/* All pages are there: put the files under their names. */
gt_status output_finish(struct output *o);
/* Release; what is not finished is removed. */
void output_close(struct output *o);

#endif
