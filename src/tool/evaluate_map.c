/* Label maps (an argmax) against true labels. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/evaluate.h"

#include <math.h>

struct mapping {
    const struct evaluate_flags *flags;
    gt_model *model;
    gt_image_reader *map;
    gt_evaluation *evaluation;
    struct truth truth;
    struct progress progress;
    size_t slices;
    bool grey; /* the map holds the truth's grey values, else indices */
};

static int to_index(const struct mapping *m, float value)
{
    for (int32_t k = 0; k < m->truth.n_grey && m->grey; k++) {
        if ((float)m->truth.grey[k] == value) {
            return m->truth.label[k];
        }
    }
    bool index = !m->grey && value >= 0.0f && value < (float)m->truth.labels;
    return index && value == floorf(value) ? (int)value : -1;
}

/* A page of the map as numbers in one channel. */
static int load_page(gt_image **out, struct mapping *m, size_t page)
{
    gt_image *image = NULL;
    gt_status status = gt_image_reader_load(&image, m->map, page);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    int32_t channels = gt_image_get_view(image).channels;
    if (channels != 1) {
        fprintf(stderr, "greentea: %s: page %zu has %d samples, a label map has 1\n", m->flags->map,
                page + 1, channels);
        gt_image_free(image);
        return EXIT_INPUT;
    }
    *out = image;
    return 0;
}

/* Does the page hold nothing but the truth's grey values? */
static bool all_grey(const struct mapping *m, const gt_image_view *v)
{
    size_t n = (size_t)v->width * (size_t)v->height;
    const float *value = v->data;
    for (size_t i = 0; i < n; i++) {
        if (to_index(m, value[i]) < 0) {
            return false;
        }
    }
    return true;
}

/* Grey values as in the truth if all pages hold nothing else; else indices. */
static int find_values(struct mapping *m)
{
    m->grey = m->truth.n_grey > 1;
    for (size_t i = 0; i < m->slices && m->grey; i++) {
        gt_image *image = NULL;
        int code = load_page(&image, m, i);
        if (code) {
            return code;
        }
        gt_image_view v = gt_image_get_view(image);
        m->grey = all_grey(m, &v);
        gt_image_free(image);
    }
    return 0;
}

/* The values of a page become indices, in place. */
static int number(const struct mapping *m, const gt_image_view *v, size_t page)
{
    size_t n = (size_t)v->width * (size_t)v->height;
    float *value = v->data;
    for (size_t i = 0; i < n; i++) {
        int index = to_index(m, value[i]);
        if (index < 0) {
            fprintf(stderr,
                    "greentea: %s: page %zu holds %g, which is neither a grey value of %s nor a "
                    "label from 0 to %d\n",
                    m->flags->map, page + 1, (double)value[i], m->flags->labels,
                    m->truth.labels - 1);
            return EXIT_INPUT;
        }
        value[i] = (float)index;
    }
    return 0;
}

static int add_slice(struct mapping *m, size_t slice)
{
    gt_image *truth = NULL;
    gt_image *map = NULL;
    int code = truth_page(&truth, &m->truth, slice);
    code = code ? code : load_page(&map, m, slice);
    code = code ? code : truth_crop(&truth, m->model, map);
    if (code == 0) {
        gt_image_view t = gt_image_get_view(truth);
        gt_image_view p = gt_image_get_view(map);
        code = number(m, &p, slice);
        gt_status status = code ? GT_OK : gt_evaluation_add_labels(m->evaluation, &t, &p);
        code = status == GT_OK ? code : evaluate_fail(status, slice);
    }
    gt_image_free(truth);
    gt_image_free(map);
    return code;
}

static int open_all(struct mapping *m)
{
    const struct evaluate_flags *f = m->flags;
    gt_status status = f->model ? gt_model_load(&m->model, f->model) : GT_OK;
    if (status == GT_OK) {
        status = gt_image_reader_open(&m->map, f->map, NULL);
    }
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    gt_image_reader_keep_indices(m->map);
    int code = evaluate_open_truth(&m->truth, f, 0, m->model);
    if (code) {
        return code;
    }
    m->slices = gt_image_reader_pages(m->map);
    size_t pages = gt_label_reader_pages(m->truth.reader);
    if (pages != m->slices) {
        fprintf(stderr, "greentea: %s has %zu pages, %s %zu\n", f->labels, pages, f->map,
                m->slices);
        return EXIT_INPUT;
    }
    status = gt_evaluation_create(&m->evaluation, m->truth.labels, 1);
    return status == GT_OK ? find_values(m) : tool_fail(status, ABOUT_OPTION);
}

static int print(const struct mapping *m)
{
    const struct result r = {.flags = m->flags,
                             .truth = &m->truth,
                             .evaluation = m->evaluation,
                             .labels = m->truth.labels,
                             .chosen = SCORE_CONFUSION,
                             .slices = m->slices};
    if (m->truth.judged == 0) {
        fprintf(stderr, "greentea: no pixel of %s has the value of a label\n", m->flags->labels);
        return EXIT_INPUT;
    }
    if (m->flags->json) {
        return evaluate_json(&r);
    }
    evaluate_text(&r);
    return 0;
}

int evaluate_map(const struct evaluate_flags *f)
{
    struct mapping m = {.flags = f};
    int code = progress_open(&m.progress, f->progress, f->quiet, NULL);
    code = code ? code : open_all(&m);
    for (size_t i = 0; i < m.slices && code == 0; i++) {
        code = add_slice(&m, i);
        evaluate_progress(&m.progress, i + 1, m.slices);
    }
    code = code ? code : print(&m);
    truth_close(&m.truth);
    gt_evaluation_free(m.evaluation);
    gt_image_reader_free(m.map);
    gt_model_free(m.model);
    return code;
}
