/* Weight gradient of the convolution after Winograd, template: see winograd_tmpl.h. The including
 * file defines VW, CONV_KERNEL and CONV_NAME, CONV_ISA (mask the CPU must have) and CONV_RATE
 * (flops per second and thread). Variants: 6 and 8 points for each phase 1, 2, 4, 8.
 *
 * dw = G' (sum over tiles of (A dy A') .* (B' x B)) G: at each point the sum over tiles is a matrix
 * product of V [block of 16 ci][tile][16] and Y [block of 16 co][tile][16]; dU has the form of the
 * packed weights, [panel][point][ci][width]. Tiles are taken in groups whose V and Y stay in the
 * caches, one group after the other: the order of sums does not depend on threads.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/tiles_product_tmpl.h"
#include "backend_cpu/portable/winograd_tmpl.h"

enum {
    WEIGHT_VARIANTS = 8,
    WEIGHT_GROUP_BYTES = 8 << 20,  /* V and Y of a group */
    WEIGHT_WHOLE_BYTES = 80 << 20, /* V and Y of all tiles */
    WEIGHT_CHUNK_TILES = 8,        /* of a chunk of the transforms */
    WEIGHT_POINT_PANELS = 4,       /* of a chunk of the products */
    WEIGHT_INPUTS = 64,            /* of a chunk where all tiles are taken at once */
    WEIGHT_CHUNKS = 32             /* of those, if there are enough inputs */
};

struct weight_job {
    struct wino_grid grid; /* of the forward convolution; block: tiles of a group */
    const float *x, *dy;
    float *dw;
    float *v, *y, *du;
    struct wino_plane planes[2]; /* V, Y */
    int32_t t0, t1;              /* the present group */
    const struct gt_device *device;
    bool whole; /* one group */
    int32_t inputs;
};

/* ---- dy ---- */

/* o = A d: values at the points, and the last coefficient at infinity. */
WINO_INLINE void weight_out(const int ALPHA, const int m, vf *o, const vf *d)
{
    const float point[3] = {1.0f, 2.0f, 0.5f};
    o[0] = d[0];
    PANEL_UNROLL for (int k = 0; k < (ALPHA - 2) / 2; k++)
    {
        vf even = d[0];
        vf odd = {0};
        float power = point[k];
        PANEL_UNROLL for (int j = 1; j < m; j++)
        {
            if (j % 2) {
                odd += power * d[j];
            } else {
                even += power * d[j];
            }
            power *= point[k];
        }
        o[2 * k + 1] = even + odd;
        o[2 * k + 2] = even - odd;
    }
    o[ALPHA - 1] = d[m - 1];
}

WINO_INLINE void weight_tile(const int ALPHA, const int m, const float *dy, size_t row, float *y,
                             size_t point_stride)
{
    vf half[MAX_ALPHA * 6];
    vf in[6];
    vf out[MAX_ALPHA];
    for (int l = 0; l < 16; l += VW) {
        for (int j = 0; j < m; j++) {
            PANEL_UNROLL for (int i = 0; i < m; i++)
            {
                in[i] = *(const vf *)(dy + (size_t)i * row + (size_t)(j * 16 + l));
            }
            weight_out(ALPHA, m, out, in);
            PANEL_UNROLL for (int i = 0; i < ALPHA; i++)
            {
                half[i * m + j] = out[i];
            }
        }
        for (int i = 0; i < ALPHA; i++) {
            weight_out(ALPHA, m, out, half + i * m);
            PANEL_UNROLL for (int j = 0; j < ALPHA; j++)
            {
                *(vf *)(y + (size_t)(i * ALPHA + j) * point_stride + l) = out[j];
            }
        }
    }
}
#define WEIGHT_TILE(ALPHA, M)                                                                      \
    static void weight_tile_##ALPHA##_##M(const float *dy, size_t row, float *y,                   \
                                          size_t point_stride)                                     \
    {                                                                                              \
        weight_tile(ALPHA, M, dy, row, y, point_stride);                                           \
    }
