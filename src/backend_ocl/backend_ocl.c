/* An OpenCL device: context, queues, buffers, steps enqueued in order.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/cl_blast.h"
#include "backend_ocl/ocl_internal.h"

#include <assert.h>
#include <stdio.h>

#define GT_KERNEL(name) extern const struct gt_kernel gt__##name;
#include "backend_ocl/kernels.def"
#undef GT_KERNEL

static const struct gt_kernel *const kernels[] = {
#define GT_KERNEL(name) &gt__##name,
#include "backend_ocl/kernels.def"
#undef GT_KERNEL
    NULL};

extern const struct gt_backend gt__backend_ocl;

static gt_status ocl_devices(size_t *n_out)
{
    struct gt_ocl_found found[GT_OCL_MAX_DEVICES];
    return gt__ocl_find(found, n_out);
}

static gt_status find(struct gt_ocl_found *out, size_t index)
{
    struct gt_ocl_found found[GT_OCL_MAX_DEVICES];
    size_t n = 0;
    GT_TRY(gt__ocl_find(found, &n));
    if (index >= n) {
        return gt__fail(GT_EDEVICE, "no OpenCL device %zu, found %zu", index, n);
    }
    *out = found[index];
    return GT_OK;
}

static gt_status ocl_describe(gt_device_info *out, size_t index)
{
    struct gt_ocl_found found;
    GT_TRY(find(&found, index));
    return gt__ocl_describe(out, &found);
}

static void ocl_close(struct gt_device *device)
{
    struct gt_ocl_device *d = gt__ocl(device);
    if (d->queue) {
        clFinish(d->queue);
    }
    gt__ocl_profile_free(d);
    gt__ocl_stage_free(d);
    gt__ocl_programs_free(d);
    gt__clblast_leave(d);
    if (d->transfer) {
        clReleaseCommandQueue(d->transfer);
    }
    if (d->queue) {
        clReleaseCommandQueue(d->queue);
    }
    if (d->context) {
        clReleaseContext(d->context);
    }
    gt__free(d);
}

static gt_status make_queues(struct gt_ocl_device *d)
{
    cl_int error = CL_SUCCESS;
    cl_command_queue_properties properties = 0;
    d->context = clCreateContext(NULL, 1, &d->id, NULL, NULL, &error);
    GT_TRY(gt__ocl_status(error, &d->base, "clCreateContext"));
    if (d->base.options.profile) {
        GT_TRY(gt__alloc(&d->profile, 1, sizeof *d->profile, "profile"));
        properties = CL_QUEUE_PROFILING_ENABLE;
    }
    d->queue = clCreateCommandQueue(d->context, d->id, properties, &error);
    GT_TRY(gt__ocl_status(error, &d->base, "clCreateCommandQueue"));
    d->transfer = clCreateCommandQueue(d->context, d->id, 0, &error);
    return gt__ocl_status(error, &d->base, "clCreateCommandQueue");
}

static gt_status ocl_open(struct gt_device **out, size_t index, const gt_device_options *options)
{
    struct gt_ocl_device *d = NULL;
    struct gt_ocl_found found;
    gt_status status = GT_OK;
    GT_TRY(find(&found, index));
    GT_TRY(gt__alloc(&d, 1, sizeof *d, "device"));
    d->base.backend = &gt__backend_ocl;
    d->base.options = *options;
    d->base.threads = 1;
    d->platform = found.platform;
    d->id = found.device;
    GT_TRY_OUT(gt__ocl_describe(&d->base.info, &found));
    GT_TRY_OUT(gt__ocl_limits(d));
    GT_TRY_OUT(make_queues(d));
    *out = &d->base;
    d = NULL;
out:
    if (d) {
        ocl_close(&d->base);
    }
    return status;
}

static cl_mem memory_of(const struct gt_buffer *buffer)
{
    return ((const struct gt_ocl_buffer *)(const void *)buffer)->memory;
}

static void ocl_free(struct gt_buffer *buffer)
{
    if (buffer) {
        clReleaseMemObject(memory_of(buffer)); /* waits for the commands that use it */
        gt__free(buffer);
    }
}

static gt_status ocl_clear(struct gt_device *device, struct gt_buffer *buffer, size_t offset,
                           size_t size)
{
    static const cl_uint zero = 0;
    assert(offset <= buffer->size && size <= buffer->size - offset);
    cl_int error = clEnqueueFillBuffer(gt__ocl(device)->queue, memory_of(buffer), &zero,
                                       sizeof zero, offset, size, 0, NULL, NULL);
    return gt__ocl_status(error, device, "clEnqueueFillBuffer");
}

