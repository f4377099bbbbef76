/* Weight gradient of the convolution in channel blocks of 16, template for vectors of VW floats.
 * The including file defines VW, CONV_KERNEL and CONV_NAME, CONV_ISA (mask the CPU must have) and
 * CONV_RATE (flops per second and thread). Variants 0 to 3: x and dy in phase 1, 2, 4, 8. Variant
 * 4: x planar (NCHW, at most 4 channels), phase 1.
 *
 * dw[o][c][a][b] = sum over (n, i, j) of x[n][c][i + a*d][j + b*d] * dy[n][o][i][j]
 * x  [n][ceil(cin/16)][hi][wi][16] or [n][cin][hi][wi] (then a "block" is one channel)
 * dy [n][ceil(cout/16)][ho][wo][16]; dw [cout][cin][kh][kw]
 *
 * Register tile: M inputs (lanes of a block; for planar x, neighbouring taps) x NV vectors of
 * outputs, summed over a rectangle of pixels that stays in L1. A part is (range of rows, block of
 * inputs, group of GW outputs) and has its own sums in the scratch, [a][b][lane][output]; the row
 * ranges follow from shapes only and are then added in order. A task makes one part, or, where a
 * kernel of one tap would read x and dy from memory for each, TASK_BLOCKS x TASK_GROUPS of them
 * rectangle by rectangle: their x, dy and sums stay in L2. For planar x it takes all channels.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/conv2d_geometry.h"

#if VW == 16
#define M_WIDE 8
#elif VW == 8
#define M_WIDE 6
#else
#define M_WIDE 5
#endif
#define NV_MAX 2
#define GW (VW * NV_MAX)
#define M_MAX 16 /* with one vector of outputs */
#define TILE_PIXELS 128

typedef float vf __attribute__((vector_size(4 * VW), aligned(4), may_alias));

#if defined(__clang__)
#define CONV_UNROLL _Pragma("unroll")
#else
#define CONV_UNROLL _Pragma("GCC unroll 32")
#endif

enum {
    CONV_VARIANT_PLANAR = 4,
    CONV_VARIANTS = 5,
    CONV_PLANAR_CHANNELS = 4,
    TARGET_TASKS = 64,
    MAX_RANGES = 64,
    MIN_RANGE_PIXELS = 512,
    TASK_BLOCKS = 16,
    TASK_GROUPS = 128 / GW,
    MAX_PARTIAL_BYTES = 48 << 20
};

struct weight_call {
    size_t x_row, y_row, y_block; /* steps in floats */
    size_t step;                  /* planar: between taps */
    int32_t rows, cols;
};

static inline __attribute__((always_inline)) void
weight_tile(const int M, const int NV, const int PX, const struct weight_call *c, const float *x,
            const float *dy, float *sum)
{
    vf acc[M_MAX > M_WIDE * NV_MAX ? M_MAX : M_WIDE * NV_MAX];
    size_t step = PX == 16 ? 1 : c->step;
    CONV_UNROLL for (int i = 0; i < M * NV; i++)
    {
        acc[i] = *(const vf *)(sum + i * VW);
    }
    for (int32_t r = 0; r < c->rows; r++) {
        const float *xp = x + (size_t)r * c->x_row;
        const float *yp = dy + (size_t)r * c->y_row;
        for (int32_t j = 0; j < c->cols; j++) {
            vf v[NV_MAX];
            CONV_UNROLL for (int i = 0; i < NV; i++)
            {
                v[i] = *(const vf *)(yp + (size_t)(i * VW / 16) * c->y_block + i * VW % 16);
            }
            CONV_UNROLL for (int i = 0; i < M * NV; i++)
            {
                acc[i] += xp[(size_t)(i / NV) * step] * v[i % NV];
            }
            xp += PX;
            yp += 16;
        }
    }
    CONV_UNROLL for (int i = 0; i < M * NV; i++)
    {
        *(vf *)(sum + i * VW) = acc[i];
    }
}

typedef void (*weight_tile_fn)(const struct weight_call *, const float *, const float *, float *);
#define WEIGHT_TILE(M, NV, PX)                                                                     \
    static void weight_tile_##M##_##NV##_##PX(const struct weight_call *c, const float *x,         \
                                              const float *dy, float *sum)                         \
    {                                                                                              \
        weight_tile(M, NV, PX, c, x, dy, sum);                                                     \
    }
