/* Data gradient of the convolution after Winograd, template: see winograd_tmpl.h. The including
 * file defines VW, CONV_KERNEL and CONV_NAME, CONV_ISA (mask the CPU must have) and CONV_RATE
 * (flops per second and thread). dx is the correlation of dy, with r - 1 rows and columns of zeros
 * around it, with the weights transposed and turned round. Variants: 2 for each phase 1, 2, 4, 8
 * and points 6, 8: fused and split. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/winograd_tmpl.h"

enum { WINO_VARIANTS = 16 };

static bool data_grid(struct wino_grid *g, struct conv_geometry *c, gt_shape x, gt_shape y,
                      const struct gt_attr *attr, unsigned variant)
{
    if (!conv_geometry(c, x, y, attr, 1 << variant / 4) || c->d != 1 || c->kh != c->kw) {
        return false;
    }
    *g = (struct wino_grid){.alpha = variant & 2 ? 8 : 6,
                            .r = c->kh,
                            .ci = c->cout,
                            .co = c->cin,
                            .pad = c->kh - 1,
                            .hi = c->ho,
                            .wi = c->wo,
                            .ho = c->hi,
                            .wo = c->wi,
                            .split = variant & 1};
    return wino_grid(g, c->n, PANEL);
}

static bool data_plan(const struct gt_device *d, const struct gt_graph *g,
                      const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    struct wino_grid grid;
    struct conv_geometry c;
    if (!gt__cpu_has(d, CONV_ISA) ||
        !data_grid(&grid, &c, gt__value(g, node->out[0])->shape, gt__value(g, node->in[0])->shape,
                   &node->attr, variant) ||
        !wino_bytes(&out->packed, &out->scratch, &grid)) {
        return false;
    }
    gt_layout blocked = {GT_BLOCK, (int16_t)c.phase, GT_KIND_F32};
    out->in[0] = blocked;
    out->in[1] = GT_LAYOUT_NCHW;
    out->out[0] = blocked;
    out->flags = GT_PLAN_UNORDERED;
    out->growth = wino_growth(&grid, false);
    out->cost =
        wino_cost(d, &grid, CONV_RATE, out->packed) + wino_fill(d, &grid, CONV_RATE, out->packed);
    return true;
}

static gt_status data_run(struct gt_device *d, const struct gt_step *step)
{
    struct wino_grid grid;
    struct conv_geometry c;
    if (!data_grid(&grid, &c, step->out[0].shape, step->in[0].shape, &step->node->attr,
                   step->variant)) {
        return gt__fail(GT_EINVAL, "%s cannot run in phase %d", CONV_NAME,
                        step->in[0].layout.phase);
    }
    struct wino_job job = {.grid = grid,
                           .x = gt__f32(&step->in[0]),
                           .y = gt__f32(&step->out[0]),
                           .v = gt__f32(&step->scratch),
                           .cpu = gt__cpu(d),
                           .h_true = c.h_in,
                           .w_true = c.w_in,
                           .phase = c.phase};
    job.weights = (struct wino_pack){.w = gt__f32(&step->in[1]),
                                     .u = gt__f32(&step->packed),
                                     .ci = c.cout,
                                     .co = c.cin,
                                     .alpha = grid.alpha,
                                     .r = grid.r,
                                     .transposed = true};
    if (step->pack && grid.packed) {
        wino_pack(gt__cpu_pool(d), &job.weights);
    }
    wino_run(&job);
    return GT_OK;
}

const struct gt_kernel CONV_KERNEL = {.name = CONV_NAME,
                                      .op = GT_OP_conv2d_bwd_data,
                                      .n_variants = WINO_VARIANTS,
                                      .plan = data_plan,
                                      .run = data_run};
