/* What the optimizer updates share. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_CPU_PORTABLE_UPDATE_FLAT_H
#define GT_BACKEND_CPU_PORTABLE_UPDATE_FLAT_H

#include "backend_cpu/portable/chunk.h"

#include <math.h>

/* Factor on the gradient, min(1, clip/sqrt(sumsq)) if clip > 0. */
static inline float gt__clip_scale(float clip, float sumsq)
{
    float norm = sqrtf(sumsq);
    return clip > 0.0f && norm > clip ? clip / norm : 1.0f;
}

/* Output i keeps the value of input `in`; they are the same memory in programs. */
static inline void gt__update_keep(const struct gt_step *step, int32_t out, int32_t in)
{
    float *to = gt__f32(&step->out[out]);
    const float *from = gt__f32(&step->in[in]);
    if (to != from) {
        memcpy(to, from, gt__count(step->in[in].shape) * sizeof *to);
    }
}

#endif
