/* Column buffers: no two chunks in one at a time, and no more calls of OpenBLAS at once than it can
 * take. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <time.h>

#include "backend_cpu/portable/conv2d_im2col.h"

enum { CHUNKS = 600, MANY = 200 };

struct watch {
    atomic_int now, most, doubled;
    atomic_int in_slot[MANY];
    int runs[CHUNKS]; /* not atomic: ThreadSanitizer sees a chunk that runs twice */
};

/* Long enough for all threads to come. */
static void look(void *cookie, size_t chunk, int32_t slot)
{
    struct watch *w = cookie;
    struct timespec while_others_come = {.tv_nsec = 1000000};
    int now = atomic_fetch_add(&w->now, 1) + 1;
    int most = atomic_load(&w->most);
    while (now > most && !atomic_compare_exchange_weak(&w->most, &most, now)) {
    }
    atomic_fetch_add(&w->doubled, atomic_fetch_add(&w->in_slot[slot], 1) != 0);
    nanosleep(&while_others_come, NULL);
    w->runs[chunk]++;
    atomic_fetch_sub(&w->in_slot[slot], 1);
    atomic_fetch_sub(&w->now, 1);
}

static void check_slots(int32_t threads, size_t slots, int most)
{
    static struct watch w;
    struct gt_pool *pool = NULL;
    assert_int_equal(gt__pool_create(&pool, threads), GT_OK);
    w = (struct watch){0};
    column_for(pool, slots, CHUNKS, look, &w);
    for (size_t i = 0; i < CHUNKS; i++) {
        assert_int_equal(w.runs[i], 1);
    }
    assert_int_equal(atomic_load(&w.doubled), 0);
    assert_in_range(atomic_load(&w.most), 1, most);
    gt__pool_free(pool);
}

static void calls_are_few(void **state)
{
    (void)state;
    check_slots(MANY, column_slots(0), 64);
}

static void slots_are_not_shared(void **state)
{
    (void)state;
    check_slots(8, 3, 3);
    check_slots(3, 16, 3);
}

static void slots_fit_the_memory(void **state)
{
    (void)state;
    assert_int_equal(column_slots(1), 16);
    assert_int_equal(column_slots((size_t)20 << 20), 2);
    assert_int_equal(column_slots((size_t)1 << 40), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(calls_are_few),
                                       cmocka_unit_test(slots_are_not_shared),
                                       cmocka_unit_test(slots_fit_the_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
