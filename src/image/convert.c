/* Samples and views to float planes and back. SPDX-License-Identifier: BSD-2-Clause */
#include "image/convert.h"

#include "core/error.h"
#include <float.h>
#include <math.h>
#include <string.h>

gt_status gt__view_check(const gt_image_view *view)
{
    if (view == NULL || view->data == NULL) {
        return gt__fail(GT_EINVAL, "image view without data");
    }
    if (gt_type_size(view->type) == 0) {
        return gt__fail(GT_EINVAL, "image view of unknown type %d", (int)view->type);
    }
    if (view->width < 1 || view->height < 1 || view->channels < 1) {
        return gt__fail(GT_EINVAL, "image view of %d x %d pixels and %d channels, at least 1 each",
                        view->width, view->height, view->channels);
    }
    return GT_OK;
}

static float narrow(double value)
{
    if (value > (double)FLT_MAX) {
        return INFINITY;
    }
    return value < -(double)FLT_MAX ? -INFINITY : (float)value;
}

#define LOAD_ALL(T, CONVERT)                                                                       \
    for (size_t i = 0; i < n; ++i) {                                                               \
        T value;                                                                                   \
        memcpy(&value, from + (ptrdiff_t)i * stride, sizeof value);                                \
        dst[i] = CONVERT(value);                                                                   \
    }                                                                                              \
    break

void gt__samples_to_float(float *dst, size_t n, const void *src, ptrdiff_t stride, gt_type type)
{
    const unsigned char *from = src;
    switch (type) {
    case GT_U8:
        LOAD_ALL(uint8_t, (float));
    case GT_I8:
        LOAD_ALL(int8_t, (float));
    case GT_U16:
        LOAD_ALL(uint16_t, (float));
    case GT_I16:
        LOAD_ALL(int16_t, (float));
    case GT_U32:
        LOAD_ALL(uint32_t, (float));
    case GT_I32:
        LOAD_ALL(int32_t, (float));
    case GT_F32:
        LOAD_ALL(float, );
    case GT_F64:
        LOAD_ALL(double, narrow);
    }
}

/* Rounded and saturated to [low, high]; double holds every integer in question exactly. */
static double to_integer(float value, double low, double high)
{
    double v = round((double)value);
    if (isnan(v)) {
        return 0;
    }
    return v < low ? low : v > high ? high : v;
}

#define STORE_ALL(T, EXPRESSION)                                                                   \
    for (size_t i = 0; i < n; ++i) {                                                               \
        T value = (T)(EXPRESSION);                                                                 \
        memcpy(to + (ptrdiff_t)i * stride, &value, sizeof value);                                  \
    }                                                                                              \
    break

void gt__samples_from_float(void *dst, ptrdiff_t stride, gt_type type, const float *src, size_t n)
{
    unsigned char *to = dst;
    switch (type) {
    case GT_U8:
        STORE_ALL(uint8_t, to_integer(src[i], 0, UINT8_MAX));
    case GT_I8:
        STORE_ALL(int8_t, to_integer(src[i], INT8_MIN, INT8_MAX));
    case GT_U16:
        STORE_ALL(uint16_t, to_integer(src[i], 0, UINT16_MAX));
    case GT_I16:
        STORE_ALL(int16_t, to_integer(src[i], INT16_MIN, INT16_MAX));
    case GT_U32:
        STORE_ALL(uint32_t, to_integer(src[i], 0, UINT32_MAX));
    case GT_I32:
        STORE_ALL(int32_t, to_integer(src[i], INT32_MIN, INT32_MAX));
    case GT_F32:
        STORE_ALL(float, src[i]);
    case GT_F64:
        STORE_ALL(double, src[i]);
    }
}

static unsigned char *row_of(const gt_image_view *view, int32_t c, int32_t y)
{
    return (unsigned char *)view->data + c * view->stride_c + y * view->stride_y;
}

void gt__view_to_float(float *dst, const gt_image_view *view, int32_t y, int32_t rows)
{
    size_t width = (size_t)view->width;
    for (int32_t c = 0; c < view->channels; ++c) {
        for (int32_t i = 0; i < rows; ++i) {
            gt__samples_to_float(dst, width, row_of(view, c, y + i), view->stride_x, view->type);
            dst += width;
        }
    }
}

void gt__view_from_float(const gt_image_view *view, int32_t y, int32_t rows, const float *src)
{
    size_t width = (size_t)view->width;
    for (int32_t c = 0; c < view->channels; ++c) {
        for (int32_t i = 0; i < rows; ++i) {
            gt__samples_from_float(row_of(view, c, y + i), view->stride_x, view->type, src, width);
            src += width;
        }
    }
}

size_t gt__find_not_finite(const float *values, size_t n)
{
    for (size_t i = 0; i < n; ++i) {
        if (!isfinite(values[i])) {
            return i;
        }
    }
    return n;
}
