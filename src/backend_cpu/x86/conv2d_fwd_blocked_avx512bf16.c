/* Forward convolution in channel blocks of 16, operands rounded to bfloat16, AVX512-BF16.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * y[n][o][i][j] = epilogue(sum over (block of c, a, b, pair of lanes of c) of x[n][c][i + a*d][j +
 * b*d] * w[o][c][a][b]) in exactly this order: one vdpbf16ps, two exact products added to a float,
 * for each pair, whatever the tile, so that a result does not depend on position, size or threads.
 * x  [n][ceil(cin/16)][hi][wi][16] floats, lanes beyond cin zero
 * y  [n][ceil(cout/16)][ho][wo][16] floats, lanes beyond cout written as zeros
 * packed weights  [group of 32 outputs][block of c][a][b][pair][output][2] bfloat16, zeros beyond cin
 * and cout; the last group has 16 outputs where that is enough
 *
 * A chunk is a rectangle of pixels times a slice of groups. What it reads of x is rounded (to
 * nearest, ties to even) into the thread's memory once, [block][row][column][16]. Weights are taken
 * in pieces (ranges of (block, a)) that stay in L1; between pieces the sums rest in the thread's
 * memory too. Layers of fewer than 16 inputs or outputs (the first and the last of a network) are
 * left to fp32: memory limits them, and their rounding would show most. Variants 0 to 3: x and y in
 * phase 1, 2, 4, 8.
 * Source of the instruction: Intel 64 and IA-32 Architectures Software Developer's Manual, vol. 2,
 * VDPBF16PS and VCVTNE2PS2BF16. */
#include "backend_cpu/portable/conv2d_geometry.h"
#include "backend_cpu/portable/stream.h"
#include "backend_cpu/x86/dot_tile_avx512bf16.h"

#include <math.h>

enum {
    DOT_VARIANTS = 4,
    DOT_CHANNELS = 16, /* fewest inputs and outputs */
    PIECE_BYTES = 20 * 1024,
    RECT_BYTES = 384 * 1024, /* of x in a thread's memory: half of an L2 */
    MAX_PIXELS = 1024,
    TARGET_CHUNKS = 64
};
/* Flops per second and thread, beside FMA's 140e9. Larger kernels run as fast, but are for plans that
 * Winograd is not for: it was faster in every 3x3 layer of U-Net (1024 > 1024, 28 x 28: 21.7 against
 * 37.0 ms), though it estimates itself 1.7 times slower than it is where tiles are few. */
#define DOT_RATE 270e9
#define DOT_RATE_LARGE 180e9

struct dot_job {
    const struct gt_cpu_device *cpu;
    const float *x, *bias; /* bias [cout] or NULL */
    const uint32_t *w;     /* packed */
    float *y;
    struct conv_geometry g;
    bool relu, stream;
    struct conv_grid grid;
    int32_t groups, slice, slices; /* groups of GW outputs; per chunk; chunks per rectangle */
};

static int32_t dot_groups(int32_t co)
{
    return gt__ceil_div(gt__ceil_div(co, 16), NV_MAX);
}
static int32_t dot_group_width(int32_t co, int32_t g)
{
    return conv_min(GW, gt__ceil_div(co, 16) * 16 - g * GW);
}
/* Pairs of all blocks of ci channels. */
static int32_t dot_pairs(int32_t ci)
{
    return gt__ceil_div(ci, 2);
}

/* ---- weights ---- */

static bool dot_packed_bytes(size_t *out, const struct conv_geometry *g)
{
    return gt__mul(out, (size_t)gt__ceil_div(g->cout, 16) * 16, (size_t)dot_pairs(g->cin)) &&
           gt__mul(out, *out, (size_t)g->kh * (size_t)g->kw) && gt__mul(out, *out, 4);
}

/* To nearest, ties to even; NaN stays NaN. */
static uint16_t dot_round(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    if (f != f) {
        return (uint16_t)(bits >> 16 | 0x40u);
    }
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

struct dot_pack {
    const float *w; /* [Cout][Cin][kh][kw] */
    uint16_t *packed;
    int32_t ci, co;
    size_t taps;
};

/* One block of inputs of one group. */
static void dot_pack_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct dot_pack *p = cookie;
    int32_t blocks = gt__ceil_div(p->ci, 16);
    int32_t g = (int32_t)(chunk / (size_t)blocks);
    int32_t c0 = (int32_t)(chunk % (size_t)blocks) * 16;
    size_t width = (size_t)dot_group_width(p->co, g);
    size_t pairs = (size_t)dot_pairs(conv_min(16, p->ci - c0));
    uint16_t *to =
        p->packed +
        ((size_t)g * GW * (size_t)dot_pairs(p->ci) + (size_t)(c0 / 2) * width) * p->taps * 2;
    for (size_t j = 0; j < width; j++) {
        for (size_t l = 0; l < 2 * pairs; l++) {
            size_t o = (size_t)g * GW + j;
            size_t c = (size_t)c0 + l;
            bool real = o < (size_t)p->co && c < (size_t)p->ci;
            const float *from = p->w + (o * (size_t)p->ci + c) * p->taps;
            for (size_t t = 0; t < p->taps; t++) {
                to[((t * pairs + l / 2) * width + j) * 2 + l % 2] = real ? dot_round(from[t]) : 0;
            }
        }
    }
}

