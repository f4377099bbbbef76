/* greentea evaluate: probabilities against the true labels. SPDX-License-Identifier: BSD-2-Clause
 * */
#include "tool/flags_labels.h"
#include "tool/tool.h"
#include "tool/truth.h"

#include <jansson.h>
#include <stdlib.h>

struct flags {
    char *labels, *prob, *model, *consolidate;
    int label, json;
};

struct evaluating {
    const struct flags *flags;
    gt_model *model;
    gt_image_reader *prob;
    gt_evaluation *evaluation;
    struct truth truth;
    int32_t labels, channels, label;
    size_t slices;
};

/* Rows of page `page` as one plane of probabilities; every page must be grey and of the first
 * one's size. */
static int load_plane(float *dst, struct evaluating *e, size_t page, const gt_image_view *like)
{
    gt_page_info info;
    gt_status status = gt_image_reader_page(&info, e->prob, page);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    if (info.channels != 1 || info.width != like->width || info.height != like->height) {
        fprintf(stderr,
                "greentea: %s: page %zu is %d x %d with %d samples, expected %d x %d with 1\n",
                e->flags->prob, page + 1, info.width, info.height, info.channels, like->width,
                like->height);
        return EXIT_INPUT;
    }
    status = gt_image_reader_rows(e->prob, page, 0, info.height, dst);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    float scale = info.type == GT_U8 ? 1.0f / 255.0f : info.type == GT_U16 ? 1.0f / 65535.0f : 1.0f;
    size_t n = (size_t)info.width * (size_t)info.height;
    for (size_t i = 0; i < n; i++) {
        dst[i] *= scale;
        if (!(dst[i] >= 0.0f && dst[i] <= 1.0f)) {
            fprintf(stderr, "greentea: %s: page %zu holds %g, probabilities are 0 to 1\n",
                    e->flags->prob, page + 1, (double)(dst[i] / scale));
            return EXIT_INPUT;
        }
    }
    return 0;
}

/* Probabilities of one slice as [channels][H][W] in [0, 1], whatever the file's type. */
static int load_slice(gt_image **out, struct evaluating *e, size_t slice)
{
    gt_image *all = NULL;
    gt_page_info info;
    size_t first = slice * (size_t)e->channels;
    gt_status status = gt_image_reader_page(&info, e->prob, first);
    if (status == GT_OK) {
        status = gt_image_create(&all, GT_F32, e->channels, info.height, info.width);
    }
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    gt_image_view view = gt_image_get_view(all);
    size_t plane = (size_t)view.width * (size_t)view.height;
    int code = 0;
    for (int32_t c = 0; c < e->channels && code == 0; c++) {
        code = load_plane((float *)view.data + (size_t)c * plane, e, first + (size_t)c, &view);
    }
    if (code) {
        gt_image_free(all);
        return code;
    }
    *out = all;
    return 0;
}

static int add_slice(struct evaluating *e, size_t slice)
{
    gt_image *truth = NULL;
    gt_image *prob = NULL;
    int code = truth_page(&truth, &e->truth, slice);
    code = code ? code : load_slice(&prob, e, slice);
    if (code == 0) {
        gt_image_view t = gt_image_get_view(truth);
        gt_image_view p = gt_image_get_view(prob);
        gt_status status = gt_evaluation_add(e->evaluation, &t, &p);
        code = status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
    }
    gt_image_free(truth);
    gt_image_free(prob);
    return code;
}

static double ratio(uint64_t a, uint64_t b)
{
    return b > 0 ? (double)a / (double)b : 0.0;
}

/* Recall, precision and IoU of one label from the confusion matrix. */
static void label_scores(double out[3], const uint64_t *counts, int32_t labels, int32_t k)
{
    uint64_t truth = 0;
    uint64_t predicted = 0;
    uint64_t hit = counts[k * labels + k];
    for (int32_t i = 0; i < labels; i++) {
        truth += counts[k * labels + i];
        predicted += counts[i * labels + k];
    }
    out[0] = ratio(hit, truth);
    out[1] = ratio(hit, predicted);
    out[2] = ratio(hit, truth + predicted - hit);
}

