/* Rate policies as Caffe's solver has them (inv, step), poly and cosine over the share of the run,
 * and the numbers that the update operations read. SPDX-License-Identifier: BSD-2-Clause */
#include "train/schedule.h"

#include "core/ir.h"

#include <math.h>

#define PI 3.14159265358979323846

gt_status gt__schedule_check(const gt_train_options *o)
{
    if (!gt__in_range((double)o->policy, GT_POLICY_FIXED, GT_POLICY_COSINE)) {
        return gt__fail(GT_EINVAL, "unknown rate policy %d", (int)o->policy);
    }
    if (!gt__in_range(o->rate, 0, 1e6)) {
        return gt__fail(GT_EINVAL, "learning rate %g, expected 0 to 1e6", (double)o->rate);
    }
    if (!gt__in_range(o->gamma, 0, 1e6) || !gt__in_range(o->power, 0, 1e3)) {
        return gt__fail(GT_EINVAL, "gamma %g or power %g out of range: 0 to 1e6, 0 to 1000",
                        (double)o->gamma, (double)o->power);
    }
    if (o->policy == GT_POLICY_STEP && o->step == 0) {
        return gt__fail(GT_EINVAL, "step is 0, expected at least 1 iteration");
    }
    return GT_OK;
}

double gt__schedule_rate(const gt_train_options *o, uint64_t t, double time_share)
{
    double rate = o->rate;
    double u = o->iterations > 0 ? (double)t / (double)o->iterations : 1;
    u = fmin(1, fmax(u, time_share));
    switch (o->policy) {
    case GT_POLICY_FIXED:
        break;
    case GT_POLICY_INV:
        rate *= pow(1 + (double)o->gamma * (double)t, -(double)o->power);
        break;
    case GT_POLICY_STEP:
        rate *= pow((double)o->gamma, (double)(t / o->step));
        break;
    case GT_POLICY_POLY:
        rate *= pow(1 - u, (double)o->power);
        break;
    case GT_POLICY_COSINE:
        rate *= (1 + cos(PI * u)) / 2;
        break;
    }
    if (t < o->warmup) {
        rate *= ((double)t + 1) / (double)o->warmup;
    }
    return rate;
}

void gt__schedule_hyper(float *hyper, const gt_train_options *o, uint64_t t, double time_share)
{
    bool adam = o->solver == GT_ADAMW;
    double steps = (double)t + 1;
    hyper[GT_HYPER_RATE] = (float)gt__schedule_rate(o, t, time_share);
    hyper[GT_HYPER_DECAY] = o->decay;
    hyper[GT_HYPER_MOMENTUM] = adam ? o->beta1 : o->momentum;
    hyper[GT_HYPER_BETA2] = o->beta2;
    hyper[GT_HYPER_EPSILON] = o->epsilon;
    hyper[GT_HYPER_CLIP] = o->clip;
    /* pow in double: 1 - beta2^t loses all digits in float during the first steps */
    hyper[GT_HYPER_CORRECT1] = adam ? (float)(1 / (1 - pow((double)o->beta1, steps))) : 1;
    hyper[GT_HYPER_CORRECT2] = adam ? (float)(1 / (1 - pow((double)o->beta2, steps))) : 1;
}
