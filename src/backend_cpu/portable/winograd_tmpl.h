/* Winograd's convolution on channel blocks of 16, template for vectors of VW floats. Included by
 * the forward and the data gradient templates, which define VW.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * y = A'[(G w G') .* (B' x B)]A for tiles of m x m outputs from ALPHA x ALPHA inputs, m = ALPHA + 1
 * - r for kernels r x r: the product over channels at each of the ALPHA^2 points is a matrix
 * product. Points 0, 1, -1, 2, -2 (, 1/2, -1/2), infinity: F(4x4,3x3) and F(5x5,2x2) at 6 points,
 * F(6x6,3x3), F(5x5,4x4), F(4x4,5x5) and F(3x3,6x6) at 8. The input transform depends on the points
 * only.
 *
 * x [n][ceil(ci/16)][hi][wi][16], lanes beyond ci and pixels beyond the true size zero
 * y [n][ceil(co/16)][ho][wo][16], lanes beyond co and pixels beyond the true size written as zeros
 * u (weights) [panel of PANEL outputs][point][ci][width of the panel]
 * V (transformed x) [point][block of 16 ci][tile][16], M (products) [point][tile][width]
 *
 * Fused: a chunk takes a block of tiles through all three stages in its thread's scratch memory;
 * weights are packed once. Split, for many channels and few tiles: V of the whole layer first, then
 * chunks of (panel, tiles). Their weights are either packed once, which is faster from the second
 * run on but takes several times the weights' memory, or each chunk transforms its part.
 * The order of sums is the same in both and for all sizes; what a pixel is computed from depends on
 * its place in the grid of tiles.
 * Sources: Lavin & Gray 2016, arXiv:1509.09308; Jia, Zlateski, Durand, Li 2018 (blocking). */
#ifndef GT_BACKEND_CPU_WINOGRAD_TMPL_H
#define GT_BACKEND_CPU_WINOGRAD_TMPL_H

#include <assert.h>

#include "backend_cpu/portable/winograd_plan.h"
#include "backend_cpu/portable/winograd_weights_tmpl.h"

/* Bytes of packed weights (0: a chunk transforms what it needs) and of scratch memory; false on
 * overflow. */
static inline bool wino_bytes(size_t *packed, size_t *scratch, const struct wino_grid *g)
{
    size_t points = (size_t)(g->alpha * g->alpha);
    size_t lanes = (size_t)gt__ceil_div(g->co, 16) * 16;
    struct wino_plane plane = wino_plane(g);
    *packed = 0;
    *scratch = 0;
    bool fine = true;
    if (g->split) {
        fine = gt__mul(scratch, plane.total, sizeof(float));
    }
    if (g->packed) {
        fine = fine && gt__mul(packed, lanes * points, (size_t)g->ci) &&
               gt__mul(packed, *packed, sizeof(float));
    }
    return fine;
}

/* Flops that transforming all weights takes the time of. */
static inline double wino_weights_work(const struct wino_grid *g)
{
    return 48.0 * g->alpha * g->alpha * g->ci * gt__ceil_div(g->co, 16) * 16.0;
}

/* Products at `rate`; what V and M take through the caches, and the weights that every block of
 * tiles reads or transforms again, as flops of equal time; packed weights once from main memory,
 * fetched ahead. Fitted to the 3x3 layers of U-Net on two cores of a Zen 4: within 12 %. */
static inline double wino_cost(const struct gt_device *d, const struct wino_grid *g, double rate,
                               size_t packed)
{
    double points = (double)g->alpha * g->alpha;
    double lanes = gt__ceil_div(g->co, 16) * 16.0;
    double products = 2.0 * points * g->tiles * g->ci * lanes;
    double moved = 4.0 * points * g->tiles * (gt__ceil_div(g->ci, 16) * 16.0 + lanes);
    double blocks = gt__ceil_div(g->tiles, g->block);
    double work = !g->split   ? 0.95 * products + 12 * moved + 12 * points * g->ci * lanes * blocks
                  : g->packed ? 1.17 * products + 21 * moved
                              : 1.28 * products + 15 * moved + wino_weights_work(g) * blocks;
    return gt__cpu_cost(d, work, rate, (double)packed / 2);
}

/* Seconds of packing: of the forward convolution where weights change, of gradients always. */
static inline double wino_fill(const struct gt_device *d, const struct wino_grid *g, double rate,
                               size_t packed)
{
    return g->packed ? gt__cpu_cost(d, wino_weights_work(g), rate, (double)packed) : 0.0;
}

/* ---- the correlation ---- */

struct wino_job {
    struct wino_grid grid;
    const float *x, *bias; /* bias [co] or NULL */
    float *y;
    float *v; /* split: all of V */
    struct wino_pack weights;
    const struct gt_cpu_device *cpu;
    int32_t h_true, w_true, phase; /* of y, all fragments together */
    bool relu;
    struct wino_plane plane; /* V as it is laid out */
};

