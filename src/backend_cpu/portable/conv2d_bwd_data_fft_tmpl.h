/* Data gradient of the convolution in the frequency domain, template: see conv2d_fft_tmpl.h. The
 * including file defines VW, CONV_KERNEL and CONV_NAME, CONV_ISA (mask the CPU must have) and
 * CONV_RATE (flops per second and thread). Where dx fits one tile it is the cyclic convolution of
 * dy with the weights; else the correlation of dy, with k - 1 rows and columns of zeros around it,
 * with the weights turned round. Variants: lengths 16, 24, 25, 32, 40 for each phase 1, 2, 4, 8.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/conv2d_fft_tmpl.h"

static bool data_grid(struct fft_grid *g, struct conv_geometry *c, gt_shape x, gt_shape y,
                      const struct gt_attr *attr, unsigned variant)
{
    if (!conv_geometry(c, x, y, attr, 1 << variant / FFT_LENGTHS) || c->d != 1 || c->kh != c->kw) {
        return false;
    }
    *g = (struct fft_grid){.length = fft_lengths[variant % FFT_LENGTHS],
                           .k = c->kh,
                           .ci = c->cout,
                           .co = c->cin,
                           .hi = c->ho,
                           .wi = c->wo,
                           .ho = c->hi,
                           .wo = c->wi};
    g->full = g->ho <= g->length && g->wo <= g->length;
    g->pad = g->full ? 0 : c->kh - 1;
    return fft_grid(g, c->n);
}

static bool data_plan(const struct gt_device *d, const struct gt_graph *g,
                      const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    struct fft_grid grid;
    struct conv_geometry c;
    if (!gt__cpu_has(d, CONV_ISA) ||
        !data_grid(&grid, &c, gt__value(g, node->out[0])->shape, gt__value(g, node->in[0])->shape,
                   &node->attr, variant) ||
        !fft_bytes(&out->packed, &out->scratch, &grid)) {
        return false;
    }
    gt_layout blocked = {GT_BLOCK, (int16_t)c.phase, GT_KIND_F32};
    out->in[0] = blocked;
    out->in[1] = GT_LAYOUT_NCHW;
    out->out[0] = blocked;
    out->flags = GT_PLAN_UNORDERED;
    out->growth = fft_growth(&grid);
    out->cost = fft_cost(d, &grid, CONV_RATE, 0);
    return true;
}

static gt_status data_run(struct gt_device *d, const struct gt_step *step)
{
    struct fft_grid grid;
    struct conv_geometry c;
    if (!data_grid(&grid, &c, step->out[0].shape, step->in[0].shape, &step->node->attr,
                   step->variant)) {
        return gt__fail(GT_EINVAL, "%s cannot run in phase %d", CONV_NAME,
                        step->in[0].layout.phase);
    }
    struct fft_job job = {.grid = grid,
                          .device = d,
                          .weights = {.w = gt__f32(&step->in[1]),
                                      .transposed = true,
                                      .turned = !grid.full,
                                      .convolve = grid.full},
                          .x = gt__f32(&step->in[0]),
                          .y = gt__f32(&step->out[0]),
                          .v = gt__f32(&step->scratch),
                          .h_true = c.h_in,
                          .w_true = c.w_in,
                          .phase = c.phase};
    fft_run(&job);
    return GT_OK;
}

const struct gt_kernel CONV_KERNEL = {.name = CONV_NAME,
                                      .op = GT_OP_conv2d_bwd_data,
                                      .n_variants = 4 * FFT_LENGTHS,
                                      .plan = data_plan,
                                      .run = data_run};
