/* A CPU device that can be made to fail, to lag behind and to count. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "fake.h"

#include "tiny.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

static struct fake *fake_of(struct gt_device *device)
{
    return (struct fake *)(uintptr_t)device->backend;
}

/* Do what waits, in order. */
static gt_status flush(struct fake *f)
{
    const struct gt_backend *cpu = gt__backends[0];
    gt_status status = GT_OK;
    for (size_t i = 0; i < f->queued; i++) {
        struct fake_work *w = &f->queue[i];
        gt_status one = w->buffer ? cpu->write(f->device, w->buffer, w->offset, w->data, w->size)
                                  : cpu->submit(f->device, w->steps, w->n_steps);
        status = status == GT_OK ? one : status;
        free(w->data);
    }
    f->queued = 0;
    return status;
}

static gt_status fake_alloc(struct gt_buffer **out, struct gt_device *device, size_t size)
{
    const struct fake *f = fake_of(device);
    if (f->most > 0 && size > f->most) {
        return gt__fail(GT_ENOMEM, "%zu bytes of a fake device", size);
    }
    return gt__backends[0]->alloc(out, device, size);
}

/* Runs that wait are those of a program that is being freed. */
static void fake_free(struct gt_buffer *buffer)
{
    if (buffer) {
        struct fake *f = fake_of(buffer->device);
        for (size_t i = 0; i < f->queued; i++) {
            free(f->queue[i].data);
        }
        f->queued = 0;
    }
    gt__backends[0]->free(buffer);
}

static gt_status fake_write(struct gt_device *device, struct gt_buffer *buffer, size_t offset,
                            const void *src, size_t size)
{
    struct fake *f = fake_of(device);
    if (!f->lag) {
        return gt__backends[0]->write(device, buffer, offset, src, size);
    }
    if (f->queued == sizeof f->queue / sizeof *f->queue) {
        GT_TRY(flush(f));
    }
    void *copy = malloc(size);
    if (!copy) {
        return gt__fail(GT_ENOMEM, "no memory for a copy");
    }
    memcpy(copy, src, size);
    f->queue[f->queued++] =
        (struct fake_work){.buffer = buffer, .offset = offset, .size = size, .data = copy};
    return GT_OK;
}

static gt_status fake_submit(struct gt_device *device, struct gt_step *steps, size_t n_steps)
{
    struct fake *f = fake_of(device);
    if (!f->lag) {
        return gt__backends[0]->submit(device, steps, n_steps);
    }
    f->queue[f->queued++] = (struct fake_work){.steps = steps, .n_steps = n_steps};
    return GT_OK;
}

static gt_status fake_read(struct gt_device *device, struct gt_buffer *buffer, size_t offset,
                           void *dst, size_t size)
{
    struct fake *f = fake_of(device);
    GT_TRY(flush(f));
    f->reads++;
    if (f->fail_read > 0 && f->reads >= f->fail_read && f->reads < f->fail_read + f->fail_reads) {
        return gt__fail(f->status, "a fake device failed at read %zu", f->reads);
    }
    return gt__backends[0]->read(device, buffer, offset, dst, size);
}

void fake_open(struct fake *f)
{
    gt_device_options o;
    memset(f, 0, sizeof *f);
    gt_device_options_init(&o);
    o.threads = 2;
    tiny_ok(gt_device_open(&f->device, "cpu", &o));
    f->backend = *f->device->backend;
    f->backend.alloc = fake_alloc;
    f->backend.free = fake_free;
    f->backend.write = fake_write;
    f->backend.submit = fake_submit;
    f->backend.read = fake_read;
    f->device->backend = &f->backend;
}
