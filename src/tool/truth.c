/* Label images as label indices. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/truth.h"
#include "tool/tool.h"

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

static int load_page(gt_image **out, struct truth *t, size_t page)
{
    gt_status status = gt_label_reader_load(out, t->reader, page);
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
}

static int scan_page(struct truth *t, size_t page)
{
    gt_image *image = NULL;
    int code = load_page(&image, t, page);
    if (code) {
        return code;
    }
    gt_image_view v = gt_image_get_view(image);
    const int32_t *data = v.data;
    size_t n = (size_t)v.width * (size_t)v.height;
    int32_t last = -1;
    for (size_t i = 0; i < n && code == 0; i++) {
        if (data[i] != last) {
            last = data[i];
            code = insert_grey(t, last, page);
        }
    }
    gt_image_free(image);
    return code;
}

/* Values that consolidation in training made labels of. */
static void from_greys(struct truth *t, const gt_model *model)
{
    gt_grey_label list[GT_MAX_LABELS];
    size_t n = gt_model_get_greys(list, GT_MAX_LABELS, model);
    for (size_t i = 0; i < n; i++) {
        t->grey[i] = list[i].grey;
        t->label[i] = list[i].label;
    }
    t->n_grey = (int32_t)n;
}

static bool from_model(struct truth *t, const gt_model *model)
{
    gt_model_options options;
    gt_model_get_options(model, &options);
    if (t->labels != 0 && t->labels != options.labels) {
        return false;
    }
    t->labels = options.labels;
    from_greys(t, model);
    if (t->n_grey > 0) {
        return true;
    }
    t->n_grey = options.labels;
    bool known = false;
    for (int32_t i = 0; i < t->labels; i++) {
        gt_label_info info = {.grey = -1};
        t->grey[i] = gt_model_get_label(&info, model, i) == GT_OK ? info.grey : -1;
        t->label[i] = i;
        known |= t->grey[i] >= 0; /* labels that the training data lacked have no value */
    }
    return known;
}

/* Distinct values of all pages; the index of every sub-folder, whether pixels are in it or not. */
static int scan(struct truth *t)
{
    int code = 0;
    int32_t folders = gt_label_reader_labels(t->reader);
    t->n_grey = 0;
    for (int32_t k = 0; k < folders; k++) {
        t->grey[t->n_grey++] = k;
    }
    for (size_t i = 0; i < gt_label_reader_pages(t->reader) && folders == 0 && code == 0; i++) {
        code = scan_page(t, i);
    }
    return code;
}

/* Fine label i -> label, as the list says or unchanged. 0 or an exit code. */
static int assign(struct truth *t, const char *path, const gt_consolidation *consolidate)
{
    int32_t top = -1;
    if (consolidate && consolidate->fine > 0 && t->n_grey != consolidate->fine) {
        fprintf(stderr, "greentea: %s holds %d labels, --consolidate lists %d\n", path, t->n_grey,
                consolidate->fine);
        return EXIT_INPUT;
    }
    for (int32_t i = 0; i < t->n_grey; i++) {
        t->label[i] = consolidate && consolidate->fine > 0 ? consolidate->label[i] : i;
        top = t->label[i] > top ? t->label[i] : top;
    }
    if (t->labels == 0) {
        t->labels = top > 1 ? top + 1 : 2;
    }
    if (top + 1 != t->labels && !(t->labels == 2 && t->n_grey == 1)) {
        fprintf(stderr,
                "greentea: %s holds %d distinct %s, the probabilities have %d labels; --model "
                "tells which value is which label\n",
                path, top + 1, top + 1 == t->n_grey ? "values" : "labels", t->labels);
        return EXIT_INPUT;
    }
    return 0;
}

int truth_open(struct truth *t, const char *path, int32_t labels, const gt_model *model,
               const gt_consolidation *consolidate)
{
    bool list = consolidate && consolidate->fine > 0;
    memset(t, 0, sizeof *t);
    t->labels = labels;
    gt_status status =
        gt_label_reader_open(&t->reader, path, list ? consolidate->fine : labels, NULL);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    bool folders = gt_label_reader_labels(t->reader) > 0;
    if (!list && !folders && model && from_model(t, model)) {
        return 0;
    }
    t->labels = labels;
    int code = scan(t);
    return code ? code : assign(t, path, consolidate);
}

static int32_t to_label(const struct truth *t, int32_t grey)
{
    if (t->n_grey == 1) {
        return grey != 0; /* all membrane, or all interior */
    }
    for (int32_t k = 0; k < t->n_grey; k++) {
        if (t->grey[k] == grey) {
            return t->label[k];
        }
    }
    return -1;
}

int32_t truth_grey(const struct truth *t, int32_t label)
{
    int32_t grey = -1;
    int32_t found = 0;
    for (int32_t k = 0; k < t->n_grey; k++) {
        if (t->label[k] == label) {
            grey = t->grey[k];
            found++;
        }
    }
    return found == 1 ? grey : -1;
}

int truth_page(gt_image **out, struct truth *t, size_t page)
{
    gt_image *labels = NULL;
    int code = load_page(&labels, t, page);
    if (code) {
        return code;
    }
    gt_image_view v = gt_image_get_view(labels);
    size_t n = (size_t)v.width * (size_t)v.height;
    int32_t *index = v.data;
    int32_t last = -1;
    int32_t label = -1;
    for (size_t i = 0; i < n; i++) {
        if (index[i] != last) {
            last = index[i];
            label = to_label(t, last);
        }
        index[i] = label;
        t->judged += label >= 0;
    }
    *out = labels;
    return 0;
}

int truth_crop(gt_image **labels, const gt_model *model, const gt_image *result)
{
    gt_preprocess o;
    gt_image *part = NULL;
    gt_image_view of = gt_image_get_view(*labels);
    gt_image_view to = gt_image_get_view(result);
    gt_preprocess_init(&o);
    if (model) {
        gt_model_get_preprocess(model, &o);
    }
    if (to.width != o.crop_width || to.height != o.crop_height ||
        (of.width == to.width && of.height == to.height)) {
        return 0;
    }
    gt_status status = gt_preprocess_crop(&part, &o, &of);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    gt_image_free(*labels);
    *labels = part;
    return 0;
}

void truth_close(struct truth *t)
{
    gt_label_reader_free(t->reader);
    t->reader = NULL;
}
