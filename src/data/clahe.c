/* CLAHE as OpenCV 3.4 and later compute it for 8 bits, extended to any values.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tiles have equal sizes; where the grid does not divide the page, the page is thought to go on to
 * the right and below, mirrored without the edge pixel. A pixel is looked up in the tables of the
 * four tiles around it and interpolated. All in float and in the order of OpenCV: 8-bit pages give
 * its bits. Source: Zuiderveld 1994, Graphics Gems IV, 474-485. */
#include "data/clahe.h"

#include "core/error.h"
#include "core/mem.h"
#include "core/shape.h"

#include <math.h>

#define BINS GT_CLAHE_BINS

struct gt_clahe {
    struct gt_clahe_options o;
    int32_t tile_width, tile_height;
    bool bytes; /* all values are integers from 0 to 255 */
    float low, high, scale;
    uint64_t *counts; /* [channels][grid][grid][BINS] */
    float *tables;    /* the same, what a bin becomes */
};

static size_t entries(int32_t grid, int32_t channels)
{
    return (size_t)grid * (size_t)grid * (size_t)channels * BINS;
}

size_t gt__clahe_bytes(int32_t grid, int32_t channels)
{
    return sizeof(struct gt_clahe) + entries(grid, channels) * (sizeof(uint64_t) + sizeof(float));
}

/* OpenCV extends both sides as soon as the grid does not divide one: then a side that it divides
 * grows by a whole grid, and its tiles by 1. */
static void choose_tiles(struct gt_clahe *h)
{
    int32_t g = h->o.grid;
    bool whole = h->o.width % g == 0 && h->o.height % g == 0;
    h->tile_width = h->o.width / g + (whole ? 0 : 1);
    h->tile_height = h->o.height / g + (whole ? 0 : 1);
}

gt_status gt__clahe_create(struct gt_clahe **out, const struct gt_clahe_options *options)
{
    struct gt_clahe *h = NULL;
    gt_status status = GT_OK;
    size_t n = entries(options->grid, options->channels);
    GT_TRY_OUT(gt__alloc(&h, 1, sizeof *h, "CLAHE"));
    h->o = *options;
    h->bytes = true;
    h->low = INFINITY;
    h->high = -INFINITY;
    choose_tiles(h);
    GT_TRY_OUT(gt__alloc(&h->counts, n, sizeof *h->counts, "histograms of CLAHE"));
    GT_TRY_OUT(gt__alloc_raw(&h->tables, n, sizeof *h->tables, "tables of CLAHE"));
    *out = h;
    h = NULL;
out:
    gt__clahe_free(h);
    return status;
}

void gt__clahe_free(struct gt_clahe *h)
{
    if (h) {
        gt__free(h->counts);
        gt__free(h->tables);
        gt__free(h);
    }
}

void gt__clahe_range(struct gt_clahe *h, const float *row)
{
    for (int32_t x = 0; x < h->o.width; x++) {
        float v = row[x];
        h->low = v < h->low ? v : h->low;
        h->high = v > h->high ? v : h->high;
        h->bytes = h->bytes && v >= 0.0F && v <= 255.0F && v <= floorf(v);
    }
    /* half of both first: the difference of finite values may be none */
    float half = h->high / 2 - h->low / 2;
    h->scale = half > 0.0F ? (BINS - 1) / half / 2 : 0.0F;
}

/* Place of a value on the scale of the bins, 0 to 255. */
static float place(const struct gt_clahe *h, float v)
{
    /* cut: the difference may be infinite, and a file may change while it is read */
    float at = h->bytes ? v : (v - h->low) * h->scale;
    at = at > 0.0F ? at : 0.0F;
    return at < BINS - 1 ? at : BINS - 1;
}

static size_t tile_at(const struct gt_clahe *h, int32_t c, int32_t ty, int32_t tx)
{
    size_t grid = (size_t)h->o.grid;
    return (((size_t)c * grid + (size_t)ty) * grid + (size_t)tx) * BINS;
}

/* Index below n >= 1 that is seen at i >= 0, mirrored without the edge: a b c | b a | b c ... */
static int32_t mirror_101(int32_t i, int32_t n)
{
    int32_t period = n > 1 ? 2 * (n - 1) : 1;
    int32_t at = i % period;
    return at < n ? at : period - at;
}

