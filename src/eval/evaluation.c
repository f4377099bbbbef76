/* Collects the scores of slices. SPDX-License-Identifier: BSD-2-Clause */
#include "eval/evaluation.h"

#include <math.h>

#include "core/error.h"
#include "core/mem.h"
#include "eval/slice.h"
#include "image/convert.h"

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
    e->metrics = GT_METRIC_SEGMENTS;
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

gt_status gt_evaluation_select(gt_evaluation *evaluation, uint32_t metrics)
{
    const uint32_t known = GT_METRIC_SEGMENTS | GT_METRIC_RAND | GT_METRIC_WARPING;
    if (!evaluation || (metrics & ~known)) {
        return gt__fail(GT_EINVAL, "metrics 0x%x are chosen, known are 0x%x", metrics, known);
    }
    if (evaluation->added + evaluation->labelled > 0) {
        return gt__fail(GT_EINVAL, "metrics are chosen after %llu slices were added",
                        (unsigned long long)(evaluation->added + evaluation->labelled));
    }
    evaluation->metrics = metrics;
    return GT_OK;
}

/* `what` names the second image. */
static gt_status check(const gt_evaluation *e, const gt_image_view *truth,
                       const gt_image_view *other, const char *what)
{
    if (!e) {
        return gt__fail(GT_EINVAL, "no evaluation to add a slice to");
    }
    GT_TRY(gt__view_check(truth));
    GT_TRY(gt__view_check(other));
    if (truth->width != other->width || truth->height != other->height) {
        return gt__fail(GT_ESHAPE, "the truth is %d x %d pixels, the %s are %d x %d", truth->width,
                        truth->height, what, other->width, other->height);
    }
    return GT_OK;
}

static void add_partition(gt_partition_scores *sum, const gt_partition_scores *s)
{
    sum->v_rand += s->v_rand;
    sum->v_rand_split += s->v_rand_split;
    sum->v_rand_merge += s->v_rand_merge;
    sum->v_info += s->v_info;
    sum->voi_split += s->voi_split;
    sum->voi_merge += s->voi_merge;
    sum->adapted_rand += s->adapted_rand;
    sum->adapted_rand_cremi += s->adapted_rand_cremi;
    sum->cremi += s->cremi;
}

/* Segmentations at one threshold, thinned and not. */
static void add_threshold(gt_evaluation *e, struct gt_slice *s, const struct gt_truth *truth,
                          int32_t t)
{
    struct gt_sums sums;
    double all = (double)s->n;
    gt__slice_mask_above(s->mask, s, t);
    if (e->metrics & GT_METRIC_RAND) {
        int32_t found = gt__components(s->label, s->mask, &s->grid, s->queue);
        gt__overlap_count(&sums, truth, all, s->label, found, s->scratch);
        gt__pairs_add(&e->pairs[t], &sums);
    }
    if (e->metrics & GT_METRIC_SEGMENTS) {
        gt_partition_scores scores;
        int32_t basins = gt__watershed(s->label, s->mask, &s->grid, s->queue);
        gt__overlap_count(&sums, truth, all, s->label, basins, s->scratch);
        gt__partition_scores(&scores, &sums);
        add_partition(&e->sum[t], &scores);
    }
}

/* Add the scores of segmentations at all thresholds, if the slice has foreground. */
static gt_status add_segments(gt_evaluation *e, struct gt_slice *s)
{
    if (!(e->metrics & (GT_METRIC_SEGMENTS | GT_METRIC_RAND))) {
        return GT_OK;
    }
    gt__slice_mask_truth(s->mask, s, e->label);
    int32_t found = gt__components(s->label, s->mask, &s->grid, s->queue);
    if (found == 0) {
        return GT_OK;
    }
    struct gt_truth truth;
    GT_TRY(gt__truth_create(&truth, s->label, s->grid.count, found));
    for (int32_t t = 0; t < GT_THRESHOLDS; t++) {
        add_threshold(e, s, &truth, t);
    }
    e->slices++;
    gt__truth_release(&truth);
    return GT_OK;
}

/* The channel that holds the probability of the judged label. */
static const float *judged_plane(const gt_evaluation *e, const struct gt_slice *s)
{
    return s->prob + (s->channels == 1 ? 0 : (size_t)e->label * s->n);
}

static void add_warping(gt_evaluation *e, struct gt_slice *s, uint64_t judged)
{
    const float *prob = judged_plane(e, s);
    for (int32_t t = 0; t < GT_WARPING_THRESHOLDS; t++) {
        for (size_t i = 0; i < s->n; i++) {
            double sure = fabs((double)prob[i] - gt__threshold(t));
            s->sure[i] = s->truth[i] >= 0 ? (float)sure : -1;
        }
        gt__slice_mask_truth(s->warping.source, s, e->label);
        gt__slice_mask_above(s->warping.target, s, t);
        size_t left = gt__warp(&s->warping, &s->grid, s->sure);
        e->warped[t] += (double)left / (double)judged;
        gt__components(s->label, s->warping.source, &s->grid, s->queue);
        left = gt__warp_split_merge(&s->warping, &s->grid, s->label);
        e->split_merge[t] += (double)left / (double)judged;
    }
}

