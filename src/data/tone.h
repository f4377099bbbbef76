/* Random changes of grey values. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_TONE_H
#define GT_DATA_TONE_H

#include <greentea/augment.h>

#include "core/random.h"

/* What a patch gets. */
struct gt_tone {
    float blur;       /* sigma, 0: none */
    float gamma;      /* exponent, 1: none */
    float contrast;   /* factor */
    float brightness; /* added */
    float noise;      /* sigma, 0: none */
};

struct gt_tone gt__tone_draw(struct gt_random *random, const gt_augment_options *options);

/* Change a plane [side][side] in place; noise is taken from `random`. */
void gt__tone_apply(float *plane, int32_t side, const struct gt_tone *tone,
                    struct gt_random *random);

/* Gaussian blur in place, border mirrored, sigma up to 5. */
void gt__blur(float *plane, int32_t side, float sigma);

#endif
