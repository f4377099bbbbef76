/* The CPU as a device: threads, buffers in host memory, steps run in order.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* madvise */
#endif
#include "backend_cpu/cpu.h"

#include <assert.h>
#include <cblas.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif
#include <time.h>
#include <unistd.h>

#define GT_KERNEL(name) extern const struct gt_kernel gt__##name;
#include "backend_cpu/kernels.def"
#undef GT_KERNEL

static const struct gt_kernel *const kernels[] = {
#define GT_KERNEL(name) &gt__##name,
#include "backend_cpu/kernels.def"
#undef GT_KERNEL
    NULL};

extern const struct gt_backend gt__backend_cpu;

/* OpenBLAS has one number of threads per process: 1 while any CPU device is open, because our own
 * threads call it. */
static pthread_mutex_t blas_lock = PTHREAD_MUTEX_INITIALIZER;
static int blas_users, blas_threads;

static void blas_acquire(void)
{
    pthread_mutex_lock(&blas_lock);
    if (blas_users++ == 0) {
        blas_threads = openblas_get_num_threads();
        openblas_set_num_threads(1);
    }
    pthread_mutex_unlock(&blas_lock);
}

static void blas_release(void)
{
    pthread_mutex_lock(&blas_lock);
    if (--blas_users == 0) {
        openblas_set_num_threads(blas_threads);
    }
    pthread_mutex_unlock(&blas_lock);
}

static gt_status cpu_devices(size_t *n_out)
{
    *n_out = 1;
    return GT_OK;
}

static gt_status cpu_describe(gt_device_info *out, size_t index)
{
    assert(index == 0);
    (void)index;
    *out = (gt_device_info){.compute_units = gt__processors(), .platform = -1, .device = -1};
    char brand[64] = "";
    gt__cpuid_brand(brand, sizeof brand);
    snprintf(out->name, sizeof out->name, "CPU (%s)", brand);
    snprintf(out->backend, sizeof out->backend, "cpu");
    uint32_t isa = gt__cpuid_isa();
    snprintf(out->detail, sizeof out->detail, "%s%s%s%s", isa & GT_ISA_AVX2 ? "AVX2, " : "",
             isa & GT_ISA_AVX512 ? "AVX-512, " : "",
             isa & GT_ISA_AVX512_BF16 ? "AVX512-BF16, " : "", "OpenBLAS");
    out->bf16 = (isa & GT_ISA_AVX512_BF16) != 0;
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0) {
        out->memory_bytes = (uint64_t)pages * (uint64_t)page;
    }
    return GT_OK;
}

#define HUGE_PAGE ((size_t)2 << 20)

/* Ask for huge pages: kernels walk through many planes at once, more than the processor remembers
 * translations of small pages for. A wish only, so failure means nothing. */
static void prefer_huge_pages(void *memory, size_t size)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    size_t skip = (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
    if (size >= skip + HUGE_PAGE) {
        (void)madvise((char *)memory + skip, (size - skip) / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    }
#else
    (void)memory;
    (void)size;
#endif
}

/* One more than there are threads, so that their memory can begin where a page does. */
static gt_status alloc_thread_scratch(struct gt_cpu_device *cpu)
{
    size_t count = (size_t)cpu->base.threads + 1;
    GT_TRY(gt__alloc_raw(&cpu->scratch_memory, count, GT_CPU_SCRATCH, "memory of threads"));
    size_t skip = (HUGE_PAGE - (uintptr_t)cpu->scratch_memory % HUGE_PAGE) % HUGE_PAGE;
    cpu->scratch = cpu->scratch_memory + skip;
    prefer_huge_pages(cpu->scratch, (size_t)cpu->base.threads * GT_CPU_SCRATCH);
    return GT_OK;
}

static gt_status cpu_open(struct gt_device **out, size_t index, const gt_device_options *options)
{
    struct gt_cpu_device *cpu = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc(&cpu, 1, sizeof *cpu, "device"));
    GT_TRY_OUT(cpu_describe(&cpu->base.info, index));
    cpu->base.backend = &gt__backend_cpu;
    cpu->base.options = *options;
    cpu->base.threads = options->threads > 0 ? options->threads : gt__processors();
    cpu->isa = gt__cpuid_isa() & options->isa;
    cpu->base.info.bf16 = gt__cpu_has(&cpu->base, GT_ISA_AVX512 | GT_ISA_AVX512_BF16);
    GT_TRY_OUT(alloc_thread_scratch(cpu));
    GT_TRY_OUT(gt__pool_create(&cpu->pool, cpu->base.threads));
    blas_acquire();
    *out = &cpu->base;
    cpu = NULL;
out:
    if (cpu) {
        gt__free(cpu->scratch_memory);
    }
    gt__free(cpu);
    return status;
}

static void cpu_close(struct gt_device *device)
{
    gt__pool_free(gt__cpu_pool(device));
    gt__free(gt__cpu(device)->scratch_memory);
    gt__free(device);
    blas_release();
}

static gt_status cpu_alloc(struct gt_buffer **out, struct gt_device *device, size_t size)
{
    struct gt_buffer *buffer = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc(&buffer, 1, sizeof *buffer, "buffer"));
    GT_TRY_OUT(gt__alloc_raw(&buffer->host, size, 1, "device memory"));
    prefer_huge_pages(buffer->host, size);
    buffer->device = device;
    buffer->size = size;
    *out = buffer;
    buffer = NULL;
out:
    gt__free(buffer);
    return status;
}

static void cpu_free(struct gt_buffer *buffer)
{
    if (buffer) {
        gt__free(buffer->host);
        gt__free(buffer);
    }
}

static gt_status cpu_write(struct gt_device *device, struct gt_buffer *buffer, size_t offset,
                           const void *src, size_t size)
{
    (void)device;
    assert(offset <= buffer->size && size <= buffer->size - offset);
    memcpy((char *)buffer->host + offset, src, size);
    return GT_OK;
}

static gt_status cpu_read(struct gt_device *device, struct gt_buffer *buffer, size_t offset,
                          void *dst, size_t size)
{
    (void)device;
    assert(offset <= buffer->size && size <= buffer->size - offset);
    memcpy(dst, (const char *)buffer->host + offset, size);
    return GT_OK;
}

static gt_status cpu_clear(struct gt_device *device, struct gt_buffer *buffer, size_t offset,
                           size_t size)
{
    (void)device;
    assert(offset <= buffer->size && size <= buffer->size - offset);
    memset((char *)buffer->host + offset, 0, size);
    return GT_OK;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static gt_status cpu_submit(struct gt_device *device, struct gt_step *steps, size_t n_steps)
{
    double start = now();
    for (size_t i = 0; i < n_steps; i++) {
        GT_TRY(steps[i].kernel->run(device, &steps[i]));
        double end = now();
        steps[i].seconds = end - start;
        start = end;
    }
    return GT_OK;
}

/* Work is done when submit returns: a fence is nothing. */
static gt_status cpu_fence(struct gt_fence **out, struct gt_device *device)
{
    (void)device;
    *out = NULL;
    return GT_OK;
}

static gt_status cpu_wait(struct gt_fence *fence)
{
    (void)fence;
    return GT_OK;
}

const struct gt_backend gt__backend_cpu = {
    .name = "cpu",
    .devices = cpu_devices,
    .describe = cpu_describe,
    .open = cpu_open,
    .close = cpu_close,
    .alloc = cpu_alloc,
    .free = cpu_free,
    .write = cpu_write,
    .read = cpu_read,
    .clear = cpu_clear,
    .submit = cpu_submit,
    .fence = cpu_fence,
    .wait = cpu_wait,
    .kernels = kernels,
};
