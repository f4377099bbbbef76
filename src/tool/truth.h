/* Label images as label indices. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_TRUTH_H
#define GT_TOOL_TRUTH_H

#include <greentea/greentea.h>

/* The grey values that stand for labels 0, 1 ... */
struct truth {
    gt_image_reader *reader;
    int32_t grey[GT_MAX_LABELS];
    int32_t n_grey;
    int32_t labels;
    uint64_t judged; /* pixels of the pages read so far that have a label */
};

/* Open label images and learn their values as training does: from a model's labels if it knows
 * them, else the distinct values of all pages, sorted, are labels 0, 1 ... (a single value: 0 is
 * label 0, else 1).
 * labels  how many there must be; 0: the model's, or as many as values are found, at least 2
 * 0 or an exit code; failures are printed. */
int truth_open(struct truth *t, const char *path, int32_t labels, const gt_model *model);
/* One page as GT_I32 indices, -1 where the value stands for no label. 0 or an exit code. */
int truth_page(gt_image **out, struct truth *t, size_t page);
void truth_close(struct truth *t);

#endif
