/* Softmax over channels. SPDX-License-Identifier: BSD-2-Clause
 *
 * At every n, h, w, with m = max over c of x[c]:
 * fwd: p[c]  = exp(x[c] - m) / sum over k of exp(x[k] - m)
 * bwd: dx[c] = p[c] * (dp[c] - sum over k of dp[k]*p[k]) */
#include "backend_cpu/ref/ref.h"

#include <math.h>

/* Channels of one position lie `stride` = H*W elements apart. */
static void softmax_at(const real *x, real *p, int32_t channels, size_t stride)
{
    real largest = x[0];
    for (int32_t c = 1; c < channels; c++) {
        real v = x[(size_t)c * stride];
        largest = v > largest ? v : largest;
    }
    real sum = 0;
    for (int32_t c = 0; c < channels; c++) {
        p[(size_t)c * stride] = (real)exp((double)(x[(size_t)c * stride] - largest));
        sum += p[(size_t)c * stride];
    }
    for (int32_t c = 0; c < channels; c++) {
        p[(size_t)c * stride] /= sum;
    }
}

static void softmax_bwd_at(const real *dp, const real *p, real *dx, int32_t channels, size_t stride)
{
    real sum = 0;
    for (int32_t c = 0; c < channels; c++) {
        sum += dp[(size_t)c * stride] * p[(size_t)c * stride];
    }
    for (int32_t c = 0; c < channels; c++) {
        size_t i = (size_t)c * stride;
        dx[i] = p[i] * (dp[i] - sum);
    }
}

static void softmax_fwd(const struct gt_step *step)
{
    gt_shape s = step->out[0].shape;
    const real *x = ref_data(&step->in[0]);
    real *p = ref_data(&step->out[0]);
    size_t plane = (size_t)s.h * (size_t)s.w;
    for (int32_t n = 0; n < s.n; n++) {
        for (size_t i = 0; i < plane; i++) {
            size_t at = ref_at(s, n, 0, 0, 0) + i;
            softmax_at(x + at, p + at, s.c, plane);
        }
    }
}

static void softmax_bwd(const struct gt_step *step)
{
    gt_shape s = step->out[0].shape;
    const real *dp = ref_data(&step->in[0]);
    const real *p = ref_data(&step->in[1]);
    real *dx = ref_data(&step->out[0]);
    size_t plane = (size_t)s.h * (size_t)s.w;
    for (int32_t n = 0; n < s.n; n++) {
        for (size_t i = 0; i < plane; i++) {
            size_t at = ref_at(s, n, 0, 0, 0) + i;
            softmax_bwd_at(dp + at, p + at, dx + at, s.c, plane);
        }
    }
}

REF_KERNEL(softmax_fwd)
REF_KERNEL(softmax_bwd)
