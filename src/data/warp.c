/* Rotation, scale, symmetry and elastic displacement of a patch, as one map. Rows are done in
 * blocks that lie on the stack: where each pixel comes from (vectorised by the compiler), then the
 * pixels. SPDX-License-Identifier: BSD-2-Clause */
#include "data/warp.h"

#include <math.h>

#include "data/augment.h"
#include "data/mirror.h"

#define BLOCK 256

static const double degree = 0.017453292519943295769236907684886;

/* Where the pixels of a part of a row come from: whole pixels of the page and the rest in [0, 1).
 */
struct block {
    int32_t y[BLOCK], x[BLOCK];
    float fy[BLOCK], fx[BLOCK];
};

void gt__warp_set(struct gt_warp *w, const struct gt_warp_frame *frame, int32_t symmetry,
                  double angle, double scale)
{
    struct gt_symmetry_map s = gt__symmetry_map(symmetry, 1);
    double cosine = cos(angle * degree) / scale;
    double sine = sin(angle * degree) / scale;
    /* Rows grow downwards: what is seen turns counter-clockwise if the source turns clockwise. */
    w->matrix[0][0] = (float)(cosine * s.yi + sine * s.xi);
    w->matrix[0][1] = (float)(cosine * s.yj + sine * s.xj);
    w->matrix[1][0] = (float)(cosine * s.xi - sine * s.yi);
    w->matrix[1][1] = (float)(cosine * s.xj - sine * s.yj);
    w->centre = (float)frame->border + 0.5F * (float)(frame->patch - 1);
    w->y = frame->y + (frame->patch - 1) / 2;
    w->x = frame->x + (frame->patch - 1) / 2;
    w->fy = w->fx = frame->patch % 2 == 0 ? 0.5F : 0;
    w->bent = false;
}

void gt__warp_draw(struct gt_warp *w, struct gt_random *random, const gt_augment_options *o,
                   const struct gt_warp_frame *frame, int32_t symmetry)
{
    double angle = (double)o->rotate * (2 * gt__random_f64(random) - 1);
    double low = log((double)o->scale_low);
    double scale = exp(low + gt__random_f64(random) * (log((double)o->scale_high) - low));
    gt__warp_set(w, frame, symmetry, angle, scale);
    if (o->elastic > 0) {
        w->bent = true;
        gt__elastic_draw(&w->elastic, random, o->elastic_grid, frame->patch + frame->shrink,
                         o->elastic);
    }
}

/* v as floor(v) + rest, without calling floorf: the compiler can vectorise this. */
static inline int32_t split(float *rest, float v)
{
    int32_t whole = (int32_t)v;
    whole -= (float)whole > v;
    *rest = v - (float)whole;
    return whole;
}

/* Pixels first to first + count - 1 of row i of the input patch, shifted by `shift` (rounding). */
static void locate(struct block *b, const struct gt_warp *w, int32_t i, int32_t first,
                   int32_t count, float shift)
{
    float dy[BLOCK] = {0};
    float dx[BLOCK] = {0};
    if (w->bent) {
        gt__elastic_row(dy, dx, &w->elastic, i, first, count);
    }
    for (int32_t k = 0; k < count; k++) {
        float v = (float)i - w->centre + dy[k];
        float u = (float)(first + k) - w->centre + dx[k];
        float y = w->fy + shift + (w->matrix[0][0] * v + w->matrix[0][1] * u);
        float x = w->fx + shift + (w->matrix[1][0] * v + w->matrix[1][1] * u);
        b->y[k] = w->y + split(&b->fy[k], y);
        b->x[k] = w->x + split(&b->fx[k], x);
    }
}

static void sample_linear(float *dst, const struct block *b, int32_t count, const float *plane,
                          int32_t height, int32_t width)
{
    for (int32_t k = 0; k < count; k++) {
        const float *top = plane + (size_t)gt__mirror(b->y[k], height) * (size_t)width;
        const float *low = plane + (size_t)gt__mirror((int64_t)b->y[k] + 1, height) * (size_t)width;
        int32_t x = gt__mirror(b->x[k], width);
        int32_t next = gt__mirror((int64_t)b->x[k] + 1, width);
        float above = top[x] + b->fx[k] * (top[next] - top[x]);
        float below = low[x] + b->fx[k] * (low[next] - low[x]);
        dst[k] = above + b->fy[k] * (below - above);
    }
}

void gt__warp_raw(float *dst, const struct gt_warp *w, const struct gt_warp_frame *frame,
                  const struct gt_page *page)
{
    struct block b;
    int32_t side = frame->patch + frame->shrink;
    size_t pixels = (size_t)page->width * (size_t)page->height;
    for (int32_t i = 0; i < side; i++) {
        for (int32_t j = 0; j < side; j += BLOCK) {
            int32_t count = side - j < BLOCK ? side - j : BLOCK;
            locate(&b, w, i, j, count, 0);
            for (int32_t c = 0; c < page->channels; c++) {
                float *to = dst + ((size_t)c * (size_t)side + (size_t)i) * (size_t)side + j;
                sample_linear(to, &b, count, page->raw + (size_t)c * pixels, page->height,
                              page->width);
            }
        }
    }
}

void gt__warp_labels(float *dst, const struct gt_warp *w, const struct gt_warp_frame *frame,
                     const struct gt_page *page, const int16_t *rank)
{
    struct block b;
    for (int32_t i = 0; i < frame->patch; i++) {
        for (int32_t j = 0; j < frame->patch; j += BLOCK) {
            int32_t count = frame->patch - j < BLOCK ? frame->patch - j : BLOCK;
            locate(&b, w, i + frame->border, j + frame->border, count, 0.5F);
            for (int32_t k = 0; k < count; k++) {
                size_t y = (size_t)gt__mirror(b.y[k], page->height);
                size_t x = (size_t)gt__mirror(b.x[k], page->width);
                *dst++ = rank[page->grey[y * (size_t)page->width + x]];
            }
        }
    }
}