WEIGHT_TILE(6, 5)
WEIGHT_TILE(6, 4)
WEIGHT_TILE(8, 6)
WEIGHT_TILE(8, 5)
WEIGHT_TILE(8, 4)
WEIGHT_TILE(8, 3)
typedef void (*weight_tile_fn)(const float *, size_t, float *, size_t);
static weight_tile_fn weight_tile_function(int32_t alpha, int32_t m)
{
    if (alpha == 6) {
        return m == 5 ? weight_tile_6_5 : weight_tile_6_4;
    }
    return m == 6   ? weight_tile_8_6
           : m == 5 ? weight_tile_8_5
           : m == 4 ? weight_tile_8_4
                    : weight_tile_8_3;
}

/* The outputs of a tile, zeros beyond the image. */
static void weight_gather(float *dst, const struct wino_grid *g, const float *plane,
                          struct wino_place at)
{
    int32_t cols = conv_min(g->m, g->wo - at.col);
    memset(dst, 0, (size_t)(g->m * g->m) * 16 * sizeof(float));
    for (int32_t i = 0; i < g->m && at.row + i < g->ho; i++) {
        const float *src = plane + ((size_t)(at.row + i) * (size_t)g->wo + (size_t)at.col) * 16;
        memcpy(dst + (size_t)(i * g->m) * 16, src, (size_t)cols * 16 * sizeof(float));
    }
}

/* Tiles t0 to t1 - 1 of dy, all blocks; y belongs to tile t0. */
static void weight_dy(const struct weight_job *j, int32_t t0, int32_t t1, float *y)
{
    const struct wino_grid *g = &j->grid;
    float tile[6 * 6 * 16];
    size_t plane = (size_t)g->ho * (size_t)g->wo * 16;
    int32_t blocks = gt__ceil_div(g->co, 16);
    weight_tile_fn transform = weight_tile_function(g->alpha, g->m);
    for (int32_t b = 0; b < blocks; b++) {
        float *to = y + (size_t)b * j->planes[1].block;
        for (int32_t t = t0; t < t1; t++, to += 16) {
            struct wino_place at = wino_place(g, t);
            const float *dy = j->dy + ((size_t)at.image * (size_t)blocks + (size_t)b) * plane;
            size_t row = (size_t)g->wo * 16;
            if (at.row + g->m <= g->ho && at.col + g->m <= g->wo) {
                dy += ((size_t)at.row * (size_t)g->wo + (size_t)at.col) * 16;
            } else {
                weight_gather(tile, g, dy, at);
                dy = tile;
                row = (size_t)g->m * 16;
            }
            transform(dy, row, to, j->planes[1].point);
        }
    }
}

static void weight_transform_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct weight_job *j = cookie;
    int32_t t0 = j->t0 + (int32_t)chunk * WEIGHT_CHUNK_TILES;
    int32_t t1 = conv_min(j->t1, t0 + WEIGHT_CHUNK_TILES);
    size_t at = (size_t)(t0 - j->t0) * 16;
    struct wino_job forward = {.grid = j->grid, .x = j->x, .plane = j->planes[0]};
    wino_input(&forward, t0, t1, j->v + at);
    weight_dy(j, t0, t1, j->y + at);
}

/* ---- products ---- */

/* dU of `inputs` inputs: floats from panel to panel and from point to point. */
struct weight_sums {
    size_t rows, point, panel;
};
static inline struct weight_sums weight_sums(const struct wino_grid *g, int32_t inputs)
{
    struct weight_sums s = {.rows = (size_t)gt__ceil_div(inputs, 16) * 16};
    s.point = s.rows * PANEL + 16; /* not whole pages apart */
    s.panel = s.point * (size_t)(g->alpha * g->alpha);
    return s;
}

/* One point: inputs from a multiple of 16, `rows` of them, of one panel; the tiles of the group. */
static void weight_point(const struct weight_job *j, size_t point, int32_t panel, int32_t c0,
                         size_t rows, float *du)
{
    const struct wino_grid *g = &j->grid;
    int32_t lane = panel * PANEL;
    const float *y = j->y + point * j->planes[1].point + (size_t)(lane / 16) * j->planes[1].block +
                     (size_t)(lane % 16);
    struct tiles_product p = {.a = j->v + point * j->planes[0].point +
                                   (size_t)(c0 / 16) * j->planes[0].block,
                              .b = y,
                              .c = du,
                              .a_block = j->planes[0].block,
                              .b_block = j->planes[1].block,
                              .rows = rows,
                              .width = (size_t)wino_width(g->co, panel),
                              .tiles = j->t1 - j->t0,
                              .first = j->t0 == 0};
    if (j->whole && point + 1 < (size_t)(g->alpha * g->alpha)) {
        p.a_ahead = (ptrdiff_t)j->planes[0].point;
    }
    tiles_product(&p);
}

