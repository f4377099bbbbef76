/* Weight gradient of the convolution in the frequency domain, template: see conv2d_fft_tmpl.h. The
 * including file defines VW, CONV_KERNEL and CONV_NAME, CONV_ISA (mask the CPU must have) and
 * CONV_RATE (flops per second and thread). Variants: lengths 16, 24, 25, 32, 40 for each phase 1, 2,
 * 4, 8.
 *
 * dw is the cyclic correlation of a tile of x, L x L, with its m x m pixels of dy: of its L x L
 * values the first k x k are the plain sums. At every frequency the sum over tiles is a complex
 * matrix product of the spectra of x and the conjugates of dy's, three real ones:
 * V [frequency][real | imaginary][block of 16 ci][tile][16]
 * Y [frequency][real | imaginary][block of 16 co of the round][tile][16]
 * D [panel of the round][group of 4 ci, up to a multiple of 16][frequency][real | imaginary][4]
 *   [width]
 * Passes of tiles follow each other and add to D, rounds of panels bound its size.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/conv2d_fft_tmpl.h"
#include "backend_cpu/portable/tiles_product_tmpl.h"

enum {
    WEIGHT_ROUND_BYTES = 128 << 20, /* of Y and D, unless one panel needs more */
    WEIGHT_GROUP = 4,               /* inputs whose D lies together */
    PANEL_BLOCKS = (PANEL + 15) / 16
};

struct weight_job {
    struct fft_grid grid; /* of the forward convolution; pass and round are ours */
    struct fft fft;
    const struct gt_device *device;
    const float *x, *dy;
    float *dw;
    float *v, *y, *d;
    struct fft_plane v_plane, y_plane;
    int32_t t0, t1, panel0, panel1;
    bool stream; /* D */
};

/* One tile of x, all blocks. */
static void weight_x_chunk(void *cookie, size_t chunk, int32_t thread)
{
    const struct weight_job *j = cookie;
    struct fft_job forward = {.grid = j->grid,
                              .fft = j->fft,
                              .device = j->device,
                              .x = j->x,
                              .v = j->v,
                              .v_plane = j->v_plane,
                              .t0 = j->t0};
    fft_input_chunk(&forward, chunk, thread);
}

/* One tile of dy, the blocks of the round. */
static void weight_dy_chunk(void *cookie, size_t chunk, int32_t thread)
{
    const struct weight_job *j = cookie;
    const struct fft_grid *g = &j->grid;
    struct fft_room *room = (struct fft_room *)(void *)gt__cpu_thread_scratch(j->device, thread);
    struct fft_place at = fft_place(g, j->t0 + (int32_t)chunk);
    int32_t blocks = gt__ceil_div(g->co, 16);
    int32_t first = j->panel0 * PANEL / 16;
    int32_t last = conv_min(blocks, gt__ceil_div(j->panel1 * PANEL, 16));
    size_t plane = (size_t)g->ho * (size_t)g->wo * 16;
    for (int32_t b = first; b < last; b++) {
        const float *dy = j->dy + ((size_t)at.image * (size_t)blocks + (size_t)b) * plane;
        struct fft_pixels p = fft_pixels(dy, g->ho, g->wo, at.row, at.col, g->m, NULL);
        for (int32_t l = 0; l < 16; l += VW) {
            struct fft_planes_put put = {j->y + (size_t)(b - first) * j->y_plane.block +
                                             chunk * 16 + (size_t)l,
                                         j->y_plane.frequency, j->y_plane.plane};
            fft_forward(&j->fft, room, p.x + l, p.row, p.rows, p.cols, fft_put_planes, &put);
        }
    }
}

/* D of one panel: floats from frequency to frequency, not whole pages apart, from group to group,
 * and in all. */
struct weight_d {
    size_t frequency, group, panel;
};
static struct weight_d weight_d(const struct fft_grid *g)
{
    struct weight_d d = {.frequency = 2 * WEIGHT_GROUP * PANEL + 16};
    d.group = d.frequency * (size_t)g->count;
    d.panel = d.group * (size_t)gt__ceil_div(g->ci, 16) * (16 / WEIGHT_GROUP);
    return d;
}

