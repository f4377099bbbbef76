/* One number per channel. SPDX-License-Identifier: BSD-2-Clause
 *
 * fwd: y[n][c][h][w] = x[n][c][h][w] + bias[c]
 * bwd: dbias[c]      = sum over n, h, w of dy[n][c][h][w] */
#include "backend_cpu/ref/ref.h"

static void bias_fwd(const struct gt_step *step)
{
    gt_shape s = step->out[0].shape;
    const real *x = ref_data(&step->in[0]);
    const real *bias = ref_data(&step->in[1]);
    real *y = ref_data(&step->out[0]);
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t c = 0; c < s.c; c++) {
            for (int32_t h = 0; h < s.h; h++) {
                for (int32_t w = 0; w < s.w; w++) {
                    y[ref_at(s, n, c, h, w)] = x[ref_at(s, n, c, h, w)] + bias[c];
                }
            }
        }
    }
}

static void bias_bwd(const struct gt_step *step)
{
    gt_shape s = step->in[0].shape;
    const real *dy = ref_data(&step->in[0]);
    real *dbias = ref_data(&step->out[0]);
    for (int32_t c = 0; c < s.c; c++) {
        double sum = 0;
        for (int32_t n = 0; n < s.n; n++) {
            for (int32_t h = 0; h < s.h; h++) {
                for (int32_t w = 0; w < s.w; w++) {
                    sum += (double)dy[ref_at(s, n, c, h, w)];
                }
            }
        }
        dbias[c] = (real)sum;
    }
}

REF_KERNEL(bias_fwd)
REF_KERNEL(bias_bwd)
