/* Sections that look like electron micrographs of neural tissue.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Cells are the Voronoi regions of a jittered grid of seeds, some left out so that sizes differ.
 * Each pixel is first displaced by smooth noise of three scales, which bends the straight edges.
 * The distance to the nearest edge gives the labels and the dark membrane; the rest is decoration:
 * mitochondria (rimmed and striped ellipses around seeds), vesicles (small rings), texture,
 * shading, blur, noise. */
#include <greentea/evaluate.h>

#include <math.h>
#include <stdbool.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/random.h"

/* All lengths in pixels, all greys in 8-bit steps. */
#define SPACING 40.0F  /* of the grid of seeds */
#define LEFT_OUT 0.30F /* share of grid points without a seed */
#define REACH 3        /* grid cells around a pixel in which its two nearest seeds are sought */
#define MARGIN 5       /* grid cells beyond the image: REACH and the largest displacement */
#define N_WARPS 3
#define PI 3.14159265F

static const float warp_step[N_WARPS] = {150.0F, 48.0F, 14.0F};
static const float warp_size[N_WARPS] = {22.0F, 9.0F, 1.6F};

/* Smooth noise: values on a lattice, interpolated. */
struct field {
    int32_t columns, rows;
    float step;
    float *value; /* [rows][columns], uniform in [-1, 1] */
};

struct seed {
    float x, y;
    bool present;
    float grey;                     /* of its cell, added */
    float radius, aspect, cos, sin; /* of its mitochondrion; radius 0: none */
};

struct tissue {
    int32_t width, height;
    struct field warp[2][N_WARPS]; /* x, y */
    struct field thickness, contrast, fine, coarse, shading;
    int32_t columns, rows; /* of the grid of seeds, margin included */
    struct seed *seeds;
    float *canvas; /* [height][width] */
    float *spare;  /* [height][width] */
    struct gt_random random;
};

/* Where a pixel lies among the cells. */
struct spot {
    const struct seed *owner;
    float x, y; /* displaced position */
    float edge; /* distance to the nearest edge between cells */
};

static float uniform(struct gt_random *r, float low, float high)
{
    return low + (high - low) * gt__random_f32(r);
}

/* 0 below a, 1 above b, smooth between. */
static float ramp(float x, float a, float b)
{
    float t = (x - a) / (b - a);
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return t * t * (3 - 2 * t);
}

static gt_status field_create(struct field *out, struct tissue *t, float step)
{
    out->step = step;
    out->columns = (int32_t)((float)t->width / step) + 3;
    out->rows = (int32_t)((float)t->height / step) + 3;
    size_t n = (size_t)out->columns * (size_t)out->rows;
    GT_TRY(gt__alloc(&out->value, n, sizeof *out->value, "noise of a section"));
    for (size_t i = 0; i < n; i++) {
        out->value[i] = uniform(&t->random, -1, 1);
    }
    return GT_OK;
}

static float field_at(const struct field *f, int32_t x, int32_t y)
{
    float u = (float)x / f->step;
    float v = (float)y / f->step;
    int32_t i = (int32_t)u;
    int32_t j = (int32_t)v;
    u = ramp(u - (float)i, 0, 1);
    v = ramp(v - (float)j, 0, 1);
    const float *a = f->value + (size_t)j * (size_t)f->columns + (size_t)i;
    const float *b = a + f->columns;
    float top = a[0] + (a[1] - a[0]) * u;
    float bottom = b[0] + (b[1] - b[0]) * u;
    return top + (bottom - top) * v;
}

/* Distance from a seed to the nearest other one. */
static float room(const struct tissue *t, int32_t column, int32_t row)
{
    const struct seed *own = &t->seeds[row * t->columns + column];
    float best = SPACING * SPACING * 16;
    for (int32_t j = row - REACH; j <= row + REACH; j++) {
        for (int32_t i = column - REACH; i <= column + REACH; i++) {
            bool inside = i >= 0 && j >= 0 && i < t->columns && j < t->rows;
            const struct seed *s = inside ? &t->seeds[j * t->columns + i] : own;
            if (s != own && s->present) {
                float d = (s->x - own->x) * (s->x - own->x) + (s->y - own->y) * (s->y - own->y);
                best = d < best ? d : best;
            }
        }
    }
    return sqrtf(best);
}

