/* The training loop. One run of the program is one iteration: forward, loss, gradient, update.
 * SPDX-License-Identifier: BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L
#include "train/trainer.h"

#include "core/program.h"
#include "data/dataset.h"
#include "models/model_internal.h"
#include "train/schedule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MEAN_OVER 50 /* iterations of the mean loss */

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- creating ---- */

static gt_status balance_labels(gt_trainer *t, struct gt_patch_spec *spec)
{
    const struct gt_balance_options options = {t->options.equalise, spec->patch,
                                               t->options.balance};
    GT_TRY(gt__balance_create(&t->balance, t->dataset, &options));
    gt__labels_log(t);
    spec->balance = t->balance;
    return GT_OK;
}

static gt_status choose_feeders(gt_trainer *t)
{
    gt_device_info cpu;
    gt_device_info own;
    if (t->options.feeders == 0) {
        GT_TRY(gt_device_list(&cpu, 0));
        gt_device_describe(t->device, &own);
        int32_t threads = own.platform < 0 ? gt_device_threads(t->device) : own.compute_units;
        int32_t compute = own.gpu ? 0 : threads; /* OpenCL may be the processor too */
        t->options.feeders = gt__feeder_threads(cpu.compute_units, compute);
    }
    return GT_OK;
}

static gt_status fill(gt_trainer *t, gt_device *device, gt_model *model, gt_dataset *dataset)
{
    gt_model_options m;
    gt_model_geometry g;
    char *solver = NULL;
    t->device = device;
    t->model = model;
    t->dataset = dataset;
    GT_TRY(gt__train_options_complete(&t->options, model, dataset));
    GT_TRY(choose_feeders(t));
    t->key = t->options.seed;
    gt_model_get_options(model, &m);
    gt_model_get_geometry(model, &g);
    int32_t patch = t->options.patch;
    struct gt_feeder_options feeder = {
        .dataset = dataset,
        .spec = {.patch = patch,
                 .border = g.border,
                 .shrink = g.shrink,
                 .augment = t->options.augment,
                 .distort = &t->options.distort},
        .input = {t->options.batch, m.channels, patch + g.shrink, patch + g.shrink},
        .label = {t->options.batch, 1, patch, patch},
        .threads = t->options.feeders};
    size_t count = 0;
    if (!gt__shape_count(&count, feeder.input) || !gt__shape_count(&count, feeder.label)) {
        return gt__fail(GT_ESHAPE, "%d patches of %d pixels are too large", (int)t->options.batch,
                        (int)patch);
    }
    GT_TRY(gt__sample_check(dataset, &feeder.spec));
    GT_TRY(balance_labels(t, &feeder.spec));
    feeder.truth = gt__loss_needs_truth(&t->options);
    t->input = feeder.input;
    t->label = feeder.label;
    GT_TRY(gt__phase_start(t));
    GT_TRY(gt__feeder_create(&t->feeder, &feeder));
    /* the model changes only when nothing can fail any more but this */
    GT_TRY(gt__train_options_json(&solver, &t->options));
    gt_status status = gt__model_set_solver(model, solver);
    gt__free(solver);
    GT_TRY(status);
    GT_TRY(gt_model_set_preprocess(model, &dataset->options.preprocess));
    return gt__labels_note(model, dataset);
}

gt_status gt_trainer_create(gt_trainer **out, gt_device *device, gt_model *model,
                            gt_dataset *dataset, const gt_train_options *options)
{
    gt_trainer *t = NULL;
    gt_status status = GT_OK;
    if (!out || !device || !model || !dataset) {
        return gt__fail(GT_EINVAL, "out, device, model or dataset is NULL");
    }
    GT_TRY_OUT(gt__alloc(&t, 1, sizeof *t, "trainer"));
    if (options) {
        t->options = *options;
    } else {
        gt_train_options_init(&t->options);
    }
    GT_TRY_OUT(fill(t, device, model, dataset));
    *out = t;
    t = NULL;
out:
    gt_trainer_free(t);
    return status;
}

