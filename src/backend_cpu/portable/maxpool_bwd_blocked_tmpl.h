/* Gradient of max pooling, template for instruction sets: the including file defines POOL_KERNEL,
 * POOL_NAME and POOL_ISA (mask the CPU must have). dx[n][c][h][w] = sum over the windows (i, j)
 * whose maximum was (h, w) of dy[n][c][i][j]. SPDX-License-Identifier: BSD-2-Clause
 *
 * dy and index in block 1 or 16 and phase q, dx in the same block and phase p: q = p or q = 2p, as
 * maxpool_fwd_blocked has them. Every row of dx is made by one chunk: the rows of dy that can reach
 * it are those of the k row taps, so nothing is written by two threads. Taps are taken from the
 * last to the first, which adds windows in row-major order. */
#include "backend_cpu/portable/chunk.h"
#include "backend_cpu/portable/stream.h"

struct job {
    const float *dy;
    const uint8_t *index;
    float *dx;
    gt_shape sx, sy;
    struct gt_extent ex, ey;
    int32_t k, t, stride, p, q;
    struct gt_rows rows;
    const struct gt_device *device;
    bool stream; /* dx, in block 16, from rows summed in a thread's memory */
};

/* dx[i*step] += dy[i] where the index is `code`. */
__attribute__((always_inline)) static inline void add_where(float *restrict dx, ptrdiff_t step,
                                                            const float *restrict dy,
                                                            const uint8_t *restrict index,
                                                            ptrdiff_t n, uint8_t code)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        /* a mask: a choice between floats would become a branch */
        uint32_t bits;
        memcpy(&bits, &dy[i], sizeof bits);
        bits &= 0u - (uint32_t)(index[i] == code);
        float d;
        memcpy(&d, &bits, sizeof d);
        dx[i * step] += d;
    }
}

/* n columns of dy go to columns `step` apart. */
static void add_columns(float *dx, int32_t step, const float *dy, const uint8_t *index, int32_t n,
                        int32_t block, uint8_t code)
{
    if (step == 1) {
        add_where(dx, 1, dy, index, (ptrdiff_t)n * block, code);
    } else if (block == GT_BLOCK) {
        for (ptrdiff_t c = 0; c < n; c++) {
            add_where(dx + c * step * GT_BLOCK, 1, dy + c * GT_BLOCK, index + c * GT_BLOCK,
                      GT_BLOCK, code);
        }
    } else if (step == 2) {
        add_where(dx, 2, dy, index, n, code);
    } else {
        add_where(dx, step, dy, index, n, code);
    }
}

/* Where a row of dx in fragment (gi, gj) of image n, channel block cb lies. */
struct place {
    int32_t n, cb, gi, gj, width;
};

/* Add what row `row` of y (counted in phase p) gives through row tap a. */
static void add_row(const struct job *job, float *dx, const struct place *at, int32_t row,
                    int32_t a)
{
    int32_t doubled = job->q / job->p; /* 1 or 2 */
    int32_t step = doubled == 2 ? 2 : job->stride;
    int32_t fi = at->gi + job->p * (doubled == 2 ? row & 1 : 0);
    int32_t r = row / step;
    int32_t block = job->ex.b;
    for (int32_t b = job->k - 1; b >= 0; b--) {
        for (int32_t oj = 0; oj < doubled; oj++) {
            int32_t fj = at->gj + job->p * oj;
            int32_t first = oj + b * job->t;
            int32_t n = gt__fragment_size(job->sy.w, job->q, fj);
            int32_t fit = first < at->width ? (at->width - 1 - first) / step + 1 : 0;
            n = n < fit ? n : fit; /* taps that the border clips */
            size_t image = (size_t)(at->n * job->q * job->q + fi * job->q + fj);
            size_t from =
                (image * (size_t)job->ey.cb + (size_t)at->cb) * gt__extent_plane(job->ey) +
                (size_t)r * gt__extent_row(job->ey);
            add_columns(dx + (ptrdiff_t)first * block, step, job->dy + from, job->index + from, n,
                        block, (uint8_t)(a * job->k + b));
        }
    }
}

