/* Weight gradient of a convolution from an image of at most 4 channels (first layers), as a matrix
 * product over pixels. SPDX-License-Identifier: BSD-2-Clause
 *
 * dw[co][ci][a][b] = sum over n, i, j of x[n][ci][i + a*d][j + b*d] * dy[n][co][i][j]
 * x NCHW, dy {GT_BLOCK_ALL, 1}, dw [cout][cin][kh][kw]. Rows of the product are (ci, tap), so that
 * few channels fill tiles and dy is read once for every 32 of them; the rest is as in
 * conv2d_bwd_weight_gemm_ocl.c. */
#include "backend_ocl/conv2d_bwd_weight_ocl.h"

static const struct gt_weight_tile tiles[] = {{32, 64, 4, 4, 0.4}, {0, 0, 0, 0, 0.4}};
enum { TILES = sizeof tiles / sizeof tiles[0] };

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__weight_prepare(device, step, &tiles[step->variant], true);
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct gt_ocl_weight w;
    gt__weight_geometry(&w, step->in[0].shape, step->in[1].shape, &step->node->attr, 1, true);
    return gt__weight_run(device, step, &w, &tiles[step->variant]);
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    struct gt_ocl_weight w;
    gt_shape x = gt__in_shape(g, node, 0);
    if (!gt__node_plain(node, GT_OP_conv2d_bwd_weight) || x.c > GT_WEIGHT_THIN_CHANNELS ||
        !gt__may_block(g, node->in[1])) {
        return false;
    }
    out->in[0] = out->out[0] = GT_LAYOUT_NCHW;
    out->in[1] = gt__layout_f32(GT_BLOCK_ALL, 1);
    return gt__ocl_fits(g, node, out) &&
           gt__weight_geometry(&w, x, gt__in_shape(g, node, 1), &node->attr, 1, true) &&
           gt__weight_plan(device, &w, &tiles[variant], out);
}

const struct gt_kernel gt__conv2d_bwd_weight_thin_ocl = {.name = "conv2d_bwd_weight_thin_ocl",
                                                         .op = GT_OP_conv2d_bwd_weight,
                                                         .n_variants = TILES,
                                                         .plan = plan,
                                                         .prepare = prepare,
                                                         .run = run,
                                                         .release = gt__ocl_release};
