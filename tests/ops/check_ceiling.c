/* What the machine can do at most: multiply-adds in registers, and the triad of STREAM.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend_cpu/cpu.h"
#ifdef GT_WITH_OCL
#include "backend_ocl/ocl.h"
#endif

double check_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Three arrays of 128 MiB: no cache holds them. */
enum { PEAK_CHUNKS = 64, TRIAD_COUNT = 1 << 25 };
static const size_t peak_rounds = 1 << 17;

struct peak_job {
    uint32_t isa;
    float result[PEAK_CHUNKS];
    float *x, *y, *z;
};

static void peak_chunk(void *cookie, size_t chunk, int32_t thread)
{
    struct peak_job *job = (struct peak_job *)cookie;
    (void)thread;
    if (job->isa & GT_ISA_AVX512) {
        job->result[chunk] = check_peak_avx512(peak_rounds);
    } else if (job->isa & GT_ISA_AVX2) {
        job->result[chunk] = check_peak_avx2(peak_rounds);
    } else {
        job->result[chunk] = check_peak_base(peak_rounds);
    }
}

static void triad_chunk(void *cookie, size_t chunk, int32_t thread)
{
    struct peak_job *job = (struct peak_job *)cookie;
    size_t n = TRIAD_COUNT / PEAK_CHUNKS;
    (void)thread;
    for (size_t i = chunk * n; i < (chunk + 1) * n; i++) {
        job->z[i] = job->x[i] + 3.0F * job->y[i];
    }
}

/* Best of twenty: what the machine can do, not what it did. */
static double best_seconds(struct gt_device *device, gt_pool_fn fn, struct peak_job *job)
{
    double best = 1e9;
    for (int i = 0; i < 20; i++) {
        double start = check_now();
        gt__pool_for(gt__cpu_pool(device), PEAK_CHUNKS, fn, job);
        double t = check_now() - start;
        best = t < best ? t : best;
    }
    return best;
}

/* Written, since all pages of fresh zeros are one page, which a cache holds. */
static float *ones(size_t n)
{
    float *x = (float *)check_calloc(n, sizeof(float));
    for (size_t i = 0; i < n; i++) {
        x[i] = 1;
    }
    return x;
}

struct check_ceiling check_ceiling(struct gt_device *device)
{
    struct check_ceiling out = {0, 0};
    if (strcmp(device->backend->name, "cpu") != 0) {
#ifdef GT_WITH_OCL
        /* Not measured: the backend's estimate. */
        out = (struct check_ceiling){gt__ocl(device)->flops, gt__ocl(device)->bandwidth};
#endif
        return out;
    }
    struct peak_job job = {.isa = gt__cpu(device)->isa};
    double width = job.isa & GT_ISA_AVX512 ? 16 : job.isa & GT_ISA_AVX2 ? 8 : 4;
    job.x = ones(TRIAD_COUNT);
    job.y = ones(TRIAD_COUNT);
    job.z = (float *)check_calloc(TRIAD_COUNT, sizeof(float));
    double t = best_seconds(device, peak_chunk, &job);
    out.flops = 2 * 16 * width * (double)peak_rounds * PEAK_CHUNKS / t;
    out.bytes = 3 * sizeof(float) * (double)TRIAD_COUNT / best_seconds(device, triad_chunk, &job);
    free(job.x);
    free(job.y);
    free(job.z);
    return out;
}

static gt_status print_peak(int32_t threads)
{
    struct gt_device *device = NULL;
    gt_device_options options;
    gt_device_options_init(&options);
    options.threads = threads;
    GT_TRY(gt_device_open(&device, "cpu", &options));
    struct check_ceiling c = check_ceiling(device);
    printf("%d %.1f %.1f\n", device->threads, 1e-9 * c.flops, 1e-9 * c.bytes);
    gt_device_free(device);
    return GT_OK;
}

int check_peak(int32_t threads)
{
    if (print_peak(threads) != GT_OK) {
        fprintf(stderr, "%s\n", gt_error_message());
        return 1;
    }
    return 0;
}
