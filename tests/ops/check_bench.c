/* Times kernels on the cases flagged `bench`: median and quartiles, rates, share of the peaks
 * measured in the same run, ratio to the reference. SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bounds the whole: about 200 lines. References that the planner expects to last longer are left
 * out. */
static const double seconds_per_case = 0.2;
static const double longest_reference = 4;
enum { MAX_RUNS = 200, MIN_RUNS = 3 };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- one kernel on one case ---- */

struct timing {
    double median, q1, q3;
    double bytes; /* of the tensors, read or written once */
    size_t runs;
};

static double node_bytes(const struct check_bound_job *b)
{
    double sum = 0;
    for (int32_t i = 0; i < GT_MAX_IN; i++) {
        sum += (double)b->step.in[i].size;
    }
    for (int32_t o = 0; o < GT_MAX_OUT; o++) {
        sum += (double)b->step.out[o].size;
    }
    return sum;
}

/* Seconds of one of n runs, all submitted before the first wait. */
static gt_status time_runs(double *out, struct check_bound_job *b, const struct check_job *job,
                           size_t n)
{
    const struct gt_backend *backend = job->device->backend;
    struct gt_fence *fence = NULL;
    double start = check_now();
    for (size_t i = 0; i < n; i++) {
        GT_TRY(backend->submit(job->device, &b->step, 1));
    }
    GT_TRY(backend->fence(&fence, job->device));
    GT_TRY(backend->wait(fence));
    *out = (check_now() - start) / (double)n;
    return GT_OK;
}

/* Runs that make a sample. A device that works on its own is waited for after many, or the wait
 * would count; the first run compiles there. */
static gt_status sample_size(size_t *out, struct check_bound_job *b, const struct check_job *job)
{
    static const double enough = 2e-3;
    double seconds = 0;
    *out = 1;
    if (job->where->cpu) {
        return GT_OK;
    }
    GT_TRY(time_runs(&seconds, b, job, 1));
    GT_TRY(time_runs(&seconds, b, job, 1));
    *out = seconds < enough ? (size_t)(enough / seconds) + 1 : 1;
    *out = *out > 100 ? 100 : *out;
    return GT_OK;
}

static gt_status time_job(struct timing *out, const struct check_job *job)
{
    struct check_bound_job b = {0};
    double seconds[MAX_RUNS];
    size_t n = 0;
    size_t each = 1;
    gt_status status = GT_OK;
    GT_TRY_OUT(check_bind(&b, job));
    GT_TRY_OUT(sample_size(&each, &b, job));
    GT_TRY_OUT(time_runs(&seconds[0], &b, job, 1));
    /* A run of the reference may last seconds: then the first one counts. */
    b.step.pack = false;
    bool slow = seconds[0] > 2 * seconds_per_case;
    n = slow ? 1 : 0;
    double start = check_now();
    while (!slow && n < MAX_RUNS && (n < MIN_RUNS || check_now() - start < seconds_per_case)) {
        GT_TRY_OUT(time_runs(&seconds[n], &b, job, each));
        n++;
    }
    qsort(seconds, n, sizeof *seconds, by_size);
    *out =
        (struct timing){seconds[n / 2], seconds[n / 4], seconds[n - 1 - n / 4], node_bytes(&b), n};
out:
    check_unbind(&b, job);
    return status;
}

static const struct gt_kernel *reference_of(const struct gt_backend *backend, enum gt_op op)
{
    for (size_t k = 0; backend->kernels[k]; k++) {
        const char *end = strrchr(backend->kernels[k]->name, '_');
        if (backend->kernels[k]->op == op && end && strcmp(end, "_ref") == 0) {
            return backend->kernels[k];
        }
    }
    return NULL;
}

struct report {
    const struct check_options *options;
    struct check_ceiling ceiling;
    double reference; /* seconds of the reference on this case, 0: unknown */
    size_t lines;
};

static void print_line(struct report *r, const struct check_job *job, const struct timing *t)
{
    const struct gt_node *node = check_tested(job->c);
    double flops = gt__ops[node->op]->flops(job->c->graph, node) / t->median;
    double bytes = t->bytes / t->median;
    gt_layout in = job->layouts->in[0];
    gt_layout out = job->layouts->out[0];
    if (r->options->json) {
        printf("%s\n    {\"device\": \"%s\", \"threads\": %d, \"kernel\": \"%s\", \"variant\": %u, "
               "\"case\": \"%s\", \"block_in\": %d, \"phase_in\": %d, \"block_out\": %d, "
               "\"phase_out\": %d, \"ms_median\": %.6f, \"ms_q1\": %.6f, \"ms_q3\": %.6f, "
               "\"runs\": %zu, \"gflops\": %.4f, \"gbytes\": %.4f, \"peak_share\": %.4f, "
               "\"triad_share\": %.4f, \"times_reference\": %.3f}",
               r->lines ? "," : "", job->where->name, job->device->threads, job->kernel->name,
               job->variant, job->c->name, in.block, in.phase, out.block, out.phase,
               1e3 * t->median, 1e3 * t->q1, 1e3 * t->q3, t->runs, 1e-9 * flops, 1e-9 * bytes,
               r->ceiling.flops > 0 ? flops / r->ceiling.flops : 0,
               r->ceiling.bytes > 0 ? bytes / r->ceiling.bytes : 0, r->reference / t->median);
    } else {
        printf("%-34s %u b%d>%d p%d>%d %10.3f %10.3f %10.3f %9.2f %8.2f %6.1f %6.1f %8.2f  %s\n",
               job->kernel->name, job->variant, in.block, out.block, in.phase, out.phase,
               1e3 * t->median, 1e3 * t->q1, 1e3 * t->q3, 1e-9 * flops, 1e-9 * bytes,
               r->ceiling.flops > 0 ? 100 * flops / r->ceiling.flops : 0,
               r->ceiling.bytes > 0 ? 100 * bytes / r->ceiling.bytes : 0, r->reference / t->median,
               job->c->name);
    }
    fflush(stdout);
    r->lines++;
}

