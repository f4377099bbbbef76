/* OpenCL platforms and devices: list, describe, limits. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/ocl_internal.h"

#include <stdio.h>
#include <string.h>

enum { MAX_PLATFORMS = 16, PLATFORM_NOT_FOUND = -1001 };
enum { MAX_DIMENSIONS = 8 }; /* of work-groups: 3 on all devices known */

/* "OpenCL 1.2 ..." or later; drivers before that lack functions that this backend calls. */
static bool new_enough(cl_device_id id)
{
    char text[256] = "";
    int major = 0;
    int minor = 0;
    return clGetDeviceInfo(id, CL_DEVICE_VERSION, sizeof text - 1, text, NULL) == CL_SUCCESS &&
           sscanf(text, "OpenCL %3d.%3d", &major, &minor) == 2 &&
           (major > 1 || (major == 1 && minor >= 2));
}

/* Can kernels be built and run on it? */
static bool usable(cl_device_id id)
{
    cl_bool available = CL_FALSE;
    cl_bool compiler = CL_FALSE;
    cl_bool little = CL_FALSE;
    clGetDeviceInfo(id, CL_DEVICE_AVAILABLE, sizeof available, &available, NULL);
    clGetDeviceInfo(id, CL_DEVICE_COMPILER_AVAILABLE, sizeof compiler, &compiler, NULL);
    clGetDeviceInfo(id, CL_DEVICE_ENDIAN_LITTLE, sizeof little, &little, NULL);
    return available && compiler && little && new_enough(id);
}

gt_status gt__ocl_find(struct gt_ocl_found *out, size_t *n)
{
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint n_platforms = 0;
    *n = 0;
    cl_int error = clGetPlatformIDs(MAX_PLATFORMS, platforms, &n_platforms);
    if (error == PLATFORM_NOT_FOUND) {
        return GT_OK;
    }
    GT_TRY(gt__ocl_status(error, NULL, "clGetPlatformIDs"));
    for (cl_uint p = 0; p < n_platforms && p < MAX_PLATFORMS; p++) {
        cl_device_id ids[GT_OCL_MAX_DEVICES];
        cl_uint n_ids = 0;
        error = clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, GT_OCL_MAX_DEVICES, ids, &n_ids);
        if (error == CL_DEVICE_NOT_FOUND) {
            continue;
        }
        GT_TRY(gt__ocl_status(error, NULL, "clGetDeviceIDs"));
        for (cl_uint i = 0; i < n_ids && i < GT_OCL_MAX_DEVICES && *n < GT_OCL_MAX_DEVICES; i++) {
            if (usable(ids[i])) {
                out[(*n)++] = (struct gt_ocl_found){platforms[p], ids[i], (int32_t)p, (int32_t)i};
            }
        }
    }
    return GT_OK;
}

static gt_status query(void *out, size_t size, cl_device_id id, cl_device_info what)
{
    return gt__ocl_status(clGetDeviceInfo(id, what, size, out, NULL), NULL, "clGetDeviceInfo");
}

/* A text property, cut to fit; leading blanks dropped. */
static gt_status device_text(char *out, size_t size, cl_device_id id, cl_device_info what)
{
    char text[1024] = "";
    GT_TRY(query(text, sizeof text - 1, id, what));
    const char *start = text + strspn(text, " ");
    snprintf(out, size, "%.*s", (int)size - 1, start);
    return GT_OK;
}

gt_status gt__ocl_describe(gt_device_info *out, const struct gt_ocl_found *found)
{
    cl_ulong memory = 0;
    cl_uint units = 0;
    cl_device_type type = 0;
    char platform[64] = "";
    char version[48] = "";
    gt_device_info info = {.platform = found->platform_index, .device = found->device_index};
    cl_device_id id = found->device;
    GT_TRY(device_text(info.name, sizeof info.name, id, CL_DEVICE_NAME));
    GT_TRY(device_text(info.driver, sizeof info.driver, id, CL_DRIVER_VERSION));
    GT_TRY(device_text(version, sizeof version, id, CL_DEVICE_VERSION));
    GT_TRY(query(&memory, sizeof memory, id, CL_DEVICE_GLOBAL_MEM_SIZE));
    GT_TRY(query(&units, sizeof units, id, CL_DEVICE_MAX_COMPUTE_UNITS));
    GT_TRY(query(&type, sizeof type, id, CL_DEVICE_TYPE));
    char long_name[256] = "";
    cl_int error =
        clGetPlatformInfo(found->platform, CL_PLATFORM_NAME, sizeof long_name - 1, long_name, NULL);
    GT_TRY(gt__ocl_status(error, NULL, "clGetPlatformInfo"));
    snprintf(platform, sizeof platform, "%.*s", (int)sizeof platform - 1, long_name);
    snprintf(info.backend, sizeof info.backend, "ocl");
    snprintf(info.detail, sizeof info.detail, "%s, %s", platform, version);
    info.memory_bytes = memory;
    info.compute_units = (int32_t)units;
    info.gpu = type & CL_DEVICE_TYPE_GPU ? 1 : type & CL_DEVICE_TYPE_ACCELERATOR ? 2 : 0;
    *out = info;
    return GT_OK;
}

/* Floating point lanes of a compute unit, for the estimate of the peak. */
static double lanes(cl_device_id id, bool cpu)
{
    enum { NVIDIA = 0x10de, AMD = 0x1002, INTEL = 0x8086 };
    cl_uint vendor = 0;
    clGetDeviceInfo(id, CL_DEVICE_VENDOR_ID, sizeof vendor, &vendor, NULL);
    if (cpu) {
        return 8;
    }
    return vendor == NVIDIA ? 128 : vendor == INTEL ? 8 : 64;
}

gt_status gt__ocl_limits(struct gt_ocl_device *d)
{
    cl_device_type type = 0;
    cl_ulong local = 0;
    cl_ulong most = 0;
    cl_uint clock = 0;
    size_t items[MAX_DIMENSIONS] = {0};
    GT_TRY(query(&type, sizeof type, d->id, CL_DEVICE_TYPE));
    GT_TRY(query(&local, sizeof local, d->id, CL_DEVICE_LOCAL_MEM_SIZE));
    GT_TRY(query(&d->max_group, sizeof d->max_group, d->id, CL_DEVICE_MAX_WORK_GROUP_SIZE));
    GT_TRY(query(items, sizeof items, d->id, CL_DEVICE_MAX_WORK_ITEM_SIZES));
    GT_TRY(query(&clock, sizeof clock, d->id, CL_DEVICE_MAX_CLOCK_FREQUENCY));
    GT_TRY(query(&most, sizeof most, d->id, CL_DEVICE_MAX_MEM_ALLOC_SIZE));
    d->base.max_buffer = most < SIZE_MAX ? (size_t)most : 0;
    d->cpu = (type & CL_DEVICE_TYPE_CPU) != 0;
    d->local_bytes = (size_t)local;
    d->max_group = items[0] > 0 && items[0] < d->max_group ? items[0] : d->max_group;
    d->max_across = items[1] > 0 ? items[1] : 1;
    d->units = d->base.info.compute_units > 0 ? d->base.info.compute_units : 1;
    double hertz = (clock > 0 ? clock : 1000) * 1e6;
    d->flops = 2.0 * d->units * lanes(d->id, d->cpu) * hertz;
    d->bandwidth = d->cpu ? 20e9 : d->flops / 16;
    return GT_OK;
}
