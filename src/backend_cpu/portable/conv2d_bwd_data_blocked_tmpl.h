/* Data gradient of the convolution in channel blocks of 16, template: see conv2d_blocked_tmpl.h.
 * The including file defines VW, CONV_KERNEL and CONV_NAME, CONV_ISA (mask the CPU must have) and
 * CONV_RATE (flops per second and thread). Variants 0 to 3: phase 1, 2, 4, 8.
 *
 * dx[n][c][i][j] = sum over (o, a, b) of dy[n][o][i - a*d][j - b*d] * w[o][c][a][b], dy taken as
 * zero outside: the valid correlation of dy, padded with (kh - 1)*d rows and (kw - 1)*d columns of
 * zeros on each side, with the weights transposed and turned round. The padded copy
 * [n][ceil(cout/16)][ho + 2*(kh - 1)*d][...][16] is scratch. SPDX-License-Identifier: BSD-2-Clause
 */
#include "backend_cpu/portable/conv2d_blocked_tmpl.h"

enum { CONV_VARIANTS = 4 };

struct pad_job {
    const float *src;
    float *dst;
    int32_t h, w, ph, pw;
};

/* One plane of 16 lanes per chunk. */
static void pad_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct pad_job *j = cookie;
    size_t row = (size_t)j->w * 16;
    size_t side = (size_t)j->pw * 16;
    size_t wide = row + 2 * side;
    size_t above = (size_t)j->ph * wide;
    const float *src = j->src + chunk * (size_t)j->h * row;
    float *dst = j->dst + chunk * ((size_t)j->h * wide + 2 * above);
    memset(dst, 0, above * sizeof(float));
    dst += above;
    for (int32_t i = 0; i < j->h; i++) {
        memset(dst, 0, side * sizeof(float));
        memcpy(dst + side, src, row * sizeof(float));
        memset(dst + side + row, 0, side * sizeof(float));
        src += row;
        dst += wide;
    }
    memset(dst, 0, above * sizeof(float));
}

/* Floats of the padded copy, 0 where none is needed; false on overflow. */
static bool padded_size(size_t *out, const struct conv_geometry *c)
{
    size_t h = 0;
    size_t w = 0;
    *out = 0;
    if (c->kh == 1 && c->kw == 1) {
        return true;
    }
    h = (size_t)c->ho + 2 * (size_t)(c->kh - 1) * (size_t)c->d;
    w = (size_t)c->wo + 2 * (size_t)(c->kw - 1) * (size_t)c->d;
    return h <= INT32_MAX && w <= INT32_MAX && gt__mul(out, h, w) &&
           gt__mul(out, *out, (size_t)c->n * (size_t)gt__ceil_div(c->cout, 16)) &&
           gt__mul(out, *out, 16);
}

static double data_cost(const struct gt_device *d, const struct conv_geometry *c, size_t packed,
                        size_t padded)
{
    double fill = conv_fill(c->kh, c->kw, c->hi, c->wi);
    double pixels = (double)c->n * c->hi * c->wi;
    double taken = (double)c->n * c->ho * c->wi; /* per kernel row: rows of padding are skipped */
    double flops = 2.0 * taken * c->cout * c->kh * c->kw * conv_lanes(c->cin) / fill;
    double bytes = 4.0 * pixels * 16 * (gt__ceil_div(c->cin, 16) + gt__ceil_div(c->cout, 16));
    double extra = 2.0 * (double)padded + 3.0 * (double)packed;
    return gt__cpu_cost(d, flops, CONV_RATE, bytes) + gt__cpu_cost(d, 0, CONV_RATE, extra);
}

static bool data_plan(const struct gt_device *d, const struct gt_graph *g,
                      const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    gt_shape y = gt__value(g, node->in[0])->shape;
    gt_shape x = gt__value(g, node->out[0])->shape;
    struct conv_geometry c;
    size_t packed = 0;
    size_t padded = 0;
    if (!gt__cpu_has(d, CONV_ISA) || !conv_geometry(&c, x, y, &node->attr, 1 << variant) ||
        !conv_packed_size(&packed, c.cout, c.cin, c.kh, c.kw) ||
        !gt__mul(&packed, packed, sizeof(float)) || !padded_size(&padded, &c) ||
        !gt__mul(&padded, padded, sizeof(float))) {
        return false;
    }
    gt_layout blocked = {GT_BLOCK, (int16_t)c.phase, GT_KIND_F32};
    out->in[0] = blocked;
    out->in[1] = GT_LAYOUT_NCHW;
    out->out[0] = blocked;
    out->packed = packed;
    out->scratch = padded;
    out->cost = data_cost(d, &c, packed, padded);
    return true;
}

/* The correlation over the padded dy. */
static struct conv_job data_job(const struct conv_geometry *c)
{
    int32_t ph = (c->kh - 1) * c->d;
    int32_t pw = (c->kw - 1) * c->d;
    return (struct conv_job){.n = c->n,
                             .ci = c->cout,
                             .co = c->cin,
                             .kh = c->kh,
                             .kw = c->kw,
                             .d = c->d,
                             .hi = c->ho + 2 * ph,
                             .wi = c->wo + 2 * pw,
                             .ho = c->hi,
                             .wo = c->wi,
                             .h_true = c->h_in,
                             .w_true = c->w_in,
                             .phase = c->phase,
                             .padding = ph,
                             .px = 16};
}

static gt_status data_run(struct gt_device *d, const struct gt_step *step)
{
    struct conv_geometry c;
    size_t padded = 0;
    if (!conv_geometry(&c, step->out[0].shape, step->in[0].shape, &step->node->attr,
                       1 << step->variant) ||
        !padded_size(&padded, &c)) {
        return gt__fail(GT_EINVAL, "%s cannot run in phase %d", CONV_NAME,
                        step->in[0].layout.phase);
    }
    struct conv_job job = data_job(&c);
    job.x = gt__f32(&step->in[0]);
    job.w = gt__f32(&step->packed);
    job.y = gt__f32(&step->out[0]);
    struct gt_pool *pool = gt__cpu_pool(d);
    if (step->pack) {
        struct conv_pack pack = {.w = gt__f32(&step->in[1]),
                                 .packed = gt__f32(&step->packed),
                                 .ci = c.cout,
                                 .co = c.cin,
                                 .kh = c.kh,
                                 .kw = c.kw,
                                 .lanes = 16,
                                 .transposed = true};
        conv_pack(pool, &pack);
    }
    if (padded > 0) {
        struct pad_job pad = {.src = job.x,
                              .dst = gt__f32(&step->scratch),
                              .h = c.ho,
                              .w = c.wo,
                              .ph = (c.kh - 1) * c.d,
                              .pw = (c.kw - 1) * c.d};
        gt__pool_for(pool, (size_t)c.n * (size_t)gt__ceil_div(c.cout, 16), pad_chunk, &pad);
        job.x = pad.dst;
    }
    conv_job_cut(&job);
    conv_job_run(pool, &job);
    return GT_OK;
}

const struct gt_kernel CONV_KERNEL = {.name = CONV_NAME,
                                      .op = GT_OP_conv2d_bwd_data,
                                      .n_variants = CONV_VARIANTS,
                                      .plan = data_plan,
                                      .run = data_run};