static gt_status plant(struct tissue *t)
{
    t->columns = (int32_t)((float)t->width / SPACING) + 2 * MARGIN + 1;
    t->rows = (int32_t)((float)t->height / SPACING) + 2 * MARGIN + 1;
    size_t n = (size_t)t->columns * (size_t)t->rows;
    GT_TRY(gt__alloc(&t->seeds, n, sizeof *t->seeds, "cells of a section"));
    struct seed *s = t->seeds;
    for (int32_t j = 0; j < t->rows; j++) {
        for (int32_t i = 0; i < t->columns; i++, s++) {
            s->x = ((float)(i - MARGIN) + uniform(&t->random, 0, 1)) * SPACING;
            s->y = ((float)(j - MARGIN) + uniform(&t->random, 0, 1)) * SPACING;
            s->present = gt__random_f32(&t->random) >= LEFT_OUT;
            s->grey = uniform(&t->random, -14, 14);
        }
    }
    for (int32_t j = 0; j < t->rows; j++) {
        for (int32_t i = 0; i < t->columns; i++) {
            s = &t->seeds[j * t->columns + i];
            float radius = fminf(room(t, i, j) * uniform(&t->random, 0.3F, 0.45F), 19);
            bool has = gt__random_f32(&t->random) < 0.3F && radius > 7;
            float angle = uniform(&t->random, 0, PI);
            s->radius = has ? radius : 0;
            s->aspect = uniform(&t->random, 0.5F, 0.95F);
            s->cos = cosf(angle);
            s->sin = sinf(angle);
        }
    }
    return GT_OK;
}

/* Distance to the bisector of the two nearest seeds. */
static struct spot locate(const struct tissue *t, int32_t x, int32_t y)
{
    struct spot at = {.x = (float)x, .y = (float)y};
    for (int32_t k = 0; k < N_WARPS; k++) {
        at.x += warp_size[k] * field_at(&t->warp[0][k], x, y);
        at.y += warp_size[k] * field_at(&t->warp[1][k], x, y);
    }
    int32_t column = (int32_t)floorf(at.x / SPACING) + MARGIN;
    int32_t row = (int32_t)floorf(at.y / SPACING) + MARGIN;
    const struct seed *second = NULL;
    float first_d = INFINITY;
    float second_d = INFINITY;
    for (int32_t j = row - REACH; j <= row + REACH; j++) {
        const struct seed *s = &t->seeds[j * t->columns + column - REACH];
        for (int32_t i = 0; i <= 2 * REACH; i++, s++) {
            float d = (s->x - at.x) * (s->x - at.x) + (s->y - at.y) * (s->y - at.y);
            if (!s->present || d >= second_d) {
                continue;
            }
            bool nearest = d < first_d;
            second = nearest ? at.owner : s;
            second_d = nearest ? first_d : d;
            at.owner = nearest ? s : at.owner;
            first_d = nearest ? d : first_d;
        }
    }
    at.edge = SPACING;
    if (second) {
        float gap = hypotf(second->x - at.owner->x, second->y - at.owner->y);
        at.edge = (second_d - first_d) / (2 * fmaxf(gap, 1));
    }
    return at;
}

/* Darkness of the mitochondrion at a position of its cell. */
static float mitochondrion(const struct spot *at)
{
    const struct seed *s = at->owner;
    if (!s || s->radius <= 0) {
        return 0;
    }
    float dx = at->x - s->x;
    float dy = at->y - s->y;
    float u = s->cos * dx + s->sin * dy;
    float v = (s->cos * dy - s->sin * dx) / s->aspect;
    float inside = s->radius - sqrtf(u * u + v * v);
    float rim = expf(-(inside - 1.5F) * (inside - 1.5F) / 2.5F);
    float stripes = 0.5F + 0.5F * sinf(u * 1.3F);
    float dark = 32 * ramp(inside, -0.5F, 1.5F) + 38 * rim + 14 * stripes * ramp(inside, 2, 4);
    return dark * ramp(at->edge, 2, 5);
}

static void paint(struct tissue *t, uint8_t *labels)
{
    float *grey = t->canvas;
    for (int32_t y = 0; y < t->height; y++) {
        for (int32_t x = 0; x < t->width; x++) {
            struct spot at = locate(t, x, y);
            float half = 2.9F + 0.7F * field_at(&t->thickness, x, y);
            float dark = 92 + 24 * field_at(&t->contrast, x, y);
            float wall = at.edge / (0.75F * half);
            float texture = 26 * field_at(&t->fine, x, y) + 16 * field_at(&t->coarse, x, y);
            *labels++ = at.edge < half ? 0 : 255;
            *grey++ = 152 + (at.owner ? at.owner->grey : 0) + texture - mitochondrion(&at) -
                      dark * expf(-wall * wall) + 16 * field_at(&t->shading, x, y);
        }
    }
}

