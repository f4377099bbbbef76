/* MergeCrop: stack a and the centre of b. SPDX-License-Identifier: BSD-2-Clause
 *
 * a [N][A][H][W], b [N][B][H2][W2] with H2 >= H, W2 >= W, y [N][A + B][H][W],
 * offsets r = floor((H2 - H)/2), q = floor((W2 - W)/2)
 * fwd: y[n][c][h][w] = a[n][c][h][w], y[n][A + c][h][w] = b[n][c][h + r][w + q];
 *      zeros where forward is 0
 * bwd: da = the first A channels of dy; db = the others in b's window, zeros around it;
 *      zeros everywhere where backward is 0 */
#include "backend_cpu/ref/ref.h"

static void mergecrop_fwd(const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    gt_shape s = step->out[0].shape;
    gt_shape as = step->in[0].shape;
    gt_shape bs = step->in[1].shape;
    const real *a = ref_data(&step->in[0]);
    const real *b = ref_data(&step->in[1]);
    real *y = ref_data(&step->out[0]);
    int32_t r = (bs.h - s.h) / 2;
    int32_t q = (bs.w - s.w) / 2;
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t c = 0; c < s.c; c++) {
            for (int32_t h = 0; h < s.h; h++) {
                for (int32_t w = 0; w < s.w; w++) {
                    real v = 0;
                    if (c < as.c && attr->forward[0]) {
                        v = a[ref_at(as, n, c, h, w)];
                    } else if (c >= as.c && attr->forward[1]) {
                        v = b[ref_at(bs, n, c - as.c, h + r, w + q)];
                    }
                    y[ref_at(s, n, c, h, w)] = v;
                }
            }
        }
    }
}

static void mergecrop_bwd(const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    gt_shape s = step->out[0].shape;
    gt_shape ys = step->in[0].shape;
    const real *dy = ref_data(&step->in[0]);
    real *dx = ref_data(&step->out[0]);
    int32_t first = attr->which == 0 ? 0 : ys.c - s.c; /* channel of dy; offsets are 0 for a */
    int32_t r = (s.h - ys.h) / 2;
    int32_t q = (s.w - ys.w) / 2;
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t c = 0; c < s.c; c++) {
            for (int32_t h = 0; h < s.h; h++) {
                for (int32_t w = 0; w < s.w; w++) {
                    int32_t i = h - r;
                    int32_t j = w - q;
                    bool inside = i >= 0 && i < ys.h && j >= 0 && j < ys.w;
                    dx[ref_at(s, n, c, h, w)] = inside && attr->backward[attr->which]
                                                    ? dy[ref_at(ys, n, first + c, i, j)]
                                                    : 0;
                }
            }
        }
    }
}

REF_KERNEL(mergecrop_fwd)
REF_KERNEL(mergecrop_bwd)
