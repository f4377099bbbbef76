/* Several labels of the images become one of the network: what is drawn, what the model keeps.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../support/label_data.h"
#include "data/dataset.h"
#include "data/sample.h"
#include "train/trainer.h"

/* The nine labels of the VNC data, in two: membranes, glia, synapses; interior. */
static const int32_t greys[9] = {0, 32, 64, 96, 128, 159, 191, 223, 255};
static const gt_consolidation two = {9, {0, 0, 0, 0, 0, 0, 1, 0, 1}};

enum { SIDE = 30 };

static void fill(uint8_t *map)
{
    for (int32_t i = 0; i < SIDE * SIDE; i++) {
        map[i] = (uint8_t)greys[i % 17 < 8 ? i % 17 : 8];
    }
}

static gt_dataset *dataset_of(const gt_consolidation *c, int32_t ignore)
{
    uint8_t map[SIDE * SIDE];
    gt_dataset *d = NULL;
    gt_dataset_options o;
    gt_dataset_options_init(&o);
    o.consolidate = *c;
    o.ignore_value = ignore;
    assert_int_equal(gt_dataset_create(&d, &o), GT_OK);
    fill(map);
    label_data_add(d, map, SIDE, SIDE);
    return d;
}

static void test_labels(void **state)
{
    (void)state;
    int32_t labels = 0;
    gt_dataset *d = dataset_of(&two, -1);
    assert_int_equal(gt_dataset_labels(&labels, d), GT_OK);
    assert_int_equal(labels, 2);
    assert_int_equal(d->fine, 9);
    assert_int_equal(gt_dataset_grey(d, 0), -1); /* several */
    assert_int_equal(gt_dataset_grey(d, 2), -1);
    gt_dataset_free(d);
    const gt_consolidation three = {9, {2, 0, 0, 0, 0, 0, 1, 0, -1}};
    d = dataset_of(&three, -1);
    assert_int_equal(gt_dataset_labels(&labels, d), GT_OK);
    assert_int_equal(labels, 3);
    assert_int_equal(gt_dataset_grey(d, 0), -1);
    assert_int_equal(gt_dataset_grey(d, 1), 191);
    assert_int_equal(gt_dataset_grey(d, 2), 0);
    assert_int_equal(d->rank[255], -1); /* ignored from the start */
    gt_dataset_free(d);
}

/* Patches are drawn and masked by fine labels; then pixels that are left are consolidated. */
static void test_patches(void **state)
{
    (void)state;
    enum { PATCH = 8 };
    gt_consolidation fine = {0, {0}};
    gt_dataset *a = dataset_of(&fine, -1);
    gt_dataset *b = dataset_of(&two, -1);
    gt_train_options o;
    gt_train_options_init(&o);
    o.balance.label_boost[4] = 3.0F;
    o.balance.border_boost = 0.5F;
    struct gt_balance_options options = {GT_EQUALISE_BOTH, PATCH, o.balance};
    struct gt_balance *balance[2] = {NULL, NULL};
    assert_int_equal(gt__balance_create(&balance[0], a, &options), GT_OK);
    assert_int_equal(gt__balance_create(&balance[1], b, &options), GT_OK);
    int32_t ignored = 0;
    for (uint64_t s = 0; s < 30; s++) {
        float raw[PATCH * PATCH];
        float labels[2][PATCH * PATCH];
        struct gt_patch_spec spec = {
            .patch = PATCH, .augment = GT_AUGMENT_D4, .balance = balance[0]};
        assert_int_equal(gt__sample_check(a, &spec), GT_OK);
        gt__sample_patch(a, &spec, 3, s, raw, labels[0]);
        spec.balance = balance[1];
        gt__sample_patch(b, &spec, 3, s, raw, labels[1]);
        for (int32_t i = 0; i < PATCH * PATCH; i++) {
            int32_t k = (int32_t)labels[0][i];
            assert_true(labels[1][i] == (k < 0 ? -1.0F : (float)two.label[k]));
            ignored += k < 0;
        }
    }
    assert_in_range(ignored, 200, 30 * PATCH * PATCH - 200);
    gt__balance_free(balance[0]);
    gt__balance_free(balance[1]);
    gt_dataset_free(a);
    gt_dataset_free(b);
}

static void assert_create_fails(int32_t labels, const gt_consolidation *c, const char *words)
{
    gt_dataset *d = NULL;
    gt_dataset_options o;
    gt_dataset_options_init(&o);
    o.labels = labels;
    o.consolidate = *c;
    assert_int_equal(gt_dataset_create(&d, &o), GT_EINVAL);
    if (!strstr(gt_error_message(), words)) {
        fail_msg("'%s' lacks '%s'", gt_error_message(), words);
    }
}

