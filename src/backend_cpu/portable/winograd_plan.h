/* Which Winograd form fits a convolution, and how its tiles are cut: what plan and run of all
 * instruction sets share. Needs PANEL of the template. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_CPU_WINOGRAD_PLAN_H
#define GT_BACKEND_CPU_WINOGRAD_PLAN_H

#include "backend_cpu/portable/conv2d_geometry.h"

/* Bytes of V in a thread's scratch memory, and of M. */
#define WINO_V_BYTES ((size_t)1 << 20)
#define WINO_M_BYTES ((size_t)3 << 18)
#define WINO_FUSED_TILES 48
#define WINO_CHANNELS 12
#define WINO_SPLIT_TILES 120
#define WINO_NEAR ((size_t)1 << 21)        /* floats: packed weights beyond are fetched ahead */
#define WINO_PANEL_BYTES ((size_t)1 << 20) /* of M and transformed weights of a split chunk */

/* A correlation of images with kernels r x r by tiles of m x m outputs. */
struct wino_grid {
    int32_t alpha, r, m;
    int32_t ci, co, pad; /* pad: rows and columns of zeros around x */
    int32_t hi, wi, ho, wo;
    int32_t rows, cols, tiles; /* of an image, of all images */
    int32_t block;             /* tiles of a chunk */
    bool split;
    bool packed; /* weights are transformed once and kept; fused forms always do */
};

/* Floats between points and between channel blocks of V, and in all. */
struct wino_plane {
    size_t point, block, total;
};
static inline struct wino_plane wino_plane(const struct wino_grid *g)
{
    struct wino_plane p;
    p.block = (size_t)(g->split ? g->tiles : g->block) * 16;
    p.block += p.block % 1024 == 0 ? 16 : 0; /* not whole pages apart: cache sets */
    p.point = p.block * (size_t)gt__ceil_div(g->ci, 16);
    p.point += p.point / 16 % 2 == 0 ? 16 : 0; /* an odd number of lines */
    p.total = p.point * (size_t)(g->alpha * g->alpha);
    return p;
}

/* Inputs whose weights a chunk of a split layer transforms at a time. */
static inline int32_t wino_panel_inputs(const struct wino_grid *g, int32_t panel)
{
    size_t points = (size_t)(g->alpha * g->alpha);
    size_t of_one = points * (size_t)panel * sizeof(float);
    size_t m = of_one * (size_t)g->block;
    size_t inputs = m < WINO_PANEL_BYTES ? (WINO_PANEL_BYTES - m) / of_one / 16 * 16 : 0;
    return inputs < 32 ? 32 : inputs > 64 ? 64 : (int32_t)inputs;
}

/* How much larger the terms can grow than those of the direct sum: with A, G and B of one dimension,
 * the square of the largest over j of sum over i of |A_ij| * sum |G_i| * sum |B_i| / r; for the
 * weight gradient the same with G and A exchanged and m for r. */
static inline double wino_growth(const struct wino_grid *g, bool weights)
{
    static const double forward8[] = {0, 0, 0, 508.8, 372.7, 301.2, 268.6}; /* by r */
    static const double weight8[] = {0, 0, 0, 268.6, 301.2, 372.7, 508.8};
    if (g->alpha == 6) {
        return g->r == 2 ? (weights ? 133.0 : 413.4) : (weights ? 177.8 : 256.0);
    }
    return (weights ? weight8 : forward8)[g->r];
}

/* images: fragments. False if this form does not fit. */
static inline bool wino_grid(struct wino_grid *g, int32_t images, int32_t panel)
{
    g->m = g->alpha + 1 - g->r;
    g->packed = g->packed || !g->split;
    if (g->alpha == 6 ? g->r < 2 || g->r > 3 : g->r < 3 || g->r > 6) {
        return false;
    }
    if (g->ci < WINO_CHANNELS) {
        return false; /* the transforms cost more than the products save */
    }
    g->rows = gt__ceil_div(g->ho, g->m);
    g->cols = gt__ceil_div(g->wo, g->m);
    int64_t tiles = (int64_t)g->rows * g->cols * images;
    if (tiles > INT32_MAX / 64) {
        return false;
    }
    g->tiles = (int32_t)tiles;
    size_t points = (size_t)(g->alpha * g->alpha);
    size_t of_v = points * (size_t)gt__ceil_div(g->ci, 16) * 16 * sizeof(float);
    size_t of_m = points * (size_t)panel * sizeof(float);
    size_t most = g->split ? WINO_M_BYTES / of_m : WINO_V_BYTES / of_v;
    most = most < WINO_M_BYTES / of_m ? most : WINO_M_BYTES / of_m;
    size_t wanted = g->split ? WINO_SPLIT_TILES : WINO_FUSED_TILES;
    most = most < wanted ? most : wanted;
    if (most < 8) {
        return false; /* the sums would be read and written more than the products cost */
    }
    /* even blocks, enough of them for some threads */
    int32_t blocks = gt__ceil_div(g->tiles, (int32_t)most);
    if (!g->split && blocks < 16) {
        blocks = conv_max(blocks, conv_min(16, gt__ceil_div(g->tiles, 12)));
    }
    g->block = gt__ceil_div(g->tiles, blocks);
    return true;
}

#endif
