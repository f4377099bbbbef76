/* Columns of a planar image for the convolutions that go through OpenBLAS.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Column buffers belong to slots; a slot is used by one chunk at a time. Their sizes and the chunks
 * follow from shapes only; the number of slots is bounded, also in bytes. */
#ifndef GT_BACKEND_CPU_CONV2D_IM2COL_H
#define GT_BACKEND_CPU_CONV2D_IM2COL_H

#include "backend_cpu/portable/conv2d_geometry.h"
#include <cblas.h>
#include <stdatomic.h>
#include <strings.h>

/* Bytes of all slots together, and their number; a buffer aims at COLUMN_BYTES, to stay in L2
 * beside the operands. */
#define COLUMN_BYTES ((size_t)3 << 19)
#define COLUMN_TOTAL_BYTES ((size_t)40 << 20)
#define COLUMN_SLOTS ((size_t)16)
/* Calls of OpenBLAS at once: each takes one of its own buffers, of which it has twice the processors
 * it was built for (64 in Debian). Beyond them it prints warnings, and in the end aborts. */
#define COLUMN_CALLS ((size_t)64)
#define COLUMN_PIXELS 1024
#define COLUMN_CHUNKS 32

/* Inputs per column buffer for rectangles of `pixels`: at least one, at most `most`. */
static inline int32_t column_channels(const struct conv_geometry *g, size_t pixels, int32_t most)
{
    size_t one = (size_t)g->kh * (size_t)g->kw * pixels * sizeof(float);
    size_t n = COLUMN_BYTES / one;
    return n < 1 ? 1 : n < (size_t)most ? (int32_t)n : most;
}

/* Pixels of a rectangle so that one input's columns fit the buffer. */
static inline int32_t column_pixels(const struct conv_geometry *g)
{
    size_t taps = (size_t)g->kh * (size_t)g->kw;
    size_t most = COLUMN_BYTES / sizeof(float) / taps;
    return most < COLUMN_PIXELS ? conv_max(1, (int32_t)most) : COLUMN_PIXELS;
}

/* 1x1 kernels read the image itself: a plane without rows. */
static inline void column_flatten(struct conv_geometry *g)
{
    if (g->kh == 1 && g->kw == 1 && (int64_t)g->ho * g->wo <= INT32_MAX) {
        g->wi = g->wo = g->ho * g->wo;
        g->hi = g->ho = 1;
    }
}

/* Buffers that exist at once. Not the number of threads: the memory of a plan decides the tiles of
 * an image, and those must not depend on the threads. */
static inline size_t column_slots(size_t slot_bytes)
{
    if (slot_bytes == 0) {
        return COLUMN_CALLS; /* no buffer is needed */
    }
    size_t most = COLUMN_TOTAL_BYTES / slot_bytes;
    return most < 1 ? 1 : most < COLUMN_SLOTS ? most : COLUMN_SLOTS;
}

/* Run the chunks with `slots` buffers: directly if every thread has one, else every slot takes the
 * next chunk that is left until there is none. */
struct column_queue {
    gt_pool_fn fn;
    void *cookie;
    size_t chunks;
    atomic_size_t next;
};
static inline void column_slot(void *cookie, size_t slot, int32_t thread)
{
    (void)thread;
    struct column_queue *q = cookie;
    for (;;) {
        size_t chunk = atomic_fetch_add_explicit(&q->next, 1, memory_order_relaxed);
        if (chunk >= q->chunks) {
            return;
        }
        q->fn(q->cookie, chunk, (int32_t)slot);
    }
}
static inline void column_for(struct gt_pool *pool, size_t slots, size_t chunks, gt_pool_fn fn,
                              void *cookie)
{
    if (slots >= (size_t)gt__pool_threads(pool)) {
        gt__pool_for(pool, chunks, fn, cookie);
        return;
    }
    struct column_queue queue = {.fn = fn, .cookie = cookie, .chunks = chunks};
    atomic_init(&queue.next, 0);
    gt__pool_for(pool, slots, column_slot, &queue);
}

/* col[c][a][b][pixel of r] = x[c][i + a*d][j + b*d] for n channels of an image of hi x wi. */
static inline void column_fill(float *col, const struct conv_geometry *g, const float *x, int32_t n,
                               struct conv_rect r)
{
    size_t cols = (size_t)(r.c1 - r.c0);
    for (int32_t c = 0; c < n; c++) {
        const float *plane = x + (size_t)c * (size_t)g->hi * (size_t)g->wi;
        for (int32_t a = 0; a < g->kh; a++) {
            for (int32_t b = 0; b < g->kw; b++) {
                const float *src = plane + (size_t)(r.r0 + a * g->d) * (size_t)g->wi +
                                   (size_t)r.c0 + (size_t)b * (size_t)g->d;
                for (int32_t i = r.r0; i < r.r1; i++) {
                    memcpy(col, src, cols * sizeof(float));
                    col += cols;
                    src += g->wi;
                }
            }
        }
    }
}

