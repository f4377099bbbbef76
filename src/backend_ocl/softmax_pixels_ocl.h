/* What the softmax kernels share: a work-item to a pixel, scores in one of two layouts.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_OCL_SOFTMAX_PIXELS_OCL_H
#define GT_BACKEND_OCL_SOFTMAX_PIXELS_OCL_H

#include "backend_ocl/ocl.h"

/* Variant 0 has all channels in one block, variant 1 is plain. */
enum { GT_PIXELS_VARIANTS = 2 };

/* False where `scores` cannot have the variant's layout. */
static inline bool gt__pixels_layout(gt_layout *out, const struct gt_graph *g, gt_value scores,
                                     unsigned variant)
{
    *out = variant == 0 ? gt__layout_f32(GT_BLOCK_ALL, 1) : GT_LAYOUT_NCHW;
    return variant == 1 || gt__may_block(g, scores);
}

/* Pixels of all images. */
static inline size_t gt__pixels(gt_shape s)
{
    return (size_t)s.n * (size_t)s.h * (size_t)s.w;
}

#endif