/* ---- rectangles ---- */

/* Pairs from one block of rounded x to the next: an odd number of lines, or whole pages apart they
 * would share cache sets. */
static size_t dot_block(const struct conv_geometry *g, int32_t rows, int32_t cols)
{
    size_t pixels = (size_t)(rows + (g->kh - 1) * g->d) * (size_t)(cols + (g->kw - 1) * g->d);
    return ((pixels + 1) / 2 | 1) * 2 * PAIRS;
}
/* Bytes of rounded x and of the sums. */
static size_t dot_bytes(const struct conv_geometry *g, int32_t rows, int32_t cols)
{
    return (size_t)gt__ceil_div(g->cin, 16) * dot_block(g, rows, cols) * sizeof(uint32_t) +
           (size_t)rows * (size_t)cols * GW * sizeof(float);
}

/* Do rectangles of T_MAX pixels fit a thread's memory? Asks for the kernel only, not for the size of
 * the image. */
static bool dot_fits(const struct conv_geometry *g)
{
    int64_t reach = conv_max((g->kh - 1), (g->kw - 1)) * (int64_t)g->d + T_MAX;
    return reach < 1024 && g->cin < 1 << 20 && dot_bytes(g, T_MAX, T_MAX) <= GT_CPU_SCRATCH;
}

static void dot_job_cut(struct dot_job *j)
{
    struct conv_geometry *g = &j->g;
    bool whole = g->h_out % g->phase == 0 && g->w_out % g->phase == 0;
    bool one = g->kh == 1 && g->kw == 1;
    if (one && whole && (int64_t)g->ho * g->wo <= INT32_MAX / 16) {
        /* rows mean nothing, so the plane becomes one row where no tail is to be kept zero */
        g->wi = g->wo = g->ho * g->wo;
        g->hi = g->ho = 1;
        g->h_out = g->phase;
        g->w_out = g->wo * g->phase;
    }
    j->groups = dot_groups(g->cout);
    double work = (double)g->n * g->ho * g->wo;
    int32_t pixels = MAX_PIXELS;
    j->grid = conv_grid(g->ho, g->wo, pixels);
    while (pixels > T_MAX * 8 && (work / pixels < TARGET_CHUNKS ||
                                  dot_bytes(g, j->grid.rows, j->grid.cols) > RECT_BYTES)) {
        pixels = conv_max(T_MAX * 8, pixels - pixels / 4);
        j->grid = conv_grid(g->ho, g->wo, pixels);
    }
    if (dot_bytes(g, j->grid.rows, j->grid.cols) > GT_CPU_SCRATCH) {
        j->grid = conv_grid(g->ho, g->wo, T_MAX);
    }
    double rects = (double)g->n * conv_grid_count(&j->grid);
    j->slice = (int32_t)fmin(j->groups, rects * j->groups / TARGET_CHUNKS);
    j->slice = conv_max(1, j->slice);
    j->slices = gt__ceil_div(j->groups, j->slice);
}

static void dot_convert(uint32_t *to, const float *from, size_t n)
{
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m512bh b = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + i + 16), _mm512_loadu_ps(from + i));
        *(vi *)(to + i / 2) = (vi)b;
    }
    if (i < n) {
        __m256bh b = _mm512_cvtneps_pbh(_mm512_loadu_ps(from + i));
        memcpy(to + i / 2, &b, sizeof b);
    }
}

/* What the outputs of r read of one image. */
static void dot_round_rect(uint32_t *to, const struct dot_job *j, const float *x,
                           struct conv_rect r)
{
    const struct conv_geometry *g = &j->g;
    size_t cols = (size_t)(r.c1 - r.c0 + (g->kw - 1) * g->d);
    size_t block = dot_block(g, r.r1 - r.r0, r.c1 - r.c0);
    for (int32_t b = 0; b < gt__ceil_div(g->cin, 16); b++) {
        for (int32_t i = r.r0; i < r.r1 + (g->kh - 1) * g->d; i++) {
            size_t at = ((size_t)b * (size_t)g->hi + (size_t)i) * (size_t)g->wi + (size_t)r.c0;
            dot_convert(to + (size_t)b * block + (size_t)(i - r.r0) * cols * PAIRS, x + at * 16,
                        cols * 16);
        }
    }
}

