/* Collects the scores of slices. SPDX-License-Identifier: BSD-2-Clause */
#include "eval/eval.h"

#include <math.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/shape.h"
#include "image/convert.h"

struct gt_evaluation {
    int32_t labels, label;
    uint64_t added;
    int32_t slices; /* with foreground */
    struct gt_rand_scores sum[GT_THRESHOLDS];
    struct gt_pixel_counts pixels;
    uint64_t *confusion; /* [labels][labels], truth first */
};

/* One slice while it is judged. `truth` and `prob` are dense, the rest is padded (see eval.h). */
struct slice {
    struct gt_grid grid;
    size_t n;
    int32_t *truth;   /* [n] label indices, below 0: ignored */
    float *prob;      /* [channels][n] */
    uint8_t *above;   /* [n] number of thresholds exceeded by the judged channel */
    uint8_t *mask;    /* [grid.count] */
    int32_t *label;   /* [grid.count] */
    int32_t *queue;   /* [grid.count] */
    int32_t *scratch; /* [3*(grid.count + 1)] */
};

gt_status gt_evaluation_create(gt_evaluation **out, int32_t labels, int32_t label)
{
    if (!out || labels < 2 || labels > 256 || label < 0 || label >= labels) {
        return gt__fail(GT_EINVAL, "label %d of %d labels (2 to 256) cannot be judged", label,
                        labels);
    }
    gt_evaluation *e = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc(&e, 1, sizeof *e, "an evaluation"));
    e->labels = labels;
    e->label = label;
    GT_TRY_OUT(gt__alloc(&e->confusion, (size_t)labels * (size_t)labels, sizeof *e->confusion,
                         "a confusion matrix"));
    *out = e;
    e = NULL;
out:
    gt_evaluation_free(e);
    return status;
}

void gt_evaluation_free(gt_evaluation *evaluation)
{
    if (evaluation) {
        gt__free(evaluation->confusion);
        gt__free(evaluation);
    }
}

static gt_status check(const gt_evaluation *e, const gt_image_view *truth,
                       const gt_image_view *prob)
{
    if (!e) {
        return gt__fail(GT_EINVAL, "no evaluation to add a slice to");
    }
    GT_TRY(gt__view_check(truth));
    GT_TRY(gt__view_check(prob));
    if (truth->width != prob->width || truth->height != prob->height) {
        return gt__fail(GT_ESHAPE, "the truth is %d x %d pixels, the probabilities are %d x %d",
                        truth->width, truth->height, prob->width, prob->height);
    }
    if (truth->channels != 1 || (prob->channels != 1 && prob->channels != e->labels)) {
        return gt__fail(GT_ESHAPE,
                        "the truth has %d channels, expected 1; the probabilities have %d, "
                        "expected 1 or %d",
                        truth->channels, prob->channels, e->labels);
    }
    return GT_OK;
}

/* s->prob holds one plane at least, so it takes the truth's values first. */
static gt_status read_truth(struct slice *s, const gt_image_view *view, int32_t labels)
{
    gt__view_to_float(s->prob, view, 0, view->height);
    for (size_t i = 0; i < s->n; i++) {
        float v = s->prob[i];
        size_t x = i % (size_t)view->width;
        size_t y = i / (size_t)view->width;
        if (isnan(v)) {
            return gt__fail(GT_ENUMERIC, "the truth is NaN at x %zu, y %zu", x, y);
        }
        if (v >= (float)labels || (v >= 0 && v > floorf(v))) {
            return gt__fail(GT_EINVAL, "truth %g at x %zu, y %zu is not a label from 0 to %d",
                            (double)v, x, y, labels - 1);
        }
        s->truth[i] = v < 0 ? -1 : (int32_t)v;
    }
    return GT_OK;
}

/* What a stored 1 stands for: integer types span their whole range. */
static double full_scale(gt_type type)
{
    switch (type) {
    case GT_U8:
        return UINT8_MAX;
    case GT_U16:
        return UINT16_MAX;
    case GT_U32:
        return UINT32_MAX;
    case GT_I8:
        return INT8_MAX;
    case GT_I16:
        return INT16_MAX;
    case GT_I32:
        return INT32_MAX;
    case GT_F32:
    case GT_F64:
        break;
    }
    return 1;
}

static gt_status read_prob(struct slice *s, const gt_image_view *view, int32_t judged)
{
    double scale = full_scale(view->type);
    gt__view_to_float(s->prob, view, 0, view->height);
    for (size_t k = 0; k < s->n * (size_t)view->channels; k++) {
        double v = (double)s->prob[k] / scale;
        size_t i = k % s->n;
        if (!isfinite(v) || v < -1e-3 || v > 1 + 1e-3) {
            return gt__fail(isfinite(v) ? GT_EINVAL : GT_ENUMERIC,
                            "probability %g at x %zu, y %zu is not from 0 to 1", v,
                            i % (size_t)view->width, i / (size_t)view->width);
        }
        if (k / s->n == (size_t)judged) {
            s->above[i] = (uint8_t)gt__thresholds_below(v);
        }
    }
    return GT_OK;
}

static void slice_release(struct slice *s)
{
    gt__free(s->truth);
    gt__free(s->prob);
    gt__free(s->above);
    gt__free(s->mask);
    gt__free(s->label);
    gt__free(s->queue);
    gt__free(s->scratch);
}

