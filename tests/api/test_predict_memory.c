/* What labelling takes of memory, counted through the allocator hook.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <greentea/greentea.h>

#include "../support/tiny.h"

/* ---- counted memory ---- */

/* The device's threads do not allocate, so plain numbers do. */
static size_t held, most;

static void *count_allocate(void *cookie, size_t size, size_t alignment)
{
    (void)cookie;
    size_t whole = (size + alignment - 1) / alignment * alignment + alignment;
    char *p = aligned_alloc(alignment, whole);
    if (!p) {
        return NULL;
    }
    memcpy(p, &whole, sizeof whole);
    held += whole;
    most = held > most ? held : most;
    return p + alignment;
}

static void count_release(void *cookie, void *memory)
{
    (void)cookie;
    enum { ALIGNMENT = 64 }; /* what the library asks for */
    char *p = (char *)memory - ALIGNMENT;
    size_t whole = 0;
    memcpy(&whole, p, sizeof whole);
    held -= whole;
    free(p);
}

static gt_device *device;

static int open_device(void **state)
{
    (void)state;
    gt_device_options o;
    gt_device_options_init(&o);
    o.threads = 2;
    return gt_device_open(&device, "cpu", &o);
}

static int close_device(void **state)
{
    (void)state;
    gt_device_free(device);
    return held != 0; /* everything was given back */
}

/* ---- memory ---- */

/* Plans keep to the limit, and what is taken keeps to the plan. */
static void keep_to_limit(const gt_preprocess *preprocess)
{
    gt_model *model = tiny_new_model("u", 1, 2);
    tiny_ok(gt_model_set_preprocess(model, preprocess));
    gt_image *in = tiny_new_image(1, 301, 155);
    gt_image_view v = gt_image_get_view(in);
    gt_image *reference = NULL;
    int32_t former = INT32_MAX;
    for (size_t limit = (size_t)64 << 20; limit >= (size_t)2 << 20; limit /= 2) {
        gt_predict_options o;
        gt_predictor *p = NULL;
        gt_predict_plan plan;
        gt_image *out = NULL;
        gt_predict_options_init(&o);
        o.memory_limit = limit;
        size_t before = held;
        gt_status status = gt_predictor_create(&p, device, model, &o);
        if (status == GT_ENOMEM) {
            assert_non_null(strstr(gt_error_message(), "wants"));
            break;
        }
        tiny_ok(status);
        status = gt_predictor_plan(&plan, p, v.width, v.height);
        if (status == GT_ENOMEM) {
            gt_predictor_free(p);
            break;
        }
        tiny_ok(status);
        assert_true(plan.peak_bytes <= limit && plan.arena_bytes < plan.peak_bytes);
        assert_true(plan.tile_width * plan.tile_height <= former);
        former = plan.tile_width * plan.tile_height;
        size_t result = sizeof(float) * 2 * 301 * 155;
        most = held;
        tiny_ok(gt_predictor_run(&out, p, &v));
        size_t small = (size_t)1 << 18; /* graphs, lists, the model's own record */
        if (most - before > plan.peak_bytes + result + small) {
            fail_msg("%zu bytes taken, %zu planned", most - before - result, plan.peak_bytes);
        }
        if (reference) {
            assert_true(tiny_difference(reference, out) <= 1e-5);
            gt_image_free(out);
        } else {
            reference = out;
        }
        gt_predictor_free(p);
    }
    assert_true(former < 301 * 155); /* the limit made a difference */
    gt_image_free(reference);
    gt_image_free(in);
    gt_model_free(model);
}

static void memory_limit(void **state)
{
    (void)state;
    gt_preprocess o;
    gt_preprocess_init(&o);
    keep_to_limit(&o);
}

static void memory_limit_preprocessed(void **state)
{
    (void)state;
    gt_preprocess o;
    gt_preprocess_init(&o);
    o.normalise = GT_NORMALISE_PERCENTILE;
    o.clahe = 4;
    o.smooth = 3;
    keep_to_limit(&o);
}

static void too_little_memory(void **state)
{
    (void)state;
    static const char *const nets[] = {"sw", "sk", "u", "usk", "usk9"};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; ++i) {
        gt_model *model = tiny_new_model(nets[i], 3, 2);
        gt_predictor *p = NULL;
        gt_predict_options o;
        gt_predict_options_init(&o);
        o.memory_limit = 100000;
        assert_int_equal(gt_predictor_create(&p, device, model, &o), GT_ENOMEM);
        assert_null(p);
        assert_non_null(strstr(gt_error_message(), "wants"));
        gt_model_free(model);
    }
}

