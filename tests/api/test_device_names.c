/* Devices found by name. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <greentea/greentea.h>

#include "../support/tiny.h"

static void names(void **state)
{
    (void)state;
    gt_device_info info;
    size_t index = 9;
    tiny_ok(gt_device_list(&info, 0));
    assert_int_equal(info.platform, -1);
    assert_int_equal(info.device, -1);
    assert_int_equal(info.gpu, 0);
    static const char *const cpu[] = {NULL, "cpu", "CPU", "0", "cpu ("};
    for (size_t i = 0; i < sizeof cpu / sizeof *cpu; i++) {
        index = 9;
        tiny_ok(gt_device_find(&index, cpu[i]));
        assert_int_equal(index, 0);
    }
    static const char *const none[] = {"",     "no such device",      "99", "-1", "99.0", "0.",
                                       "0.99", "99999999999999999999"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(gt_device_find(&index, none[i]), GT_EDEVICE);
        assert_non_null(strstr(gt_error_message(), info.name)); /* what there is */
    }
    assert_int_equal(gt_device_find(NULL, "cpu"), GT_EINVAL);
}

static void names_of_all(void **state)
{
    (void)state;
    size_t n = 0;
    size_t gpu = SIZE_MAX;
    tiny_ok(gt_device_count(&n));
    for (size_t i = 0; i < n; i++) {
        gt_device_info info;
        gt_device_info same;
        char name[64];
        size_t index = 0;
        tiny_ok(gt_device_list(&info, i));
        gpu = gpu == SIZE_MAX && info.gpu == 1 ? i : gpu;
        tiny_ok(gt_device_find(&index, info.name));
        tiny_ok(gt_device_list(&same, index));
        assert_true(index <= i && strcmp(same.name, info.name) == 0);
        if (info.platform >= 0) {
            snprintf(name, sizeof name, "%d.%d", info.platform, info.device);
            tiny_ok(gt_device_find(&index, name));
            assert_int_equal(index, i);
        }
    }
    size_t index = SIZE_MAX;
    gt_status status = gt_device_find(&index, "gpu");
    assert_int_equal(status, gpu == SIZE_MAX ? GT_EDEVICE : GT_OK);
    assert_true(index == gpu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(names_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