static void count_row(struct gt_clahe *h, int32_t c, int32_t ty, const float *row)
{
    int32_t x = 0;
    for (int32_t tx = 0; tx < h->o.grid; tx++) {
        uint64_t *counts = h->counts + tile_at(h, c, ty, tx);
        for (int32_t i = 0; i < h->tile_width; i++, x++) {
            int32_t from = x < h->o.width ? x : mirror_101(x, h->o.width);
            counts[(int32_t)(place(h, row[from]) + 0.5F)]++;
        }
    }
}

/* A row counts in its tiles and, near the lower edge, again where it is seen below the page. */
void gt__clahe_count(struct gt_clahe *h, int32_t c, int32_t y, const float *row)
{
    count_row(h, c, y / h->tile_height, row);
    for (int32_t below = h->o.height; below < h->o.grid * h->tile_height; below++) {
        if (mirror_101(below, h->o.height) == y) {
            count_row(h, c, below / h->tile_height, row);
        }
    }
}

/* Cut the counts to the limit and spread what was cut: equally, the rest with equal stride. */
static void clip_counts(uint64_t *counts, uint64_t limit)
{
    uint64_t excess = 0;
    for (size_t i = 0; i < BINS; i++) {
        if (counts[i] > limit) {
            excess += counts[i] - limit;
            counts[i] = limit;
        }
    }
    uint64_t rest = excess % BINS;
    for (size_t i = 0; i < BINS; i++) {
        counts[i] += excess / BINS;
    }
    for (size_t i = 0; rest > 0 && i < BINS; i += BINS / (size_t)(excess % BINS)) {
        counts[i]++;
        rest--;
    }
}

void gt__clahe_tables(struct gt_clahe *h)
{
    uint64_t area = (uint64_t)h->tile_width * (uint64_t)h->tile_height;
    double limit = h->o.clip * (double)area / BINS;
    float scale = (float)(BINS - 1) / (float)area;
    size_t n = entries(h->o.grid, h->o.channels);
    for (size_t tile = 0; tile < n; tile += BINS) {
        uint64_t sum = 0;
        clip_counts(h->counts + tile, limit < 1.0 ? 1 : (uint64_t)limit);
        for (size_t i = 0; i < BINS; i++) {
            sum += h->counts[tile + i];
            float value = (float)sum * scale;
            value = value < BINS - 1 ? value : BINS - 1;
            h->tables[tile + i] = h->bytes ? rintf(value) : value;
        }
    }
}

/* Tiles on both sides of a pixel along one axis, and the weight of the second. */
struct sides {
    int32_t first, second;
    float weight;
};

static struct sides sides_of(int32_t at, int32_t tile, int32_t grid)
{
    float place = (float)at * (1.0F / (float)tile) - 0.5F;
    float below = floorf(place);
    int32_t first = (int32_t)below;
    return (struct sides){first < 0 ? 0 : first, first + 1 < grid ? first + 1 : grid - 1,
                          place - below};
}

/* What a table makes of a place: exact at the bins, linear between. */
static float look_up(const float *table, float at)
{
    int32_t bin = (int32_t)at;
    float share = at - (float)bin;
    return share > 0.0F ? table[bin] + (table[bin + 1] - table[bin]) * share : table[bin];
}

void gt__clahe_apply(const struct gt_clahe *h, int32_t c, int32_t y, float *row)
{
    struct sides v = sides_of(y, h->tile_height, h->o.grid);
    const float *above = h->tables + tile_at(h, c, v.first, 0);
    const float *below = h->tables + tile_at(h, c, v.second, 0);
    for (int32_t x = 0; x < h->o.width; x++) {
        struct sides u = sides_of(x, h->tile_width, h->o.grid);
        size_t left = (size_t)u.first * BINS;
        size_t right = (size_t)u.second * BINS;
        float at = place(h, row[x]);
        float wl = 1.0F - u.weight;
        float upper = look_up(above + left, at) * wl + look_up(above + right, at) * u.weight;
        float lower = look_up(below + left, at) * wl + look_up(below + right, at) * u.weight;
        float value = upper * (1.0F - v.weight) + lower * v.weight;
        row[x] = h->bytes ? rintf(value) : value;
    }
}
