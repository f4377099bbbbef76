/* What an evaluation keeps. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_EVAL_EVALUATION_H
#define GT_EVAL_EVALUATION_H

#include "eval/eval.h"

struct gt_evaluation {
    int32_t labels, label;
    uint32_t metrics;
    uint64_t added;    /* slices of probabilities */
    uint64_t labelled; /* slices of labels */
    uint64_t judged;   /* slices that hold a pixel that is not ignored */
    int32_t slices;    /* with foreground */
    gt_partition_scores sum[GT_THRESHOLDS];
    struct gt_pairs pairs[GT_THRESHOLDS];
    double warped[GT_WARPING_THRESHOLDS]; /* sum over judged slices */
    double split_merge[GT_WARPING_THRESHOLDS];
    struct gt_pixel_counts pixels;
    struct gt_reliability reliability; /* of the judged label's probability */
    struct gt_reliability top;         /* of the largest probability */
    uint64_t *confusion;               /* [labels][labels], truth first */
};

#endif
