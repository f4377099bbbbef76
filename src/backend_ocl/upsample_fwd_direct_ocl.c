/* Nearest doubling, y[n][c][2i + a][2j + b] = x[n][c][i][j], a, b in {0, 1}; x and y in channels
 * last or NCHW, phase 1. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/rows.h"

#include "cl/upsample_direct_ocl.cl.h"

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__ocl_state(device, step, "upsample_direct_ocl", gt__cl_source,
                         gt__ocl_lanes(step->out[0].layout), "upsample_fwd");
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_tensor(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_tensor(&call, &step->out[0]);
    /* one work-item per column of two rows of y */
    struct gt_extent ex = gt__view_extent(&step->in[0]);
    struct gt_extent ey = gt__view_extent(&step->out[0]);
    return gt__ocl_launch_rows(&call, gt__ocl_row(ey), ex.h, ex.n * ex.cb);
}

/* Variant 0: channels last, 1: NCHW. */
static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    int32_t block = variant == 0 ? GT_BLOCK_ALL : 1;
    if (!gt__node_plain(node, GT_OP_upsample_fwd) ||
        (block != 1 && !gt__node_may_block(g, node, 1))) {
        return false;
    }
    out->in[0] = out->out[0] = gt__layout_f32(block, 1);
    double small = gt__stored(gt__in_shape(g, node, 0), out->in[0]);
    out->cost = gt__ocl_cost(device, 0, 1, 20.0 * small, 1);
    return gt__ocl_fits(g, node, out);
}

const struct gt_kernel gt__upsample_fwd_direct_ocl = {.name = "upsample_fwd_direct_ocl",
                                                      .op = GT_OP_upsample_fwd,
                                                      .n_variants = 2,
                                                      .plan = plan,
                                                      .prepare = prepare,
                                                      .run = run,
                                                      .release = gt__ocl_release};
