/* Softmax and cross-entropy with ignored positions. SPDX-License-Identifier: BSD-2-Clause
 *
 * scores [N][L][H][W], label [N][1][H][W]: class y = the truncated label if 0 <= label < L, else
 * the position is ignored. Divisor n: positions that count, at least 1 (valid), or N (batch).
 * fwd: prob = softmax(scores); count = n;
 *      loss = weight/n * sum over positions that count of -ln max(prob[y], FLT_MIN)
 * bwd: dscores[c] = (prob[c] - [c = y]) * weight/n, 0 at ignored positions
 * The loss is one long sum, so it is taken in double. */
#include "backend_cpu/ref/ref.h"

#include <float.h>
#include <math.h>

/* Class at a position, -1: ignored. Compared as a number first: NaN and huge labels do not convert.
 */
static int32_t class_of(real label, int32_t labels)
{
    return label >= 0 && label < (real)labels ? (int32_t)label : -1;
}

/* Softmax at one position, channels `stride` elements apart; p may be NULL. Returns p[y], 1 if y is
 * -1. */
static real probabilities(const real *x, real *p, int32_t labels, size_t stride, int32_t y)
{
    real largest = x[0];
    for (int32_t c = 1; c < labels; c++) {
        real v = x[(size_t)c * stride];
        largest = v > largest ? v : largest;
    }
    real sum = 0;
    for (int32_t c = 0; c < labels; c++) {
        sum += (real)exp((double)(x[(size_t)c * stride] - largest));
    }
    real wanted = 1;
    for (int32_t c = 0; c < labels; c++) {
        real v = (real)exp((double)(x[(size_t)c * stride] - largest)) / sum;
        if (p) {
            p[(size_t)c * stride] = v;
        }
        wanted = c == y ? v : wanted;
    }
    return wanted;
}

/* NaN stays NaN, so that a diverged network shows in the loss. */
static double minus_log(real p)
{
    return -log((double)p < (double)FLT_MIN ? (double)FLT_MIN : (double)p);
}

static void softmax_loss_fwd(const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    gt_shape s = step->in[0].shape;
    const real *scores = ref_data(&step->in[0]);
    const real *label = ref_data(&step->in[1]);
    real *loss = ref_data(&step->out[0]);
    real *prob = ref_data(&step->out[1]);
    real *count = ref_data(&step->out[2]);
    size_t plane = (size_t)s.h * (size_t)s.w;
    double sum = 0;
    size_t valid = 0;
    for (int32_t n = 0; n < s.n; n++) {
        for (size_t i = 0; i < plane; i++) {
            size_t at = ref_at(s, n, 0, 0, 0) + i;
            int32_t y = class_of(label[(size_t)n * plane + i], s.c);
            real p = probabilities(scores + at, prob ? prob + at : NULL, s.c, plane, y);
            if (y >= 0) {
                sum += minus_log(p);
                valid++;
            }
        }
    }
    double divisor = (double)s.n;
    if (attr->normalize == GT_NORMALIZE_VALID) {
        divisor = valid > 0 ? (double)valid : 1.0;
    }
    loss[0] = (real)((double)attr->weight * sum / divisor);
    if (count) {
        count[0] = (real)divisor;
    }
}

static void softmax_loss_bwd(const struct gt_step *step)
{
    gt_shape s = step->out[0].shape;
    const real *prob = ref_data(&step->in[0]);
    const real *label = ref_data(&step->in[1]);
    const real *count = ref_data(&step->in[2]);
    real *dscores = ref_data(&step->out[0]);
    real scale = (real)step->node->attr.weight / count[0];
    size_t plane = (size_t)s.h * (size_t)s.w;
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t c = 0; c < s.c; c++) {
            for (size_t i = 0; i < plane; i++) {
                size_t at = ref_at(s, n, c, 0, 0) + i;
                int32_t y = class_of(label[(size_t)n * plane + i], s.c);
                dscores[at] = y < 0 ? 0 : (prob[at] - (real)(c == y)) * scale;
            }
        }
    }
}

REF_KERNEL(softmax_loss_fwd)
REF_KERNEL(softmax_loss_bwd)
