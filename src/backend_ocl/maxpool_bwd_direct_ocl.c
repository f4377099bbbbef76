/* Gradient of max pooling, dx[n][c][h][w] = sum over the windows (i, j) whose maximum was (h, w) of
 * dy[n][c][i][j]. SPDX-License-Identifier: BSD-2-Clause
 *
 * dy and index in channels last or NCHW and phase q, dx in the same block and phase p: q = p or q =
 * 2p, as maxpool_fwd_direct_ocl has them. A work-item gathers for four channels of a pixel of dx
 * (NCHW: one) and adds windows in row-major order. */
#include "backend_ocl/rows.h"

#include "cl/maxpool_direct_ocl.cl.h"

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__ocl_state(device, step, "maxpool_direct_ocl", gt__cl_source,
                         gt__ocl_lanes(step->out[0].layout), "maxpool_bwd");
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_tensor(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->in[1]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_tensor(&call, &step->out[0]);
    gt__ocl_arg_int(&call, attr->kernel_h);
    gt__ocl_arg_int(&call, attr->stride);
    gt__ocl_arg_int(&call, attr->dilation);
    return gt__ocl_launch_stored(&call, &step->out[0]);
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    const struct gt_attr *a = &node->attr;
    struct gt_maxpool_layouts layouts;
    if (!gt__maxpool_layouts(&layouts, g, node, variant, GT_BLOCK_ALL)) {
        return false;
    }
    out->in[0] = layouts.small;
    out->in[1] = layouts.index;
    out->out[0] = layouts.large;
    double read = gt__stored(gt__in_shape(g, node, 0), layouts.small);
    double written = gt__stored(gt__out_shape(g, node, 0), layouts.large);
    double taps = (double)a->kernel_h * a->kernel_h;
    out->cost = gt__ocl_cost(device, 2.0 * taps * written, 0.1, 5.0 * read + 4.0 * written, 1);
    return gt__ocl_fits(g, node, out);
}

const struct gt_kernel gt__maxpool_bwd_direct_ocl = {.name = "maxpool_bwd_direct_ocl",
                                                     .op = GT_OP_maxpool_bwd,
                                                     .n_variants = GT_MAXPOOL_VARIANTS,
                                                     .plan = plan,
                                                     .prepare = prepare,
                                                     .run = run,
                                                     .release = gt__ocl_release};