static gt_status slice_create(struct slice *out, const gt_image_view *truth,
                              const gt_image_view *prob)
{
    gt_status status = GT_OK;
    struct slice s = {0};
    GT_TRY_OUT(gt__grid(&s.grid, truth->width, truth->height));
    s.n = (size_t)truth->width * (size_t)truth->height;
    size_t count = (size_t)s.grid.count;
    size_t planes = 0;
    if (!gt__mul(&planes, s.n, (size_t)prob->channels)) {
        planes = SIZE_MAX;
    }
    GT_TRY_OUT(gt__alloc(&s.truth, s.n, sizeof *s.truth, "the truth"));
    GT_TRY_OUT(gt__alloc(&s.prob, planes, sizeof *s.prob, "the probabilities"));
    GT_TRY_OUT(gt__alloc(&s.above, s.n, sizeof *s.above, "thresholds of pixels"));
    GT_TRY_OUT(gt__alloc(&s.mask, count, sizeof *s.mask, "a binary image"));
    GT_TRY_OUT(gt__alloc(&s.label, count, sizeof *s.label, "segments"));
    GT_TRY_OUT(gt__alloc(&s.queue, count, sizeof *s.queue, "the queue of the flooding"));
    GT_TRY_OUT(gt__alloc(&s.scratch, 3 * (count + 1), sizeof *s.scratch, "pixels of segments"));
    *out = s;
    s = (struct slice){0};
out:
    slice_release(&s);
    return status;
}

/* mask = 1 where the truth is `label` (threshold below 0), or where the value exceeds a threshold.
 */
static void fill_mask(struct slice *s, int32_t label, int32_t threshold)
{
    size_t i = 0;
    for (int32_t y = 0; y < s->grid.height; y++) {
        uint8_t *row = s->mask + gt__grid_row(&s->grid, y);
        for (int32_t x = 0; x < s->grid.width; x++, i++) {
            row[x] = threshold < 0 ? s->truth[i] == label : s->above[i] > threshold;
        }
    }
}

/* Add the scores of segmentations at all thresholds, if the slice has foreground. */
static gt_status add_segments(gt_evaluation *e, struct slice *s)
{
    fill_mask(s, e->label, -1);
    int32_t found = gt__components(s->label, s->mask, &s->grid, s->queue);
    if (found == 0) {
        return GT_OK;
    }
    struct gt_truth truth;
    GT_TRY(gt__truth_create(&truth, s->label, s->grid.count, found));
    for (int32_t t = 0; t < GT_THRESHOLDS; t++) {
        fill_mask(s, e->label, t);
        int32_t basins = gt__watershed(s->label, s->mask, &s->grid, s->queue);
        struct gt_rand_scores r;
        gt__rand_score(&r, &truth, s->label, basins, s->scratch);
        e->sum[t].v_rand += r.v_rand;
        e->sum[t].split += r.split;
        e->sum[t].merge += r.merge;
        e->sum[t].v_info += r.v_info;
    }
    e->slices++;
    gt__truth_release(&truth);
    return GT_OK;
}

gt_status gt_evaluation_add(gt_evaluation *evaluation, const gt_image_view *truth,
                            const gt_image_view *prob)
{
    GT_TRY(check(evaluation, truth, prob));
    gt_evaluation *e = evaluation;
    gt_status status = GT_OK;
    struct slice s = {0};
    GT_TRY_OUT(slice_create(&s, truth, prob));
    GT_TRY_OUT(read_truth(&s, truth, e->labels));
    GT_TRY_OUT(read_prob(&s, prob, prob->channels == 1 ? 0 : e->label));
    GT_TRY_OUT(add_segments(e, &s));
    for (size_t i = 0; i < s.n; i++) {
        if (s.truth[i] >= 0) {
            uint64_t *counts = s.truth[i] == e->label ? e->pixels.positive : e->pixels.negative;
            counts[s.above[i]]++;
        }
    }
    if (prob->channels > 1) {
        gt__confusion_add(e->confusion, e->labels, s.truth, s.prob, s.n);
    }
    e->added++;
out:
    slice_release(&s);
    return status;
}

static int32_t best_of(const double *score)
{
    int32_t best = 0;
    for (int32_t i = 1; i < GT_THRESHOLDS; i++) {
        best = score[i] > score[best] ? i : best;
    }
    return best;
}

gt_status gt_evaluation_scores(gt_binary_scores *out, const gt_evaluation *evaluation)
{
    const gt_evaluation *e = evaluation;
    if (!out || !e || e->added == 0) {
        return gt__fail(GT_EINVAL, "no slices were added to the evaluation");
    }
    gt_binary_scores s = {.slices = e->slices};
    double n = e->slices > 0 ? e->slices : 1;
    for (int32_t i = 0; i < GT_THRESHOLDS; i++) {
        s.threshold[i] = (float)gt__threshold(i);
        s.v_rand[i] = e->sum[i].v_rand / n;
        s.v_rand_split[i] = e->sum[i].split / n;
        s.v_rand_merge[i] = e->sum[i].merge / n;
        s.v_info[i] = e->sum[i].v_info / n;
        gt__pixel_score(&s.pixel_f[i], &s.pixel_wrong[i], &e->pixels, i);
    }
    s.best_v_rand = best_of(s.v_rand);
    s.best_v_info = best_of(s.v_info);
    s.best_pixel = best_of(s.pixel_f);
    s.pixel_error = 1 - s.pixel_f[s.best_pixel];
    *out = s;
    return GT_OK;
}

const uint64_t *gt_evaluation_confusion(const gt_evaluation *evaluation)
{
    return evaluation->confusion;
}
