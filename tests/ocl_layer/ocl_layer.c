/* A layer between the ICD loader and the drivers (environment OPENCL_LAYERS) that makes calls fail
 * and counts the objects alive. A program steers it through the symbol gt_ocl_layer; one that does
 * not know it is steered by the environment:
 *   GT_OCL_FAIL=N       call N fails
 *   GT_OCL_FAIL_FROM=N  call N and all later ones fail
 *   GT_OCL_REPORT=FILE  written at the end: "calls 123", "failed 1", "live 0", one a line
 * Releases and retains do not fail: nobody could do anything about it. A wait that is made to fail
 * waits all the same, as a device does that reports its error at the end.
 * SPDX-License-Identifier: BSD-2-Clause */
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl_layer.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ocl_layer.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT extern struct ocl_layer gt_ocl_layer;
struct ocl_layer gt_ocl_layer;
static struct _cl_icd_dispatch next, mine;
static const char *report;

/* Shall this call fail? */
static bool fails(const char *name)
{
    struct ocl_layer *l = &gt_ocl_layer;
    long n = atomic_fetch_add(&l->calls, 1) + 1;
    long at = atomic_load(&l->fail_at);
    long from = atomic_load(&l->fail_from);
    if (n <= OCL_LAYER_TRACE) {
        l->trace[n - 1] = name;
    }
    if (n != at && (from == 0 || n < from)) {
        return false;
    }
    if (atomic_fetch_add(&l->failed, 1) == 0) {
        snprintf(l->name, sizeof l->name, "%s", name);
    }
    return true;
}

static void count(enum ocl_layer_kind kind, long change)
{
    atomic_fetch_add(&gt_ocl_layer.live[kind], change);
}

