/* How images are cut for the frequency domain, and what that costs: what plan and run share. Needs
 * PANEL of the template and fft_count(); the layouts are in conv2d_fft_tmpl.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_CPU_CONV2D_FFT_PLAN_H
#define GT_BACKEND_CPU_CONV2D_FFT_PLAN_H

#include "backend_cpu/portable/fft_tmpl.h"

enum {
    FFT_TILES = 128,            /* of a pass */
    FFT_ROUND_BYTES = 96 << 20, /* of U and M, unless one panel needs more */
    FFT_CHANNELS = 12,          /* fewer inputs are not worth the transforms */
    FFT_LENGTHS = 5,
    FFT_TAPS = 20 * 20 /* 2*k <= L + 1 */
};
static const int32_t fft_lengths[FFT_LENGTHS] = {16, 24, 25, 32, 40};

struct fft_grid {
    int32_t length, k, m; /* m: outputs of a tile along an axis */
    int32_t ci, co, pad;  /* pad: rows and columns of zeros around x */
    int32_t hi, wi, ho, wo;
    int32_t rows, cols, tiles; /* of an image, of all images */
    int32_t pass;              /* tiles */
    int32_t panels, round;     /* of outputs, of them at once */
    int32_t count;             /* frequencies */
    bool full, packed;
};

/* Floats between the parts of V and M. */
struct fft_plane {
    size_t block, plane, frequency, total;
};

static inline struct fft_plane fft_v_plane(const struct fft_grid *g)
{
    struct fft_plane p;
    p.block = (size_t)g->pass * 16;
    p.block += p.block % 1024 == 0 ? 16 : 0; /* not whole pages apart: cache sets */
    p.plane = p.block * (size_t)gt__ceil_div(g->ci, 16);
    p.plane += p.plane / 16 % 2 == 0 ? 16 : 0; /* an odd number of lines */
    p.frequency = 2 * p.plane;
    p.total = p.frequency * (size_t)g->count;
    return p;
}
static inline struct fft_plane fft_m_plane(const struct fft_grid *g)
{
    struct fft_plane p;
    p.block = 0;
    p.plane = (size_t)g->pass * PANEL;
    p.plane += p.plane / 16 % 2 == 0 ? 16 : 0;
    p.frequency = 2 * p.plane;
    p.total = p.frequency * (size_t)g->count;
    return p;
}

/* Floats from frequency to frequency of U: an odd number of lines, not whole pages. */
static inline size_t fft_u_frequency(const struct fft_grid *g, int32_t width)
{
    size_t n = 2 * (size_t)g->ci * (size_t)width;
    return n + (n / 16 % 2 == 0 ? 16 : 0);
}
/* Floats of U for one panel. */
static inline size_t fft_u_panel(const struct fft_grid *g)
{
    return (size_t)g->count * fft_u_frequency(g, PANEL);
}

/* Panels of outputs: PANEL lanes each, the last may be half as wide. */
static inline int32_t fft_width(int32_t co, int32_t panel)
{
    return conv_min(PANEL, gt__ceil_div(co, 16) * 16 - panel * PANEL);
}

/* False if this length does not fit. */
static inline bool fft_grid(struct fft_grid *g, int32_t images)
{
    g->m = g->full ? g->length : g->length + 1 - g->k;
    if (g->k < 5 || 2 * g->k > g->length + 1 || g->ci < FFT_CHANNELS) {
        return false;
    }
    if (g->full && (g->ho > g->length || g->wo > g->length)) {
        return false;
    }
    g->rows = gt__ceil_div(g->ho, g->m);
    g->cols = gt__ceil_div(g->wo, g->m);
    int64_t tiles = (int64_t)g->rows * g->cols * images;
    if (tiles > INT32_MAX / 64) {
        return false;
    }
    g->tiles = (int32_t)tiles;
    int32_t passes = gt__ceil_div(g->tiles, FFT_TILES);
    g->pass = gt__ceil_div(g->tiles, passes);
    g->count = fft_count(g->length);
    g->panels = gt__ceil_div(gt__ceil_div(g->co, 16) * 16, PANEL);
    size_t of_panel = (fft_m_plane(g).total + (g->packed ? 0 : fft_u_panel(g))) * sizeof(float);
    size_t round = FFT_ROUND_BYTES / of_panel;
    g->round = conv_max(1, conv_min(g->panels, (int32_t)round));
    return true;
}

enum { FFT_PRODUCT_ROWS = 4 * 12 }; /* tiles at once: three products of them stay in L1 */

/* Floats that a product takes of a thread's scratch memory: the sum, b, c. */
static inline size_t fft_product_room(const struct fft_grid *g)
{
    return fft_v_plane(g).plane + 3 * (size_t)g->ci * PANEL + 3 * FFT_PRODUCT_ROWS * PANEL;
}

/* Bytes of U if packed, and of V, M and else U; false on overflow, or if a product exceeds a
 * thread's scratch memory. */
static inline bool fft_bytes(size_t *packed, size_t *scratch, const struct fft_grid *g)
{
    size_t round = 0;
    size_t u = fft_u_panel(g);
    *packed = 0;
    return fft_product_room(g) * sizeof(float) <= GT_CPU_SCRATCH &&
           gt__mul(&round, fft_m_plane(g).total + (g->packed ? 0 : u), (size_t)g->round) &&
           gt__mul(scratch, fft_v_plane(g).total + round, sizeof(float)) &&
           (!g->packed || gt__mul(packed, u * (size_t)g->panels, sizeof(float)));
}

/* Flops of a transform of one channel's tile, about. */
static inline double fft_tile_work(const struct fft_grid *g)
{
    return 1.5 * g->length * 30.0 * g->length;
}

/* Flops that transforming all weights takes the time of. */
static inline double fft_weights_work(const struct fft_grid *g)
{
    return 4.0 / 1.5 * fft_tile_work(g) * g->ci * gt__ceil_div(g->co, 16) * 16.0;
}

/* Three products at `rate`; transforms, of the weights once a pass unless they are packed and come
 * from main memory, fetched ahead; spectra through the caches. */
static inline double fft_cost(const struct gt_device *d, const struct fft_grid *g, double rate,
                              size_t packed)
{
    double lanes = gt__ceil_div(g->co, 16) * 16.0;
    double in = gt__ceil_div(g->ci, 16) * 16.0;
    double tiles = (double)g->tiles;
    double products = 6.0 * g->count * tiles * g->ci * lanes;
    double moved = 4.0 * g->count * tiles * (3 * in + 4 * lanes);
    double passes = gt__ceil_div(g->tiles, g->pass);
    double weights = g->packed ? 0 : fft_weights_work(g) * passes;
    double work =
        1.1 * products + 4 * fft_tile_work(g) * tiles * (in + lanes) + weights + 8 * moved;
    return gt__cpu_cost(d, work, rate, (double)packed * passes / 2);
}

/* Seconds of packing, where weights change. */
static inline double fft_fill(const struct gt_device *d, const struct fft_grid *g, double rate,
                              size_t packed)
{
    return g->packed ? gt__cpu_cost(d, fft_weights_work(g), rate, (double)packed) : 0.0;
}

/* How much larger errors can be than the plain sum's: every output is a sum over all L^2 products
 * of the tile instead of its k^2, each transform adds a few roundings. */
static inline double fft_growth(const struct fft_grid *g)
{
    double all = (double)g->length * g->length / ((double)g->k * g->k);
    return 4.0 * all;
}

#endif
