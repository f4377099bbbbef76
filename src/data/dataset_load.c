/* Pairs of files into a data set. SPDX-License-Identifier: BSD-2-Clause */
#include "data/dataset.h"

#include "core/error.h"
#include "image/convert.h"

/* A colour label image whose three channels agree is a grey one: keep the first channel. */
static gt_status reduce_labels(gt_image_view *view)
{
    if (view->channels == 1) {
        return GT_OK;
    }
    const char *data = view->data;
    for (int32_t y = 0; y < view->height; y++) {
        for (int32_t x = 0; x < view->width; x++) {
            const char *at = data + y * view->stride_y + x * view->stride_x;
            float v[3];
            gt__samples_to_float(v, 3, at, view->stride_c, view->type);
            if (v[0] < v[1] || v[0] > v[1] || v[0] < v[2] || v[0] > v[2]) {
                return gt__fail(GT_EFORMAT,
                                "labels must be grey values, but this is a colour image: red %g, "
                                "green %g, blue %g at x %d, y %d",
                                (double)v[0], (double)v[1], (double)v[2], x, y);
            }
        }
    }
    view->channels = 1;
    return GT_OK;
}

/* Name the page a message is about. */
static gt_status name_page(gt_status status, const gt_image_reader *reader, size_t page)
{
    if (status == GT_OK) {
        return GT_OK;
    }
    size_t in_file = 0;
    const char *file = gt_image_reader_file(reader, page, &in_file);
    return gt__fail_prefix(status, "%s page %zu: ", file, in_file + 1);
}

static gt_status add_page(gt_dataset *d, gt_image_reader *raw, gt_image_reader *labels, size_t page)
{
    gt_status status = GT_OK;
    gt_image *image = NULL;
    gt_image *map = NULL;
    gt_page_info a;
    gt_page_info b;
    GT_TRY_OUT(gt_image_reader_page(&a, raw, page));
    GT_TRY_OUT(gt_image_reader_page(&b, labels, page));
    if (a.width != b.width || a.height != b.height) {
        status = gt__fail(GT_ESHAPE,
                          "page %zu: the image (%s) is %d x %d pixels, its labels (%s) are %d x %d",
                          page + 1, gt_image_reader_file(raw, page, NULL), a.width, a.height,
                          gt_image_reader_file(labels, page, NULL), b.width, b.height);
        goto out;
    }
    GT_TRY_OUT(gt_image_reader_load(&image, raw, page));
    GT_TRY_OUT(gt_image_reader_load(&map, labels, page));
    gt_image_view image_view = gt_image_get_view(image);
    gt_image_view map_view = gt_image_get_view(map);
    GT_TRY_OUT(name_page(reduce_labels(&map_view), labels, page));
    status = gt_dataset_add(d, &image_view, &map_view);
    status =
        name_page(status, status == GT_EFORMAT ? labels : raw, page); /* labels have a format */
out:
    gt_image_free(image);
    gt_image_free(map);
    return status;
}

gt_status gt_dataset_load(gt_dataset *dataset, const char *raw_path, const char *labels_path)
{
    if (!dataset || !raw_path || !labels_path) {
        return gt__fail(GT_EINVAL, "a data set and the paths of images and labels are needed");
    }
    gt_status status = GT_OK;
    gt_image_reader *raw = NULL;
    gt_image_reader *labels = NULL;
    size_t before = dataset->n_pages;
    GT_TRY_OUT(gt_image_reader_open(&raw, raw_path, &dataset->limits));
    GT_TRY_OUT(gt_image_reader_open(&labels, labels_path, &dataset->limits));
    size_t pages = gt_image_reader_pages(raw);
    if (pages != gt_image_reader_pages(labels)) {
        status = gt__fail(GT_ESHAPE, "%s has %zu pages, %s has %zu", raw_path, pages, labels_path,
                          gt_image_reader_pages(labels));
        goto out;
    }
    for (size_t page = 0; page < pages; page++) {
        GT_TRY_OUT(add_page(dataset, raw, labels, page));
    }
out:
    if (status != GT_OK) {
        gt__dataset_truncate(dataset, before);
    }
    gt_image_reader_free(raw);
    gt_image_reader_free(labels);
    return status;
}
