/* Sizes of a convolution as its kernels see them: one dense (or dilated) valid correlation per
 * fragment. SPDX-License-Identifier: BSD-2-Clause
 *
 * In a phase p that divides the dilation, or with a 1x1 kernel, the fragments of y are the
 * correlations of the fragments of x with dilation d/p, and stored sizes obey ho = hi - (kh -
 * 1)*d/p too. */
#ifndef GT_BACKEND_CPU_CONV2D_GEOMETRY_H
#define GT_BACKEND_CPU_CONV2D_GEOMETRY_H

#include "backend_cpu/cpu.h"
#include <string.h>

struct conv_geometry {
    int32_t n, phase;          /* fragments; p */
    int32_t cin, cout, kh, kw; /* channels, kernel */
    int32_t d;                 /* dilation within a fragment */
    int32_t hi, wi, ho, wo;    /* stored sizes of x and y per fragment */
    int32_t h_in, w_in;        /* true sizes of x and y */
    int32_t h_out, w_out;
};

/* False if a tensor in this phase cannot be correlated fragment by fragment. */
static inline bool conv_geometry(struct conv_geometry *out, gt_shape x, gt_shape y,
                                 const struct gt_attr *attr, int32_t phase)
{
    bool one = attr->kernel_h == 1 && attr->kernel_w == 1;
    if (!one && attr->dilation % phase != 0) {
        return false;
    }
    size_t images = 0;
    if (!gt__mul(&images, (size_t)x.n, (size_t)phase * (size_t)phase) || images > INT32_MAX) {
        return false;
    }
    *out = (struct conv_geometry){.n = (int32_t)images,
                                  .phase = phase,
                                  .cin = x.c,
                                  .cout = y.c,
                                  .kh = attr->kernel_h,
                                  .kw = attr->kernel_w,
                                  .d = one ? 1 : attr->dilation / phase,
                                  .hi = gt__ceil_div(x.h, phase),
                                  .wi = gt__ceil_div(x.w, phase),
                                  .ho = gt__ceil_div(y.h, phase),
                                  .wo = gt__ceil_div(y.w, phase),
                                  .h_in = x.h,
                                  .w_in = x.w,
                                  .h_out = y.h,
                                  .w_out = y.w};
    return true;
}

/* True size of fragment `image` (n*p*p + i*p + j) of a tensor of height h and width w. */
static inline void conv_true_size(int32_t *th, int32_t *tw, int32_t h, int32_t w, int32_t phase,
                                  int32_t image)
{
    int32_t f = image % (phase * phase);
    *th = gt__fragment_size(h, phase, f / phase);
    *tw = gt__fragment_size(w, phase, f % phase);
}

static inline int32_t conv_min(int32_t a, int32_t b)
{
    return a < b ? a : b;
}
static inline int32_t conv_max(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* Multiply-accumulates times 2 of the given number of output pixels (stored), true channels. */
static inline double conv_flops(const struct conv_geometry *g)
{
    return 2.0 * g->n * g->ho * g->wo * (double)g->cin * g->cout * g->kh * g->kw;
}

/* A plane of h rows of w pixels cut into rectangles: whole rows if rows are short, parts of one row
 * else. */
struct conv_grid {
    int32_t h, w;       /* of the plane */
    int32_t rows, cols; /* of a rectangle */
    int32_t n_rows, n_cols;
};
static inline struct conv_grid conv_grid(int32_t h, int32_t w, int32_t pixels)
{
    struct conv_grid g = {.h = h, .w = w, .rows = 1, .cols = w};
    if (w > pixels) {
        g.cols = gt__ceil_div(w, gt__ceil_div(w, pixels));
    } else {
        g.rows = conv_min(h, conv_max(1, pixels / w));
    }
    g.n_rows = gt__ceil_div(h, g.rows);
    g.rows = gt__ceil_div(h, g.n_rows);
    g.n_rows = gt__ceil_div(h, g.rows);
    g.n_cols = gt__ceil_div(w, g.cols);
    return g;
}
struct conv_rect {
    int32_t r0, r1, c0, c1;
};
static inline struct conv_rect conv_rect(const struct conv_grid *g, int32_t index)
{
    struct conv_rect r;
    r.r0 = index / g->n_cols * g->rows;
    r.c0 = index % g->n_cols * g->cols;
    r.r1 = conv_min(g->h, r.r0 + g->rows);
    r.c1 = conv_min(g->w, r.c0 + g->cols);
    return r;
}
static inline int32_t conv_grid_count(const struct conv_grid *g)
{
    return g->n_rows * g->n_cols;
}

/* Zero what lies beyond the true th x tw in a rectangle of a plane of width w with b lanes. */
static inline void conv_zero_tail(float *plane, int32_t w, int32_t b, struct conv_rect r,
                                  int32_t th, int32_t tw)
{
    for (int32_t i = r.r0; i < r.r1; i++) {
        int32_t from = i >= th ? r.c0 : conv_max(r.c0, tw);
        if (from < r.c1) {
            memset(plane + ((size_t)i * (size_t)w + (size_t)from) * (size_t)b, 0,
                   (size_t)(r.c1 - from) * (size_t)b * sizeof(float));
        }
    }
}

#endif