static json_t *scores_json(const gt_binary_scores *s)
{
    json_t *list = json_array();
    for (int i = 0; i < GT_THRESHOLDS; i++) {
        json_array_append_new(list, json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "threshold",
                                              (double)s->threshold[i], "v_rand", s->v_rand[i],
                                              "v_rand_split", s->v_rand_split[i], "v_rand_merge",
                                              s->v_rand_merge[i], "v_info", s->v_info[i], "pixel_f",
                                              s->pixel_f[i], "pixel_wrong", s->pixel_wrong[i]));
    }
    return list;
}

static void print_json(const struct evaluating *e, const gt_binary_scores *s)
{
    json_t *o =
        json_pack("{s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "label", e->label, "slices",
                  s->slices, "v_rand", s->v_rand[s->best_v_rand], "v_rand_threshold",
                  (double)s->threshold[s->best_v_rand], "v_info", s->v_info[s->best_v_info],
                  "v_info_threshold", (double)s->threshold[s->best_v_info], "pixel_error",
                  s->pixel_error, "pixel_error_threshold", (double)s->threshold[s->best_pixel],
                  "pixel_wrong", s->pixel_wrong[s->best_pixel], "thresholds", scores_json(s));
    if (e->channels > 1) {
        const uint64_t *counts = gt_evaluation_confusion(e->evaluation);
        json_t *list = json_array();
        double mean = 0.0;
        for (int32_t k = 0; k < e->labels; k++) {
            double v[3];
            label_scores(v, counts, e->labels, k);
            mean += v[2] / e->labels;
            json_array_append_new(list, json_pack("{s:i, s:f, s:f, s:f}", "label", k, "recall",
                                                  v[0], "precision", v[1], "iou", v[2]));
        }
        json_object_set_new(o, "labels", list);
        json_object_set_new(o, "mean_iou", json_real(mean));
    }
    json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    puts("");
    json_decref(o);
}

static void print_text(const struct evaluating *e, const gt_binary_scores *s)
{
    printf("label %d, %d slices\n", e->label, s->slices);
    printf("V_Rand (thinned) %.4f at threshold %.1f (split %.4f, merge %.4f)\n",
           s->v_rand[s->best_v_rand], (double)s->threshold[s->best_v_rand],
           s->v_rand_split[s->best_v_rand], s->v_rand_merge[s->best_v_rand]);
    printf("V_Info (thinned) %.4f at threshold %.1f\n", s->v_info[s->best_v_info],
           (double)s->threshold[s->best_v_info]);
    printf("pixel error      %.4f at threshold %.1f (%.2f %% of the pixels wrong)\n",
           s->pixel_error, (double)s->threshold[s->best_pixel],
           100.0 * s->pixel_wrong[s->best_pixel]);
    printf("\nthreshold  V_Rand  V_Info  pixel F  wrong\n");
    for (int i = 0; i < GT_THRESHOLDS; i++) {
        printf("%9.1f  %.4f  %.4f  %.4f   %.4f\n", (double)s->threshold[i], s->v_rand[i],
               s->v_info[i], s->pixel_f[i], s->pixel_wrong[i]);
    }
    if (e->channels > 1) {
        const uint64_t *counts = gt_evaluation_confusion(e->evaluation);
        double mean = 0.0;
        printf("\nlabel  grey  recall  precision  IoU\n");
        for (int32_t k = 0; k < e->labels; k++) {
            double v[3];
            label_scores(v, counts, e->labels, k);
            mean += v[2] / e->labels;
            printf("%5d  %4d  %.4f  %.4f     %.4f\n", k, truth_grey(&e->truth, k), v[0], v[1],
                   v[2]);
        }
        printf("mean IoU %.4f\n", mean);
    }
}

