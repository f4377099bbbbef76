/* CLAHE against OpenCV (8 bits, every bit) and NumPy (any values).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "../golden/preprocess_golden.h"
#include "data/clahe.h"
#include "prepare_rig.h"

/* The whole page through range, counts and tables. */
static void equalise(float *values, const struct gt_clahe_options *o)
{
    struct gt_clahe *h = NULL;
    assert_int_equal(gt__clahe_create(&h, o), GT_OK);
    size_t width = (size_t)o->width;
    size_t rows = (size_t)o->channels * (size_t)o->height;
    for (size_t i = 0; i < rows; i++) {
        gt__clahe_range(h, values + i * width);
    }
    for (size_t i = 0; i < rows; i++) {
        gt__clahe_count(h, (int32_t)i / o->height, (int32_t)i % o->height, values + i * width);
    }
    gt__clahe_tables(h);
    for (size_t i = 0; i < rows; i++) {
        gt__clahe_apply(h, (int32_t)i / o->height, (int32_t)i % o->height, values + i * width);
    }
    gt__clahe_free(h);
}

static uint64_t hash(const float *values, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++) {
        assert_true(values[i] >= 0 && values[i] <= 255 && values[i] == floorf(values[i]));
        h = (h ^ (uint64_t)values[i]) * UINT64_C(0x100000001b3);
    }
    return h;
}

static void test_opencv(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_clahe / sizeof *golden_clahe; i++) {
        struct rig_page p;
        struct gt_clahe_options o = {golden_clahe[i].width, golden_clahe[i].height, 1,
                                     golden_clahe[i].clip, golden_clahe[i].grid};
        rig_open(&p, 1, o.width, o.height);
        equalise(p.values, &o);
        uint64_t got = hash(p.values, (size_t)o.width * (size_t)o.height);
        if (got != golden_clahe[i].hash) {
            fail_msg("%d x %d, clip %g, grid %d: other pixels than OpenCV", o.width, o.height,
                     o.clip, o.grid);
        }
        rig_close(&p);
    }
}

static void test_floats(void **state)
{
    (void)state;
    struct rig_page p;
    struct gt_clahe_options o = {64, 48, 1, 4.0, 8};
    rig_open(&p, 1, 64, 48);
    for (size_t i = 0; i < 64 * 48; i++) {
        p.values[i] = p.values[i] * 13.7F - 400.3F;
    }
    equalise(p.values, &o);
    size_t n = sizeof golden_clahe_float / sizeof *golden_clahe_float;
    for (size_t i = 0; i < n; i++) {
        float got = p.values[i * 97];
        if (fabsf(got - golden_clahe_float[i]) > 2e-3F) {
            fail_msg("pixel %zu is %g, expected %g", i * 97, (double)got,
                     (double)golden_clahe_float[i]);
        }
    }
    rig_close(&p);
}

/* Every channel is equalised alone. */
static void test_channels(void **state)
{
    (void)state;
    struct rig_page p;
    struct rig_page first;
    struct gt_clahe_options o = {50, 33, 3, 4.0, 8};
    rig_open(&p, 3, 50, 33);
    rig_open(&first, 1, 50, 33);
    equalise(p.values, &o);
    o.channels = 1;
    equalise(first.values, &o);
    assert_memory_equal(p.values, first.values, sizeof(float) * 50 * 33);
    assert_memory_not_equal(p.values + 50 * 33, first.values, sizeof(float) * 50 * 33);
    rig_close(&first);
    rig_close(&p);
}

/* Constant pages, and ranges that float cannot span: nothing but numbers from 0 to 255. */
static void test_extremes(void **state)
{
    (void)state;
    const float pages[][4] = {{7, 7, 7, 7},
                              {0.5F, 0.5F, 0.5F, 0.5F},
                              {-3e38F, 3e38F, 0, 1},
                              {0, 1e-45F, 1e-45F, 0},
                              {-1e-38F, 1e38F, 5, 6}};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        float values[4];
        struct gt_clahe_options o = {2, 2, 1, 4.0, 2};
        memcpy(values, pages[i], sizeof values);
        equalise(values, &o);
        for (size_t k = 0; k < 4; k++) {
            assert_true(values[k] >= 0 && values[k] <= 255);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opencv),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
