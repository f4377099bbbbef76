/* Direct convolution on channel blocks of 16, template for vectors of VW floats: register tiles of
 * T pixels x NV vectors of outputs. Included by the forward and the data gradient templates, which
 * define VW. SPDX-License-Identifier: BSD-2-Clause
 *
 * y[n][o][i][j] = epilogue(sum over (block of c, a, b, lane of c) of x[n][c][i + a*d][j + b*d] *
 * w[o][c][a][b]) in exactly this order, one fused multiply-add (or product and sum, without FMA)
 * per term for every T, so that a result does not depend on position, size, tile or threads. x
 * [n][ceil(cin/16)][hi][wi][16], or [n][cin][hi][wi] (then a "block" is one channel); lanes beyond
 * cin unread y  [n][ceil(cout/16)][ho][wo][16], lanes beyond cout written as zeros packed weights
 * [group of GW outputs][block of c][a][b][lane][GW], true lanes only, zeros beyond cout
 *
 * A chunk is a rectangle of pixels times a slice of groups. Weights are taken in pieces (ranges of
 * (block, a)) that stay in L1; between pieces the sums rest in y. */
#ifndef GT_BACKEND_CPU_CONV2D_BLOCKED_TMPL_H
#define GT_BACKEND_CPU_CONV2D_BLOCKED_TMPL_H

#include "backend_cpu/portable/conv2d_geometry.h"
#include "backend_cpu/portable/stream.h"

/* Tiles: accumulators NV*T plus NV weights plus one broadcast must fit 32 (AVX-512) or 16
 * registers. */
#if VW == 16
#define NV_MAX 2
#define T_MAX 14
#elif VW == 8
#define NV_MAX 2
#define T_MAX 6
#else
#define NV_MAX 2
#define T_MAX 5
#endif
#define GW (VW * NV_MAX)
#define PIECE_BYTES (20 * 1024)
#define TARGET_CHUNKS 64

typedef float vf __attribute__((vector_size(4 * VW), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * VW), aligned(4), may_alias));

#if defined(__clang__)
#define CONV_UNROLL _Pragma("unroll")
#else
#define CONV_UNROLL _Pragma("GCC unroll 32")
#endif

/* One group of outputs, one piece of the weights. */
struct conv_call {
    const float *w;               /* at unit u0 */
    size_t x_block, x_row, x_tap; /* steps of x: block, kernel row, kernel column */
    size_t y_block;
    int32_t cb, a, units;      /* first (block, kernel row) and how many */
    int32_t a0, a1;            /* kernel rows that meet more than padding */
    int32_t kh, kw, blocks;    /* of the convolution */
    int32_t lanes, last_lanes; /* of a block, of the last block */
    bool first, last;          /* of the sum; the epilogue follows the last */
    bool stream;
    float bias[GW];
    int32_t mask[GW]; /* -1 for true outputs */
    int32_t relu[VW]; /* -1 where negative sums become zero */
};

static inline __attribute__((always_inline)) void conv_stream(float *to, vf v)
{
    float lanes[VW];
    memcpy(lanes, &v, sizeof v);
#if VW == 16
    gt__stream_16(to, lanes);
#elif VW == 8
    gt__stream_8(to, lanes);
#else
    gt__stream_4(to, lanes);
#endif
}

