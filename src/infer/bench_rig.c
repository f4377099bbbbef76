/* What all timings of networks need. SPDX-License-Identifier: BSD-2-Clause */
#include "infer/bench_rig.h"

#include "core/random.h"

#include <time.h>

static gt_status fill(struct gt_bench_rig *b, const gt_model *model)
{
    gt_model_options mo;
    gt_model_get_options(model, &mo);
    struct gt_random r = gt__random_open(1, GT_STREAM_BENCHMARK, 0);
    size_t n = gt__count(gt_graph_shape(b->net.graph, b->net.input));
    GT_TRY(gt__alloc(&b->data, n, sizeof *b->data, "benchmark input"));
    for (size_t i = 0; i < n; i++) {
        b->data[i] = 2.0f * gt__random_f32(&r) - 1.0f;
    }
    if (b->net.label != GT_NO_VALUE) {
        n = gt__count(gt_graph_shape(b->net.graph, b->net.label));
        GT_TRY(gt__alloc(&b->labels, n, sizeof *b->labels, "benchmark labels"));
        for (size_t i = 0; i < n; i++) {
            b->labels[i] = (float)gt__random_below(&r, (uint64_t)mo.labels);
        }
    }
    for (size_t i = 0; i < gt_model_tensors(model); i++) {
        float *data = NULL;
        /* The tensors are only read; the accessor is not const because trainers write through it.
         */
        GT_TRY(gt_model_tensor(NULL, NULL, &data, (gt_model *)(uintptr_t)model, i));
        GT_TRY(gt_program_write(b->program, b->net.params[i], data));
    }
    return GT_OK;
}

/* Sizes and graph; po receives what to plan with. */
static gt_status open_graph(gt_program_options *po, struct gt_bench_rig *b, const gt_model *model,
                            const gt_benchmark_options *options)
{
    gt_model_geometry geometry;
    if (options->batch < 1 || options->runs < 1 || options->warmup < 0) {
        return gt__fail(GT_EINVAL,
                        "benchmark: batch %d and runs %d must be 1 or more, warm-up %d 0 or more",
                        options->batch, options->runs, options->warmup);
    }
    if (options->mode == GT_BENCHMARK_TRAIN && options->precision != GT_PRECISION_F32) {
        return gt__fail(GT_EINVAL, "benchmark: training is computed in fp32 only, not in bf16");
    }
    gt_model_get_geometry(model, &geometry);
    gt_program_options_init(po);
    po->deterministic = options->deterministic;
    po->precision = options->precision;
    po->memory_limit = options->memory_limit;
    b->output = options->output > 0 ? options->output : geometry.canonical;
    b->input = b->output + geometry.shrink;
    b->batch = options->batch;
    GT_TRY(gt_model_check_size(model, b->output));
    return gt__network_graph(&b->net, model, options->mode, b->batch, b->output);
}

gt_status gt__bench_open(struct gt_bench_rig *b, gt_device *device, const gt_model *model,
                         const gt_benchmark_options *options)
{
    const struct gt_program_extra extra = {.force_variant = -1, .every_layer = b->every_layer};
    gt_program_options po;
    GT_TRY(open_graph(&po, b, model, options));
    GT_TRY(gt__program_create(&b->program, device, b->net.graph, &po, &extra));
    return fill(b, model);
}

gt_status gt_benchmark_plan(gt_program_memory *out, gt_device *device, const gt_model *model,
                            const gt_benchmark_options *options)
{
    struct gt_bench_rig b = {.program = NULL};
    gt_program_options po;
    gt_status status = open_graph(&po, &b, model, options);
    if (status == GT_OK) {
        status = gt_program_plan(out, device, b.net.graph, &po);
    }
    gt__bench_close(&b);
    return status;
}

void gt__bench_close(struct gt_bench_rig *b)
{
    gt_program_free(b->program);
    gt__network_graph_free(&b->net);
    gt__free(b->data);
    gt__free(b->labels);
}

gt_status gt__bench_write(struct gt_bench_rig *b)
{
    static const float hyper[GT_HYPER_COUNT] = {
        [GT_HYPER_RATE] = 1e-6f, [GT_HYPER_MOMENTUM] = 0.9f};
    GT_TRY(gt_program_write(b->program, b->net.input, b->data));
    if (b->net.label != GT_NO_VALUE) {
        GT_TRY(gt_program_write(b->program, b->net.label, b->labels));
        GT_TRY(gt_program_write(b->program, b->net.hyper, hyper));
    }
    return gt_program_wait(b->program);
}

gt_status gt__bench_report(const gt_benchmark_options *options, int64_t done, int64_t total)
{
    if (options->progress &&
        options->progress((uint64_t)done, (uint64_t)total, options->cookie) != 0) {
        return gt__fail(GT_ECANCELLED, "the benchmark was stopped after %lld of %lld runs",
                        (long long)done, (long long)total);
    }
    return GT_OK;
}

double gt__bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