/* One point of some panels, which read the same part of V: all inputs. */
static void weight_point_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct weight_job *j = cookie;
    int32_t panels = wino_panels(j->grid.co);
    int32_t parts = gt__ceil_div(panels, WEIGHT_POINT_PANELS);
    size_t point = chunk / (size_t)parts;
    int32_t from = (int32_t)(chunk % (size_t)parts) * WEIGHT_POINT_PANELS;
    int32_t to = conv_min(panels, from + WEIGHT_POINT_PANELS);
    struct weight_sums s = weight_sums(&j->grid, j->grid.ci);
    for (int32_t panel = from; panel < to; panel++) {
        weight_point(j, point, panel, 0, s.rows, j->du + (size_t)panel * s.panel + point * s.point);
    }
}

/* ---- back to taps ---- */

/* o = G'd. */
WINO_INLINE void weight_back(const int ALPHA, const int r, vf *o, const vf *d)
{
    const float point[7] = {0, 1, -1, 2, -2, 0.5f, -0.5f};
    const float scale6[5] = {1.0f / 4, -1.0f / 6, -1.0f / 6, 1.0f / 24, 1.0f / 24};
    const float scale8[7] = {-1.0f,     -2.0f / 9,  -2.0f / 9, 1.0f / 90,
                             1.0f / 90, 32.0f / 45, 32.0f / 45};
    float power[7];
    PANEL_UNROLL for (int i = 0; i < ALPHA - 1; i++)
    {
        power[i] = ALPHA == 6 ? scale6[i] : scale8[i];
    }
    PANEL_UNROLL for (int j = 0; j < r; j++)
    {
        vf s = {0};
        PANEL_UNROLL for (int i = 0; i < ALPHA - 1; i++)
        {
            s += power[i] * d[i];
            power[i] *= point[i];
        }
        if (j == r - 1) {
            s += d[ALPHA - 1];
        }
        o[j] = s;
    }
}

WINO_INLINE void weight_taps(const int ALPHA, const int r, const float *du, size_t point_stride,
                             vf *taps)
{
    vf half[6 * MAX_ALPHA];
    vf in[MAX_ALPHA];
    vf out[6];
    for (int j = 0; j < ALPHA; j++) {
        PANEL_UNROLL for (int i = 0; i < ALPHA; i++)
        {
            in[i] = *(const vf *)(du + (size_t)(i * ALPHA + j) * point_stride);
        }
        weight_back(ALPHA, r, out, in);
        PANEL_UNROLL for (int i = 0; i < r; i++)
        {
            half[i * ALPHA + j] = out[i];
        }
    }
    for (int i = 0; i < r; i++) {
        weight_back(ALPHA, r, out, half + i * ALPHA);
        PANEL_UNROLL for (int j = 0; j < r; j++)
        {
            taps[i * r + j] = out[j];
        }
    }
}
#define WEIGHT_TAPS(ALPHA, R)                                                                      \
    static void weight_taps_##ALPHA##_##R(const float *du, size_t point_stride, vf *taps)          \
    {                                                                                              \
        weight_taps(ALPHA, R, du, point_stride, taps);                                             \
    }
WEIGHT_TAPS(6, 2)
WEIGHT_TAPS(6, 3)
WEIGHT_TAPS(8, 3)
WEIGHT_TAPS(8, 4)
WEIGHT_TAPS(8, 5)
WEIGHT_TAPS(8, 6)
typedef void (*weight_taps_fn)(const float *, size_t, vf *);
static weight_taps_fn weight_taps_function(int32_t alpha, int32_t r)
{
    if (alpha == 6) {
        return r == 2 ? weight_taps_6_2 : weight_taps_6_3;
    }
    return r == 3   ? weight_taps_8_3
           : r == 4 ? weight_taps_8_4
           : r == 5 ? weight_taps_8_5
                    : weight_taps_8_6;
}