/* The transpose: add columns to the image. */
static inline void column_add(float *x, const struct conv_geometry *g, const float *col, int32_t n,
                              struct conv_rect r)
{
    int32_t cols = r.c1 - r.c0;
    for (int32_t c = 0; c < n; c++) {
        float *plane = x + (size_t)c * (size_t)g->hi * (size_t)g->wi;
        for (int32_t a = 0; a < g->kh; a++) {
            for (int32_t b = 0; b < g->kw; b++) {
                float *dst = plane + (size_t)(r.r0 + a * g->d) * (size_t)g->wi + (size_t)r.c0 +
                             (size_t)b * (size_t)g->d;
                for (int32_t i = r.r0; i < r.r1; i++) {
                    for (int32_t k = 0; k < cols; k++) {
                        dst[k] += col[k];
                    }
                    col += cols;
                    dst += g->wi;
                }
            }
        }
    }
}

static inline bool column_is_one(const struct conv_geometry *g)
{
    return g->kh == 1 && g->kw == 1;
}

/* What lies beyond the true sizes of the fragments of a planar tensor becomes zero. A step of its
 * own, since a flattened plane has no rows. */
struct column_tails {
    float *data;
    int32_t c, h, w, phase; /* true sizes */
};
static inline void column_tail(void *cookie, size_t image, int32_t thread)
{
    (void)thread;
    const struct column_tails *t = cookie;
    int32_t h = gt__ceil_div(t->h, t->phase);
    int32_t w = gt__ceil_div(t->w, t->phase);
    int32_t th = 0;
    int32_t tw = 0;
    conv_true_size(&th, &tw, t->h, t->w, t->phase, (int32_t)image);
    for (size_t c = 0; c < (size_t)t->c; c++) {
        float *plane = t->data + (image * (size_t)t->c + c) * (size_t)h * (size_t)w;
        conv_zero_tail(plane, w, 1, (struct conv_rect){0, h, 0, w}, th, tw);
    }
}
static inline void column_clear_tails(struct gt_pool *pool, float *data, gt_shape s, int32_t phase)
{
    struct column_tails t = {data, s.c, s.h, s.w, phase};
    if (phase > 1) {
        gt__pool_for(pool, (size_t)s.n * (size_t)phase * (size_t)phase, column_tail, &t);
    }
}

static inline size_t column_rect_pixels(struct conv_rect r)
{
    return (size_t)(r.r1 - r.r0) * (size_t)(r.c1 - r.c0);
}

/* OpenBLAS counts in int: refuse what it cannot address. */
static inline bool column_fits(const struct conv_geometry *g)
{
    return (int64_t)g->cin * g->kh * g->kw <= INT32_MAX && (int64_t)g->hi * g->wi <= INT32_MAX;
}

/* Phases 1, 2, 4, 8 by variant. */
#define COLUMN_VARIANTS 4

/* What OpenBLAS reaches with columns, flops per second and thread, by the kernels that it picked.
 * It takes its oldest ones on processors it does not know. */
static inline double column_rate(void)
{
    static const struct {
        const char *core;
        double rate;
    } rates[] = {{"SkylakeX", 100e9},  {"Cooperlake", 100e9}, {"SapphireRapids", 100e9},
                 {"Haswell", 60e9},    {"Zen", 60e9},         {"Excavator", 30e9},
                 {"Sandybridge", 35e9}};
    const char *core = openblas_get_corename();
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        if (strcasecmp(core, rates[i].core) == 0) {
            return rates[i].rate;
        }
    }
    return 25e9;
}
#define COLUMN_BYTES_PER_SECOND 15e9 /* to build or add columns, per thread */
static inline double column_cost(const struct gt_device *d, const struct conv_geometry *g)
{
    double pixels = (double)g->n * g->ho * g->wo;
    double tensors = 4.0 * pixels * (g->cin + g->cout);
    double columns = column_is_one(g) ? 0 : 8.0 * pixels * g->cin * g->kh * g->kw;
    return gt__cpu_cost(d, conv_flops(g), column_rate(), tensors) +
           gt__cpu_cost(d, columns, COLUMN_BYTES_PER_SECOND, 0);
}

#endif