static inline __attribute__((always_inline)) void conv_tile(const int T, const int NV, const int PX,
                                                            const struct conv_call *c,
                                                            const float *x, float *y)
{
    vf acc[T_MAX * NV_MAX];
    CONV_UNROLL for (int i = 0; i < T * NV; i++)
    {
        acc[i] = (vf){0};
    }
    if (!c->first) {
        CONV_UNROLL for (int i = 0; i < T * NV; i++)
        {
            int v = i % NV * VW;
            acc[i] = *(const vf *)(y + i / NV * 16 + (size_t)(v / 16) * c->y_block + v % 16);
        }
    }
    const float *w = c->w;
    int32_t cb = c->cb;
    int32_t a = c->a;
    for (int32_t u = 0; u < c->units; u++) {
        const float *row = x + (size_t)cb * c->x_block + (size_t)a * c->x_row;
        int32_t lanes = PX == 1 ? 1 : cb == c->blocks - 1 ? c->last_lanes : c->lanes;
        bool inside = a >= c->a0 && a < c->a1;
        w += inside ? 0 : c->kw * lanes * NV * VW;
        for (int32_t b = 0; inside && b < c->kw; b++) {
            for (int32_t l = 0; l < lanes; l++) {
                vf wv[NV_MAX];
                CONV_UNROLL for (int v = 0; v < NV; v++)
                {
                    wv[v] = *(const vf *)(w + v * VW);
                }
                w += NV * VW;
                CONV_UNROLL for (int i = 0; i < T * NV; i++)
                {
                    acc[i] += row[i / NV * PX + l] * wv[i % NV];
                }
            }
            row += c->x_tap;
        }
        if (++a == c->kh) {
            a = 0;
            cb++;
        }
    }
    if (c->last) {
        vi negative = *(const vi *)c->relu;
        CONV_UNROLL for (int i = 0; i < T * NV; i++)
        {
            vf sum = acc[i] + *(const vf *)(c->bias + i % NV * VW);
            vi keep = *(const vi *)(c->mask + i % NV * VW) & ~((vi)(sum < (vf){0}) & negative);
            acc[i] = (vf)((vi)sum & keep);
        }
    }
    if (c->stream) {
        CONV_UNROLL for (int i = 0; i < T * NV; i++)
        {
            int v = i % NV * VW;
            conv_stream(y + i / NV * 16 + (size_t)(v / 16) * c->y_block + v % 16, acc[i]);
        }
        return;
    }
    CONV_UNROLL for (int i = 0; i < T * NV; i++)
    {
        int v = i % NV * VW;
        *(vf *)(y + i / NV * 16 + (size_t)(v / 16) * c->y_block + v % 16) = acc[i];
    }
}

typedef void (*conv_tile_fn)(const struct conv_call *, const float *, float *);
#define CONV_TILE(T, NV, PX)                                                                       \
    static void conv_tile_##T##_##NV##_##PX(const struct conv_call *c, const float *x, float *y)   \
    {                                                                                              \
        conv_tile(T, NV, PX, c, x, y);                                                             \
    }
#define CONV_TILES_5(X, NV, PX) X(1, NV, PX) X(2, NV, PX) X(3, NV, PX) X(4, NV, PX) X(5, NV, PX)
#define CONV_TILES_9(X, NV, PX) X(6, NV, PX) X(7, NV, PX) X(8, NV, PX) X(9, NV, PX)
#define CONV_TILES_14(X, NV, PX)                                                                   \
    X(10, NV, PX) X(11, NV, PX) X(12, NV, PX) X(13, NV, PX) X(14, NV, PX)
#if VW == 16
#define CONV_TILES(X, NV, PX)                                                                      \
    CONV_TILES_5(X, NV, PX) CONV_TILES_9(X, NV, PX) CONV_TILES_14(X, NV, PX)
#elif VW == 8
#define CONV_TILES(X, NV, PX) CONV_TILES_5(X, NV, PX) X(6, NV, PX)
#else
#define CONV_TILES(X, NV, PX) CONV_TILES_5(X, NV, PX)
#endif
#define CONV_ENTRY(T, NV, PX) conv_tile_##T##_##NV##_##PX,
CONV_TILES(CONV_TILE, 2, 16)
static const conv_tile_fn conv_tiles_wide[T_MAX] = {CONV_TILES(CONV_ENTRY, 2, 16)};
#if VW == 16
CONV_TILES(CONV_TILE, 1, 16)
static const conv_tile_fn conv_tiles_half[T_MAX] = {CONV_TILES(CONV_ENTRY, 1, 16)};
#endif
#ifdef CONV_PLANAR_INPUT
CONV_TILES(CONV_TILE, 2, 1)
static const conv_tile_fn conv_tiles_wide_planar[T_MAX] = {CONV_TILES(CONV_ENTRY, 2, 1)};
#if VW == 16
CONV_TILES(CONV_TILE, 1, 1)
static const conv_tile_fn conv_tiles_half_planar[T_MAX] = {CONV_TILES(CONV_ENTRY, 1, 1)};
#endif
#endif

