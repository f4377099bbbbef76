/* Judging a network on held-out images while it trains. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/validate.h"

#include "tool/flags_preprocess.h"
#include "tool/history.h"

#include <math.h>
#include <stdlib.h>

/* ---- before the training ---- */

static int check_page(struct validation *v, size_t page, int32_t channels)
{
    gt_page_info raw;
    gt_page_info truth;
    gt_status status = gt_image_reader_page(&raw, v->raw, page);
    status = status == GT_OK ? gt_label_reader_page(&truth, v->truth.reader, page) : status;
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    if (raw.width != truth.width || raw.height != truth.height) {
        fprintf(stderr,
                "greentea: page %zu of --val-raw is %d x %d pixels, of --val-labels %d x %d\n",
                page + 1, raw.width, raw.height, truth.width, truth.height);
        return EXIT_INPUT;
    }
    gt_preprocess pre;
    int32_t size[2];
    gt_model_get_preprocess(v->model, &pre);
    status = gt_preprocess_size(&size[0], &size[1], &pre, raw.width, raw.height);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    if (raw.channels > channels) {
        fprintf(stderr, "greentea: page %zu of --val-raw has %d channels, the network takes %d\n",
                page + 1, raw.channels, channels);
        return EXIT_INPUT;
    }
    return 0;
}

/* Every pixel's value must be a label of the training data, or it is left out of the scores. */
static int check_labels(struct validation *v)
{
    uint64_t pixels = 0;
    int code = 0;
    for (size_t i = 0; i < v->pages && code == 0; i++) {
        gt_image *labels = NULL;
        code = truth_page(&labels, &v->truth, i);
        if (code == 0) {
            gt_image_view view = gt_image_get_view(labels);
            pixels += (uint64_t)view.width * (uint64_t)view.height;
        }
        gt_image_free(labels);
    }
    if (code == 0 && v->truth.judged == 0) {
        fprintf(stderr,
                "greentea: no pixel of --val-labels has the value of a label of --labels\n");
        return EXIT_INPUT;
    }
    if (code == 0 && v->truth.judged < pixels) {
        fprintf(stderr,
                "greentea: %.3g %% of the pixels of --val-labels have no value of a label of "
                "--labels and are left out\n",
                100.0 * (double)(pixels - v->truth.judged) / (double)pixels);
    }
    return code;
}

/* A model knows which grey values stand for its labels, consolidated ones too, so that held-out
 * images may lack some. Sub-folders say it themselves. */
static int open_truth(struct validation *v, const char *path)
{
    const gt_consolidation *c = v->consolidate;
    int32_t fine = c->fine > 0 ? c->fine : v->labels;
    gt_label_reader *reader = NULL;
    gt_status status = gt_label_reader_open(&reader, path, fine, NULL);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    bool folders = gt_label_reader_labels(reader) > 0;
    gt_label_reader_free(reader);
    return truth_open(&v->truth, path, v->labels, v->model, folders ? c : NULL);
}

int validation_open(struct validation *v, const char *raw, const char *labels)
{
    gt_model_options m;
    gt_model_get_options(v->model, &m);
    v->labels = m.labels;
    gt_status status = gt_image_reader_open(&v->raw, raw, NULL);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    int code = open_truth(v, labels);
    if (code) {
        return code;
    }
    v->pages = gt_image_reader_pages(v->raw);
    if (gt_label_reader_pages(v->truth.reader) != v->pages) {
        fprintf(stderr, "greentea: --val-raw has %zu pages, --val-labels %zu\n", v->pages,
                gt_label_reader_pages(v->truth.reader));
        return EXIT_INPUT;
    }
    for (size_t i = 0; i < v->pages && code == 0; i++) {
        code = check_page(v, i, m.channels);
    }
    size_t page[PICTURE_SLICES];
    v->n_thumbs = picture_pages(page, v->pages);
    for (int i = 0; i < v->n_thumbs; i++) {
        v->thumbs[i].page = page[i];
    }
    return code ? code : check_labels(v);
}

void validation_close(struct validation *v)
{
    gt_image_reader_free(v->raw);
    truth_close(&v->truth);
    for (int i = 0; i < PICTURE_SLICES; i++) {
        thumb_free(&v->thumbs[i]);
    }
}

/* ---- one slice ---- */

/* Softmax loss and argmax of every pixel that has a label. */
static void count_pixels(struct tally *t, const gt_image_view *truth, const gt_image_view *prob)
{
    const int32_t *label = truth->data;
    const float *p = prob->data;
    size_t n = (size_t)truth->width * (size_t)truth->height;
    for (size_t i = 0; i < n; i++) {
        if (label[i] < 0) {
            continue;
        }
        int32_t best = 0;
        for (int32_t c = 1; c < prob->channels; c++) {
            best = p[(size_t)c * n + i] > p[(size_t)best * n + i] ? c : best;
        }
        double mine = (double)p[(size_t)label[i] * n + i];
        t->loss -= log(mine > 1e-30 ? mine : 1e-30);
        t->judged++;
        t->right += best == label[i];
        t->confusion[label[i] * prob->channels + best]++;
    }
}

