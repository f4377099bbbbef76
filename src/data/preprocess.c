/* Options of preprocessing. SPDX-License-Identifier: BSD-2-Clause */
#include "data/prepare.h"

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "image/convert.h"

#define MAX_GRID 64
#define MAX_SIGMA 50.0
#define MIN_SIGMA 0.1
#define MAX_CLIP 65536.0

void gt_preprocess_init(gt_preprocess *options)
{
    *options = (gt_preprocess){.low = 1.0, .high = 99.0, .clahe_grid = 8};
}

static gt_status check_crop(const gt_preprocess *o)
{
    bool none = o->crop_x == 0 && o->crop_y == 0 && o->crop_width == 0 && o->crop_height == 0;
    bool some = o->crop_x >= 0 && o->crop_y >= 0 && o->crop_width > 0 && o->crop_height > 0;
    if (!none && !some) {
        return gt__fail(
            GT_EINVAL,
            "crop of %d x %d pixels at x %d, y %d, expected a size of at least 1 x 1 at "
            "0 or more, or all 0 for none",
            o->crop_width, o->crop_height, o->crop_x, o->crop_y);
    }
    return GT_OK;
}

gt_status gt_preprocess_check(const gt_preprocess *o)
{
    if (!o) {
        return gt__fail(GT_EINVAL, "no preprocessing to check");
    }
    int kind = (int)o->normalise;
    int scope = (int)o->scope;
    if (kind < GT_NORMALISE_MINMAX || kind > GT_NORMALISE_NONE) {
        return gt__fail(GT_EINVAL, "unknown normalisation %d", kind);
    }
    if (scope != GT_SCOPE_IMAGE && scope != GT_SCOPE_STACK) {
        return gt__fail(GT_EINVAL, "unknown scope %d of the normalisation", scope);
    }
    if (!(o->low >= 0.0 && o->low < o->high && o->high <= 100.0)) {
        return gt__fail(GT_EINVAL,
                        "percentiles %g and %g, expected 0 to 100 with the first below the second",
                        o->low, o->high);
    }
    if (!(o->clahe >= 0.0 && o->clahe <= MAX_CLIP)) {
        return gt__fail(GT_EINVAL, "clip limit %g of CLAHE, expected above 0 to %g, or 0 for none",
                        o->clahe, MAX_CLIP);
    }
    if (o->clahe_grid < 1 || o->clahe_grid > MAX_GRID) {
        return gt__fail(GT_EINVAL, "%d CLAHE tiles along each axis, expected 1 to %d",
                        o->clahe_grid, MAX_GRID);
    }
    if (!(o->smooth >= MIN_SIGMA && o->smooth <= MAX_SIGMA) &&
        (o->smooth < 0.0 || o->smooth > 0.0 || isnan(o->smooth))) {
        return gt__fail(GT_EINVAL,
                        "smoothing of standard deviation %g pixels, expected %g to %g, or 0",
                        o->smooth, MIN_SIGMA, MAX_SIGMA);
    }
    return check_crop(o);
}

static bool same(double a, double b)
{
    return !(a < b) && !(a > b);
}

int gt_preprocess_equal(const gt_preprocess *a, const gt_preprocess *b)
{
    bool percentiles = a->normalise == GT_NORMALISE_PERCENTILE;
    return a->normalise == b->normalise &&
           (a->normalise == GT_NORMALISE_NONE || a->scope == b->scope) &&
           (!percentiles || (same(a->low, b->low) && same(a->high, b->high))) &&
           same(a->clahe, b->clahe) && (same(a->clahe, 0.0) || a->clahe_grid == b->clahe_grid) &&
           same(a->smooth, b->smooth) && a->crop_x == b->crop_x && a->crop_y == b->crop_y &&
           a->crop_width == b->crop_width && a->crop_height == b->crop_height;
}

gt_status gt_preprocess_size(int32_t *out_width, int32_t *out_height, const gt_preprocess *o,
                             int32_t width, int32_t height)
{
    GT_TRY(gt_preprocess_check(o));
    if (o->crop_width == 0) {
        *out_width = width;
        *out_height = height;
        return GT_OK;
    }
    if (o->crop_width > width - o->crop_x || o->crop_height > height - o->crop_y) {
        return gt__fail(GT_ESHAPE,
                        "the crop of %d x %d pixels at x %d, y %d is not inside the image of %d x "
                        "%d pixels",
                        o->crop_width, o->crop_height, o->crop_x, o->crop_y, width, height);
    }
    *out_width = o->crop_width;
    *out_height = o->crop_height;
    return GT_OK;
}

gt_status gt__crop_view(gt_image_view *out, const gt_preprocess *o, const gt_image_view *view)
{
    gt_image_view part = *view;
    GT_TRY(gt_preprocess_size(&part.width, &part.height, o, view->width, view->height));
    part.data = (char *)view->data + o->crop_x * view->stride_x + o->crop_y * view->stride_y;
    *out = part;
    return GT_OK;
}

/* One channel, sample by sample: strides may be any. */
static void copy_plane(const gt_image_view *to, const gt_image_view *from, int32_t c)
{
    size_t size = gt_type_size(from->type);
    for (int32_t y = 0; y < from->height; y++) {
        const char *src = (const char *)from->data + c * from->stride_c + y * from->stride_y;
        char *dst = (char *)to->data + c * to->stride_c + y * to->stride_y;
        for (int32_t x = 0; x < from->width; x++) {
            memcpy(dst + x * to->stride_x, src + x * from->stride_x, size);
        }
    }
}

gt_status gt_preprocess_crop(gt_image **out, const gt_preprocess *options, const gt_image_view *in)
{
    gt_image *image = NULL;
    gt_image_view part;
    if (!out) {
        return gt__fail(GT_EINVAL, "no place for a cropped image");
    }
    GT_TRY(gt__view_check(in));
    GT_TRY(gt__crop_view(&part, options, in));
    GT_TRY(gt_image_create(&image, part.type, part.channels, part.height, part.width));
    const gt_image_view to = gt_image_get_view(image);
    for (int32_t c = 0; c < part.channels; c++) {
        copy_plane(&to, &part, c);
    }
    *out = image;
    return GT_OK;
}
