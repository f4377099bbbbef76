/* Grey values: gamma against pow, contrast and brightness exactly, noise by its moments, ranges.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "data/tone.h"

#define SIDE 101

static float plane[SIDE * SIDE];
static const struct gt_tone neutral = {.gamma = 1, .contrast = 1};

static struct gt_random stream(uint64_t sample)
{
    return gt__random_open(4, GT_STREAM_TONE, sample);
}

/* From -1.5 to 1.5. */
static float ramp(size_t i)
{
    return 3 * (float)i / (SIDE * SIDE - 1) - 1.5F;
}

static void apply(struct gt_tone tone)
{
    struct gt_random random = stream(0);
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        plane[i] = ramp(i);
    }
    gt__tone_apply(plane, SIDE, &tone, &random);
}

static void test_gamma(void **state)
{
    (void)state;
    const float exponents[] = {0.5F, 0.8F, 1, 1.2F, 2};
    for (size_t g = 0; g < sizeof exponents / sizeof *exponents; g++) {
        struct gt_tone tone = neutral;
        tone.gamma = exponents[g];
        apply(tone);
        for (size_t i = 0; i < SIDE * SIDE; i++) {
            double v = (double)ramp(i);
            double want = v < -1 || v > 1 ? v : 2 * pow((v + 1) / 2, (double)tone.gamma) - 1;
            assert_true(fabs((double)plane[i] - want) < 1e-4);
        }
    }
    struct gt_tone tone = neutral;
    tone.gamma = 1.7F;
    float ends[4] = {-1, 1, -1, 1};
    struct gt_random random = stream(0);
    gt__tone_apply(ends, 2, &tone, &random);
    assert_true(ends[0] == -1 && ends[1] == 1);
}

static void test_contrast(void **state)
{
    (void)state;
    apply((struct gt_tone){.gamma = 1, .contrast = 1.25F, .brightness = -0.5F});
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        assert_true(plane[i] == ramp(i) * 1.25F - 0.5F);
    }
    apply(neutral);
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        assert_true(plane[i] == ramp(i));
    }
}

/* Normal: moments, and neighbours independent. */
static void test_noise(void **state)
{
    (void)state;
    struct gt_tone tone = neutral;
    tone.noise = 0.5F;
    apply(tone);
    double m[4] = {0};
    double pair = 0;
    double before = 0;
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        double v = (double)(plane[i] - ramp(i)) / 0.5;
        m[0] += v;
        m[1] += v * v;
        m[2] += v * v * v * v;
        pair += v * before;
        before = v;
    }
    double n = SIDE * SIDE;
    assert_true(fabs(m[0] / n) < 5 / sqrt(n));
    assert_true(fabs(m[1] / n - 1) < 5 * sqrt(2 / n));
    assert_true(fabs(m[2] / n - 3) < 5 * sqrt(96 / n));
    assert_true(fabs(pair / n) < 5 / sqrt(n));
}

/* Mean and extremes of a quantity that is uniform between low and high. */
struct range {
    double low, high, sum;
};

static void take(struct range *r, float value)
{
    r->low = fmin(r->low, (double)value);
    r->high = fmax(r->high, (double)value);
    r->sum += (double)value;
}

static void expect(const struct range *r, double low, double high, double n)
{
    double width = high - low;
    assert_true(r->low >= low - 1e-6 && r->low < low + 0.02 * width);
    assert_true(r->high <= high + 1e-6 && r->high > high - 0.02 * width);
    assert_true(fabs(r->sum / n - (low + high) / 2) < 5 * width / sqrt(12 * n));
}

static void test_draw(void **state)
{
    (void)state;
    enum { N = 2000 };
    gt_augment_options o;
    gt_augment_options_init(&o);
    struct gt_random random = stream(1);
    struct gt_tone none = gt__tone_draw(&random, &o);
    assert_true(none.blur == 0 && none.gamma == 1 && none.contrast == 1);
    assert_true(none.brightness == 0 && none.noise == 0);
    o.blur = 2;
    o.gamma = 0.5F;
    o.contrast = 0.2F;
    o.brightness = 0.15F;
    o.noise = 0.1F;
    struct range r[5] = {{9, -9, 0}, {9, -9, 0}, {9, -9, 0}, {9, -9, 0}, {9, -9, 0}};
    for (uint64_t s = 0; s < N; s++) {
        random = stream(s);
        struct gt_tone t = gt__tone_draw(&random, &o);
        take(&r[0], t.blur);
        take(&r[1], logf(t.gamma));
        take(&r[2], t.contrast);
        take(&r[3], t.brightness);
        take(&r[4], t.noise);
    }
    expect(&r[0], 0, 2, N);
    expect(&r[1], -log(1.5), log(1.5), N);
    expect(&r[2], 0.8, 1.2, N);
    expect(&r[3], -0.15, 0.15, N);
    expect(&r[4], 0, 0.1, N);
}

/* Switching one change off leaves the others as they were. */
static void test_independent(void **state)
{
    (void)state;
    gt_augment_options o;
    gt_augment_options_init(&o);
    o.blur = o.gamma = o.contrast = o.brightness = o.noise = 0.5F;
    struct gt_random random = stream(7);
    struct gt_tone all = gt__tone_draw(&random, &o);
    o.blur = 0;
    o.contrast = 0;
    random = stream(7);
    struct gt_tone some = gt__tone_draw(&random, &o);
    assert_true(some.blur == 0 && some.contrast == 1);
    assert_true(some.gamma == all.gamma && some.brightness == all.brightness);
    assert_true(some.noise == all.noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gamma),       cmocka_unit_test(test_contrast),
        cmocka_unit_test(test_noise),       cmocka_unit_test(test_draw),
        cmocka_unit_test(test_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