/* A whole correlation, the same for both uses: `ci` channels in, `co` out. */
struct conv_job {
    const float *x, *w, *bias; /* w packed; bias [co] or NULL */
    float *y;
    int32_t n, ci, co, kh, kw, d;
    int32_t hi, wi, ho, wo; /* stored */
    int32_t h_true, w_true; /* of y, all fragments together */
    int32_t phase;
    int32_t padding; /* rows of zeros above and below x, counted in hi */
    int32_t px;      /* 16, or 1 for planar x */
    bool relu;
    bool stream; /* y, where the sums are made in one piece */
    struct conv_grid grid;
    int32_t groups, slice, slices; /* groups of GW outputs; per chunk; chunks per rectangle */
};

/* Groups cover all lanes of y's blocks; the last may be one block only. */
static inline int32_t conv_groups(int32_t co)
{
    return gt__ceil_div(gt__ceil_div(co, 16) * 16, GW);
}
static inline int32_t conv_group_width(int32_t co, int32_t g)
{
    return conv_min(GW, gt__ceil_div(co, 16) * 16 - g * GW);
}

/* Share of the full rate reached with rows x cols outputs: short tiles wait for their own sums. */
static inline double conv_fill(int32_t kh, int32_t kw, int32_t rows, int32_t cols)
{
    double length = kh == 1 && kw == 1 ? (double)rows * cols : (double)cols;
    double tiles = length > T_MAX ? length / T_MAX + 0.5 : 1;
    double tile = length / tiles;
    return tile * NV_MAX < 8 ? tile * NV_MAX / 8 : 1;
}

/* Outputs computed for co wanted ones; a group of one block runs a little below half the time. */
static inline double conv_lanes(int32_t co)
{
    double lanes = conv_groups(co) * (double)GW;
    return GW > 16 && gt__ceil_div(co, 16) % 2 != 0 ? lanes - 12 : lanes;
}

/* Floats of packed weights; false on overflow. */
static inline bool conv_packed_size(size_t *out, int32_t ci, int32_t co, int32_t kh, int32_t kw)
{
    return gt__mul(out, (size_t)conv_groups(co) * GW, (size_t)ci) &&
           gt__mul(out, *out, (size_t)kh * (size_t)kw);
}

/* Weights [Cout][Cin][kh][kw] to the packed form; transposed: outputs are the Cin, taps run
 * backwards. */
struct conv_pack {
    const float *w;
    float *packed;
    int32_t ci, co, kh, kw, lanes; /* of the correlation that will use them */
    bool transposed;
};
static void conv_pack_lane(const struct conv_pack *p, int32_t g, int32_t c, int32_t lane,
                           int32_t lanes, float *block)
{
    size_t taps = (size_t)p->kh * (size_t)p->kw;
    int32_t width = conv_group_width(p->co, g);
    for (int32_t j = 0; j < width; j++) {
        int32_t o = g * GW + j;
        float *dst = block + (size_t)lane * (size_t)width + (size_t)j;
        size_t step = (size_t)lanes * (size_t)width;
        if (o >= p->co) {
            for (size_t t = 0; t < taps; t++) {
                dst[t * step] = 0;
            }
        } else if (p->transposed) {
            const float *src = p->w + ((size_t)c * (size_t)p->co + (size_t)o) * taps + taps - 1;
            for (size_t t = 0; t < taps; t++) {
                dst[t * step] = *(src - t);
            }
        } else {
            const float *src = p->w + ((size_t)o * (size_t)p->ci + (size_t)c) * taps;
            for (size_t t = 0; t < taps; t++) {
                dst[t * step] = src[t];
            }
        }
    }
}
static void conv_pack_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct conv_pack *p = cookie;
    int32_t blocks = gt__ceil_div(p->ci, p->lanes);
    int32_t g = (int32_t)(chunk / (size_t)blocks);
    int32_t cb = (int32_t)(chunk % (size_t)blocks);
    size_t taps = (size_t)p->kh * (size_t)p->kw;
    int32_t lanes = conv_min(p->lanes, p->ci - cb * p->lanes);
    float *block = p->packed + (size_t)g * GW * (size_t)p->ci * taps +
                   (size_t)cb * (size_t)p->lanes * taps * (size_t)conv_group_width(p->co, g);
    for (int32_t l = 0; l < lanes; l++) {
        conv_pack_lane(p, g, cb * p->lanes + l, l, lanes, block);
    }
}
static void conv_pack(struct gt_pool *pool, struct conv_pack *p)
{
    size_t blocks = (size_t)gt__ceil_div(p->ci, p->lanes);
    gt__pool_for(pool, (size_t)conv_groups(p->co) * blocks, conv_pack_chunk, p);
}

