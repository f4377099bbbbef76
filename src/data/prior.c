/* Which patches are drawn how often. SPDX-License-Identifier: BSD-2-Clause */
#include "data/prior.h"

#include "core/error.h"
#include "core/mem.h"

#include <math.h>

#define STRIP 256        /* columns summed at a time when a patch is drawn */
#define GAIN 0x1p44      /* of the rarest label; a label 2^30 times as frequent still has 2^14 */
#define PATCH_SUM 0x1p62 /* largest sum over a patch */

static uint64_t gain_at(const struct gt_prior *prior, uint16_t grey)
{
    return prior->gain[1 + prior->dataset->rank[grey]];
}

/* ---- a band of P rows ---- */

/* Add (sign 1) or drop (sign -1) a row of pixels. */
static void take_row(struct gt_band *band, int32_t y, bool drop)
{
    const struct gt_page *page = band->page;
    const uint16_t *grey = page->grey + (size_t)y * (size_t)page->width;
    for (int32_t x = 0; x < page->width; x++) {
        uint64_t gain = gain_at(band->prior, grey[x]);
        band->columns[x] = drop ? band->columns[x] - gain : band->columns[x] + gain;
    }
}

gt_status gt__band_open(struct gt_band *band, const struct gt_prior *prior,
                        const struct gt_page *page)
{
    *band = (struct gt_band){.prior = prior, .page = page};
    GT_TRY(gt__alloc(&band->columns, (size_t)page->width, sizeof *band->columns,
                     "sums of label weights"));
    for (int32_t y = 0; y < prior->patch; y++) {
        take_row(band, y, false);
    }
    return GT_OK;
}

void gt__band_next(uint64_t *patches, struct gt_band *band)
{
    int32_t patch = band->prior->patch;
    int32_t last = band->page->width - patch;
    uint64_t sum = 0;
    for (int32_t x = 0; x < patch; x++) {
        sum += band->columns[x];
    }
    for (int32_t x = 0; x < last; x++) {
        patches[x] = sum;
        sum += band->columns[x + patch] - band->columns[x];
    }
    patches[last] = sum;
    if (band->y + patch < band->page->height) {
        take_row(band, band->y, true);
        take_row(band, band->y + patch, false);
    }
    band->y++;
}

void gt__band_close(struct gt_band *band)
{
    gt__free(band->columns);
    band->columns = NULL;
}

/* ---- all patches ---- */

static void set_gains(struct gt_prior *prior, const double *frequency)
{
    double least = 0.0;
    double area = (double)prior->patch * prior->patch;
    double top = fmin(GAIN, floor(PATCH_SUM / area));
    for (int32_t k = 0; k < prior->dataset->fine; k++) {
        double f = frequency[k];
        least = f > 0.0 && (least == 0.0 || f < least) ? f : least;
    }
    for (int32_t k = 0; k < prior->dataset->fine; k++) {
        double f = frequency[k];
        prior->gain[1 + k] = f > 0.0 ? (uint64_t)fmax(1.0, round(top * (least / f))) : 0;
    }
    prior->unit = least > 0.0 ? 1.0 / (area * top * least) : 0.0;
}

static size_t rows_of(const struct gt_page *page, int32_t patch)
{
    return (size_t)(page->height - patch + 1);
}

/* sum  the running sum over all pages before, and after */
static gt_status sum_page(double *sum, struct gt_prior *prior, const struct gt_page *page)
{
    struct gt_band band = {0};
    uint64_t *patches = NULL;
    gt_status status = GT_OK;
    int32_t columns = page->width - prior->patch + 1;
    GT_TRY_OUT(gt__band_open(&band, prior, page));
    GT_TRY_OUT(
        gt__alloc_raw(&patches, (size_t)columns, sizeof *patches, "weights of a row of patches"));
    for (size_t y = 0; y < rows_of(page, prior->patch); y++) {
        double row = 0.0;
        gt__band_next(patches, &band);
        for (int32_t x = 0; x < columns; x++) {
            row += (double)patches[x];
        }
        *sum += row;
        prior->rows[prior->n_rows++] = *sum;
    }
out:
    gt__free(patches);
    gt__band_close(&band);
    return status;
}

