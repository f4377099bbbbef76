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
        fprintf(stderr, "greentea: page %zu: more than %d values, these are no label images\n",
                page + 1, GT_MAX_LABELS);
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

/* A page of integers in one channel; colour is accepted where it is grey. */
static int load_page(gt_image **out, struct truth *t, size_t page)
{
    gt_image *image = NULL;
    gt_status status = gt_image_reader_load(&image, t->reader, page);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    size_t n = 0;
    const float *data = page_data(image, &n);
    bool grey = true;
    bool whole = true;
    for (size_t i = 0; i < n; i++) {
        whole = whole && data[i] == floorf(data[i]) && fabsf(data[i]) < 1e9f;
    }
    if (gt_image_get_view(image).channels == 3) {
        grey = memcmp(data, data + n, n * sizeof *data) == 0 &&
               memcmp(data, data + 2 * n, n * sizeof *data) == 0;
    }
    if (!grey || !whole) {
        fprintf(stderr,
                "greentea: page %zu of the labels holds %s, expected integers in one channel\n",
                page + 1, grey ? "fractions" : "colours");
        gt_image_free(image);
        return EXIT_INPUT;
    }
    *out = image;
    return 0;
}

static int scan_page(struct truth *t, size_t page)
{
    gt_image *image = NULL;
    int code = load_page(&image, t, page);
    if (code) {
        return code;
    }
    size_t n = 0;
    const float *data = page_data(image, &n);
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
    gt_model_options options;
    gt_model_get_options(model, &options);
    if (t->labels != 0 && t->labels != options.labels) {
        return false;
    }
    t->labels = t->n_grey = options.labels;
    bool known = false;
    for (int32_t i = 0; i < t->labels; i++) {
        gt_label_info info = {.grey = -1};
        t->grey[i] = gt_model_get_label(&info, model, i) == GT_OK ? info.grey : -1;
        known |= t->grey[i] >= 0; /* labels that the training data lacked have no value */
    }
    return known;
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
    t->n_grey = 0;
    for (size_t i = 0; i < gt_image_reader_pages(t->reader) && code == 0; i++) {
        code = scan_page(t, i);
    }
    if (labels == 0) {
        t->labels = t->n_grey > 2 ? t->n_grey : 2;
    }
    if (code == 0 && t->n_grey != t->labels && !(t->labels == 2 && t->n_grey == 1)) {
        fprintf(stderr,
                "greentea: %s holds %d distinct values, the probabilities have %d labels; --model "
                "tells "
                "which value is which label\n",
                path, t->n_grey, t->labels);
        code = EXIT_INPUT;
    }
    return code;
}

static int32_t to_label(const struct truth *t, int32_t grey)
{
    if (t->n_grey == 1) {
        return grey != 0; /* all membrane, or all interior */
    }
    for (int32_t k = 0; k < t->n_grey; k++) {
        if (t->grey[k] == grey && grey >= 0) {
            return k;
        }
    }
    return -1;
}

int truth_page(gt_image **out, struct truth *t, size_t page)
{
    gt_image *image = NULL;
    gt_image *labels = NULL;
    int code = load_page(&image, t, page);
    if (code) {
        return code;
    }
    gt_image_view v = gt_image_get_view(image);
    gt_status status = gt_image_create(&labels, GT_I32, 1, v.height, v.width);
    if (status != GT_OK) {
        gt_image_free(image);
        return tool_fail(status, ABOUT_INPUT);
    }
    size_t n = 0;
    const float *data = page_data(image, &n);
    int32_t *index = gt_image_get_view(labels).data;
    for (size_t i = 0; i < n; i++) {
        index[i] = to_label(t, (int32_t)lroundf(data[i]));
        t->judged += index[i] >= 0;
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