static void test_refused(void **state)
{
    (void)state;
    assert_create_fails(0, &(gt_consolidation){257, {0}}, "consolidation of 257 labels");
    assert_create_fails(0, &(gt_consolidation){-1, {0}}, "consolidation of -1 labels");
    assert_create_fails(0, &(gt_consolidation){3, {0, 1, -2}}, "label 2 is consolidated to -2");
    assert_create_fails(2, &(gt_consolidation){3, {0, 1, 2}},
                        "label 2 is consolidated to 2, expected -1 to 1");
    assert_create_fails(0, &(gt_consolidation){3, {0, 0, 2}},
                        "no label is consolidated to 1, but one to 2");
    assert_create_fails(0, &(gt_consolidation){3, {0, 0, -1}}, "consolidation leaves 1 labels");
    /* a label that the images lack would shift all others */
    gt_dataset *d = dataset_of(&(gt_consolidation){10, {0, 0, 0, 0, 0, 0, 1, 0, 1, 1}}, -1);
    assert_int_equal(gt__dataset_ready(d), GT_EFORMAT);
    assert_non_null(strstr(gt_error_message(), "hold 9 different values, 10 labels are consol"));
    gt_dataset_free(d);
    d = dataset_of(&(gt_consolidation){8, {0, 0, 0, 0, 0, 0, 1, 0}}, -1);
    assert_int_equal(gt__dataset_ready(d), GT_EFORMAT);
    assert_non_null(strstr(gt_error_message(), "9 different values, 8 labels wanted; surplus"));
    gt_dataset_free(d);
    /* the ignored value is none of them */
    d = dataset_of(&(gt_consolidation){8, {0, 0, 0, 0, 0, 1, 0, 1}}, 159);
    assert_int_equal(gt__dataset_ready(d), GT_OK);
    gt_dataset_free(d);
}

/* ---- training ---- */

static int lines;

static void count_lines(gt_log_level level, const char *message, void *cookie)
{
    (void)cookie;
    lines += level == GT_LOG_INFO && strncmp(message, "label ", 6) == 0;
}

static gt_trainer *trainer_of(gt_device *device, gt_model **model, gt_dataset *d, gt_equalise e)
{
    gt_trainer *t = NULL;
    gt_model_options m;
    gt_train_options o;
    gt_model_options_init(&m);
    gt_train_options_init(&o);
    m.net = "sw";
    m.width = 0.02;
    m.channels = 1;
    o.batch = 2;
    o.equalise = e;
    assert_int_equal(gt_model_create(model, &m), GT_OK);
    if (gt_trainer_create(&t, device, *model, d, &o) != GT_OK) {
        fail_msg("%s", gt_error_message());
    }
    return t;
}

/* Shares of the fine labels, logged and told; the model knows all values of its labels. */
static void test_training(void **state)
{
    (void)state;
    gt_device *device = NULL;
    gt_device_options o;
    gt_model *model = NULL;
    gt_device_options_init(&o);
    o.threads = 1;
    o.log = count_lines;
    lines = 0;
    assert_int_equal(gt_device_open(&device, "cpu", &o), GT_OK);
    gt_dataset *d = dataset_of(&two, -1);
    gt_trainer *t = trainer_of(device, &model, d, GT_EQUALISE_BOTH);
    assert_int_equal(lines, 9);
    gt_label_share shares[GT_MAX_LABELS];
    assert_int_equal(gt_trainer_label_shares(NULL, 0, t), 9);
    assert_int_equal(gt_trainer_label_shares(shares, GT_MAX_LABELS, t), 9);
    double sums[3] = {0, 0, 0};
    for (int32_t k = 0; k < 9; k++) {
        assert_int_equal(shares[k].grey, greys[k]);
        assert_int_equal(shares[k].label, two.label[k]);
        assert_string_equal(shares[k].name, "");
        sums[0] += shares[k].images;
        sums[1] += shares[k].drawn;
        sums[2] += shares[k].kept;
        /* patches of one pixel: the prior alone balances all */
        assert_float_equal((float)shares[k].drawn, 1.0F / 9, 1e-6F);
        assert_float_equal((float)shares[k].kept, 1.0F / 9, 1e-6F);
    }
    for (int32_t i = 0; i < 3; i++) {
        assert_float_equal((float)sums[i], 1.0F, 1e-6F);
    }
    gt_grey_label list[GT_MAX_LABELS];
    assert_int_equal(gt_model_get_greys(list, GT_MAX_LABELS, model), 9);
    for (int32_t k = 0; k < 9; k++) {
        assert_int_equal(list[k].grey, greys[k]);
        assert_int_equal(list[k].label, two.label[k]);
    }
    assert_non_null(strstr(gt_model_config(model), "\"equalise\":\"both\""));
    assert_int_equal(gt_trainer_step(NULL, t), GT_OK);
    gt_trainer_free(t);
    gt_model_free(model);
    gt_dataset_free(d);
    gt_device_free(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_patches),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_training),
    };
    return cmocka_run_group_tests_name("consolidate", tests, NULL, NULL);
}