/* A call with a code and nothing to count. */
#define CALL(name, code, parameters, arguments)                                                    \
    static cl_int CL_API_CALL my_##name parameters                                                 \
    {                                                                                              \
        return fails(#name) ? (code) : next.name arguments;                                        \
    }
/* A wait. */
#define WAIT(name, code, parameters, arguments)                                                    \
    static cl_int CL_API_CALL my_##name parameters                                                 \
    {                                                                                              \
        bool fail = fails(#name);                                                                  \
        cl_int result = next.name arguments;                                                       \
        return fail ? (code) : result;                                                             \
    }
/* A call whose last argument receives an event. */
#define ENQUEUE(name, code, parameters, arguments)                                                 \
    static cl_int CL_API_CALL my_##name parameters                                                 \
    {                                                                                              \
        if (fails(#name)) {                                                                        \
            return (code);                                                                         \
        }                                                                                          \
        cl_int result = next.name arguments;                                                       \
        count(OCL_EVENT, result == CL_SUCCESS && event != NULL);                                   \
        return result;                                                                             \
    }
/* A call that returns an object and sets *error. */
#define CREATE(name, type, kind, code, parameters, arguments)                                      \
    static type CL_API_CALL my_##name parameters                                                   \
    {                                                                                              \
        if (fails(#name)) {                                                                        \
            if (error) {                                                                           \
                *error = (code);                                                                   \
            }                                                                                      \
            return NULL;                                                                           \
        }                                                                                          \
        type result = next.name arguments;                                                         \
        count(kind, result != NULL);                                                               \
        return result;                                                                             \
    }
#define COUNT(name, type, kind, change)                                                            \
    static cl_int CL_API_CALL my_##name(type object)                                               \
    {                                                                                              \
        cl_int result = next.name(object);                                                         \
        count(kind, result == CL_SUCCESS ? (change) : 0);                                          \
        return result;                                                                             \
    }

#define QUERY(name, type)                                                                          \
    CALL(name, CL_OUT_OF_HOST_MEMORY,                                                              \
         (type object, cl_uint what, size_t size, void *value, size_t *needed),                    \
         (object, what, size, value, needed))
#define QUERY_OF(name, type)                                                                       \
    CALL(name, CL_OUT_OF_HOST_MEMORY,                                                              \
         (type object, cl_device_id device, cl_uint what, size_t size, void *value,                \
          size_t *needed),                                                                         \
         (object, device, what, size, value, needed))
#define EVENTS cl_uint n, const cl_event *events, cl_event *event

CALL(clGetPlatformIDs, CL_OUT_OF_HOST_MEMORY, (cl_uint n, cl_platform_id *out, cl_uint *found),
     (n, out, found))
CALL(clGetDeviceIDs, CL_OUT_OF_RESOURCES,
     (cl_platform_id platform, cl_device_type type, cl_uint n, cl_device_id *out, cl_uint *found),
     (platform, type, n, out, found))
QUERY(clGetPlatformInfo, cl_platform_id)
QUERY(clGetDeviceInfo, cl_device_id)
QUERY(clGetContextInfo, cl_context)
QUERY(clGetCommandQueueInfo, cl_command_queue)
QUERY(clGetMemObjectInfo, cl_mem)
QUERY(clGetProgramInfo, cl_program)
QUERY(clGetKernelInfo, cl_kernel)
QUERY(clGetEventInfo, cl_event)
QUERY(clGetEventProfilingInfo, cl_event)
QUERY_OF(clGetProgramBuildInfo, cl_program)
QUERY_OF(clGetKernelWorkGroupInfo, cl_kernel)

typedef void(CL_CALLBACK *on_error)(const char *, const void *, size_t, void *);
typedef void(CL_CALLBACK *on_build)(cl_program, void *);

CREATE(clCreateContext, cl_context, OCL_CONTEXT, CL_OUT_OF_HOST_MEMORY,
       (const cl_context_properties *properties, cl_uint n, const cl_device_id *devices,
        on_error notify, void *cookie, cl_int *error),
       (properties, n, devices, notify, cookie, error))
CREATE(clCreateContextFromType, cl_context, OCL_CONTEXT, CL_OUT_OF_HOST_MEMORY,
       (const cl_context_properties *properties, cl_device_type type, on_error notify, void *cookie,
        cl_int *error),
       (properties, type, notify, cookie, error))
CREATE(clCreateCommandQueue, cl_command_queue, OCL_QUEUE, CL_OUT_OF_RESOURCES,
       (cl_context context, cl_device_id device, cl_command_queue_properties properties,
        cl_int *error),
       (context, device, properties, error))
CREATE(clCreateCommandQueueWithProperties, cl_command_queue, OCL_QUEUE, CL_OUT_OF_RESOURCES,
       (cl_context context, cl_device_id device, const cl_queue_properties *properties,
        cl_int *error),
       (context, device, properties, error))
CREATE(clCreateBuffer, cl_mem, OCL_MEMORY, CL_MEM_OBJECT_ALLOCATION_FAILURE,
       (cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *error),
       (context, flags, size, host, error))
CREATE(clCreateSubBuffer, cl_mem, OCL_MEMORY, CL_MEM_OBJECT_ALLOCATION_FAILURE,
       (cl_mem buffer, cl_mem_flags flags, cl_buffer_create_type type, const void *region,
        cl_int *error),
       (buffer, flags, type, region, error))
CREATE(clCreateKernel, cl_kernel, OCL_KERNEL, CL_OUT_OF_HOST_MEMORY,
       (cl_program program, const char *name, cl_int *error), (program, name, error))

static cl_program CL_API_CALL my_clCreateProgramWithSource(cl_context context, cl_uint n,
                                                           const char **texts,
                                                           const size_t *lengths, cl_int *error)
{
    if (fails("clCreateProgramWithSource")) {
        if (error) {
            *error = CL_OUT_OF_HOST_MEMORY;
        }
        return NULL;
    }
    cl_program result = next.clCreateProgramWithSource(context, n, texts, lengths, error);
    count(OCL_PROGRAM, result != NULL);
    atomic_fetch_add(&gt_ocl_layer.builds, result != NULL);
    return result;
}

static cl_program CL_API_CALL my_clCreateProgramWithBinary(cl_context context, cl_uint n,
                                                           const cl_device_id *devices,
                                                           const size_t *sizes,
                                                           const unsigned char **binaries,
                                                           cl_int *states, cl_int *error)
{
    if (fails("clCreateProgramWithBinary")) {
        if (error) {
            *error = CL_INVALID_BINARY;
        }
        return NULL;
    }
    cl_program result =
        next.clCreateProgramWithBinary(context, n, devices, sizes, binaries, states, error);
    count(OCL_PROGRAM, result != NULL);
    atomic_fetch_add(&gt_ocl_layer.loads, result != NULL);
    return result;
}

CALL(clBuildProgram, CL_BUILD_PROGRAM_FAILURE,
     (cl_program program, cl_uint n, const cl_device_id *devices, const char *options,
      on_build notify, void *cookie),
     (program, n, devices, options, notify, cookie))
CALL(clSetKernelArg, CL_OUT_OF_RESOURCES,
     (cl_kernel kernel, cl_uint index, size_t size, const void *value),
     (kernel, index, size, value))
CALL(clFlush, CL_OUT_OF_RESOURCES, (cl_command_queue queue), (queue))
WAIT(clFinish, CL_OUT_OF_RESOURCES, (cl_command_queue queue), (queue))
WAIT(clWaitForEvents, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST,
     (cl_uint n, const cl_event *events), (n, events))

ENQUEUE(clEnqueueReadBuffer, CL_OUT_OF_RESOURCES,
        (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
         void *to, EVENTS),
        (queue, buffer, blocking, offset, size, to, n, events, event))
ENQUEUE(clEnqueueWriteBuffer, CL_OUT_OF_RESOURCES,
        (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
         const void *from, EVENTS),
        (queue, buffer, blocking, offset, size, from, n, events, event))
ENQUEUE(clEnqueueCopyBuffer, CL_OUT_OF_RESOURCES,
        (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_at, size_t to_at, size_t size,
         EVENTS),
        (queue, from, to, from_at, to_at, size, n, events, event))
ENQUEUE(clEnqueueFillBuffer, CL_MEM_OBJECT_ALLOCATION_FAILURE,
        (cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size,
         size_t offset, size_t size, EVENTS),
        (queue, buffer, pattern, pattern_size, offset, size, n, events, event))
ENQUEUE(clEnqueueNDRangeKernel, CL_OUT_OF_RESOURCES,
        (cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
         const size_t *global, const size_t *local, EVENTS),
        (queue, kernel, dimensions, offset, global, local, n, events, event))
ENQUEUE(clEnqueueMarkerWithWaitList, CL_OUT_OF_RESOURCES, (cl_command_queue queue, EVENTS),
        (queue, n, events, event))
ENQUEUE(clEnqueueBarrierWithWaitList, CL_OUT_OF_RESOURCES, (cl_command_queue queue, EVENTS),
        (queue, n, events, event))
ENQUEUE(clEnqueueUnmapMemObject, CL_OUT_OF_RESOURCES,
        (cl_command_queue queue, cl_mem buffer, void *mapped, EVENTS),
        (queue, buffer, mapped, n, events, event))

static void *CL_API_CALL my_clEnqueueMapBuffer(cl_command_queue queue, cl_mem buffer,
                                               cl_bool blocking, cl_map_flags flags, size_t offset,
                                               size_t size, EVENTS, cl_int *error)
{
    if (fails("clEnqueueMapBuffer")) {
        if (error) {
            *error = CL_MAP_FAILURE;
        }
        return NULL;
    }
    void *result = next.clEnqueueMapBuffer(queue, buffer, blocking, flags, offset, size, n, events,
                                           event, error);
    count(OCL_EVENT, result != NULL && event != NULL);
    return result;
}

COUNT(clRetainContext, cl_context, OCL_CONTEXT, 1)
COUNT(clReleaseContext, cl_context, OCL_CONTEXT, -1)
COUNT(clRetainCommandQueue, cl_command_queue, OCL_QUEUE, 1)
COUNT(clReleaseCommandQueue, cl_command_queue, OCL_QUEUE, -1)
COUNT(clRetainMemObject, cl_mem, OCL_MEMORY, 1)
COUNT(clReleaseMemObject, cl_mem, OCL_MEMORY, -1)
COUNT(clRetainProgram, cl_program, OCL_PROGRAM, 1)
COUNT(clReleaseProgram, cl_program, OCL_PROGRAM, -1)
COUNT(clRetainKernel, cl_kernel, OCL_KERNEL, 1)
COUNT(clReleaseKernel, cl_kernel, OCL_KERNEL, -1)
COUNT(clRetainEvent, cl_event, OCL_EVENT, 1)
COUNT(clReleaseEvent, cl_event, OCL_EVENT, -1)

static void fill_table(void)
{
#define MINE(name) mine.name = my_##name
    MINE(clGetPlatformIDs);
    MINE(clGetDeviceIDs);
    MINE(clGetPlatformInfo);
    MINE(clGetDeviceInfo);
    MINE(clGetContextInfo);
    MINE(clGetCommandQueueInfo);
    MINE(clGetMemObjectInfo);
    MINE(clGetProgramInfo);
    MINE(clGetKernelInfo);
    MINE(clGetEventInfo);
    MINE(clGetEventProfilingInfo);
    MINE(clGetProgramBuildInfo);
    MINE(clGetKernelWorkGroupInfo);
    MINE(clCreateContext);
    MINE(clCreateContextFromType);
    MINE(clCreateCommandQueue);
    MINE(clCreateCommandQueueWithProperties);
    MINE(clCreateBuffer);
    MINE(clCreateSubBuffer);
    MINE(clCreateKernel);
    MINE(clCreateProgramWithSource);
    MINE(clCreateProgramWithBinary);
    MINE(clBuildProgram);
    MINE(clSetKernelArg);
    MINE(clFlush);
    MINE(clFinish);
    MINE(clWaitForEvents);
    MINE(clEnqueueReadBuffer);
    MINE(clEnqueueWriteBuffer);
    MINE(clEnqueueCopyBuffer);
    MINE(clEnqueueFillBuffer);
    MINE(clEnqueueNDRangeKernel);
    MINE(clEnqueueMarkerWithWaitList);
    MINE(clEnqueueBarrierWithWaitList);
    MINE(clEnqueueUnmapMemObject);
    MINE(clEnqueueMapBuffer);
    MINE(clRetainContext);
    MINE(clReleaseContext);
    MINE(clRetainCommandQueue);
    MINE(clReleaseCommandQueue);
    MINE(clRetainMemObject);
    MINE(clReleaseMemObject);
    MINE(clRetainProgram);
    MINE(clReleaseProgram);
    MINE(clRetainKernel);
    MINE(clReleaseKernel);
    MINE(clRetainEvent);
    MINE(clReleaseEvent);
#undef MINE
}

static void write_report(void)
{
    struct ocl_layer *l = &gt_ocl_layer;
    FILE *file = fopen(report, "w");
    long live = 0;
    if (!file) {
        return;
    }
    for (int i = 0; i < OCL_LAYER_KINDS; i++) {
        long n = atomic_load(&l->live[i]);
        live += n < 0 ? -n : n;
    }
    fprintf(file, "calls %ld\nfailed %ld\nlive %ld\nname %s\n", atomic_load(&l->calls),
            atomic_load(&l->failed), live, l->name);
    fclose(file);
}

static long number(const char *name)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : 0;
}

/* ---- what the loader asks for ---- */

EXPORT CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void *value,
                                                      size_t *needed)
{
    static const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    static const char name[] = "failing calls";
    const void *from = what == CL_LAYER_API_VERSION ? (const void *)&version : name;
    size_t bytes = what == CL_LAYER_API_VERSION ? sizeof version : sizeof name;
    if (what != CL_LAYER_API_VERSION && what != CL_LAYER_NAME) {
        return CL_INVALID_VALUE;
    }
    if (value && size < bytes) {
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
    fill_table();
    *n_mine = (cl_uint)(sizeof mine / sizeof(void *));
    *out = &mine;
    if (number("GT_OCL_FAIL") > 0) {
        atomic_store(&gt_ocl_layer.fail_at, number("GT_OCL_FAIL"));
    }
    if (number("GT_OCL_FAIL_FROM") > 0) {
        atomic_store(&gt_ocl_layer.fail_from, number("GT_OCL_FAIL_FROM"));
    }
    report = getenv("GT_OCL_REPORT");
    if (report && atexit(write_report) != 0) {
        return CL_OUT_OF_HOST_MEMORY;
    }
    return CL_SUCCESS;
}