/* Outputs g*GW .. of one rectangle; x rounded, y at its first pixel. */
struct dot_place {
    const uint32_t *x;
    float *sums, *y;
    int32_t rows, cols, more_cols; /* of y; x has so many columns more */
};

/* Units first to first + units - 1 of all pixels. Tiles of a row as even as possible. */
static void dot_piece(const struct dot_call *c, const struct dot_place *p, size_t y_row, int32_t nv)
{
    int32_t n = gt__ceil_div(p->cols, T_MAX);
    const uint32_t *x_row = p->x;
    float *sums = p->sums;
    for (int32_t i = 0; i < p->rows; i++) {
        const uint32_t *x = x_row;
        float *y = p->y + (size_t)i * y_row;
        for (int32_t k = 0; k < n; k++) {
            int32_t t = p->cols / n + (k < p->cols % n);
            dot_tiles[nv - 1][t - 1](c, x, sums, y);
            x += (size_t)t * PAIRS;
            sums += (size_t)t * GW;
            y += (size_t)t * 16;
        }
        x_row += (size_t)(p->cols + p->more_cols) * PAIRS;
    }
}

static void dot_group(const struct dot_job *j, int32_t group, const struct dot_place *p)
{
    const struct conv_geometry *g = &j->g;
    struct dot_call c = {.x_block = dot_block(g, p->rows, p->cols),
                         .x_row = (size_t)g->d * (size_t)(p->cols + p->more_cols) * PAIRS,
                         .x_tap = (size_t)g->d * PAIRS,
                         .y_block = (size_t)g->ho * (size_t)g->wo * 16,
                         .kh = g->kh,
                         .kw = g->kw,
                         .blocks = gt__ceil_div(g->cin, 16),
                         .relu = j->relu,
                         .stream = j->stream};
    c.last_pairs = dot_pairs(g->cin - (c.blocks - 1) * 16);
    int32_t width = dot_group_width(g->cout, group);
    for (int32_t i = 0; i < width; i++) {
        bool real = group * GW + i < g->cout;
        c.mask[i] = real ? -1 : 0;
        c.bias[i] = real && j->bias ? j->bias[group * GW + i] : -0.0f;
    }
    size_t taps = (size_t)g->kh * (size_t)g->kw;
    const uint32_t *w = j->w + (size_t)group * GW * (size_t)dot_pairs(g->cin) * taps;
    int32_t units = c.blocks * g->kh;
    int32_t piece = conv_max(1, PIECE_BYTES / (PAIRS * 4 * g->kw * width));
    for (int32_t u = 0; u < units; u += piece) {
        c.cb = u / g->kh;
        c.a = u % g->kh;
        c.units = conv_min(piece, units - u);
        c.first = u == 0;
        c.last = u + c.units == units;
        int32_t pairs = c.cb == c.blocks - 1 ? c.last_pairs : PAIRS;
        c.w = w + ((size_t)(c.cb * PAIRS) * taps + (size_t)(c.a * pairs) * (size_t)g->kw) *
                      (size_t)width;
        dot_piece(&c, p, (size_t)g->wo * 16, width / 16);
    }
}

static void dot_chunk(void *cookie, size_t chunk, int32_t thread)
{
    const struct dot_job *j = cookie;
    const struct conv_geometry *g = &j->g;
    int32_t s = (int32_t)(chunk % (size_t)j->slices);
    size_t rest = chunk / (size_t)j->slices;
    size_t rects = (size_t)conv_grid_count(&j->grid);
    struct conv_rect stored = conv_rect(&j->grid, (int32_t)(rest % rects));
    size_t image = rest / rects;
    int32_t th = 0;
    int32_t tw = 0;
    conv_true_size(&th, &tw, g->h_out, g->w_out, g->phase, (int32_t)image);
    struct conv_rect r = stored;
    r.r1 = conv_min(r.r1, th);
    r.c1 = conv_min(r.c1, tw);
    uint32_t *rounded = (uint32_t *)(void *)gt__cpu_thread_scratch(&j->cpu->base, thread);
    size_t blocks = (size_t)gt__ceil_div(g->cin, 16);
    size_t y_blocks = (size_t)gt__ceil_div(g->cout, 16);
    size_t y_block = (size_t)g->ho * (size_t)g->wo * 16;
    float *y = j->y + image * y_blocks * y_block;
    bool any = r.r0 < r.r1 && r.c0 < r.c1;
    if (any) {
        dot_round_rect(rounded, j, j->x + image * blocks * (size_t)g->hi * (size_t)g->wi * 16, r);
    }
    struct dot_place p = {
        .x = rounded, .rows = r.r1 - r.r0, .cols = r.c1 - r.c0, .more_cols = (g->kw - 1) * g->d};
    for (int32_t k = s * j->slice; k < conv_min(j->groups, (s + 1) * j->slice); k++) {
        float *plane = y + (size_t)k * NV_MAX * y_block;
        p.y = plane + ((size_t)r.r0 * (size_t)g->wo + (size_t)r.c0) * 16;
        if (any) {
            p.sums = (float *)(void *)(rounded + blocks * dot_block(g, p.rows, p.cols));
            dot_group(j, k, &p);
        }
        for (size_t b = 0; b < NV_MAX && (size_t)k * NV_MAX + b < y_blocks; b++) {
            conv_zero_tail(plane + b * y_block, g->wo, 16, stored, th, tw);
        }
    }
    if (j->stream) {
        gt__stream_end();
    }
}

