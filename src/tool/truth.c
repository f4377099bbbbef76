/* Label images as label indices. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/truth.h"
#include "tool/tool.h"

#include <math.h>
#include <string.h>

static int insert_grey(struct truth *t, int32_t grey, size_t page)
{
    int32_t at = 0;
    while (at < t->n_grey && t->grey[at] < grey) {
        at++;
    }
    if (at < t->n_grey && t->grey[at] == grey) {
        return 0;
    }
    if (t->n_grey == GT_MAX_LABELS) {
        fprintf(stderr, "greentea: page %zu: more than %d values, these are no label images\n", page + 1,
                GT_MAX_LABELS);
        return EXIT_INPUT;
    }
    memmove(&t->grey[at + 1], &t->grey[at], (size_t)(t->n_grey - at) * sizeof t->grey[0]);
    t->grey[at] = grey;
    t->n_grey++;
    return 0;
}

static const float *page_data(const gt_image *image, size_t *n)
{
    gt_image_view v = gt_image_get_view(image);
    *n = (size_t)v.width * (size_t)v.height;
    return v.data;
}

static int scan_page(struct truth *t, size_t page)
{
    gt_image *image = NULL;
    gt_status status = gt_image_reader_load(&image, t->reader, page);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    size_t n = 0;
    const float *data = page_data(image, &n);
    int code = 0;
    float last = NAN;
    for (size_t i = 0; i < n && code == 0; i++) {
        if (data[i] != last) {
            last = data[i];
            code = insert_grey(t, (int32_t)lroundf(last), page);
        }
    }
    gt_image_free(image);
    return code;
}

static bool from_model(struct truth *t, const gt_model *model)
{
    for (int32_t i = 0; i < t->labels; i++) {
        gt_label_info info;
        if (gt_model_get_label(&info, model, i) != GT_OK || info.grey < 0) {
            return false;
        }
        t->grey[i] = info.grey;
    }
    t->n_grey = t->labels;
    return true;
}

int truth_open(struct truth *t, const char *path, int32_t labels, const gt_model *model)
{
    memset(t, 0, sizeof *t);
    t->labels = labels;
    gt_status status = gt_image_reader_open(&t->reader, path, NULL);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    if (model && from_model(t, model)) {
        return 0;
    }
    int code = 0;
    for (size_t i = 0; i < gt_image_reader_pages(t->reader) && code == 0 && labels > 2; i++) {
        code = scan_page(t, i);
    }
    if (code == 0 && labels > 2 && t->n_grey != labels) {
        fprintf(stderr,
                "greentea: %s holds %d distinct values, the probabilities have %d labels; --model tells "
                "which value is which label\n",
                path, t->n_grey, labels);
        code = EXIT_INPUT;
    }
    return code;
}

static int32_t to_label(const struct truth *t, int32_t grey)
{
    if (t->n_grey == 0) {
        return grey != 0; /* 2 labels: 0 is membrane, anything else interior */
    }
    for (int32_t k = 0; k < t->n_grey; k++) {
        if (t->grey[k] == grey) {
            return k;
        }
    }
    return -1;
}

int truth_page(gt_image **out, struct truth *t, size_t page)
{
    gt_image *image = NULL;
    gt_image *labels = NULL;
    gt_status status = gt_image_reader_load(&image, t->reader, page);
    if (status == GT_OK) {
        gt_image_view v = gt_image_get_view(image);
        status = gt_image_create(&labels, GT_I32, 1, v.height, v.width);
    }
    if (status != GT_OK) {
        gt_image_free(image);
        return tool_fail(status, ABOUT_INPUT);
    }
    size_t n = 0;
    const float *data = page_data(image, &n);
    int32_t *index = gt_image_get_view(labels).data;
    for (size_t i = 0; i < n; i++) {
        index[i] = to_label(t, (int32_t)lroundf(data[i]));
    }
    gt_image_free(image);
    *out = labels;
    return 0;
}

void truth_close(struct truth *t)
{
    gt_image_reader_free(t->reader);
    t->reader = NULL;
}
