/* MergeCrop, y[n][c] = a[n][c] for c < Ca, else the centre of b[n][c - Ca], cropped to the size of
 * a with offsets floor((b - a)/2); a switched-off input counts as zero. All in channels last or all
 * in NCHW, phase 1. SPDX-License-Identifier: BSD-2-Clause
 *
 * In channels last the lanes of b move by Ca: whole vectors of four where 4 divides Ca. */
#include "backend_ocl/rows.h"

#include "cl/mergecrop_direct_ocl.cl.h"

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__ocl_state(device, step, "mergecrop_direct_ocl", gt__cl_source,
                         gt__ocl_lanes(step->out[0].layout), "mergecrop_fwd");
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    gt_shape sa = step->in[0].shape;
    gt_shape sb = step->in[1].shape;
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_tensor(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->in[1]);
    gt__ocl_arg_tensor(&call, &step->in[1]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_tensor(&call, &step->out[0]);
    gt__ocl_arg_int(&call, (sb.h - sa.h) / 2);
    gt__ocl_arg_int(&call, (sb.w - sa.w) / 2);
    gt__ocl_arg_int(&call, (attr->forward[0] ? 1 : 0) | (attr->forward[1] ? 2 : 0));
    return gt__ocl_launch_stored(&call, &step->out[0]);
}

/* Variant 0: channels last, 1: NCHW. */
static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    int32_t block = variant == 0 ? GT_BLOCK_ALL : 1;
    if (!gt__node_plain(node, GT_OP_mergecrop_fwd) ||
        (block != 1 && !gt__node_may_block(g, node, 2))) {
        return false;
    }
    out->in[0] = out->in[1] = out->out[0] = gt__layout_f32(block, 1);
    double written = gt__stored(gt__out_shape(g, node, 0), out->out[0]);
    out->cost = gt__ocl_cost(device, 0, 1, 8.0 * written, 1);
    return gt__ocl_fits(g, node, out);
}

const struct gt_kernel gt__mergecrop_fwd_direct_ocl = {.name = "mergecrop_fwd_direct_ocl",
                                                       .op = GT_OP_mergecrop_fwd,
                                                       .n_variants = 2,
                                                       .plan = plan,
                                                       .prepare = prepare,
                                                       .run = run,
                                                       .release = gt__ocl_release};
