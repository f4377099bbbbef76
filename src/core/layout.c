/* Size of a tensor in memory. SPDX-License-Identifier: BSD-2-Clause */
#include "core/layout.h"

bool gt__layout_bytes(size_t *out, gt_shape shape, gt_layout layout)
{
    size_t plain = 0;
    bool all = layout.block == GT_BLOCK_ALL;
    if ((layout.block < 1 && !all) || layout.phase < 1 || !gt__shape_count(&plain, shape) ||
        shape.c > INT32_MAX - GT_LANES) {
        return false;
    }
    size_t b = (size_t)gt__layout_block(layout, shape.c);
    size_t p = (size_t)layout.phase;
    size_t count = 0;
    /* gt__extent counts fragments and rounds up in int32_t. */
    if (!gt__mul(&count, (size_t)shape.n, p * p) || count > INT32_MAX ||
        (size_t)shape.c + b - 1 > INT32_MAX || (size_t)shape.h + p - 1 > INT32_MAX ||
        (size_t)shape.w + p - 1 > INT32_MAX) {
        return false;
    }
    return gt__mul(&count, count, gt__ceil_div_z((size_t)shape.c, b)) &&
           gt__mul(&count, count, gt__ceil_div_z((size_t)shape.h, p)) &&
           gt__mul(&count, count, gt__ceil_div_z((size_t)shape.w, p)) &&
           gt__mul(&count, count, b) && gt__mul(out, count, gt__kind_size(layout.kind));
}
