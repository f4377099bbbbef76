/* Timings of whole networks. SPDX-License-Identifier: BSD-2-Clause */
#include "infer/network_graph.h"

#include "core/random.h"

#include <stdlib.h>
#include <time.h>

void gt_benchmark_options_init(gt_benchmark_options *options)
{
    *options =
        (gt_benchmark_options){.mode = GT_BENCHMARK_PROCESS, .batch = 1, .warmup = 1, .runs = 5};
}

/* Everything a benchmark holds. */
struct bench {
    gt_model *model; /* not owned */
    struct gt_network_graph net;
    gt_program *program;
    float *data, *labels;
    double *times;
};

static void bench_free(struct bench *b)
{
    gt_program_free(b->program);
    gt__network_graph_free(&b->net);
    gt__free(b->data);
    gt__free(b->labels);
    gt__free(b->times);
}

static gt_status fill(struct bench *b, gt_model *model)
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
        GT_TRY(gt_model_tensor(NULL, NULL, &data, model, i));
        GT_TRY(gt_program_write(b->program, b->net.params[i], data));
    }
    return GT_OK;
}

static gt_status run_once(double *seconds, struct bench *b)
{
    static const float hyper[GT_HYPER_COUNT] = {
        [GT_HYPER_RATE] = 1e-6f, [GT_HYPER_MOMENTUM] = 0.9f};
    struct timespec t0;
    struct timespec t1;
    GT_TRY(gt_program_write(b->program, b->net.input, b->data));
    if (b->net.label != GT_NO_VALUE) {
        GT_TRY(gt_program_write(b->program, b->net.label, b->labels));
        GT_TRY(gt_program_write(b->program, b->net.hyper, hyper));
    }
    GT_TRY(gt_program_wait(b->program)); /* inputs lie on the device: uploads run beside kernels */
    clock_gettime(CLOCK_MONOTONIC, &t0);
    GT_TRY(gt_program_run(b->program));
    GT_TRY(gt_program_wait(b->program));
    clock_gettime(CLOCK_MONOTONIC, &t1);
    *seconds = (double)(t1.tv_sec - t0.tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0.tv_nsec);
    return GT_OK;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void summarise(gt_benchmark_result *out, const struct bench *b,
                      const gt_benchmark_options *o)
{
    size_t n = (size_t)o->runs;
    qsort(b->times, n, sizeof *b->times, by_value);
    double median = n % 2 ? b->times[n / 2] : 0.5 * (b->times[n / 2 - 1] + b->times[n / 2]);
    double train = o->mode == GT_BENCHMARK_TRAIN ? 3.0 : 1.0;
    double pixels = (double)o->batch * out->output * out->output;
    out->ms_median = median * 1e3;
    out->ms_min = b->times[0] * 1e3;
    out->ms_q1 = b->times[n / 4] * 1e3;
    out->ms_q3 = b->times[(3 * n) / 4 < n ? (3 * n) / 4 : n - 1] * 1e3;
    out->gmacs = train * (double)gt_graph_macs(b->net.graph) * 1e-9;
    out->tflops = median > 0.0 ? 2e-3 * out->gmacs / median : 0.0;
    out->mpix_per_s = median > 0.0 ? pixels / median * 1e-6 : 0.0;
    gt_program_get_memory(b->program, &out->memory);
}

gt_status gt_benchmark_run(gt_benchmark_result *out, char **dump, gt_device *device,
                           const gt_model *model, const gt_benchmark_options *options)
{
    struct bench b = {0};
    gt_benchmark_result result = {0};
    gt_model_geometry geometry;
    gt_program_options po;
    double seconds = 0.0;
    gt_status status = GT_OK;
    if (options->batch < 1 || options->runs < 1 || options->warmup < 0) {
        return gt__fail(GT_EINVAL,
                        "benchmark: batch %d and runs %d must be 1 or more, warm-up %d 0 or more",
                        options->batch, options->runs, options->warmup);
    }
    gt_model_get_geometry(model, &geometry);
    gt_program_options_init(&po);
    po.deterministic = options->deterministic;
    result.output = options->output > 0 ? options->output : geometry.canonical;
    result.input = result.output + geometry.shrink;
    result.batch = options->batch;
    GT_TRY_OUT(gt_model_check_size(model, result.output));
    GT_TRY_OUT(gt__network_graph(&b.net, model, options->mode, result.batch, result.output));
    GT_TRY_OUT(gt_program_create(&b.program, device, b.net.graph, &po));
    /* The tensors are only read; the accessor is not const because trainers write through it. */
    GT_TRY_OUT(fill(&b, (gt_model *)(uintptr_t)model));
    GT_TRY_OUT(gt__alloc(&b.times, (size_t)options->runs, sizeof *b.times, "benchmark"));
    for (int32_t i = 0; i < options->warmup; i++) {
        GT_TRY_OUT(run_once(&seconds, &b));
    }
    for (int32_t i = 0; i < options->runs; i++) {
        GT_TRY_OUT(run_once(&b.times[i], &b));
    }
    summarise(&result, &b, options);
    if (dump) {
        GT_TRY_OUT(gt_program_dump(dump, b.program));
    }
    *out = result;
out:
    bench_free(&b);
    return status;
}
