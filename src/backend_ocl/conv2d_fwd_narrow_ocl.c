/* Convolution to at most 16 channels: every output channel of a pixel in registers.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     y[n][o][i][j] = epilogue(sum over a, b, c of x[n][c][i + a*d][j + b*d] * weight[o][c][a][b])
 *
 * x is channels last in phase p, y too or NCHW. Packed weights: [taps][lanes of x][vectors*4]. The
 * kernel reads x once for each tap, so with a 1x1 kernel the memory of x bounds it. Variants: see
 * conv2d_narrow_ocl.h; the upper half goes through local memory (GPU), the lower does not (CPU). */
#include "backend_ocl/conv2d_narrow_ocl.h"

#include <stdio.h>

#include "cl/conv2d_narrow_ocl.cl.h"

enum { VARIANTS = 2 * GT_NARROW_LAYOUTS, GROUP = 128, STEP = 32 };

static bool is_staged(unsigned variant)
{
    return variant >= GT_NARROW_LAYOUTS;
}

/* Vectors of 4 outputs: 1, 2 or 4, so that few programs are built. */
static int32_t vectors(int32_t c)
{
    return c <= 4 ? 1 : c <= 8 ? 2 : 4;
}

/* Of the staged form: STEP + 1 floats for each pixel, weights of STEP channels. */
static size_t local_bytes(int32_t n_vectors)
{
    return (size_t)(GROUP * (STEP + 1) + STEP * 4 * n_vectors) * sizeof(float);
}

static size_t packed_count(const struct gt_ocl_narrow *g)
{
    return (size_t)g->kh * (size_t)g->kw * (size_t)g->cp * 4 * (size_t)vectors(g->c);
}

/* Local memory feeds the staged form: about a third of the peak. The direct form reads whole lines
 * for each work-item, which a GPU does badly and a CPU well. */
static double cost(const struct gt_device *d, const struct gt_ocl_narrow *g, unsigned variant)
{
    double out = 4.0 * vectors(g->c);
    double flops = 2.0 * g->pixels * out * g->cp * g->kh * g->kw;
    double bytes = 4.0 * g->pixels * (g->cp + out) + 4.0 * (double)packed_count(g);
    bool fits = is_staged(variant) != gt__ocl(d)->cpu;
    return gt__ocl_cost(d, flops, fits ? 0.3 : 0.05, bytes * (fits ? 1 : 2), 1);
}

static bool plan(const struct gt_device *d, const struct gt_graph *graph,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    gt_shape y = gt__out_shape(graph, node, 0);
    if (y.c > GT_NARROW_CHANNELS || !gt__node_may_block(graph, node, 1) ||
        !narrow_phase_fits(&node->attr, narrow_wide_layout(variant).phase) ||
        (is_staged(variant) &&
         (gt__ocl(d)->max_group < GROUP || gt__ocl(d)->local_bytes < local_bytes(vectors(y.c))))) {
        return false;
    }
    out->in[0] = narrow_wide_layout(variant);
    out->in[1] = GT_LAYOUT_NCHW;
    out->in[2] = GT_LAYOUT_NCHW;
    out->out[0] = narrow_layout(variant);
    if (!gt__ocl_fits(graph, node, out)) {
        return false;
    }
    struct gt_ocl_narrow g = narrow_geometry(node, gt__in_shape(graph, node, 0), y, variant, false);
    out->packed = packed_count(&g) * sizeof(float);
    out->cost = cost(d, &g, variant);
    return packed_count(&g) <= INT32_MAX;
}

static gt_status prepare(struct gt_device *d, struct gt_step *step)
{
    char defines[64];
    snprintf(defines, sizeof defines, "-DNV=%d -DSTAGED=%d", vectors(step->out[0].shape.c),
             is_staged(step->variant));
    return gt__ocl_state(d, step, "conv2d_narrow_ocl", gt__cl_source, defines,
                         "conv2d_narrow conv2d_narrow_pack");
}

static gt_status run(struct gt_device *d, const struct gt_step *step)
{
    gt_shape x = step->in[0].shape;
    struct gt_ocl_narrow g =
        narrow_geometry(step->node, x, step->out[0].shape, step->variant, false);
    if (step->pack) {
        GT_TRY(narrow_pack(d, step, &g, x.c, packed_count(&g)));
    }
    struct gt_ocl_call call = gt__ocl_call(d, gt__ocl_state_of(step)->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->packed);
    gt__ocl_arg_view(&call, &step->in[2]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg(&call, &g, sizeof g);
    if (is_staged(step->variant)) {
        size_t local = GROUP;
        size_t global = gt__align_up((size_t)g.pixels, local);
        return gt__ocl_launch(&call, 1, &global, &local);
    }
    return gt__ocl_launch_flat(&call, (size_t)g.pixels);
}

const struct gt_kernel gt__conv2d_fwd_narrow_ocl = {.name = "conv2d_fwd_narrow_ocl",
                                                    .op = GT_OP_conv2d_fwd,
                                                    .n_variants = VARIANTS,
                                                    .plan = plan,
                                                    .prepare = prepare,
                                                    .run = run,
                                                    .release = gt__ocl_release};
