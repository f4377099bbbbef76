/* Options of preprocessing. SPDX-License-Identifier: BSD-2-Clause */
#include <greentea/preprocess.h>

#include <math.h>
#include <stdbool.h>

#include "core/error.h"

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