void gt_trainer_free(gt_trainer *t)
{
    if (!t) {
        return;
    }
    gt__feeder_free(t->feeder);
    gt__balance_free(t->balance);
    gt__phase_free(&t->phase);
    for (size_t kind = 0; kind < GT_LOSS_KINDS; ++kind) {
        gt__free(t->plans[kind].choice);
    }
    gt__free(t);
}

/* ---- stepping ---- */

static double seconds(const gt_trainer *t)
{
    return (double)(now_ns() - t->start_ns) * 1e-9;
}

static double time_share(const gt_trainer *t)
{
    double limit = t->options.time_limit;
    return limit > 0 ? fmin(1, seconds(t) / limit) : 0;
}

static void begin(gt_trainer *t)
{
    t->start_ns = now_ns();
    t->step_ns = 0;
    t->wait_ns = 0;
    t->steps = 0;
    t->loss_mean = 0;
}

/* Of one iteration. */
struct outcome {
    float loss, softmax, malis; /* the sum and its parts */
    float sumsq;                /* of the gradient */
};

/* The updates skip themselves when the norm is not finite, so nothing has to be taken back. */
static gt_status check_finite(const gt_trainer *t, const struct outcome *o)
{
    if (isfinite(o->loss) && isfinite(o->sumsq)) {
        return GT_OK;
    }
    bool nan = isnan(o->loss) || isnan(o->sumsq);
    return gt__fail(
        GT_ENUMERIC,
        "iteration %llu: the %s is %s; the weights are left as they were (a lower rate may "
        "help)",
        (unsigned long long)t->iteration + 1, isfinite(o->loss) ? "gradient" : "loss",
        nan ? "not a number" : "infinite");
}

/* Write the patches of the present counter, unless they are there already. */
static gt_status upload(gt_trainer *t)
{
    struct gt_feeder_batch batch;
    if (t->uploaded && t->uploaded_key == t->key && t->uploaded_counter == t->counter) {
        return GT_OK;
    }
    t->uploaded = false;
    int64_t start = now_ns();
    gt__feeder_take(&batch, t->feeder, t->key, t->counter);
    t->wait_ns += now_ns() - start;
    GT_TRY(gt_program_write(t->phase.program, t->phase.input, batch.input));
    GT_TRY(gt_program_write(t->phase.program, t->phase.label, batch.label));
    if (t->phase.truth != GT_NO_VALUE) {
        GT_TRY(gt_program_write(t->phase.program, t->phase.truth, batch.truth));
    }
    t->uploaded = true;
    t->uploaded_key = t->key;
    t->uploaded_counter = t->counter;
    return GT_OK;
}

/* One run. Inputs do not outlive it, so the next patches are written behind it; if there are none
 * yet, they are waited for when the device is done, so that all waiting is idleness of the device.
 */
static gt_status run_step(struct outcome *out, gt_trainer *t, const float *hyper)
{
    const struct gt_phase *p = &t->phase;
    GT_TRY(upload(t));
    t->uploaded = false;
    GT_TRY(gt_program_write(p->program, p->updates.hyper, hyper));
    GT_TRY(gt_program_run(p->program));
    t->counter += (uint64_t)t->options.batch;
    if (t->early && t->iteration + 1 < t->options.iterations &&
        gt__feeder_ready(t->feeder, t->key, t->counter)) {
        GT_TRY(upload(t));
    }
    if (p->softmax != GT_NO_VALUE) {
        GT_TRY(gt_program_read(p->program, p->softmax, &out->softmax));
    }
    if (p->malis != GT_NO_VALUE) {
        GT_TRY(gt_program_read(p->program, p->malis, &out->malis));
    }
    out->loss = out->softmax + out->malis;
    return gt_program_read(p->program, p->updates.sumsq, &out->sumsq);
}