/* yr, -yi - yr, yr - yi of one frequency and panel, [b][block of 16 co][tile][16]: what the products
 * with the conjugate take. */
static void weight_three(float *b, const float *y, size_t plane, size_t block, size_t blocks,
                         size_t n)
{
    for (size_t i = 0; i < blocks; i++) {
        for (size_t t = 0; t < n; t += VW) {
            vf re = *(const vf *)(y + i * block + t);
            vf im = *(const vf *)(y + i * block + plane + t);
            float *to = b + i * n + t;
            *(vf *)to = re;
            *(vf *)(to + blocks * n) = -im - re;
            *(vf *)(to + 2 * blocks * n) = re - im;
        }
    }
}

/* Floats that a product takes of a thread's scratch memory: the sum, b, c. */
static size_t weight_room(const struct fft_grid *g)
{
    size_t rows = (size_t)gt__ceil_div(g->ci, 16) * 16;
    return fft_v_plane(g).plane + 3 * (size_t)g->pass * PANEL_BLOCKS * 16 + 3 * rows * PANEL;
}

/* `n` floats of D, or their sums with the passes before, from the three products. */
static inline __attribute__((always_inline)) void
weight_join(float *d, const float *c, size_t plane, size_t n, const bool first, const bool stream)
{
    for (size_t i = 0; i < n; i += VW) {
        vf k1 = *(const vf *)(c + i);
        vf re = k1 - *(const vf *)(c + 2 * plane + i);
        vf im = k1 + *(const vf *)(c + plane + i);
        if (!first) {
            re += *(const vf *)(d + i);
            im += *(const vf *)(d + n + i);
        }
        panel_store(d + i, re, stream);
        panel_store(d + n + i, im, stream);
    }
}

/* One frequency and panel, all groups. */
static void weight_store(const struct weight_job *j, float *d, const float *c, size_t rows,
                         size_t width)
{
    struct weight_d s = weight_d(&j->grid);
    size_t n = WEIGHT_GROUP * width;
    for (size_t r = 0; r < rows; r += WEIGHT_GROUP) {
        float *to = d + r / WEIGHT_GROUP * s.group;
        const float *from = c + r * width;
        if (j->stream) {
            weight_join(to, from, rows * width, n, true, true);
        } else if (j->t0 == 0) {
            weight_join(to, from, rows * width, n, true, false);
        } else {
            weight_join(to, from, rows * width, n, false, false);
        }
    }
}

/* One frequency: all panels of the round, all inputs, the tiles of the pass. */
static void weight_product_chunk(void *cookie, size_t f, int32_t thread)
{
    const struct weight_job *j = cookie;
    const struct fft_grid *g = &j->grid;
    size_t rows = (size_t)gt__ceil_div(g->ci, 16) * 16;
    size_t n = (size_t)(j->t1 - j->t0) * 16;
    const float *v = j->v + f * j->v_plane.frequency;
    float *sum = gt__cpu_thread_scratch(j->device, thread);
    float *b = sum + j->v_plane.plane;
    float *c = b + 3 * (size_t)g->pass * PANEL_BLOCKS * 16;
    const float *a[3] = {sum, v, v + j->v_plane.plane};
    fft_sum_planes(sum, v, j->v_plane.plane);
    for (int32_t panel = j->panel0; panel < j->panel1; panel++) {
        int32_t width = fft_width(g->co, panel);
        size_t plane = rows * (size_t)width;
        /* a round may begin in the middle of a block */
        size_t lane = (size_t)(panel * PANEL - j->panel0 * PANEL / 16 * 16);
        size_t blocks = ((size_t)width + 15) / 16;
        const float *y = j->y + f * j->y_plane.frequency + lane / 16 * j->y_plane.block;
        weight_three(b, y, j->y_plane.plane, j->y_plane.block, blocks, n);
        for (size_t k = 0; k < 3; k++) {
            struct tiles_product p = {.a = a[k],
                                      .b = b + k * blocks * n + lane % 16,
                                      .c = c + k * plane,
                                      .a_block = j->v_plane.block,
                                      .b_block = n,
                                      .rows = rows,
                                      .width = (size_t)width,
                                      .tiles = j->t1 - j->t0,
                                      .first = true};
            tiles_product(&p);
        }
        struct weight_d s = weight_d(g);
        weight_store(j, j->d + (size_t)(panel - j->panel0) * s.panel + f * s.frequency, c, rows,
                     (size_t)width);
    }
    if (j->stream) {
        gt__stream_end();
    }
}

