/* A fixed pool of threads. SPDX-License-Identifier: BSD-2-Clause
 *
 * The caller opens a job (lock), takes part, then closes it (lock) and waits for those who entered.
 * A thread that wakes too late finds the job closed and is not waited for, so a busy machine does
 * not slow short jobs down. Chunks are handed out by an atomic counter. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "core/pool.h"

#include "core/error.h"
#include "core/mem.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* A few microseconds: about what waking a sleeping thread costs. */
enum { SPINS = 2000 };

struct worker {
    struct gt_pool *pool;
    pthread_t id;
    int32_t index; /* 1 to threads - 1; the caller is 0 */
};

struct gt_pool {
    int32_t threads, started;
    int32_t spins; /* 0 where threads outnumber processors */
    struct worker *workers;
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    atomic_uint job;    /* number of the job; written under lock, read by spinning threads too */
    atomic_int active;  /* threads in the job, the caller not counted; written under lock */
    bool open, stop;    /* under lock */
    atomic_size_t next; /* next chunk */
    size_t chunks;
    gt_pool_fn fn;
    void *cookie;
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void work(struct gt_pool *pool, int32_t thread)
{
    for (;;) {
        size_t chunk = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (chunk >= pool->chunks) {
            return;
        }
        pool->fn(pool->cookie, chunk, thread);
    }
}

static void *worker_main(void *argument)
{
    struct worker *self = argument;
    struct gt_pool *pool = self->pool;
    unsigned seen = 0;
    for (;;) {
        for (int32_t i = 0; i < pool->spins && atomic_load(&pool->job) == seen; i++) {
            relax();
        }
        pthread_mutex_lock(&pool->lock);
        while (!pool->stop && atomic_load(&pool->job) == seen) {
            pthread_cond_wait(&pool->start, &pool->lock);
        }
        if (pool->stop) {
            pthread_mutex_unlock(&pool->lock);
            return NULL;
        }
        seen = atomic_load(&pool->job);
        bool enter = pool->open;
        if (enter) {
            atomic_fetch_add(&pool->active, 1);
        }
        pthread_mutex_unlock(&pool->lock);
        if (!enter) {
            continue;
        }
        work(pool, self->index);
        pthread_mutex_lock(&pool->lock);
        if (atomic_fetch_sub(&pool->active, 1) == 1) {
            pthread_cond_signal(&pool->done);
        }
        pthread_mutex_unlock(&pool->lock);
    }
}

/* Signals are the caller's business: our threads block them all. */
static gt_status start_workers(struct gt_pool *pool)
{
    sigset_t all, former;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    int error = 0;
    for (int32_t i = 1; i < pool->threads && error == 0; i++) {
        struct worker *w = &pool->workers[i];
        w->pool = pool;
        w->index = i;
        error = pthread_create(&w->id, NULL, worker_main, w);
        pool->started += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    if (error != 0) {
        return gt__fail(GT_ENOMEM, "cannot start thread %d of %d: error %d", pool->started + 2,
                        pool->threads, error);
    }
    return GT_OK;
}

int32_t gt__processors(void)
{
    long count = 0;
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        count = CPU_COUNT(&set);
    }
#endif
    if (count < 1) {
        count = sysconf(_SC_NPROCESSORS_ONLN);
    }
    return count < 1 ? 1 : count > 1024 ? 1024 : (int32_t)count;
}

gt_status gt__pool_create(struct gt_pool **out, int32_t threads)
{
    assert(threads >= 1);
    struct gt_pool *pool = NULL;
    GT_TRY(gt__alloc(&pool, 1, sizeof *pool, "thread pool"));
    pool->threads = threads;
    pool->spins = threads <= gt__processors() ? SPINS : 0;
    atomic_init(&pool->job, 0);
    atomic_init(&pool->active, 0);
    atomic_init(&pool->next, 0);
    pthread_mutex_init(&pool->lock, NULL); /* these three cannot fail on Linux */
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->done, NULL);
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc(&pool->workers, (size_t)threads, sizeof *pool->workers, "threads"));
    GT_TRY_OUT(start_workers(pool));
    *out = pool;
    pool = NULL;
out:
    gt__pool_free(pool);
    return status;
}

int32_t gt__pool_threads(const struct gt_pool *pool)
{
    return pool->threads;
}

void gt__pool_for(struct gt_pool *pool, size_t chunks, gt_pool_fn fn, void *cookie)
{
    if (pool->threads == 1 || chunks <= 1) {
        for (size_t i = 0; i < chunks; i++) {
            fn(cookie, i, 0);
        }
        return;
    }
    pthread_mutex_lock(&pool->lock);
    assert(!pool->open); /* not re-entrant */
    pool->fn = fn;
    pool->cookie = cookie;
    pool->chunks = chunks;
    atomic_store(&pool->next, 0);
    pool->open = true;
    atomic_fetch_add(&pool->job, 1);
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);

    work(pool, 0);

    for (int32_t i = 0; i < pool->spins && atomic_load(&pool->active) > 0; i++) {
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    pool->open = false;
    while (atomic_load(&pool->active) > 0) {
        pthread_cond_wait(&pool->done, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
}

void gt__pool_free(struct gt_pool *pool)
{
    if (!pool) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    for (int32_t i = 1; i <= pool->started; i++) {
        pthread_join(pool->workers[i].id, NULL);
    }
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->start);
    pthread_mutex_destroy(&pool->lock);
    gt__free(pool->workers);
    gt__free(pool);
}
