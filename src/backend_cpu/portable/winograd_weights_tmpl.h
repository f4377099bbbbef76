/* The weights of Winograd's convolution, template for vectors of VW floats: see winograd_tmpl.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_CPU_WINOGRAD_WEIGHTS_TMPL_H
#define GT_BACKEND_CPU_WINOGRAD_WEIGHTS_TMPL_H

#include "backend_cpu/portable/taps_tmpl.h"
#include "backend_cpu/portable/winograd_lines_tmpl.h"

/* Weights [Cout][Cin][r][r] to u; transposed: outputs are the Cin, taps run backwards. */
struct wino_pack {
    const float *w;
    float *u;       /* packed; NULL: split */
    int32_t ci, co; /* of the correlation that will use them */
    int32_t alpha, r;
    bool transposed;
};

static inline int32_t wino_width(int32_t co, int32_t panel)
{
    return conv_min(PANEL, gt__ceil_div(co, 16) * 16 - panel * PANEL);
}
static inline int32_t wino_panels(int32_t co)
{
    return gt__ceil_div(gt__ceil_div(co, 16) * 16, PANEL);
}

/* VW outputs of one input: both transforms of the taps, stores to all points. */
WINO_INLINE void wino_pack_vector(const int ALPHA, const int r, const vf *taps, float *u,
                                  size_t point_stride)
{
    vf half[MAX_ALPHA * 6];
    vf column[MAX_ALPHA];
    vf in[6];
    for (int b = 0; b < r; b++) {
        PANEL_UNROLL for (int a = 0; a < r; a++)
        {
            in[a] = taps[a * r + b];
        }
        wino_weight(ALPHA, r, column, in);
        PANEL_UNROLL for (int i = 0; i < ALPHA; i++)
        {
            half[i * r + b] = column[i];
        }
    }
    for (int i = 0; i < ALPHA; i++) {
        wino_weight(ALPHA, r, column, half + i * r);
        PANEL_UNROLL for (int j = 0; j < ALPHA; j++)
        {
            *(vf *)(u + (size_t)(i * ALPHA + j) * point_stride) = column[j];
        }
    }
}

#define WINO_PACK(ALPHA, R)                                                                        \
    static void wino_pack_##ALPHA##_##R(const vf *taps, float *u, size_t point_stride)             \
    {                                                                                              \
        wino_pack_vector(ALPHA, R, taps, u, point_stride);                                         \
    }
WINO_PACK(6, 2)
WINO_PACK(6, 3)
WINO_PACK(8, 3)
WINO_PACK(8, 4)
WINO_PACK(8, 5)
WINO_PACK(8, 6)
typedef void (*wino_pack_fn)(const vf *, float *, size_t);
static inline wino_pack_fn wino_pack_function(int32_t alpha, int32_t r)
{
    if (alpha == 6) {
        return r == 2 ? wino_pack_6_2 : wino_pack_6_3;
    }
    return r == 3 ? wino_pack_8_3 : r == 4 ? wino_pack_8_4 : r == 5 ? wino_pack_8_5 : wino_pack_8_6;
}

/* Where the taps of output o and input c lie. */
static inline const float *wino_taps(const struct wino_pack *p, int32_t o, int32_t c)
{
    size_t at = p->transposed ? (size_t)c * (size_t)p->co + (size_t)o
                              : (size_t)o * (size_t)p->ci + (size_t)c;
    return p->w + at * (size_t)(p->r * p->r);
}

/* Inputs c0 to c1 - 1 of one panel to u [point][input - c0][width], points `point_stride` apart. */
static void wino_pack_inputs(const struct wino_pack *p, int32_t panel, int32_t c0, int32_t c1,
                             float *u, size_t point_stride)
{
    int32_t width = wino_width(p->co, panel);
    size_t taps = (size_t)p->r * (size_t)p->r;
    struct taps t = {.end = p->w + (size_t)p->ci * (size_t)p->co * taps,
                     .stride = p->transposed ? taps : (size_t)p->ci * taps,
                     .taps = (int32_t)taps};
    wino_pack_fn pack = wino_pack_function(p->alpha, p->r);
    for (int32_t v = 0; v < width; v += VW) {
        int32_t o = panel * PANEL + v;
        t.kernels = conv_max(0, conv_min(VW, p->co - o));
        for (int32_t c = c0; c < c1; c++) {
            vf kernels[TAPS_ROOM(6 * 6)];
            t.w = wino_taps(p, o, c);
            taps_read(&t, kernels);
            for (size_t i = 0; p->transposed && i < taps / 2; i++) {
                vf other = kernels[taps - 1 - i];
                kernels[taps - 1 - i] = kernels[i];
                kernels[i] = other;
            }
            pack(kernels, u + (size_t)(c - c0) * (size_t)width + (size_t)v, point_stride);
        }
    }
}

/* Part `part` of `parts` of the weights that inputs c0 to c1 - 1 of a panel will want. */
static inline void wino_fetch_weights(const struct wino_pack *p, int32_t panel, int32_t c0,
                                      int32_t c1, int32_t part, int32_t parts)
{
    int32_t o0 = panel * PANEL;
    int32_t o1 = conv_max(o0, conv_min(p->co, o0 + PANEL)); /* narrow panels: lanes beyond co */
    int32_t rows = p->transposed ? c1 - c0 : o1 - o0;
    const float *w = wino_taps(p, o0, c0);
    size_t taps = (size_t)(p->r * p->r);
    size_t stride = (size_t)(p->transposed ? p->co : p->ci) * taps;
    size_t length = (size_t)(p->transposed ? o1 - o0 : c1 - c0) * taps;
    for (int32_t i = rows * part / parts; i < rows * (part + 1) / parts; i++) {
        for (size_t l = 0; l < length; l += 16) {
            __builtin_prefetch(w + (size_t)i * stride + l, 0, 2);
        }
    }
}

enum { WINO_PACK_INPUTS = 16 }; /* of one chunk */

static void wino_pack_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct wino_pack *p = cookie;
    size_t groups = (size_t)gt__ceil_div(p->ci, WINO_PACK_INPUTS);
    int32_t panel = (int32_t)(chunk / groups);
    int32_t c0 = (int32_t)(chunk % groups) * WINO_PACK_INPUTS;
    int32_t c1 = conv_min(p->ci, c0 + WINO_PACK_INPUTS);
    size_t width = (size_t)wino_width(p->co, panel);
    size_t points = (size_t)p->alpha * (size_t)p->alpha;
    float *u = p->u + (size_t)panel * PANEL * (size_t)p->ci * points + (size_t)c0 * width;
    wino_pack_inputs(p, panel, c0, c1, u, (size_t)p->ci * width);
}
static inline void wino_pack(struct gt_pool *pool, struct wino_pack *p)
{
    size_t groups = (size_t)gt__ceil_div(p->ci, WINO_PACK_INPUTS);
    gt__pool_for(pool, (size_t)wino_panels(p->co) * groups, wino_pack_chunk, p);
}

#endif