/* Drivers allocate at the first use, so use it: a failure shall come here, not in the first run. */
static gt_status touch(struct gt_device *device, struct gt_buffer *buffer)
{
    enum { TOUCH = 4 };
    GT_TRY(ocl_clear(device, buffer, 0, TOUCH));
    GT_TRY(ocl_clear(device, buffer, buffer->size - TOUCH, TOUCH));
    return gt__ocl_status(clFinish(gt__ocl(device)->queue), device, "clFinish");
}

static gt_status ocl_alloc(struct gt_buffer **out, struct gt_device *device, size_t size)
{
    struct gt_ocl_device *d = gt__ocl(device);
    struct gt_ocl_buffer *buffer = NULL;
    cl_int error = CL_SUCCESS;
    gt_status status = GT_OK;
    char what[96];
    size = gt__align_up(size, sizeof(cl_float16));
    snprintf(what, sizeof what, "clCreateBuffer of %zu bytes", size);
    GT_TRY(gt__alloc(&buffer, 1, sizeof *buffer, "buffer"));
    buffer->base.device = device;
    buffer->base.size = size;
    buffer->memory = clCreateBuffer(d->context, CL_MEM_READ_WRITE, size, NULL, &error);
    GT_TRY_OUT(gt__ocl_status(error, device, what));
    status = touch(device, &buffer->base);
    if (status != GT_OK) {
        clReleaseMemObject(buffer->memory);
        status = gt__fail_prefix(status, "%zu bytes of device memory: ", size);
        goto out;
    }
    *out = &buffer->base;
    buffer = NULL;
out:
    gt__free(buffer);
    return status;
}

static gt_status ocl_write(struct gt_device *device, struct gt_buffer *buffer, size_t offset,
                           const void *src, size_t size)
{
    assert(offset <= buffer->size && size <= buffer->size - offset);
    return gt__ocl_upload(gt__ocl(device), memory_of(buffer), offset, src, size);
}

static gt_status ocl_read(struct gt_device *device, struct gt_buffer *buffer, size_t offset,
                          void *dst, size_t size)
{
    assert(offset <= buffer->size && size <= buffer->size - offset);
    cl_int error = clEnqueueReadBuffer(gt__ocl(device)->queue, memory_of(buffer), CL_TRUE, offset,
                                       size, dst, 0, NULL, NULL);
    return gt__ocl_status(error, device, "clEnqueueReadBuffer");
}

static gt_status ocl_submit(struct gt_device *device, struct gt_step *steps, size_t n_steps)
{
    struct gt_ocl_device *d = gt__ocl(device);
    for (size_t i = 0; i < n_steps; i++) {
        GT_TRY(steps[i].kernel->run(device, &steps[i]));
        GT_TRY(gt__ocl_profile_take(&steps[i].seconds, d));
    }
    return gt__ocl_status(clFlush(d->queue), device, "clFlush");
}

struct gt_fence {
    struct gt_device *device;
    cl_event event;
};

static gt_status ocl_fence(struct gt_fence **out, struct gt_device *device)
{
    struct gt_ocl_device *d = gt__ocl(device);
    struct gt_fence *fence = NULL;
    gt_status status = GT_OK;
    GT_TRY(gt__alloc(&fence, 1, sizeof *fence, "fence"));
    fence->device = device;
    cl_int error = clEnqueueMarkerWithWaitList(d->queue, 0, NULL, &fence->event);
    GT_TRY_OUT(gt__ocl_status(error, device, "clEnqueueMarkerWithWaitList"));
    error = clFlush(d->queue);
    if (error) {
        clReleaseEvent(fence->event);
        status = gt__ocl_status(error, device, "clFlush");
        goto out;
    }
    *out = fence;
    fence = NULL;
out:
    gt__free(fence);
    return status;
}

static gt_status ocl_wait(struct gt_fence *fence)
{
    if (!fence) {
        return GT_OK;
    }
    cl_int error = clWaitForEvents(1, &fence->event);
    gt_status status = gt__ocl_status(error, fence->device, "clWaitForEvents");
    clReleaseEvent(fence->event);
    gt__free(fence);
    return status;
}

const struct gt_backend gt__backend_ocl = {
    .name = "ocl",
    .devices = ocl_devices,
    .describe = ocl_describe,
    .open = ocl_open,
    .close = ocl_close,
    .alloc = ocl_alloc,
    .free = ocl_free,
    .write = ocl_write,
    .read = ocl_read,
    .clear = ocl_clear,
    .submit = ocl_submit,
    .fence = ocl_fence,
    .wait = ocl_wait,
    .kernels = kernels,
};
