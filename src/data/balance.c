/* Label equalisation: frequencies, and what follows from them. Source: Tschopp 2015,
 * arXiv:1509.03371. SPDX-License-Identifier: BSD-2-Clause */
#include "data/balance.h"

#include "core/error.h"
#include "core/mem.h"
#include "core/random.h"
#include "data/coverage.h"

#define MAX_BOOST 1e6F

static gt_status check_boost(float boost, const char *what, int32_t index)
{
    if (boost > 0.0F && boost <= MAX_BOOST) { /* false for NaN */
        return GT_OK;
    }
    return index < 0 ? gt__fail(GT_EINVAL, "%s boost is %g, expected above 0 to %g", what,
                                (double)boost, (double)MAX_BOOST)
                     : gt__fail(GT_EINVAL, "%s boost %d is %g, expected above 0 to %g", what, index,
                                (double)boost, (double)MAX_BOOST);
}

static bool changes(float boost)
{
    return boost < 1.0F || boost > 1.0F;
}

static gt_status check_weights(const struct gt_balance_options *o, int32_t fine)
{
    const gt_equalise_options *w = &o->weights;
    bool mask = o->equalise & GT_EQUALISE_MASK;
    GT_TRY(check_boost(w->border_boost, "border", -1));
    for (int32_t k = 0; k < GT_MAX_LABELS; k++) {
        GT_TRY(check_boost(w->label_boost[k], "label", k));
        if (k >= fine && changes(w->label_boost[k])) {
            return gt__fail(GT_EINVAL, "label boost %d is %g, but there are %d labels", k,
                            (double)w->label_boost[k], fine);
        }
        if (!mask && changes(w->label_boost[k])) {
            return gt__fail(GT_EINVAL, "label boost %d is %g, but only masking uses it", k,
                            (double)w->label_boost[k]);
        }
    }
    if (!mask && changes(w->border_boost)) {
        return gt__fail(GT_EINVAL, "border boost is %g, but only masking uses it",
                        (double)w->border_boost);
    }
    if (w->border_width < 1 || w->border_width > GT_MAX_BORDER) {
        return gt__fail(GT_EINVAL, "border width is %d, expected 1 to %d", w->border_width,
                        GT_MAX_BORDER);
    }
    if (changes(w->border_boost) && o->patch == 1) {
        return gt__fail(GT_EINVAL, "border boost is %g, but patches of one pixel have no borders",
                        (double)w->border_boost);
    }
    return GT_OK;
}

static gt_status check_pages(const gt_dataset *dataset, int32_t patch)
{
    for (size_t i = 0; i < dataset->n_pages; i++) {
        const struct gt_page *page = &dataset->pages[i];
        if (patch < 1 || patch > page->width || patch > page->height) {
            return gt__fail(GT_ESHAPE, "a patch of %d pixels does not fit image %zu, %d x %d",
                            patch, i + 1, page->width, page->height);
        }
    }
    return GT_OK;
}

/* ---- frequencies ---- */

/* Fine labels of a page as a map, -1: ignored, borders marked. */
static gt_status map_page(float **out, const gt_dataset *dataset, const struct gt_page *page,
                          int32_t border_width)
{
    size_t n = (size_t)page->width * (size_t)page->height;
    float *map = NULL;
    GT_TRY(gt__alloc_raw(&map, n, sizeof *map, "a map of label borders"));
    for (size_t i = 0; i < n; i++) {
        map[i] = dataset->rank[page->grey[i]];
    }
    gt__mark_borders(map, page->width, page->height, border_width);
    *out = map;
    return GT_OK;
}

/* count  [2 * GT_MAX_LABELS] receives the weights of pixels in addition, borders behind the rest */
static gt_status count_page(double *count, const struct gt_balance *b, const gt_dataset *dataset,
                            const struct gt_page *page, int32_t patch)
{
    gt_status status = GT_OK;
    struct gt_coverage coverage = {0};
    double *weights = NULL;
    float *map = NULL;
    GT_TRY_OUT(gt__coverage_open(&coverage, page, patch, b->prior));
    GT_TRY_OUT(gt__alloc_raw(&weights, (size_t)page->width, sizeof *weights, "weights of pixels"));
    if (b->border_width > 0) {
        GT_TRY_OUT(map_page(&map, dataset, page, b->border_width));
    }
    for (int32_t y = 0; y < page->height; y++) {
        size_t first = (size_t)y * (size_t)page->width;
        gt__coverage_next(weights, &coverage);
        for (int32_t x = 0; x < page->width; x++) {
            size_t at = first + (size_t)x;
            int32_t k = map ? (int32_t)map[at] : dataset->rank[page->grey[at]];
            if (k >= 0) {
                count[k] += weights[x];
            }
        }
    }
out:
    gt__free(map);
    gt__free(weights);
    gt__coverage_close(&coverage);
    return status;
}

