/* Gradient of softmax with cross-entropy, dscores[c] = (prob[c] - [c = y]) * weight/count, 0 at
 * ignored pixels; prob and dscores plain or all channels in one block.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/softmax_pixels_ocl.h"

#include "cl/softmax_pixels_ocl.cl.h"

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__ocl_state(device, step, "softmax_pixels_ocl", gt__cl_source, "", "softmax_loss_bwd");
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->in[1]);
    gt__ocl_arg_view(&call, &step->in[2]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_tensor(&call, &step->in[0]);
    gt__ocl_arg_float(&call, step->node->attr.weight);
    return gt__ocl_launch_flat(&call, gt__pixels(step->in[0].shape));
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    gt_layout layout;
    if (!gt__node_plain(node, GT_OP_softmax_loss_bwd) ||
        !gt__pixels_layout(&layout, g, node->in[0], variant)) {
        return false;
    }
    out->in[0] = out->out[0] = layout;
    out->in[1] = out->in[2] = GT_LAYOUT_NCHW;
    out->inplace = 1;
    double label = (double)gt__pixels(gt__in_shape(g, node, 0)) * sizeof(float);
    out->cost = gt__ocl_cost(device, 0, 1, 2 * gt__ocl_stored_bytes(g, node, out) + label, 1);
    return gt__ocl_fits(g, node, out);
}

const struct gt_kernel gt__softmax_loss_bwd_pixels_ocl = {.name = "softmax_loss_bwd_pixels_ocl",
                                                          .op = GT_OP_softmax_loss_bwd,
                                                          .n_variants = GT_PIXELS_VARIANTS,
                                                          .plan = plan,
                                                          .prepare = prepare,
                                                          .run = run,
                                                          .release = gt__ocl_release};
