/* Learning rates. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "core/ir.h"
#include "train/schedule.h"

static void near(double got, double want, double error)
{
    if (!(fabs(got - want) <= error)) {
        fail_msg("%.9g, expected %.9g", got, want);
    }
}

static gt_train_options options(gt_policy policy)
{
    gt_train_options o;
    gt_train_options_init(&o);
    o.policy = policy;
    o.rate = 1;
    o.warmup = 0;
    o.iterations = 100000;
    return o;
}

/* Factors of Caffe's solver with gamma 0.0001 and power 0.75. */
static void inv(void **state)
{
    (void)state;
    gt_train_options o = options(GT_POLICY_INV);
    near(gt__schedule_rate(&o, 0, 0), 1, 0);
    near(gt__schedule_rate(&o, 10000, 0), 0.5946, 5e-5);
    near(gt__schedule_rate(&o, 20000, 0), 0.4387, 5e-5);
    near(gt__schedule_rate(&o, 26000, 0), 0.3826, 5e-5);
    near(gt__schedule_rate(&o, 100000, 0), 0.1656, 5e-5);
    near(gt__schedule_rate(&o, 10000, 0.9), 0.5946, 5e-5); /* the clock has no say */
}

static void fixed_and_step(void **state)
{
    (void)state;
    gt_train_options o = options(GT_POLICY_FIXED);
    near(gt__schedule_rate(&o, 12345, 0.5), 1, 0);
    o.policy = GT_POLICY_STEP;
    o.gamma = 0.5F;
    o.step = 10;
    near(gt__schedule_rate(&o, 9, 0), 1, 0);
    near(gt__schedule_rate(&o, 10, 0), 0.5, 0);
    near(gt__schedule_rate(&o, 35, 0), 0.125, 0);
}

static void poly_and_cosine(void **state)
{
    (void)state;
    gt_train_options o = options(GT_POLICY_POLY);
    o.power = 2;
    near(gt__schedule_rate(&o, 25000, 0), 0.5625, 1e-12);
    near(gt__schedule_rate(&o, 25000, 0.5), 0.25, 1e-12); /* the larger share counts */
    near(gt__schedule_rate(&o, 100000, 0), 0, 0);
    near(gt__schedule_rate(&o, 200000, 2), 0, 0);
    o.policy = GT_POLICY_COSINE;
    near(gt__schedule_rate(&o, 0, 0), 1, 0);
    near(gt__schedule_rate(&o, 25000, 0), 0.5 + sqrt(0.125), 1e-12);
    near(gt__schedule_rate(&o, 10, 0.5), 0.5, 1e-12);
    near(gt__schedule_rate(&o, 100000, 0), 0, 1e-12);
}

static void warmup(void **state)
{
    (void)state;
    gt_train_options o = options(GT_POLICY_FIXED);
    o.warmup = 4;
    near(gt__schedule_rate(&o, 0, 0), 0.25, 0);
    near(gt__schedule_rate(&o, 2, 0), 0.75, 0);
    near(gt__schedule_rate(&o, 3, 0), 1, 0);
    near(gt__schedule_rate(&o, 4, 0), 1, 0);
    o.policy = GT_POLICY_STEP;
    o.gamma = 0.5F;
    o.step = 2;
    near(gt__schedule_rate(&o, 2, 0), 0.375, 1e-12);
}

static void hyper(void **state)
{
    (void)state;
    float h[GT_HYPER_COUNT];
    gt_train_options o = options(GT_POLICY_FIXED);
    gt__schedule_hyper(h, &o, 0, 0);
    near(h[GT_HYPER_MOMENTUM], 0.9F, 0);
    near(h[GT_HYPER_BETA2], 0.999F, 0);
    near(h[GT_HYPER_CLIP], 1, 0);
    near(h[GT_HYPER_CORRECT1], 1 / (1 - (double)0.9F), 1e-6);
    near(h[GT_HYPER_CORRECT2], 1 / (1 - (double)0.999F), 1e-4);
    gt__schedule_hyper(h, &o, 99, 0);
    near(h[GT_HYPER_CORRECT2], 1 / (1 - pow((double)0.999F, 100)), 1e-6);
    o.solver = GT_SGD;
    gt__schedule_hyper(h, &o, 5, 0);
    near(h[GT_HYPER_RATE], 1, 0);
    near(h[GT_HYPER_DECAY], 1e-4F, 0);
    near(h[GT_HYPER_MOMENTUM], 0.99F, 0);
    near(h[GT_HYPER_CORRECT1], 1, 0);
}

static void wrong_options(void **state)
{
    (void)state;
    gt_train_options o = options(GT_POLICY_STEP);
    assert_int_equal(gt__schedule_check(&o), GT_OK);
    o.step = 0;
    assert_int_equal(gt__schedule_check(&o), GT_EINVAL);
    o = options(GT_POLICY_INV);
    o.rate = NAN;
    assert_int_equal(gt__schedule_check(&o), GT_EINVAL);
    o = options((gt_policy)7);
    assert_int_equal(gt__schedule_check(&o), GT_EINVAL);
    o = options(GT_POLICY_POLY);
    o.power = -1;
    assert_int_equal(gt__schedule_check(&o), GT_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inv),    cmocka_unit_test(fixed_and_step),
        cmocka_unit_test(warmup), cmocka_unit_test(poly_and_cosine),
        cmocka_unit_test(hyper),  cmocka_unit_test(wrong_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
