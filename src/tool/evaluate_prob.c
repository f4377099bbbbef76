/* Probabilities against true labels. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/evaluate.h"

#include <stdlib.h>

struct judging {
    const struct evaluate_flags *flags;
    gt_model *model;
    gt_image_reader *prob;
    gt_evaluation *stack, *slice;
    struct truth truth;
    struct progress progress;
    struct result result;
    int32_t channels;
};

/* Rows of page `page` as one plane of probabilities; every page must be grey and of the first
 * one's size. */
static int load_plane(float *dst, struct judging *j, size_t page, const gt_image_view *like)
{
    gt_page_info info;
    gt_status status = gt_image_reader_page(&info, j->prob, page);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    if (info.channels != 1 || info.width != like->width || info.height != like->height) {
        fprintf(stderr,
                "greentea: %s: page %zu is %d x %d with %d samples, expected %d x %d with 1\n",
                j->flags->prob, page + 1, info.width, info.height, info.channels, like->width,
                like->height);
        return EXIT_INPUT;
    }
    status = gt_image_reader_rows(j->prob, page, 0, info.height, dst);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    float scale = info.type == GT_U8 ? 1.0f / 255.0f : info.type == GT_U16 ? 1.0f / 65535.0f : 1.0f;
    size_t n = (size_t)info.width * (size_t)info.height;
    for (size_t i = 0; i < n; i++) {
        dst[i] *= scale;
        if (!(dst[i] >= 0.0f && dst[i] <= 1.0f)) {
            fprintf(stderr, "greentea: %s: page %zu holds %g, probabilities are 0 to 1\n",
                    j->flags->prob, page + 1, (double)(dst[i] / scale));
            return EXIT_INPUT;
        }
    }
    return 0;
}

/* Probabilities of one slice as [channels][H][W] in [0, 1], whatever the file's type. */
static int load_slice(gt_image **out, struct judging *j, size_t slice)
{
    gt_image *all = NULL;
    gt_page_info info;
    size_t first = slice * (size_t)j->channels;
    gt_status status = gt_image_reader_page(&info, j->prob, first);
    if (status == GT_OK) {
        status = gt_image_create(&all, GT_F32, j->channels, info.height, info.width);
    }
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    gt_image_view view = gt_image_get_view(all);
    size_t plane = (size_t)view.width * (size_t)view.height;
    int code = 0;
    for (int32_t c = 0; c < j->channels && code == 0; c++) {
        code = load_plane((float *)view.data + (size_t)c * plane, j, first + (size_t)c, &view);
    }
    if (code) {
        gt_image_free(all);
        return code;
    }
    *out = all;
    return 0;
}

static gt_status new_evaluation(gt_evaluation **out, const struct judging *j)
{
    gt_status status = gt_evaluation_create(out, j->result.labels, j->result.label);
    return status == GT_OK ? gt_evaluation_select(*out, evaluate_metrics(j->flags->scores))
                           : status;
}

/* Judge one slice, keep its scores, add it to the stack. */
static gt_status judge(struct judging *j, size_t slice, const gt_image *truth, const gt_image *prob)
{
    gt_image_view t = gt_image_get_view(truth);
    gt_image_view p = gt_image_get_view(prob);
    gt_evaluation_free(j->slice);
    j->slice = NULL;
    gt_status status = new_evaluation(&j->slice, j);
    if (status == GT_OK) {
        status = gt_evaluation_add(j->slice, &t, &p);
    }
    if (status == GT_OK && j->result.slice) {
        status = evaluate_collect(&j->result.slice[slice], j->slice, j->flags->scores);
    }
    return status == GT_OK ? gt_evaluation_merge(j->stack, j->slice) : status;
}

