/* Statistics against NumPy, and their independence of how values come.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "../golden/preprocess_golden.h"
#include "core/mem.h"
#include "data/statistics.h"
#include "prepare_rig.h"

/* The scale of n values in rows of `width`; rounds: how many were wanted. */
static struct gt_value_map map_of(int *rounds, const gt_preprocess *o, const float *values,
                                  size_t n, size_t width)
{
    struct gt_statistics *s = NULL;
    struct gt_value_map map;
    assert_int_equal(gt__statistics_create(&s, o), GT_OK);
    for (*rounds = 0; gt__statistics_wanted(s); ++*rounds) {
        for (size_t i = 0; i < n; i += width) {
            gt__statistics_row(s, values + i, width);
        }
        assert_int_equal(gt__statistics_end_round(s), GT_OK);
    }
    assert_int_equal(gt__statistics_map(&map, s), GT_OK);
    gt__statistics_free(s);
    return map;
}

static void close_to(double got, double want, double bound)
{
    if (!(fabs(got - want) <= bound)) {
        fail_msg("%.9g, expected %.9g", got, want);
    }
}

/* low is the percentile; high follows from the scale. */
static void test_percentiles(void **state)
{
    (void)state;
    struct rig_page p;
    gt_preprocess o;
    int rounds = 0;
    gt_preprocess_init(&o);
    o.normalise = GT_NORMALISE_PERCENTILE;
    size_t n = sizeof golden_percentile / sizeof *golden_percentile;
    for (size_t i = 0; i + 1 < n; i++) {
        rig_open(&p, 1, 61, 47);
        o.low = golden_percentile[i].percent;
        o.high = golden_percentile[i + 1].percent;
        struct gt_value_map m = map_of(&rounds, &o, p.values, 61 * 47, 61);
        assert_int_equal(rounds, 1); /* 8 bits need no second look */
        close_to((double)m.low, golden_percentile[i].bytes, 1e-5);
        close_to(2.0 / (double)m.scale, golden_percentile[i + 1].bytes - golden_percentile[i].bytes,
                 1e-4);
        assert_true(m.cut);
        for (size_t k = 0; k < 61 * 47; k++) {
            float v = p.values[k] * 0.37F - 20.0F;
            p.values[k] = v * v * v;
        }
        m = map_of(&rounds, &o, p.values, 61 * 47, 47);
        assert_int_equal(rounds, 2);
        double low = golden_percentile[i].cubes;
        double high = golden_percentile[i + 1].cubes;
        close_to((double)m.low, low, 1e-6 * (1.0 + fabs(low)));
        close_to(2.0 / (double)m.scale, high - low, 1e-6 * (fabs(high) + fabs(low)));
        rig_close(&p);
    }
}

/* Percentiles of one value, of two, of negative zeros, of negative integers. */
static void test_few_values(void **state)
{
    (void)state;
    gt_preprocess o;
    int rounds = 0;
    gt_preprocess_init(&o);
    o.normalise = GT_NORMALISE_PERCENTILE;
    o.low = 25;
    o.high = 75;
    const float one[1] = {3.25F};
    struct gt_value_map m = map_of(&rounds, &o, one, 1, 1);
    assert_true(m.low == 3.25F && m.scale == 0.0F && m.offset == -1.0F);
    const float two[2] = {8, -8};
    m = map_of(&rounds, &o, two, 2, 2);
    assert_true(m.low == -4.0F && m.scale == 0.25F);
    const float zeros[4] = {0.0F, -0.0F, -0.0F, 0.0F};
    m = map_of(&rounds, &o, zeros, 4, 2);
    assert_true(m.low == 0.0F && m.scale == 0.0F);
    const float negative[5] = {-1.1F, -2.2F, -3.3F, -4.4F, -5.5F};
    m = map_of(&rounds, &o, negative, 5, 5);
    assert_true(m.low == -4.4F);
    close_to((double)m.scale, 2.0 / 2.2, 1e-6);
    float cut[5] = {-100, -4.4F, -3.3F, -2.2F, 100};
    gt__value_map(cut, 5, &m);
    assert_true(cut[0] == -1.0F && cut[1] == -1.0F && cut[4] == 1.0F);
    close_to((double)cut[2], 0.0, 1e-6);
}

