/* The inner loop of the convolution with operands in bfloat16: register tiles of T pixels x NV
 * vectors of outputs, see conv2d_fwd_blocked_avx512bf16.c. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_CPU_DOT_TILE_AVX512BF16_H
#define GT_BACKEND_CPU_DOT_TILE_AVX512BF16_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    T_MAX = 14, /* 2*T sums, 2 vectors of weights and a broadcast fit 32 registers */
    NV_MAX = 2,
    GW = 16 * NV_MAX,
    PAIRS = 8 /* of a block */
};

typedef float vf __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(64), aligned(4), may_alias));

#if defined(__clang__)
#define DOT_UNROLL _Pragma("unroll")
#else
#define DOT_UNROLL _Pragma("GCC unroll 32")
#endif

/* One group of outputs, one piece of the weights. */
struct dot_call {
    const uint32_t *w;            /* pairs, at unit u0 */
    size_t x_block, x_row, x_tap; /* steps of rounded x in pairs: block, kernel row and column */
    size_t y_block;
    int32_t cb, a, units; /* first (block, kernel row) and how many */
    int32_t kh, kw, blocks, last_pairs;
    bool first, last, relu; /* of the sum; the epilogue follows the last */
    bool stream;            /* y */
    float bias[GW];
    int32_t mask[GW]; /* -1 for true outputs */
};

static inline __attribute__((always_inline)) vf dot_pair(vf sum, uint32_t x, vi w)
{
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int)x), (__m512bh)w);
}

static inline __attribute__((always_inline)) vf dot_epilogue(const struct dot_call *c, vf s, int v)
{
    s += *(const vf *)(c->bias + v);
    vi keep = *(const vi *)(c->mask + v);
    if (c->relu) {
        keep &= ~(vi)(s < (vf){0});
    }
    return (vf)((vi)s & keep);
}

static inline __attribute__((always_inline)) void dot_tile(const int T, const int NV,
                                                           const struct dot_call *c,
                                                           const uint32_t *x, float *sums, float *y)
{
    vf acc[T_MAX * NV_MAX];
    DOT_UNROLL for (int i = 0; i < T * NV; i++)
    {
        acc[i] = c->first ? (vf){0} : *(const vf *)(sums + i / NV * GW + i % NV * 16);
    }
    const uint32_t *w = c->w;
    int32_t cb = c->cb;
    int32_t a = c->a;
    for (int32_t u = 0; u < c->units; u++) {
        const uint32_t *row = x + (size_t)cb * c->x_block + (size_t)a * c->x_row;
        int32_t pairs = cb == c->blocks - 1 ? c->last_pairs : PAIRS;
        for (int32_t b = 0; b < c->kw; b++) {
            for (int32_t p = 0; p < pairs; p++) {
                vi wv[NV_MAX];
                DOT_UNROLL for (int v = 0; v < NV; v++)
                {
                    wv[v] = *(const vi *)(w + v * 16);
                }
                w += NV * 16;
                DOT_UNROLL for (int i = 0; i < T * NV; i++)
                {
                    acc[i] = dot_pair(acc[i], row[i / NV * PAIRS + p], wv[i % NV]);
                }
            }
            row += c->x_tap;
        }
        if (++a == c->kh) {
            a = 0;
            cb++;
        }
    }
    DOT_UNROLL for (int i = 0; i < T * NV; i++)
    {
        if (c->last) {
            vf s = dot_epilogue(c, acc[i], i % NV * 16);
            float *to = y + i / NV * 16 + (size_t)(i % NV) * c->y_block;
            if (c->stream) {
                _mm512_stream_ps(to, (__m512)s);
            } else {
                *(vf *)to = s;
            }
        } else {
            *(vf *)(sums + i / NV * GW + i % NV * 16) = acc[i];
        }
    }
}

typedef void (*dot_tile_fn)(const struct dot_call *, const uint32_t *, float *, float *);
#define DOT_TILE(T, NV)                                                                            \
    static void dot_tile_##T##_##NV(const struct dot_call *c, const uint32_t *x, float *sums,      \
                                    float *y)                                                      \
    {                                                                                              \
        dot_tile(T, NV, c, x, sums, y);                                                            \
    }
#define DOT_TILES(X, NV)                                                                           \
    X(1, NV)                                                                                       \
    X(2, NV)                                                                                       \
    X(3, NV)                                                                                       \
    X(4, NV)                                                                                       \
    X(5, NV) X(6, NV) X(7, NV) X(8, NV) X(9, NV) X(10, NV) X(11, NV) X(12, NV) X(13, NV) X(14, NV)
#define DOT_ENTRY(T, NV) dot_tile_##T##_##NV,
DOT_TILES(DOT_TILE, 1)
DOT_TILES(DOT_TILE, 2)
static const dot_tile_fn dot_tiles[NV_MAX][T_MAX] = {{DOT_TILES(DOT_ENTRY, 1)},
                                                     {DOT_TILES(DOT_ENTRY, 2)}};

#endif
