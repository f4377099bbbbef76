/* Bias, y[n][c][h][w] = x[n][c][h][w] + bias[c], x and y in one layout, which may be any: four
 * lanes of a pixel at a time where blocks are multiples of 4, else element by element.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/ocl.h"

#include "cl/bias_fwd_lanes_ocl.cl.h"

static int32_t together(const struct gt_step *step)
{
    return gt__view_extent(&step->in[0]).b % 4 == 0 ? 4 : 1;
}

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__ocl_state(device, step, "bias_fwd_lanes_ocl", gt__cl_source, "",
                         together(step) == 4 ? "bias_fwd4" : "bias_fwd");
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    size_t count = gt__extent_count(gt__view_extent(&step->in[0]));
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->in[1]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_tensor(&call, &step->in[0]);
    return gt__ocl_launch_flat(&call, count / (size_t)together(step));
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    if (!gt__node_plain(node, GT_OP_bias_fwd)) {
        return false;
    }
    out->out[0] = out->in[0];
    out->in[1] = GT_LAYOUT_NCHW;
    out->inplace = 1;
    out->cost = gt__ocl_cost(device, 0, 1, 2 * gt__ocl_stored_bytes(g, node, out), 1);
    return gt__ocl_fits(g, node, out);
}

const struct gt_kernel gt__bias_fwd_lanes_ocl = {.name = "bias_fwd_lanes_ocl",
                                                 .op = GT_OP_bias_fwd,
                                                 .n_variants = 1,
                                                 .plan = plan,
                                                 .prepare = prepare,
                                                 .run = run,
                                                 .release = gt__ocl_release};
