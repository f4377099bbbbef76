/* Tiles cut among devices. SPDX-License-Identifier: BSD-2-Clause
 *
 * A device that computes beside the host gets its next tile before the result of the present one is
 * waited for: gathering and uploading cost it no time. */
#include "infer/crew.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

struct worker {
    struct gt_crew *crew;
    struct gt_lane *lane;
    pthread_t id;
    size_t index;
    int32_t next; /* deterministic: tiles before were looked at */
    bool in;      /* still takes tiles of this row; under lock */
    double since; /* when the last view was done */
};

struct gt_crew {
    gt_predictor *p;
    struct gt_crew_job job;
    struct worker *workers;
    size_t n, started;
    pthread_mutex_t lock;
    pthread_cond_t start, news;
    /* under lock */
    uint64_t first;
    int32_t next, count;
    uint64_t done;  /* views */
    size_t busy;    /* workers that are not through with this row */
    unsigned round; /* number of the row */
    bool stop, quit;
    gt_status status; /* the first error, its words, and whose it was */
    char message[512];
    const struct gt_lane *failed;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Keep the first error; the message is the present thread's. Under lock. */
static void keep_error(struct gt_crew *c, gt_status status, const struct gt_lane *failed)
{
    c->stop = true;
    if (c->status == GT_OK) {
        c->status = status;
        c->failed = failed;
        strncpy(c->message, gt_error_message(), sizeof c->message - 1);
    }
}

/* A device far slower than the others would have all wait for its last tile: it takes none if they
 * finish the row sooner without it. The fastest never steps back, nor does the last. */
static bool worth(const struct worker *w)
{
    const struct gt_crew *c = w->crew;
    double rate = 0.0;
    double fastest = INFINITY;
    for (size_t i = 0; i < c->n; i++) {
        const struct worker *other = &c->workers[i];
        if (other != w && other->in) {
            rate += 1.0 / other->lane->seconds;
            fastest = fmin(fastest, other->lane->seconds);
        }
    }
    return rate <= 0.0 || w->lane->seconds <= fmax(fastest, (c->count - c->next) / rate);
}

/* The next tile for a device, -1: none. ahead: while it computes another, so that the last tiles
 * are left to those who have none. */
static int32_t take(struct worker *w, bool ahead)
{
    struct gt_crew *c = w->crew;
    int32_t tile = -1;
    pthread_mutex_lock(&c->lock);
    if (c->p->options.deterministic && c->n > 1) {
        while (w->next < c->count && (c->first + (uint64_t)w->next) % c->n != w->index) {
            w->next++;
        }
        tile = !c->stop && w->next < c->count ? w->next++ : -1;
    } else if (!c->stop && w->in && c->next < c->count) {
        if (ahead && (size_t)(c->count - c->next) < c->n) {
            pthread_mutex_unlock(&c->lock);
            return -1;
        }
        w->in = worth(w);
        tile = w->in ? c->next++ : -1;
    }
    pthread_mutex_unlock(&c->lock);
    return tile;
}

/* The next view for a device: of the tile that it has, else of another. tile -1: none. */
static struct gt_crew_view follow(struct worker *w, struct gt_crew_view last, bool ahead)
{
    if (last.orientation + 1 < w->crew->p->options.orientations) {
        return (struct gt_crew_view){last.tile, last.orientation + 1};
    }
    return (struct gt_crew_view){take(w, ahead), 0};
}

/* A view is done. */
static void finish(struct worker *w)
{
    struct gt_crew *c = w->crew;
    struct gt_lane *lane = w->lane;
    double time = now();
    double seconds = fmax(time - w->since, 1e-9);
    pthread_mutex_lock(&c->lock);
    lane->seconds = lane->measured ? 0.5 * (lane->seconds + seconds) : seconds;
    lane->measured = true;
    w->since = time;
    c->done++;
    pthread_cond_signal(&c->news);
    pthread_mutex_unlock(&c->lock);
}

static gt_status load(const struct worker *w, struct gt_crew_view view)
{
    const struct gt_crew *c = w->crew;
    c->job.gather(c->job.cookie, w->lane->tile_in, view);
    return gt_program_write(w->lane->program, c->p->input, w->lane->tile_in);
}

/* Compute tiles as long as there are any. */
static gt_status work(struct worker *w)
{
    struct gt_crew *c = w->crew;
    struct gt_lane *lane = w->lane;
    bool running = false; /* the present view */
    for (struct gt_crew_view view = {take(w, false), 0}, next; view.tile >= 0; view = next) {
        if (!running) {
            GT_TRY(load(w, view));
            GT_TRY(gt_program_run(lane->program));
        }
        next.tile = -1;
        if (lane->early) {
            next = follow(w, view, true);
        }
        if (next.tile >= 0) {
            GT_TRY(load(w, next));
        }
        GT_TRY(gt_program_read(lane->program, c->p->prob, lane->tile_out));
        running = next.tile >= 0;
        if (running) {
            GT_TRY(gt_program_run(lane->program));
        }
        c->job.scatter(c->job.cookie, lane->tile_out, view);
        finish(w);
        if (c->n == 1) {
            gt_status status = c->job.tell(c->job.cookie);
            if (status != GT_OK) {
                keep_error(c, status, NULL);
                return status;
            }
        }
        next = running ? next : follow(w, view, false);
    }
    return GT_OK;
}

static void *worker_main(void *argument)
{
    struct worker *w = argument;
    struct gt_crew *c = w->crew;
    unsigned seen = 0;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->quit && c->round == seen) {
            pthread_cond_wait(&c->start, &c->lock);
        }
        if (c->quit) {
            break;
        }
        seen = c->round;
        pthread_mutex_unlock(&c->lock);
        gt_status status = work(w);
        pthread_mutex_lock(&c->lock);
        if (status != GT_OK) {
            keep_error(c, status, w->lane);
        }
        w->in = false;
        c->busy--;
        pthread_cond_signal(&c->news);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* Wait for the threads; tell of every view. */
static void wait_for_all(struct gt_crew *c)
{
    uint64_t told = 0;
    pthread_mutex_lock(&c->lock);
    c->busy = c->n;
    c->round++;
    pthread_cond_broadcast(&c->start);
    while (c->busy > 0 || (told < c->done && c->status == GT_OK)) {
        if (told == c->done || c->status != GT_OK) {
            pthread_cond_wait(&c->news, &c->lock);
            continue;
        }
        told++;
        pthread_mutex_unlock(&c->lock);
        gt_status status = c->job.tell(c->job.cookie);
        pthread_mutex_lock(&c->lock);
        if (status != GT_OK) {
            keep_error(c, status, NULL);
        }
    }
    pthread_mutex_unlock(&c->lock);
}

gt_status gt__crew_run(const struct gt_lane **failed, struct gt_crew *c, uint64_t first,
                       int32_t count)
{
    double start = now();
    *failed = NULL;
    c->first = first;
    c->next = 0;
    c->count = count;
    c->done = 0;
    for (size_t i = 0; i < c->n; i++) {
        c->workers[i].next = 0;
        c->workers[i].in = true;
        c->workers[i].since = start;
    }
    if (c->n > 1) {
        wait_for_all(c);
    } else {
        gt_status status = work(&c->workers[0]);
        if (status != GT_OK) {
            keep_error(c, status, c->workers[0].lane);
        }
    }
    if (c->status != GT_OK) {
        *failed = c->failed;
        return gt__fail(c->status, "%s", c->message);
    }
    return GT_OK;
}

/* Signals are the caller's business: our threads block them all. */
static gt_status start_threads(struct gt_crew *c)
{
    sigset_t all, former;
    int error = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    for (size_t i = 0; i < c->n && error == 0; i++) {
        error = pthread_create(&c->workers[i].id, NULL, worker_main, &c->workers[i]);
        c->started += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    if (error != 0) {
        return gt__fail(GT_ENOMEM, "cannot start the thread of device %zu of %zu: error %d",
                        c->started + 1, c->n, error);
    }
    return GT_OK;
}

gt_status gt__crew_open(struct gt_crew **out, gt_predictor *p, const struct gt_crew_job *job)
{
    struct gt_crew *c = NULL;
    gt_status status = GT_OK;
    GT_TRY(gt__alloc(&c, 1, sizeof *c, "devices at work"));
    c->p = p;
    c->job = *job;
    c->n = p->n_lanes;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->start, NULL);
    pthread_cond_init(&c->news, NULL);
    GT_TRY_OUT(gt__alloc(&c->workers, c->n, sizeof *c->workers, "devices at work"));
    for (size_t i = 0; i < c->n; i++) {
        c->workers[i].crew = c;
        c->workers[i].lane = &p->lanes[i];
        c->workers[i].index = i;
    }
    if (c->n > 1) {
        GT_TRY_OUT(start_threads(c));
    }
    *out = c;
    c = NULL;
out:
    gt__crew_close(c);
    return status;
}

void gt__crew_close(struct gt_crew *c)
{
    if (!c) {
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->quit = true;
    pthread_cond_broadcast(&c->start);
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < c->started; i++) {
        pthread_join(c->workers[i].id, NULL);
    }
    pthread_cond_destroy(&c->news);
    pthread_cond_destroy(&c->start);
    pthread_mutex_destroy(&c->lock);
    gt__free(c->workers);
    gt__free(c);
}
