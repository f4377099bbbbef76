/* Patches drawn from a data set. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_SAMPLE_H
#define GT_DATA_SAMPLE_H

#include "data/balance.h"

#include <greentea/train.h>

/* What a patch is. Output pixel i of the network lies over input pixel i + border of an input of
 * side patch + shrink. 2*border is shrink or shrink + 1 (sk: border 51, shrink 101). */
struct gt_patch_spec {
    int32_t patch;                     /* side of the labels */
    int32_t border;                    /* pixels before the first output pixel */
    int32_t shrink;                    /* input side = patch + shrink */
    gt_augment augment;                /* AUTO is resolved by the number of labels */
    const struct gt_balance *balance;  /* label equalisation; NULL: none */
    const gt_augment_options *distort; /* NULL: none */
};

/* GT_ESHAPE  the patch is larger than an image, named in the message; GT_EINVAL  numbers that do
 * not fit together; and what gt__dataset_ready() fails with. Call once before gt__sample_patch().
 */
gt_status gt__sample_check(gt_dataset *dataset, const struct gt_patch_spec *spec);

/* Draw one patch: among all positions of all images, uniformly or as the balance says, then
 * uniformly among the symmetries, then distorted. It depends on (key, sample) alone.
 * raw     receives [channels of the data set][patch + shrink][patch + shrink], border mirrored
 * labels  receives [patch][patch] label indices, -1: ignored */
void gt__sample_patch(const gt_dataset *dataset, const struct gt_patch_spec *spec, uint64_t key,
                      uint64_t sample, float *raw, float *labels);

/* What is drawn; labels as above, truth the same before pixels were masked at random: -1 only where
 * the label images say so. NULL: not wanted. */
struct gt_patch {
    float *raw, *labels, *truth;
};
void gt__sample_draw(struct gt_patch *out, const gt_dataset *dataset,
                     const struct gt_patch_spec *spec, uint64_t key, uint64_t sample);

#endif
