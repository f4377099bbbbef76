/* OpenCL calls failing in turn, alone and from then on, in the life of a predictor and of a trainer:
 * each life succeeds or ends with a clear error, and no object of OpenCL outlives it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../support/ocl_devices.h"
#include "../support/ocl_shim.h"
#include "../support/tiny.h"

static struct ocl_layer *layer;
static char device_name[24]; /* "": no device */

#define TRY(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != GT_OK) {                                                                     \
            goto out;                                                                              \
        }                                                                                          \
    } while (0)

static gt_status life_of_prediction(void)
{
    gt_device *device = NULL;
    gt_predictor *predictor = NULL;
    gt_image *out = NULL;
    gt_image *in = tiny_new_image(1, 24, 24);
    gt_model *model = tiny_new_model("u", 1, 2);
    gt_image_view view = gt_image_get_view(in);
    gt_status status = GT_OK;
    TRY(gt_device_open(&device, device_name, NULL));
    TRY(gt_predictor_create(&predictor, device, model, NULL));
    TRY(gt_predictor_run(&out, predictor, &view));
    tiny_check_probabilities(out);
out:
    gt_image_free(out);
    gt_predictor_free(predictor);
    gt_device_free(device);
    gt_model_free(model);
    gt_image_free(in);
    return status;
}

static gt_status life_of_training(void)
{
    gt_device *device = NULL;
    gt_dataset *data = NULL;
    gt_trainer *trainer = NULL;
    gt_image *image[2] = {NULL, NULL};
    gt_model *model = tiny_new_model("usk", 1, 2);
    gt_train_options o;
    gt_status status = GT_OK;
    gt_train_options_init(&o);
    o.patch = 4;
    tiny_ok(gt_dataset_create(&data, NULL));
    tiny_ok(gt_synthetic_section(&image[0], &image[1], 40, 40, 1, 0));
    gt_image_view view[2] = {gt_image_get_view(image[0]), gt_image_get_view(image[1])};
    tiny_ok(gt_dataset_add(data, &view[0], &view[1]));
    TRY(gt_device_open(&device, device_name, NULL));
    TRY(gt_trainer_create(&trainer, device, model, data, &o));
    TRY(gt_trainer_step(NULL, trainer));
    TRY(gt_trainer_step(NULL, trainer));
    TRY(gt_trainer_sync(trainer));
out:
    gt_trainer_free(trainer);
    gt_device_free(device);
    gt_dataset_free(data);
    gt_image_free(image[1]);
    gt_image_free(image[0]);
    gt_model_free(model);
    return status;
}

/* Only these, and the message names the code; a device that does not answer is not in the list. */
static bool is_clear(gt_status status)
{
    const char *message = gt_error_message();
    return status == GT_OK ||
           ((status == GT_ENOMEM || status == GT_EDEVICE) &&
            (strstr(message, "CL_") || strstr(message, "CLBlast") || strstr(message, "no device") ||
             strstr(message, "no OpenCL device")));
}

static bool quick(void)
{
    const char *text = getenv("GT_QUICK");
    return text && strcmp(text, "1") == 0;
}

/* Which calls fail: the first ones of each function, of the hundreds of clSetKernelArg and the like
 * that follow only some. GT_ALL_CALLS=1: all, which takes a quarter of an hour. */
static bool is_picked(const char *const *trace, long n)
{
    long before = 0;
    for (long i = 0; i < n; i++) {
        before += strcmp(trace[i], trace[n]) == 0;
    }
    if (getenv("GT_ALL_CALLS")) {
        return true;
    }
    if (quick()) {
        return n % 7 == 0 && (before < 14 || n % 98 == 0);
    }
    return before < 10 || n % 67 == 0;
}

/* Where programs are built anew in every life, which takes long: only the calls for that. */
static bool is_picked_of_builds(const char *const *trace, long n)
{
    return (strstr(trace[n], "Program") || strcmp(trace[n], "clCreateKernel") == 0) &&
           n % (quick() ? 7 : 3) == 0;
}

/* CLBlast writes to the standard error when a call fails: not into the report of the tests. */
static gt_status run_silently(gt_status (*life)(void))
{
    int kept = dup(STDERR_FILENO);
    int null = open("/dev/null", O_WRONLY);
    assert_true(kept >= 0 && null >= 0);
    dup2(null, STDERR_FILENO);
    gt_status status = life();
    dup2(kept, STDERR_FILENO);
    close(null);
    close(kept);
    return status;
}

/* One life with call n failing, or all from n on. */
static bool survives(gt_status (*life)(void), long n, bool on, const char *name)
{
    ocl_shim_reset(layer);
    atomic_store(on ? &layer->fail_from : &layer->fail_at, n);
    gt_status status = run_silently(life);
    long live = ocl_shim_live(layer);
    ocl_shim_reset(layer);
    bool well = is_clear(status) && live == 0;
    if (getenv("GT_VERBOSE")) {
        print_message("%4ld %s %-28s %s: %s\n", n, on ? "on   " : "alone", name,
                      gt_status_name(status), status ? gt_error_message() : "");
    }
    if (!well) {
        print_error("call %ld, %s%s: %s \"%s\", %ld objects left\n", n, name,
                    on ? " and all later" : "", gt_status_name(status),
                    status ? gt_error_message() : "", live);
    }
    return well;
}

typedef bool (*pick_fn)(const char *const *trace, long n);

static void check_life(gt_status (*life)(void), pick_fn pick, const char *what)
{
    if (!device_name[0]) {
        return;
    }
    const char **trace = malloc(OCL_LAYER_TRACE * sizeof *trace);
    struct timespec start;
    struct timespec end;
    int bad = 0;
    long tried = 0;
    assert_non_null(trace);
    ocl_shim_reset(layer);
    tiny_ok(life()); /* compiles, fills the cache */
    ocl_shim_reset(layer);
    tiny_ok(life());
    assert_int_equal(ocl_shim_live(layer), 0);
    long total = atomic_load(&layer->calls);
    total = total < OCL_LAYER_TRACE ? total : OCL_LAYER_TRACE;
    assert_true(total > 50);
    memcpy(trace, layer->trace, (size_t)total * sizeof *trace);
    timespec_get(&start, TIME_UTC);
    for (long n = 0; n < total && bad < 10; n++) {
        if (pick(trace, n)) {
            bad += !survives(life, n + 1, false, trace[n]);
            bad += !survives(life, n + 1, true, trace[n]);
            tried++;
        }
    }
    timespec_get(&end, TIME_UTC);
    print_message("%s: %ld calls, %ld of them failed in turn, %d bad, %ld s\n", what, total, tried,
                  bad, (long)(end.tv_sec - start.tv_sec));
    free(trace);
    assert_int_equal(bad, 0);
}

static void test_prediction(void **state)
{
    (void)state;
    check_life(life_of_prediction, is_picked, "prediction");
}

static void test_training(void **state)
{
    (void)state;
    check_life(life_of_training, is_picked, "training");
}

/* Without a cache folder every program is built from its source. */
static void test_prediction_without_cache(void **state)
{
    (void)state;
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    check_life(life_of_prediction, is_picked_of_builds, "prediction without cache");
}

static int find_device(void **state)
{
    (void)state;
    size_t index[OCL_MAX_DEVICES] = {0};
    layer = ocl_shim_load();
    if (ocl_devices(index) > 0) {
        snprintf(device_name, sizeof device_name, "%zu", index[0]);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prediction),
        cmocka_unit_test(test_training),
        cmocka_unit_test(test_prediction_without_cache),
    };
    return cmocka_run_group_tests_name("OpenCL failures", tests, find_device, NULL);
}
