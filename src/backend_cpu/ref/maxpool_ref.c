/* Max pooling. SPDX-License-Identifier: BSD-2-Clause
 *
 * x [N][C][H][W], y [N][C][P][Q], kernel k, stride s, dilation d
 * fwd: y[n][c][i][j] = max over a, b below k of x[n][c][i*s + a*d][j*s + b*d], taps beyond the
 *      edge left out; the first maximum in row-major order wins; index (if wanted) is its a*k + b
 * bwd: dx[n][c][h][w] = sum of dy over the windows whose maximum it was, in row-major order
 * The window's first tap is always inside (the shape rule of the op), and is kept if it is NaN. */
#include "backend_cpu/ref/ref.h"

/* Best tap of the window at row h, column w of the plane x. */
static int32_t best_tap(const real *x, gt_shape s, const struct gt_attr *attr, int32_t h, int32_t w)
{
    int32_t k = attr->kernel_h;
    int32_t d = attr->dilation;
    int32_t best = 0;
    real value = x[(size_t)h * (size_t)s.w + (size_t)w];
    for (int32_t a = 0; a < k && h + a * d < s.h; a++) {
        for (int32_t b = 0; b < k && w + b * d < s.w; b++) {
            real v = x[(size_t)(h + a * d) * (size_t)s.w + (size_t)(w + b * d)];
            if (v > value) {
                value = v;
                best = a * k + b;
            }
        }
    }
    return best;
}

static void maxpool_fwd(const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    gt_shape xs = step->in[0].shape;
    gt_shape ys = step->out[0].shape;
    const real *x = ref_data(&step->in[0]);
    real *y = ref_data(&step->out[0]);
    uint8_t *index = gt__u8(&step->out[1]);
    int32_t k = attr->kernel_h;
    for (int32_t n = 0; n < ys.n; n++) {
        for (int32_t c = 0; c < ys.c; c++) {
            const real *plane = x + ref_at(xs, n, c, 0, 0);
            for (int32_t i = 0; i < ys.h; i++) {
                for (int32_t j = 0; j < ys.w; j++) {
                    int32_t h = i * attr->stride;
                    int32_t w = j * attr->stride;
                    int32_t tap = best_tap(plane, xs, attr, h, w);
                    h += tap / k * attr->dilation;
                    w += tap % k * attr->dilation;
                    y[ref_at(ys, n, c, i, j)] = x[ref_at(xs, n, c, h, w)];
                    if (index) {
                        index[ref_at(ys, n, c, i, j)] = (uint8_t)tap;
                    }
                }
            }
        }
    }
}

static void maxpool_bwd(const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    gt_shape xs = step->out[0].shape;
    gt_shape ys = step->in[0].shape;
    const real *dy = ref_data(&step->in[0]);
    const uint8_t *index = gt__u8(&step->in[1]);
    real *dx = ref_data(&step->out[0]);
    int32_t k = attr->kernel_h;
    size_t count = gt__count(xs);
    for (size_t i = 0; i < count; i++) {
        dx[i] = 0;
    }
    for (int32_t n = 0; n < ys.n; n++) {
        for (int32_t c = 0; c < ys.c; c++) {
            for (int32_t i = 0; i < ys.h; i++) {
                for (int32_t j = 0; j < ys.w; j++) {
                    int32_t tap = index[ref_at(ys, n, c, i, j)];
                    int32_t h = i * attr->stride + tap / k * attr->dilation;
                    int32_t w = j * attr->stride + tap % k * attr->dilation;
                    dx[ref_at(xs, n, c, h, w)] += dy[ref_at(ys, n, c, i, j)];
                }
            }
        }
    }
}

REF_KERNEL(maxpool_fwd)
REF_KERNEL(maxpool_bwd)
