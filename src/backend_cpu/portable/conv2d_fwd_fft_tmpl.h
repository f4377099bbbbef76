/* Forward convolution in the frequency domain, template: see conv2d_fft_tmpl.h. The including file
 * defines VW, CONV_KERNEL and CONV_NAME, CONV_ISA (mask the CPU must have) and CONV_RATE (flops per
 * second and thread). Variants: lengths 16, 24, 25, 32, 40 for each phase 1, 2, 4, 8; then the same
 * with packed weights.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/conv2d_fft_tmpl.h"

enum { FFT_PACKED = 4 * FFT_LENGTHS, FFT_VARIANTS = 2 * FFT_PACKED };

static bool fwd_grid(struct fft_grid *g, struct conv_geometry *c, gt_shape x, gt_shape y,
                     const struct gt_attr *attr, unsigned variant)
{
    unsigned form = variant % FFT_PACKED;
    if (!conv_geometry(c, x, y, attr, 1 << form / FFT_LENGTHS) || c->d != 1 || c->kh != c->kw) {
        return false;
    }
    *g = (struct fft_grid){.length = fft_lengths[form % FFT_LENGTHS],
                           .k = c->kh,
                           .ci = c->cin,
                           .co = c->cout,
                           .hi = c->hi,
                           .wi = c->wi,
                           .ho = c->ho,
                           .wo = c->wo,
                           .packed = variant >= FFT_PACKED};
    return fft_grid(g, c->n);
}

static bool fwd_plan(const struct gt_device *d, const struct gt_graph *g,
                     const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    struct fft_grid grid;
    struct conv_geometry c;
    if (!gt__cpu_has(d, CONV_ISA) ||
        !fwd_grid(&grid, &c, gt__value(g, node->in[0])->shape, gt__value(g, node->out[0])->shape,
                  &node->attr, variant) ||
        !fft_bytes(&out->packed, &out->scratch, &grid)) {
        return false;
    }
    gt_layout blocked = {GT_BLOCK, (int16_t)c.phase, GT_KIND_F32};
    out->in[0] = blocked;
    out->in[1] = GT_LAYOUT_NCHW;
    out->in[2] = GT_LAYOUT_NCHW;
    out->out[0] = blocked;
    out->flags = GT_PLAN_UNORDERED;
    out->growth = fft_growth(&grid);
    out->cost = fft_cost(d, &grid, CONV_RATE, out->packed);
    out->fill = fft_fill(d, &grid, CONV_RATE, out->packed);
    return true;
}

static gt_status fwd_run(struct gt_device *d, const struct gt_step *step)
{
    struct fft_grid grid;
    struct conv_geometry c;
    if (!fwd_grid(&grid, &c, step->in[0].shape, step->out[0].shape, &step->node->attr,
                  step->variant)) {
        return gt__fail(GT_EINVAL, "%s cannot run in phase %d", CONV_NAME,
                        step->in[0].layout.phase);
    }
    uint32_t epilogue = step->node->epilogue;
    struct fft_job job = {.grid = grid,
                          .device = d,
                          .weights = {.w = gt__f32(&step->in[1])},
                          .x = gt__f32(&step->in[0]),
                          .bias = epilogue & GT_EPILOGUE_BIAS ? gt__f32(&step->in[2]) : NULL,
                          .y = gt__f32(&step->out[0]),
                          .v = gt__f32(&step->scratch),
                          .h_true = c.h_out,
                          .w_true = c.w_out,
                          .phase = c.phase,
                          .u = gt__f32(&step->packed),
                          .relu = (epilogue & GT_EPILOGUE_RELU) != 0};
    if (step->pack && grid.packed) {
        fft_pack(&job);
    }
    fft_run(&job);
    return GT_OK;
}

const struct gt_kernel CONV_KERNEL = {.name = CONV_NAME,
                                      .op = GT_OP_conv2d_fwd,
                                      .n_variants = FFT_VARIANTS,
                                      .plan = fwd_plan,
                                      .run = fwd_run};
