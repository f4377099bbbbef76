/* Truth near borders left out. SPDX-License-Identifier: BSD-2-Clause
 *
 * Border pixels have a 4-neighbour of another number. Exact Euclidean distances in two passes:
 * down the columns to the nearest border pixel, then along the rows within the radius.
 * Source: the border mask of CREMI's evaluation, cremi.org/metrics. */
#include <math.h>

#include "core/error.h"
#include "core/mem.h"
#include "eval/eval.h"
#include "image/convert.h"

enum { MAX_RADIUS = 1000 };

static bool is_border(const int32_t *p, int32_t x, int32_t y, int32_t width, int32_t height)
{
    return (x > 0 && p[-1] != *p) || (x + 1 < width && p[1] != *p) || (y > 0 && p[-width] != *p) ||
           (y + 1 < height && p[width] != *p);
}

/* Rows to the nearest border pixel of the column, at most `far`. */
static void columns(int32_t *distance, const int32_t *label, int32_t width, int32_t height,
                    int32_t far)
{
    for (int32_t x = 0; x < width; x++) {
        int32_t d = far;
        for (int32_t y = 0; y < height; y++) {
            size_t i = (size_t)y * (size_t)width + (size_t)x;
            d = is_border(label + i, x, y, width, height) ? 0 : d < far ? d + 1 : far;
            distance[i] = d;
        }
        for (int32_t y = height - 1; y >= 0; y--) {
            size_t i = (size_t)y * (size_t)width + (size_t)x;
            d = distance[i] < d + 1 ? distance[i] : d + 1;
            distance[i] = d;
        }
    }
}

static bool near_border(const int32_t *row, int32_t x, int32_t width, double radius)
{
    int32_t reach = (int32_t)radius;
    int32_t from = x > reach ? x - reach : 0;
    int32_t to = width - 1 - x > reach ? x + reach : width - 1;
    for (int32_t k = from; k <= to; k++) {
        double dx = k - x;
        double dy = row[k];
        if (dx * dx + dy * dy <= radius * radius) {
            return true;
        }
    }
    return false;
}

static gt_status check(gt_image *const *out, const gt_image_view *labels, double radius)
{
    GT_TRY(gt__view_check(labels));
    if (!out || labels->channels != 1) {
        return gt__fail(GT_ESHAPE, "a label image has %d channels, expected 1", labels->channels);
    }
    if (!(radius >= 0 && radius <= MAX_RADIUS)) {
        return gt__fail(GT_EINVAL, "a border of %g pixels is left out, expected 0 to %d", radius,
                        MAX_RADIUS);
    }
    return GT_OK;
}

gt_status gt_image_mask_borders(gt_image **out, const gt_image_view *labels, double radius)
{
    GT_TRY(check(out, labels, radius));
    gt_status status = GT_OK;
    gt_image *image = NULL;
    int32_t *distance = NULL;
    int32_t w = labels->width;
    int32_t h = labels->height;
    size_t n = (size_t)w * (size_t)h;
    GT_TRY_OUT(gt__alloc(&distance, n, sizeof *distance, "distances from borders"));
    GT_TRY_OUT(gt_image_create(&image, GT_I32, 1, h, w));
    int32_t *label = gt_image_get_view(image).data;
    for (int32_t y = 0; y < h; y++) {
        for (int32_t x = 0; x < w; x++) {
            int64_t number = 0;
            GT_TRY_OUT(gt__read_number(&number, labels, x, y, "truth"));
            label[(size_t)y * (size_t)w + (size_t)x] = number > 0 ? (int32_t)number : 0;
        }
    }
    columns(distance, label, w, h, 2 * MAX_RADIUS);
    for (size_t i = 0; i < n; i++) {
        int32_t x = (int32_t)(i % (size_t)w);
        label[i] = near_border(distance + (i - (size_t)x), x, w, radius) ? 0 : label[i];
    }
    *out = image;
    image = NULL;
out:
    gt_image_free(image);
    gt__free(distance);
    return status;
}
