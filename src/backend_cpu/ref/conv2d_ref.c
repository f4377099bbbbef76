/* Convolution (valid, stride 1, cross-correlation) and its gradients. SPDX-License-Identifier:
 * BSD-2-Clause
 *
 * x [N][C][H][W], weight [O][C][kH][kW], y [N][O][P][Q], dilation d,
 * P = H - (kH - 1)*d, Q = W - (kW - 1)*d
 * fwd:        y[n][o][i][j]  = sum over c, a, b of x[n][c][i + a*d][j + b*d] * weight[o][c][a][b],
 *             then + bias[o] and max(0, .) as the epilogue says
 * bwd_data:   dx[n][c][h][w] = sum over o, a, b of dy[n][o][h - a*d][w - b*d] * weight[o][c][a][b]
 * bwd_weight: dw[o][c][a][b] = sum over n, i, j of x[n][c][i + a*d][j + b*d] * dy[n][o][i][j] */
#include "backend_cpu/ref/ref.h"

/* One element of y. */
static real correlate(const struct gt_step *step, int32_t n, int32_t o, int32_t i, int32_t j)
{
    gt_shape xs = step->in[0].shape;
    gt_shape ws = step->in[1].shape;
    const real *x = ref_data(&step->in[0]);
    const real *weight = ref_data(&step->in[1]);
    int32_t d = step->node->attr.dilation;
    real sum = 0;
    for (int32_t c = 0; c < ws.c; c++) {
        for (int32_t a = 0; a < ws.h; a++) {
            for (int32_t b = 0; b < ws.w; b++) {
                sum += x[ref_at(xs, n, c, i + a * d, j + b * d)] * weight[ref_at(ws, o, c, a, b)];
            }
        }
    }
    return sum;
}

static void conv2d_fwd(const struct gt_step *step)
{
    gt_shape s = step->out[0].shape;
    uint32_t epilogue = step->node->epilogue;
    const real *bias = epilogue & GT_EPILOGUE_BIAS ? ref_data(&step->in[2]) : NULL;
    real *y = ref_data(&step->out[0]);
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t o = 0; o < s.c; o++) {
            for (int32_t i = 0; i < s.h; i++) {
                for (int32_t j = 0; j < s.w; j++) {
                    real v = correlate(step, n, o, i, j) + (bias ? bias[o] : 0);
                    y[ref_at(s, n, o, i, j)] = epilogue & GT_EPILOGUE_RELU && v < 0 ? 0 : v;
                }
            }
        }
    }
}

/* One element of dx; outputs beyond the edge do not exist. */
static real scatter(const struct gt_step *step, int32_t n, int32_t c, int32_t h, int32_t w)
{
    gt_shape ys = step->in[0].shape;
    gt_shape ws = step->in[1].shape;
    const real *dy = ref_data(&step->in[0]);
    const real *weight = ref_data(&step->in[1]);
    int32_t d = step->node->attr.dilation;
    real sum = 0;
    for (int32_t o = 0; o < ws.n; o++) {
        for (int32_t a = 0; a < ws.h; a++) {
            for (int32_t b = 0; b < ws.w; b++) {
                int32_t i = h - a * d;
                int32_t j = w - b * d;
                if (i >= 0 && i < ys.h && j >= 0 && j < ys.w) {
                    sum += dy[ref_at(ys, n, o, i, j)] * weight[ref_at(ws, o, c, a, b)];
                }
            }
        }
    }
    return sum;
}

static void conv2d_bwd_data(const struct gt_step *step)
{
    gt_shape s = step->out[0].shape;
    real *dx = ref_data(&step->out[0]);
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t c = 0; c < s.c; c++) {
            for (int32_t h = 0; h < s.h; h++) {
                for (int32_t w = 0; w < s.w; w++) {
                    dx[ref_at(s, n, c, h, w)] = scatter(step, n, c, h, w);
                }
            }
        }
    }
}

/* One element of dw: a sum over all pixels of the batch, so in double. */
static double correlate_images(const struct gt_step *step, int32_t o, int32_t c, int32_t a,
                               int32_t b)
{
    gt_shape xs = step->in[0].shape;
    gt_shape ys = step->in[1].shape;
    const real *x = ref_data(&step->in[0]);
    const real *dy = ref_data(&step->in[1]);
    int32_t d = step->node->attr.dilation;
    double sum = 0;
    for (int32_t n = 0; n < ys.n; n++) {
        for (int32_t i = 0; i < ys.h; i++) {
            for (int32_t j = 0; j < ys.w; j++) {
                sum += (double)x[ref_at(xs, n, c, i + a * d, j + b * d)] *
                       (double)dy[ref_at(ys, n, o, i, j)];
            }
        }
    }
    return sum;
}

static void conv2d_bwd_weight(const struct gt_step *step)
{
    gt_shape s = step->out[0].shape;
    real *dw = ref_data(&step->out[0]);
    for (int32_t o = 0; o < s.n; o++) {
        for (int32_t c = 0; c < s.c; c++) {
            for (int32_t a = 0; a < s.h; a++) {
                for (int32_t b = 0; b < s.w; b++) {
                    dw[ref_at(s, o, c, a, b)] = (real)correlate_images(step, o, c, a, b);
                }
            }
        }
    }
}

REF_KERNEL(conv2d_fwd)
REF_KERNEL(conv2d_bwd_data)
REF_KERNEL(conv2d_bwd_weight)
