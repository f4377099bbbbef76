/* The eight symmetries of the square. SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "data/augment.h"

/* dst = symmetry(src), planes [side][side]. */
static void apply(float *dst, const float *src, int32_t side, int32_t symmetry)
{
    struct gt_symmetry_map m = gt__symmetry_map(symmetry, side);
    for (int32_t i = 0; i < side; i++) {
        for (int32_t j = 0; j < side; j++) {
            size_t y = (size_t)(m.y0 + m.yi * i + m.yj * j);
            size_t x = (size_t)(m.x0 + m.xi * i + m.xj * j);
            *dst++ = src[y * (size_t)side + x];
        }
    }
}

static void test_by_hand(void **state)
{
    (void)state;
    const float in[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const float want[GT_SYMMETRIES][9] = {
        {1, 2, 3, 4, 5, 6, 7, 8, 9}, /* none */
        {7, 8, 9, 4, 5, 6, 1, 2, 3}, /* rows reversed */
        {3, 2, 1, 6, 5, 4, 9, 8, 7}, /* columns reversed */
        {9, 8, 7, 6, 5, 4, 3, 2, 1}, /* half a turn */
        {1, 4, 7, 2, 5, 8, 3, 6, 9}, /* transposed */
        {3, 6, 9, 2, 5, 8, 1, 4, 7}, /* a quarter turn, counter-clockwise */
        {7, 4, 1, 8, 5, 2, 9, 6, 3}, /* a quarter turn, clockwise */
        {9, 6, 3, 8, 5, 2, 7, 4, 1}, /* transposed about the other diagonal */
    };
    for (int32_t s = 0; s < GT_SYMMETRIES; s++) {
        float out[9];
        apply(out, in, 3, s);
        assert_memory_equal(out, want[s], sizeof out);
    }
}

/* Side 1 and an even side: every pixel is used once. */
static void test_permutation(void **state)
{
    (void)state;
    float one = 5;
    float in[16];
    for (int32_t i = 0; i < 16; i++) {
        in[i] = (float)i;
    }
    for (int32_t s = 0; s < GT_SYMMETRIES; s++) {
        float out[16];
        float single = 0;
        int32_t seen = 0;
        apply(out, in, 4, s);
        for (int32_t i = 0; i < 16; i++) {
            seen |= 1 << (int32_t)out[i];
        }
        assert_int_equal(seen, 0xffff);
        apply(&single, &one, 1, s);
        assert_true(single == 5);
    }
}

static void count_draws(int32_t counts[GT_SYMMETRIES], gt_augment mode, int32_t n)
{
    struct gt_random r = gt__random_open(7, GT_STREAM_TEST, (uint64_t)mode);
    for (int32_t i = 0; i < GT_SYMMETRIES; i++) {
        counts[i] = 0;
    }
    for (int32_t i = 0; i < n; i++) {
        int32_t s = gt__symmetry_draw(&r, mode);
        assert_in_range(s, 0, GT_SYMMETRIES - 1);
        counts[s]++;
    }
}

/* Uniform: within 5 standard deviations of the expected counts. */
static void test_draw(void **state)
{
    (void)state;
    int32_t counts[GT_SYMMETRIES];
    count_draws(counts, GT_AUGMENT_D4, 8000);
    for (int32_t s = 0; s < GT_SYMMETRIES; s++) {
        assert_in_range(counts[s], 1000 - 148, 1000 + 148);
    }
    count_draws(counts, GT_AUGMENT_FLIPS, 4000);
    for (int32_t s = 0; s < GT_SYMMETRIES; s++) {
        assert_in_range(counts[s], s < 4 ? 1000 - 137 : 0, s < 4 ? 1000 + 137 : 0);
    }
    count_draws(counts, GT_AUGMENT_NONE, 100);
    assert_int_equal(counts[0], 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_permutation),
        cmocka_unit_test(test_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
