/* The same tensor in another layout, any block and phase to any other.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * y at (n,c,h,w) = x at (n,c,h,w); lanes and pixels of y that do not exist are zero. */
#include "backend_cpu/ref/ref.h"

#include <string.h>

static void reorder(const struct gt_step *step)
{
    const struct gt_view *in = &step->in[0];
    const struct gt_view *out = &step->out[0];
    gt_shape s = out->shape;
    size_t element = out->layout.kind == GT_KIND_U8 ? 1 : sizeof(real);
    const char *x = (const char *)ref_data(in);
    char *y = (char *)ref_data(out);
    memset(y, 0, gt__extent_count(gt__extent(s, out->layout)) * element);
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t c = 0; c < s.c; c++) {
            for (int32_t h = 0; h < s.h; h++) {
                for (int32_t w = 0; w < s.w; w++) {
                    memcpy(y + gt__layout_index(s, out->layout, n, c, h, w) * element,
                           x + gt__layout_index(s, in->layout, n, c, h, w) * element, element);
                }
            }
        }
    }
}

#ifndef GT_REF_F64
/* The planner says from which layout to which; both stay as they came. */
static bool plan(const struct gt_device *d, const struct gt_graph *g, const struct gt_node *node,
                 unsigned variant, struct gt_plan *out)
{
    (void)d;
    (void)variant;
    if (node->epilogue != 0 || out->in[0].kind != out->out[0].kind) {
        return false;
    }
    out->cost = gt__ref_cost(g, node);
    return true;
}
#endif

REF_KERNEL_PLAN(reorder, plan)
