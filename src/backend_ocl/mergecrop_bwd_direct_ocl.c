/* Gradient of MergeCrop for input `which`: da[n][c] = dy[n][c]; db[n][c] = dy[n][Ca + c] inside of
 * the crop and zero around it; all zero where attr.backward is off. dy and dx in channels last or
 * NCHW, phase 1. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/rows.h"

#include "cl/mergecrop_direct_ocl.cl.h"

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__ocl_state(device, step, "mergecrop_direct_ocl", gt__cl_source,
                         gt__ocl_lanes(step->out[0].layout), "mergecrop_bwd");
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    gt_shape sy = step->in[0].shape;
    gt_shape sx = step->out[0].shape;
    bool second = step->node->attr.which == 1;
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_tensor(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_tensor(&call, &step->out[0]);
    gt__ocl_arg_int(&call, second ? sy.c - sx.c : 0);
    gt__ocl_arg_int(&call, (sx.h - sy.h) / 2);
    gt__ocl_arg_int(&call, (sx.w - sy.w) / 2);
    gt__ocl_arg_int(&call, step->node->attr.backward[second] != 0);
    return gt__ocl_launch_stored(&call, &step->out[0]);
}

/* Variant 0: channels last, 1: NCHW. */
static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    int32_t block = variant == 0 ? GT_BLOCK_ALL : 1;
    if (!gt__node_plain(node, GT_OP_mergecrop_bwd) ||
        (block != 1 && !gt__node_may_block(g, node, 1))) {
        return false;
    }
    out->in[0] = out->out[0] = gt__layout_f32(block, 1);
    gt_shape sy = gt__in_shape(g, node, 0);
    gt_shape sx = gt__out_shape(g, node, 0);
    double read = (double)sx.n * sx.c * sy.h * sy.w;
    double written = gt__stored(sx, out->out[0]);
    out->cost = gt__ocl_cost(device, 0, 1, 4.0 * (read + written), 1);
    return gt__ocl_fits(g, node, out);
}

const struct gt_kernel gt__mergecrop_bwd_direct_ocl = {.name = "mergecrop_bwd_direct_ocl",
                                                       .op = GT_OP_mergecrop_bwd,
                                                       .n_variants = 2,
                                                       .plan = plan,
                                                       .prepare = prepare,
                                                       .run = run,
                                                       .release = gt__ocl_release};
