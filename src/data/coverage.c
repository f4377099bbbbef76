/* How often pixels lie in a patch. SPDX-License-Identifier: BSD-2-Clause */
#include "data/coverage.h"

#include "core/error.h"
#include "core/mem.h"

/* Patches of side p that hold pixel x of n. */
static double holds(int32_t x, int32_t n, int32_t p)
{
    int32_t a = x + 1 < n - x ? x + 1 : n - x;
    int32_t b = p < n - p + 1 ? p : n - p + 1;
    return a < b ? a : b;
}

gt_status gt__coverage_open(struct gt_coverage *c, const struct gt_page *page, int32_t patch,
                            const struct gt_prior *prior)
{
    size_t columns = (size_t)(page->width - patch + 1);
    gt_status status = GT_OK;
    *c = (struct gt_coverage){.prior = prior, .page = page, .patch = patch};
    if (!prior) {
        return GT_OK;
    }
    GT_TRY_OUT(gt__band_open(&c->enter, prior, page));
    GT_TRY_OUT(gt__band_open(&c->leave, prior, page));
    GT_TRY_OUT(gt__alloc_raw(&c->patches, columns, sizeof *c->patches, "weights of patches"));
    GT_TRY_OUT(gt__alloc(&c->columns, columns, sizeof *c->columns, "sums of patch weights"));
out:
    if (status != GT_OK) {
        gt__coverage_close(c);
    }
    return status;
}

static void add_patches(struct gt_coverage *c, struct gt_band *band, double sign)
{
    gt__band_next(c->patches, band);
    for (int32_t x = 0; x <= c->page->width - c->patch; x++) {
        c->columns[x] += sign * (double)c->patches[x];
    }
}

void gt__coverage_next(double *row, struct gt_coverage *c)
{
    const struct gt_page *page = c->page;
    int32_t last = page->width - c->patch;
    int32_t y = c->y++;
    if (!c->prior) {
        for (int32_t x = 0; x < page->width; x++) {
            row[x] = holds(y, page->height, c->patch) * holds(x, page->width, c->patch);
        }
        return;
    }
    if (y <= page->height - c->patch) {
        add_patches(c, &c->enter, 1.0);
    }
    if (y >= c->patch) {
        add_patches(c, &c->leave, -1.0);
    }
    double sum = 0.0;
    for (int32_t x = 0; x < page->width; x++) {
        sum += x <= last ? c->columns[x] : 0.0;
        sum -= x >= c->patch ? c->columns[x - c->patch] : 0.0;
        row[x] = sum > 0.0 ? sum : 0.0; /* what rounding left of nothing */
    }
}

void gt__coverage_close(struct gt_coverage *c)
{
    gt__band_close(&c->enter);
    gt__band_close(&c->leave);
    gt__free(c->patches);
    gt__free(c->columns);
    *c = (struct gt_coverage){0};
}
