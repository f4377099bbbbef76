/* Label equalisation: the published vector with exact patch counts, boosts and borders, and what
 * remains of drawn patches. Numbers by tests/golden/label_balance.py.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "../support/label_data.h"
#include "core/mem.h"
#include "data/sample.h"

static struct gt_balance_options options(gt_equalise equalise, int32_t patch)
{
    gt_train_options o;
    gt_train_options_init(&o);
    return (struct gt_balance_options){equalise, patch, o.balance};
}

static struct gt_balance *balance_of(gt_dataset *dataset, const struct gt_balance_options *o)
{
    struct gt_balance *b = NULL;
    assert_int_equal(gt__balance_create(&b, dataset, o), GT_OK);
    return b;
}

static void assert_list(const double *got, const double *want, int32_t n)
{
    for (int32_t k = 0; k < n; k++) {
        if (fabs(got[k] - want[k]) > 1e-6) {
            fail_msg("entry %d is %.9f, expected %.9f", k, got[k], want[k]);
        }
    }
}

static void assert_keep(const float *got, const double *want, int32_t n)
{
    double wide[GT_MAX_LABELS];
    for (int32_t k = 0; k < n; k++) {
        wide[k] = (double)got[k];
    }
    assert_list(wide, want, n);
}

static const uint8_t published[16] = {0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 2, 1, 1, 1, 2, 1};

static void test_vector(void **state)
{
    (void)state;
    gt_dataset *d = label_data();
    label_data_add(d, published, 4, 4);
    struct gt_balance_options o = options(GT_EQUALISE_MASK, 2);
    struct gt_balance *b = balance_of(d, &o);
    assert_null(b->prior);
    assert_list(b->images, (double[]){0.361111111, 0.472222222, 0.166666667}, 3);
    assert_list(b->drawn, b->images, 3);
    assert_list(b->kept, (double[]){1.0 / 3, 1.0 / 3, 1.0 / 3}, 3);
    assert_keep(b->keep, (double[]){0.461538462, 0.352941176, 1}, 3);
    assert_true(fabs(b->kept_share - 0.5) < 1e-6);
    gt__balance_free(b);
    o.equalise = GT_EQUALISE_BOTH;
    b = balance_of(d, &o);
    assert_list(b->images, (double[]){0.361111111, 0.472222222, 0.166666667}, 3);
    assert_list(b->drawn, (double[]){0.343640020, 0.442810458, 0.213549522}, 3);
    assert_keep(b->keep, (double[]){0.621433797, 0.482259438, 1}, 3);
    assert_true(fabs(b->kept_share - 0.640648567) < 1e-6);
    gt__balance_free(b);
    o.equalise = GT_EQUALISE_PRIOR;
    b = balance_of(d, &o);
    assert_list(b->kept, (double[]){0.343640020, 0.442810458, 0.213549522}, 3);
    gt__balance_free(b);
    o.equalise = GT_EQUALISE_NONE;
    b = balance_of(d, &o);
    assert_list(b->kept, (double[]){0.361111111, 0.472222222, 0.166666667}, 3);
    assert_true(b->kept_share == 1.0 && !b->mask);
    gt__balance_free(b);
    gt_dataset_free(d);
}

static void test_boosts(void **state)
{
    (void)state;
    gt_dataset *d = label_data();
    label_data_add(d, published, 4, 4);
    struct gt_balance_options o = options(GT_EQUALISE_MASK, 2);
    o.weights.label_boost[1] = 2.0F;
    o.weights.label_boost[2] = 0.5F;
    struct gt_balance *b = balance_of(d, &o);
    assert_keep(b->keep, (double[]){0.653846154, 1, 0.708333333}, 3);
    assert_list(b->kept, (double[]){1 / 3.5, 2 / 3.5, 0.5 / 3.5}, 3);
    assert_true(fabs(b->kept_share - 0.826388889) < 1e-6);
    gt__balance_free(b);
    o.equalise = GT_EQUALISE_BOTH;
    b = balance_of(d, &o);
    assert_keep(b->keep, (double[]){0.644294075, 1, 0.518393172}, 3);
    gt__balance_free(b);
    gt_dataset_free(d);
}

/* Two images of different sizes, ignored pixels, an absent label. */
static void test_images(void **state)
{
    (void)state;
    uint8_t one[63];
    uint8_t two[60];
    for (int32_t i = 0; i < 63; i++) {
        one[i] = (uint8_t)((i % 9 * (i % 9) + 3 * (i / 9)) % 11 / 4);
    }
    for (int32_t i = 0; i < 60; i++) {
        int32_t label = (i % 12 / 3 + i / 12 / 2) % 4;
        two[i] = label == 3 ? UINT8_MAX : (uint8_t)label;
    }
    gt_dataset *d = label_data();
    label_data_add(d, one, 9, 7);
    label_data_add(d, two, 12, 5);
    struct gt_balance_options o = options(GT_EQUALISE_BOTH, 3);
    struct gt_balance *b = balance_of(d, &o);
    assert_list(b->images, (double[]){0.307992203, 0.372319688, 0.319688109}, 3);
    assert_list(b->drawn, (double[]){0.304222747, 0.390692557, 0.305084696}, 3);
    assert_keep(b->keep, (double[]){1, 0.778675563, 0.997174721, 1}, 4);
    assert_true(fabs(b->kept_share - 0.912668240) < 1e-6);
    gt__balance_free(b);
    gt_dataset_free(d);
}

