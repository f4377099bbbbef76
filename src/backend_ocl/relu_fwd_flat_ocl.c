/* ReLU, y = x < 0 ? 0 : x, over all stored elements, in any layout.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/flat_ocl.h"

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    return gt__node_plain(node, GT_OP_relu_fwd) && gt__flat_ocl_plan(device, g, node, out);
}

const struct gt_kernel gt__relu_fwd_flat_ocl = {.name = "relu_fwd_flat_ocl",
                                                .op = GT_OP_relu_fwd,
                                                .n_variants = 1,
                                                .plan = plan,
                                                .prepare = gt__flat_ocl_prepare,
                                                .run = gt__flat_ocl_run,
                                                .release = gt__ocl_release};