static int open_all(struct evaluating *e)
{
    const struct flags *f = e->flags;
    gt_status status = f->model ? gt_model_load(&e->model, f->model) : GT_OK;
    if (status == GT_OK) {
        status = gt_image_reader_open(&e->prob, f->prob, NULL);
    }
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    e->channels = gt_image_reader_hyperstack_channels(e->prob);
    e->slices = gt_image_reader_pages(e->prob) / (size_t)e->channels;
    gt_consolidation consolidate;
    int code = labels_consolidation(&consolidate, f->consolidate);
    code = code ? code
                : truth_open(&e->truth, f->labels, e->channels > 1 ? e->channels : 0, e->model,
                             &consolidate);
    if (code) {
        return code;
    }
    e->labels = e->truth.labels;
    if (f->label >= e->labels || f->label < -1) {
        return tool_usage("--label is %d, expected 0 to %d", f->label, e->labels - 1);
    }
    if (e->channels == 1 && e->labels > 2 && f->label < 0) {
        return tool_usage("%s has one channel, %s %d labels: --label tells which of them it is",
                          f->prob, f->labels, e->labels);
    }
    e->label = f->label >= 0 ? f->label : e->labels == 2 ? 1 : e->labels - 1;
    size_t truth_pages = gt_label_reader_pages(e->truth.reader);
    if (truth_pages != e->slices) {
        fprintf(stderr, "greentea: %s has %zu pages, %s %zu slices\n", f->labels, truth_pages,
                f->prob, e->slices);
        return EXIT_INPUT;
    }
    status = gt_evaluation_create(&e->evaluation, e->labels, e->label);
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
}

static int evaluate(struct evaluating *e)
{
    gt_binary_scores scores;
    int code = open_all(e);
    for (size_t i = 0; i < e->slices && code == 0; i++) {
        code = add_slice(e, i);
    }
    if (code) {
        return code;
    }
    if (e->truth.judged == 0) {
        fprintf(stderr, "greentea: no pixel of %s has the value of a label\n", e->flags->labels);
        return EXIT_INPUT;
    }
    gt_status status = gt_evaluation_scores(&scores, e->evaluation);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    if (e->flags->json) {
        print_json(e, &scores);
    } else {
        print_text(e, &scores);
    }
    return EXIT_OK;
}

int cmd_evaluate(int argc, char **argv)
{
    struct flags f = {.label = -1};
    const struct poptOption table[] = {
        {"labels", 'l', POPT_ARG_STRING, &f.labels, 0,
         "true label images, page by page; or a folder with a sub-folder per label", "PATH"},
        {"prob", 'p', POPT_ARG_STRING, &f.prob, 0, "probabilities written by process", "PATH"},
        {"label", 'k', POPT_ARG_INT, &f.label, 0,
         "label of V_Rand, V_Info and pixel error (default: 1 of 2, the last of more)", "K"},
        {"model", 'm', POPT_ARG_STRING, &f.model, 0,
         "model that knows which grey value is which label", "MODEL"},
        {"consolidate", 0, POPT_ARG_STRING, &f.consolidate, 0,
         "label for each label of the true images, in order (-1: none): 0,0,1", "LIST"},
        {"json", 0, POPT_ARG_NONE, &f.json, 0, "machine-readable", NULL},
        POPT_TABLEEND};
    struct evaluating e = {.flags = &f};
    int code = tool_parse(argc, argv, table, "Compare probabilities with the true labels.", NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    if (!f.labels || !f.prob) {
        return tool_usage(
            "--labels and --prob are needed; `greentea evaluate --help` lists the options");
    }
    code = evaluate(&e);
    truth_close(&e.truth);
    gt_evaluation_free(e.evaluation);
    gt_image_reader_free(e.prob);
    gt_model_free(e.model);
    return code;
}
