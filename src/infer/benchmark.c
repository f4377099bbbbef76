/* Timings of whole networks. SPDX-License-Identifier: BSD-2-Clause */
#include "infer/bench_rig.h"

#include <stdlib.h>

void gt_benchmark_options_init(gt_benchmark_options *options)
{
    *options =
        (gt_benchmark_options){.mode = GT_BENCHMARK_PROCESS, .batch = 1, .warmup = 1, .runs = 5};
}

static gt_status run_once(double *seconds, struct gt_bench_rig *b)
{
    GT_TRY(gt__bench_write(b));
    double start = gt__bench_now();
    GT_TRY(gt_program_run(b->program));
    GT_TRY(gt_program_wait(b->program));
    *seconds = gt__bench_now() - start;
    return GT_OK;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void summarise(gt_benchmark_result *out, const struct gt_bench_rig *b, double *times,
                      const gt_benchmark_options *o)
{
    size_t n = (size_t)o->runs;
    qsort(times, n, sizeof *times, by_value);
    double median = n % 2 ? times[n / 2] : 0.5 * (times[n / 2 - 1] + times[n / 2]);
    double train = o->mode == GT_BENCHMARK_TRAIN ? 3.0 : 1.0;
    double pixels = (double)b->batch * b->output * b->output;
    out->input = b->input;
    out->output = b->output;
    out->batch = b->batch;
    out->ms_median = median * 1e3;
    out->ms_min = times[0] * 1e3;
    out->ms_q1 = times[n / 4] * 1e3;
    out->ms_q3 = times[(3 * n) / 4 < n ? (3 * n) / 4 : n - 1] * 1e3;
    out->gmacs = train * (double)gt_graph_macs(b->net.graph) * 1e-9;
    out->tflops = median > 0.0 ? 2e-3 * out->gmacs / median : 0.0;
    out->mpix_per_s = median > 0.0 ? pixels / median * 1e-6 : 0.0;
    gt_program_get_memory(b->program, &out->memory);
}

gt_status gt_benchmark_run(gt_benchmark_result *out, char **dump, gt_device *device,
                           const gt_model *model, const gt_benchmark_options *options)
{
    struct gt_bench_rig b = {0};
    gt_benchmark_result result = {0};
    double *times = NULL;
    double seconds = 0.0;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__bench_open(&b, device, model, options));
    GT_TRY_OUT(gt__alloc(&times, (size_t)options->runs, sizeof *times, "benchmark"));
    const int64_t all = (int64_t)options->warmup + options->runs;
    for (int64_t i = 0; i < all; i++) {
        bool timed = i >= options->warmup;
        GT_TRY_OUT(run_once(timed ? &times[i - options->warmup] : &seconds, &b));
        GT_TRY_OUT(gt__bench_report(options, i + 1, all));
    }
    summarise(&result, &b, times, options);
    if (dump) {
        GT_TRY_OUT(gt_program_dump(dump, b.program));
    }
    *out = result;
out:
    gt__free(times);
    gt__bench_close(&b);
    return status;
}