enum { WEIGHT_BACK_INPUTS = 16 }; /* of one chunk */

/* Some inputs of one panel of the round: back to taps. */
static void weight_back_chunk(void *cookie, size_t chunk, int32_t thread)
{
    const struct weight_job *j = cookie;
    const struct fft_grid *g = &j->grid;
    size_t parts = (size_t)gt__ceil_div(g->ci, WEIGHT_BACK_INPUTS);
    int32_t panel = (int32_t)(chunk / parts);
    int32_t c0 = (int32_t)(chunk % parts) * WEIGHT_BACK_INPUTS;
    int32_t c1 = conv_min(g->ci, c0 + WEIGHT_BACK_INPUTS);
    int32_t o0 = (j->panel0 + panel) * PANEL;
    int32_t width = fft_width(g->co, j->panel0 + panel);
    size_t plane = WEIGHT_GROUP * (size_t)width;
    struct weight_d sizes = weight_d(g);
    struct fft_room *room = (struct fft_room *)(void *)gt__cpu_thread_scratch(j->device, thread);
    vf *out = (vf *)(void *)(room + 1);
    float scale = 1.0f / (float)(g->length * g->length);
    int32_t taps = g->k * g->k;
    struct taps_back to = {.stride = (size_t)g->ci * (size_t)taps, .taps = taps};
    for (int32_t c = c0; c < c1; c++) {
        size_t in = (size_t)(c % WEIGHT_GROUP) * (size_t)width;
        const float *d =
            j->d + (size_t)panel * sizes.panel + (size_t)(c / WEIGHT_GROUP) * sizes.group + in;
        size_t last = in + (size_t)width == plane ? sizes.group - plane : 0;
        for (int32_t l = 0; l < width; l += VW, d += VW) {
            size_t next = VW + (l + VW == width ? last : 0);
            struct fft_spectrum s = {d, d + plane, sizes.frequency, c + 1 < c1 ? next : 0};
            fft_inverse(&j->fft, room, &s, g->k, g->k, out);
            for (int32_t t = 0; t < taps; t++) {
                out[t] *= scale;
            }
            to.kernels = conv_max(0, conv_min(VW, g->co - o0 - l));
            to.w = j->dw + ((size_t)(o0 + l) * (size_t)g->ci + (size_t)c) * (size_t)taps;
            to.room = (c1 - c) * taps;
            taps_write(&to, out);
        }
    }
}

static bool weight_cut(struct weight_job *j, struct conv_geometry *c, gt_shape x, gt_shape y,
                       const struct gt_attr *attr, unsigned variant)
{
    if (!conv_geometry(c, x, y, attr, 1 << variant / FFT_LENGTHS) || c->d != 1 || c->kh != c->kw) {
        return false;
    }
    *j = (struct weight_job){.grid = {.length = fft_lengths[variant % FFT_LENGTHS],
                                      .k = c->kh,
                                      .ci = c->cin,
                                      .co = c->cout,
                                      .hi = c->hi,
                                      .wi = c->wi,
                                      .ho = c->ho,
                                      .wo = c->wo}};
    struct fft_grid *g = &j->grid;
    if (!fft_grid(g, c->n)) {
        return false;
    }
    struct fft_grid of_dy = *g;
    of_dy.ci = PANEL;
    size_t of_panel = (weight_d(g).panel + fft_v_plane(&of_dy).total) * sizeof(float);
    g->round = conv_max(1, conv_min(g->panels, (int32_t)(WEIGHT_ROUND_BYTES / of_panel)));
    of_dy.ci = g->round * PANEL;
    j->v_plane = fft_v_plane(g);
    j->y_plane = fft_v_plane(&of_dy);
    return weight_room(g) * sizeof(float) <= GT_CPU_SCRATCH;
}

