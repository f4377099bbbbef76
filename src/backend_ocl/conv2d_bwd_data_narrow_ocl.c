/* Data gradient of a convolution to at most 16 channels. SPDX-License-Identifier: BSD-2-Clause
 *
 *     dx[n][c][h][w] = sum over a, b, o of dy[n][o][h - a*d][w - b*d] * weight[o][c][a][b]
 *
 * dx is channels last in phase p, dy too or NCHW. Packed weights: [taps][o rounded up to 4][lanes
 * of dx]. A work-item computes 4 channels of 4 pixels; writing dx bounds the 1x1 kernel. Variants:
 * see conv2d_narrow_ocl.h. */
#include "backend_ocl/conv2d_narrow_ocl.h"

#include "cl/conv2d_narrow_ocl.cl.h"

enum { PIXELS = 4 };

static size_t packed_count(const struct gt_ocl_narrow *g)
{
    return (size_t)g->kh * (size_t)g->kw * (size_t)gt__align_up((size_t)g->c, 4) * (size_t)g->cp;
}

static bool plan(const struct gt_device *d, const struct gt_graph *graph,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    gt_shape y = gt__in_shape(graph, node, 0);
    if (y.c > GT_NARROW_CHANNELS || node->epilogue || !gt__node_may_block(graph, node, 1) ||
        !narrow_phase_fits(&node->attr, narrow_wide_layout(variant).phase)) {
        return false;
    }
    out->in[0] = narrow_layout(variant);
    out->in[1] = GT_LAYOUT_NCHW;
    out->out[0] = narrow_wide_layout(variant);
    if (!gt__ocl_fits(graph, node, out)) {
        return false;
    }
    struct gt_ocl_narrow g = narrow_geometry(node, gt__out_shape(graph, node, 0), y, variant, true);
    double count = (double)packed_count(&g);
    double bytes = 4.0 * (g.pixels * (double)(g.cp + g.lanes) + count);
    out->packed = packed_count(&g) * sizeof(float);
    out->cost = gt__ocl_cost(d, 2.0 * g.pixels * count, 0.25, bytes, 1);
    return packed_count(&g) <= INT32_MAX;
}

static gt_status prepare(struct gt_device *d, struct gt_step *step)
{
    return gt__ocl_state(d, step, "conv2d_narrow_ocl", gt__cl_source, "",
                         "conv2d_narrow_data conv2d_narrow_pack_data");
}

static gt_status run(struct gt_device *d, const struct gt_step *step)
{
    gt_shape x = step->out[0].shape;
    struct gt_ocl_narrow g = narrow_geometry(step->node, x, step->in[0].shape, step->variant, true);
    if (step->pack) {
        GT_TRY(narrow_pack(d, step, &g, x.c, packed_count(&g)));
    }
    struct gt_ocl_call call = gt__ocl_call(d, gt__ocl_state_of(step)->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->packed);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg(&call, &g, sizeof g);
    return gt__ocl_launch_flat(&call, (size_t)gt__ceil_div(g.pixels, PIXELS) * (size_t)(g.cp / 4));
}

const struct gt_kernel gt__conv2d_bwd_data_narrow_ocl = {.name = "conv2d_bwd_data_narrow_ocl",
                                                         .op = GT_OP_conv2d_bwd_data,
                                                         .n_variants = GT_NARROW_LAYOUTS,
                                                         .plan = plan,
                                                         .prepare = prepare,
                                                         .run = run,
                                                         .release = gt__ocl_release};
