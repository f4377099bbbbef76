/* Allocation through the hook, growth, texts. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"

/* Counts, dirties what it gives, and fails call number `fail_at` (from 1; 0: never). */
struct counting {
    int calls, live, fail_at;
};

static void *count_allocate(void *cookie, size_t size, size_t alignment)
{
    struct counting *c = cookie;
    if (++c->calls == c->fail_at || size > (size_t)1 << 40) {
        return NULL;
    }
    size_t padded = (size + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc(alignment, padded);
    assert_non_null(memory);
    memset(memory, 0xa5, padded);
    c->live++;
    return memory;
}

static void count_release(void *cookie, void *memory)
{
    struct counting *c = cookie;
    assert_non_null(memory);
    c->live--;
    free(memory);
}

static struct counting counting;

static int hook(void **state)
{
    (void)state;
    counting = (struct counting){0};
    gt_allocator a = {count_allocate, count_release, &counting};
    gt_set_allocator(&a);
    return 0;
}

static int unhook(void **state)
{
    (void)state;
    gt_set_allocator(NULL);
    return counting.live;
}

static void check_zero(const unsigned char *p, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(p[i], 0);
    }
}

static void aligned(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n += 13) {
        unsigned char *zeroed = NULL;
        unsigned char *raw = NULL;
        assert_int_equal(gt__alloc(&zeroed, n, 1, "bytes"), GT_OK);
        assert_int_equal(gt__alloc_raw(&raw, n, 1, "bytes"), GT_OK);
        assert_non_null(zeroed);
        assert_non_null(raw);
        assert_int_equal((uintptr_t)zeroed % GT_ALIGN, 0);
        assert_int_equal((uintptr_t)raw % GT_ALIGN, 0);
        check_zero(zeroed, n);
        memset(zeroed, 1, n);
        memset(raw, 1, n);
        gt__free(zeroed);
        gt_free(raw);
    }
    gt__free(NULL);
    gt_free(NULL);
}

static void failure(void **state)
{
    (void)state;
    int dummy = 0;
    int *p = &dummy;
    counting.fail_at = 1;
    assert_int_equal(gt__alloc(&p, 1000, sizeof *p, "weights of conv1"), GT_ENOMEM);
    assert_null(p);
    assert_non_null(strstr(gt_error_message(), "weights of conv1"));
    assert_non_null(strstr(gt_error_message(), "4000 bytes"));
    assert_int_equal(counting.live, 0);
}

static void overflow(void **state)
{
    (void)state;
    int dummy = 0;
    int *p = &dummy;
    assert_int_equal(gt__alloc(&p, SIZE_MAX / 2, 3, "too much"), GT_ENOMEM);
    assert_null(p);
    assert_int_equal(counting.calls, 0);
    assert_non_null(strstr(gt_error_message(), "too much"));
    p = &dummy;
    assert_int_equal(gt__alloc_raw(&p, SIZE_MAX, 1, "all"), GT_ENOMEM);
    assert_null(p);
}

/* The C library's own allocator, where rounding up would wrap around. */
static void default_overflow(void **state)
{
    (void)state;
    int dummy = 0;
    int *p = &dummy;
    assert_int_equal(gt__alloc_raw(&p, SIZE_MAX - 3, 1, "all"), GT_ENOMEM);
    assert_null(p);
}

static void grow(void **state)
{
    (void)state;
    uint32_t *array = NULL;
    size_t capacity = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(gt__grow(&array, &capacity, i + 1, sizeof *array, "numbers"), GT_OK);
        assert_true(capacity > i);
        assert_int_equal(array[i], 0);
        array[i] = i + 1;
    }
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(array[i], i + 1);
    }
    check_zero((const unsigned char *)(array + 1000), (capacity - 1000) * sizeof *array);
    assert_true(counting.calls < 40);
    /* A failure leaves everything as it was. */
    size_t before = capacity;
    counting.fail_at = counting.calls + 1;
    assert_int_equal(gt__grow(&array, &capacity, before + 1, sizeof *array, "numbers"), GT_ENOMEM);
    assert_int_equal(capacity, before);
    assert_int_equal(array[999], 1000);
    assert_int_equal(gt__grow(&array, &capacity, SIZE_MAX / 2, 4, "numbers"), GT_ENOMEM);
    assert_int_equal(capacity, before);
    gt__free(array);
}

static void copies(void **state)
{
    (void)state;
    char *text = NULL;
    assert_int_equal(gt__strdup(&text, "conv1"), GT_OK);
    assert_string_equal(text, "conv1");
    gt_free(text);
    counting.fail_at = counting.calls + 1;
    assert_int_equal(gt__strdup(&text, "conv1"), GT_ENOMEM);
    assert_null(text);
}

static void texts(void **state)
{
    (void)state;
    struct gt_text t = {0};
    char *out = NULL;
    assert_int_equal(gt__text_take(&out, &t), GT_OK);
    assert_string_equal(out, "");
    gt_free(out);
    for (int i = 0; i < 200; i++) {
        gt__text_add(&t, "%03d,", i);
    }
    assert_int_equal(gt__text_take(&out, &t), GT_OK);
    assert_int_equal(strlen(out), 800);
    assert_memory_equal(out + 4 * 123, "123,124,", 8);
    gt_free(out);
    assert_null(t.data);
}

/* Whichever allocation fails, the text is refused and nothing stays. */
static void texts_fail(void **state)
{
    (void)state;
    bool succeeded = false;
    for (int n = 1; !succeeded; n++) {
        assert_true(n < 50);
        counting = (struct counting){.fail_at = n};
        struct gt_text t = {0};
        char *out = NULL;
        for (int i = 0; i < 50; i++) {
            gt__text_add(&t, "line %d\n", i);
        }
        gt_status status = gt__text_take(&out, &t);
        succeeded = status == GT_OK;
        if (!succeeded) {
            assert_int_equal(status, GT_ENOMEM);
            assert_null(out);
            assert_int_equal(counting.live, 0);
        }
        gt_free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(aligned, hook, unhook),
                                       cmocka_unit_test(aligned),
                                       cmocka_unit_test_setup_teardown(failure, hook, unhook),
                                       cmocka_unit_test_setup_teardown(overflow, hook, unhook),
                                       cmocka_unit_test(default_overflow),
                                       cmocka_unit_test_setup_teardown(grow, hook, unhook),
                                       cmocka_unit_test_setup_teardown(copies, hook, unhook),
                                       cmocka_unit_test_setup_teardown(texts, hook, unhook),
                                       cmocka_unit_test_setup_teardown(texts_fail, hook, unhook)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