/* What a failed creation says that it takes. */
static size_t wanted(const gt_model *model, size_t limit, int32_t tile)
{
    gt_predict_options o;
    gt_predictor *p = NULL;
    size_t bytes = 0;
    gt_predict_options_init(&o);
    o.memory_limit = limit;
    o.tile = tile;
    gt_status status = gt_predictor_create(&p, device, model, &o);
    gt_predictor_free(p);
    if (status == GT_OK) {
        return 0;
    }
    assert_int_equal(status, GT_ENOMEM);
    assert_null(strstr(gt_error_message(), "pixels wide"));
    const char *at = strchr(gt_error_message(), '(');
    assert_non_null(at);
    assert_int_equal(sscanf(at, "(%zu bytes)", &bytes), 1);
    return bytes;
}

/* The sentence names what is needed: that much suffices, one byte less does not. */
static void stated_minimum(void **state)
{
    (void)state;
    static const char *const nets[] = {"sw", "sk", "u", "usk", "usk9"};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; ++i) {
        gt_model *model = tiny_new_model(nets[i], 1, 2);
        size_t least = wanted(model, 10, 0);
        assert_true(least > 10000);
        assert_int_equal(wanted(model, 10000, 0), least);
        assert_int_equal(wanted(model, least - 1, 0), least);
        assert_int_equal(wanted(model, least, 0), 0);
        gt_model_free(model);
    }
    gt_model *model = tiny_new_model("u", 1, 2);
    size_t tile = wanted(model, 10, 52);
    assert_true(tile > wanted(model, 10, 0));
    assert_int_equal(wanted(model, tile - 1, 52), tile);
    assert_int_equal(wanted(model, tile, 52), 0);
    gt_model_free(model);
}

/* A tile of a given size takes less memory where the limit asks for it, and says the same: to
 * rounding, and when deterministic bit for bit. */
static void slower_kernels(void **state)
{
    (void)state;
    gt_model *model = tiny_new_model("u", 1, 2);
    gt_image *in = tiny_new_image(1, 132, 132);
    gt_image_view v = gt_image_get_view(in);
    for (int32_t deterministic = 0; deterministic < 2; ++deterministic) {
        gt_predict_options o;
        gt_predictor *p = NULL;
        gt_predict_plan plan;
        gt_predict_options_init(&o);
        o.tile = 132;
        o.deterministic = deterministic;
        gt_image *fast = tiny_predict(device, model, &o, &v);
        tiny_ok(gt_predictor_create(&p, device, model, &o));
        tiny_ok(gt_predictor_plan(&plan, p, 132, 132));
        gt_predictor_free(p);
        assert_int_equal(plan.tiles, 1);
        o.memory_limit = 10;
        assert_int_equal(gt_predictor_create(&p, device, model, &o), GT_ENOMEM);
        o.memory_limit = wanted(model, 10, 132) + 4096; /* preprocessing */
        if (!deterministic) {
            assert_true(o.memory_limit < plan.peak_bytes);
            tiny_ok(gt_predictor_create(&p, device, model, &o));
            tiny_ok(gt_predictor_plan(&plan, p, 132, 132));
            assert_true(plan.peak_bytes <= o.memory_limit);
            gt_predictor_free(p);
        } else {
            o.memory_limit = plan.peak_bytes / 2; /* other tiles */
            o.tile = 0;
        }
        gt_image *slim = tiny_predict(device, model, &o, &v);
        assert_true(tiny_difference(fast, slim) <= (deterministic ? 0 : 1e-5));
        gt_image_free(fast);
        gt_image_free(slim);
    }
    gt_image_free(in);
    gt_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_limit),      cmocka_unit_test(memory_limit_preprocessed),
        cmocka_unit_test(too_little_memory), cmocka_unit_test(stated_minimum),
        cmocka_unit_test(slower_kernels),
    };
    const gt_allocator counting = {count_allocate, count_release, NULL};
    gt_set_allocator(&counting);
    return cmocka_run_group_tests(tests, open_device, close_device);
}
