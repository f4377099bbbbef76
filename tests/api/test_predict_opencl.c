/* Labelling on OpenCL devices: alone, two of one name, beside the CPU. PoCL shows the processor as
 * two devices. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <greentea/greentea.h>

#include "../support/tiny.h"

enum { MOST = 8, WIDTH = 101, HEIGHT = 61 };

static gt_model *model;
static gt_image *image;
static gt_device *devices[MOST]; /* the CPU, then OpenCL devices */
static size_t n_devices;
static size_t pair[2]; /* two of one name */

static int set_up(void **state)
{
    (void)state;
    size_t n = 0;
    tiny_ok(gt_device_count(&n));
    for (n_devices = 0; n_devices < n && n_devices < MOST; n_devices++) {
        char name[2] = {(char)('0' + n_devices), '\0'};
        tiny_ok(gt_device_open(&devices[n_devices], name, NULL));
    }
    for (size_t i = 1; i < n_devices; i++) {
        for (size_t k = 1; k < i; k++) {
            gt_device_info a;
            gt_device_info b;
            gt_device_describe(devices[i], &a);
            gt_device_describe(devices[k], &b);
            if (strcmp(a.name, b.name) == 0) {
                pair[0] = k;
                pair[1] = i;
            }
        }
    }
    model = tiny_new_model("u", 1, 2);
    image = tiny_new_image(1, WIDTH, HEIGHT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gt_image_free(image);
    gt_model_free(model);
    for (size_t i = 0; i < n_devices; i++) {
        gt_device_free(devices[i]);
    }
    return 0;
}

static gt_image *run_on(gt_device *const *on, size_t n, int32_t deterministic)
{
    gt_predict_options o;
    gt_predictor *p = NULL;
    gt_image *out = NULL;
    gt_image_view v = gt_image_get_view(image);
    gt_predict_options_init(&o);
    o.tile = 36;
    o.deterministic = deterministic;
    tiny_ok(gt_predictor_create_on(&p, on, n, model, &o));
    tiny_ok(gt_predictor_run(&out, p, &v));
    gt_predictor_free(p);
    return out;
}

static void check(const gt_image *a, const gt_image *b, double bound)
{
    double d = tiny_difference(a, b);
    if (!(d <= bound)) {
        fail_msg("%g apart, at most %g", d, bound);
    }
}

static void found(void **state)
{
    (void)state;
    if (n_devices < 2) {
        fail_msg("no OpenCL device; the tests need one: PoCL will do");
    }
    if (pair[1] == 0) {
        print_message("no two OpenCL devices of one name here\n");
    }
}

static void near_the_cpu(void **state)
{
    (void)state;
    gt_image *cpu = run_on(devices, 1, 1);
    for (size_t i = 1; i < n_devices; i++) {
        gt_image *one = run_on(&devices[i], 1, 1);
        check(one, cpu, 1e-4);
        gt_image_free(one);
    }
    gt_image *all = run_on(devices, n_devices, 1);
    check(all, cpu, 1e-4);
    gt_image_free(all);
    all = run_on(devices, n_devices, 0);
    check(all, cpu, 1e-4);
    gt_image_free(all);
    gt_image_free(cpu);
}

static void equal_devices(void **state)
{
    (void)state;
    if (pair[1] == 0) {
        skip();
    }
    gt_device *const two[] = {devices[pair[0]], devices[pair[1]]};
    for (int32_t deterministic = 0; deterministic < 2; deterministic++) {
        gt_image *first = run_on(two, 1, deterministic);
        gt_image *second = run_on(two + 1, 1, deterministic);
        gt_image *both = run_on(two, 2, deterministic);
        check(first, second, 0);
        check(first, both, 0);
        gt_image_free(first);
        gt_image_free(second);
        gt_image_free(both);
    }
}

int main(void)
{
#ifndef GT_WITH_OCL
    return 0;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found),
        cmocka_unit_test(near_the_cpu),
        cmocka_unit_test(equal_devices),
    };
    setenv("POCL_DEVICES", "pthread pthread", 1); /* before anything asks for devices */
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