/* 1x1: rows mean nothing, so the plane becomes one row where no tail is to be kept zero. */
static inline void conv_job_cut(struct conv_job *j)
{
    bool whole = j->h_true % j->phase == 0 && j->w_true % j->phase == 0;
    bool one = j->kh == 1 && j->kw == 1;
    if (one && whole && (int64_t)j->ho * j->wo <= INT32_MAX / 16) {
        j->wi = j->wo = j->ho * j->wo;
        j->hi = j->ho = 1;
        j->h_true = j->phase;
        j->w_true = j->wo * j->phase;
    }
    j->groups = conv_groups(j->co);
    /* sums of a chunk stay in L2; for 1x1, x too, as it is read once per group */
    int32_t pixels = conv_max(128, 32 * 1024 / GW);
    if (one) {
        pixels = conv_max(T_MAX * 8, conv_min(pixels, 96 * 1024 / conv_max(1, j->ci)));
    }
    double work = (double)j->n * j->ho * j->wo;
    double units = one ? 1 : j->groups;
    while (pixels > 128 && work / pixels * units < TARGET_CHUNKS) {
        pixels /= 2;
    }
    j->grid = conv_grid(j->ho, j->wo, pixels);
    double rects = (double)j->n * conv_grid_count(&j->grid);
    j->slice = one ? conv_max(1, (int32_t)conv_min(j->groups,
                                                   (int32_t)(rects * j->groups / TARGET_CHUNKS)))
                   : 1;
    j->slices = gt__ceil_div(j->groups, j->slice);
}

static void conv_tile_row(const conv_tile_fn *tiles, const struct conv_call *c, const float *x,
                          float *y, int32_t length, size_t px)
{
    int32_t n = gt__ceil_div(length, T_MAX);
    int32_t size = length / n;
    int32_t longer = length % n;
    for (int32_t i = 0; i < n; i++) {
        int32_t t = size + (i < longer);
        tiles[t - 1](c, x, y);
        x += (size_t)t * px;
        y += (size_t)t * 16;
    }
}