gt_status gt__prior_create(struct gt_prior **out, const gt_dataset *dataset, int32_t patch,
                           const double *frequency)
{
    struct gt_prior *prior = NULL;
    gt_status status = GT_OK;
    double sum = 0.0;
    size_t rows = 0;
    GT_TRY(gt__alloc(&prior, 1, sizeof *prior, "a patch prior"));
    prior->dataset = dataset;
    prior->patch = patch;
    set_gains(prior, frequency);
    for (size_t i = 0; i < dataset->n_pages; i++) {
        rows += rows_of(&dataset->pages[i], patch);
    }
    GT_TRY_OUT(gt__alloc_raw(&prior->rows, rows, sizeof *prior->rows, "sums of patch weights"));
    for (size_t i = 0; i < dataset->n_pages; i++) {
        GT_TRY_OUT(sum_page(&sum, prior, &dataset->pages[i]));
    }
    if (sum <= 0.0) {
        status = gt__fail(GT_EINVAL, "no pixel of the %zu images has a label", dataset->n_pages);
        goto out;
    }
    *out = prior;
    prior = NULL;
out:
    gt__prior_free(prior);
    return status;
}

void gt__prior_free(struct gt_prior *prior)
{
    if (prior) {
        gt__free(prior->rows);
        gt__free(prior);
    }
}

/* ---- drawing ---- */

/* Sums of gains over P rows from y on, for columns x to x + n - 1. */
static void sum_columns(uint64_t *sums, const struct gt_prior *prior, const struct gt_place *at,
                        int32_t n)
{
    const uint16_t *grey = at->page->grey + (size_t)at->y * (size_t)at->page->width + at->x;
    for (int32_t j = 0; j < n; j++) {
        sums[j] = 0;
    }
    for (int32_t i = 0; i < prior->patch; i++, grey += at->page->width) {
        for (int32_t j = 0; j < n; j++) {
            sums[j] += gain_at(prior, grey[j]);
        }
    }
}

static int32_t min_i32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static uint64_t first_patch(const struct gt_prior *prior, struct gt_place at)
{
    uint64_t sums[STRIP];
    uint64_t sum = 0;
    for (at.x = 0; at.x < prior->patch; at.x += STRIP) {
        int32_t n = min_i32(STRIP, prior->patch - at.x);
        sum_columns(sums, prior, &at, n);
        for (int32_t j = 0; j < n; j++) {
            sum += sums[j];
        }
    }
    return sum;
}

/* The patch of row at.y where the running sum passes `target`; the last one that has a weight if
 * rounding keeps it from doing so. */
static int32_t find_column(const struct gt_prior *prior, struct gt_place at, double target)
{
    uint64_t leaving[STRIP];
    uint64_t entering[STRIP];
    int32_t columns = at.page->width - prior->patch + 1;
    int32_t found = 0;
    uint64_t patch = first_patch(prior, at);
    double sum = 0.0;
    for (int32_t x = 0; x < columns; x += STRIP) {
        int32_t n = min_i32(STRIP, columns - x);
        int32_t more = min_i32(n, columns - 1 - x); /* the last patch has none to its right */
        sum_columns(leaving, prior, &(struct gt_place){at.page, at.y, x}, more);
        sum_columns(entering, prior, &(struct gt_place){at.page, at.y, x + prior->patch}, more);
        for (int32_t j = 0; j < n; j++) {
            sum += (double)patch;
            found = patch > 0 ? x + j : found;
            if (sum > target) {
                return found;
            }
            patch += j < more ? entering[j] - leaving[j] : 0;
        }
    }
    return found;
}

/* First row whose running sum passes the target; rows without a weight do not. */
static size_t find_row(const struct gt_prior *prior, double target)
{
    size_t low = 0;
    size_t high = prior->n_rows - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (prior->rows[middle] > target) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    while (low > 0 && prior->rows[low] <= prior->rows[low - 1]) {
        low--; /* u times the sum was rounded up to the sum */
    }
    return low;
}

struct gt_place gt__prior_draw(const struct gt_prior *prior, double u)
{
    double target = u * prior->rows[prior->n_rows - 1];
    size_t row = find_row(prior, target);
    const struct gt_page *page = prior->dataset->pages;
    target -= row > 0 ? prior->rows[row - 1] : 0.0;
    while (row >= rows_of(page, prior->patch)) {
        row -= rows_of(page, prior->patch);
        page++;
    }
    struct gt_place at = {page, (int32_t)row, 0};
    at.x = find_column(prior, at, target);
    return at;
}
