/* Optimizers: norm of the gradient, SGD with momentum, AdamW. SPDX-License-Identifier: BSD-2-Clause
 *
 * sumsq: out = acc + sum of g^2 (in double; acc is 0 if absent)
 * Both updates first scale the gradient to g = dw * min(1, clip/sqrt(sumsq)) if clip > 0. Where
 * sumsq is not finite everything stays as it was. r = rate*rate_mult, e = decay*decay_mult.
 * sgd (as Caffe's): g += e*w; v = momentum*v + r*g; w -= v
 * adamw:            m = beta1*m + (1 - beta1)*g; v = beta2*v + (1 - beta2)*g^2;
 *                   w -= r*(m*correct1 / (sqrt(v*correct2) + epsilon) + e*w)
 * Source of AdamW: Loshchilov, Hutter 2019, arXiv:1711.05101, algorithm 2. */
#include "backend_cpu/ref/ref.h"

#include <math.h>
#include <string.h>

static void sumsq(const struct gt_step *step)
{
    const real *g = ref_data(&step->in[0]);
    const real *acc = ref_data(&step->in[1]);
    real *out = ref_data(&step->out[0]);
    size_t count = gt__count(step->in[0].shape);
    double sum = acc ? (double)acc[0] : 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)g[i] * (double)g[i];
    }
    out[0] = (real)sum;
}

static real clip_scale(real clip, real sum)
{
    real norm = (real)sqrt((double)sum);
    return clip > 0 && norm > clip ? clip / norm : 1;
}

/* Outputs are the inputs' memory in programs, but need not be. */
static void keep(const struct gt_view *out, const struct gt_view *in)
{
    memmove(ref_data(out), ref_data(in), gt__count(in->shape) * sizeof(real));
}

static void sgd_update(const struct gt_step *step)
{
    keep(&step->out[0], &step->in[0]);
    keep(&step->out[1], &step->in[2]);
    real *w = ref_data(&step->out[0]);
    real *v = ref_data(&step->out[1]);
    const real *dw = ref_data(&step->in[1]);
    const real *hyper = ref_data(&step->in[3]);
    real sum = ref_data(&step->in[4])[0];
    if (!isfinite(sum)) {
        return;
    }
    real scale = clip_scale(hyper[GT_HYPER_CLIP], sum);
    real r = hyper[GT_HYPER_RATE] * (real)step->node->attr.rate_mult;
    real e = hyper[GT_HYPER_DECAY] * (real)step->node->attr.decay_mult;
    size_t count = gt__count(step->in[0].shape);
    for (size_t i = 0; i < count; i++) {
        real g = scale * dw[i] + e * w[i];
        v[i] = hyper[GT_HYPER_MOMENTUM] * v[i] + r * g;
        w[i] -= v[i];
    }
}

static void adamw_update(const struct gt_step *step)
{
    keep(&step->out[0], &step->in[0]);
    keep(&step->out[1], &step->in[2]);
    keep(&step->out[2], &step->in[3]);
    real *w = ref_data(&step->out[0]);
    real *m = ref_data(&step->out[1]);
    real *v = ref_data(&step->out[2]);
    const real *dw = ref_data(&step->in[1]);
    const real *hyper = ref_data(&step->in[4]);
    real sum = ref_data(&step->in[5])[0];
    if (!isfinite(sum)) {
        return;
    }
    real scale = clip_scale(hyper[GT_HYPER_CLIP], sum);
    real r = hyper[GT_HYPER_RATE] * (real)step->node->attr.rate_mult;
    real e = hyper[GT_HYPER_DECAY] * (real)step->node->attr.decay_mult;
    real beta1 = hyper[GT_HYPER_MOMENTUM];
    real beta2 = hyper[GT_HYPER_BETA2];
    size_t count = gt__count(step->in[0].shape);
    for (size_t i = 0; i < count; i++) {
        real g = scale * dw[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        real root = (real)sqrt((double)(v[i] * hyper[GT_HYPER_CORRECT2]));
        real move = m[i] * hyper[GT_HYPER_CORRECT1] / (root + hyper[GT_HYPER_EPSILON]);
        w[i] -= r * (move + e * w[i]);
    }
}

REF_KERNEL(sumsq)
REF_KERNEL(sgd_update)
REF_KERNEL(adamw_update)