/* Scores of single pixels; returns how many are judged. */
static uint64_t add_pixels(gt_evaluation *e, const struct gt_slice *s)
{
    const float *prob = judged_plane(e, s);
    uint64_t judged = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->truth[i] >= 0) {
            bool hit = s->truth[i] == e->label;
            uint64_t *counts = hit ? e->pixels.positive : e->pixels.negative;
            counts[s->above[i]]++;
            gt__reliability_add(&e->reliability, (double)prob[i], hit);
            judged++;
        }
    }
    return judged;
}

gt_status gt_evaluation_add(gt_evaluation *evaluation, const gt_image_view *truth,
                            const gt_image_view *prob)
{
    GT_TRY(check(evaluation, truth, prob, "probabilities"));
    gt_evaluation *e = evaluation;
    if (truth->channels != 1 || (prob->channels != 1 && prob->channels != e->labels)) {
        return gt__fail(GT_ESHAPE,
                        "the truth has %d channels, expected 1; the probabilities have %d, "
                        "expected 1 or %d",
                        truth->channels, prob->channels, e->labels);
    }
    gt_status status = GT_OK;
    struct gt_slice s = {0};
    GT_TRY_OUT(gt__slice_create(&s, truth, prob->channels, e->metrics));
    GT_TRY_OUT(gt__read_labels(s.truth, s.prob, truth, e->labels, "truth"));
    GT_TRY_OUT(gt__slice_read_prob(&s, prob, prob->channels == 1 ? 0 : e->label));
    GT_TRY_OUT(add_segments(e, &s));
    uint64_t judged = add_pixels(e, &s);
    e->judged += judged > 0;
    if (judged > 0 && (e->metrics & GT_METRIC_WARPING)) {
        add_warping(e, &s, judged);
    }
    if (prob->channels > 1) {
        gt__confusion_add(e->confusion, &e->top, e->labels, s.truth, s.prob, s.n);
    } else if (e->labels == 2) {
        gt__confusion_add_two(e->confusion, &e->top, e->label, s.truth, s.prob, s.n);
    }
    e->added++;
out:
    gt__slice_release(&s);
    return status;
}

gt_status gt_evaluation_add_labels(gt_evaluation *evaluation, const gt_image_view *truth,
                                   const gt_image_view *predicted)
{
    GT_TRY(check(evaluation, truth, predicted, "predicted labels"));
    gt_evaluation *e = evaluation;
    if (truth->channels != 1 || predicted->channels != 1) {
        return gt__fail(GT_ESHAPE,
                        "the truth has %d channels, the predicted labels have %d, expected 1",
                        truth->channels, predicted->channels);
    }
    gt_status status = GT_OK;
    size_t n = (size_t)truth->width * (size_t)truth->height;
    int32_t *label[2] = {NULL, NULL};
    float *scratch = NULL;
    GT_TRY_OUT(gt__alloc(&label[0], n, sizeof *label[0], "the truth"));
    GT_TRY_OUT(gt__alloc(&label[1], n, sizeof *label[1], "predicted labels"));
    GT_TRY_OUT(gt__alloc(&scratch, n, sizeof *scratch, "labels"));
    GT_TRY_OUT(gt__read_labels(label[0], scratch, truth, e->labels, "truth"));
    GT_TRY_OUT(gt__read_labels(label[1], scratch, predicted, e->labels, "predicted label"));
    for (size_t i = 0; i < n; i++) {
        if (label[1][i] < 0 && label[0][i] >= 0) {
            size_t width = (size_t)truth->width;
            status =
                gt__fail(GT_EINVAL, "no label is predicted at x %zu, y %zu", i % width, i / width);
            goto out;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (label[0][i] >= 0) {
            e->confusion[label[0][i] * e->labels + label[1][i]]++;
        }
    }
    e->labelled++;
out:
    gt__free(scratch);
    gt__free(label[1]);
    gt__free(label[0]);
    return status;
}

static void merge_counts(gt_evaluation *into, const gt_evaluation *from)
{
    for (int32_t i = 0; i <= GT_THRESHOLDS; i++) {
        into->pixels.positive[i] += from->pixels.positive[i];
        into->pixels.negative[i] += from->pixels.negative[i];
    }
    gt__reliability_merge(&into->reliability, &from->reliability);
    gt__reliability_merge(&into->top, &from->top);
    for (int32_t i = 0; i < into->labels * into->labels; i++) {
        into->confusion[i] += from->confusion[i];
    }
    into->added += from->added;
    into->labelled += from->labelled;
    into->judged += from->judged;
    into->slices += from->slices;
}

gt_status gt_evaluation_merge(gt_evaluation *into, const gt_evaluation *from)
{
    if (!into || !from || into->labels != from->labels || into->label != from->label ||
        into->metrics != from->metrics) {
        return gt__fail(GT_EINVAL, "evaluations of other labels or metrics cannot be merged");
    }
    merge_counts(into, from);
    for (int32_t t = 0; t < GT_THRESHOLDS; t++) {
        add_partition(&into->sum[t], &from->sum[t]);
        into->pairs[t].both += from->pairs[t].both;
        into->pairs[t].truth += from->pairs[t].truth;
        into->pairs[t].predicted += from->pairs[t].predicted;
    }
    for (int32_t t = 0; t < GT_WARPING_THRESHOLDS; t++) {
        into->warped[t] += from->warped[t];
        into->split_merge[t] += from->split_merge[t];
    }
    return GT_OK;
}
