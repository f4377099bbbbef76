/* What the softmax kernels share. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_CPU_PORTABLE_SOFTMAX_STRIPS_H
#define GT_BACKEND_CPU_PORTABLE_SOFTMAX_STRIPS_H

#include "backend_cpu/portable/chunk.h"

/* Positions of an image that a chunk takes, and labels at most. */
enum { GT_STRIP = 1024, GT_MAX_LABELS = 256 };

/* exp(x) for -104 <= x <= 0, to 2 ulp (1 below -87.3, where results are denormal; NaN stays NaN),
 * the same bits in a vector and alone: x = n*ln 2 + r with |r| <= ln 2/2 (two-part constant, so
 * that n*hi is exact), exp(r) as a Taylor polynomial of degree 7, then 2^n in two exact halves,
 * since 2^-150 is no float. */
static inline float gt__exp_neg(float x)
{
    float shifted = x * 1.44269504f + 12582912.0f; /* 1.5 * 2^23: the low bits are round(x/ln 2) */
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    float n = shifted - 12582912.0f;
    float r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
    float e = 1.98412698e-4f;
    e = e * r + 1.38888889e-3f;
    e = e * r + 8.33333333e-3f;
    e = e * r + 4.16666667e-2f;
    e = e * r + 1.66666667e-1f;
    e = e * r + 0.5f;
    e = e * (r * r) + r;
    e = e + 1.0f;
    uint32_t k = bits - 0x4b400000u; /* n as two's complement, -150 to 0 */
    uint32_t half = 0u - ((0u - k) >> 1);
    uint32_t high = (half + 127u) << 23;
    uint32_t low = (k - half + 127u) << 23;
    float s;
    float t;
    memcpy(&s, &high, sizeof s);
    memcpy(&t, &low, sizeof t);
    return e * s * t;
}

/* Class of a position, -1: ignored (negative, not below `labels`, NaN). */
static inline int32_t gt__label_class(float label, int32_t labels)
{
    return label >= 0.0f && label < (float)labels ? (int32_t)label : -1;
}

/* A strip of n positions; channels lie `plane` elements apart. */
struct gt_strip {
    size_t image, first, n, plane;
};
static inline size_t gt__strips(gt_shape s)
{
    return (size_t)s.n * gt__ceil_div_z((size_t)s.h * (size_t)s.w, GT_STRIP);
}
static inline struct gt_strip gt__strip(gt_shape s, size_t chunk)
{
    size_t plane = (size_t)s.h * (size_t)s.w;
    size_t per_image = gt__ceil_div_z(plane, GT_STRIP);
    size_t image = chunk / per_image;
    size_t first = (chunk - image * per_image) * GT_STRIP;
    size_t n = plane - first < GT_STRIP ? plane - first : GT_STRIP;
    return (struct gt_strip){image, first, n, plane};
}
/* Index of channel 0 at the strip's first position. */
static inline size_t gt__strip_at(const struct gt_strip *s, int32_t channels)
{
    return s->image * (size_t)channels * s->plane + s->first;
}

/* y = exp(x - max over channels) and sum = the sum over channels, in channel order. */
static inline void gt__strip_exp(float *restrict y, const float *restrict x, float *restrict sum,
                                 const struct gt_strip *s, int32_t channels)
{
    float top[GT_STRIP];
    memcpy(top, x, s->n * sizeof *x);
    for (int32_t c = 1; c < channels; c++) {
        const float *in = x + (size_t)c * s->plane;
        for (size_t i = 0; i < s->n; i++) {
            top[i] = in[i] > top[i] ? in[i] : top[i];
        }
    }
    memset(sum, 0, s->n * sizeof *sum);
    for (int32_t c = 0; c < channels; c++) {
        const float *in = x + (size_t)c * s->plane;
        float *out = y + (size_t)c * s->plane;
        /* A pass of its own: compilers turn the bound into a branch of the exponential else. */
        for (size_t i = 0; i < s->n; i++) {
            float d = in[i] - top[i];
            out[i] = d < -104.0f ? -104.0f : d;
        }
        for (size_t i = 0; i < s->n; i++) {
            float e = gt__exp_neg(out[i]);
            out[i] = e;
            sum[i] += e;
        }
    }
}
/* y = y/sum */
static inline void gt__strip_divide(float *restrict y, const float *restrict sum,
                                    const struct gt_strip *s, int32_t channels)
{
    for (int32_t c = 0; c < channels; c++) {
        float *out = y + (size_t)c * s->plane;
        for (size_t i = 0; i < s->n; i++) {
            out[i] = out[i] / sum[i];
        }
    }
}

#endif
