/* Slices shrunk for the pictures of a report. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int picture_pages(size_t page[PICTURE_SLICES], size_t pages)
{
    int n = pages < PICTURE_SLICES ? (int)pages : PICTURE_SLICES;
    for (int i = 0; i < n; i++) {
        page[i] = n > 1 ? (size_t)i * (pages - 1) / (size_t)(n - 1) : 0;
    }
    return n;
}

/* How much of the source pixels from first on lies in a destination pixel: box filter. */
static double cover(double from, double to, int32_t pixel)
{
    double a = from > pixel ? from : pixel;
    double b = to < pixel + 1 ? to : pixel + 1;
    return b > a ? b - a : 0.0;
}

/* Mean of the plane `data` (row stride in floats) over the area of pixel (x, y) of the thumb. */
static double area_mean(const float *data, const gt_image_view *v, const struct thumb *t, int32_t x,
                        int32_t y)
{
    double sx = (double)v->width / t->width;
    double sy = (double)v->height / t->height;
    double sum = 0.0;
    double weight = 0.0;
    for (int32_t j = (int32_t)(y * sy); j < v->height && j < (y + 1) * sy; j++) {
        double wy = cover(y * sy, (y + 1) * sy, j);
        const float *row = data + (size_t)j * (size_t)v->width;
        for (int32_t i = (int32_t)(x * sx); i < v->width && i < (x + 1) * sx; i++) {
            double w = wy * cover(x * sx, (x + 1) * sx, i);
            sum += w * (double)row[i];
            weight += w;
        }
    }
    return weight > 0.0 ? sum / weight : 0.0;
}

static uint8_t to_byte(double v)
{
    return v <= 0.0 ? 0 : v >= 255.0 ? 255 : (uint8_t)(v + 0.5);
}

static void shrink(uint8_t *dst, const struct thumb *t, const float *data, const gt_image_view *v,
                   const double scale[2])
{
    for (int32_t y = 0; y < t->height; y++) {
        for (int32_t x = 0; x < t->width; x++) {
            *dst++ = to_byte((area_mean(data, v, t, x, y) - scale[0]) * scale[1]);
        }
    }
}

/* Offset and factor that bring the values to 0 to 255. */
static void display_range(double scale[2], const float *data, size_t n, bool eight)
{
    float low = INFINITY;
    float high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        low = data[i] < low ? data[i] : low;
        high = data[i] > high ? data[i] : high;
    }
    scale[0] = eight ? 0.0 : (double)low;
    scale[1] = eight ? 1.0 : high > low ? 255.0 / ((double)high - (double)low) : 0.0;
}

/* Labels are picked, not mixed: the pixel in the middle of each area. */
static size_t source_pixel(const struct thumb *t, const gt_image_view *v, int32_t x, int32_t y)
{
    size_t i = (size_t)(((double)x + 0.5) * v->width / t->width);
    size_t j = (size_t)(((double)y + 0.5) * v->height / t->height);
    return j * (size_t)v->width + i;
}

static void pick_labels(struct thumb *t, const gt_image_view *truth, const gt_image_view *prob)
{
    const int32_t *true_label = truth->data;
    const float *p = prob->data;
    size_t plane = (size_t)prob->width * (size_t)prob->height;
    size_t at = 0;
    for (int32_t y = 0; y < t->height; y++) {
        for (int32_t x = 0; x < t->width; x++, at++) {
            size_t i = source_pixel(t, truth, x, y);
            t->truth[at] = (int16_t)true_label[i];
            int16_t best = 0;
            for (int32_t c = 1; t->guess && c < prob->channels; c++) {
                best = p[(size_t)c * plane + i] > p[(size_t)best * plane + i] ? (int16_t)c : best;
            }
            if (t->guess) {
                t->guess[at] = best;
            }
        }
    }
}

static bool thumb_alloc(struct thumb *t, bool binary)
{
    size_t n = (size_t)t->width * (size_t)t->height;
    t->raw = malloc(n * (size_t)t->channels);
    t->truth = malloc(n * sizeof *t->truth);
    t->prob = binary ? malloc(n) : NULL;
    t->guess = binary ? NULL : malloc(n * sizeof *t->guess);
    return t->raw && t->truth && (t->prob || t->guess);
}

static int32_t shrunk(int32_t side, int32_t longest)
{
    int64_t s = longest > PICTURE_SIDE ? (int64_t)side * PICTURE_SIDE / longest : side;
    return s > 0 ? (int32_t)s : 1;
}

bool thumb_take(struct thumb *out, const gt_image_view *raw, const gt_image_view *truth,
                const gt_image_view *prob, bool eight)
{
    int32_t longest = raw->width > raw->height ? raw->width : raw->height;
    size_t source = (size_t)raw->width * (size_t)raw->height;
    double scale[2];
    struct thumb t = {.width = shrunk(raw->width, longest),
                      .height = shrunk(raw->height, longest),
                      .channels = raw->channels,
                      .page = out->page};
    if (!thumb_alloc(&t, prob->channels == 2)) {
        thumb_free(&t);
        return false;
    }
    size_t plane = (size_t)t.width * (size_t)t.height;
    display_range(scale, raw->data, source * (size_t)raw->channels, eight);
    for (int32_t c = 0; c < t.channels; c++) {
        shrink(t.raw + (size_t)c * plane, &t, (const float *)raw->data + (size_t)c * source, raw,
               scale);
    }
    if (t.prob) {
        const double share[2] = {0.0, 255.0};
        shrink(t.prob, &t, (const float *)prob->data + source, prob, share);
    }
    pick_labels(&t, truth, prob);
    thumb_free(out);
    *out = t;
    return true;
}

void thumb_free(struct thumb *t)
{
    free(t->raw);
    free(t->truth);
    free(t->prob);
    free(t->guess);
    *t = (struct thumb){.page = t->page};
}
