/* Nearest doubling, the frozen upconvolution. SPDX-License-Identifier: BSD-2-Clause
 *
 * x [N][C][H][W], y [N][C][2H][2W]
 * fwd: y[n][c][h][w]  = x[n][c][h/2][w/2]
 * bwd: dx[n][c][h][w] = sum over a, b in {0, 1} of dy[n][c][2h + a][2w + b] */
#include "backend_cpu/ref/ref.h"

static void upsample_fwd(const struct gt_step *step)
{
    gt_shape xs = step->in[0].shape;
    gt_shape ys = step->out[0].shape;
    const real *x = ref_data(&step->in[0]);
    real *y = ref_data(&step->out[0]);
    for (int32_t n = 0; n < ys.n; n++) {
        for (int32_t c = 0; c < ys.c; c++) {
            for (int32_t h = 0; h < ys.h; h++) {
                for (int32_t w = 0; w < ys.w; w++) {
                    y[ref_at(ys, n, c, h, w)] = x[ref_at(xs, n, c, h / 2, w / 2)];
                }
            }
        }
    }
}

static void upsample_bwd(const struct gt_step *step)
{
    gt_shape xs = step->out[0].shape;
    gt_shape ys = step->in[0].shape;
    const real *dy = ref_data(&step->in[0]);
    real *dx = ref_data(&step->out[0]);
    for (int32_t n = 0; n < xs.n; n++) {
        for (int32_t c = 0; c < xs.c; c++) {
            for (int32_t h = 0; h < xs.h; h++) {
                for (int32_t w = 0; w < xs.w; w++) {
                    const real *top = dy + ref_at(ys, n, c, 2 * h, 2 * w);
                    const real *bottom = top + ys.w;
                    dx[ref_at(xs, n, c, h, w)] = top[0] + top[1] + bottom[0] + bottom[1];
                }
            }
        }
    }
}

REF_KERNEL(upsample_fwd)
REF_KERNEL(upsample_bwd)