#define WEIGHT_ENTRY(M, NV, PX) weight_tile_##M##_##NV##_##PX,
#define WEIGHT_UP_TO_5(X, NV, PX) X(1, NV, PX) X(2, NV, PX) X(3, NV, PX) X(4, NV, PX) X(5, NV, PX)
#if VW == 16
#define WEIGHT_TILES(X, NV, PX) WEIGHT_UP_TO_5(X, NV, PX) X(6, NV, PX) X(7, NV, PX) X(8, NV, PX)
#elif VW == 8
#define WEIGHT_TILES(X, NV, PX) WEIGHT_UP_TO_5(X, NV, PX) X(6, NV, PX)
#else
#define WEIGHT_TILES(X, NV, PX) WEIGHT_UP_TO_5(X, NV, PX)
#endif
WEIGHT_TILES(WEIGHT_TILE, 2, 16)
WEIGHT_TILES(WEIGHT_TILE, 2, 1)
static const weight_tile_fn weight_wide[2][M_WIDE] = {{WEIGHT_TILES(WEIGHT_ENTRY, 2, 16)},
                                                      {WEIGHT_TILES(WEIGHT_ENTRY, 2, 1)}};
#if VW == 16
#define WEIGHT_HALF(X, PX)                                                                         \
    WEIGHT_TILES(X, 1, PX)                                                                         \
    X(9, 1, PX)                                                                                    \
    X(10, 1, PX) X(11, 1, PX) X(12, 1, PX) X(13, 1, PX) X(14, 1, PX) X(15, 1, PX) X(16, 1, PX)
#define WEIGHT_TILE_3(M, NV, PX) WEIGHT_TILE(M, NV, PX)
WEIGHT_HALF(WEIGHT_TILE_3, 16)
WEIGHT_HALF(WEIGHT_TILE_3, 1)
static const weight_tile_fn weight_half[2][M_MAX] = {{WEIGHT_HALF(WEIGHT_ENTRY, 16)},
                                                     {WEIGHT_HALF(WEIGHT_ENTRY, 1)}};
#endif

struct weight_job {
    struct conv_geometry g;
    int32_t px;                       /* 16, or 1 for planar x */
    int32_t blocks, groups;           /* of inputs, of outputs */
    int32_t task_blocks, task_groups; /* of a task */
    int32_t ranges, range;            /* ranges of rows of all fragments together, rows of each */
    size_t part;                      /* floats of a part's sums */
    const float *x, *dy;
    float *sums, *dw;
};

/* Tasks of one range of rows. */
static size_t weight_tasks(const struct weight_job *j)
{
    return gt__ceil_div_z((size_t)j->blocks, (size_t)j->task_blocks) *
           gt__ceil_div_z((size_t)j->groups, (size_t)j->task_groups);
}

/* False on overflow. */
static bool weight_cut(struct weight_job *j, const struct conv_geometry *g, int32_t px)
{
    *j = (struct weight_job){.g = *g, .px = px};
    j->blocks = gt__ceil_div(g->cin, px);
    j->groups = gt__ceil_div(g->cout, GW);
    bool one = g->kh == 1 && g->kw == 1;
    j->task_blocks = one || px == 1 ? conv_min(j->blocks, TASK_BLOCKS) : 1;
    j->task_groups = one ? conv_min(j->groups, TASK_GROUPS) : 1;
    size_t all = 0;
    if (!gt__mul(&j->part, (size_t)g->kh * (size_t)g->kw, (size_t)px * GW) ||
        !gt__mul(&all, j->part, (size_t)j->blocks * (size_t)j->groups) ||
        !gt__mul(&all, all, sizeof(float))) {
        return false;
    }
    int64_t rows = (int64_t)g->n * g->ho;
    int64_t tasks = (int64_t)weight_tasks(j);
    int64_t n = (TARGET_TASKS + tasks - 1) / tasks;
    int64_t most = rows * g->wo / MIN_RANGE_PIXELS;
    n = n < most ? n : most;
    n = n < MAX_RANGES ? n : MAX_RANGES;
    n = n < (int64_t)(MAX_PARTIAL_BYTES / all) ? n : (int64_t)(MAX_PARTIAL_BYTES / all);
    n = n < rows ? n : rows;
    n = n > 1 ? n : 1;
    if (rows > INT32_MAX) {
        return false;
    }
    j->range = (int32_t)((rows + n - 1) / n);
    j->ranges = gt__ceil_div((int32_t)rows, j->range);
    return true;
}