/* Small dark rings in the middle of cells. */
static void add_vesicles(struct tissue *t, const uint8_t *labels)
{
    uint64_t n = (uint64_t)t->width * (uint64_t)t->height / 800;
    for (uint64_t k = 0; k < n; k++) {
        int32_t cx = (int32_t)gt__random_below(&t->random, (uint64_t)t->width);
        int32_t cy = (int32_t)gt__random_below(&t->random, (uint64_t)t->height);
        float radius = uniform(&t->random, 1.5F, 4.5F);
        float dark = uniform(&t->random, 40, 85);
        if (locate(t, cx, cy).edge < radius + 4) {
            continue;
        }
        for (int32_t y = cy - 6; y <= cy + 6; y++) {
            for (int32_t x = cx - 6; x <= cx + 6; x++) {
                size_t i = (size_t)y * (size_t)t->width + (size_t)x;
                if (y >= 0 && x >= 0 && y < t->height && x < t->width && labels[i]) {
                    float d = hypotf((float)(x - cx), (float)(y - cy)) - radius;
                    t->canvas[i] -= dark * expf(-d * d / 1.5F);
                }
            }
        }
    }
}

/* One pass of (1 2 1)/4 along lines of n pixels, edge pixels repeated. */
static void blur_lines(float *dst, const float *src, size_t lines, size_t line, size_t n,
                       size_t step)
{
    for (size_t l = 0; l < lines; l++) {
        for (size_t i = 0; i < n; i++) {
            size_t at = l * line + i * step;
            float before = src[i > 0 ? at - step : at];
            float after = src[i + 1 < n ? at + step : at];
            dst[at] = 0.25F * (before + 2 * src[at] + after);
        }
    }
}

static void blur(struct tissue *t)
{
    size_t w = (size_t)t->width;
    size_t h = (size_t)t->height;
    blur_lines(t->spare, t->canvas, h, w, w, 1);
    blur_lines(t->canvas, t->spare, w, 1, h, w);
}

/* Electrons are counted: the deviation grows with the root of the grey value. */
static void add_noise(struct tissue *t, float size)
{
    size_t n = (size_t)t->width * (size_t)t->height;
    for (size_t i = 0; i < n; i++) {
        float deviation = size * sqrtf(fmaxf(t->canvas[i], 0) / 128);
        t->canvas[i] += deviation * (float)gt__random_normal(&t->random);
    }
}

static void tissue_release(struct tissue *t)
{
    for (int32_t k = 0; k < N_WARPS; k++) {
        gt__free(t->warp[0][k].value);
        gt__free(t->warp[1][k].value);
    }
    gt__free(t->thickness.value);
    gt__free(t->contrast.value);
    gt__free(t->fine.value);
    gt__free(t->coarse.value);
    gt__free(t->shading.value);
    gt__free(t->seeds);
    gt__free(t->canvas);
    gt__free(t->spare);
}

/* The order of the draws is part of the result. */
static gt_status tissue_fill(struct tissue *t)
{
    for (int32_t k = 0; k < N_WARPS; k++) {
        GT_TRY(field_create(&t->warp[0][k], t, warp_step[k]));
        GT_TRY(field_create(&t->warp[1][k], t, warp_step[k]));
    }
    GT_TRY(field_create(&t->thickness, t, 50));
    GT_TRY(field_create(&t->contrast, t, 30));
    GT_TRY(field_create(&t->fine, t, 4));
    GT_TRY(field_create(&t->coarse, t, 14));
    GT_TRY(field_create(&t->shading, t, 220));
    GT_TRY(plant(t));
    size_t n = (size_t)t->width * (size_t)t->height;
    GT_TRY(gt__alloc_raw(&t->canvas, n, sizeof *t->canvas, "a section"));
    return gt__alloc_raw(&t->spare, n, sizeof *t->spare, "a section");
}

gt_status gt_synthetic_section(gt_image **raw, gt_image **labels, int32_t width, int32_t height,
                               uint64_t seed, uint32_t section)
{
    gt_status status = GT_OK;
    gt_image *image = NULL;
    gt_image *map = NULL;
    struct tissue t = {.width = width, .height = height};
    t.random = gt__random_open(seed, GT_STREAM_SYNTHETIC, section);
    if (!raw || !labels || width < 1 || height < 1) {
        status = gt__fail(GT_EINVAL, "no section of %d x %d pixels can be made", width, height);
        goto out;
    }
    GT_TRY_OUT(gt_image_create(&image, GT_U8, 1, height, width));
    GT_TRY_OUT(gt_image_create(&map, GT_U8, 1, height, width));
    GT_TRY_OUT(tissue_fill(&t));
    uint8_t *truth = gt_image_get_view(map).data;
    uint8_t *grey = gt_image_get_view(image).data;
    paint(&t, truth);
    add_vesicles(&t, truth);
    add_noise(&t, 36);
    blur(&t);
    add_noise(&t, 12);
    for (size_t i = 0; i < (size_t)width * (size_t)height; i++) {
        float v = roundf(t.canvas[i]);
        grey[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
    *raw = image;
    *labels = map;
    image = NULL;
    map = NULL;
out:
    tissue_release(&t);
    gt_image_free(image);
    gt_image_free(map);
    return status;
}
