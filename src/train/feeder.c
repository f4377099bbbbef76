/* Double buffer of batches. Which thread produces a batch and when has no influence on its content:
 * every patch is drawn from the random stream of its own number.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/feeder.h"

#include "core/mem.h"

#include <pthread.h>
#include <signal.h>

struct batch {
    float *input, *label;
    uint64_t key, counter;
    bool filled;
};

struct gt_feeder {
    struct gt_feeder_options options;
    struct batch batches[2];
    struct batch *taken; /* the caller's */
    struct batch *next;  /* the thread's while `wanted` */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool wanted, stop, started; /* the first two under the mutex, as all of *next */
};

static void produce(const struct gt_feeder_options *o, struct batch *b)
{
    size_t in = gt__count(o->input) / (size_t)o->input.n;
    size_t out = gt__count(o->label) / (size_t)o->label.n;
    for (int32_t i = 0; i < o->input.n; ++i) {
        gt__sample_patch(o->dataset, &o->spec, b->key, b->counter + (uint64_t)i,
                         b->input + (size_t)i * in, b->label + (size_t)i * out);
    }
    b->filled = true;
}

static void *work(void *cookie)
{
    struct gt_feeder *f = cookie;
    pthread_mutex_lock(&f->mutex);
    for (;;) {
        while (!f->wanted && !f->stop) {
            pthread_cond_wait(&f->changed, &f->mutex);
        }
        if (f->stop) {
            break;
        }
        pthread_mutex_unlock(&f->mutex);
        produce(&f->options, f->next); /* nobody else touches it while it is wanted */
        pthread_mutex_lock(&f->mutex);
        f->wanted = false;
        pthread_cond_broadcast(&f->changed);
    }
    pthread_mutex_unlock(&f->mutex);
    return NULL;
}

/* Signals are the application's: its own threads shall receive them. */
static gt_status start(struct gt_feeder *f)
{
    sigset_t all;
    sigset_t former;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    int error = pthread_create(&f->thread, NULL, work, f);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    if (error != 0) {
        return gt__fail(GT_ENOMEM, "a thread for reading patches could not be started (error %d)",
                        error);
    }
    f->started = true;
    return GT_OK;
}

gt_status gt__feeder_create(struct gt_feeder **out, const struct gt_feeder_options *options)
{
    struct gt_feeder *f = NULL;
    gt_status status = GT_OK;
    GT_TRY(gt__alloc(&f, 1, sizeof *f, "patch buffers"));
    f->options = *options;
    f->taken = &f->batches[0];
    f->next = &f->batches[1];
    pthread_mutex_init(&f->mutex, NULL);
    pthread_cond_init(&f->changed, NULL);
    for (int i = 0; i < 2; ++i) {
        struct batch *b = &f->batches[i];
        GT_TRY_OUT(gt__alloc(&b->input, gt__count(options->input), sizeof(float), "patches"));
        GT_TRY_OUT(gt__alloc(&b->label, gt__count(options->label), sizeof(float), "patch labels"));
    }
    GT_TRY_OUT(start(f));
    *out = f;
    f = NULL;
out:
    gt__feeder_free(f);
    return status;
}

void gt__feeder_free(struct gt_feeder *f)
{
    if (!f) {
        return;
    }
    if (f->started) {
        pthread_mutex_lock(&f->mutex);
        f->stop = true;
        pthread_cond_broadcast(&f->changed);
        pthread_mutex_unlock(&f->mutex);
        pthread_join(f->thread, NULL);
    }
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->mutex);
    for (int i = 0; i < 2; ++i) {
        gt__free(f->batches[i].input);
        gt__free(f->batches[i].label);
    }
    gt__free(f);
}

/* With the mutex held and nothing wanted. */
static void request(struct gt_feeder *f, uint64_t key, uint64_t counter)
{
    f->next->key = key;
    f->next->counter = counter;
    f->next->filled = false;
    f->wanted = true;
    pthread_cond_broadcast(&f->changed);
}

static void wait_idle(struct gt_feeder *f)
{
    while (f->wanted) {
        pthread_cond_wait(&f->changed, &f->mutex);
    }
}

void gt__feeder_take(const float **input, const float **label, struct gt_feeder *f, uint64_t key,
                     uint64_t counter)
{
    pthread_mutex_lock(&f->mutex);
    wait_idle(f);
    if (!f->next->filled || f->next->key != key || f->next->counter != counter) {
        request(f, key, counter); /* the first one, or after resuming */
        wait_idle(f);
    }
    struct batch *b = f->next;
    f->next = f->taken;
    f->taken = b;
    *input = b->input;
    *label = b->label;
    request(f, key, counter + (uint64_t)f->options.input.n);
    pthread_mutex_unlock(&f->mutex);
}
