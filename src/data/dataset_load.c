/* Pairs of files into a data set. SPDX-License-Identifier: BSD-2-Clause */
#include "data/dataset.h"

#include "core/error.h"
#include "core/mem.h"

#include <string.h>

/* Name the page a message of gt_dataset_add() is about: labels have a format, images have none. */
static gt_status name_page(gt_status status, const gt_image_reader *raw,
                           const gt_label_reader *labels, size_t page)
{
    if (status == GT_OK) {
        return GT_OK;
    }
    size_t in_file = 0;
    const char *file = status == GT_EFORMAT ? gt_label_reader_file(labels, page, &in_file)
                                            : gt_image_reader_file(raw, page, &in_file);
    return gt__fail_prefix(status, "%s page %zu: ", file, in_file + 1);
}

static gt_status add_page(gt_dataset *d, gt_image_reader *raw, gt_label_reader *labels, size_t page)
{
    gt_status status = GT_OK;
    gt_image *image = NULL;
    gt_image *map = NULL;
    gt_page_info a;
    gt_page_info b;
    GT_TRY_OUT(gt_image_reader_page(&a, raw, page));
    GT_TRY_OUT(gt_label_reader_page(&b, labels, page));
    if (a.width != b.width || a.height != b.height) {
        status = gt__fail(GT_ESHAPE,
                          "page %zu: the image (%s) is %d x %d pixels, its labels (%s) are %d x %d",
                          page + 1, gt_image_reader_file(raw, page, NULL), a.width, a.height,
                          gt_label_reader_file(labels, page, NULL), b.width, b.height);
        goto out;
    }
    GT_TRY_OUT(gt_image_reader_load(&image, raw, page));
    GT_TRY_OUT(gt_label_reader_load(&map, labels, page));
    gt_image_view image_view = gt_image_get_view(image);
    gt_image_view map_view = gt_image_get_view(map);
    status = name_page(gt_dataset_add(d, &image_view, &map_view), raw, labels, page);
out:
    gt_image_free(image);
    gt_image_free(map);
    return status;
}

/* Sub-folders give names; all label images of a data set must speak of labels in one way. */
static gt_status note_folders(gt_dataset *d, const gt_label_reader *labels)
{
    int32_t n = gt_label_reader_labels(labels);
    if (n != d->folders && d->n_pages > 0) {
        return gt__fail(GT_EFORMAT,
                        "labels by %d sub-folders after labels by %d (0: by grey values)", (int)n,
                        (int)d->folders);
    }
    for (int32_t k = 0; k < n && d->n_pages > 0; k++) {
        if (strcmp(d->names[k], gt_label_reader_name(labels, k)) != 0) {
            return gt__fail(GT_EFORMAT, "label %d is in sub-folder %s, but was in %s before", k,
                            gt_label_reader_name(labels, k), d->names[k]);
        }
    }
    if (d->n_pages > 0) {
        return GT_OK;
    }
    gt__free(d->names);
    d->names = NULL;
    d->folders = 0;
    if (n > 0) {
        GT_TRY(gt__alloc(&d->names, (size_t)n, sizeof *d->names, "names of labels"));
    }
    d->folders = n;
    for (int32_t k = 0; k < n; k++) {
        strcpy(d->names[k], gt_label_reader_name(labels, k));
    }
    return GT_OK;
}

static gt_status report(const gt_dataset *d, size_t done, size_t pages)
{
    const gt_dataset_options *o = &d->options;
    if (o->progress && o->progress(done, pages, o->cookie) != 0) {
        return gt__fail(GT_ECANCELLED, "loading was stopped after %zu of %zu pages", done, pages);
    }
    return GT_OK;
}

/* ---- one scale for all images ---- */

struct stack_page {
    const gt_dataset *dataset;
    gt_image_reader *reader;
    size_t page;
};

static gt_status read_page(void *cookie, int32_t y, int32_t rows, float *dst)
{
    const struct stack_page *at = cookie;
    return gt_image_reader_rows(at->reader, at->page, y, rows, dst);
}

static gt_status find_page(void *cookie, size_t page, gt_row_source *out)
{
    struct stack_page *at = cookie;
    gt_page_info info;
    GT_TRY(report(at->dataset, 0, gt_image_reader_pages(at->reader)));
    GT_TRY(gt_image_reader_page(&info, at->reader, page));
    at->page = page;
    *out = (gt_row_source){info.width, info.height, info.channels, read_page, at};
    return GT_OK;
}

static gt_status find_scale(gt_dataset *d, gt_image_reader *raw)
{
    struct stack_page at = {d, raw, 0};
    const gt_page_source stack = {gt_image_reader_pages(raw), find_page, &at};
    if (d->options.preprocess.scope != GT_SCOPE_STACK) {
        return GT_OK;
    }
    GT_TRY(gt__stack_map(&d->stack, &d->options.preprocess, &stack));
    d->has_stack = true;
    return GT_OK;
}

gt_status gt_dataset_load(gt_dataset *dataset, const char *raw_path, const char *labels_path)
{
    if (!dataset || !raw_path || !labels_path) {
        return gt__fail(GT_EINVAL, "a data set and the paths of images and labels are needed");
    }
    gt_status status = GT_OK;
    gt_image_reader *raw = NULL;
    gt_label_reader *labels = NULL;
    size_t before = dataset->n_pages;
    const gt_dataset_options *o = &dataset->options;
    int32_t wanted = o->consolidate.fine > 0 ? o->consolidate.fine : o->labels;
    GT_TRY_OUT(gt_image_reader_open(&raw, raw_path, &dataset->limits));
    GT_TRY_OUT(gt_label_reader_open(&labels, labels_path, wanted, &dataset->limits));
    size_t pages = gt_image_reader_pages(raw);
    if (pages != gt_label_reader_pages(labels)) {
        status = gt__fail(GT_ESHAPE, "%s has %zu pages, %s has %zu", raw_path, pages, labels_path,
                          gt_label_reader_pages(labels));
        goto out;
    }
    GT_TRY_OUT(note_folders(dataset, labels));
    GT_TRY_OUT(find_scale(dataset, raw));
    for (size_t page = 0; page < pages; page++) {
        GT_TRY_OUT(add_page(dataset, raw, labels, page));
        GT_TRY_OUT(report(dataset, page + 1, pages));
    }
out:
    dataset->has_stack = false; /* an image added alone is its own stack */
    if (status != GT_OK) {
        gt__dataset_truncate(dataset, before);
    }
    gt_image_reader_free(raw);
    gt_label_reader_free(labels);
    return status;
}
