/* Times single nodes under single options. SPDX-License-Identifier: BSD-2-Clause
 *
 * A step is bound by hand: every value of the node at an offset of one buffer, in exactly the
 * layouts of the option, so that nothing but the kernel runs. Values are random, indices are 0. */
#include "core/meter.h"

#include <stdlib.h>
#include <time.h>

#include "core/random.h"

enum { CHUNK = 1 << 16, ROUNDS = 5, MAX_RUNS = 64 };
/* Each round lasts about so long; one run of a kernel slower than SLOW times the best is enough. */
static const double round_seconds = 0.005;
static const double slow = 3.0;
/* A first run that long, and a hundred times the best, is not repeated; a shorter one may have been
 * the driver's late work. */
static const double hopeless_seconds = 1.0;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static gt_status bytes_of(size_t *out, const struct gt_graph *g, gt_value v, gt_layout layout)
{
    *out = 0;
    if (v != GT_NO_VALUE && !gt__layout_bytes(out, gt__value(g, v)->shape, layout)) {
        return gt__fail(GT_ENOMEM, "a value is too large to measure");
    }
    return GT_OK;
}

/* The input that this output overwrites, or -1. */
static int32_t in_place_of(const struct gt_node *node, int32_t out)
{
    for (int32_t i = 0; i < node->n_in; i++) {
        if (node->out[out] != GT_NO_VALUE && node->in[i] == node->out[out]) {
            return i;
        }
    }
    return -1;
}

static void reserve(size_t *offset, size_t *total, size_t size)
{
    *offset = *total;
    *total += gt__align_up(size, GT_ALIGN);
}

/* Offsets that suit every option; *total is what they take. inputs[i]: bytes of input i. */
static gt_status lay_out(struct gt_meter *m, size_t *total, size_t *inputs,
                         const struct gt_option *options, size_t n)
{
    const struct gt_node *node = m->node;
    size_t outputs[GT_MAX_OUT] = {0};
    size_t scratch = 0;
    size_t packed = 0;
    *total = 0;
    for (size_t o = 0; o < n; o++) {
        const struct gt_plan *plan = &options[o].plan;
        size_t size = 0;
        for (int32_t i = 0; i < node->n_in; i++) {
            GT_TRY(bytes_of(&size, m->graph, node->in[i], plan->in[i]));
            inputs[i] = size > inputs[i] ? size : inputs[i];
        }
        for (int32_t i = 0; i < node->n_out; i++) {
            GT_TRY(bytes_of(&size, m->graph, node->out[i], plan->out[i]));
            outputs[i] = size > outputs[i] ? size : outputs[i];
        }
        scratch = plan->scratch > scratch ? plan->scratch : scratch;
        packed = plan->packed > packed ? plan->packed : packed;
    }
    for (int32_t i = 0; i < node->n_in; i++) {
        reserve(&m->in[i], total, inputs[i]);
    }
    for (int32_t i = 0; i < node->n_out; i++) {
        int32_t same = in_place_of(node, i);
        if (same >= 0) {
            m->out[i] = m->in[same];
        } else {
            reserve(&m->out[i], total, outputs[i]);
        }
    }
    reserve(&m->scratch, total, scratch);
    reserve(&m->packed, total, packed);
    return GT_OK;
}

static gt_status fill(struct gt_meter *m, size_t offset, size_t size, enum gt_kind kind)
{
    const struct gt_backend *b = m->device->backend;
    if (kind == GT_KIND_U8) {
        return b->clear(m->device, m->memory, offset, gt__align_up(size, sizeof(float)));
    }
    for (size_t at = 0; at < size; at += CHUNK * sizeof(float)) {
        size_t left = size - at;
        size_t part = left < CHUNK * sizeof(float) ? left : CHUNK * sizeof(float);
        GT_TRY(b->write(m->device, m->memory, offset + at, m->chunk, part));
    }
    return GT_OK;
}

static gt_status make_chunk(struct gt_meter *m)
{
    struct gt_random r = gt__random_open(1, GT_STREAM_BENCHMARK, 1);
    GT_TRY(gt__alloc(&m->chunk, CHUNK, sizeof *m->chunk, "measuring"));
    for (size_t i = 0; i < CHUNK; i++) {
        m->chunk[i] = 2.0f * gt__random_f32(&r) - 1.0f;
    }
    return GT_OK;
}

