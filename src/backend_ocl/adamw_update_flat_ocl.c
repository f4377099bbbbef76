/* AdamW: g = scale*dw; m = beta1*m + (1 - beta1)*g; v = beta2*v + (1 - beta2)*g^2;
 * w = w - rate*rate_mult*(m*correct1/(sqrt(v*correct2) + epsilon) + decay*decay_mult*w). Everything
 * stays where the squared norm is not finite. Source: Loshchilov and Hutter 2019, arXiv:1711.05101,
 * algorithm 2. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/update_flat_ocl.h"

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    return gt__node_plain(node, GT_OP_adamw_update) &&
           gt__update_ocl_plan(device, g, node, 15, out);
}

const struct gt_kernel gt__adamw_update_flat_ocl = {.name = "adamw_update_flat_ocl",
                                                    .op = GT_OP_adamw_update,
                                                    .n_variants = 1,
                                                    .plan = plan,
                                                    .prepare = gt__update_ocl_prepare,
                                                    .run = gt__update_ocl_run,
                                                    .release = gt__ocl_release};
