/* A ring of batches. One is the caller's, the others lie ahead of it; threads take on their patches
 * one by one, the oldest first. Which thread produces a patch and when has no influence on its
 * content: every patch is drawn from the random streams of its own number.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/feeder.h"

#include "core/mem.h"

#include <pthread.h>
#include <signal.h>

#define MOST_THREADS 4 /* by default */

struct batch {
    float *input, *label, *truth;
    size_t done; /* patches */
};

struct gt_feeder {
    struct gt_feeder_options options;
    size_t patches; /* of a batch */
    pthread_t *threads;
    size_t n_threads; /* started */
    pthread_mutex_t mutex;
    pthread_cond_t work, progress;
    /* from here on: under the mutex */
    struct batch *ring;
    size_t n_ring;
    size_t head;           /* the batch that is taken next; the one before it is the caller's */
    uint64_t key, counter; /* of its first patch */
    size_t assigned;       /* patches that threads took on, counted from there */
    size_t active;         /* threads that produce one */
    bool open, stop;
};

/* Patch i of a batch; nobody else touches its part of the memory. */
static void produce(const struct gt_feeder_options *o, const struct batch *b, size_t i,
                    uint64_t key, uint64_t sample)
{
    size_t in = gt__count(o->input) / (size_t)o->input.n;
    size_t out = gt__count(o->label) / (size_t)o->label.n;
    struct gt_patch patch = {b->input + i * in, b->label + i * out,
                             b->truth ? b->truth + i * out : NULL};
    gt__sample_draw(&patch, o->dataset, &o->spec, key, sample);
}

static void *work(void *cookie)
{
    struct gt_feeder *f = cookie;
    pthread_mutex_lock(&f->mutex);
    for (;;) {
        while (!f->stop && (!f->open || f->assigned == (f->n_ring - 1) * f->patches)) {
            pthread_cond_wait(&f->work, &f->mutex);
        }
        if (f->stop) {
            break;
        }
        size_t number = f->assigned++;
        struct batch *b = &f->ring[(f->head + number / f->patches) % f->n_ring];
        uint64_t key = f->key;
        uint64_t sample = f->counter + number;
        f->active++;
        pthread_mutex_unlock(&f->mutex);
        produce(&f->options, b, number % f->patches, key, sample);
        pthread_mutex_lock(&f->mutex);
        f->active--;
        b->done++;
        pthread_cond_broadcast(&f->progress);
    }
    pthread_mutex_unlock(&f->mutex);
    return NULL;
}

/* Signals are the application's: its own threads shall receive them. */
static gt_status start(struct gt_feeder *f)
{
    sigset_t all;
    sigset_t former;
    int error = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    while (error == 0 && f->n_threads < (size_t)f->options.threads) {
        error = pthread_create(&f->threads[f->n_threads], NULL, work, f);
        f->n_threads += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    if (error != 0) {
        return gt__fail(GT_ENOMEM, "a thread for reading patches could not be started (error %d)",
                        error);
    }
    return GT_OK;
}

/* Batches so that every thread has a patch to work on and one to follow it. */
static size_t ring_size(size_t threads, size_t patches)
{
    return 1 + (2 * threads + patches - 1) / patches;
}

gt_status gt__feeder_create(struct gt_feeder **out, const struct gt_feeder_options *options)
{
    struct gt_feeder *f = NULL;
    gt_status status = GT_OK;
    GT_TRY(gt__alloc(&f, 1, sizeof *f, "patch buffers"));
    f->options = *options;
    f->patches = (size_t)options->input.n;
    pthread_mutex_init(&f->mutex, NULL);
    pthread_cond_init(&f->work, NULL);
    pthread_cond_init(&f->progress, NULL);
    size_t n = ring_size((size_t)options->threads, f->patches);
    GT_TRY_OUT(gt__alloc(&f->threads, (size_t)options->threads, sizeof *f->threads, "threads"));
    GT_TRY_OUT(gt__alloc(&f->ring, n, sizeof *f->ring, "patch buffers"));
    for (f->n_ring = 0; f->n_ring < n; ++f->n_ring) {
        struct batch *b = &f->ring[f->n_ring];
        GT_TRY_OUT(gt__alloc(&b->input, gt__count(options->input), sizeof(float), "patches"));
        status = gt__alloc(&b->label, gt__count(options->label), sizeof(float), "patch labels");
        if (status == GT_OK && options->truth) {
            status = gt__alloc(&b->truth, gt__count(options->label), sizeof(float), "patch labels");
        }
        if (status != GT_OK) {
            gt__free(b->label);
            gt__free(b->input);
            goto out;
        }
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
    pthread_mutex_lock(&f->mutex);
    f->stop = true;
    pthread_cond_broadcast(&f->work);
    pthread_mutex_unlock(&f->mutex);
    for (size_t i = 0; i < f->n_threads; ++i) {
        pthread_join(f->threads[i], NULL);
    }
    pthread_cond_destroy(&f->progress);
    pthread_cond_destroy(&f->work);
    pthread_mutex_destroy(&f->mutex);
    for (size_t i = 0; i < f->n_ring; ++i) {
        gt__free(f->ring[i].input);
        gt__free(f->ring[i].label);
        gt__free(f->ring[i].truth);
    }
    gt__free(f->ring);
    gt__free(f->threads);
    gt__free(f);
}

/* With the mutex held: begin anew with the batch at `head`, the first time or after resuming. */
static void restart(struct gt_feeder *f, uint64_t key, uint64_t counter)
{
    f->open = false;
    while (f->active > 0) {
        pthread_cond_wait(&f->progress, &f->mutex);
    }
    for (size_t i = 0; i < f->n_ring; ++i) {
        f->ring[i].done = 0;
    }
    f->key = key;
    f->counter = counter;
    f->assigned = 0;
    f->open = true;
    pthread_cond_broadcast(&f->work);
}

/* With the mutex held: are the batches ahead those wanted? */
static bool follows(const struct gt_feeder *f, uint64_t key, uint64_t counter)
{
    return f->open && f->key == key && f->counter == counter;
}

bool gt__feeder_ready(struct gt_feeder *f, uint64_t key, uint64_t counter)
{
    pthread_mutex_lock(&f->mutex);
    bool ready = follows(f, key, counter) && f->ring[f->head].done == f->patches;
    pthread_mutex_unlock(&f->mutex);
    return ready;
}

void gt__feeder_take(struct gt_feeder_batch *out, struct gt_feeder *f, uint64_t key,
                     uint64_t counter)
{
    pthread_mutex_lock(&f->mutex);
    if (!follows(f, key, counter)) {
        restart(f, key, counter);
    }
    const struct batch *b = &f->ring[f->head];
    while (b->done < f->patches) {
        pthread_cond_wait(&f->progress, &f->mutex);
    }
    f->ring[(f->head + f->n_ring - 1) % f->n_ring].done = 0; /* returned: the last in the ring */
    f->head = (f->head + 1) % f->n_ring;
    f->counter += f->patches;
    f->assigned -= f->patches;
    pthread_cond_broadcast(&f->work);
    *out = (struct gt_feeder_batch){b->input, b->label, b->truth};
    pthread_mutex_unlock(&f->mutex);
}

/* Patches take a few percent of the time of a training on the processor, so one thread follows; it
 * would only take turns with those that compute. Cores left free by them are used. */
int32_t gt__feeder_threads(int32_t processors, int32_t compute)
{
    int32_t spare = processors - (compute > 0 ? compute : 1);
    return spare < 1 ? 1 : spare < MOST_THREADS ? spare : MOST_THREADS;
}