static gt_status bench_kernel(struct report *r, struct check_job *job)
{
    struct check_layouts layouts[CHECK_MAX_LAYOUTS];
    for (unsigned v = 0; v < job->kernel->n_variants; v++) {
        size_t n = check_layouts(layouts, job->device, job->kernel, job->c, v);
        /* Kernels for any layout: the first (NCHW) tells enough on the CPU; elsewhere channels
         * last is what networks use. */
        for (size_t k = 0; k < n; k++) {
            struct timing t;
            gt_layout in = layouts[k].in[0];
            gt_layout to = layouts[k].out[0];
            bool last = in.block == GT_BLOCK_ALL || to.block == GT_BLOCK_ALL;
            bool plain = in.block != GT_BLOCK && to.block != GT_BLOCK && in.phase * to.phase == 1;
            if (k > 0 && (job->where->cpu || !last || !plain)) {
                continue;
            }
            job->variant = v;
            job->layouts = &layouts[k];
            GT_TRY(time_job(&t, job));
            print_line(r, job, &t);
        }
    }
    return GT_OK;
}

static gt_status bench_case(struct report *r, const struct check_device *where,
                            struct check_case *c)
{
    const struct gt_backend *backend = where->open[0]->backend;
    const struct gt_kernel *reference = reference_of(backend, c->op);
    struct check_job job = {.where = where, .device = where->open[0], .c = c, .inplace = -1};
    struct check_layouts layouts[CHECK_MAX_LAYOUTS];
    /* Filled at random: the oracle would be too slow, and no value is compared. */
    check_case_fill(c);
    r->reference = 0;
    if (reference && check_layouts(layouts, job.device, reference, c, 0) > 0 &&
        layouts[0].plan.cost < longest_reference) {
        struct timing t;
        job.kernel = reference;
        job.layouts = layouts;
        GT_TRY(time_job(&t, &job));
        r->reference = t.median;
        if (!r->options->kernel || strcmp(r->options->kernel, reference->name) == 0) {
            print_line(r, &job, &t);
        }
    }
    for (size_t k = 0; backend->kernels[k]; k++) {
        job.kernel = backend->kernels[k];
        bool wanted = !r->options->kernel || strcmp(r->options->kernel, job.kernel->name) == 0;
        if (job.kernel->op == c->op && job.kernel != reference && wanted) {
            GT_TRY(bench_kernel(r, &job));
        }
    }
    return GT_OK;
}

static gt_status bench_device(struct check_context *ctx, struct report *r,
                              const struct check_device *where)
{
    r->ceiling = check_ceiling(where->open[0]);
    if (!ctx->options.json) {
        printf("%s (%s), %d threads: multiply-adds %.1f GFLOP/s, triad %.1f GB/s\n", where->name,
               where->open[0]->info.name, where->open[0]->threads, 1e-9 * r->ceiling.flops,
               1e-9 * r->ceiling.bytes);
        printf("%-34s v layouts %12s %10s %10s %9s %8s %6s %6s %8s  case\n", "kernel", "median ms",
               "quarter 1", "quarter 3", "GFLOP/s", "GB/s", "% fma", "% mem", "x ref");
    }
    for (size_t op = 0; op < GT_OP_COUNT; op++) {
        for (size_t i = 0; i < check_families[op]->count; i++) {
            struct check_case *c = check_get_case(ctx, (enum gt_op)op, i);
            bool one = !ctx->options.only_case || strtoull(ctx->options.only_case, NULL, 10) == i;
            if (c->bench && one) {
                GT_TRY(bench_case(r, where, c));
            }
        }
    }
    return GT_OK;
}

int check_bench(struct check_context *ctx)
{
    struct report r = {.options = &ctx->options};
    gt_status status = GT_OK;
    if (ctx->options.json) {
        printf("{\"kernels\": [");
    }
    for (size_t d = 0; d < ctx->n_devices && status == GT_OK; d++) {
        /* Masked instruction sets are for proofs. */
        if (d == 0 || !ctx->devices[d].cpu) {
            status = bench_device(ctx, &r, &ctx->devices[d]);
        }
    }
    if (ctx->options.json) {
        printf("\n  ],\n  \"fma_gflops\": %.2f, \"triad_gbytes\": %.2f\n}\n",
               1e-9 * r.ceiling.flops, 1e-9 * r.ceiling.bytes);
    }
    if (status != GT_OK) {
        fprintf(stderr, "%s\n", gt_error_message());
    }
    return status == GT_OK ? 0 : 1;
}