static void test_moments(void **state)
{
    (void)state;
    struct rig_page p;
    gt_preprocess o;
    int rounds = 0;
    gt_preprocess_init(&o);
    o.normalise = GT_NORMALISE_MEANVAR;
    rig_open(&p, 1, 61, 47);
    struct gt_value_map m = map_of(&rounds, &o, p.values, 61 * 47, 61);
    assert_int_equal(rounds, 1);
    close_to((double)m.low, golden_mean, 1e-5);
    close_to(1.0 / (double)m.scale, golden_deviation, 1e-5);
    /* far from 0 nothing is lost: squares of 1e6 minus each other would keep 3 digits */
    for (size_t i = 0; i < 61 * 47; i++) {
        p.values[i] += 1048576.0F;
    }
    m = map_of(&rounds, &o, p.values, 61 * 47, 61);
    close_to(1.0 / (double)m.scale, golden_deviation, 1e-5);
    const float flat[6] = {0.1F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F};
    m = map_of(&rounds, &o, flat, 6, 3);
    assert_true(m.scale == 0.0F && m.offset == 0.0F);
    rig_close(&p);
}

/* As before there was a choice: min-max in float, bit for bit. */
static void test_range(void **state)
{
    (void)state;
    gt_preprocess o;
    int rounds = 0;
    gt_preprocess_init(&o);
    float values[4] = {10, 110, 60, 210};
    struct gt_value_map m = map_of(&rounds, &o, values, 4, 4);
    assert_true(m.low == 10.0F && m.scale == 2.0F / 200.0F && m.offset == -1.0F && !m.cut);
    gt__value_map(values, 4, &m);
    assert_true(values[0] == -1.0F && values[1] == 100.0F * (2.0F / 200.0F) - 1.0F);
    o.normalise = GT_NORMALISE_NONE;
    m = map_of(&rounds, &o, values, 4, 4);
    assert_int_equal(rounds, 0);
    assert_true(m.low == 0.0F && m.scale == 1.0F && m.offset == 0.0F);
}

/* Values too far apart for float. */
static void test_overflow(void **state)
{
    (void)state;
    const float far[2] = {-3e38F, 3e38F};
    const float near[2] = {0, 1e-45F};
    const gt_normalise kinds[] = {GT_NORMALISE_MINMAX, GT_NORMALISE_PERCENTILE};
    for (size_t i = 0; i < 4; i++) {
        struct gt_statistics *s = NULL;
        struct gt_value_map map;
        gt_preprocess o;
        gt_preprocess_init(&o);
        o.normalise = kinds[i / 2];
        assert_int_equal(gt__statistics_create(&s, &o), GT_OK);
        while (gt__statistics_wanted(s)) {
            gt__statistics_row(s, i % 2 ? near : far, 2);
            assert_int_equal(gt__statistics_end_round(s), GT_OK);
        }
        assert_int_equal(gt__statistics_map(&map, s), GT_ENUMERIC);
        assert_non_null(strstr(gt_error_message(), "cannot be normalised"));
        gt__statistics_free(s);
    }
}

/* What lies far from the scale of all others must not become infinite or no number. */
static void test_outliers(void **state)
{
    (void)state;
    enum { N = 1000 };
    static float values[N];
    const gt_normalise kinds[] = {GT_NORMALISE_MEANVAR, GT_NORMALISE_PERCENTILE};
    for (size_t i = 0; i < 2; i++) {
        struct gt_statistics *s = NULL;
        struct gt_value_map map;
        gt_preprocess o;
        gt_preprocess_init(&o);
        o.normalise = kinds[i];
        for (size_t k = 0; k < N; k++) {
            values[k] = -3e38F;
        }
        values[N / 2] = 3e38F;
        assert_int_equal(gt__statistics_create(&s, &o), GT_OK);
        while (gt__statistics_wanted(s)) {
            gt__statistics_row(s, values, N);
            assert_int_equal(gt__statistics_end_round(s), GT_OK);
        }
        assert_int_equal(gt__statistics_map(&map, s), GT_ENUMERIC);
        assert_non_null(strstr(gt_error_message(), "from -3e+38 to 3e+38 cannot be normalised"));
        gt__statistics_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percentiles), cmocka_unit_test(test_few_values),
        cmocka_unit_test(test_moments),     cmocka_unit_test(test_range),
        cmocka_unit_test(test_overflow),    cmocka_unit_test(test_outliers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