static bool weight_scratch(size_t *out, const struct weight_job *j)
{
    return gt__mul(out, j->part, (size_t)j->blocks * (size_t)j->groups) &&
           gt__mul(out, *out, (size_t)j->ranges) && gt__mul(out, *out, sizeof(float));
}

static int32_t weight_width(const struct weight_job *j, int32_t g)
{
    return conv_min(GW, gt__ceil_div(j->g.cout, 16) * 16 - g * GW);
}

/* All taps and inputs of one rectangle; x and dy point to its first pixel. */
static void weight_rect(const struct weight_job *j, const struct weight_call *c, int32_t lanes,
                        int32_t width, const float *x, const float *dy, float *sum)
{
    const weight_tile_fn *tiles = weight_wide[j->px == 1];
    int32_t most = M_WIDE;
#if VW == 16
    if (width < GW) {
        tiles = weight_half[j->px == 1];
        most = M_MAX;
    }
#endif
    int32_t length = j->px == 1 ? j->g.kw : lanes; /* what a tile runs along */
    int32_t n = gt__ceil_div(length, most);
    for (int32_t a = 0; a < j->g.kh; a++) {
        const float *row = x + (size_t)(a * j->g.d) * c->x_row;
        for (int32_t b = 0; b < (j->px == 1 ? 1 : j->g.kw); b++) {
            const float *at = row + (size_t)b * (size_t)j->g.d * (size_t)j->px;
            for (int32_t i = 0; i < n; i++) {
                int32_t m = length / n + (i < length % n);
                tiles[m - 1](c, at, dy, sum);
                at += (size_t)m * (j->px == 1 ? c->step : 1);
                sum += (size_t)m * (size_t)width;
            }
        }
    }
}

/* What a task makes: these blocks of inputs and groups of outputs, from these rows of all fragments;
 * sums at `sum` for the first of all. */
struct weight_parts {
    int32_t cb0, cb1, g0, g1;
    int32_t row, end;
    float *sum;
    struct conv_grid grid; /* of the rows of the fragment at hand */
    int32_t image, r0, index;
};

/* A rectangle: its first pixels in the first blocks. */
struct weight_at {
    const float *x, *dy;
    int32_t rows, cols;
};

static bool weight_next(struct weight_at *out, const struct weight_job *j, struct weight_parts *p)
{
    const struct conv_geometry *g = &j->g;
    if (p->index == conv_grid_count(&p->grid)) {
        if (p->row == p->end) {
            return false;
        }
        p->image = p->row / g->ho;
        p->r0 = p->row - p->image * g->ho;
        int32_t r1 = conv_min(g->ho, p->r0 + p->end - p->row);
        p->grid = conv_grid(r1 - p->r0, g->wo, TILE_PIXELS);
        p->index = 0;
        p->row += r1 - p->r0;
    }
    struct conv_rect r = conv_rect(&p->grid, p->index++);
    size_t x_row = (size_t)g->wi * (size_t)j->px;
    size_t y_row = (size_t)g->wo * 16;
    size_t x_image = (size_t)p->image * (size_t)j->blocks * (size_t)g->hi;
    size_t y_image = (size_t)p->image * (size_t)gt__ceil_div(g->cout, 16) * (size_t)g->ho;
    size_t row = (size_t)(p->r0 + r.r0);
    out->x = j->x + (x_image + row) * x_row + (size_t)r.c0 * (size_t)j->px;
    out->dy = j->dy + (y_image + row) * y_row + (size_t)r.c0 * 16;
    out->rows = r.r1 - r.r0;
    out->cols = r.c1 - r.c0;
    if (g->wi == out->cols && g->wo == out->cols) { /* whole rows of equal length are one */
        out->cols *= out->rows;
        out->rows = 1;
    }
    return true;
}

/* Part i of n of `floats` at p comes to L2 while others are used. */
static void weight_prefetch(const float *p, size_t floats, int32_t i, int32_t n)
{
    size_t from = floats * (size_t)i / (size_t)n / 16;
    size_t to = floats * ((size_t)i + 1) / (size_t)n / 16;
    for (size_t k = from; k < to; k++) {
        __builtin_prefetch(p + k * 16, 0, 2);
    }
}