/* Three blocks of 12 x 12 pixels. */
static gt_dataset *blocks(void)
{
    uint8_t map[144];
    for (int32_t i = 0; i < 144; i++) {
        int32_t x = i % 12;
        map[i] = (uint8_t)(x >= 5 ? 1 : i / 12 >= 8 ? 2 : 0);
    }
    gt_dataset *d = label_data();
    label_data_add(d, map, 12, 12);
    return d;
}

static void test_borders(void **state)
{
    (void)state;
    gt_dataset *d = blocks();
    struct gt_balance_options o = options(GT_EQUALISE_MASK, 4);
    o.weights.label_boost[2] = 2.0F;
    o.weights.border_boost = 3.0F;
    o.weights.border_width = 1;
    struct gt_balance *b = balance_of(d, &o);
    assert_keep(b->keep, (double[]){0.076687117, 0.046296296, 0.333333333}, 3);
    assert_keep(b->keep + GT_MAX_LABELS, (double[]){0.230061350, 0.138888889, 1}, 3);
    assert_list(b->kept, (double[]){0.25, 0.25, 0.5}, 3);
    assert_true(fabs(b->kept_share - 0.154320988) < 1e-6);
    gt__balance_free(b);
    o.equalise = GT_EQUALISE_BOTH;
    b = balance_of(d, &o);
    assert_keep(b->keep, (double[]){0.13143892, 0.129202279, 0.333333333}, 3);
    assert_keep(b->keep + GT_MAX_LABELS, (double[]){0.394316761, 0.387606838, 1}, 3);
    gt__balance_free(b);
    gt_dataset_free(d);
}

/* What patches keep of a plain half and half image, by label and distance from the border. */
static void test_masked_borders(void **state)
{
    (void)state;
    enum { SIDE = 32, DRAWS = 400 };
    struct gt_balance b = {.mask = true, .border_width = 2};
    b.keep[0] = 0.25F;
    b.keep[GT_MAX_LABELS] = 0.5F;
    b.keep[1] = 0.1F;
    b.keep[GT_MAX_LABELS + 1] = 1.0F;
    int32_t kept[SIDE] = {0};
    for (uint64_t s = 0; s < DRAWS; s++) {
        float labels[SIDE * SIDE];
        for (int32_t i = 0; i < SIDE * SIDE; i++) {
            labels[i] = i % SIDE == 31 ? -1.0F : i % SIDE >= 16 ? 1.0F : 0.0F;
        }
        gt__balance_mask(labels, &b, SIDE, 3, s);
        for (int32_t i = 0; i < SIDE * SIDE; i++) {
            float was = i % SIDE >= 16 ? 1.0F : 0.0F;
            assert_true(labels[i] == -1.0F || labels[i] == was);
            kept[i % SIDE] += labels[i] >= 0.0F;
        }
    }
    for (int32_t x = 0; x < SIDE; x++) {
        double want = x < 14 ? 0.25 : x < 16 ? 0.5 : x < 18 ? 1.0 : x < 31 ? 0.1 : 0.0;
        double share = kept[x] / (double)(DRAWS * SIDE);
        assert_true(fabs(share - want) <= 5.0 * sqrt(want * (1 - want) / (DRAWS * SIDE)));
    }
}