/* ---- the kernel ---- */

static double dot_cost(const struct gt_device *d, const struct conv_geometry *g, size_t packed)
{
    double pixels = (double)g->n * g->ho * g->wo;
    bool one = g->kh == 1 && g->kw == 1;
    double length = one ? (double)g->ho * g->wo : g->wo;
    double tile = length / ceil(length / T_MAX) * NV_MAX;
    double fill = tile < 8 ? tile / 8 : 1; /* short tiles wait for their own sums */
    double flops = conv_flops(g) / g->cout * dot_groups(g->cout) * GW / fill;
    double bytes = 4.0 * (pixels * (gt__ceil_div(g->cin, 16) + gt__ceil_div(g->cout, 16)) * 16) +
                   (double)packed;
    return gt__cpu_cost(d, flops, one ? DOT_RATE : DOT_RATE_LARGE, bytes);
}

static bool dot_plan(const struct gt_device *d, const struct gt_graph *g,
                     const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    struct conv_geometry c;
    gt_shape x = gt__value(g, node->in[0])->shape;
    gt_shape y = gt__value(g, node->out[0])->shape;
    if (!gt__cpu_has(d, GT_ISA_AVX512 | GT_ISA_AVX512_BF16) || x.c < DOT_CHANNELS ||
        y.c < DOT_CHANNELS || !conv_geometry(&c, x, y, &node->attr, 1 << variant) ||
        !dot_fits(&c) || !dot_packed_bytes(&out->packed, &c)) {
        return false;
    }
    gt_layout blocked = {GT_BLOCK, (int16_t)c.phase, GT_KIND_F32};
    out->in[0] = blocked;
    out->in[1] = GT_LAYOUT_NCHW;
    out->in[2] = GT_LAYOUT_NCHW;
    out->out[0] = blocked;
    out->flags = GT_PLAN_BF16;
    out->cost = dot_cost(d, &c, out->packed);
    return true;
}

static gt_status dot_run(struct gt_device *d, const struct gt_step *step)
{
    uint32_t epilogue = step->node->epilogue;
    struct dot_job job = {.cpu = gt__cpu(d),
                          .x = gt__f32(&step->in[0]),
                          .w = (uint32_t *)(void *)gt__f32(&step->packed),
                          .bias = epilogue & GT_EPILOGUE_BIAS ? gt__f32(&step->in[2]) : NULL,
                          .y = gt__f32(&step->out[0]),
                          .relu = (epilogue & GT_EPILOGUE_RELU) != 0};
    job.stream = gt__stream_pays(job.y, step->out[0].size);
    if (!conv_geometry(&job.g, step->in[0].shape, step->out[0].shape, &step->node->attr,
                       1 << step->variant)) {
        return gt__fail(GT_EINVAL, "conv2d_fwd_blocked_avx512bf16 cannot run in phase %d",
                        step->in[0].layout.phase);
    }
    if (step->pack) {
        struct dot_pack pack = {.w = gt__f32(&step->in[1]),
                                .packed = (uint16_t *)(void *)gt__f32(&step->packed),
                                .ci = job.g.cin,
                                .co = job.g.cout,
                                .taps = (size_t)job.g.kh * (size_t)job.g.kw};
        size_t blocks = (size_t)gt__ceil_div(pack.ci, 16);
        gt__pool_for(gt__cpu_pool(d), (size_t)dot_groups(pack.co) * blocks, dot_pack_chunk, &pack);
    }
    dot_job_cut(&job);
    size_t rects = (size_t)conv_grid_count(&job.grid);
    gt__pool_for(gt__cpu_pool(d), (size_t)job.g.n * rects * (size_t)job.slices, dot_chunk, &job);
    return GT_OK;
}

const struct gt_kernel gt__conv2d_fwd_blocked_avx512bf16 = {.name = "conv2d_fwd_blocked_avx512bf16",
                                                            .op = GT_OP_conv2d_fwd,
                                                            .n_variants = DOT_VARIANTS,
                                                            .plan = dot_plan,
                                                            .run = dot_run};
