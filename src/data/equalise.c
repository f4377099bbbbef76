/* Label equalisation by masking: how many pixels of each label keep it. Source: the masking of
 * Tschopp 2015, arXiv:1509.03371, with exact patch counts. SPDX-License-Identifier: BSD-2-Clause */
#include "core/error.h"
#include "core/mem.h"
#include "data/dataset.h"
#include "data/sample.h"

/* Patches of side p that cover pixel x of n. */
static double covers(int32_t x, int32_t n, int32_t p)
{
    int32_t a = x + 1 < n - x ? x + 1 : n - x;
    int32_t b = p < n - p + 1 ? p : n - p + 1;
    return a < b ? a : b;
}

static void count_page(double *frequency, const gt_dataset *dataset, const struct gt_page *page,
                       int32_t patch)
{
    for (int32_t y = 0; y < page->height; y++) {
        const uint16_t *grey = page->grey + (size_t)y * (size_t)page->width;
        double rows = covers(y, page->height, patch);
        for (int32_t x = 0; x < page->width; x++) {
            int16_t label = dataset->rank[grey[x]];
            if (label >= 0) {
                frequency[label] += rows * covers(x, page->width, patch);
            }
        }
    }
}

gt_status gt__label_keep(float *keep, double *frequency, gt_dataset *dataset, int32_t patch)
{
    double f[GT_MAX_LABELS] = {0};
    double sum = 0.0;
    double least = 0.0;
    GT_TRY(gt__dataset_ready(dataset));
    for (size_t i = 0; i < dataset->n_pages; i++) {
        const struct gt_page *page = &dataset->pages[i];
        if (patch < 1 || patch > page->width || patch > page->height) {
            return gt__fail(GT_ESHAPE, "a patch of %d pixels does not fit image %zu, %d x %d",
                            patch, i, page->width, page->height);
        }
        count_page(f, dataset, page, patch);
    }
    for (int32_t k = 0; k < dataset->labels; k++) {
        sum += f[k];
        least = f[k] > 0.0 && (least == 0.0 || f[k] < least) ? f[k] : least;
    }
    for (int32_t k = 0; k < GT_MAX_LABELS; k++) {
        keep[k] = f[k] > 0.0 ? (float)(least / f[k]) : 1.0F;
        if (frequency) {
            frequency[k] = sum > 0.0 ? f[k] / sum : 0.0;
        }
    }
    return GT_OK;
}
