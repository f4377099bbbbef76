/* A layer between the ICD loader and the drivers (environment OPENCL_LAYERS) that makes every
 * device a smaller or an older one: it gives other answers, and refuses what goes beyond them.
 *   GT_OCL_VERSION=TEXT  CL_DEVICE_VERSION
 *   GT_OCL_GROUP=N       work-items of a work-group
 *   GT_OCL_ACROSS=N      of them in dimensions 1 and 2
 *   GT_OCL_LOCAL=N       bytes of local memory
 * SPDX-License-Identifier: BSD-2-Clause */
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl_layer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static struct _cl_icd_dispatch next, mine;
static const char *version;
static size_t group, across, local_bytes; /* 0: the device's own */

static cl_int CL_API_CALL my_clGetDeviceInfo(cl_device_id id, cl_device_info what, size_t size,
                                             void *value, size_t *needed)
{
    if (what == CL_DEVICE_VERSION && version) {
        size_t bytes = strlen(version) + 1;
        if (value && size < bytes) {
            return CL_INVALID_VALUE;
        }
        if (value) {
            memcpy(value, version, bytes);
        }
        if (needed) {
            *needed = bytes;
        }
        return CL_SUCCESS;
    }
    cl_int error = next.clGetDeviceInfo(id, what, size, value, needed);
    if (error || !value) {
        return error;
    }
    if (what == CL_DEVICE_MAX_WORK_GROUP_SIZE && group) {
        memcpy(value, &group, sizeof group);
    }
    if (what == CL_DEVICE_MAX_WORK_ITEM_SIZES && across) {
        size_t items[3];
        memcpy(items, value, sizeof items);
        items[1] = items[2] = across;
        memcpy(value, items, sizeof items);
    }
    if (what == CL_DEVICE_LOCAL_MEM_SIZE && local_bytes) {
        cl_ulong bytes = local_bytes;
        memcpy(value, &bytes, sizeof bytes);
    }
    return CL_SUCCESS;
}

/* Local memory of a kernel on the device of a queue. */
static cl_ulong local_of(cl_command_queue queue, cl_kernel kernel)
{
    cl_device_id id = NULL;
    cl_ulong bytes = 0;
    next.clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof id, &id, NULL);
    next.clGetKernelWorkGroupInfo(kernel, id, CL_KERNEL_LOCAL_MEM_SIZE, sizeof bytes, &bytes, NULL);
    return bytes;
}

static cl_int CL_API_CALL my_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel,
                                                    cl_uint dimensions, const size_t *offset,
                                                    const size_t *global, const size_t *local,
                                                    cl_uint n, const cl_event *events,
                                                    cl_event *event)
{
    size_t items = 1;
    for (cl_uint i = 0; local && i < dimensions; i++) {
        items *= local[i];
        if (i > 0 && across && local[i] > across) {
            return CL_INVALID_WORK_ITEM_SIZE;
        }
    }
    if (group && items > group) {
        return CL_INVALID_WORK_GROUP_SIZE;
    }
    if (local_bytes && local_of(queue, kernel) > local_bytes) {
        return CL_OUT_OF_RESOURCES;
    }
    return next.clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, n, events,
                                       event);
}

static size_t number(const char *name)
{
    const char *text = getenv(name);
    return text ? (size_t)strtoul(text, NULL, 10) : 0;
}

EXPORT CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void *value,
                                                      size_t *needed)
{
    static const cl_layer_api_version api = CL_LAYER_API_VERSION_100;
    static const char name[] = "smaller device";
    const void *from = what == CL_LAYER_API_VERSION ? (const void *)&api : name;
    size_t bytes = what == CL_LAYER_API_VERSION ? sizeof api : sizeof name;
    if ((what != CL_LAYER_API_VERSION && what != CL_LAYER_NAME) || (value && size < bytes)) {
        return CL_INVALID_VALUE;
    }
    if (value) {
        memcpy(value, from, bytes);
    }
    if (needed) {
        *needed = bytes;
    }
    return CL_SUCCESS;
}

EXPORT CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint n, const cl_icd_dispatch *target,
                                                   cl_uint *n_mine, const cl_icd_dispatch **out)
{
    size_t entries = n < sizeof next / sizeof(void *) ? n : sizeof next / sizeof(void *);
    if (!target || !n_mine || !out) {
        return CL_INVALID_VALUE;
    }
    memcpy(&next, target, entries * sizeof(void *));
    memcpy(&mine, &next, sizeof mine);
    mine.clGetDeviceInfo = my_clGetDeviceInfo;
    mine.clEnqueueNDRangeKernel = my_clEnqueueNDRangeKernel;
    version = getenv("GT_OCL_VERSION");
    group = number("GT_OCL_GROUP");
    across = number("GT_OCL_ACROSS");
    local_bytes = number("GT_OCL_LOCAL");
    *n_mine = (cl_uint)(sizeof mine / sizeof(void *));
    *out = &mine;
    return CL_SUCCESS;
}
