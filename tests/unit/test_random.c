/* Philox streams. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "core/random.h"

/* The three known answers of Random123's kat_vectors for philox4x32-10. */
static void known_answers(void **state)
{
    (void)state;
    static const struct {
        struct gt_random start;
        uint32_t words[4];
    } rows[] = {
        {{.key = 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{.key = UINT64_MAX, .stream = UINT32_MAX, .sub = UINT64_MAX, .counter = UINT32_MAX},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{.key = 0x299f31d0a4093822u,
          .counter = 0x243f6a88,
          .stream = 0x85a308d3,
          .sub = 0x0370734413198a2eu},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gt_random r = rows[i].start;
        for (int k = 0; k < 4; k++) {
            assert_int_equal(gt__random_u32(&r), rows[i].words[k]);
        }
    }
}

/* A copy, and a stream entered at a block, continue with the same words. */
static void resume(void **state)
{
    (void)state;
    enum { COUNT = 64 };
    uint32_t words[COUNT];
    struct gt_random r = gt__random_open(42, GT_STREAM_TEST, 7);
    for (int i = 0; i < COUNT; i++) {
        words[i] = gt__random_u32(&r);
    }
    for (uint32_t start = 0; start < COUNT; start++) {
        struct gt_random a = gt__random_open(42, GT_STREAM_TEST, 7);
        for (uint32_t i = 0; i < start; i++) {
            gt__random_u32(&a);
        }
        struct gt_random copy = a;
        struct gt_random b = gt__random_open(42, GT_STREAM_TEST, 7);
        b.counter = start / 4;
        for (uint32_t i = 0; i < start % 4; i++) {
            gt__random_u32(&b);
        }
        for (uint32_t i = start; i < COUNT; i++) {
            assert_int_equal(gt__random_u32(&copy), words[i]);
            assert_int_equal(gt__random_u32(&b), words[i]);
        }
    }
}

static void streams_differ(void **state)
{
    (void)state;
    struct gt_random r[] = {gt__random_open(1, GT_STREAM_TEST, 0),
                            gt__random_open(2, GT_STREAM_TEST, 0),
                            gt__random_open(1, GT_STREAM_INIT, 0),
                            gt__random_open(1, GT_STREAM_TEST, 1),
                            gt__random_open(1, GT_STREAM_TEST, (uint64_t)1 << 32),
                            gt__random_open((uint64_t)1 << 32 | 1, GT_STREAM_TEST, 0)};
    uint64_t first[6];
    for (int i = 0; i < 6; i++) {
        first[i] = gt__random_u32(&r[i]);
        first[i] = first[i] << 32 | gt__random_u32(&r[i]);
        for (int k = 0; k < i; k++) {
            assert_true(first[i] != first[k]);
        }
    }
}

static void uniform(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct gt_random r = gt__random_open(3, GT_STREAM_TEST, 0);
    double sum32 = 0, sum64 = 0;
    double least = 1, most = 0;
    for (int i = 0; i < COUNT; i++) {
        double a = (double)gt__random_f32(&r);
        double b = gt__random_f64(&r);
        assert_true(a >= 0 && a < 1 && b >= 0 && b < 1);
        sum32 += a;
        sum64 += b;
        least = fmin(least, fmin(a, b));
        most = fmax(most, fmax(a, b));
    }
    /* Five standard deviations of the mean: 5/sqrt(12*COUNT) = 0.0046. */
    assert_true(fabs(sum32 / COUNT - 0.5) < 0.0046);
    assert_true(fabs(sum64 / COUNT - 0.5) < 0.0046);
    assert_true(least < 1e-3 && most > 0.999);
    /* The largest word stays below 1. */
    struct gt_random top = {.left = 1, .block = {0, 0, 0, UINT32_MAX}};
    assert_true(gt__random_f32(&top) < 1.0f);
    struct gt_random top2 = {.left = 2, .block = {0, 0, UINT32_MAX, UINT32_MAX}};
    assert_true(gt__random_f64(&top2) < 1.0);
}

static void below(void **state)
{
    (void)state;
    struct gt_random r = gt__random_open(4, GT_STREAM_TEST, 0);
    int seen[7] = {0};
    for (int i = 0; i < 70000; i++) {
        uint64_t x = gt__random_below(&r, 7);
        assert_true(x < 7);
        seen[x]++;
    }
    for (int i = 0; i < 7; i++) {
        assert_true(seen[i] > 9500 && seen[i] < 10500); /* 10000 +- 5.4 deviations */
    }
    uint64_t n = ((uint64_t)1 << 63) + 1; /* half of all draws are rejected */
    for (int i = 0; i < 100; i++) {
        assert_int_equal(gt__random_below(&r, 1), 0);
        assert_true(gt__random_below(&r, n) < n);
        gt__random_below(&r, UINT64_MAX);
    }
    /* 2^64 mod 3 = 1: draw 0 is surplus, draw 1 is taken. */
    struct gt_random zero = {.left = 4, .block = {0, 0, 1, 0}};
    assert_int_equal(gt__random_below(&zero, 3), 1);
    assert_int_equal(zero.left, 0);
}

static void normal(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct gt_random r = gt__random_open(5, GT_STREAM_TEST, 0);
    double sum = 0, squares = 0, fourth = 0;
    for (int i = 0; i < COUNT; i++) {
        double x = gt__random_normal(&r);
        assert_true(isfinite(x));
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
    }
    /* Five standard deviations: mean 5/sqrt(n), variance 5*sqrt(2/n), fourth moment 5*sqrt(96/n).
     */
    assert_true(fabs(sum / COUNT) < 0.0159);
    assert_true(fabs(squares / COUNT - 1) < 0.0224);
    assert_true(fabs(fourth / COUNT - 3) < 0.155);
    struct gt_random zero = {.left = 4, .block = {0, 0, 0, 0}};
    assert_true(isfinite(gt__random_normal(&zero)));
    struct gt_random top = {.left = 4, .block = {UINT32_MAX, UINT32_MAX, 0, 0}};
    assert_true(isfinite(gt__random_normal(&top)));
}

/* Many words at once are those that come one by one, whatever was taken before. */
static void words(void **state)
{
    (void)state;
    for (size_t before = 0; before < 6; before++) {
        for (size_t n = 0; n < 14; n++) {
            struct gt_random one = gt__random_open(3, GT_STREAM_TEST, before);
            struct gt_random many = one;
            uint32_t out[14];
            for (size_t i = 0; i < before; i++) {
                assert_int_equal(gt__random_u32(&one), gt__random_u32(&many));
            }
            gt__random_words(out, &many, n);
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(out[i], gt__random_u32(&one));
            }
            assert_int_equal(gt__random_u32(&many), gt__random_u32(&one));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_answers),  cmocka_unit_test(resume),
                                       cmocka_unit_test(streams_differ), cmocka_unit_test(uniform),
                                       cmocka_unit_test(below),          cmocka_unit_test(normal),
                                       cmocka_unit_test(words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
