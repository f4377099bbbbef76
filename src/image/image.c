/* Images in memory, limits, and the table of file formats. SPDX-License-Identifier: BSD-2-Clause */
#include "image/convert.h"
#include "image/format.h"

#include <math.h>
#include <string.h>
#include <strings.h>

struct gt_image {
    gt_type type;
    int32_t channels, height, width;
    void *data; /* [channels][height][width] */
};

static const struct gt_image_format *const formats[] = {&gt__image_tiff, &gt__image_png};

void gt_image_limits_init(gt_image_limits *limits)
{
    *limits = (gt_image_limits){.max_pixels = UINT64_C(1) << 33,
                                .max_side = UINT32_C(1) << 20,
                                .max_pages = 65536,
                                .max_expansion = 1000,
                                .max_decode_bytes = UINT64_C(1) << 30};
}

size_t gt_type_size(gt_type type)
{
    switch (type) {
    case GT_U8:
    case GT_I8:
        return 1;
    case GT_U16:
    case GT_I16:
        return 2;
    case GT_U32:
    case GT_I32:
    case GT_F32:
        return 4;
    case GT_F64:
        return 8;
    }
    return 0;
}

gt_image_view gt_image_view_planar(void *data, gt_type type, int32_t channels, int32_t height,
                                   int32_t width)
{
    ptrdiff_t x = (ptrdiff_t)gt_type_size(type);
    ptrdiff_t y = x * width;
    return (gt_image_view){.data = data,
                           .type = type,
                           .width = width,
                           .height = height,
                           .channels = channels,
                           .stride_x = x,
                           .stride_y = y,
                           .stride_c = y * height};
}

gt_status gt_image_create(gt_image **out, gt_type type, int32_t channels, int32_t height,
                          int32_t width)
{
    size_t count = 0;
    size_t bytes = 0;
    if (out == NULL || gt_type_size(type) == 0 || channels < 1 || height < 1 || width < 1) {
        return gt__fail(GT_EINVAL, "image of %d x %d pixels, %d channels, type %d", width, height,
                        channels, (int)type);
    }
    if (!gt__shape_count(&count, (gt_shape){1, channels, height, width}) ||
        !gt__mul(&bytes, count, gt_type_size(type)) || bytes > PTRDIFF_MAX) {
        return gt__fail(GT_ENOMEM, "image of %d x %d pixels, %d channels: too large for memory",
                        width, height, channels);
    }
    gt_image *image = NULL;
    GT_TRY(gt__alloc(&image, 1, sizeof *image, "image"));
    *image = (gt_image){.type = type, .channels = channels, .height = height, .width = width};
    gt_status status = gt__alloc(&image->data, bytes, 1, "pixels of an image");
    if (status != GT_OK) {
        gt__free(image);
        return status;
    }
    *out = image;
    return GT_OK;
}

gt_image_view gt_image_get_view(const gt_image *image)
{
    return gt_image_view_planar(image->data, image->type, image->channels, image->height,
                                image->width);
}

void gt_image_free(gt_image *image)
{
    if (image != NULL) {
        gt__free(image->data);
        gt__free(image);
    }
}

/* ---- formats ---- */

bool gt__image_has_ending(const char *path, const char *ending)
{
    size_t n = strlen(path);
    size_t m = strlen(ending);
    return n >= m && strcasecmp(path + n - m, ending) == 0;
}

const struct gt_image_format *gt__image_format_by_name(const char *path)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; ++i) {
        for (const char *const *e = formats[i]->endings; *e != NULL; ++e) {
            if (gt__image_has_ending(path, *e)) {
                return formats[i];
            }
        }
    }
    return NULL;
}

const struct gt_image_format *gt__image_format_by_head(const unsigned char *head, size_t n)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; ++i) {
        if (formats[i]->match(head, n)) {
            return formats[i];
        }
    }
    return NULL;
}

/* ---- checks shared by the formats ---- */

#define SMALL_PAGE 67108864.0 /* bytes; not judged by its expansion */

gt_status gt__image_check_page(const struct gt_image_file *file, size_t page,
                               const struct gt_page_size *size)
{
    unsigned long long w = size->width;
    unsigned long long h = size->height;
    const gt_image_limits *limits = &file->limits;
    if (w == 0 || h == 0) {
        return gt__fail(GT_EFORMAT, "%s: page %zu: %llu x %llu pixels", file->path, page + 1, w, h);
    }
    if (w > limits->max_side || h > limits->max_side || w > INT32_MAX || h > INT32_MAX) {
        return gt__fail(GT_ELIMIT, "%s: page %zu: %llu x %llu pixels, at most %u per side allowed",
                        file->path, page + 1, w, h, limits->max_side);
    }
    if (w * h > limits->max_pixels) {
        return gt__fail(GT_ELIMIT, "%s: page %zu: %llu x %llu pixels, at most %llu in all allowed",
                        file->path, page + 1, w, h, (unsigned long long)limits->max_pixels);
    }
    /* In double, so that nothing overflows. Small pages are no danger: a blank label image
     * compresses as far as Deflate can, about 1000 times. */
    double decoded = (double)size->row_bytes * (double)h;
    double ratio = decoded / (double)(file->bytes > 0 ? file->bytes : 1);
    if (limits->max_expansion != 0 && decoded > SMALL_PAGE &&
        ratio > (double)limits->max_expansion) {
        return gt__fail(
            GT_ELIMIT,
            "%s: page %zu: %llu x %llu pixels from a file of %llu bytes, %.0f times its "
            "size where %u is allowed",
            file->path, page + 1, w, h, (unsigned long long)file->bytes, ratio,
            limits->max_expansion);
    }
    return gt__image_check_decode(file, page, size->row_bytes);
}

gt_status gt__image_check_decode(const struct gt_image_file *file, size_t page, uint64_t bytes)
{
    if (bytes > file->limits.max_decode_bytes || bytes > PTRDIFF_MAX) {
        return gt__fail(GT_ELIMIT,
                        "%s: page %zu: decoding needs %llu bytes at once, at most %llu allowed",
                        file->path, page + 1, (unsigned long long)bytes,
                        (unsigned long long)file->limits.max_decode_bytes);
    }
    return GT_OK;
}

gt_status gt__image_check_finite(const struct gt_image_file *file, size_t page, const float *values,
                                 int32_t width, int32_t y, int32_t c)
{
    size_t x = gt__find_not_finite(values, (size_t)width);
    if (x == (size_t)width) {
        return GT_OK;
    }
    return gt__fail(GT_ENUMERIC, "%s: page %zu: %s at x %zu, y %d, channel %d", file->path,
                    page + 1, isnan(values[x]) ? "NaN" : "infinity", x, y, c);
}

gt_status gt__image_io_error(const char *path, const char *what, int error)
{
    char text[128] = "unknown error";
    if (error != 0) {
        (void)strerror_r(error, text, sizeof text);
    }
    return gt__fail(GT_EIO, "%s: %s: %s", path, what, text);
}
