/* What kernels that make rows of vectors share. SPDX-License-Identifier: BSD-2-Clause
 *
 * Their device functions come in two forms: with LANES 4 they move four channels at a time
 * (channels last, b a multiple of 4), with LANES 1 single elements (b = 1). Dimension 0 counts the
 * vectors of a row, 1 the rows, 2 the planes (an image's or a fragment's channel block); the
 * functions go on by the global size in dimensions 1 and 2, which devices limit. */
#ifndef GT_BACKEND_OCL_ROWS_H
#define GT_BACKEND_OCL_ROWS_H

#include "backend_ocl/ocl.h"

/* Groups in dimensions 1 and 2 that every device takes. */
enum { GT_OCL_ROW_GROUPS = 32768 };

static inline const char *gt__ocl_lanes(gt_layout l)
{
    return l.block == 1 ? "-DLANES=1" : "-DLANES=4";
}

/* Vectors of a row. */
static inline int32_t gt__ocl_row(struct gt_extent e)
{
    return e.b % GT_LANES == 0 ? e.w * (e.b / GT_LANES) : e.w * e.b;
}

/* Enqueue work-items for `row` vectors x `rows` x `planes`, in groups of at most 128: four rows of
 * 32, or as many rows as short ones leave room for. */
static inline gt_status gt__ocl_launch_rows(struct gt_ocl_call *call, int32_t row, int32_t rows,
                                            int32_t planes)
{
    size_t most = call->device->max_group < 128 ? call->device->max_group : 128;
    size_t x = 1;
    size_t y = 1;
    while (2 * x <= most && x < 32 && x < (size_t)row) {
        x *= 2;
    }
    while (2 * x * y <= most && y < (size_t)rows && 2 * y <= call->device->max_across) {
        y *= 2;
    }
    while (2 * x * y <= most && x < (size_t)row) {
        x *= 2;
    }
    size_t down = gt__ceil_div_z((size_t)rows, y);
    size_t deep = (size_t)planes;
    size_t global[3] = {gt__align_up((size_t)row, x),
                        (down < GT_OCL_ROW_GROUPS ? down : GT_OCL_ROW_GROUPS) * y,
                        deep < GT_OCL_ROW_GROUPS ? deep : GT_OCL_ROW_GROUPS};
    size_t local[3] = {x, y, 1};
    return gt__ocl_launch(call, 3, global, local);
}

/* The same for all stored elements of a tensor. */
static inline gt_status gt__ocl_launch_stored(struct gt_ocl_call *call, const struct gt_view *v)
{
    struct gt_extent e = gt__view_extent(v);
    return gt__ocl_launch_rows(call, gt__ocl_row(e), e.h, e.n * e.cb);
}

#endif
