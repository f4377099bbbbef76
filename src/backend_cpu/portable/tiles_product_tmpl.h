/* The inner product over tiles that weight gradients in a transform domain share, template for
 * vectors of VW floats. SPDX-License-Identifier: BSD-2-Clause
 *
 * C[i][o] (+)= sum over tiles t of A[t][i] * B[t][o], t ascending in passes whose sums are added in
 * order, for `rows` i (a multiple of 16) and `width` o (1 or 2 vectors).
 * A [block of 16 i][t][16], B [block of 16 o][t][16], C [i][width] */
#ifndef GT_BACKEND_CPU_TILES_PRODUCT_TMPL_H
#define GT_BACKEND_CPU_TILES_PRODUCT_TMPL_H

#include "backend_cpu/portable/panel_tmpl.h"

#if VW == 16
#define TILES_ROWS 8 /* of a register tile: 2*8 sums */
#else
#define TILES_ROWS 4
#endif
enum { TILES_PASS = 128 }; /* B of so many tiles stays in L1 */

struct tiles_product {
    const float *a, *b;
    float *c;
    size_t a_block, b_block, rows, width;
    int32_t tiles;
    bool first; /* else added to what C holds */
    /* The next product's A lies so many floats from this one, fetched meanwhile; 0: nothing. */
    ptrdiff_t a_ahead;
};

static inline __attribute__((always_inline)) void tiles_tile(const int NV,
                                                             const struct tiles_product *p)
{
    vf acc[TILES_ROWS * 2];
    float *c = p->c;
    size_t width = p->width;
    bool first = p->first;
    PANEL_UNROLL for (int i = 0; i < TILES_ROWS * NV; i++)
    {
        acc[i] = (vf){0};
        /* C comes while A and B are summed: starting from it would wait for it */
        __builtin_prefetch(c + (size_t)(i / NV) * width + i % NV * VW, 1, 3);
    }
    const float *a = p->a;
    const float *b = p->b;
    size_t next = VW == 16 ? p->b_block : (size_t)VW;
    for (int32_t t = 0; t < p->tiles; t++, a += 16, b += 16) {
        vf bv[2];
        __builtin_prefetch(a + p->a_ahead, 0, 2);
        PANEL_UNROLL for (int v = 0; v < NV; v++)
        {
            bv[v] = *(const vf *)(b + (size_t)v * next);
        }
        PANEL_UNROLL for (int i = 0; i < TILES_ROWS * NV; i++)
        {
            acc[i] += a[i / NV] * bv[i % NV];
        }
    }
    PANEL_UNROLL for (int i = 0; i < TILES_ROWS * NV; i++)
    {
        vf *to = (vf *)(c + (size_t)(i / NV) * width + i % NV * VW);
        if (!first) {
            acc[i] += *to;
        }
        *to = acc[i];
    }
}
static void tiles_tile_1(const struct tiles_product *p)
{
    tiles_tile(1, p);
}
static void tiles_tile_2(const struct tiles_product *p)
{
    tiles_tile(2, p);
}

static inline void tiles_product(const struct tiles_product *p)
{
    struct tiles_product q = *p;
    for (int32_t t = 0; t < p->tiles; t += TILES_PASS) {
        size_t at = (size_t)t * 16;
        q.b = p->b + at;
        q.tiles = conv_min(TILES_PASS, p->tiles - t);
        q.first = p->first && t == 0;
        for (size_t r = 0; r < p->rows; r += TILES_ROWS) {
            q.a = p->a + r / 16 * p->a_block + at + r % 16;
            q.a_ahead = r % 16 == 0 ? p->a_ahead : 0;
            q.c = p->c + r * p->width;
            (p->width == PANEL ? tiles_tile_2 : tiles_tile_1)(&q);
        }
    }
}

#endif
