/* Discrete Fourier transforms of square tiles, VW channels at a time, template for vectors of VW
 * floats. SPDX-License-Identifier: BSD-2-Clause
 *
 * Lengths 16, 24, 25, 32 and 40 as N1*N2 after Cooley and Tukey, X[k1 + N1*k2] = sum over i2 of
 * w^(i2*k1) * (sum over i1 of x[N2*i1 + i2] * w1^(i1*k1)) * w2^(i2*k2). Two real rows are one
 * complex row. Of a real tile's spectrum columns 0 to L/2 are kept, of columns 0 and L/2 (L even)
 * only rows 0 to L/2: the rest are conjugates. Frequency f runs down column 0, then column 1 ...
 * Inverses are the same transforms with real and imaginary parts exchanged, before and after; no
 * factor: the weights carry 1/L^2. Source: Cooley & Tukey 1965, doi 10.2307/2003354. */
#ifndef GT_BACKEND_CPU_FFT_TMPL_H
#define GT_BACKEND_CPU_FFT_TMPL_H

#include <math.h>

#include "backend_cpu/portable/panel_tmpl.h"

#define FFT_MAX 40
#define FFT_HALF (FFT_MAX / 2 + 1)
#define FFT_INLINE static inline __attribute__((always_inline))

struct cv {
    vf re, im;
};

/* cos and -sin of 2 pi i / L. */
struct fft_twiddles {
    float re[FFT_MAX], im[FFT_MAX];
};

FFT_INLINE void dft3(struct cv *x)
{
    const float s = 0.866025403784438647f;
    struct cv t = {x[1].re + x[2].re, x[1].im + x[2].im};
    struct cv d = {s * (x[1].re - x[2].re), s * (x[1].im - x[2].im)};
    struct cv m = {x[0].re - 0.5f * t.re, x[0].im - 0.5f * t.im};
    x[0] = (struct cv){x[0].re + t.re, x[0].im + t.im};
    x[1] = (struct cv){m.re + d.im, m.im - d.re};
    x[2] = (struct cv){m.re - d.im, m.im + d.re};
}

FFT_INLINE void dft4(struct cv *x)
{
    struct cv a = {x[0].re + x[2].re, x[0].im + x[2].im};
    struct cv b = {x[0].re - x[2].re, x[0].im - x[2].im};
    struct cv c = {x[1].re + x[3].re, x[1].im + x[3].im};
    struct cv d = {x[1].re - x[3].re, x[1].im - x[3].im};
    x[0] = (struct cv){a.re + c.re, a.im + c.im};
    x[1] = (struct cv){b.re + d.im, b.im - d.re};
    x[2] = (struct cv){a.re - c.re, a.im - c.im};
    x[3] = (struct cv){b.re - d.im, b.im + d.re};
}

FFT_INLINE void dft5(struct cv *x)
{
    const float c1 = 0.309016994374947424f;
    const float c2 = -0.809016994374947424f;
    const float s1 = 0.951056516295153572f;
    const float s2 = 0.587785252292473129f;
    struct cv t1 = {x[1].re + x[4].re, x[1].im + x[4].im};
    struct cv t2 = {x[2].re + x[3].re, x[2].im + x[3].im};
    struct cv t3 = {x[1].re - x[4].re, x[1].im - x[4].im};
    struct cv t4 = {x[2].re - x[3].re, x[2].im - x[3].im};
    struct cv a1 = {x[0].re + c1 * t1.re + c2 * t2.re, x[0].im + c1 * t1.im + c2 * t2.im};
    struct cv a2 = {x[0].re + c2 * t1.re + c1 * t2.re, x[0].im + c2 * t1.im + c1 * t2.im};
    struct cv b1 = {s1 * t3.re + s2 * t4.re, s1 * t3.im + s2 * t4.im};
    struct cv b2 = {s2 * t3.re - s1 * t4.re, s2 * t3.im - s1 * t4.im};
    x[0] = (struct cv){x[0].re + t1.re + t2.re, x[0].im + t1.im + t2.im};
    x[1] = (struct cv){a1.re + b1.im, a1.im - b1.re};
    x[2] = (struct cv){a2.re + b2.im, a2.im - b2.re};
    x[3] = (struct cv){a2.re - b2.im, a2.im + b2.re};
    x[4] = (struct cv){a1.re - b1.im, a1.im + b1.re};
}