/* Inputs c0 to c1 - 1 of one panel; du belongs to input c0. */
static void weight_back_inputs(const struct weight_job *j, int32_t panel, int32_t c0, int32_t c1,
                               const float *du, size_t point_stride)
{
    const struct wino_grid *g = &j->grid;
    int32_t width = wino_width(g->co, panel);
    weight_taps_fn back = weight_taps_function(g->alpha, g->r);
    int32_t taps = g->r * g->r;
    struct taps_back to = {.stride = (size_t)g->ci * (size_t)taps, .taps = taps};
    for (int32_t l = 0; l < width; l += VW) {
        int32_t o = panel * PANEL + l;
        to.kernels = conv_max(0, conv_min(VW, g->co - o));
        for (int32_t c = c0; c < c1; c++) {
            vf t[6 * 6];
            back(du + (size_t)(c - c0) * (size_t)width + (size_t)l, point_stride, t);
            to.w = j->dw + ((size_t)o * (size_t)g->ci + (size_t)c) * (size_t)taps;
            to.room = (c1 - c) * taps;
            taps_write(&to, t);
        }
    }
}

/* WINO_PACK_INPUTS inputs of one panel. */
static void weight_back_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct weight_job *j = cookie;
    const struct wino_grid *g = &j->grid;
    size_t groups = (size_t)gt__ceil_div(g->ci, WINO_PACK_INPUTS);
    int32_t panel = (int32_t)(chunk / groups);
    int32_t c0 = (int32_t)(chunk % groups) * WINO_PACK_INPUTS;
    struct weight_sums s = weight_sums(g, g->ci);
    weight_back_inputs(
        j, panel, c0, conv_min(g->ci, c0 + WINO_PACK_INPUTS),
        j->du + (size_t)panel * s.panel + (size_t)c0 * (size_t)wino_width(g->co, panel), s.point);
}

/* Whole: some inputs of one panel at all points, then back to taps. */
static void weight_whole_chunk(void *cookie, size_t chunk, int32_t thread)
{
    const struct weight_job *j = cookie;
    const struct wino_grid *g = &j->grid;
    size_t panels = (size_t)wino_panels(g->co);
    int32_t panel = (int32_t)(chunk % panels);
    int32_t c0 = (int32_t)(chunk / panels) * j->inputs;
    int32_t c1 = conv_min(g->ci, c0 + j->inputs);
    struct weight_sums s = weight_sums(g, c1 - c0);
    float *du = gt__cpu_thread_scratch(j->device, thread);
    int32_t points = g->alpha * g->alpha;
    for (int32_t p = 0; p < points; p++) {
        weight_point(j, (size_t)p, panel, c0, s.rows, du + (size_t)p * s.point);
    }
    weight_back_inputs(j, panel, c0, c1, du, s.point);
}

/* ---- the kernel ---- */

/* Tiles of a group. Sums at all points of many channels are larger than V and Y of few tiles: then
 * one group, and no such sums. */
static void weight_groups(struct weight_job *j)
{
    struct wino_grid *g = &j->grid;
    size_t lanes = (size_t)(gt__ceil_div(g->ci, 16) + gt__ceil_div(g->co, 16)) * 16;
    size_t tile = lanes * (size_t)(g->alpha * g->alpha) * sizeof(float);
    int32_t most = conv_max(1, (int32_t)(WEIGHT_GROUP_BYTES / tile / TILES_PASS)) * TILES_PASS;
    g->block = conv_min(g->tiles, most);
    double sums = (double)wino_panels(g->co) * (double)weight_sums(g, g->ci).panel * sizeof(float);
    double all = (double)tile * g->tiles;
    j->whole = all <= WEIGHT_WHOLE_BYTES && all < 2 * sums;
    if (j->whole) {
        g->block = g->tiles;
        int32_t parts = gt__ceil_div(WEIGHT_CHUNKS, wino_panels(g->co));
        int32_t even = gt__ceil_div(gt__ceil_div(g->ci, parts), 16) * 16;
        j->inputs = conv_min(WEIGHT_INPUTS, even);
    }
}

