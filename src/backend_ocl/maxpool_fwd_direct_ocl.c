/* Max pooling, y[n][c][i][j] = max over a, b < k of x[n][c][i*s + a*d][j*s + b*d]; windows are
 * clipped at the lower and right border. SPDX-License-Identifier: BSD-2-Clause
 *
 * x in channels last or NCHW and phase p, p a divisor of the dilation d (p > 1 with stride 1 only);
 * y and index (may be absent) in the same block and in phase q = p or, with stride 1, q = 2p. A
 * work-item makes four channels of a pixel (NCHW: one); what it reads twice with its neighbours
 * comes from the cache. */
#include "backend_ocl/rows.h"

#include "cl/maxpool_direct_ocl.cl.h"

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__ocl_state(device, step, "maxpool_direct_ocl", gt__cl_source,
                         gt__ocl_lanes(step->out[0].layout), "maxpool_fwd");
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_tensor(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_tensor(&call, &step->out[0]);
    gt__ocl_arg_view(&call, &step->out[1]);
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
    out->in[0] = layouts.large;
    out->out[0] = layouts.small;
    out->out[1] = layouts.index;
    bool index = node->n_out > 1 && node->out[1] != GT_NO_VALUE;
    double read = gt__stored(gt__in_shape(g, node, 0), layouts.large);
    double written = gt__stored(gt__out_shape(g, node, 0), layouts.small);
    double taps = (double)a->kernel_h * a->kernel_h;
    out->cost = gt__ocl_cost(device, 2.0 * taps * written, 0.1,
                             4.0 * read + (index ? 5.0 : 4.0) * written, 1);
    return gt__ocl_fits(g, node, out);
}

const struct gt_kernel gt__maxpool_fwd_direct_ocl = {.name = "maxpool_fwd_direct_ocl",
                                                     .op = GT_OP_maxpool_fwd,
                                                     .n_variants = GT_MAXPOOL_VARIANTS,
                                                     .plan = plan,
                                                     .prepare = prepare,
                                                     .run = run,
                                                     .release = gt__ocl_release};
