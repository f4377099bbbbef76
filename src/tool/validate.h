/* Judging a network on held-out images while it trains. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_VALIDATE_H
#define GT_TOOL_VALIDATE_H

#include "tool/pictures.h"
#include "tool/tool.h"
#include "tool/truth.h"

#include <jansson.h>

/* Sums over the slices. */
struct tally {
    gt_evaluation *evaluation; /* of 2 labels, else NULL */
    double loss;
    uint64_t judged, right;
    uint64_t *confusion; /* [labels][labels], truth first */
};

struct validation {
    gt_device *device;
    const gt_model *model;
    const gt_consolidation *consolidate;
    gt_predict_options predict;
    gt_image_reader *raw;
    struct truth truth;
    size_t pages;
    int32_t labels;
    struct progress *progress; /* shows the slices; may be NULL */
    double share;              /* of the training done */
    struct thumb thumbs[PICTURE_SLICES];
    int n_thumbs;
};

/* Open the images (what stands before `raw`, and progress, is set) and check everything that can be
 * checked before hours of training: numbers of pages, sizes, channels, values of the labels.
 * 0 or an exit code. */
int validation_open(struct validation *v, const char *raw, const char *labels);
/* Label all slices with the model's present weights and score them: members of a record. One slice
 * is in memory at a time. 0 or an exit code; that of a signal when one came. */
int validation_run(json_t **out, struct validation *v);
/* The record of what was summed up. 0 or an exit code. */
int validation_scores(json_t **out, int32_t labels, const struct tally *t);
void validation_close(struct validation *v);

#endif
