/* Label equalisation: which patches are drawn, which of their pixels count.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_BALANCE_H
#define GT_DATA_BALANCE_H

#include "data/prior.h"

#define GT_MAX_BORDER 1024

struct gt_balance_options {
    gt_equalise equalise;
    int32_t patch;
    gt_equalise_options weights;
};

struct gt_balance {
    struct gt_prior *prior; /* NULL: patches are drawn uniformly */
    bool mask;
    int32_t border_width; /* 0: borders count as other pixels do */
    /* Masking: share of a fine label's pixels that keep it; from GT_MAX_LABELS on at borders. */
    float keep[2 * GT_MAX_LABELS];
    /* Frequencies of the fine labels: uniformly drawn, as drawn, and after masking. */
    double images[GT_MAX_LABELS], drawn[GT_MAX_LABELS], kept[GT_MAX_LABELS];
    double kept_share; /* of all labelled pixels */
    /* These count the borders of whole images. Masking sees a patch alone, thus fewer borders at its
     * rim: at a width of 8 labels meant to be equal became 0.517 and 0.483 in patches of 16 pixels,
     * 0.504 and 0.497 in patches of 64. */
};

/* GT_EINVAL  weights out of range or without use, or no pixel has a label;
 * GT_ESHAPE  a patch larger than an image. The data set must outlive the balance. */
gt_status gt__balance_create(struct gt_balance **out, gt_dataset *dataset,
                             const struct gt_balance_options *options);

/* Ignore pixels of a patch [patch][patch] of fine labels at random, as `keep` says; depends on
 * (key, sample) alone. Does nothing without masking. */
void gt__balance_mask(float *labels, const struct gt_balance *balance, int32_t patch, uint64_t key,
                      uint64_t sample);

void gt__balance_free(struct gt_balance *balance);

/* Add GT_MAX_LABELS to every label of a map [height][width] that lies at most `reach` pixels
 * (chessboard distance) from another label of the map; ignored pixels (-1) stay and are no other
 * label. Labels are below GT_MAX_LABELS; reach is 1 to GT_MAX_BORDER. */
void gt__mark_borders(float *labels, int32_t width, int32_t height, int32_t reach);

#endif
