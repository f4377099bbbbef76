/* Scores of collected slices. SPDX-License-Identifier: BSD-2-Clause */
#include "eval/evaluation.h"

#include "core/error.h"

static int32_t best_of(const double *score, int32_t n)
{
    int32_t best = 0;
    for (int32_t i = 1; i < n; i++) {
        best = score[i] > score[best] ? i : best;
    }
    return best;
}

static gt_status check(const void *out, const gt_evaluation *e)
{
    if (!out || !e || e->added == 0) {
        return gt__fail(GT_EINVAL, "no slices were added to the evaluation");
    }
    return GT_OK;
}

static gt_status check_chosen(const void *out, const gt_evaluation *e, gt_metric metric,
                              const char *name)
{
    GT_TRY(check(out, e));
    if (!(e->metrics & metric)) {
        return gt__fail(GT_EINVAL, "%s was not chosen before slices were added", name);
    }
    return GT_OK;
}

static gt_partition_scores divided(gt_partition_scores s, double n)
{
    s.v_rand /= n;
    s.v_rand_split /= n;
    s.v_rand_merge /= n;
    s.v_info /= n;
    s.voi_split /= n;
    s.voi_merge /= n;
    s.adapted_rand /= n;
    s.adapted_rand_cremi /= n;
    s.cremi /= n;
    return s;
}

gt_status gt_evaluation_scores(gt_binary_scores *out, const gt_evaluation *evaluation)
{
    const gt_evaluation *e = evaluation;
    GT_TRY(check(out, e));
    gt_binary_scores s = {.slices = e->slices};
    for (int32_t i = 0; i < GT_THRESHOLDS; i++) {
        gt_partition_scores p = divided(e->sum[i], e->slices > 0 ? e->slices : 1);
        s.threshold[i] = (float)gt__threshold(i);
        s.v_rand[i] = p.v_rand;
        s.v_rand_split[i] = p.v_rand_split;
        s.v_rand_merge[i] = p.v_rand_merge;
        s.v_info[i] = p.v_info;
        gt__pixel_score(&s.pixel_f[i], &s.pixel_wrong[i], &e->pixels, i);
    }
    s.best_v_rand = best_of(s.v_rand, GT_THRESHOLDS);
    s.best_v_info = best_of(s.v_info, GT_THRESHOLDS);
    s.best_pixel = best_of(s.pixel_f, GT_THRESHOLDS);
    s.pixel_error = 1 - s.pixel_f[s.best_pixel];
    *out = s;
    return GT_OK;
}

gt_status gt_evaluation_segments(gt_segment_scores *out, const gt_evaluation *evaluation)
{
    const gt_evaluation *e = evaluation;
    GT_TRY(check_chosen(out, e, GT_METRIC_SEGMENTS, "the scores of segments"));
    gt_segment_scores s = {.slices = e->slices};
    double good[6][GT_THRESHOLDS];
    for (int32_t i = 0; i < GT_THRESHOLDS; i++) {
        s.threshold[i] = (float)gt__threshold(i);
        s.at[i] = divided(e->sum[i], e->slices > 0 ? e->slices : 1);
        good[0][i] = s.at[i].v_rand;
        good[1][i] = s.at[i].v_info;
        good[2][i] = -(s.at[i].voi_split + s.at[i].voi_merge);
        good[3][i] = -s.at[i].adapted_rand;
        good[4][i] = -s.at[i].adapted_rand_cremi;
        good[5][i] = -s.at[i].cremi;
    }
    s.best_v_rand = best_of(good[0], GT_THRESHOLDS);
    s.best_v_info = best_of(good[1], GT_THRESHOLDS);
    s.best_voi = best_of(good[2], GT_THRESHOLDS);
    s.best_adapted_rand = best_of(good[3], GT_THRESHOLDS);
    s.best_adapted_rand_cremi = best_of(good[4], GT_THRESHOLDS);
    s.best_cremi = best_of(good[5], GT_THRESHOLDS);
    *out = s;
    return GT_OK;
}

gt_status gt_evaluation_rand(gt_rand_error *out, const gt_evaluation *evaluation)
{
    GT_TRY(check_chosen(out, evaluation, GT_METRIC_RAND, "the Rand error"));
    gt_rand_error r = {.best = 0};
    for (int32_t i = 0; i < GT_THRESHOLDS; i++) {
        r.f[i] = gt__pairs_f(&evaluation->pairs[i]);
    }
    r.best = best_of(r.f, GT_THRESHOLDS);
    r.error = 1 - r.f[r.best];
    *out = r;
    return GT_OK;
}

gt_status gt_evaluation_warping(gt_warping_error *out, const gt_evaluation *evaluation)
{
    GT_TRY(check_chosen(out, evaluation, GT_METRIC_WARPING, "the warping error"));
    double good[2][GT_WARPING_THRESHOLDS];
    gt_warping_error w = {.best = 0};
    double n = evaluation->judged > 0 ? (double)evaluation->judged : 1;
    for (int32_t i = 0; i < GT_WARPING_THRESHOLDS; i++) {
        w.at[i] = evaluation->warped[i] / n;
        w.split_merge[i] = evaluation->split_merge[i] / n;
        good[0][i] = -w.at[i];
        good[1][i] = -w.split_merge[i];
    }
    w.best = best_of(good[0], GT_WARPING_THRESHOLDS);
    w.best_split_merge = best_of(good[1], GT_WARPING_THRESHOLDS);
    w.error = w.at[w.best];
    w.split_merge_error = w.split_merge[w.best_split_merge];
    *out = w;
    return GT_OK;
}

gt_status gt_evaluation_calibration(gt_calibration *out, const gt_evaluation *evaluation)
{
    GT_TRY(check(out, evaluation));
    gt__calibration(out, &evaluation->reliability);
    return GT_OK;
}

gt_status gt_evaluation_top_calibration(gt_calibration *out, const gt_evaluation *evaluation)
{
    GT_TRY(check(out, evaluation));
    gt_calibration c;
    uint64_t n = 0;
    gt__calibration(&c, &evaluation->top);
    for (int32_t b = 0; b < GT_CALIBRATION_BINS; b++) {
        n += c.count[b];
    }
    if (n == 0) {
        return gt__fail(GT_EINVAL, "the largest probability of no pixel is known");
    }
    *out = c;
    return GT_OK;
}

const uint64_t *gt_evaluation_confusion(const gt_evaluation *evaluation)
{
    return evaluation->confusion;
}

gt_status gt_evaluation_label(gt_label_scores *out, const gt_evaluation *evaluation, int32_t label)
{
    const gt_evaluation *e = evaluation;
    if (!out || !e || e->added + e->labelled == 0) {
        return gt__fail(GT_EINVAL, "no slices were added to the evaluation");
    }
    if (label < 0 || label >= e->labels) {
        return gt__fail(GT_EINVAL, "label %d is asked for, there are 0 to %d", label,
                        e->labels - 1);
    }
    gt__label_scores(out, e->confusion, e->labels, label);
    return GT_OK;
}

gt_status gt_evaluation_mean_iou(double *out, const gt_evaluation *evaluation)
{
    if (!out || !evaluation || !gt__mean_iou(out, evaluation->confusion, evaluation->labels)) {
        return gt__fail(GT_EINVAL, "no pixel was counted in the confusion matrix");
    }
    return GT_OK;
}
