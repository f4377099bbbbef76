/* The references of loss and updates against cases computed by hand.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "ref_rig.h"

#include <float.h>

struct loss_case {
    float scores[8], label[4], loss, count, prob[8], gradient[8];
};

static void run_loss(struct loss_case *c, gt_normalize normalize, float weight)
{
    gt_shape s = {1, 2, 1, 4};
    gt_shape one = {1, 1, 1, 1};
    struct gt_attr attr = {.normalize = normalize, .weight = weight};
    struct rig r = {.node.attr = attr};
    in(&r, 0, s, c->scores);
    in(&r, 1, row(4), c->label);
    out(&r, 0, one, &c->loss);
    out(&r, 1, s, c->prob);
    out(&r, 2, one, &c->count);
    run(&r, &gt__softmax_loss_fwd_ref);
    struct rig back = {.node.attr = attr};
    in(&back, 0, s, c->prob);
    in(&back, 1, row(4), c->label);
    in(&back, 2, one, &c->count);
    out(&back, 0, s, c->gradient);
    run(&back, &gt__softmax_loss_bwd_ref);
}

static void softmax_loss(void **state)
{
    (void)state;
    struct loss_case c = {.scores = {1, 0, 0.5f, 3, /**/ 2, -1, 0.5f, 0}, .label = {1, 0, -1, 1}};
    const float expected[] = {0.089647f,  -0.089647f, 0, 0.317525f, /**/
                              -0.089647f, 0.089647f,  0, -0.317525f};
    float scaled[8];
    run_loss(&c, GT_NORMALIZE_VALID, 1);
    check(&c.loss, &(const float){1.2250369088700626f}, 1, 4e-7);
    check(&c.count, &(const float){3}, 1, 0);
    check(c.gradient, expected, 8, 1e-6);
    check(c.prob + 2, (const float[]){0.5f}, 1, 1e-7);
    run_loss(&c, GT_NORMALIZE_BATCH, 2);
    check(&c.loss, &(const float){6 * 1.2250369088700626f}, 1, 4e-6);
    check(&c.count, &(const float){1}, 1, 0);
    for (int i = 0; i < 8; i++) {
        scaled[i] = 6 * expected[i];
    }
    check(c.gradient, scaled, 8, 6e-6);
    /* A label of 2 is none of the two: ignored. 1.9 is 1. */
    c.label[3] = 2;
    run_loss(&c, GT_NORMALIZE_VALID, 1);
    check(&c.count, &(const float){2}, 1, 0);
    check(c.gradient + 3, (const float[]){0}, 1, 0);
    c.label[3] = 1.9f;
    run_loss(&c, GT_NORMALIZE_VALID, 1);
    check(c.gradient, expected, 8, 1e-6);
}

static void softmax_loss_extremes(void **state)
{
    (void)state;
    struct loss_case c = {.scores = {1, 2, 3, 4, 5, 6, 7, 8}, .label = {-1, -1, -1, -1}};
    run_loss(&c, GT_NORMALIZE_VALID, 1);
    check(&c.loss, &(const float){0}, 1, 0);
    check(&c.count, &(const float){1}, 1, 0);
    check(c.gradient, (const float[8]){0}, 8, 0);
    /* Hopelessly wrong: the logarithm stops at FLT_MIN. */
    struct loss_case d = {.scores = {0, 0, 0, 0, 1000, 0, 0, 0}, .label = {0, -1, -1, -1}};
    run_loss(&d, GT_NORMALIZE_VALID, 1);
    check(&d.loss, &(const float){-logf(FLT_MIN)}, 1, 1e-4);
    check(d.gradient, (const float[]){-1, 0, 0, 0, 1}, 5, 0);
    d.scores[0] = NAN;
    run_loss(&d, GT_NORMALIZE_VALID, 1);
    assert_true(isnan(d.loss));
}

