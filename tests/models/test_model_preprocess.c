/* Preprocessing in model files: kept, refused when damaged. SPDX-License-Identifier: BSD-2-Clause
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/tiny.h"
#include "models/model_json.h"

static char path[64];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/greentea-preprocess-%ld", (long)getpid());
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    return remove(path);
}

static gt_preprocess unusual(void)
{
    return (gt_preprocess){.normalise = GT_NORMALISE_PERCENTILE,
                           .scope = GT_SCOPE_STACK,
                           .low = 0.1,
                           .high = 99.7,
                           .clahe = 2.5,
                           .clahe_grid = 6,
                           .smooth = 0.7,
                           .crop_x = 1,
                           .crop_y = 2,
                           .crop_width = 300,
                           .crop_height = 400};
}

static void test_kept(void **state)
{
    (void)state;
    gt_model *model = tiny_new_model("usk", 1, 2);
    gt_model *again = NULL;
    gt_preprocess got;
    gt_preprocess want;
    gt_preprocess_init(&want);
    gt_model_get_preprocess(model, &got);
    assert_int_equal(gt_preprocess_equal(&got, &want), 1);
    want = unusual();
    tiny_ok(gt_model_set_preprocess(model, &want));
    assert_non_null(
        strstr(gt_model_config(model),
               "\"preprocessing\":{\"normalization\":\"percentile\",\"scope\":\"stack\""));
    tiny_ok(gt_model_save(model, path));
    tiny_ok(gt_model_load(&again, path));
    gt_model_get_preprocess(again, &got);
    assert_int_equal(gt_preprocess_equal(&got, &want), 1);
    assert_string_equal(gt_model_config(again), gt_model_config(model));
    gt_model_free(again);
    /* what is refused changes nothing */
    got.clahe_grid = 0;
    assert_int_equal(gt_model_set_preprocess(model, &got), GT_EINVAL);
    gt_model_get_preprocess(model, &got);
    assert_int_equal(gt_preprocess_equal(&got, &want), 1);
    /* the default is written as before there was a choice */
    gt_preprocess_init(&want);
    tiny_ok(gt_model_set_preprocess(model, &want));
    assert_non_null(strstr(gt_model_config(model), "\"preprocessing\":{\"normalization\":"
                                                   "\"min-max per page to [-1,1]\"}"));
    gt_model_free(model);
}

static gt_status read_text(gt_preprocess *out, const char *text)
{
    json_t *json = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    assert_true(!text || json);
    gt_status status = gt__preprocess_from_json(out, json);
    json_decref(json);
    return status;
}

#define REST "\"low\":1,\"high\":99,\"clahe\":0,\"clahe_grid\":8,\"smooth\":0,\"crop\":[0,0,0,0]}"

static void test_former(void **state)
{
    (void)state;
    const char *const texts[] = {NULL, "{\"normalization\":\"min-max per page to [-1,1]\"}",
                                 "{\"normalization\":\"minmax\",\"scope\":\"image\"," REST};
    gt_preprocess defaults;
    gt_preprocess_init(&defaults);
    for (size_t i = 0; i < 3; i++) {
        gt_preprocess p = unusual();
        tiny_ok(read_text(&p, texts[i]));
        assert_int_equal(gt_preprocess_equal(&p, &defaults), 1);
    }
}

static void test_damaged(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{}", "the normalization \"\" is not known"},
        {"[]", "the normalization \"\" is not known"},
        {"{\"normalization\":\"z-score\",\"scope\":\"image\"," REST, "\"z-score\" is not known"},
        {"{\"normalization\":\"minmax\",\"scope\":\"tile\"," REST, "the scope \"tile\""},
        {"{\"normalization\":\"minmax\",\"scope\":\"image\",\"gamma\":2," REST,
         "the preprocessing \"gamma\" is not known"},
        {"{\"normalization\":\"min-max per page to [-1,1]\",\"clahe\":4}",
         "\"min-max per page to [-1,1]\" is not known"},
        {"{\"normalization\":\"minmax\",\"scope\":\"image\"}", "\"low\""},
        {"{\"normalization\":\"minmax\",\"scope\":\"image\",\"low\":1,\"high\":99,\"clahe\":4,"
         "\"clahe_grid\":1e9,\"smooth\":0,\"crop\":[0,0,0,0]}",
         "\"clahe_grid\""},
        {"{\"normalization\":\"minmax\",\"scope\":\"image\",\"low\":1,\"high\":99,\"clahe\":4,"
         "\"clahe_grid\":1000000000,\"smooth\":0,\"crop\":[0,0,0,0]}",
         "1000000000 CLAHE tiles"},
        {"{\"normalization\":\"minmax\",\"scope\":\"image\",\"low\":1,\"high\":0.5,\"clahe\":4,"
         "\"clahe_grid\":8,\"smooth\":0,\"crop\":[0,0,0,0]}",
         "percentiles 1 and 0.5"},
        {"{\"normalization\":\"minmax\",\"scope\":\"image\",\"low\":1,\"high\":99,\"clahe\":4,"
         "\"clahe_grid\":8,\"smooth\":\"no\",\"crop\":[0,0,0,0]}",
         "\"smooth\" of the preprocessing is not a number"},
        {"{\"normalization\":\"minmax\",\"scope\":\"image\",\"low\":1,\"high\":99,\"clahe\":4,"
         "\"clahe_grid\":8,\"smooth\":0,\"crop\":[0,0,0]}",
         "\"crop\""},
        {"{\"normalization\":\"minmax\",\"scope\":\"image\",\"low\":1,\"high\":99,\"clahe\":4,"
         "\"clahe_grid\":8,\"smooth\":0,\"crop\":[0,0,0,-5]}",
         "\"crop\""},
        {"{\"normalization\":\"minmax\",\"scope\":\"image\",\"low\":1,\"high\":99,\"clahe\":4,"
         "\"clahe_grid\":8,\"smooth\":0,\"crop\":[0,0,0,0,0]}",
         "\"crop\" is not a list of 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gt_preprocess p = unusual();
        gt_preprocess former = p;
        assert_int_equal(read_text(&p, cases[i][0]), GT_EFORMAT);
        if (!strstr(gt_error_message(), cases[i][1])) {
            fail_msg("%s: \"%s\"", cases[i][0], gt_error_message());
        }
        assert_int_equal(gt_preprocess_equal(&p, &former), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_former),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