static bool weight_cut(struct weight_job *j, struct conv_geometry *c, gt_shape x, gt_shape y,
                       const struct gt_attr *attr, unsigned variant)
{
    if (!conv_geometry(c, x, y, attr, 1 << variant / 2) || c->d != 1 || c->kh != c->kw) {
        return false;
    }
    *j = (struct weight_job){.grid = {.alpha = variant & 1 ? 8 : 6,
                                      .r = c->kh,
                                      .ci = c->cin,
                                      .co = c->cout,
                                      .hi = c->hi,
                                      .wi = c->wi,
                                      .ho = c->ho,
                                      .wo = c->wo,
                                      .split = true}};
    if (!wino_grid(&j->grid, c->n, PANEL)) {
        return false;
    }
    j->grid.split = false; /* V holds a group, not all tiles */
    weight_groups(j);
    struct wino_grid of_dy = j->grid;
    of_dy.ci = c->cout;
    j->planes[0] = wino_plane(&j->grid);
    j->planes[1] = wino_plane(&of_dy);
    return true;
}

static bool weight_plan(const struct gt_device *d, const struct gt_graph *g,
                        const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    struct weight_job j;
    struct conv_geometry c;
    size_t sums = 0;
    size_t all = 0;
    if (!gt__cpu_has(d, CONV_ISA) ||
        !weight_cut(&j, &c, gt__value(g, node->in[0])->shape, gt__value(g, node->in[1])->shape,
                    &node->attr, variant) ||
        (!j.whole &&
         !gt__mul(&sums, weight_sums(&j.grid, c.cin).panel, (size_t)wino_panels(c.cout))) ||
        !gt__add(&all, sums, j.planes[0].total + j.planes[1].total) ||
        !gt__mul(&out->scratch, all, sizeof(float))) {
        return false;
    }
    gt_layout blocked = {GT_BLOCK, (int16_t)c.phase, GT_KIND_F32};
    out->in[0] = blocked;
    out->in[1] = blocked;
    out->out[0] = GT_LAYOUT_NCHW;
    out->flags = GT_PLAN_UNORDERED;
    out->growth = wino_growth(&j.grid, true);
    double rounds = gt__ceil_div(j.grid.tiles, j.grid.block);
    out->cost = wino_cost(d, &j.grid, CONV_RATE, 0) +
                gt__cpu_cost(d, 0, CONV_RATE, 4.0 * (double)sums * (rounds + 1));
    return true;
}

static gt_status weight_run(struct gt_device *d, const struct gt_step *step)
{
    struct weight_job j;
    struct conv_geometry c;
    if (!weight_cut(&j, &c, step->in[0].shape, step->in[1].shape, &step->node->attr,
                    step->variant)) {
        return gt__fail(GT_EINVAL, "%s cannot run in phase %d", CONV_NAME,
                        step->in[1].layout.phase);
    }
    const struct wino_grid *g = &j.grid;
    struct gt_pool *pool = gt__cpu_pool(d);
    size_t panels = (size_t)wino_panels(g->co);
    j.x = gt__f32(&step->in[0]);
    j.dy = gt__f32(&step->in[1]);
    j.dw = gt__f32(&step->out[0]);
    j.v = gt__f32(&step->scratch);
    j.y = j.v + j.planes[0].total;
    j.du = j.y + j.planes[1].total;
    j.device = d;
    for (j.t0 = 0; j.t0 < g->tiles; j.t0 = j.t1) {
        j.t1 = conv_min(g->tiles, j.t0 + g->block);
        gt__pool_for(pool, (size_t)gt__ceil_div(j.t1 - j.t0, WEIGHT_CHUNK_TILES),
                     weight_transform_chunk, &j);
        if (j.whole) {
            gt__pool_for(pool, panels * (size_t)gt__ceil_div(g->ci, j.inputs), weight_whole_chunk,
                         &j);
            return GT_OK;
        }
        gt__pool_for(pool,
                     (size_t)(g->alpha * g->alpha) * gt__ceil_div_z(panels, WEIGHT_POINT_PANELS),
                     weight_point_chunk, &j);
    }
    gt__pool_for(pool, panels * (size_t)gt__ceil_div(g->ci, WINO_PACK_INPUTS), weight_back_chunk,
                 &j);
    return GT_OK;
}

const struct gt_kernel CONV_KERNEL = {.name = CONV_NAME,
                                      .op = GT_OP_conv2d_bwd_weight,
                                      .n_variants = WEIGHT_VARIANTS,
                                      .plan = weight_plan,
                                      .run = weight_run};
