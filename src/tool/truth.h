/* Label images as label indices. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_TRUTH_H
#define GT_TOOL_TRUTH_H

#include <greentea/greentea.h>

/* The grey values that stand for labels. */
struct truth {
    gt_label_reader *reader;
    int32_t grey[GT_MAX_LABELS];  /* -1: unknown; where sub-folders give the labels: their index */
    int32_t label[GT_MAX_LABELS]; /* that grey[i] stands for; -1: none */
    int32_t n_grey;
    int32_t labels;
    uint64_t judged; /* pixels of the pages read so far that have a label */
};

/* Open label images (in either layout of gt_label_reader) and learn their values as training does:
 * from a model's labels if it knows them, else the distinct values of all pages, sorted, are labels
 * 0, 1 ... (a single value: 0 is label 0, else 1). Several of these become one label if
 * `consolidate` says so (the model is not asked then; may be NULL).
 * labels  how many there must be; 0: the model's, the consolidated ones, or as many as values are
 *         found, at least 2
 * 0 or an exit code; failures are printed. */
int truth_open(struct truth *t, const char *path, int32_t labels, const gt_model *model,
               const gt_consolidation *consolidate);
/* One page as GT_I32 indices, -1 where the value stands for no label. 0 or an exit code. */
int truth_page(gt_image **out, struct truth *t, size_t page);
/* Where a model crops images, its results cover the crop only: then labels of another size than
 * `result` are cropped likewise. model may be NULL. 0 or an exit code. */
int truth_crop(gt_image **labels, const gt_model *model, const gt_image *result);
/* The value that stands for a label; -1: none, several, or unknown. */
int32_t truth_grey(const struct truth *t, int32_t label);
void truth_close(struct truth *t);

#endif
