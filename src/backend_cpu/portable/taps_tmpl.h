/* The taps of VW kernels at once, template for vectors of VW floats.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Weights lie kernel by kernel, transforms want them tap by tap: VW taps of VW kernels are a square
 * that is turned over its diagonal, in log2(VW) steps that exchange halves, quarters and so on. */
#ifndef GT_BACKEND_CPU_TAPS_TMPL_H
#define GT_BACKEND_CPU_TAPS_TMPL_H

#include "backend_cpu/portable/panel_tmpl.h"

/* Lane l of the two results of step s, as lanes of a (0 to VW - 1) and b (from VW). */
#define TAPS_LOW(l, s) ((l) & (s) ? VW + (l) - (s) : (l))
#define TAPS_HIGH(l, s) ((l) & (s) ? VW + (l) : (l) + (s))
#define TAPS_LANES_4(F, l, s) F(l, s), F(l + 1, s), F(l + 2, s), F(l + 3, s)
#define TAPS_LANES_8(F, l, s) TAPS_LANES_4(F, l, s), TAPS_LANES_4(F, l + 4, s)
#if VW == 16
#define TAPS_LANES(F, s) TAPS_LANES_8(F, 0, s), TAPS_LANES_8(F, 8, s)
#elif VW == 8
#define TAPS_LANES(F, s) TAPS_LANES_8(F, 0, s)
#else
#define TAPS_LANES(F, s) TAPS_LANES_4(F, 0, s)
#endif
#define TAPS_STEP(v, s)                                                                            \
    PANEL_UNROLL for (int i = 0; i < VW; i++)                                                      \
    {                                                                                              \
        if (!(i & (s))) {                                                                          \
            vf a = (v)[i];                                                                         \
            vf b = (v)[i + (s)];                                                                   \
            (v)[i] = __builtin_shufflevector(a, b, TAPS_LANES(TAPS_LOW, s));                       \
            (v)[i + (s)] = __builtin_shufflevector(a, b, TAPS_LANES(TAPS_HIGH, s));                \
        }                                                                                          \
    }

/* Kernels `stride` floats apart, `kernels` of them (zeros beyond), each `taps` floats, to to[tap],
 * which has TAPS_ROOM(taps). `end`: where readable memory ends. */
#define TAPS_ROOM(taps) (((taps) + VW - 1) / VW * VW)
struct taps {
    const float *w, *end;
    size_t stride;
    int32_t kernels, taps;
};

static inline __attribute__((always_inline)) void taps_turn(vf *v)
{
    TAPS_STEP(v, 1)
    TAPS_STEP(v, 2)
#if VW > 4
    TAPS_STEP(v, 4)
#endif
#if VW == 16
    TAPS_STEP(v, 8)
#endif
}

/* Fewer than VW kernels, or the end of memory: zeros where there is nothing. */
static __attribute__((noinline)) void taps_read_rest(const struct taps *t, int32_t t0, float *out)
{
    int32_t n = conv_min(VW, t->taps - t0);
    memset(out, 0, VW * VW * sizeof(float));
    for (int32_t i = 0; i < t->kernels; i++) {
        memcpy(out + i * VW, t->w + (size_t)i * t->stride + t0, (size_t)n * sizeof(float));
    }
}

static inline void taps_read(const struct taps *t, vf *to)
{
    for (int32_t t0 = 0; t0 < t->taps; t0 += VW) {
        float rest[VW * VW];
        const float *w = t->w + t0;
        size_t stride = t->stride;
        if (t->kernels < VW || t->end - (w + (VW - 1) * stride) < VW) {
            taps_read_rest(t, t0, rest);
            w = rest;
            stride = VW;
        }
        vf v[VW];
        PANEL_UNROLL for (int i = 0; i < VW; i++)
        {
            v[i] = *(const vf *)(w + (size_t)i * stride);
        }
        taps_turn(v);
        PANEL_UNROLL for (int i = 0; i < VW; i++)
        {
            to[t0 + i] = v[i]; /* room for whole squares */
        }
    }
}

/* The way back: from[tap] to `kernels` kernels (at most VW) `stride` floats apart. Of each, `room`
 * floats may be overwritten: what follows the taps is written later. */
struct taps_back {
    float *w;
    size_t stride;
    int32_t room, kernels, taps;
};
static inline void taps_write(const struct taps_back *t, const vf *from)
{
    for (int32_t t0 = 0; t0 < t->taps; t0 += VW) {
        vf v[VW];
        PANEL_UNROLL for (int i = 0; i < VW; i++)
        {
            v[i] = t0 + i < t->taps ? from[t0 + i] : (vf){0};
        }
        taps_turn(v);
        float *w = t->w + t0;
        if (t->room - t0 >= VW && t->kernels == VW) {
            PANEL_UNROLL for (int i = 0; i < VW; i++)
            {
                *(vf *)(w + (size_t)i * t->stride) = v[i];
            }
            continue;
        }
        size_t left = (size_t)conv_min(VW, t->taps - t0) * sizeof(float);
        for (int32_t i = 0; i < t->kernels; i++) {
            memcpy(w + (size_t)i * t->stride, &v[i], left);
        }
    }
}

#endif