static void unpool_chunk(void *cookie, size_t chunk, int32_t thread)
{
    const struct job *job = cookie;
    struct gt_row_span span = gt__row_span(&job->rows, chunk);
    int32_t p = job->p;
    int32_t image = (int32_t)(span.plane / (size_t)job->ex.cb);
    struct place at = {.n = image / (p * p),
                       .cb = (int32_t)(span.plane % (size_t)job->ex.cb),
                       .gi = image % (p * p) / p,
                       .gj = image % p};
    at.width = gt__fragment_size(job->sx.w, p, at.gj);
    int32_t height = gt__fragment_size(job->sx.h, p, at.gi);
    size_t size = gt__extent_row(job->ex);
    float *sums = gt__cpu_thread_scratch(job->device, thread);
    for (int32_t h = span.from; h < span.to; h++) {
        float *to = job->dx + span.plane * gt__extent_plane(job->ex) + (size_t)h * size;
        float *dx = job->stream ? sums : to;
        memset(dx, 0, size * sizeof *dx);
        for (int32_t a = job->k - 1; a >= 0 && h < height; a--) {
            int32_t row = h - a * job->t;
            if (row >= 0 && row % job->stride == 0 && row / job->stride * p + at.gi < job->sy.h) {
                add_row(job, dx, &at, row, a);
            }
        }
        if (job->stream) {
            gt__stream_copy(to, sums, (size_t)job->ex.w);
        }
    }
    if (job->stream) {
        gt__stream_end();
    }
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    const struct gt_view *dy = &step->in[0];
    const struct gt_view *dx = &step->out[0];
    struct job job = {.dy = gt__f32(dy),
                      .index = gt__u8(&step->in[1]),
                      .dx = gt__f32(dx),
                      .sx = dx->shape,
                      .sy = dy->shape,
                      .ex = gt__view_extent(dx),
                      .ey = gt__view_extent(dy),
                      .k = attr->kernel_h,
                      .t = attr->dilation / dx->layout.phase,
                      .stride = attr->stride,
                      .p = dx->layout.phase,
                      .q = dy->layout.phase,
                      .device = device};
    job.stream = job.ex.b == GT_BLOCK && gt__stream_pays(job.dx, dx->size) &&
                 gt__extent_row(job.ex) * sizeof(float) <= GT_CPU_SCRATCH;
    job.rows = gt__rows(gt__extent_planes(job.ex), job.ex.h, gt__extent_row(job.ex));
    gt__pool_for(gt__cpu_pool(device), job.rows.chunks, unpool_chunk, &job);
    return GT_OK;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    const struct gt_attr *a = &node->attr;
    struct gt_maxpool_layouts layouts;
    if (!gt__cpu_has(device, POOL_ISA) ||
        !gt__maxpool_layouts(&layouts, g, node, variant, GT_BLOCK)) {
        return false;
    }
    out->in[0] = layouts.small;
    out->in[1] = layouts.index;
    out->out[0] = layouts.large;
    bool plain = layouts.large.block == 1;
    bool doubles = layouts.small.phase != layouts.large.phase;
    double read = gt__stored(gt__in_shape(g, node, 0), layouts.small);
    double written = gt__stored(gt__out_shape(g, node, 0), layouts.large);
    double taps = (double)a->kernel_h * a->kernel_h;
    double rate = !plain ? 4e9 : a->stride != 1 || doubles ? 2.2e9 : 3e9; /* measured */
    out->cost = gt__cpu_cost(device, read * taps + written, rate, 5.0 * read + 8.0 * written);
    return true;
}

const struct gt_kernel POOL_KERNEL = {.name = POOL_NAME,
                                      .op = GT_OP_maxpool_bwd,
                                      .n_variants = GT_MAXPOOL_VARIANTS,
                                      .plan = plan,
                                      .run = run};
