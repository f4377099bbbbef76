/* From grey values to fine labels, and from these to labels. SPDX-License-Identifier: BSD-2-Clause */
#include "data/dataset.h"

#include "core/error.h"
#include "core/mem.h"

/* Surplus values that a message lists. */
#define LISTED 6

/* pixels  [GT_GREYS] how often each grey value occurs, ignored ones left out */
static void count_values(const gt_dataset *d, uint64_t *pixels)
{
    for (size_t i = 0; i < d->n_pages; i++) {
        const struct gt_page *page = &d->pages[i];
        size_t n = (size_t)page->width * (size_t)page->height;
        for (size_t k = 0; k < n; k++) {
            pixels[page->grey[k]]++;
        }
    }
    if (d->options.ignore_value >= 0) {
        pixels[d->options.ignore_value] = 0;
    }
}

/* Too many values: name the rarest ones, which are most likely the strays. */
static gt_status fail_surplus(uint64_t *pixels, int32_t found, int32_t wanted)
{
    struct gt_text text = {0};
    int32_t surplus = found - wanted;
    for (int32_t k = 0; k < surplus && k < LISTED; k++) {
        int32_t rarest = -1;
        for (int32_t v = 0; v < GT_GREYS; v++) {
            if (pixels[v] > 0 && (rarest < 0 || pixels[v] < pixels[rarest])) {
                rarest = v;
            }
        }
        gt__text_add(&text, "%s%d (%llu pixels)", k > 0 ? ", " : "", rarest,
                     (unsigned long long)pixels[rarest]);
        pixels[rarest] = 0;
    }
    if (surplus > LISTED) {
        gt__text_add(&text, " and %d more", surplus - LISTED);
    }
    char *list = NULL;
    GT_TRY(gt__text_take(&list, &text));
    gt_status status = gt__fail(
        GT_EFORMAT, "the label images hold %d different values, %d labels wanted; surplus: %s",
        found, wanted, list);
    gt__free(list);
    return status;
}

/* Fewer values than 2 labels: a mask keeps its meaning, 0 is label 0 and 1 or 255 label 1. Returns
 * whether the values are a mask's. */
static bool name_mask(gt_dataset *d, const uint64_t *pixels, int32_t found)
{
    bool zero = pixels[0] > 0;
    bool one = pixels[1] > 0;
    bool full = pixels[UINT8_MAX] > 0;
    if (d->fine != 2 || found != zero + one + full || (one && full)) {
        return false;
    }
    d->value[0] = 0;
    d->value[1] = one ? 1 : UINT8_MAX;
    return true;
}

/* Are there as many values as labels are expected? wanted 0: any number. */
static gt_status check_found(const gt_dataset *d, uint64_t *pixels, int32_t found, int32_t wanted)
{
    int32_t least = wanted > 0 ? 1 : 2;
    if (found > GT_MAX_LABELS) {
        return gt__fail(
            GT_EFORMAT,
            "the label images hold %d different values, at most %d labels are possible: "
            "this looks like an instance segmentation or a raw image",
            found, GT_MAX_LABELS);
    }
    if (wanted > 0 && found > wanted) {
        return fail_surplus(pixels, found, wanted);
    }
    if (d->options.consolidate.fine > 0 && found < wanted) {
        /* Which one is missing cannot be told, and all after it would be taken for another. */
        return gt__fail(GT_EFORMAT,
                        "the label images hold %d different values, %d labels are consolidated",
                        found, wanted);
    }
    if (found < least) {
        return gt__fail(GT_EFORMAT, "the label images hold %d different values, at least %d needed",
                        found, least);
    }
    return GT_OK;
}

