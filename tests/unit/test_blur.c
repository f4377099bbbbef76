/* Blur in place against sums written down directly. SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "data/mirror.h"
#include "data/tone.h"

#define MAX 300 /* more than one block per row */

static float plane[MAX * MAX];
static float before[MAX * MAX];
static double rows[MAX * MAX];

static void fill(int32_t side)
{
    for (int32_t k = 0; k < side * side; k++) {
        before[k] = (float)(k * 7919 % 1009) / 512 - 1;
    }
    memcpy(plane, before, sizeof plane);
}

/* Sampled Gaussian to three sigma (or the side), normalised, border mirrored. */
static void check(int32_t side, double sigma)
{
    int32_t r = (int32_t)ceil(3 * sigma);
    r = r < side - 1 ? r : side - 1;
    double sum = 0;
    for (int32_t d = -r; d <= r; d++) {
        sum += exp(-0.5 * d * d / (sigma * sigma));
    }
    fill(side);
    gt__blur(plane, side, (float)sigma);
    for (int32_t k = 0; k < side * side; k++) {
        rows[k] = 0;
        for (int32_t d = -r; d <= r; d++) {
            double w = exp(-0.5 * d * d / (sigma * sigma)) / sum;
            rows[k] += w * (double)before[k / side * side + gt__mirror(k % side + d, side)];
        }
    }
    for (int32_t k = 0; k < side * side; k++) {
        double want = 0;
        for (int32_t d = -r; d <= r; d++) {
            double w = exp(-0.5 * d * d / (sigma * sigma)) / sum;
            want += w * rows[gt__mirror(k / side + d, side) * side + k % side];
        }
        assert_true(fabs((double)plane[k] - want) < 3e-6);
    }
}

static void test_sums(void **state)
{
    (void)state;
    const int32_t sides[] = {2, 3, 5, 16, 17, 63, 130, 300};
    const double sigmas[] = {0.1, 0.4, 1, 1.9, 5};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        for (size_t k = 0; k < sizeof sigmas / sizeof *sigmas; k++) {
            check(sides[i], sigmas[k]);
        }
    }
}

/* Nothing wanted, nothing done (the original blurred most of all then); a tiny sigma does nothing
 * either. */
static void test_none(void **state)
{
    (void)state;
    fill(20);
    gt__blur(plane, 20, 0);
    assert_memory_equal(plane, before, sizeof plane);
    gt__blur(plane, 20, 1e-3F);
    assert_memory_equal(plane, before, 20 * 20 * sizeof *plane);
    gt__blur(plane, 20, 1e-30F);
    assert_memory_equal(plane, before, 20 * 20 * sizeof *plane);
    gt__blur(plane, 1, 2);
    assert_memory_equal(plane, before, sizeof plane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