/* Frequencies under the present prior, and the counts they come from. */
static gt_status take_census(double *frequency, double *count, const struct gt_balance *b,
                             const gt_dataset *dataset, int32_t patch)
{
    double sum = 0.0;
    for (int32_t k = 0; k < 2 * GT_MAX_LABELS; k++) {
        count[k] = 0.0;
    }
    for (size_t i = 0; i < dataset->n_pages; i++) {
        GT_TRY(count_page(count, b, dataset, &dataset->pages[i], patch));
    }
    for (int32_t k = 0; k < 2 * GT_MAX_LABELS; k++) {
        sum += count[k];
    }
    for (int32_t k = 0; k < GT_MAX_LABELS; k++) {
        frequency[k] = sum > 0.0 ? (count[k] + count[GT_MAX_LABELS + k]) / sum : 0.0;
    }
    return GT_OK;
}

/* ---- masking ---- */

/* With counts a_k away from borders and e_k at borders, boosts beta_k and B: keep(k) proportional to
 * beta_k / (a_k + B e_k), at borders B times that; the largest is 1. So label k is beta_k of what is
 * kept, and B distributes it within the label. Labels that do not occur keep all. */
static void set_keep(struct gt_balance *b, const double *count, const gt_equalise_options *w)
{
    double share[2 * GT_MAX_LABELS] = {0.0};
    double most = 0.0;
    double all = 0.0;
    double kept = 0.0;
    double boost = b->border_width > 0 ? (double)w->border_boost : 1.0;
    for (int32_t k = 0; k < GT_MAX_LABELS; k++) {
        double at_border = count[GT_MAX_LABELS + k];
        double sum = count[k] + boost * at_border;
        share[k] = sum > 0.0 ? (double)w->label_boost[k] / sum : 0.0;
        share[GT_MAX_LABELS + k] = boost * share[k];
        most = count[k] > 0.0 && share[k] > most ? share[k] : most;
        most = at_border > 0.0 && boost * share[k] > most ? boost * share[k] : most;
    }
    for (int32_t k = 0; k < 2 * GT_MAX_LABELS; k++) {
        bool known = count[k] > 0.0;
        b->keep[k] = known ? (float)(share[k] / most) : 1.0F;
        all += count[k];
        kept += known ? count[k] * (share[k] / most) : 0.0;
    }
    for (int32_t k = 0; k < GT_MAX_LABELS; k++) {
        double own = count[k] * share[k] + count[GT_MAX_LABELS + k] * share[GT_MAX_LABELS + k];
        b->kept[k] = kept > 0.0 ? own / most / kept : 0.0;
    }
    b->kept_share = all > 0.0 ? kept / all : 1.0;
}

static gt_status fill(struct gt_balance *b, const gt_dataset *dataset,
                      const struct gt_balance_options *o)
{
    double count[2 * GT_MAX_LABELS];
    b->mask = o->equalise & GT_EQUALISE_MASK;
    b->border_width = changes(o->weights.border_boost) ? o->weights.border_width : 0;
    b->kept_share = 1.0;
    GT_TRY(take_census(b->images, count, b, dataset, o->patch));
    for (int32_t k = 0; k < GT_MAX_LABELS; k++) {
        b->drawn[k] = b->images[k];
    }
    if (o->equalise & GT_EQUALISE_PRIOR) {
        GT_TRY(gt__prior_create(&b->prior, dataset, o->patch, b->images));
        GT_TRY(take_census(b->drawn, count, b, dataset, o->patch));
    }
    for (int32_t k = 0; k < GT_MAX_LABELS; k++) {
        b->kept[k] = b->drawn[k];
    }
    if (b->mask) {
        set_keep(b, count, &o->weights);
    }
    return GT_OK;
}

gt_status gt__balance_create(struct gt_balance **out, gt_dataset *dataset,
                             const struct gt_balance_options *options)
{
    struct gt_balance *b = NULL;
    GT_TRY(gt__dataset_ready(dataset));
    GT_TRY(check_pages(dataset, options->patch));
    GT_TRY(check_weights(options, dataset->fine));
    GT_TRY(gt__alloc(&b, 1, sizeof *b, "the balance of labels"));
    gt_status status = fill(b, dataset, options);
    if (status != GT_OK) {
        gt__balance_free(b);
        return status;
    }
    *out = b;
    return GT_OK;
}

void gt__balance_free(struct gt_balance *balance)
{
    if (balance) {
        gt__prior_free(balance->prior);
        gt__free(balance);
    }
}

void gt__balance_mask(float *labels, const struct gt_balance *balance, int32_t patch, uint64_t key,
                      uint64_t sample)
{
    if (!balance->mask) {
        return;
    }
    if (balance->border_width > 0) {
        gt__mark_borders(labels, patch, patch, balance->border_width);
    }
    struct gt_random random = gt__random_open(key, GT_STREAM_MASK, sample);
    size_t pixels = (size_t)patch * (size_t)patch;
    for (size_t i = 0; i < pixels; i++) {
        float u = gt__random_f32(&random);
        if (labels[i] < 0.0F) {
            continue;
        }
        bool keep = u < balance->keep[(int32_t)labels[i]];
        labels[i] -= labels[i] >= GT_MAX_LABELS ? (float)GT_MAX_LABELS : 0.0F;
        labels[i] = keep ? labels[i] : -1.0F;
    }
}
