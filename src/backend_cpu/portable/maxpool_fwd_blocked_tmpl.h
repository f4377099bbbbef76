/* Max pooling, template for instruction sets: the including file defines POOL_KERNEL, POOL_NAME and
 * POOL_ISA (mask the CPU must have). y[n][c][i][j] = max over a, b < k of x[n][c][i*s + a*d][j*s +
 * b*d]; windows are clipped at the lower and right border. SPDX-License-Identifier: BSD-2-Clause
 *
 * x in block 1 or 16 and phase p, p a divisor of the dilation d (p > 1 with stride 1 only); y and
 * index in the same block and in phase q = p or, with stride 1, q = 2p. On the fragments the
 * dilation is t = d/p, and the step from one output to the next is s, or 2 where the phase doubles:
 * output fragment (fi, fj) then reads input fragment (fi%p, fj%p) from row and column fi/p, fj/p
 * on. The first maximum in row-major order wins; index (may be absent) is a*k + b.
 *
 * 16 outputs are computed at a time: the lanes of a pixel (block 16) or 16 columns (block 1). */
#include "backend_cpu/portable/chunk.h"
#include "backend_cpu/portable/stream.h"

enum { MAX_KERNEL = 15, MAX_TAPS = MAX_KERNEL * MAX_KERNEL, GROUP = 16 };

/* Offsets of the window's elements from its first, and their index. */
struct taps {
    int32_t n;
    ptrdiff_t offset[MAX_TAPS];
    float code[MAX_TAPS];
};

struct job {
    const float *x;
    float *y;
    uint8_t *index;
    gt_shape sx, sy;
    struct gt_extent ex, ey;
    int32_t k, t, step, p, q;
    struct gt_rows rows;
    bool stream; /* y, in block 16 */
};

/* Window of na x nb taps of the k x k ones. */
static void fill_taps(struct taps *taps, const struct job *job, int32_t na, int32_t nb)
{
    taps->n = 0;
    for (int32_t a = 0; a < na; a++) {
        for (int32_t b = 0; b < nb; b++) {
            ptrdiff_t pixel = (ptrdiff_t)a * job->t * job->ex.w + (ptrdiff_t)b * job->t;
            taps->offset[taps->n] = pixel * job->ex.b;
            taps->code[taps->n] = (float)(a * job->k + b);
            taps->n++;
        }
    }
}

/* n <= GROUP outputs whose inputs lie `step` apart; constant arguments make the loops vectorise. */
__attribute__((always_inline)) static inline void group_max(float *restrict y,
                                                            const float *restrict x, ptrdiff_t step,
                                                            int32_t n, const struct taps *taps)
{
    float best[GROUP];
    for (int32_t l = 0; l < n; l++) {
        best[l] = x[l * step];
    }
    for (int32_t i = 1; i < taps->n; i++) {
        const float *in = x + taps->offset[i];
        for (int32_t l = 0; l < n; l++) {
            float v = in[l * step];
            best[l] = v > best[l] ? v : best[l];
        }
    }
    memcpy(y, best, (size_t)n * sizeof *y);
}

/* Codes rise, so the code of the last strict improvement is the largest seen. */
__attribute__((always_inline)) static inline void
group_argmax(float *restrict y, uint8_t *restrict index, const float *restrict x, ptrdiff_t step,
             int32_t n, const struct taps *taps)
{
    float best[GROUP];
    float at[GROUP];
    for (int32_t l = 0; l < n; l++) {
        best[l] = x[l * step];
        at[l] = 0.0f;
    }
    for (int32_t i = 1; i < taps->n; i++) {
        const float *in = x + taps->offset[i];
        float code = taps->code[i];
        for (int32_t l = 0; l < n; l++) {
            float v = in[l * step];
            float c = v > best[l] ? code : 0.0f;
            best[l] = v > best[l] ? v : best[l];
            at[l] = c > at[l] ? c : at[l];
        }
    }
    for (int32_t l = 0; l < n; l++) {
        y[l] = best[l];
        index[l] = (uint8_t)(int32_t)at[l];
    }
}

/* The 2 x 2 window of the networks, all in registers; `stream` is constant. */
__attribute__((always_inline)) static inline void
group_max4(float *restrict y, const float *restrict x, const struct taps *taps, bool stream)
{
    const float *x1 = x + taps->offset[1];
    const float *x2 = x + taps->offset[2];
    const float *x3 = x + taps->offset[3];
    float best[GROUP];
    for (int32_t l = 0; l < GROUP; l++) {
        float v = x[l];
        v = x1[l] > v ? x1[l] : v;
        v = x2[l] > v ? x2[l] : v;
        best[l] = x3[l] > v ? x3[l] : v;
    }
    if (stream) {
        gt__stream_16(y, best);
    } else {
        memcpy(y, best, sizeof best);
    }
}

