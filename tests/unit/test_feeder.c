/* Batches ahead of their use: content and order whatever the threads, starting elsewhere, ending at
 * any time. SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <greentea/evaluate.h>

#include "train/feeder.h"

enum { PATCH = 12, SIDE = 20 };

static gt_augment_options distort;

static gt_dataset *make_data(void)
{
    gt_dataset *d = NULL;
    gt_image *raw = NULL;
    gt_image *labels = NULL;
    assert_int_equal(gt_dataset_create(&d, NULL), GT_OK);
    assert_int_equal(gt_synthetic_section(&raw, &labels, 64, 48, 1, 0), GT_OK);
    gt_image_view r = gt_image_get_view(raw);
    gt_image_view l = gt_image_get_view(labels);
    assert_int_equal(gt_dataset_add(d, &r, &l), GT_OK);
    gt_image_free(raw);
    gt_image_free(labels);
    gt_augment_options_init(&distort);
    distort.rotate = 180;
    distort.elastic = 3;
    distort.noise = 0.1F;
    return d;
}

static struct gt_feeder_options describe(gt_dataset *d, int32_t batch, int32_t threads)
{
    struct gt_feeder_options o = {.dataset = d,
                                  .spec = {.patch = PATCH,
                                           .border = 4,
                                           .shrink = 8,
                                           .augment = GT_AUGMENT_D4,
                                           .distort = &distort},
                                  .input = {batch, 1, SIDE, SIDE},
                                  .label = {batch, 1, PATCH, PATCH},
                                  .threads = threads};
    assert_int_equal(gt__sample_check(d, &o.spec), GT_OK);
    return o;
}

/* Is it what drawing these patches one by one gives? */
static void check_batch(const struct gt_feeder_batch *b, const struct gt_feeder_options *o,
                        uint64_t key, uint64_t counter)
{
    float raw[SIDE * SIDE];
    float labels[PATCH * PATCH];
    float truth[PATCH * PATCH];
    struct gt_patch patch = {raw, labels, truth};
    assert_true((b->truth != NULL) == o->truth);
    for (int32_t i = 0; i < o->input.n; i++) {
        gt__sample_draw(&patch, o->dataset, &o->spec, key, counter + (uint64_t)i);
        assert_memory_equal(b->input + i * SIDE * SIDE, raw, sizeof raw);
        assert_memory_equal(b->label + i * PATCH * PATCH, labels, sizeof labels);
        if (b->truth) {
            assert_memory_equal(b->truth + i * PATCH * PATCH, truth, sizeof truth);
        }
    }
}

static void take(struct gt_feeder *f, const struct gt_feeder_options *o, uint64_t key,
                 uint64_t counter)
{
    struct gt_feeder_batch b;
    gt__feeder_take(&b, f, key, counter);
    check_batch(&b, o, key, counter);
}

static void run(gt_dataset *d, int32_t batch, int32_t threads)
{
    struct gt_feeder *f = NULL;
    struct gt_feeder_options o = describe(d, batch, threads);
    uint64_t n = (uint64_t)batch;
    o.truth = batch % 2 == 0;
    assert_int_equal(gt__feeder_create(&f, &o), GT_OK);
    assert_false(gt__feeder_ready(f, 1, 0)); /* nothing is begun before the first is asked for */
    for (uint64_t k = 0; k < 20; k++) {
        take(f, &o, 1, k * n);
    }
    /* as after resuming: back, ahead, another seed, large numbers */
    take(f, &o, 1, 3);
    take(f, &o, 1, 3 + n);
    take(f, &o, 2, 3 + 2 * n);
    take(f, &o, 1, UINT64_C(1) << 40);
    take(f, &o, 1, (UINT64_C(1) << 40) + n);
    gt__feeder_free(f);
}

static void test_content(void **state)
{
    gt_dataset *d = *state;
    const int32_t batches[] = {1, 2, 3, 16};
    const int32_t threads[] = {1, 2, 5};
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            run(d, batches[b], threads[t]);
        }
    }
}

/* The next batches come by themselves, and do not touch the one that was taken. */
static void test_ahead(void **state)
{
    gt_dataset *d = *state;
    struct gt_feeder *f = NULL;
    struct gt_feeder_batch b;
    struct gt_feeder_options o = describe(d, 1, 3);
    assert_int_equal(gt__feeder_create(&f, &o), GT_OK);
    gt__feeder_take(&b, f, 7, 100);
    for (uint64_t k = 101; k < 130; k++) {
        while (!gt__feeder_ready(f, 7, k)) {
            sched_yield();
        }
        assert_false(gt__feeder_ready(f, 7, k + 1)); /* not the next one */
        assert_false(gt__feeder_ready(f, 8, k));
        check_batch(&b, &o, 7, k - 1);
        gt__feeder_take(&b, f, 7, k);
    }
    gt__feeder_free(f);
}

/* Freed before use, and while threads are at work. */
static void test_end(void **state)
{
    gt_dataset *d = *state;
    struct gt_feeder_options o = describe(d, 4, 4);
    for (int k = 0; k < 20; k++) {
        struct gt_feeder *f = NULL;
        struct gt_feeder_batch b;
        assert_int_equal(gt__feeder_create(&f, &o), GT_OK);
        if (k % 4 > 0) {
            gt__feeder_take(&b, f, 1, (uint64_t)k);
        }
        gt__feeder_free(f);
    }
    gt__feeder_free(NULL);
}

/* Every allocation fails once. */
static size_t allocations, fail_at;

static void *allocate(void *cookie, size_t size, size_t alignment)
{
    (void)cookie;
    allocations++;
    return allocations == fail_at
               ? NULL
               : aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *cookie, void *memory)
{
    (void)cookie;
    free(memory);
}

static void test_memory(void **state)
{
    gt_dataset *d = *state;
    struct gt_feeder_options o = describe(d, 2, 2);
    const gt_allocator failing = {allocate, release, NULL};
    gt_status status = GT_ENOMEM;
    gt_set_allocator(&failing);
    for (fail_at = 1; fail_at < 50 && status == GT_ENOMEM; fail_at++) {
        struct gt_feeder *f = NULL;
        allocations = 0;
        status = gt__feeder_create(&f, &o);
        gt__feeder_free(f);
    }
    gt_set_allocator(NULL);
    assert_int_equal(status, GT_OK);
    assert_in_range(fail_at, 8, 20);
}

static void test_threads(void **state)
{
    (void)state;
    assert_int_equal(gt__feeder_threads(1, 0), 1);
    assert_int_equal(gt__feeder_threads(2, 0), 1); /* one core drives the GPU */
    assert_int_equal(gt__feeder_threads(4, 0), 3);
    assert_int_equal(gt__feeder_threads(16, 0), 4);
    assert_int_equal(gt__feeder_threads(16, 16), 1);
    assert_int_equal(gt__feeder_threads(16, 13), 3);
    assert_int_equal(gt__feeder_threads(2, 8), 1);
}

static int open_data(void **state)
{
    *state = make_data();
    return 0;
}

static int close_data(void **state)
{
    gt_dataset_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content), cmocka_unit_test(test_ahead),   cmocka_unit_test(test_end),
        cmocka_unit_test(test_memory),  cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, open_data, close_data);
}
