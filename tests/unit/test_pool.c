/* The thread pool. SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_setaffinity */
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/pool.h"

enum { MAX_CHUNKS = 100, MAX_THREADS = 8 };

struct job {
    int runs[MAX_CHUNKS];       /* not atomic: ThreadSanitizer sees a chunk that runs twice */
    int by_thread[MAX_THREADS]; /* the same for a thread number used by two threads */
    int32_t threads;
    atomic_int wrong;
};

static void count(void *cookie, size_t chunk, int32_t thread)
{
    struct job *job = cookie;
    if (chunk >= MAX_CHUNKS || thread < 0 || thread >= job->threads) {
        atomic_fetch_add(&job->wrong, 1);
        return;
    }
    job->runs[chunk]++;
    job->by_thread[thread]++;
}

static void check_round(struct gt_pool *pool, size_t chunks)
{
    struct job job = {.threads = gt__pool_threads(pool)};
    atomic_init(&job.wrong, 0);
    gt__pool_for(pool, chunks, count, &job);
    assert_int_equal(atomic_load(&job.wrong), 0);
    for (size_t i = 0; i < MAX_CHUNKS; i++) {
        assert_int_equal(job.runs[i], i < chunks);
    }
    int sum = 0;
    for (int32_t i = 0; i < job.threads; i++) {
        sum += job.by_thread[i];
    }
    assert_int_equal(sum, chunks);
}

static void every_chunk_once(void **state)
{
    (void)state;
    static const int32_t threads[] = {1, 2, 3, 8};
    for (size_t k = 0; k < sizeof threads / sizeof threads[0]; k++) {
        struct gt_pool *pool = NULL;
        assert_int_equal(gt__pool_create(&pool, threads[k]), GT_OK);
        assert_int_equal(gt__pool_threads(pool), threads[k]);
        for (size_t round = 0; round < 2000; round++) {
            check_round(pool, round % (MAX_CHUNKS + 1));
        }
        gt__pool_free(pool);
    }
}

/* Threads that have gone to sleep wake again. */
static void after_sleep(void **state)
{
    (void)state;
    struct gt_pool *pool = NULL;
    assert_int_equal(gt__pool_create(&pool, 3), GT_OK);
    for (int i = 0; i < 5; i++) {
        struct timespec pause = {0, 5000000};
        nanosleep(&pause, NULL);
        check_round(pool, 50);
    }
    gt__pool_free(pool);
}

struct meeting {
    atomic_int present;
    int expected;
    atomic_int met;
};

/* Waits (5 s at most) until all chunks run at the same time. */
static void meet(void *cookie, size_t chunk, int32_t thread)
{
    (void)chunk;
    (void)thread;
    struct meeting *m = cookie;
    atomic_fetch_add(&m->present, 1);
    for (int i = 0; i < 5000 && atomic_load(&m->present) < m->expected; i++) {
        struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
    }
    atomic_fetch_add(&m->met, atomic_load(&m->present) == m->expected);
}

static void runs_in_parallel(void **state)
{
    (void)state;
    struct gt_pool *pool = NULL;
    assert_int_equal(gt__pool_create(&pool, 3), GT_OK);
    struct meeting m = {.expected = 3};
    atomic_init(&m.present, 0);
    atomic_init(&m.met, 0);
    gt__pool_for(pool, 3, meet, &m);
    assert_int_equal(atomic_load(&m.met), 3);
    gt__pool_free(pool);
}

/* What `taskset` leaves, not what the machine has. */
static void processors_are_those_allowed(void **state)
{
    (void)state;
    cpu_set_t all;
    cpu_set_t one;
    int32_t allowed = gt__processors();
    assert_in_range(allowed, 1, 1024);
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    assert_int_equal(allowed, CPU_COUNT(&all) < 1024 ? CPU_COUNT(&all) : 1024);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    int32_t left = gt__processors();
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    assert_int_equal(left, 1);
}

static int fail_at, calls, live;

static void *failing_allocate(void *cookie, size_t size, size_t alignment)
{
    (void)cookie;
    if (++calls == fail_at) {
        return NULL;
    }
    live++;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void failing_release(void *cookie, void *memory)
{
    (void)cookie;
    live--;
    free(memory);
}

static void allocation_fails(void **state)
{
    (void)state;
    gt_allocator a = {failing_allocate, failing_release, NULL};
    gt_set_allocator(&a);
    int failures = 0;
    for (fail_at = 1;; fail_at++) {
        struct gt_pool *pool = NULL;
        calls = 0;
        gt_status status = gt__pool_create(&pool, 2);
        if (status == GT_OK) {
            gt__pool_free(pool);
            break;
        }
        assert_int_equal(status, GT_ENOMEM);
        assert_null(pool);
        assert_int_equal(live, 0);
        failures++;
    }
    gt_set_allocator(NULL);
    assert_int_equal(live, 0);
    assert_int_equal(failures, 2);
    gt__pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chunk_once), cmocka_unit_test(after_sleep),
        cmocka_unit_test(runs_in_parallel), cmocka_unit_test(processors_are_those_allowed),
        cmocka_unit_test(allocation_fails)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
