/* Images and their labels in host memory. SPDX-License-Identifier: BSD-2-Clause */
#include "data/dataset.h"

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/shape.h"
#include "image/convert.h"

void gt_dataset_options_init(gt_dataset_options *options)
{
    *options = (gt_dataset_options){.ignore_value = -1};
    gt_preprocess_init(&options->preprocess);
}

/* No label may be missing below the largest. */
static gt_status check_consolidation(const gt_dataset_options *o)
{
    const gt_consolidation *c = &o->consolidate;
    bool present[GT_MAX_LABELS] = {false};
    int32_t top = -1;
    if (c->fine < 0 || c->fine > GT_MAX_LABELS) {
        return gt__fail(GT_EINVAL, "consolidation of %d labels, expected 0 to %d", c->fine,
                        GT_MAX_LABELS);
    }
    for (int32_t k = 0; k < c->fine; k++) {
        int32_t label = c->label[k];
        if (label < -1 || label >= (o->labels > 0 ? o->labels : GT_MAX_LABELS)) {
            return gt__fail(GT_EINVAL, "label %d is consolidated to %d, expected -1 to %d", k,
                            label, (o->labels > 0 ? o->labels : GT_MAX_LABELS) - 1);
        }
        if (label >= 0) {
            present[label] = true;
            top = label > top ? label : top;
        }
    }
    if (c->fine > 0 && top < 1) {
        return gt__fail(GT_EINVAL, "consolidation leaves %d labels, at least 2 are needed",
                        top + 1);
    }
    for (int32_t label = 0; label < top; label++) {
        if (!present[label]) {
            return gt__fail(GT_EINVAL, "no label is consolidated to %d, but one to %d", label, top);
        }
    }
    return GT_OK;
}

gt_status gt_dataset_create(gt_dataset **out, const gt_dataset_options *options)
{
    gt_dataset_options o;
    gt_dataset_options_init(&o);
    o = options ? *options : o;
    if (o.labels < 0 || o.labels == 1 || o.labels > GT_MAX_LABELS) {
        return gt__fail(GT_EINVAL, "%d labels, expected 2 to %d or 0 to count them", o.labels,
                        GT_MAX_LABELS);
    }
    if (o.channels != 0 && o.channels != 1 && o.channels != 3) {
        return gt__fail(GT_EINVAL, "%d channels, expected 1, 3 or 0 for those of the first image",
                        o.channels);
    }
    if (o.ignore_value < -1 || o.ignore_value >= GT_GREYS) {
        return gt__fail(GT_EINVAL, "ignore value %d, expected 0 to %d or -1 for none",
                        o.ignore_value, GT_GREYS - 1);
    }
    GT_TRY(check_consolidation(&o));
    GT_TRY(gt_preprocess_check(&o.preprocess));
    gt_dataset *d = NULL;
    GT_TRY(gt__alloc(&d, 1, sizeof *d, "a data set"));
    if (o.limits) {
        d->limits = *o.limits;
    } else {
        gt_image_limits_init(&d->limits);
    }
    d->options = o;
    d->options.limits = NULL; /* the caller's may die */
    d->channels = o.channels;
    *out = d;
    return GT_OK;
}

static void page_release(struct gt_page *page)
{
    gt__free(page->raw);
    gt__free(page->grey);
    *page = (struct gt_page){0};
}

void gt__dataset_truncate(gt_dataset *dataset, size_t n_pages)
{
    while (dataset->n_pages > n_pages) {
        page_release(&dataset->pages[--dataset->n_pages]);
    }
    if (n_pages == 0) {
        dataset->channels = dataset->options.channels;
        dataset->folders = 0;
    }
}

void gt_dataset_free(gt_dataset *dataset)
{
    if (dataset) {
        gt__dataset_truncate(dataset, 0);
        gt__free(dataset->pages);
        gt__free(dataset->names);
        gt__free(dataset->rank);
        gt__free(dataset);
    }
}

static gt_status read_view(void *cookie, int32_t y, int32_t rows, float *dst)
{
    gt__view_to_float(dst, cookie, y, rows);
    return GT_OK;
}

/* The preparer's rows, chunk by chunk into the planes of the page. */
static gt_status copy_raw(struct gt_page *page, struct gt_preparer *prepared, float *chunk)
{
    size_t width = (size_t)page->width;
    for (int32_t y = 0; y < page->height; y += GT_PREPARE_ROWS) {
        int32_t rows = page->height - y < GT_PREPARE_ROWS ? page->height - y : GT_PREPARE_ROWS;
        size_t n = (size_t)rows * width;
        GT_TRY(gt__preparer_rows(prepared, y, rows, chunk));
        for (int32_t c = 0; c < page->channels; c++) {
            float *plane = page->raw + (size_t)c * (size_t)page->height * width;
            memcpy(plane + (size_t)y * width, chunk + (size_t)c * n, n * sizeof *plane);
        }
    }
    return GT_OK;
}

