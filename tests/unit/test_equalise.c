/* Label equalisation by masking: the published vector with exact patch counts, and the shares that
 * remain.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data/sample.h"

#include <greentea/greentea.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static gt_dataset *dataset_of(uint8_t *labels, int32_t side)
{
    gt_dataset *dataset = NULL;
    gt_dataset_options options;
    gt_dataset_options_init(&options);
    uint8_t *raw = calloc((size_t)side * (size_t)side, 1);
    raw[0] = 1;
    gt_image_view views[2] = {gt_image_view_planar(raw, GT_U8, 1, side, side),
                              gt_image_view_planar(labels, GT_U8, 1, side, side)};
    assert_int_equal(gt_dataset_create(&dataset, &options), GT_OK);
    assert_int_equal(gt_dataset_add(dataset, &views[0], &views[1]), GT_OK);
    free(raw);
    return dataset;
}

static void test_vector(void **state)
{
    (void)state;
    uint8_t labels[16] = {0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 2, 1, 1, 1, 2, 1};
    static const double share[3] = {13.0 / 36, 17.0 / 36, 6.0 / 36};
    static const double kept[3] = {6.0 / 13, 6.0 / 17, 1.0};
    float keep[GT_MAX_LABELS];
    double frequency[GT_MAX_LABELS];
    gt_dataset *dataset = dataset_of(labels, 4);
    assert_int_equal(gt__label_keep(keep, frequency, dataset, 2), GT_OK);
    for (int k = 0; k < 3; k++) {
        assert_float_equal((float)frequency[k], (float)share[k], 1e-6f);
        assert_float_equal(keep[k], (float)kept[k], 1e-6f);
    }
    assert_int_equal(gt__label_keep(keep, NULL, dataset, 5), GT_ESHAPE);
    gt_dataset_free(dataset);
}

/* 400 patches of an image that is one eighth label 1: what remains is half and half, label 1
 * untouched. */
static void test_shares(void **state)
{
    (void)state;
    enum { SIDE = 64, PATCH = 16 };
    static uint8_t labels[SIDE * SIDE];
    static float raw[PATCH * PATCH];
    static float got[PATCH * PATCH];
    for (int i = 0; i < SIDE * SIDE; i++) {
        labels[i] = (uint8_t)(i % 8 == 3);
    }
    float keep[GT_MAX_LABELS];
    gt_dataset *dataset = dataset_of(labels, SIDE);
    assert_int_equal(gt__label_keep(keep, NULL, dataset, PATCH), GT_OK);
    struct gt_patch_spec spec = {.patch = PATCH, .augment = GT_AUGMENT_D4, .keep = keep};
    assert_int_equal(gt__sample_check(dataset, &spec), GT_OK);
    double seen[3] = {0, 0, 0};
    for (uint64_t s = 0; s < 400; s++) {
        gt__sample_patch(dataset, &spec, 7, s, raw, got);
        for (int i = 0; i < PATCH * PATCH; i++) {
            seen[(int)got[i] + 1] += 1.0;
        }
    }
    assert_true(seen[2] > 0.11 * 400 * PATCH * PATCH);
    assert_true(seen[1] / seen[2] > 0.93 && seen[1] / seen[2] < 1.07);
    gt_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vector),
                                       cmocka_unit_test(test_shares)};
    return cmocka_run_group_tests_name("equalise", tests, NULL, NULL);
}
