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

/* Variants as in maxpool_fwd_direct_ocl. */
static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    const struct gt_attr *a = &node->attr;
    int32_t block = variant & 1u ? 1 : GT_BLOCK_ALL;
    int32_t p = 1 << (variant >> 2);
    int32_t q = variant & 2u ? 2 * p : p;
    if (!gt__node_plain(node, GT_OP_maxpool_bwd) || q > 8 || a->dilation % p != 0 ||
        (a->stride != 1 && q != 1) || ((block != 1 || q != 1) && !gt__node_may_block(g, node, 1))) {
        return false;
    }
    gt_shape sy = gt__in_shape(g, node, 0);
    gt_shape sx = gt__out_shape(g, node, 0);
    out->in[0] = gt__layout_f32(block, q);
    out->in[1] = (gt_layout){(int16_t)block, (int16_t)q, GT_KIND_U8};
    out->out[0] = gt__layout_f32(block, p);
    double read = gt__stored(sy, out->in[0]);
    double written = gt__stored(sx, out->out[0]);
    double taps = (double)a->kernel_h * a->kernel_h;
    out->cost = gt__ocl_cost(device, 2.0 * taps * written, 0.1, 5.0 * read + 4.0 * written, 1);
    return gt__ocl_fits(g, node, out);
}

const struct gt_kernel gt__maxpool_bwd_direct_ocl = {.name = "maxpool_bwd_direct_ocl",
                                                     .op = GT_OP_maxpool_bwd,
                                                     .n_variants = 16,
                                                     .plan = plan,
                                                     .prepare = prepare,
                                                     .run = run,
                                                     .release = gt__ocl_release};