/* Outputs g*GW .. of one rectangle of one image. */
static void conv_group(const struct conv_job *j, int32_t g, const float *x, float *y,
                       struct conv_rect r)
{
    struct conv_call c = {.x_block = (size_t)j->hi * (size_t)j->wi * (size_t)j->px,
                          .x_row = (size_t)j->d * (size_t)j->wi * (size_t)j->px,
                          .x_tap = (size_t)j->d * (size_t)j->px,
                          .y_block = (size_t)j->ho * (size_t)j->wo * 16,
                          .kh = j->kh,
                          .kw = j->kw,
                          .lanes = j->px,
                          .blocks = gt__ceil_div(j->ci, j->px)};
    c.last_lanes = j->ci - (c.blocks - 1) * j->px;
    int32_t width = conv_group_width(j->co, g);
    for (int32_t i = 0; i < width; i++) {
        bool real = g * GW + i < j->co;
        c.mask[i] = real ? -1 : 0;
        c.bias[i] = real && j->bias ? j->bias[g * GW + i] : -0.0f;
    }
    memset(c.relu, j->relu ? 0xff : 0, sizeof c.relu);
    const conv_tile_fn *tiles = conv_tiles_wide;
#if VW == 16
    tiles = width == GW ? conv_tiles_wide : conv_tiles_half;
#endif
#ifdef CONV_PLANAR_INPUT
    if (j->px == 1) {
        tiles = conv_tiles_wide_planar;
#if VW == 16
        tiles = width == GW ? conv_tiles_wide_planar : conv_tiles_half_planar;
#endif
    }
#endif
    const float *w = j->w + (size_t)g * GW * (size_t)j->ci * (size_t)j->kh * (size_t)j->kw;
    int32_t unit = conv_min(j->px, j->ci) * j->kw * width; /* weights of a full unit */
    int32_t piece = conv_max(1, (int32_t)(PIECE_BYTES / sizeof(float)) / unit);
    int32_t units = c.blocks * j->kh;
    for (int32_t u = 0; u < units; u += piece) {
        c.cb = u / j->kh;
        c.a = u % j->kh;
        c.units = conv_min(piece, units - u);
        c.first = u == 0;
        c.last = u + c.units == units;
        c.stream = j->stream && c.first && c.last;
        int32_t lanes = c.cb == c.blocks - 1 ? c.last_lanes : c.lanes;
        c.w = w + ((size_t)c.cb * (size_t)c.lanes * (size_t)j->kh + (size_t)c.a * (size_t)lanes) *
                      (size_t)j->kw * (size_t)width;
        for (int32_t i = r.r0; i < r.r1; i++) {
            size_t at_x = ((size_t)i * (size_t)j->wi + (size_t)r.c0) * (size_t)j->px;
            size_t at_y = ((size_t)i * (size_t)j->wo + (size_t)r.c0) * 16;
            /* products with rows of padding would add zeros */
            c.a0 = conv_max(0, gt__ceil_div(j->padding - i, j->d));
            c.a1 = conv_min(j->kh, gt__ceil_div(j->hi - j->padding - i, j->d));
            conv_tile_row(tiles, &c, x + at_x, y + at_y, r.c1 - r.c0, (size_t)j->px);
        }
    }
}

static void conv_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct conv_job *j = cookie;
    int32_t s = (int32_t)(chunk % (size_t)j->slices);
    size_t rest = chunk / (size_t)j->slices;
    size_t rects = (size_t)conv_grid_count(&j->grid);
    struct conv_rect stored = conv_rect(&j->grid, (int32_t)(rest % rects));
    size_t image = rest / rects;
    int32_t th = 0;
    int32_t tw = 0;
    conv_true_size(&th, &tw, j->h_true, j->w_true, j->phase, (int32_t)image);
    struct conv_rect r = stored;
    r.r1 = conv_min(r.r1, th);
    r.c1 = conv_min(r.c1, tw);
    size_t x_size =
        (size_t)gt__ceil_div(j->ci, j->px) * (size_t)j->px * (size_t)j->hi * (size_t)j->wi;
    size_t y_block = (size_t)j->ho * (size_t)j->wo * 16;
    size_t y_blocks = (size_t)gt__ceil_div(j->co, 16);
    const float *x = j->x + image * x_size;
    float *y = j->y + image * y_blocks * y_block;
    int32_t g1 = conv_min(j->groups, (s + 1) * j->slice);
    for (int32_t g = s * j->slice; g < g1; g++) {
        size_t lane = (size_t)g * GW;
        float *at = y + lane / 16 * y_block;
        if (r.c0 < r.c1 && r.r0 < r.r1) {
            conv_group(j, g, x, at + lane % 16, r);
        }
        for (size_t b = gt__ceil_div_z(lane, 16); b < y_blocks && b * 16 < lane + GW; b++) {
            conv_zero_tail(y + b * y_block, j->wo, 16, stored, th, tw);
        }
    }
    if (j->stream) {
        gt__stream_end();
    }
}

static void conv_job_run(struct gt_pool *pool, struct conv_job *j)
{
    size_t rects = (size_t)conv_grid_count(&j->grid);
    size_t pixels = (size_t)j->n * (size_t)j->ho * (size_t)j->wo;
    j->stream = gt__stream_pays(j->y, pixels * (size_t)gt__ceil_div(j->co, 16) * 64);
    gt__pool_for(pool, (size_t)j->n * rects * (size_t)j->slices, conv_chunk, j);
}

#endif