__attribute__((always_inline)) static inline void
group_argmax4(float *restrict y, uint8_t *restrict index, const float *restrict x, ptrdiff_t step,
              const struct taps *taps, bool stream)
{
    const float *x1 = x + taps->offset[1];
    const float *x2 = x + taps->offset[2];
    const float *x3 = x + taps->offset[3];
    float top[GROUP];
    float at[GROUP];
    float c1 = taps->code[1];
    float c2 = taps->code[2];
    float c3 = taps->code[3];
    for (int32_t l = 0; l < GROUP; l++) {
        float best = x[l * step];
        float v1 = x1[l * step];
        float code = v1 > best ? c1 : 0.0f;
        best = v1 > best ? v1 : best;
        float v2 = x2[l * step];
        code = v2 > best ? c2 : code;
        best = v2 > best ? v2 : best;
        float v3 = x3[l * step];
        code = v3 > best ? c3 : code;
        best = v3 > best ? v3 : best;
        top[l] = best;
        at[l] = code;
    }
    if (stream) {
        gt__stream_16(y, top);
    } else {
        memcpy(y, top, sizeof top);
    }
    for (int32_t l = 0; l < GROUP; l++) {
        index[l] = (uint8_t)(int32_t)at[l];
    }
}

__attribute__((always_inline)) static inline void
group(float *y, uint8_t *index, const float *x, ptrdiff_t step, int32_t n, const struct taps *taps)
{
    if (!index) {
        group_max(y, x, step, n, taps);
    } else if (taps->n == 4 && n == GROUP) {
        group_argmax4(y, index, x, step, taps, false);
    } else {
        group_argmax(y, index, x, step, n, taps);
    }
}

__attribute__((always_inline)) static inline void columns_plain(float *y, uint8_t *index,
                                                                const float *x, ptrdiff_t step,
                                                                int32_t n, const struct taps *taps)
{
    int32_t c = 0;
    for (; c + GROUP <= n; c += GROUP) {
        group(y + c, index ? index + c : NULL, x + c * step, step, GROUP, taps);
    }
    if (c < n) {
        group(y + c, index ? index + c : NULL, x + c * step, step, n - c, taps);
    }
}

/* n pixels of 16 lanes with a 2 x 2 window. */
__attribute__((always_inline)) static inline void pixels4(float *y, uint8_t *index, const float *x,
                                                          ptrdiff_t step, int32_t n,
                                                          const struct taps *taps, bool stream)
{
    struct taps four = {.n = 4};
    memcpy(four.offset, taps->offset, 4 * sizeof four.offset[0]);
    memcpy(four.code, taps->code, 4 * sizeof four.code[0]);
    if (index) {
        for (ptrdiff_t c = 0; c < n; c++) {
            group_argmax4(y + c * GROUP, index + c * GROUP, x + c * step, 1, &four, stream);
        }
    } else {
        for (ptrdiff_t c = 0; c < n; c++) {
            group_max4(y + c * GROUP, x + c * step, &four, stream);
        }
    }
}

/* n columns whose windows have the same taps. */
static void columns(const struct job *job, float *y, uint8_t *index, const float *x, int32_t n,
                    const struct taps *taps)
{
    if (job->ex.b == GROUP && taps->n == 4) {
        ptrdiff_t step = (ptrdiff_t)job->step * GROUP;
        if (job->stream) {
            pixels4(y, index, x, step, n, taps, true);
        } else {
            pixels4(y, index, x, step, n, taps, false);
        }
    } else if (job->ex.b == GROUP) {
        for (int32_t c = 0; c < n; c++) {
            ptrdiff_t at = (ptrdiff_t)c * GROUP;
            group(y + at, index ? index + at : NULL, x + at * job->step, 1, GROUP, taps);
        }
    } else if (job->step == 1) {
        columns_plain(y, index, x, 1, n, taps);
    } else if (job->step == 2) {
        columns_plain(y, index, x, 2, n, taps);
    } else {
        columns_plain(y, index, x, job->step, n, taps);
    }
}

/* Taps i < k with from + i*t < size. */
static int32_t taps_inside(const struct job *job, int32_t from, int32_t size)
{
    int32_t n = 0;
    while (n < job->k && from + n * job->t < size) {
        n++;
    }
    return n;
}

/* One row of a fragment: `base` is its input row, nw its true width; what lies beyond becomes zero.
 */
static void pool_row(const struct job *job, float *y, uint8_t *index, const float *base, int32_t na,
                     int32_t nw, int32_t from, int32_t size)
{
    struct taps taps;
    int32_t b = job->ex.b;
    int32_t room = size - 1 - from - (job->k - 1) * job->t;
    int32_t full = room < 0 ? 0 : room / job->step + 1;
    full = full < nw ? full : nw;
    if (full > 0) {
        fill_taps(&taps, job, na, job->k);
        columns(job, y, index, base + (ptrdiff_t)from * b, full, &taps);
    }
    for (int32_t c = full; c < nw; c++) {
        int32_t left = c * job->step + from;
        fill_taps(&taps, job, na, taps_inside(job, left, size));
        columns(job, y + (ptrdiff_t)c * b, index ? index + (ptrdiff_t)c * b : NULL,
                base + (ptrdiff_t)left * b, 1, &taps);
    }
    size_t tail = (size_t)(job->ey.w - nw) * (size_t)b;
    memset(y + (ptrdiff_t)nw * b, 0, tail * sizeof *y);
    if (index) {
        memset(index + (ptrdiff_t)nw * b, 0, tail);
    }
}

