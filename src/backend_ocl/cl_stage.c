/* Uploads: a ring of staging buffers, each a host copy and a device copy. The host copy lets the
 * caller go on, the device copy lets the upload run on its own queue beside the kernels; the last
 * hop, device to device, waits in the kernels' queue. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/ocl_internal.h"

#include <string.h>

enum { SLOTS = 4 };
/* Larger writes (weights) wait instead. */
static const size_t max_staged = (size_t)32 << 20;

struct slot {
    void *host;
    cl_mem device;
    size_t size;
    cl_event copied; /* NULL: free */
};
struct gt_ocl_stage {
    struct slot slots[SLOTS];
    size_t next;
};

static gt_status wait_slot(struct slot *slot, struct gt_ocl_device *d)
{
    if (!slot->copied) {
        return GT_OK;
    }
    cl_int error = clWaitForEvents(1, &slot->copied);
    clReleaseEvent(slot->copied);
    slot->copied = NULL;
    return gt__ocl_status(error, &d->base, "clWaitForEvents");
}

static void free_slot(struct slot *slot)
{
    if (slot->device) {
        clReleaseMemObject(slot->device);
    }
    gt__free(slot->host);
    *slot = (struct slot){.host = NULL};
}

static gt_status grow_slot(struct slot *slot, struct gt_ocl_device *d, size_t size)
{
    cl_int error = CL_SUCCESS;
    if (slot->size >= size) {
        return GT_OK;
    }
    free_slot(slot);
    GT_TRY(gt__alloc_raw(&slot->host, size, 1, "upload memory"));
    slot->device = clCreateBuffer(d->context, CL_MEM_READ_WRITE, size, NULL, &error);
    GT_TRY(gt__ocl_status(error, &d->base, "clCreateBuffer of upload memory"));
    slot->size = size;
    return GT_OK;
}

static gt_status enqueue(struct slot *slot, struct gt_ocl_device *d, cl_mem to, size_t offset,
                         size_t size)
{
    cl_event uploaded = NULL;
    cl_int error = clEnqueueWriteBuffer(d->transfer, slot->device, CL_FALSE, 0, size, slot->host, 0,
                                        NULL, &uploaded);
    GT_TRY(gt__ocl_status(error, &d->base, "clEnqueueWriteBuffer"));
    const char *what = "clFlush";
    error = clFlush(d->transfer);
    if (!error) {
        what = "clEnqueueCopyBuffer";
        error = clEnqueueCopyBuffer(d->queue, slot->device, to, 0, offset, size, 1, &uploaded,
                                    &slot->copied);
    }
    if (error) {
        clWaitForEvents(1, &uploaded); /* the host copy is read until then */
    }
    clReleaseEvent(uploaded);
    return gt__ocl_status(error, &d->base, what);
}

gt_status gt__ocl_upload(struct gt_ocl_device *d, cl_mem to, size_t offset, const void *src,
                         size_t size)
{
    if (size > max_staged) {
        cl_int error =
            clEnqueueWriteBuffer(d->queue, to, CL_TRUE, offset, size, src, 0, NULL, NULL);
        return gt__ocl_status(error, &d->base, "clEnqueueWriteBuffer");
    }
    if (!d->stage) {
        GT_TRY(gt__alloc(&d->stage, 1, sizeof *d->stage, "upload memory"));
    }
    struct slot *slot = &d->stage->slots[d->stage->next];
    d->stage->next = (d->stage->next + 1) % SLOTS;
    GT_TRY(wait_slot(slot, d));
    GT_TRY(grow_slot(slot, d, size));
    memcpy(slot->host, src, size);
    return enqueue(slot, d, to, offset, size);
}

void gt__ocl_stage_free(struct gt_ocl_device *d)
{
    if (d->stage) {
        for (size_t i = 0; i < SLOTS; i++) {
            if (d->stage->slots[i].copied) {
                clWaitForEvents(1, &d->stage->slots[i].copied);
                clReleaseEvent(d->stage->slots[i].copied);
            }
            free_slot(&d->stage->slots[i]);
        }
        gt__free(d->stage);
        d->stage = NULL;
    }
}
