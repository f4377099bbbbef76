/* Weight gradient of the convolution, all channels in one block, as a matrix product over pixels:
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * dw[co][ci][a][b] = sum over n, i, j of x[n][ci][i + a*d][j + b*d] * dy[n][co][i][j]
 * x {GT_BLOCK_ALL, p} [n][hi][wi][cin rounded up to 4], dy the same with cout, dw
 * [cout][cin][kh][kw]; p divides the dilation or the kernel is 1x1. Images are fragments then, d is
 * the dilation within.
 *
 * A work-group makes a tile of BM (tap, channel of x) x BN (channel of dy) for a range of pixels, a
 * second function adds the ranges in order. The number of ranges follows from the shape and the
 * device's units. */
#include "backend_ocl/conv2d_bwd_weight_ocl.h"

/* Variants: tile, then phase. */
static const struct gt_weight_tile tiles[] = {{64, 128, 8, 8, 0.75},
                                              {128, 64, 8, 8, 0.72},
                                              {64, 64, 8, 8, 0.65},
                                              {64, 16, 4, 4, 0.3},
                                              {0, 0, 0, 0, 0.4}};
enum { TILES = sizeof tiles / sizeof tiles[0], PHASES = 4 };

/* Some tile accepts any sizes; those that would be mostly padding are not offered. */
static bool worth(const struct gt_weight_tile *t, const struct gt_ocl_weight *w)
{
    bool columns = t->bn <= 16 ? w->np <= 32 : w->np > t->bn / 4;
    return t->bm == 0 || (columns && (t->bm <= 64 || w->m > 64));
}

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__weight_prepare(device, step, &tiles[step->variant % TILES], false);
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct gt_ocl_weight w;
    gt__weight_geometry(&w, step->in[0].shape, step->in[1].shape, &step->node->attr,
                        step->in[0].layout.phase, false);
    return gt__weight_run(device, step, &w, &tiles[step->variant % TILES]);
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    struct gt_ocl_weight w;
    int32_t phase = 1 << variant / TILES;
    if (!gt__node_plain(node, GT_OP_conv2d_bwd_weight) || !gt__may_block(g, node->in[0]) ||
        !gt__may_block(g, node->in[1])) {
        return false;
    }
    out->in[0] = out->in[1] = gt__layout_f32(GT_BLOCK_ALL, phase);
    out->out[0] = GT_LAYOUT_NCHW;
    return gt__ocl_fits(g, node, out) &&
           gt__weight_geometry(&w, gt__in_shape(g, node, 0), gt__in_shape(g, node, 1), &node->attr,
                               phase, false) &&
           worth(&tiles[variant % TILES], &w) &&
           gt__weight_plan(device, &w, &tiles[variant % TILES], out);
}

const struct gt_kernel gt__conv2d_bwd_weight_gemm_ocl = {.name = "conv2d_bwd_weight_gemm_ocl",
                                                         .op = GT_OP_conv2d_bwd_weight,
                                                         .n_variants = TILES * PHASES,
                                                         .plan = plan,
                                                         .prepare = prepare,
                                                         .run = run,
                                                         .release = gt__ocl_release};
