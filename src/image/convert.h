/* Samples and views to float planes and back. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_IMAGE_CONVERT_H
#define GT_IMAGE_CONVERT_H

#include <greentea/image.h>

/* GT_EINVAL unless the view has data, a known type and sizes of at least 1. */
gt_status gt__view_check(const gt_image_view *view);

/* n samples, `stride` bytes apart and of any alignment, to dst. NaN and infinity pass; doubles
 * beyond the range of float become infinite. */
void gt__samples_to_float(float *dst, size_t n, const void *src, ptrdiff_t stride, gt_type type);

/* n floats to samples `stride` bytes apart: integers rounded half away from zero and saturated, NaN
 * as 0. */
void gt__samples_from_float(void *dst, ptrdiff_t stride, gt_type type, const float *src, size_t n);

/* Rows y to y + rows - 1 of a checked view to dst [channels][rows][width]. */
void gt__view_to_float(float *dst, const gt_image_view *view, int32_t y, int32_t rows);

/* src [channels][rows][width] into rows y to y + rows - 1 of a checked view. */
void gt__view_from_float(const gt_image_view *view, int32_t y, int32_t rows, const float *src);

/* Index of the first NaN or infinity among n floats; n if there is none. */
size_t gt__find_not_finite(const float *values, size_t n);

#endif