gt_status gt_trainer_step(gt_train_progress *progress, gt_trainer *t)
{
    float hyper[GT_HYPER_COUNT];
    struct outcome o = {0};
    if (!t) {
        return gt__fail(GT_EINVAL, "trainer is NULL");
    }
    if (t->start_ns == 0) {
        begin(t);
    }
    GT_TRY(gt__phase_enter(t, t->iteration));
    int64_t start = now_ns();
    gt__schedule_hyper(hyper, &t->options, t->iteration, time_share(t));
    uint64_t counter = t->counter;
    gt_status status = run_step(&o, t, hyper);
    status = status == GT_OK ? check_finite(t, &o) : status;
    if (status != GT_OK) {
        t->counter = counter; /* this step did not happen */
        return status;
    }
    ++t->iteration;
    ++t->steps;
    t->step_ns += now_ns() - start;
    t->loss_mean += (o.loss - t->loss_mean) / (float)(t->steps < MEAN_OVER ? t->steps : MEAN_OVER);
    if (progress) {
        *progress = (gt_train_progress){.iteration = t->iteration,
                                        .loss = o.loss,
                                        .loss_mean = t->loss_mean,
                                        .rate = hyper[GT_HYPER_RATE],
                                        .gradient_norm = sqrtf(o.sumsq),
                                        .seconds = seconds(t),
                                        .total = t->options.iterations,
                                        .loss_softmax = o.softmax,
                                        .loss_malis = o.malis,
                                        .waited = (double)t->wait_ns * 1e-9,
                                        .idle = (double)t->wait_ns / (double)t->step_ns};
    }
    return GT_OK;
}

static gt_status run_all(gt_trainer *t, gt_train_fn fn, void *cookie)
{
    gt_train_progress progress;
    double limit = t->options.time_limit;
    while (t->iteration < t->options.iterations && (limit <= 0 || seconds(t) < limit)) {
        GT_TRY(gt_trainer_step(&progress, t));
        if (fn && fn(&progress, cookie) != 0) {
            return gt__fail(GT_ECANCELLED, "training was stopped after iteration %llu",
                            (unsigned long long)t->iteration);
        }
    }
    return GT_OK;
}

gt_status gt_trainer_run(gt_trainer *t, gt_train_fn fn, void *cookie)
{
    if (!t) {
        return gt__fail(GT_EINVAL, "trainer is NULL");
    }
    begin(t);
    gt_status status = run_all(t, fn, cookie);
    t->start_ns = 0; /* a step after this is a run of its own */
    if (status == GT_OK || status == GT_ECANCELLED || status == GT_ENUMERIC) {
        GT_TRY(gt_trainer_sync(t));
    }
    return status;
}

gt_status gt_trainer_sync(gt_trainer *t)
{
    if (!t) {
        return gt__fail(GT_EINVAL, "trainer is NULL");
    }
    for (size_t i = 0; i < gt_model_tensors(t->model); ++i) {
        float *data = NULL;
        GT_TRY(gt_model_tensor(NULL, NULL, &data, t->model, i));
        GT_TRY(gt_program_read(t->phase.program, t->phase.params[i], data));
    }
    gt__model_set_iteration(t->model, t->iteration);
    gt__model_set_random(t->model, t->key, t->counter);
    return GT_OK;
}

static size_t bytes(const gt_program_memory *m)
{
    return m->arena_bytes + m->packed_bytes + m->kept_bytes;
}

void gt_trainer_get_memory(const gt_trainer *t, gt_program_memory *out)
{
    gt_loss_kind larger = t->phase.kind;
    for (size_t kind = 0; kind < GT_LOSS_KINDS; ++kind) {
        if (bytes(&t->plans[kind].memory) > bytes(&t->plans[larger].memory)) {
            larger = (gt_loss_kind)kind;
        }
    }
    *out = t->plans[larger].memory;
}

gt_status gt_trainer_dump(char **out, const gt_trainer *t)
{
    return gt_program_dump(out, t->phase.program);
}