/* Replace an image by the part of it that the model looks at. */
static gt_status keep_crop(gt_image **image, const gt_model *model)
{
    gt_preprocess o;
    gt_image *part = NULL;
    gt_model_get_preprocess(model, &o);
    if (o.crop_width == 0) {
        return GT_OK;
    }
    gt_image_view whole = gt_image_get_view(*image);
    gt_status status = gt_preprocess_crop(&part, &o, &whole);
    if (status == GT_OK) {
        gt_image_free(*image);
        *image = part;
    }
    return status;
}

struct slice {
    gt_image *raw, *truth, *prob; /* of one size, dense */
    bool eight;                   /* the file holds 8 bits */
};

static int load_slice(struct slice *s, struct validation *v, gt_predictor *predictor, size_t page)
{
    gt_page_info info;
    int code = truth_page(&s->truth, &v->truth, page);
    if (code) {
        return code;
    }
    gt_status status = gt_image_reader_page(&info, v->raw, page);
    status = status == GT_OK ? gt_image_reader_load(&s->raw, v->raw, page) : status;
    if (status == GT_OK) {
        gt_image_view raw = gt_image_get_view(s->raw);
        s->eight = info.type == GT_U8;
        status = gt_predictor_run(&s->prob, predictor, &raw);
    }
    status = status == GT_OK ? keep_crop(&s->raw, v->model) : status;
    status = status == GT_OK ? keep_crop(&s->truth, v->model) : status;
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
}

static int add_slice(struct tally *t, struct validation *v, gt_predictor *predictor, size_t page)
{
    struct slice s = {0};
    int code = load_slice(&s, v, predictor, page);
    if (code == 0) {
        gt_image_view raw = gt_image_get_view(s.raw);
        gt_image_view truth = gt_image_get_view(s.truth);
        gt_image_view prob = gt_image_get_view(s.prob);
        gt_status status = t->evaluation ? gt_evaluation_add(t->evaluation, &truth, &prob) : GT_OK;
        code = status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
        count_pixels(t, &truth, &prob);
        for (int i = 0; i < v->n_thumbs; i++) {
            if (v->thumbs[i].page == page &&
                !thumb_take(&v->thumbs[i], &raw, &truth, &prob, s.eight)) {
                fprintf(stderr, "greentea: no memory for the pictures of the report\n");
                code = code ? code : EXIT_DEVICE;
            }
        }
    }
    gt_image_free(s.raw);
    gt_image_free(s.truth);
    gt_image_free(s.prob);
    return code;
}

/* ---- all slices ---- */

static int on_tile(uint64_t done, uint64_t total, void *cookie)
{
    (void)done;
    (void)total;
    (void)cookie;
    return tool_signal();
}

static int run_slices(struct tally *t, struct validation *v, gt_predictor *predictor)
{
    int code = 0;
    for (size_t i = 0; i < v->pages && code == 0; i++) {
        if (v->progress) {
            char counts[64];
            char json[64];
            snprintf(counts, sizeof counts, "validation, slice %zu of %zu", i + 1, v->pages);
            snprintf(json, sizeof json, ", \"validation_slice\": %zu", i + 1);
            progress_show(v->progress, v->share, counts, "", json, false);
        }
        code = add_slice(t, v, predictor, i);
        code = code ? code : tool_signal();
    }
    return code;
}

int validation_run(json_t **out, struct validation *v)
{
    gt_predictor *predictor = NULL;
    struct tally t = {0};
    size_t n = (size_t)v->labels;
    v->predict.progress = on_tile;
    gt_status status = gt_predictor_create(&predictor, v->device, v->model, &v->predict);
    if (status == GT_OK && v->labels == 2) {
        status = gt_evaluation_create(&t.evaluation, 2, 1);
    }
    int code = status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
    code = code ? code : preprocess_share(predictor, v->raw, NULL);
    t.confusion = calloc(n * n, sizeof *t.confusion);
    if (code == 0 && !t.confusion) {
        fprintf(stderr, "greentea: no memory for a confusion matrix of %zu labels\n", n);
        code = EXIT_DEVICE;
    }
    code = code ? code : run_slices(&t, v, predictor);
    code = code ? code : validation_scores(out, v->labels, &t);
    free(t.confusion);
    gt_evaluation_free(t.evaluation);
    gt_predictor_free(predictor);
    return code;
}