static void sumsq(void **state)
{
    (void)state;
    const float g[] = {3, 4, 12};
    const float acc = 1;
    float y = 0;
    struct rig r = {0};
    in(&r, 0, row(3), g);
    out(&r, 0, row(1), &y);
    run(&r, &gt__sumsq_ref);
    check(&y, &(const float){169}, 1, 0);
    in(&r, 1, row(1), &acc);
    run(&r, &gt__sumsq_ref);
    check(&y, &(const float){170}, 1, 0);
}

static void sgd(void **state)
{
    (void)state;
    float w[] = {2, -1}, v[] = {1, 0};
    const float dw[] = {3, 4};
    float hyper[GT_HYPER_COUNT] = {
        [GT_HYPER_RATE] = 0.5f, [GT_HYPER_DECAY] = 0.25f, [GT_HYPER_MOMENTUM] = 0.5f};
    float sum = 25;
    struct rig r = {.node.attr = {.rate_mult = 2, .decay_mult = 4}};
    in(&r, 0, row(2), w);
    in(&r, 1, row(2), dw);
    in(&r, 2, row(2), v);
    in(&r, 3, row(GT_HYPER_COUNT), hyper);
    in(&r, 4, row(1), &sum);
    out(&r, 0, row(2), w);
    out(&r, 1, row(2), v);
    run(&r, &gt__sgd_update_ref);
    /* g = 3 + 2, 4 - 1; v = 0.5 + 5, 3 */
    check(v, (const float[]){5.5f, 3}, 2, 0);
    check(w, (const float[]){-3.5f, -4}, 2, 0);
    /* Clipped to norm 2.5: half of dw, before the decay. */
    hyper[GT_HYPER_CLIP] = 2.5f;
    run(&r, &gt__sgd_update_ref);
    check(v, (const float[]){2.75f - 2, 1.5f - 2}, 2, 0);
    check(w, (const float[]){-4.25f, -3.5f}, 2, 0);
    for (int i = 0; i < 2; i++) {
        sum = i == 0 ? INFINITY : NAN;
        run(&r, &gt__sgd_update_ref);
        check(v, (const float[]){0.75f, -0.5f}, 2, 0);
        check(w, (const float[]){-4.25f, -3.5f}, 2, 0);
    }
}

static void adamw(void **state)
{
    (void)state;
    float w[] = {2, 1}, m[] = {0, 0}, v[] = {0, 0};
    const float dw[] = {4, -0.5f};
    float hyper[GT_HYPER_COUNT] = {
        [GT_HYPER_RATE] = 0.125f, [GT_HYPER_DECAY] = 0.5f, [GT_HYPER_MOMENTUM] = 0.5f,
        [GT_HYPER_BETA2] = 0.75f, [GT_HYPER_CORRECT1] = 2, [GT_HYPER_CORRECT2] = 4};
    float sum = 16.25f;
    struct rig r = {.node.attr = {.rate_mult = 2, .decay_mult = 0.5f}};
    in(&r, 0, row(2), w);
    in(&r, 1, row(2), dw);
    in(&r, 2, row(2), m);
    in(&r, 3, row(2), v);
    in(&r, 4, row(GT_HYPER_COUNT), hyper);
    in(&r, 5, row(1), &sum);
    out(&r, 0, row(2), w);
    out(&r, 1, row(2), m);
    out(&r, 2, row(2), v);
    run(&r, &gt__adamw_update_ref);
    /* The first step moves by the sign of the gradient; rate 0.25, decay 0.25 beside it. */
    check(m, (const float[]){2, -0.25f}, 2, 0);
    check(v, (const float[]){4, 0.0625f}, 2, 0);
    check(w, (const float[]){2 - 0.25f * 1.5f, 1 + 0.25f * 0.75f}, 2, 0);
    sum = NAN;
    run(&r, &gt__adamw_update_ref);
    check(m, (const float[]){2, -0.25f}, 2, 0);
    check(v, (const float[]){4, 0.0625f}, 2, 0);
    check(w, (const float[]){1.625f, 1.1875f}, 2, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_loss), cmocka_unit_test(softmax_loss_extremes),
        cmocka_unit_test(sumsq), cmocka_unit_test(sgd), cmocka_unit_test(adamw)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
