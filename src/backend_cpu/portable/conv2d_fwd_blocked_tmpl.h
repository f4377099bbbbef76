/* Forward convolution in channel blocks of 16, template: see conv2d_blocked_tmpl.h. The including
 * file defines VW, CONV_KERNEL and CONV_NAME, CONV_ISA (mask the CPU must have) and CONV_RATE
 * (flops per second and thread). Variants 0 to 3: x and y in phase 1, 2, 4, 8. Variant 4: x planar
 * (NCHW, at most 4 channels), y in phase 1. SPDX-License-Identifier: BSD-2-Clause */
#define CONV_PLANAR_INPUT
#include "backend_cpu/portable/conv2d_blocked_tmpl.h"

enum { CONV_VARIANT_PLANAR = 4, CONV_VARIANTS = 5, CONV_PLANAR_CHANNELS = 4 };

static int32_t variant_phase(unsigned variant)
{
    return variant == CONV_VARIANT_PLANAR ? 1 : 1 << variant;
}

static double fwd_cost(const struct gt_device *d, const struct conv_geometry *c, size_t packed)
{
    double fill = conv_fill(c->kh, c->kw, c->ho, c->wo);
    double flops = conv_flops(c) / c->cout * conv_lanes(c->cout) / fill;
    double pixels = (double)c->n * c->ho * c->wo;
    double bytes = 4.0 * (pixels * (gt__ceil_div(c->cin, 16) + gt__ceil_div(c->cout, 16)) * 16 +
                          (double)packed);
    return gt__cpu_cost(d, flops, CONV_RATE, bytes);
}

static bool fwd_plan(const struct gt_device *d, const struct gt_graph *g,
                     const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    gt_shape x = gt__value(g, node->in[0])->shape;
    gt_shape y = gt__value(g, node->out[0])->shape;
    struct conv_geometry c;
    bool planar = variant == CONV_VARIANT_PLANAR;
    size_t packed = 0;
    if (!gt__cpu_has(d, CONV_ISA) ||
        !conv_geometry(&c, x, y, &node->attr, variant_phase(variant)) ||
        (planar && c.cin > CONV_PLANAR_CHANNELS) ||
        !conv_packed_size(&packed, c.cin, c.cout, c.kh, c.kw) ||
        !gt__mul(&packed, packed, sizeof(float))) {
        return false;
    }
    gt_layout blocked = {GT_BLOCK, (int16_t)c.phase, GT_KIND_F32};
    out->in[0] = planar ? GT_LAYOUT_NCHW : blocked;
    out->flags = planar ? GT_PLAN_OTHER_ORDER : 0;
    out->in[1] = GT_LAYOUT_NCHW;
    out->in[2] = GT_LAYOUT_NCHW;
    out->out[0] = blocked;
    out->packed = packed;
    out->cost = fwd_cost(d, &c, packed);
    return true;
}

static gt_status fwd_run(struct gt_device *d, const struct gt_step *step)
{
    struct conv_geometry c;
    if (!conv_geometry(&c, step->in[0].shape, step->out[0].shape, &step->node->attr,
                       variant_phase(step->variant))) {
        return gt__fail(GT_EINVAL, "%s cannot run in phase %d", CONV_NAME,
                        step->in[0].layout.phase);
    }
    uint32_t epilogue = step->node->epilogue;
    struct conv_job job = {.x = gt__f32(&step->in[0]),
                           .w = gt__f32(&step->packed),
                           .bias = epilogue & GT_EPILOGUE_BIAS ? gt__f32(&step->in[2]) : NULL,
                           .y = gt__f32(&step->out[0]),
                           .n = c.n,
                           .ci = c.cin,
                           .co = c.cout,
                           .kh = c.kh,
                           .kw = c.kw,
                           .d = c.d,
                           .hi = c.hi,
                           .wi = c.wi,
                           .ho = c.ho,
                           .wo = c.wo,
                           .h_true = c.h_out,
                           .w_true = c.w_out,
                           .phase = c.phase,
                           .px = step->variant == CONV_VARIANT_PLANAR ? 1 : 16,
                           .relu = (epilogue & GT_EPILOGUE_RELU) != 0};
    if (step->pack) {
        struct conv_pack pack = {.w = gt__f32(&step->in[1]),
                                 .packed = gt__f32(&step->packed),
                                 .ci = c.cin,
                                 .co = c.cout,
                                 .kh = c.kh,
                                 .kw = c.kw,
                                 .lanes = job.px};
        conv_pack(gt__cpu_pool(d), &pack);
    }
    conv_job_cut(&job);
    conv_job_run(gt__cpu_pool(d), &job);
    return GT_OK;
}

const struct gt_kernel CONV_KERNEL = {.name = CONV_NAME,
                                      .op = GT_OP_conv2d_fwd,
                                      .n_variants = CONV_VARIANTS,
                                      .plan = fwd_plan,
                                      .run = fwd_run};