static int add_slice(struct judging *j, size_t slice)
{
    gt_image *truth = NULL;
    gt_image *prob = NULL;
    int code = truth_page(&truth, &j->truth, slice);
    code = code ? code : load_slice(&prob, j, slice);
    code = code ? code : truth_crop(&truth, j->model, prob);
    if (code == 0) {
        gt_status status = judge(j, slice, truth, prob);
        code = status == GT_OK ? 0 : evaluate_fail(status, slice);
    }
    gt_image_free(truth);
    gt_image_free(prob);
    return code;
}

/* What was asked for and can be told from these labels. */
static int choose_label(struct judging *j)
{
    const struct evaluate_flags *f = j->flags;
    int32_t labels = j->truth.labels;
    if (f->label >= labels || f->label < -1) {
        return tool_usage("--label is %d, expected 0 to %d", f->label, labels - 1);
    }
    if (j->channels == 1 && labels > 2 && f->label < 0) {
        return tool_usage("%s has one channel, %s %d labels: --label tells which of them it is",
                          f->prob, f->labels, labels);
    }
    j->result.labels = labels;
    j->result.label = f->label >= 0 ? f->label : labels == 2 ? 1 : labels - 1;
    j->result.chosen = f->scores;
    if (j->channels == 1 && labels > 2) {
        j->result.chosen &= ~(uint32_t)SCORE_CONFUSION;
    }
    return 0;
}

static int open_all(struct judging *j)
{
    const struct evaluate_flags *f = j->flags;
    gt_status status = f->model ? gt_model_load(&j->model, f->model) : GT_OK;
    if (status == GT_OK) {
        status = gt_image_reader_open(&j->prob, f->prob, NULL);
    }
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    j->channels = gt_image_reader_hyperstack_channels(j->prob);
    j->result.slices = gt_image_reader_pages(j->prob) / (size_t)j->channels;
    int code = evaluate_open_truth(&j->truth, f, j->channels > 1 ? j->channels : 0, j->model);
    code = code ? code : choose_label(j);
    if (code) {
        return code;
    }
    size_t pages = gt_label_reader_pages(j->truth.reader);
    if (pages != j->result.slices) {
        fprintf(stderr, "greentea: %s has %zu pages, %s %zu slices\n", f->labels, pages, f->prob,
                j->result.slices);
        return EXIT_INPUT;
    }
    status = new_evaluation(&j->stack, j);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OPTION);
    }
    j->result.slice = f->per_slice ? calloc(pages, sizeof *j->result.slice) : NULL;
    if (f->per_slice && !j->result.slice) {
        fprintf(stderr, "greentea: no memory for the scores of %zu slices\n", pages);
        return EXIT_DEVICE;
    }
    return 0;
}

static int print(struct judging *j)
{
    struct result *r = &j->result;
    if (j->truth.judged == 0) {
        fprintf(stderr, "greentea: no pixel of %s has the value of a label\n", j->flags->labels);
        return EXIT_INPUT;
    }
    gt_status status = evaluate_collect(&r->stack, j->stack, j->flags->scores);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    if (r->stack.binary.slices == 0) {
        r->chosen &= ~(uint32_t)(SCORE_SEGMENTS | SCORE_RAND);
    }
    r->evaluation = j->stack;
    r->probabilities = true;
    if (j->flags->json) {
        return evaluate_json(r);
    }
    evaluate_text(r);
    return 0;
}

int evaluate_prob(const struct evaluate_flags *f)
{
    struct judging j = {.flags = f, .result = {.flags = f}};
    j.result.truth = &j.truth;
    int code = progress_open(&j.progress, f->progress, f->quiet, NULL);
    code = code ? code : open_all(&j);
    for (size_t i = 0; i < j.result.slices && code == 0; i++) {
        code = add_slice(&j, i);
        evaluate_progress(&j.progress, i + 1, j.result.slices);
    }
    code = code ? code : print(&j);
    free(j.result.slice);
    truth_close(&j.truth);
    gt_evaluation_free(j.slice);
    gt_evaluation_free(j.stack);
    gt_image_reader_free(j.prob);
    gt_model_free(j.model);
    return code;
}