/* Fine labels by grey values: their rank. */
static gt_status define_greys(gt_dataset *d, uint64_t *pixels, int32_t wanted)
{
    int32_t found = 0;
    for (int32_t v = 0; v < GT_GREYS; v++) {
        found += pixels[v] > 0;
    }
    GT_TRY(check_found(d, pixels, found, wanted));
    d->fine = wanted > 0 ? wanted : found;
    if (!name_mask(d, pixels, found)) {
        int32_t label = 0;
        for (int32_t v = 0; v < GT_GREYS; v++) {
            if (pixels[v] > 0) {
                d->value[label++] = v;
            }
        }
    }
    for (int32_t i = 0; i < d->fine; i++) {
        if (d->value[i] >= 0 && d->value[i] != d->options.ignore_value) {
            d->rank[d->value[i]] = (int16_t)i;
        }
    }
    return GT_OK;
}

/* Fine labels by sub-folders: the pages hold their indices. */
static gt_status define_folders(gt_dataset *d, const uint64_t *pixels, int32_t wanted)
{
    if (d->options.ignore_value >= 0) {
        return gt__fail(GT_EINVAL,
                        "ignore value %d, but the labels are given by sub-folders, not by values",
                        d->options.ignore_value);
    }
    if (d->options.consolidate.fine > 0 && d->folders != wanted) {
        return gt__fail(GT_EFORMAT, "%d sub-folders of labels, %d labels are consolidated",
                        d->folders, wanted);
    }
    for (int32_t v = d->folders; v < GT_GREYS; v++) {
        if (pixels[v] > 0) {
            return gt__fail(GT_EFORMAT, "label %d among labels of %d sub-folders", v, d->folders);
        }
    }
    d->fine = wanted > d->folders ? wanted : d->folders;
    for (int32_t i = 0; i < d->folders; i++) {
        d->rank[i] = (int16_t)i;
    }
    return GT_OK;
}

static void define_targets(gt_dataset *d)
{
    const gt_consolidation *c = &d->options.consolidate;
    d->labels = d->options.labels;
    for (int32_t i = 0; i < d->fine; i++) {
        d->target[i] = c->fine > 0 ? c->label[i] : i;
        d->labels = d->target[i] >= d->labels ? d->target[i] + 1 : d->labels;
    }
    for (int32_t v = 0; v < GT_GREYS; v++) {
        if (d->rank[v] >= 0 && d->target[d->rank[v]] < 0) {
            d->rank[v] = -1;
        }
    }
}

static gt_status define(gt_dataset *d, uint64_t *pixels)
{
    const gt_dataset_options *o = &d->options;
    int32_t wanted = o->consolidate.fine > 0 ? o->consolidate.fine : o->labels;
    for (int32_t i = 0; i < GT_MAX_LABELS; i++) {
        d->value[i] = -1;
    }
    for (int32_t v = 0; v < GT_GREYS; v++) {
        d->rank[v] = -1;
    }
    GT_TRY(d->folders > 0 ? define_folders(d, pixels, wanted) : define_greys(d, pixels, wanted));
    define_targets(d);
    return GT_OK;
}

gt_status gt__dataset_ready(gt_dataset *dataset)
{
    if (dataset->ready) {
        return GT_OK;
    }
    if (dataset->n_pages == 0) {
        return gt__fail(GT_EINVAL, "the data set holds no images");
    }
    gt_status status = GT_OK;
    uint64_t *pixels = NULL;
    if (!dataset->rank) {
        GT_TRY_OUT(gt__alloc(&dataset->rank, GT_GREYS, sizeof *dataset->rank, "label indices"));
    }
    GT_TRY_OUT(gt__alloc(&pixels, GT_GREYS, sizeof *pixels, "counts of label values"));
    count_values(dataset, pixels);
    GT_TRY_OUT(define(dataset, pixels));
    dataset->ready = true;
out:
    gt__free(pixels);
    return status;
}

void gt__consolidate(float *labels, size_t n, const gt_dataset *dataset)
{
    for (size_t i = 0; i < n && dataset->options.consolidate.fine > 0; i++) {
        if (labels[i] >= 0.0F) {
            labels[i] = (float)dataset->target[(int32_t)labels[i]];
        }
    }
}