/* Drawn and masked patches have the shares that the balance announces. */
static void test_shares(void **state)
{
    (void)state;
    enum { W = 64, H = 50, PATCH = 16, DRAWS = 1500 };
    static uint8_t labels[W * H];
    static float raw[PATCH * PATCH];
    static float got[PATCH * PATCH];
    for (int i = 0; i < W * H; i++) {
        int x = i % W;
        labels[i] = (uint8_t)(x < 10 && i / W < 12 ? 2 : i % 8 == 3);
    }
    gt_dataset *d = label_data();
    label_data_add(d, labels, W, H);
    struct gt_balance_options o = options(GT_EQUALISE_BOTH, PATCH);
    struct gt_balance *b = balance_of(d, &o);
    struct gt_patch_spec spec = {.patch = PATCH, .augment = GT_AUGMENT_D4, .balance = b};
    assert_int_equal(gt__sample_check(d, &spec), GT_OK);
    double seen[4] = {0, 0, 0, 0};
    for (uint64_t s = 0; s < DRAWS; s++) {
        gt__sample_patch(d, &spec, 7, s, raw, got);
        for (int i = 0; i < PATCH * PATCH; i++) {
            seen[(int)got[i] + 1] += 1.0;
        }
    }
    double kept = seen[1] + seen[2] + seen[3];
    assert_true(fabs(kept / (kept + seen[0]) - b->kept_share) < 0.02);
    for (int k = 1; k <= 3; k++) {
        assert_true(fabs(seen[k] / kept - 1.0 / 3) < 0.02);
    }
    gt__balance_free(b);
    gt_dataset_free(d);
}

static void assert_refused(const struct gt_balance_options *o, gt_status want, const char *words)
{
    gt_dataset *d = blocks();
    struct gt_balance *b = NULL;
    assert_int_equal(gt__balance_create(&b, d, o), want);
    if (!strstr(gt_error_message(), words)) {
        fail_msg("'%s' lacks '%s'", gt_error_message(), words);
    }
    assert_null(b);
    gt_dataset_free(d);
}

static void test_refused(void **state)
{
    (void)state;
    struct gt_balance_options o = options(GT_EQUALISE_MASK, 13);
    assert_refused(&o, GT_ESHAPE, "13 pixels does not fit image 1, 12 x 12");
    o = options(GT_EQUALISE_MASK, 4);
    o.weights.label_boost[2] = 0.0F;
    assert_refused(&o, GT_EINVAL, "label boost 2 is 0");
    o.weights.label_boost[2] = NAN;
    assert_refused(&o, GT_EINVAL, "label boost 2 is ");
    o = options(GT_EQUALISE_MASK, 4);
    o.weights.label_boost[3] = 2.0F;
    assert_refused(&o, GT_EINVAL, "label boost 3 is 2, but there are 3 labels");
    o = options(GT_EQUALISE_PRIOR, 4);
    o.weights.label_boost[1] = 2.0F;
    assert_refused(&o, GT_EINVAL, "label boost 1 is 2, but only masking uses it");
    o = options(GT_EQUALISE_NONE, 4);
    o.weights.border_boost = 2.0F;
    assert_refused(&o, GT_EINVAL, "border boost is 2, but only masking uses it");
    o = options(GT_EQUALISE_BOTH, 4);
    o.weights.border_boost = -1.0F;
    assert_refused(&o, GT_EINVAL, "border boost is -1, expected above 0");
    o.weights.border_boost = 2.0F;
    o.weights.border_width = 0;
    assert_refused(&o, GT_EINVAL, "border width is 0, expected 1 to 1024");
    o.weights.border_width = 1;
    o.patch = 1;
    assert_refused(&o, GT_EINVAL, "patches of one pixel have no borders");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector),  cmocka_unit_test(test_boosts),
        cmocka_unit_test(test_images),  cmocka_unit_test(test_borders),
        cmocka_unit_test(test_shares),  cmocka_unit_test(test_masked_borders),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests_name("balance", tests, NULL, NULL);
}