/* Tile t of all images: where its outputs begin. */
struct wino_place {
    int32_t image, row, col;
};
static inline struct wino_place wino_place(const struct wino_grid *g, int32_t t)
{
    int32_t per_image = g->rows * g->cols;
    int32_t rest = t % per_image;
    return (struct wino_place){t / per_image, rest / g->cols * g->m, rest % g->cols * g->m};
}

/* B'dB of one block of one tile, from pixels `row` and `col` floats apart. */
WINO_INLINE void wino_tile_in(const int ALPHA, const float *x, size_t row, float *v,
                              size_t point_stride)
{
    vf half[MAX_POINTS];
    vf in[MAX_ALPHA];
    vf out[MAX_ALPHA];
    for (int l = 0; l < 16; l += VW) {
        for (int j = 0; j < ALPHA; j++) {
            PANEL_UNROLL for (int i = 0; i < ALPHA; i++)
            {
                in[i] = *(const vf *)(x + (size_t)i * row + (size_t)(j * 16 + l));
            }
            wino_in(ALPHA, out, in);
            PANEL_UNROLL for (int i = 0; i < ALPHA; i++)
            {
                half[i * ALPHA + j] = out[i];
            }
        }
        for (int i = 0; i < ALPHA; i++) {
            wino_in(ALPHA, out, half + i * ALPHA);
            PANEL_UNROLL for (int j = 0; j < ALPHA; j++)
            {
                *(vf *)(v + (size_t)(i * ALPHA + j) * point_stride + l) = out[j];
            }
        }
    }
}
static void wino_tile_in_6(const float *x, size_t row, float *v, size_t point_stride)
{
    wino_tile_in(6, x, row, v, point_stride);
}
static void wino_tile_in_8(const float *x, size_t row, float *v, size_t point_stride)
{
    wino_tile_in(8, x, row, v, point_stride);
}

/* The inputs of a tile that reaches beyond the image, zeros there. */
static void wino_gather(float *dst, const struct wino_grid *g, const float *plane, int32_t r0,
                        int32_t c0)
{
    size_t row = (size_t)g->alpha * 16;
    int32_t from = conv_max(0, -c0);
    int32_t to = conv_max(from, conv_min(g->alpha, g->wi - c0));
    memset(dst, 0, (size_t)g->alpha * row * sizeof(float));
    for (int32_t i = conv_max(0, -r0); i < g->alpha && r0 + i < g->hi; i++) {
        const float *src = plane + ((ptrdiff_t)(r0 + i) * g->wi + (c0 + from)) * 16;
        memcpy(dst + (size_t)i * row + (size_t)from * 16, src,
               (size_t)(to - from) * 16 * sizeof(float));
    }
}

/* Stage 1: tiles t0 to t1 - 1, all blocks; v belongs to tile t0. */
static void wino_input(const struct wino_job *j, int32_t t0, int32_t t1, float *v)
{
    const struct wino_grid *g = &j->grid;
    float edge[MAX_POINTS * 16];
    size_t plane = (size_t)g->hi * (size_t)g->wi * 16;
    int32_t blocks = gt__ceil_div(g->ci, 16);
    for (int32_t b = 0; b < blocks; b++) {
        float *to = v + (size_t)b * j->plane.block;
        for (int32_t t = t0; t < t1; t++, to += 16) {
            struct wino_place at = wino_place(g, t);
            const float *x = j->x + ((size_t)at.image * (size_t)blocks + (size_t)b) * plane;
            int32_t r0 = at.row - g->pad;
            int32_t c0 = at.col - g->pad;
            size_t row = (size_t)g->wi * 16;
            bool inside = r0 >= 0 && c0 >= 0 && r0 + g->alpha <= g->hi && c0 + g->alpha <= g->wi;
            if (inside) {
                x += ((size_t)r0 * (size_t)g->wi + (size_t)c0) * 16;
            } else {
                wino_gather(edge, g, x, r0, c0);
                x = edge;
                row = (size_t)g->alpha * 16;
            }
            (g->alpha == 6 ? wino_tile_in_6 : wino_tile_in_8)(x, row, to, j->plane.point);
        }
    }
}

/* What the last stage adds and where it writes: VW lanes of one panel. */
struct wino_store {
    vf bias;
    vi keep; /* -1 for true outputs */
    bool relu, stream;
    float *y; /* of image 0 */
    size_t image;
    int32_t lane;
};

