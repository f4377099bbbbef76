/* A CPU device that can be made to fail, to lag behind and to count. SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GT_TESTS_FAKE_H
#define GT_TESTS_FAKE_H

#include "core/backend.h"

struct fake_work {
    struct gt_buffer *buffer; /* a write, else a run */
    size_t offset, size;
    void *data;
    struct gt_step *steps;
    size_t n_steps;
};

struct fake {
    struct gt_backend backend; /* first: found by the device's backend */
    gt_device *device;
    bool lag;          /* writes and runs wait until something is read */
    size_t most;       /* larger buffers fail with GT_ENOMEM; 0: none */
    size_t reads;      /* so far */
    size_t fail_read;  /* reads from this one on fail; 0: none */
    size_t fail_reads; /* how many of them */
    gt_status status;  /* with this */
    struct fake_work queue[64];
    size_t queued;
};

/* Open a CPU device with two threads and take its backend over. Close with gt_device_free(). */
void fake_open(struct fake *fake);

#endif