static bool weight_plan(const struct gt_device *d, const struct gt_graph *g,
                        const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    struct weight_job j;
    struct conv_geometry c;
    size_t sums = 0;
    if (!gt__cpu_has(d, CONV_ISA) ||
        !weight_cut(&j, &c, gt__value(g, node->in[0])->shape, gt__value(g, node->in[1])->shape,
                    &node->attr, variant) ||
        !gt__mul(&sums, weight_d(&j.grid).panel, (size_t)j.grid.round) ||
        !gt__mul(&out->scratch, j.v_plane.total + j.y_plane.total + sums, sizeof(float))) {
        return false;
    }
    gt_layout blocked = {GT_BLOCK, (int16_t)c.phase, GT_KIND_F32};
    out->in[0] = blocked;
    out->in[1] = blocked;
    out->out[0] = GT_LAYOUT_NCHW;
    out->flags = GT_PLAN_UNORDERED;
    out->growth = fft_growth(&j.grid);
    double weights = 8.0 * j.grid.count * c.cin * gt__ceil_div(c.cout, 16) * 16.0;
    double passes = gt__ceil_div(j.grid.tiles, j.grid.pass);
    out->cost =
        fft_cost(d, &j.grid, CONV_RATE, 0) + gt__cpu_cost(d, 0, CONV_RATE, 0.6 * weights * passes);
    return true;
}

/* Rounds outside, passes inside: D of a round is complete when it is turned back. The spectra of x
 * are made again for every round where there are several passes. */
static gt_status weight_run(struct gt_device *d, const struct gt_step *step)
{
    struct weight_job j;
    struct conv_geometry c;
    if (!weight_cut(&j, &c, step->in[0].shape, step->in[1].shape, &step->node->attr,
                    step->variant)) {
        return gt__fail(GT_EINVAL, "%s cannot run in phase %d", CONV_NAME,
                        step->in[1].layout.phase);
    }
    const struct fft_grid *g = &j.grid;
    struct gt_pool *pool = gt__cpu_pool(d);
    j.device = d;
    j.x = gt__f32(&step->in[0]);
    j.dy = gt__f32(&step->in[1]);
    j.dw = gt__f32(&step->out[0]);
    j.v = gt__f32(&step->scratch);
    j.y = j.v + j.v_plane.total;
    j.d = j.y + j.y_plane.total;
    j.stream = VW == 16 && g->pass >= g->tiles &&
               gt__stream_pays(j.d, (size_t)g->round * weight_d(g).panel * sizeof(float));
    fft_open(&j.fft, g->length);
    for (j.panel0 = 0; j.panel0 < g->panels; j.panel0 = j.panel1) {
        j.panel1 = conv_min(g->panels, j.panel0 + g->round);
        size_t panels = (size_t)(j.panel1 - j.panel0);
        for (j.t0 = 0; j.t0 < g->tiles; j.t0 = j.t1) {
            j.t1 = conv_min(g->tiles, j.t0 + g->pass);
            size_t tiles = (size_t)(j.t1 - j.t0);
            if (j.panel0 == 0 || g->pass < g->tiles) {
                gt__pool_for(pool, tiles, weight_x_chunk, &j);
            }
            gt__pool_for(pool, tiles, weight_dy_chunk, &j);
            gt__pool_for(pool, (size_t)g->count, weight_product_chunk, &j);
        }
        gt__pool_for(pool, panels * (size_t)gt__ceil_div(g->ci, WEIGHT_BACK_INPUTS),
                     weight_back_chunk, &j);
    }
    return GT_OK;
}

const struct gt_kernel CONV_KERNEL = {.name = CONV_NAME,
                                      .op = GT_OP_conv2d_bwd_weight,
                                      .n_variants = 4 * FFT_LENGTHS,
                                      .plan = weight_plan,
                                      .run = weight_run};