/* A plane of x: fragment (gi, gj) of image n, channel block cb. */
struct place {
    int32_t n, cb, gi, gj;
    const float *x;
};

/* Row r of the fragment of y that starts oi rows and oj columns behind the fragment of x. */
static void pool_fragment(const struct job *job, const struct place *at, int32_t oi, int32_t oj,
                          int32_t r)
{
    int32_t p = job->p;
    int32_t q = job->q;
    int32_t fi = at->gi + p * oi;
    int32_t fj = at->gj + p * oj;
    size_t image = (size_t)((at->n * q + fi) * q + fj);
    size_t plane = image * (size_t)job->ey.cb + (size_t)at->cb;
    size_t to = plane * gt__extent_plane(job->ey) + (size_t)r * gt__extent_row(job->ey);
    int32_t width = gt__fragment_size(job->sx.w, p, at->gj);
    int32_t height = gt__fragment_size(job->sx.h, p, at->gi);
    int32_t top = r * job->step + oi;
    bool inside = r < gt__fragment_size(job->sy.h, q, fi);
    int32_t nw = inside ? gt__fragment_size(job->sy.w, q, fj) : 0;
    int32_t na = inside ? taps_inside(job, top, height) : 0;
    const float *x = at->x + (inside ? (size_t)top * gt__extent_row(job->ex) : 0);
    pool_row(job, job->y + to, job->index ? job->index + to : NULL, x, na, nw, oj, width);
}

/* Where the phase doubles, the four fragments that share a fragment of x are made together. */
static void pool_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct gt_row_span span = gt__row_span(&job->rows, chunk);
    int32_t p = job->p;
    int32_t image = (int32_t)(span.plane / (size_t)job->ex.cb);
    struct place at = {.n = image / (p * p),
                       .cb = (int32_t)(span.plane % (size_t)job->ex.cb),
                       .gi = image % (p * p) / p,
                       .gj = image % p,
                       .x = job->x + span.plane * gt__extent_plane(job->ex)};
    int32_t parts = job->q / p;
    for (int32_t r = span.from; r < span.to; r++) {
        for (int32_t part = 0; part < parts * parts; part++) {
            pool_fragment(job, &at, part / parts, part % parts, r);
        }
    }
    if (job->stream) {
        gt__stream_end();
    }
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    const struct gt_view *x = &step->in[0];
    const struct gt_view *y = &step->out[0];
    struct job job = {.x = gt__f32(x),
                      .y = gt__f32(y),
                      .index = gt__u8(&step->out[1]),
                      .sx = x->shape,
                      .sy = y->shape,
                      .ex = gt__view_extent(x),
                      .ey = gt__view_extent(y),
                      .k = attr->kernel_h,
                      .t = attr->dilation / x->layout.phase,
                      .p = x->layout.phase,
                      .q = y->layout.phase};
    job.stream = job.ey.b == GROUP && gt__stream_pays(job.y, y->size);
    job.step = job.q == job.p ? attr->stride : 2;
    size_t parts = (size_t)(job.q / job.p);
    job.rows =
        gt__rows(gt__extent_planes(job.ex), job.ey.h, parts * parts * gt__extent_row(job.ey));
    gt__pool_for(gt__cpu_pool(device), job.rows.chunks, pool_chunk, &job);
    return GT_OK;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    const struct gt_attr *a = &node->attr;
    struct gt_maxpool_layouts layouts;
    if (!gt__cpu_has(device, POOL_ISA) || a->kernel_h > MAX_KERNEL ||
        !gt__maxpool_layouts(&layouts, g, node, variant, GT_BLOCK)) {
        return false;
    }
    out->in[0] = layouts.large;
    out->out[0] = layouts.small;
    out->out[1] = layouts.index;
    bool index = node->n_out > 1 && node->out[1] != GT_NO_VALUE;
    bool plain = layouts.large.block == 1;
    bool doubles = layouts.small.phase != layouts.large.phase;
    double read = gt__stored(gt__in_shape(g, node, 0), layouts.large);
    double written = gt__stored(gt__out_shape(g, node, 0), layouts.small);
    double taps = (double)a->kernel_h * a->kernel_h;
    double rate = !plain ? 3e9 : a->stride != 1 ? 1.3e9 : doubles ? 2.2e9 : 2.5e9; /* measured */
    out->cost =
        gt__cpu_cost(device, written * taps, rate, 4.0 * read + (index ? 5.0 : 4.0) * written);
    return true;
}

const struct gt_kernel POOL_KERNEL = {.name = POOL_NAME,
                                      .op = GT_OP_maxpool_fwd,
                                      .n_variants = GT_MAXPOOL_VARIANTS,
                                      .plan = plan,
                                      .run = run};