gt_status gt__meter_node(struct gt_meter *m, const struct gt_graph *g, const struct gt_node *node,
                         const struct gt_option *options, size_t n)
{
    size_t inputs[GT_MAX_IN] = {0};
    size_t total = 0;
    m->graph = g;
    m->node = node;
    if (!m->chunk) {
        GT_TRY(make_chunk(m));
    }
    GT_TRY(lay_out(m, &total, inputs, options, n));
    if (!m->memory || m->memory->size < total) {
        if (m->memory) {
            m->device->backend->free(m->memory);
            m->memory = NULL;
        }
        GT_TRY(m->device->backend->alloc(&m->memory, m->device, total + GT_ALIGN));
    }
    for (int32_t i = 0; i < node->n_in; i++) {
        if (node->in[i] != GT_NO_VALUE) {
            GT_TRY(fill(m, m->in[i], inputs[i], gt__value(g, node->in[i])->kind));
        }
    }
    return GT_OK;
}

static struct gt_view bind(const struct gt_meter *m, gt_value v, size_t offset, gt_layout layout)
{
    struct gt_view view = {0};
    if (v != GT_NO_VALUE) {
        view.buffer = m->memory;
        view.offset = offset;
        view.shape = gt__value(m->graph, v)->shape;
        view.layout = layout;
        (void)gt__layout_bytes(&view.size, view.shape, layout); /* lay_out has checked it */
    }
    return view;
}

static struct gt_step make_step(const struct gt_meter *m, const struct gt_option *option)
{
    const struct gt_node *node = m->node;
    const struct gt_plan *plan = &option->plan;
    struct gt_step step = {.kernel = option->kernel, .node = node, .variant = option->variant};
    for (int32_t i = 0; i < node->n_in; i++) {
        step.in[i] = bind(m, node->in[i], m->in[i], plan->in[i]);
    }
    for (int32_t i = 0; i < node->n_out; i++) {
        step.out[i] = bind(m, node->out[i], m->out[i], plan->out[i]);
    }
    if (plan->scratch > 0) {
        step.scratch = (struct gt_view){m->memory, m->scratch, plan->scratch, {0}, {0}};
    }
    if (plan->packed > 0) {
        step.packed = (struct gt_view){m->memory, m->packed, plan->packed, {0}, {0}};
    }
    return step;
}

/* Seconds of `runs` runs and one wait. */
static gt_status time_runs(double *seconds, struct gt_meter *m, struct gt_step *step, int runs)
{
    const struct gt_backend *b = m->device->backend;
    struct gt_fence *fence = NULL;
    double start = now();
    for (int i = 0; i < runs; i++) {
        GT_TRY(b->submit(m->device, step, 1));
    }
    GT_TRY(b->fence(&fence, m->device));
    GT_TRY(b->wait(fence));
    *seconds = now() - start;
    return GT_OK;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static gt_status measure(double *seconds, struct gt_meter *m, struct gt_step *step, double best)
{
    double rounds[ROUNDS];
    double first = 0.0;
    step->pack = true; /* the first run packs weights, and drivers have their late work there */
    GT_TRY(time_runs(&first, m, step, 1));
    /* Forward weights change rarely; gradients are of training, where every run packs. */
    step->pack = m->node->backward != 0;
    if (best <= 0.0 || first < 100.0 * best || first < hopeless_seconds) {
        GT_TRY(time_runs(&first, m, step, 1));
    }
    if (best > 0.0 && first > slow * best && first > round_seconds) {
        *seconds = first;
        return GT_OK;
    }
    double wanted = round_seconds / (first > 1e-9 ? first : 1e-9);
    int runs = wanted < 1.0 ? 1 : wanted > MAX_RUNS ? MAX_RUNS : (int)wanted;
    for (int i = 0; i < ROUNDS; i++) {
        GT_TRY(time_runs(&rounds[i], m, step, runs));
    }
    qsort(rounds, ROUNDS, sizeof *rounds, by_value);
    *seconds = rounds[ROUNDS / 2] / runs;
    return GT_OK;
}

gt_status gt__meter_run(double *seconds, struct gt_meter *m, const struct gt_option *option,
                        double best)
{
    struct gt_step step = make_step(m, option);
    const struct gt_kernel *kernel = option->kernel;
    gt_status status = GT_OK;
    if (kernel->prepare) {
        status = kernel->prepare(m->device, &step);
    }
    if (status == GT_OK) {
        status = measure(seconds, m, &step, best);
    }
    struct gt_fence *fence = NULL; /* what failed half way may still be under way */
    if (status != GT_OK && m->device->backend->fence(&fence, m->device) == GT_OK) {
        (void)m->device->backend->wait(fence);
    }
    if (kernel->release && step.state) {
        kernel->release(m->device, &step);
    }
    return status;
}

void gt__meter_free(struct gt_meter *m)
{
    if (m->memory) {
        m->device->backend->free(m->memory);
    }
    gt__free(m->chunk);
}
