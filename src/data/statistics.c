/* Minimum and maximum, mean and variance, percentiles. SPDX-License-Identifier: BSD-2-Clause
 *
 * Percentiles are exact for any float: the bits of a float, turned so that they sort like the
 * value, are counted by their upper half in a first round and by their lower half, within the at
 * most four bins that hold the wanted ranks, in a second. Integers from 0 to 255 have no lower
 * half, so they need no second round. */
#include "data/statistics.h"

#include "core/error.h"
#include "core/mem.h"

#include <math.h>
#include <string.h>

#define BINS ((size_t)1 << 16)
#define RANKS 4 /* two neighbours of each of two percentiles */

/* The value of one rank (0: the least of all). */
struct rank {
    uint64_t rank;
    uint64_t before; /* values in bins below its bin */
    uint32_t bin;    /* upper half of its key */
    uint64_t *fine;  /* [BINS] by lower half */
    float value;
};

struct gt_statistics {
    gt_normalise kind;
    double percent[2];
    bool wanted, refine; /* refine: this is the second round of percentiles */
    uint64_t count;
    float least, most;
    double mean, squares; /* sum of squared differences from the mean */
    uint64_t *coarse;     /* [BINS] by upper half */
    uint32_t low_bits;    /* all lower halves, or-ed */
    struct rank ranks[RANKS];
    double share[2]; /* of the upper neighbour */
};

void gt__value_map(float *values, size_t n, const struct gt_value_map *map)
{
    float low = map->low;
    float scale = map->scale;
    float offset = map->offset;
    for (size_t i = 0; i < n; i++) {
        values[i] = (values[i] - low) * scale + offset;
    }
    for (size_t i = 0; map->cut && i < n; i++) {
        float v = values[i];
        v = v < -1.0F ? -1.0F : v;
        values[i] = v > 1.0F ? 1.0F : v;
    }
}

size_t gt__statistics_bytes(const gt_preprocess *options)
{
    bool counts = options->normalise == GT_NORMALISE_PERCENTILE;
    return sizeof(struct gt_statistics) + (counts ? (RANKS + 1) * BINS * sizeof(uint64_t) : 0);
}

gt_status gt__statistics_create(struct gt_statistics **out, const gt_preprocess *options)
{
    struct gt_statistics *s = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc(&s, 1, sizeof *s, "statistics of an image"));
    s->kind = options->normalise;
    s->percent[0] = options->low;
    s->percent[1] = options->high;
    s->wanted = s->kind != GT_NORMALISE_NONE;
    s->least = INFINITY;
    s->most = -INFINITY;
    if (s->kind == GT_NORMALISE_PERCENTILE) {
        GT_TRY_OUT(gt__alloc(&s->coarse, BINS, sizeof *s->coarse, "counts for percentiles"));
    }
    *out = s;
    s = NULL;
out:
    gt__statistics_free(s);
    return status;
}

void gt__statistics_free(struct gt_statistics *s)
{
    if (s) {
        for (size_t i = 0; i < RANKS; i++) {
            gt__free(s->ranks[i].fine);
        }
        gt__free(s->coarse);
        gt__free(s);
    }
}

bool gt__statistics_wanted(const struct gt_statistics *s)
{
    return s->wanted;
}

/* ---- rows ---- */

/* Sorts as the value does. */
static uint32_t key_of(float value)
{
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 31 ? ~bits : bits | UINT32_C(0x80000000);
}

static float value_of(uint32_t key)
{
    uint32_t bits = key >> 31 ? key & UINT32_C(0x7fffffff) : ~key;
    float value = 0.0F;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void add_range(struct gt_statistics *s, const float *row, size_t n)
{
    float least = s->least;
    float most = s->most;
    for (size_t i = 0; i < n; i++) {
        least = row[i] < least ? row[i] : least;
        most = row[i] > most ? row[i] : most;
    }
    s->least = least;
    s->most = most;
}

/* Mean and squares of the row, then of both together (Chan, Golub, LeVeque 1979): no difference of
 * large sums. */
static void add_moments(struct gt_statistics *s, const float *row, size_t n)
{
    double sum = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)row[i];
    }
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        double d = (double)row[i] - mean;
        squares += d * d;
    }
    double all = (double)s->count + (double)n;
    double delta = mean - s->mean;
    s->squares += squares + delta * delta * ((double)s->count * (double)n / all);
    s->mean += delta * ((double)n / all);
}

static void add_counts(struct gt_statistics *s, const float *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = 0;
        memcpy(&bits, &row[i], sizeof bits);
        s->low_bits |= bits;
        s->coarse[key_of(row[i]) >> 16]++;
    }
}

static void add_refined(struct gt_statistics *s, const float *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t key = key_of(row[i]);
        for (size_t k = 0; k < RANKS; k++) {
            if (key >> 16 == s->ranks[k].bin) {
                s->ranks[k].fine[key & (BINS - 1)]++;
            }
        }
    }
}

