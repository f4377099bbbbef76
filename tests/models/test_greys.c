/* Several values of label images for one label of a model. SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "models/model_internal.h"
#include "models/model_json.h"

static gt_model *make_model(void)
{
    gt_model *model = NULL;
    gt_model_options o;
    gt_model_options_init(&o);
    o.net = "sw";
    o.width = 0.02;
    o.labels = 3;
    o.channels = 1;
    assert_int_equal(gt_model_create(&model, &o), GT_OK);
    return model;
}

static const gt_grey_label list[4] = {{0, 2}, {32, 0}, {255, 2}, {64, 1}};

static void assert_noted(const gt_model *model)
{
    gt_grey_label got[4];
    assert_int_equal(gt_model_get_greys(NULL, 0, model), 4);
    assert_int_equal(gt_model_get_greys(got, 4, model), 4);
    assert_memory_equal(got, list, sizeof list);
}

static void test_round_trip(void **state)
{
    (void)state;
    char path[] = "/tmp/test_greys_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    gt_model *model = make_model();
    gt_model *again = NULL;
    assert_int_equal(gt_model_get_greys(NULL, 0, model), 0);
    assert_null(strstr(gt_model_config(model), "greys"));
    assert_int_equal(gt_model_set_greys(model, list, 4), GT_OK);
    assert_noted(model);
    assert_int_equal(gt_model_save(model, path), GT_OK);
    assert_int_equal(gt_model_load(&again, path), GT_OK);
    assert_noted(again);
    /* other notes keep it, an empty list removes it */
    gt_label_info info = {"wall", -1};
    assert_int_equal(gt_model_set_label(again, 1, &info), GT_OK);
    assert_non_null(strstr(gt_model_config(again), "\"greys\":[[0,2],[32,0],[255,2],[64,1]]"));
    assert_int_equal(gt_model_set_greys(again, NULL, 0), GT_OK);
    assert_null(strstr(gt_model_config(again), "greys"));
    gt_model_free(model);
    gt_model_free(again);
    unlink(path);
}

static void assert_refused(gt_model *model, const gt_grey_label *bad, size_t n, const char *words)
{
    assert_int_equal(gt_model_set_greys(model, bad, n), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), words));
    assert_noted(model);
}

static void test_refused(void **state)
{
    (void)state;
    gt_model *model = make_model();
    assert_int_equal(gt_model_set_greys(model, list, 4), GT_OK);
    assert_refused(model, &(gt_grey_label){-1, 0}, 1, "grey value -1 is said to be label 0 of 3");
    assert_refused(model, &(gt_grey_label){5, 3}, 1, "grey value 5 is said to be label 3 of 3");
    assert_refused(model, (gt_grey_label[]){{5, 0}, {5, 1}}, 2, "grey value 5 stands for two");
    assert_refused(model, NULL, 1, "no list");
    static gt_grey_label many[GT_MAX_LABELS + 1];
    assert_refused(model, many, GT_MAX_LABELS + 1, "257 grey values");
    gt_model_free(model);
}

/* Configurations of damaged files. */
static void test_damage(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"greys\": 7}",
                                      "{\"greys\": [7]}",
                                      "{\"greys\": [[1]]}",
                                      "{\"greys\": [[1, 3]]}",
                                      "{\"greys\": [[-1, 0]]}",
                                      "{\"greys\": [[1, -1]]}",
                                      "{\"greys\": {}}",
                                      "{\"greys\": [[1, 2.5]]}",
                                      "{\"greys\": [[1, 0], [1, 1]]}",
                                      "{\"greys\": \"\"}",
                                      "{\"greys\": [[1, \"\"]]}",
                                      "{\"greys\": [[1, 0, 0]]}",
                                      "{\"greys\": [[4294967296, 0]]}"};
    gt_model *model = make_model();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (gt__greys_read(model, bad[i]) != GT_EFORMAT) {
            fail_msg("accepted: %s", bad[i]);
        }
        assert_non_null(strstr(gt_error_message(), "configuration: "));
        assert_int_equal(gt_model_get_greys(NULL, 0, model), 0);
    }
    assert_int_equal(gt__greys_read(model, "{}"), GT_OK);
    assert_int_equal(gt__greys_read(model, "{\"greys\": [[9, 2]]}"), GT_OK);
    assert_int_equal(gt_model_get_greys(NULL, 0, model), 1);
    gt_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests_name("greys", tests, NULL, NULL);
}