/* All parts of a task from rectangle `at`, while what `next` will need comes nearer. */
static void weight_rects(const struct weight_job *j, const struct weight_parts *p,
                         const struct weight_at *at, const struct weight_at *next)
{
    const struct conv_geometry *g = &j->g;
    size_t x_plane = (size_t)g->hi * (size_t)g->wi * (size_t)j->px;
    size_t y_plane = (size_t)g->ho * (size_t)g->wo * 16;
    struct weight_call c = {.x_row = (size_t)g->wi * (size_t)j->px,
                            .y_row = (size_t)g->wo * 16,
                            .y_block = y_plane,
                            .step = (size_t)g->d,
                            .rows = at->rows,
                            .cols = at->cols};
    size_t pixels = next ? (size_t)next->rows * (size_t)next->cols : 0;
    for (int32_t group = p->g0; group < p->g1; group++) {
        size_t lane = (size_t)group * GW;
        size_t y_at = lane / 16 * y_plane;
        for (int32_t cb = p->cb0; cb < p->cb1; cb++) {
            size_t x_at = (size_t)cb * x_plane;
            if (next) {
                weight_prefetch(next->x + x_at, pixels * (size_t)j->px, group - p->g0,
                                p->g1 - p->g0);
                for (size_t v = 0; v * 16 < (size_t)weight_width(j, group); v++) {
                    weight_prefetch(next->dy + y_at + v * y_plane, pixels * 16, cb - p->cb0,
                                    p->cb1 - p->cb0);
                }
            }
            weight_rect(j, &c, conv_min(j->px, g->cin - cb * j->px), weight_width(j, group),
                        at->x + x_at, at->dy + lane % 16 + y_at,
                        p->sum + ((size_t)cb * (size_t)j->groups + (size_t)group) * j->part);
        }
    }
}

static void weight_parts_clear(const struct weight_job *j, const struct weight_parts *p)
{
    for (int32_t cb = p->cb0; cb < p->cb1; cb++) {
        size_t first = (size_t)cb * (size_t)j->groups + (size_t)p->g0;
        memset(p->sum + first * j->part, 0, (size_t)(p->g1 - p->g0) * j->part * sizeof(float));
    }
}

static void weight_task(void *cookie, size_t task, int32_t thread)
{
    (void)thread;
    const struct weight_job *j = cookie;
    size_t along_g = gt__ceil_div_z((size_t)j->groups, (size_t)j->task_groups);
    size_t along_cb = gt__ceil_div_z((size_t)j->blocks, (size_t)j->task_blocks);
    struct weight_parts p = {.g0 = (int32_t)(task % along_g) * j->task_groups,
                             .cb0 = (int32_t)(task / along_g % along_cb) * j->task_blocks};
    p.g1 = conv_min(j->groups, p.g0 + j->task_groups);
    p.cb1 = conv_min(j->blocks, p.cb0 + j->task_blocks);
    int32_t range = (int32_t)(task / along_g / along_cb);
    p.sum = j->sums + (size_t)range * (size_t)j->blocks * (size_t)j->groups * j->part;
    p.row = range * j->range;
    p.end = conv_min(j->g.n * j->g.ho, p.row + j->range);
    weight_parts_clear(j, &p);
    struct weight_at at;
    struct weight_at next;
    bool several = j->task_blocks * j->task_groups > 1;
    bool more = weight_next(&at, j, &p);
    while (more) {
        more = weight_next(&next, j, &p);
        weight_rects(j, &p, &at, more && several ? &next : NULL);
        at = next;
    }
}

