/* Messages, status names, version. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

static void names(void **state)
{
    (void)state;
    static const struct {
        gt_status status;
        const char *name;
    } rows[] = {{GT_OK, "GT_OK"},
                {GT_ENOMEM, "GT_ENOMEM"},
                {GT_EINVAL, "GT_EINVAL"},
                {GT_ESHAPE, "GT_ESHAPE"},
                {GT_EIO, "GT_EIO"},
                {GT_EFORMAT, "GT_EFORMAT"},
                {GT_ELIMIT, "GT_ELIMIT"},
                {GT_ENOTSUP, "GT_ENOTSUP"},
                {GT_EDEVICE, "GT_EDEVICE"},
                {GT_ENUMERIC, "GT_ENUMERIC"},
                {GT_ECANCELLED, "GT_ECANCELLED"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(rows[i].status, -(int)i);
        assert_string_equal(gt_status_name(rows[i].status), rows[i].name);
    }
    assert_string_equal(gt_status_name((gt_status)-99), "GT_UNKNOWN");
}

static void version(void **state)
{
    (void)state;
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", GT_VERSION_MAJOR, GT_VERSION_MINOR, GT_VERSION_PATCH);
    assert_string_equal(gt_version(), text);
}

static void words(void **state)
{
    (void)state;
    assert_int_equal(gt__fail(GT_EFORMAT, "page %d: %s", 3, "bad"), GT_EFORMAT);
    assert_string_equal(gt_error_message(), "page 3: bad");
    assert_int_equal(gt__fail_prefix(GT_EIO, "slice %d: ", 7), GT_EIO);
    assert_string_equal(gt_error_message(), "slice 7: page 3: bad");
    /* The present message as an argument. */
    gt__fail(GT_EIO, "a.tif: %s", gt_error_message());
    assert_string_equal(gt_error_message(), "a.tif: slice 7: page 3: bad");
    gt__fail(GT_EIO, "two\nlines");
    assert_string_equal(gt_error_message(), "two lines");
}

static void cut(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    gt__fail(GT_EIO, "%s", text);
    assert_int_equal(strlen(gt_error_message()), 511);
    gt__fail_prefix(GT_EIO, "abc");
    assert_int_equal(strlen(gt_error_message()), 511);
    assert_memory_equal(gt_error_message(), "abcx", 4);
    gt__fail_prefix(GT_EIO, "%s", text);
    assert_int_equal(strlen(gt_error_message()), 511);
}

static void *other_thread(void *cookie)
{
    size_t *lengths = cookie;
    lengths[0] = strlen(gt_error_message());
    gt__fail(GT_EINVAL, "other");
    lengths[1] = strlen(gt_error_message());
    return NULL;
}

static void threads(void **state)
{
    (void)state;
    size_t lengths[2] = {9, 9};
    pthread_t id;
    gt__fail(GT_EIO, "mine");
    assert_int_equal(pthread_create(&id, NULL, other_thread, lengths), 0);
    pthread_join(id, NULL);
    assert_int_equal(lengths[0], 0);
    assert_int_equal(lengths[1], 5);
    assert_string_equal(gt_error_message(), "mine");
}

static gt_status give(gt_status status)
{
    GT_TRY(status);
    return GT_OK;
}

static void pass_up(void **state)
{
    (void)state;
    assert_int_equal(give(GT_OK), GT_OK);
    assert_int_equal(give(GT_ESHAPE), GT_ESHAPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names),   cmocka_unit_test(version),
                                       cmocka_unit_test(words),   cmocka_unit_test(cut),
                                       cmocka_unit_test(threads), cmocka_unit_test(pass_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
