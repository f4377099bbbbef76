/* Options of distortion: defaults, ranges, messages. SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "data/distort.h"

static gt_augment_options defaults(void)
{
    gt_augment_options o;
    gt_augment_options_init(&o);
    return o;
}

static void test_defaults(void **state)
{
    (void)state;
    gt_augment_options o = defaults();
    assert_int_equal(gt__augment_check(&o), GT_OK);
    assert_false(gt__augment_warps(&o));
    assert_false(gt__augment_tones(&o));
    o.scale_low = 0.9F;
    assert_true(gt__augment_warps(&o));
    o = defaults();
    o.noise = 0.1F;
    assert_false(gt__augment_warps(&o));
    assert_true(gt__augment_tones(&o));
}

/* `field` of `o` accepts 0 and most, and names itself when it refuses. */
static void check_field(gt_augment_options *o, float *field, float most, const char *name)
{
    const float bad[] = {-1e-3F, most * 1.001F, NAN, INFINITY};
    *field = most;
    assert_int_equal(gt__augment_check(o), GT_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        *field = bad[i];
        assert_int_equal(gt__augment_check(o), GT_EINVAL);
        assert_non_null(strstr(gt_error_message(), name));
    }
    *field = 0;
    assert_int_equal(gt__augment_check(o), GT_OK);
}

static void test_ranges(void **state)
{
    (void)state;
    gt_augment_options o = defaults();
    check_field(&o, &o.rotate, 180, "rotation");
    check_field(&o, &o.elastic, 1000, "elastic");
    check_field(&o, &o.blur, 5, "blur");
    check_field(&o, &o.gamma, 1, "gamma");
    check_field(&o, &o.contrast, 1, "contrast");
    check_field(&o, &o.brightness, 2, "brightness");
    check_field(&o, &o.noise, 2, "noise");
}

static void test_scale_and_grid(void **state)
{
    (void)state;
    const float bad[][2] = {{0, 1}, {1.1F, 0.9F}, {1, 4.1F}, {NAN, 1}, {1, NAN}};
    gt_augment_options o = defaults();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o.scale_low = bad[i][0];
        o.scale_high = bad[i][1];
        assert_int_equal(gt__augment_check(&o), GT_EINVAL);
        assert_non_null(strstr(gt_error_message(), "scale"));
    }
    o = defaults();
    o.scale_low = 0.25F;
    o.scale_high = 4;
    assert_int_equal(gt__augment_check(&o), GT_OK);
    o.elastic_grid = 16;
    assert_int_equal(gt__augment_check(&o), GT_OK);
    o.elastic_grid = 17;
    assert_int_equal(gt__augment_check(&o), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), "17 nodes"));
    o.elastic_grid = 1;
    assert_int_equal(gt__augment_check(&o), GT_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_scale_and_grid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
