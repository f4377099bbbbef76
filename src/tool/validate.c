/* Judging a network on held-out images while it trains. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/validate.h"

#include "tool/flags_preprocess.h"
#include "tool/history.h"

#include <math.h>
#include <stdlib.h>

/* Sums over the slices. */
struct tally {
    gt_evaluation *evaluation; /* of 2 labels, else NULL */
    double loss;
    uint64_t judged, right;
    uint64_t *confusion; /* [labels][labels], truth first */
};

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

static int add_slice(struct tally *t, struct validation *v, gt_predictor *predictor, size_t page)
{
    gt_image *raw = NULL;
    gt_image *truth = NULL;
    gt_image *prob = NULL;
    gt_page_info info;
    int code = truth_page(&truth, &v->truth, page);
    if (code) {
        return code;
    }
    gt_status status = gt_image_reader_page(&info, v->raw, page);
    status = status == GT_OK ? gt_image_reader_load(&raw, v->raw, page) : status;
    if (status == GT_OK) {
        gt_image_view x = gt_image_get_view(raw);
        status = gt_predictor_run(&prob, predictor, &x);
        status = status == GT_OK ? keep_crop(&raw, v->model) : status;
        status = status == GT_OK ? keep_crop(&truth, v->model) : status;
        x = gt_image_get_view(raw);
        gt_image_view y = gt_image_get_view(truth);
        gt_image_view p = status == GT_OK ? gt_image_get_view(prob) : x;
        if (status == GT_OK && t->evaluation) {
            status = gt_evaluation_add(t->evaluation, &y, &p);
        }
        if (status == GT_OK) {
            count_pixels(t, &y, &p);
        }
        for (int i = 0; i < v->n_thumbs && status == GT_OK; i++) {
            if (v->thumbs[i].page == page) {
                thumb_take(&v->thumbs[i], &x, &y, &p, info.type == GT_U8);
            }
        }
    }
    gt_image_free(raw);
    gt_image_free(truth);
    gt_image_free(prob);
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
}

/* ---- scores ---- */

static double mean_iou(const uint64_t *confusion, int32_t labels)
{
    double sum = 0.0;
    int32_t present = 0;
    for (int32_t k = 0; k < labels; k++) {
        uint64_t joined = 0;
        for (int32_t i = 0; i < labels; i++) {
            joined += confusion[k * labels + i] + (i != k ? confusion[i * labels + k] : 0);
        }
        if (joined > 0) {
            sum += (double)confusion[k * labels + k] / (double)joined;
            present++;
        }
    }
    return present > 0 ? sum / present : 0.0;
}

static void add_binary(json_t *o, const gt_binary_scores *s)
{
    static const char *const keys[] = {"threshold", "v_rand",  "split",      "merge",
                                       "v_info",    "pixel_f", "pixel_wrong"};
    json_object_set_new(o, "v_rand", json_finite(s->v_rand[s->best_v_rand]));
    json_object_set_new(o, "v_rand_threshold", json_real((double)s->threshold[s->best_v_rand]));
    json_object_set_new(o, "v_rand_split", json_finite(s->v_rand_split[s->best_v_rand]));
    json_object_set_new(o, "v_rand_merge", json_finite(s->v_rand_merge[s->best_v_rand]));
    json_object_set_new(o, "v_info", json_finite(s->v_info[s->best_v_info]));
    json_object_set_new(o, "v_info_threshold", json_real((double)s->threshold[s->best_v_info]));
    json_object_set_new(o, "pixel_error", json_finite(s->pixel_error));
    json_object_set_new(o, "pixel_error_threshold", json_real((double)s->threshold[s->best_pixel]));
    json_object_set_new(o, "pixel_wrong", json_finite(s->pixel_wrong[s->best_pixel]));
    json_t *all = json_object();
    for (int k = 0; k < 7; k++) {
        json_t *list = json_array();
        for (int i = 0; i < GT_THRESHOLDS; i++) {
            const double values[] = {(double)s->threshold[i], s->v_rand[i], s->v_rand_split[i],
                                     s->v_rand_merge[i],      s->v_info[i], s->pixel_f[i],
                                     s->pixel_wrong[i]};
            json_array_append_new(list, json_finite(values[k]));
        }
        json_object_set_new(all, keys[k], list);
    }
    json_object_set_new(o, "thresholds", all);
}

static int score(json_t **out, const struct validation *v, const struct tally *t)
{
    json_t *o = json_object();
    double judged = (double)t->judged;
    json_object_set_new(o, "loss", json_finite(t->loss / judged));
    json_object_set_new(o, "accuracy", json_finite((double)t->right / judged));
    json_object_set_new(o, "mean_iou", json_finite(mean_iou(t->confusion, v->labels)));
    if (t->evaluation) {
        gt_binary_scores s;
        gt_status status = gt_evaluation_scores(&s, t->evaluation);
        if (status != GT_OK) {
            json_decref(o);
            return tool_fail(status, ABOUT_INPUT);
        }
        add_binary(o, &s);
    }
    json_t *rows = json_array();
    for (int32_t i = 0; i < v->labels; i++) {
        json_t *row = json_array();
        for (int32_t k = 0; k < v->labels; k++) {
            json_array_append_new(row, json_integer((json_int_t)t->confusion[i * v->labels + k]));
        }
        json_array_append_new(rows, row);
    }
    json_object_set_new(o, "confusion", rows);
    *out = o;
    return 0;
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
    code = code ? code : preprocess_share(predictor, v->raw);
    t.confusion = calloc(n * n, sizeof *t.confusion);
    if (code == 0 && !t.confusion) {
        fprintf(stderr, "greentea: no memory for a confusion matrix of %zu labels\n", n);
        code = EXIT_DEVICE;
    }
    code = code ? code : run_slices(&t, v, predictor);
    code = code ? code : score(out, v, &t);
    free(t.confusion);
    gt_evaluation_free(t.evaluation);
    gt_predictor_free(predictor);
    return code;
}
