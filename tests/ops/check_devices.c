/* The devices under test: the CPU with several numbers of threads and sets of instructions, every
 * other device once. SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend_cpu/cpu.h"

/* Several numbers of threads once only: a mask hides kernels, it does not change them. */
static gt_status open_cpu(struct check_device *d, const char *index, uint32_t isa, bool quick)
{
    static const int32_t threads[CHECK_THREADS] = {2, 3, 1, 8};
    size_t count = isa != GT_ISA_ALL ? 1 : quick ? 2 : CHECK_THREADS;
    for (size_t t = 0; t < count; t++) {
        gt_device_options options;
        gt_device_options_init(&options);
        options.threads = threads[t];
        options.isa = isa;
        GT_TRY(gt_device_open(&d->open[t], index, &options));
    }
    return GT_OK;
}

static bool wanted(const struct check_context *ctx, const char *name)
{
    return !ctx->options.device || strstr(name, ctx->options.device);
}

/* Once for each set of instructions that makes a difference. */
static gt_status open_masks(struct check_context *ctx, const char *index)
{
    static const struct {
        const char *name;
        uint32_t isa;
    } masks[] = {{"cpu", GT_ISA_ALL}, {"cpu AVX2", GT_ISA_AVX2}, {"cpu base", GT_ISA_BASE}};
    uint32_t last = UINT32_MAX;
    for (size_t m = 0; m < sizeof masks / sizeof masks[0]; m++) {
        uint32_t isa = gt__cpuid_isa() & masks[m].isa;
        if (isa == last || !wanted(ctx, masks[m].name)) {
            continue;
        }
        last = isa;
        struct check_device *d = &ctx->devices[ctx->n_devices++];
        d->cpu = true;
        snprintf(d->name, sizeof d->name, "%s", masks[m].name);
        GT_TRY(open_cpu(d, index, masks[m].isa, ctx->options.quick));
    }
    return GT_OK;
}

static gt_status open_other(struct check_context *ctx, const char *index,
                            const gt_device_info *info)
{
    char name[sizeof ctx->devices->name];
    snprintf(name, sizeof name, "%s %.60s", info->backend, info->name);
    if (!wanted(ctx, name)) {
        return GT_OK;
    }
    struct check_device *d = &ctx->devices[ctx->n_devices++];
    memcpy(d->name, name, sizeof name);
    return gt_device_open(&d->open[0], index, NULL);
}

/* Tests of OpenCL kernels that silently test nothing would be worse than none. */
static gt_status require_ocl(size_t found)
{
#ifdef GT_WITH_OCL
    const char *require = getenv("GT_REQUIRE_OCL");
    if (found == 0 && require && strcmp(require, "1") == 0) {
        return gt__fail(GT_EDEVICE, "no OpenCL device to test on: install pocl-opencl-icd, or set "
                                    "GT_REQUIRE_OCL=0 to test without");
    }
#endif
    (void)found;
    return GT_OK;
}

gt_status check_open_devices(struct check_context *ctx)
{
    size_t count = 0;
    size_t ocl = 0;
    GT_TRY(gt_device_count(&count));
    ctx->devices = (struct check_device *)check_calloc(count + 2, sizeof *ctx->devices);
    for (size_t i = 0; i < count; i++) {
        gt_device_info info;
        char index[24];
        GT_TRY(gt_device_list(&info, i));
        snprintf(index, sizeof index, "%zu", i);
        ocl += strcmp(info.backend, "ocl") == 0;
        if (strcmp(info.backend, "cpu") == 0) {
            GT_TRY(open_masks(ctx, index));
        } else {
            GT_TRY(open_other(ctx, index, &info));
        }
    }
    GT_TRY(require_ocl(ocl));
    return ctx->n_devices > 0 ? GT_OK
                              : gt__fail(GT_EDEVICE, "no device \"%s\"", ctx->options.device);
}

void check_close_devices(struct check_context *ctx)
{
    for (size_t d = 0; d < ctx->n_devices; d++) {
        for (size_t t = 0; t < CHECK_THREADS; t++) {
            gt_device_free(ctx->devices[d].open[t]);
        }
    }
    free(ctx->devices);
}