void gt__statistics_row(struct gt_statistics *s, const float *row, size_t n)
{
    if (s->refine) {
        add_refined(s, row, n);
        return;
    }
    add_range(s, row, n);
    if (s->kind == GT_NORMALISE_MEANVAR) {
        add_moments(s, row, n);
    } else if (s->kind == GT_NORMALISE_PERCENTILE) {
        add_counts(s, row, n);
    }
    s->count += n;
}

/* ---- rounds ---- */

/* Bin that holds a rank; *before: values in bins below. */
static uint32_t find_bin(uint64_t *before, const uint64_t *bins, uint64_t rank)
{
    uint64_t below = 0;
    uint32_t bin = 0;
    while (bin < BINS - 1 && below + bins[bin] <= rank) {
        below += bins[bin++];
    }
    *before = below;
    return bin;
}

static void place_ranks(struct gt_statistics *s)
{
    for (size_t i = 0; i < 2; i++) {
        double at = (double)(s->count - 1) * (s->percent[i] / 100.0);
        uint64_t lower = (uint64_t)at;
        lower = lower < s->count - 1 ? lower : s->count - 1;
        s->share[i] = at - (double)lower;
        s->ranks[2 * i].rank = lower;
        s->ranks[2 * i + 1].rank = lower + 1 < s->count ? lower + 1 : lower;
    }
    for (size_t k = 0; k < RANKS; k++) {
        struct rank *r = &s->ranks[k];
        r->bin = find_bin(&r->before, s->coarse, r->rank);
        r->value = value_of(r->bin << 16 | (r->bin >> 15 ? 0 : UINT32_C(0xffff)));
    }
}

gt_status gt__statistics_end_round(struct gt_statistics *s)
{
    if (s->refine) {
        for (size_t k = 0; k < RANKS; k++) {
            struct rank *r = &s->ranks[k];
            uint64_t before = 0;
            r->value = value_of(r->bin << 16 | find_bin(&before, r->fine, r->rank - r->before));
        }
    } else if (s->kind == GT_NORMALISE_PERCENTILE) {
        place_ranks(s);
        s->refine = (s->low_bits & (BINS - 1)) != 0;
        for (size_t k = 0; s->refine && k < RANKS; k++) {
            GT_TRY(gt__alloc(&s->ranks[k].fine, BINS, sizeof(uint64_t), "counts for percentiles"));
        }
        s->wanted = s->refine;
        return GT_OK;
    }
    s->wanted = false;
    return GT_OK;
}

/* ---- the scale ---- */

static gt_status fail_range(float low, float high)
{
    return gt__fail(GT_ENUMERIC, "values from %g to %g cannot be normalised", (double)low,
                    (double)high);
}

static gt_status map_range(struct gt_value_map *out, float low, float high, bool cut)
{
    float scale = high > low ? 2.0F / (high - low) : 0.0F;
    if (!isfinite(high - low) || !isfinite(scale)) {
        return fail_range(low, high);
    }
    *out = (struct gt_value_map){low, scale, -1.0F, cut};
    return GT_OK;
}

static gt_status map_moments(struct gt_value_map *out, const struct gt_statistics *s)
{
    double deviation = sqrt(s->squares / (double)s->count);
    float scale = deviation > 0.0 ? (float)(1.0 / deviation) : 0.0F;
    if (!isfinite(scale) || !isfinite((float)deviation)) {
        return gt__fail(GT_ENUMERIC, "values of standard deviation %g cannot be normalised",
                        deviation);
    }
    *out = (struct gt_value_map){(float)s->mean, scale, 0.0F, false};
    return GT_OK;
}

/* Between the neighbours of a percentile. */
static float percentile(const struct gt_statistics *s, size_t i)
{
    double a = (double)s->ranks[2 * i].value;
    double b = (double)s->ranks[2 * i + 1].value;
    return (float)(a + (b - a) * s->share[i]);
}

static gt_status map_kind(struct gt_value_map *out, const struct gt_statistics *s)
{
    if (s->kind == GT_NORMALISE_MINMAX) {
        return map_range(out, s->least, s->most, false);
    }
    if (s->kind == GT_NORMALISE_MEANVAR) {
        return map_moments(out, s);
    }
    if (s->kind == GT_NORMALISE_PERCENTILE) {
        return map_range(out, percentile(s, 0), percentile(s, 1), true);
    }
    *out = (struct gt_value_map){0.0F, 1.0F, 0.0F, false};
    return GT_OK;
}

gt_status gt__statistics_map(struct gt_value_map *out, const struct gt_statistics *s)
{
    struct gt_value_map map;
    GT_TRY(map_kind(&map, s));
    /* the distance of every value from `low` has to be a float */
    if (s->count > 0 && (!isfinite(s->most - map.low) || !isfinite(s->least - map.low))) {
        return fail_range(s->least, s->most);
    }
    *out = map;
    return GT_OK;
}