/* A'MA of one tile and VW lanes, epilogue, into m x m pixels. */
WINO_INLINE void wino_tile_out(const int ALPHA, const int m, const float *products,
                               size_t point_stride, const struct wino_store *s, vf *out)
{
    vf half[MAX_ALPHA * 6];
    vf in[MAX_ALPHA];
    vf row[6];
    for (int j = 0; j < ALPHA; j++) {
        PANEL_UNROLL for (int i = 0; i < ALPHA; i++)
        {
            in[i] = *(const vf *)(products + (size_t)(i * ALPHA + j) * point_stride);
        }
        wino_out(ALPHA, m, row, in);
        PANEL_UNROLL for (int i = 0; i < m; i++)
        {
            half[i * ALPHA + j] = row[i];
        }
    }
    for (int i = 0; i < m; i++) {
        wino_out(ALPHA, m, row, half + i * ALPHA);
        PANEL_UNROLL for (int j = 0; j < m; j++)
        {
            vf v = row[j] + s->bias;
            vi keep = s->keep;
            if (s->relu) {
                keep &= ~(vi)(v < (vf){0});
            }
            out[i * m + j] = (vf)((vi)v & keep);
        }
    }
}
#define WINO_OUT(ALPHA, M)                                                                         \
    static void wino_tile_out_##ALPHA##_##M(const float *products, size_t point_stride,            \
                                            const struct wino_store *s, vf *out)                   \
    {                                                                                              \
        wino_tile_out(ALPHA, M, products, point_stride, s, out);                                   \
    }
WINO_OUT(6, 5)
WINO_OUT(6, 4)
WINO_OUT(8, 6)
WINO_OUT(8, 5)
WINO_OUT(8, 4)
WINO_OUT(8, 3)
typedef void (*wino_out_fn)(const float *, size_t, const struct wino_store *, vf *);
static inline wino_out_fn wino_out_function(int32_t alpha, int32_t m)
{
    if (alpha == 6) {
        return m == 5 ? wino_tile_out_6_5 : wino_tile_out_6_4;
    }
    return m == 6   ? wino_tile_out_8_6
           : m == 5 ? wino_tile_out_8_5
           : m == 4 ? wino_tile_out_8_4
                    : wino_tile_out_8_3;
}

static void wino_put(const struct wino_job *j, const struct wino_store *s, struct wino_place at,
                     const vf *out)
{
    const struct wino_grid *g = &j->grid;
    int32_t th = 0;
    int32_t tw = 0;
    conv_true_size(&th, &tw, j->h_true, j->w_true, j->phase, at.image);
    float *y = s->y + (size_t)at.image * s->image + (size_t)s->lane % 16;
    int32_t r1 = conv_min(g->m, g->ho - at.row);
    int32_t c1 = conv_min(g->m, g->wo - at.col);
    for (int32_t r = 0; r < r1; r++) {
        float *to = y + ((size_t)(at.row + r) * (size_t)g->wo + (size_t)at.col) * 16;
        for (int32_t c = 0; c < c1; c++) {
            bool real = at.row + r < th && at.col + c < tw;
            panel_store(to + (size_t)c * 16, real ? out[r * g->m + c] : (vf){0}, s->stream);
        }
    }
}

/* Stage 2: tiles t0 to t1 - 1 of one panel; v belongs to tile t0, m is room for products. Unless
 * packed, the weights are transformed here, some inputs at a time, into what lies behind m. */
static void wino_products(const struct wino_job *j, int32_t panel, int32_t tiles, const float *v,
                          float *m, size_t point_stride)
{
    const struct wino_grid *g = &j->grid;
    int32_t points = g->alpha * g->alpha;
    int32_t width = wino_width(g->co, panel);
    int32_t step = g->packed ? g->ci : wino_panel_inputs(g, PANEL);
    float *own = m + (size_t)points * point_stride;
    bool far = g->packed && (size_t)points * (size_t)g->ci * (size_t)g->co > WINO_NEAR;
    for (int32_t c0 = 0; c0 < g->ci; c0 += step) {
        int32_t inputs = conv_min(step, g->ci - c0);
        size_t u_stride = (size_t)inputs * (size_t)width;
        const float *u = j->weights.u + (size_t)panel * PANEL * (size_t)g->ci * (size_t)points;
        if (!g->packed) {
            wino_pack_inputs(&j->weights, panel, c0, c0 + inputs, own, u_stride);
            u = own;
        }
        for (int32_t p = 0; p < points; p++) {
            const float *a = v + (size_t)p * j->plane.point + (size_t)(c0 / 16) * j->plane.block;
            struct panel_call call = {.a = a,
                                      .b = u + (size_t)p * u_stride,
                                      .c = m + (size_t)p * point_stride,
                                      .a_block = j->plane.block,
                                      .first = c0 == 0};
            if (g->split && p + 1 < points) { /* V does not fit L2 */
                call.a_ahead = (ptrdiff_t)j->plane.point;
            }
            if (far && p + 1 < points) {
                call.next = call.b + u_stride;
                call.next_end = call.next + u_stride;
            }
            if (!g->packed) {
                wino_fetch_weights(&j->weights, panel, c0 + inputs,
                                   conv_min(g->ci, c0 + 2 * inputs), p, points);
            }
            panel_product(call, tiles, inputs, width / VW);
        }
    }
}