static gt_status read_raw(struct gt_page *page, const gt_dataset *d, const gt_image_view *raw)
{
    gt_image_view view = *raw;
    const gt_row_source source = {raw->width, raw->height, raw->channels, read_view, &view};
    struct gt_preparer *prepared = NULL;
    float *chunk = NULL;
    gt_status status = GT_OK;
    gt_shape shape = {1, page->channels, page->height, page->width};
    gt_shape rows = {1, page->channels, GT_PREPARE_ROWS, page->width};
    size_t n = 0;
    size_t n_chunk = 0;
    if (!gt__shape_count(&n, shape) || !gt__shape_count(&n_chunk, rows)) {
        n = SIZE_MAX;
    }
    GT_TRY_OUT(gt__alloc_raw(&page->raw, n, sizeof *page->raw, "an image to train on"));
    GT_TRY_OUT(gt__alloc_raw(&chunk, n_chunk, sizeof *chunk, "rows of an image to train on"));
    GT_TRY_OUT(gt__preparer_open(&prepared, &d->options.preprocess, &source,
                                 d->has_stack ? &d->stack : NULL));
    status = copy_raw(page, prepared, chunk);
out:
    gt__preparer_close(prepared);
    gt__free(chunk);
    return status;
}

static gt_status read_grey(struct gt_page *page, const gt_image_view *labels)
{
    size_t width = (size_t)labels->width;
    size_t n = width * (size_t)labels->height;
    float *row = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc_raw(&page->grey, n, sizeof *page->grey, "labels to train on"));
    GT_TRY_OUT(gt__alloc_raw(&row, width, sizeof *row, "a row of labels"));
    for (int32_t y = 0; y < labels->height; y++) {
        gt__view_to_float(row, labels, y, 1);
        GT_TRY_OUT(gt__label_row(page->grey + (size_t)y * width, row, labels->width, y));
    }
out:
    gt__free(row);
    return status;
}

static gt_status check(const gt_dataset *d, const gt_image_view *raw, const gt_image_view *labels)
{
    if (!d) {
        return gt__fail(GT_EINVAL, "no data set to add an image to");
    }
    GT_TRY(gt__view_check(raw));
    GT_TRY(gt__view_check(labels));
    if (d->ready) {
        return gt__fail(GT_EINVAL, "the data set is in use; nothing can be added any more");
    }
    if (raw->width != labels->width || raw->height != labels->height) {
        return gt__fail(GT_ESHAPE, "the image is %d x %d pixels, its labels are %d x %d",
                        raw->width, raw->height, labels->width, labels->height);
    }
    if (labels->channels != 1) {
        return gt__fail(GT_ESHAPE, "the labels have %d channels, expected 1", labels->channels);
    }
    if (raw->channels != 1 && raw->channels != 3) {
        return gt__fail(GT_ESHAPE, "the image has %d channels, expected 1 or 3", raw->channels);
    }
    if (d->channels == 1 && raw->channels == 3) {
        return gt__fail(GT_ESHAPE, "a colour image in a data set of grey ones");
    }
    return GT_OK;
}

gt_status gt_dataset_add(gt_dataset *dataset, const gt_image_view *raw, const gt_image_view *labels)
{
    GT_TRY(check(dataset, raw, labels));
    gt_status status = GT_OK;
    const gt_preprocess *o = &dataset->options.preprocess;
    struct gt_page page = {.channels = raw->channels};
    gt_image_view kept;
    GT_TRY_OUT(gt__crop_view(&kept, o, labels)); /* as large as the image */
    page.width = kept.width;
    page.height = kept.height;
    GT_TRY_OUT(read_raw(&page, dataset, raw));
    GT_TRY_OUT(read_grey(&page, &kept));
    GT_TRY_OUT(gt__grow(&dataset->pages, &dataset->capacity, dataset->n_pages + 1,
                        sizeof *dataset->pages, "the list of images"));
    if (dataset->channels == 0) {
        dataset->channels = page.channels;
    }
    dataset->pages[dataset->n_pages++] = page;
    page = (struct gt_page){0};
out:
    page_release(&page);
    return status;
}

size_t gt_dataset_images(const gt_dataset *dataset)
{
    return dataset->n_pages;
}

int32_t gt_dataset_channels(const gt_dataset *dataset)
{
    return dataset->n_pages > 0 ? dataset->channels : 0;
}

gt_status gt_dataset_labels(int32_t *out, gt_dataset *dataset)
{
    GT_TRY(gt__dataset_ready(dataset));
    *out = dataset->labels;
    return GT_OK;
}

int32_t gt_dataset_grey(gt_dataset *dataset, int32_t label)
{
    if (gt__dataset_ready(dataset) != GT_OK || label < 0 || label >= dataset->labels) {
        return -1;
    }
    int32_t grey = -1;
    int32_t sources = 0;
    for (int32_t k = 0; k < dataset->fine; k++) {
        if (dataset->target[k] == label) {
            grey = dataset->value[k];
            sources++;
        }
    }
    return sources == 1 ? grey : -1;
}