/* Add the ranges of one (block, group) in order and turn them to [cout][cin][kh][kw]. */
static void weight_reduce(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct weight_job *j = cookie;
    size_t parts = (size_t)j->blocks * (size_t)j->groups;
    float *sum = j->sums + chunk * j->part;
    for (int32_t r = 1; r < j->ranges; r++) {
        const float *other = sum + (size_t)r * parts * j->part;
        for (size_t i = 0; i < j->part; i++) {
            sum[i] += other[i];
        }
    }
    int32_t group = (int32_t)(chunk % (size_t)j->groups);
    int32_t cb = (int32_t)(chunk / (size_t)j->groups);
    int32_t lanes = conv_min(j->px, j->g.cin - cb * j->px);
    size_t width = (size_t)weight_width(j, group);
    size_t taps = (size_t)j->g.kh * (size_t)j->g.kw;
    int32_t last = conv_min(GW, j->g.cout - group * GW);
    for (int32_t o = 0; o < last; o++) {
        float *dst =
            j->dw +
            ((size_t)(group * GW + o) * (size_t)j->g.cin + (size_t)cb * (size_t)j->px) * taps;
        for (size_t l = 0; l < (size_t)lanes; l++) {
            for (size_t t = 0; t < taps; t++) {
                dst[l * taps + t] = sum[(t * (size_t)lanes + l) * width + (size_t)o];
            }
        }
    }
}

static int32_t variant_phase(unsigned variant)
{
    return variant == CONV_VARIANT_PLANAR ? 1 : 1 << variant;
}

static double weight_cost(const struct gt_device *d, const struct weight_job *j, size_t scratch)
{
    const struct conv_geometry *g = &j->g;
    double lanes = (double)gt__ceil_div(g->cout, GW) * GW;
    if (GW > 16 && gt__ceil_div(g->cout, 16) % 2 != 0) {
        lanes -= 12; /* a group of one block runs a little below half the time */
    }
    /* tiles of fewer than four inputs wait for their own sums */
    double along = j->px == 1 ? g->kw : g->cin;
    double fill = along < 4 ? along / 4 : 1;
    double flops = conv_flops(g) / g->cout * lanes / fill;
    double pixels = (double)g->n * g->ho * g->wo;
    double bytes = 4.0 * pixels * 16 * (gt__ceil_div(g->cin, 16) + gt__ceil_div(g->cout, 16));
    return gt__cpu_cost(d, flops, CONV_RATE, bytes) +
           gt__cpu_cost(d, 0, CONV_RATE, 3.0 * (double)scratch);
}

static bool weight_plan(const struct gt_device *d, const struct gt_graph *g,
                        const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    gt_shape x = gt__value(g, node->in[0])->shape;
    gt_shape y = gt__value(g, node->in[1])->shape;
    struct conv_geometry c;
    struct weight_job j;
    bool planar = variant == CONV_VARIANT_PLANAR;
    size_t scratch = 0;
    if (!gt__cpu_has(d, CONV_ISA) ||
        !conv_geometry(&c, x, y, &node->attr, variant_phase(variant)) ||
        (planar && c.cin > CONV_PLANAR_CHANNELS) || !weight_cut(&j, &c, planar ? 1 : 16) ||
        !weight_scratch(&scratch, &j)) {
        return false;
    }
    gt_layout blocked = {GT_BLOCK, (int16_t)c.phase, GT_KIND_F32};
    out->in[0] = planar ? GT_LAYOUT_NCHW : blocked;
    out->in[1] = blocked;
    out->out[0] = GT_LAYOUT_NCHW;
    out->scratch = scratch;
    out->cost = weight_cost(d, &j, scratch);
    return true;
}

static gt_status weight_run(struct gt_device *d, const struct gt_step *step)
{
    struct conv_geometry c;
    struct weight_job j;
    if (!conv_geometry(&c, step->in[0].shape, step->in[1].shape, &step->node->attr,
                       variant_phase(step->variant)) ||
        !weight_cut(&j, &c, step->variant == CONV_VARIANT_PLANAR ? 1 : 16)) {
        return gt__fail(GT_EINVAL, "%s cannot run in phase %d", CONV_NAME,
                        step->in[1].layout.phase);
    }
    j.x = gt__f32(&step->in[0]);
    j.dy = gt__f32(&step->in[1]);
    j.sums = gt__f32(&step->scratch);
    j.dw = gt__f32(&step->out[0]);
    gt__pool_for(gt__cpu_pool(d), weight_tasks(&j) * (size_t)j.ranges, weight_task, &j);
    gt__pool_for(gt__cpu_pool(d), (size_t)j.blocks * (size_t)j.groups, weight_reduce, &j);
    return GT_OK;
}

const struct gt_kernel CONV_KERNEL = {.name = CONV_NAME,
                                      .op = GT_OP_conv2d_bwd_weight,
                                      .n_variants = CONV_VARIANTS,
                                      .plan = weight_plan,
                                      .run = weight_run};
