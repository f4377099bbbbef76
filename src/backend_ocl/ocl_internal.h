/* What the files of the backend share beside its kernels. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_OCL_OCL_INTERNAL_H
#define GT_BACKEND_OCL_OCL_INTERNAL_H

#include "backend_ocl/ocl.h"

/* ---- cl_device.c: what there is ---- */

struct gt_ocl_found {
    cl_platform_id platform;
    cl_device_id device;
    int32_t platform_index, device_index;
};
/* Devices with a compiler, at most GT_OCL_MAX_DEVICES; n = 0 where there is no platform. */
enum { GT_OCL_MAX_DEVICES = 64 };
gt_status gt__ocl_find(struct gt_ocl_found *out, size_t *n);
gt_status gt__ocl_describe(gt_device_info *out, const struct gt_ocl_found *found);
/* Limits and estimated speed. */
gt_status gt__ocl_limits(struct gt_ocl_device *d);

/* ---- cl_program.c ---- */

void gt__ocl_programs_free(struct gt_ocl_device *d);

/* ---- cl_stage.c: uploads ---- */

/* Copy `size` bytes to buffer + offset; returns when src may be reused. The upload runs beside the
 * kernels enqueued before, the copy behind them. */
gt_status gt__ocl_upload(struct gt_ocl_device *d, cl_mem to, size_t offset, const void *src,
                         size_t size);
void gt__ocl_stage_free(struct gt_ocl_device *d);

/* ---- cl_run.c: profiling ---- */

/* Events of launches not yet taken. */
struct gt_ocl_profile {
    cl_event *events;
    size_t n, capacity;
};
/* Seconds of the launches since the last call; waits for them. 0 without profiling. */
gt_status gt__ocl_profile_take(double *seconds, struct gt_ocl_device *d);
void gt__ocl_profile_free(struct gt_ocl_device *d);

#endif