/* Stages 2 and 3. */
static void wino_panel(const struct wino_job *j, int32_t panel, int32_t t0, int32_t t1,
                       const float *v, float *m)
{
    const struct wino_grid *g = &j->grid;
    int32_t width = wino_width(g->co, panel);
    int32_t tiles = t1 - t0;
    size_t point_stride = (size_t)tiles * (size_t)width;
    point_stride += point_stride % 1024 == 0 ? 16 : 0; /* not whole pages apart */
    wino_products(j, panel, tiles, v, m, point_stride);
    wino_out_fn out_tile = wino_out_function(g->alpha, g->m);
    size_t y_block = (size_t)g->ho * (size_t)g->wo * 16;
    size_t y_image = (size_t)gt__ceil_div(g->co, 16) * y_block;
    size_t y_size = (size_t)(g->tiles / (g->rows * g->cols)) * y_image * sizeof(float);
    bool stream = gt__stream_pays(j->y, y_size);
    for (int32_t l = 0; l < width; l += VW) {
        struct wino_store s = {.relu = j->relu, .stream = stream, .lane = panel * PANEL + l};
        s.y = j->y + (size_t)(s.lane / 16) * y_block;
        s.image = y_image;
        for (int32_t i = 0; i < VW; i++) {
            bool real = s.lane + i < g->co;
            s.keep[i] = real ? -1 : 0;
            s.bias[i] = real && j->bias ? j->bias[s.lane + i] : -0.0f;
        }
        for (int32_t t = 0; t < tiles; t++) {
            vf out[6 * 6];
            out_tile(m + (size_t)t * (size_t)width + (size_t)l, point_stride, &s, out);
            wino_put(j, &s, wino_place(g, t0 + t), out);
        }
    }
    gt__stream_end();
}

static void wino_fused_chunk(void *cookie, size_t chunk, int32_t thread)
{
    const struct wino_job *j = cookie;
    const struct wino_grid *g = &j->grid;
    int32_t t0 = (int32_t)chunk * g->block;
    int32_t t1 = conv_min(g->tiles, t0 + g->block);
    float *v = gt__cpu_thread_scratch(&j->cpu->base, thread);
    float *m = v + j->plane.total;
    wino_input(j, t0, t1, v);
    int32_t panels = wino_panels(g->co);
    for (int32_t p = 0; p < panels; p++) {
        wino_panel(j, p, t0, t1, v, m);
    }
}

enum { WINO_INPUT_TILES = 8 }; /* of a chunk of the first stage */

static void wino_input_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct wino_job *j = cookie;
    int32_t t0 = (int32_t)chunk * WINO_INPUT_TILES;
    wino_input(j, t0, conv_min(j->grid.tiles, t0 + WINO_INPUT_TILES), j->v + (size_t)t0 * 16);
}

static void wino_panel_chunk(void *cookie, size_t chunk, int32_t thread)
{
    const struct wino_job *j = cookie;
    const struct wino_grid *g = &j->grid;
    int32_t blocks = gt__ceil_div(g->tiles, g->block);
    int32_t t0 = (int32_t)(chunk % (size_t)blocks) * g->block;
    int32_t t1 = conv_min(g->tiles, t0 + g->block);
    wino_panel(j, (int32_t)(chunk / (size_t)blocks), t0, t1, j->v + (size_t)t0 * 16,
               gt__cpu_thread_scratch(&j->cpu->base, thread));
}

static inline void wino_run(struct wino_job *j)
{
    const struct wino_grid *g = &j->grid;
    size_t blocks = (size_t)gt__ceil_div(g->tiles, g->block);
    j->plane = wino_plane(g);
    /* V, unless split, and M of a block, whose points may each be one line further apart */
    size_t m = (size_t)(g->alpha * g->alpha) * ((size_t)g->block * PANEL + 16);
    size_t u = (size_t)(g->alpha * g->alpha * wino_panel_inputs(g, PANEL)) * PANEL;
    assert(((g->packed ? 0 : u) + (g->split ? 0 : j->plane.total) + m) * sizeof(float) <=
           GT_CPU_SCRATCH);
    (void)m;
    (void)u;
    if (!g->split) {
        gt__pool_for(j->cpu->pool, blocks, wino_fused_chunk, j);
        return;
    }
    gt__pool_for(j->cpu->pool, (size_t)gt__ceil_div(g->tiles, WINO_INPUT_TILES), wino_input_chunk,
                 j);
    gt__pool_for(j->cpu->pool, blocks * (size_t)wino_panels(g->co), wino_panel_chunk, j);
}

#endif
