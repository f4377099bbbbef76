/* The inner product that all transform-domain convolutions share, template for vectors of VW
 * floats. SPDX-License-Identifier: BSD-2-Clause
 *
 * C[r][j] = sum over k of A[r][k] * B[k][j], k ascending, one fused multiply-add (or product and
 * sum, without FMA) per term, for r < rows and j < width (1 or 2 vectors).
 * A  [block of 16 k][row][16]: blocks a_block floats apart, rows 16; true k only are read
 * B  [k][width]
 * C  [row][width] */
#ifndef GT_BACKEND_CPU_PANEL_TMPL_H
#define GT_BACKEND_CPU_PANEL_TMPL_H

#include "backend_cpu/portable/conv2d_geometry.h"
#include "backend_cpu/portable/stream.h"

/* Rows of a register tile of two vectors: 2*MR sums, two of B and a broadcast must fit 32 (AVX-512)
 * or 16 registers. */
#if VW == 16
#define MR 12
#else
#define MR 6
#endif
/* Outputs of a panel, and k of a pass: a pass of B stays in L1. */
#define PANEL (2 * VW)
#define PANEL_K 256

typedef float vf __attribute__((vector_size(4 * VW), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * VW), aligned(4), may_alias));

#if defined(__clang__)
#define PANEL_UNROLL _Pragma("unroll")
#else
#define PANEL_UNROLL _Pragma("GCC unroll 64")
#endif

/* A vector to `to`; stream: past the caches, which pays for whole lines only. */
static inline __attribute__((always_inline)) void panel_store(float *to, vf v, bool stream)
{
    if (VW == 16 && stream) {
        float lanes[VW];
        memcpy(lanes, &v, sizeof v);
        gt__stream_16(to, lanes);
    } else {
        *(vf *)to = v;
    }
}

/* Passes over k after the first go on with the sums in c; panel_product makes passes itself. */
struct panel_call {
    const float *a, *b;
    float *c;
    size_t a_block;
    int32_t k;  /* of this pass */
    bool first; /* pass */
    /* What the next product reads, fetched into L2 line by line meanwhile: its A lies `a_ahead`
     * floats from this one, its B (or else) is next .. next_end. 0 and NULL: nothing. */
    ptrdiff_t a_ahead;
    const float *next, *next_end;
    int32_t next_lines; /* for every 16 k; panel_product sets it */
};

static inline __attribute__((always_inline)) void panel_tile(const int R, const int NV,
                                                             const struct panel_call *p)
{
    vf acc[MR * 2];
    PANEL_UNROLL for (int i = 0; i < R * NV; i++)
    {
        acc[i] = p->first ? (vf){0} : *(const vf *)(p->c + i * VW);
    }
    const float *b = p->b;
    const float *a = p->a;
    const float *next = p->next;
    for (int32_t k = p->k; k > 0; k -= 16) {
        int32_t lanes = k < 16 ? k : 16;
        if (p->a_ahead) {
            PANEL_UNROLL for (int i = 0; i < R; i++)
            {
                __builtin_prefetch(a + i * 16 + p->a_ahead, 0, 2);
            }
        }
        for (int32_t i = 0; i < p->next_lines && next < p->next_end; i++, next += 16) {
            __builtin_prefetch(next, 0, 2);
        }
        for (int32_t l = 0; l < lanes; l++) {
            vf bv[2];
            PANEL_UNROLL for (int v = 0; v < NV; v++)
            {
                bv[v] = *(const vf *)(b + v * VW);
            }
            b += NV * VW;
            PANEL_UNROLL for (int i = 0; i < R * NV; i++)
            {
                acc[i] += a[i / NV * 16 + l] * bv[i % NV];
            }
        }
        a += p->a_block;
    }
    PANEL_UNROLL for (int i = 0; i < R * NV; i++)
    {
        *(vf *)(p->c + i * VW) = acc[i];
    }
}

typedef void (*panel_fn)(const struct panel_call *);
#define PANEL_TILE(R, NV)                                                                          \
    static void panel_tile_##R##_##NV(const struct panel_call *p)                                  \
    {                                                                                              \
        panel_tile(R, NV, p);                                                                      \
    }
#define PANEL_TILES_6(X, NV) X(1, NV) X(2, NV) X(3, NV) X(4, NV) X(5, NV) X(6, NV)
#if VW == 16
#define PANEL_TILES(X, NV)                                                                         \
    PANEL_TILES_6(X, NV) X(7, NV) X(8, NV) X(9, NV) X(10, NV) X(11, NV) X(12, NV)
#else
#define PANEL_TILES(X, NV) PANEL_TILES_6(X, NV)
#endif
#define PANEL_ENTRY(R, NV) panel_tile_##R##_##NV,
PANEL_TILES(PANEL_TILE, 1)
PANEL_TILES(PANEL_TILE, 2)
static const panel_fn panel_tiles[2][MR] = {{PANEL_TILES(PANEL_ENTRY, 1)},
                                            {PANEL_TILES(PANEL_ENTRY, 2)}};

/* Lines of `floats` for each of `parts`. */
static inline int32_t panel_lines(ptrdiff_t floats, int32_t parts)
{
    return (int32_t)((floats / 16 + parts - 1) / parts);
}

/* All k of `rows` rows. Tiles as even as possible: 49 rows are 5 tiles of 10 and 9, not 4 and 1. */
static inline void panel_product(struct panel_call p, int32_t rows, int32_t k, int32_t vectors)
{
    int32_t width = vectors * VW;
    int32_t tiles = gt__ceil_div(rows, MR);
    p.next_lines = p.next ? panel_lines(p.next_end - p.next, tiles * gt__ceil_div(k, 16)) : 0;
    struct panel_call q = p;
    for (int32_t k0 = 0; k0 < k; k0 += PANEL_K) {
        const float *a = p.a;
        float *c = p.c;
        q.b = p.b + (size_t)k0 * (size_t)width;
        q.k = k - k0 < PANEL_K ? k - k0 : PANEL_K;
        q.first = p.first && k0 == 0;
        a += (size_t)(k0 / 16) * p.a_block;
        for (int32_t i = 0; i < tiles; i++) {
            int32_t r = rows / tiles + (i < rows % tiles);
            q.a = a;
            q.c = c;
            panel_tiles[vectors - 1][r - 1](&q);
            if (q.next) { /* not beyond the end: lines are rounded up */
                ptrdiff_t gone = (ptrdiff_t)p.next_lines * gt__ceil_div(q.k, 16) * 16;
                q.next = q.next_end - q.next > gone ? q.next + gone : q.next_end;
            }
            a += (size_t)r * 16;
            c += (size_t)r * (size_t)width;
        }
    }
}

#endif
