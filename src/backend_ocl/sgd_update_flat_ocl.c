/* SGD with momentum as Caffe's: g = scale*dw + decay*decay_mult*w; v = momentum*v +
 * rate*rate_mult*g; w = w - v. Everything stays where the squared norm is not finite.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/update_flat_ocl.h"

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    return gt__node_plain(node, GT_OP_sgd_update) && gt__update_ocl_plan(device, g, node, 7, out);
}

const struct gt_kernel gt__sgd_update_flat_ocl = {.name = "sgd_update_flat_ocl",
                                                  .op = GT_OP_sgd_update,
                                                  .n_variants = 1,
                                                  .plan = plan,
                                                  .prepare = gt__update_ocl_prepare,
                                                  .run = gt__update_ocl_run,
                                                  .release = gt__ocl_release};