FFT_INLINE void dft8(struct cv *x)
{
    const float s = 0.707106781186547524f;
    struct cv e[4] = {x[0], x[2], x[4], x[6]};
    struct cv o[4] = {x[1], x[3], x[5], x[7]};
    dft4(e);
    dft4(o);
    struct cv w[4] = {o[0],
                      {s * (o[1].re + o[1].im), s * (o[1].im - o[1].re)},
                      {o[2].im, -o[2].re},
                      {s * (o[3].im - o[3].re), -s * (o[3].im + o[3].re)}};
    PANEL_UNROLL for (int k = 0; k < 4; k++)
    {
        x[k] = (struct cv){e[k].re + w[k].re, e[k].im + w[k].im};
        x[k + 4] = (struct cv){e[k].re - w[k].re, e[k].im - w[k].im};
    }
}

FFT_INLINE void fft_small(const int n, struct cv *x)
{
    if (n == 3) {
        dft3(x);
    } else if (n == 4) {
        dft4(x);
    } else if (n == 5) {
        dft5(x);
    } else {
        dft8(x);
    }
}

FFT_INLINE void fft_line(const int N1, const int N2, struct cv *x, const struct fft_twiddles *w)
{
    struct cv y[FFT_MAX];
    struct cv t[8];
    for (int i2 = 0; i2 < N2; i2++) {
        PANEL_UNROLL for (int i1 = 0; i1 < N1; i1++)
        {
            t[i1] = x[N2 * i1 + i2];
        }
        fft_small(N1, t);
        y[i2] = t[0];
        PANEL_UNROLL for (int k1 = 1; k1 < N1; k1++)
        {
            float c = w->re[i2 * k1];
            float s = w->im[i2 * k1];
            y[k1 * N2 + i2] = (struct cv){c * t[k1].re - s * t[k1].im, c * t[k1].im + s * t[k1].re};
        }
    }
    for (int k1 = 0; k1 < N1; k1++) {
        PANEL_UNROLL for (int i2 = 0; i2 < N2; i2++)
        {
            t[i2] = y[k1 * N2 + i2];
        }
        fft_small(N2, t);
        PANEL_UNROLL for (int k2 = 0; k2 < N2; k2++)
        {
            x[k1 + N1 * k2] = t[k2];
        }
    }
}

typedef void (*fft_fn)(struct cv *, const struct fft_twiddles *);
#define FFT_LINE(N1, N2)                                                                           \
    static void fft_line_##N1##_##N2(struct cv *x, const struct fft_twiddles *w)                   \
    {                                                                                              \
        fft_line(N1, N2, x, w);                                                                    \
    }
FFT_LINE(4, 4)
FFT_LINE(3, 8)
FFT_LINE(5, 5)
FFT_LINE(4, 8)
FFT_LINE(5, 8)

/* A length and what belongs to it. */
struct fft {
    int32_t length, half; /* half: columns kept */
    fft_fn line;
    struct fft_twiddles twiddles;
};

static inline fft_fn fft_function(int32_t length)
{
    return length == 16   ? fft_line_4_4
           : length == 24 ? fft_line_3_8
           : length == 25 ? fft_line_5_5
           : length == 32 ? fft_line_4_8
                          : fft_line_5_8;
}

static void fft_open(struct fft *f, int32_t length)
{
    f->length = length;
    f->half = length / 2 + 1;
    f->line = fft_function(length);
    for (int32_t i = 0; i < length; i++) {
        double angle = 6.283185307179586477 * i / length;
        f->twiddles.re[i] = (float)cos(angle);
        f->twiddles.im[i] = (float)-sin(angle);
    }
}

/* Rows kept of column c. */
static inline int32_t fft_rows(int32_t length, int32_t c)
{
    return c == 0 || 2 * c == length ? length / 2 + 1 : length;
}
/* Frequencies of a tile. */
static inline int32_t fft_count(int32_t length)
{
    int32_t n = 0;
    for (int32_t c = 0; c <= length / 2; c++) {
        n += fft_rows(length, c);
    }
    return n;
}

/* Memory that a transform needs: a thread's scratch memory holds it, and a tile of 16 channels. */
struct fft_room {
    struct cv half[FFT_MAX * FFT_HALF];
};
_Static_assert(sizeof(struct fft_room) + sizeof(float[16 * FFT_MAX * FFT_MAX]) <= GT_CPU_SCRATCH,
               "a thread's scratch memory is too small");

/* Spectrum of a real tile of VW channels: rows x cols pixels at x (`row` floats from row to row, 16
 * from pixel to pixel), zeros beyond. put(cookie, f, value) receives every frequency. */
typedef void (*fft_put)(void *cookie, int32_t f, struct cv value);
FFT_INLINE void fft_forward(const struct fft *fft, struct fft_room *room, const float *x,
                            size_t row, int32_t rows, int32_t cols, fft_put put, void *cookie)
{
    const int32_t n = fft->length;
    const int32_t half = fft->half;
    struct cv z[FFT_MAX];
    for (int32_t r = 0; r < rows; r += 2) {
        const float *a = x + (size_t)r * row;
        bool pair = r + 1 < rows;
        for (int32_t c = 0; c < n; c++) {
            bool in = c < cols;
            z[c].re = in ? *(const vf *)(a + (size_t)c * 16) : (vf){0};
            z[c].im = in && pair ? *(const vf *)(a + row + (size_t)c * 16) : (vf){0};
        }
        fft->line(z, &fft->twiddles);
        struct cv *out = room->half + (size_t)r * FFT_HALF;
        for (int32_t c = 0; c < half; c++) {
            struct cv p = z[c];
            struct cv q = z[c == 0 ? 0 : n - c];
            out[c] = (struct cv){0.5f * (p.re + q.re), 0.5f * (p.im - q.im)};
            if (pair) {
                out[FFT_HALF + c] = (struct cv){0.5f * (p.im + q.im), 0.5f * (q.re - p.re)};
            }
        }
    }
    int32_t f = 0;
    for (int32_t c = 0; c < half; c++) {
        for (int32_t r = 0; r < n; r++) {
            z[r] = r < rows ? room->half[(size_t)r * FFT_HALF + (size_t)c]
                            : (struct cv){(vf){0}, (vf){0}};
        }
        fft->line(z, &fft->twiddles);
        int32_t kept = fft_rows(n, c);
        for (int32_t r = 0; r < kept; r++) {
            put(cookie, f++, z[r]);
        }
    }
}

/* VW lanes of a spectrum: frequency f at f*stride. Another at re + next and im + next is wanted
 * soon. */
struct fft_spectrum {
    const float *re, *im;
    size_t stride, next;
};

/* The first `rows` rows and `cols` columns of the real tile of a spectrum, to
 * out[row*cols + col]. */
FFT_INLINE void fft_inverse(const struct fft *fft, struct fft_room *room,
                            const struct fft_spectrum *s, int32_t rows, int32_t cols, vf *out)
{
    const float *re = s->re;
    const float *im = s->im;
    const size_t stride = s->stride;
    const int32_t n = fft->length;
    const int32_t half = fft->half;
    struct cv z[FFT_MAX];
    int32_t f = 0;
    for (int32_t c = 0; c < half; c++) {
        int32_t kept = fft_rows(n, c);
        for (int32_t r = 0; r < kept; r++, f++) { /* parts exchanged: the inverse */
            z[r].re = *(const vf *)(im + (size_t)f * stride);
            z[r].im = *(const vf *)(re + (size_t)f * stride);
            __builtin_prefetch(im + (size_t)f * stride + s->next, 0, 3);
            __builtin_prefetch(re + (size_t)f * stride + s->next, 0, 3);
        }
        for (int32_t r = kept; r < n; r++) {
            z[r] = (struct cv){-z[n - r].re, z[n - r].im};
        }
        fft->line(z, &fft->twiddles);
        for (int32_t r = 0; r < rows; r++) {
            room->half[(size_t)r * FFT_HALF + (size_t)c] = (struct cv){z[r].im, z[r].re};
        }
    }
    for (int32_t r = 0; r < rows; r += 2) {
        const struct cv *a = room->half + (size_t)r * FFT_HALF;
        const struct cv *b = a + FFT_HALF;
        bool pair = r + 1 < rows;
        for (int32_t c = 0; c < half; c++) {
            struct cv q = pair ? b[c] : (struct cv){(vf){0}, (vf){0}};
            /* a + i*b, parts exchanged; its mirror image conj(a) + i*conj(b) */
            z[c] = (struct cv){a[c].im + q.re, a[c].re - q.im};
            if (c > 0 && 2 * c != n) {
                z[n - c] = (struct cv){q.re - a[c].im, a[c].re + q.im};
            }
        }
        fft->line(z, &fft->twiddles);
        for (int32_t c = 0; c < cols; c++) {
            out[r * cols + c] = z[c].im;
            if (pair) {
                out[(r + 1) * cols + c] = z[c].re;
            }
        }
    }
}

#endif
