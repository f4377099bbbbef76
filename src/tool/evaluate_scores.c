/* Which scores are asked for, and their numbers by threshold. SPDX-License-Identifier: BSD-2-Clause
 */
#include "tool/evaluate.h"

#include <string.h>

static const struct {
    const char *name;
    uint32_t score;
} names[] = {
    {"vrand", SCORE_VRAND},
    {"vinfo", SCORE_VINFO},
    {"voi", SCORE_VOI},
    {"adapted-rand", SCORE_ADAPTED_RAND},
    {"cremi", SCORE_CREMI},
    {"rand", SCORE_RAND},
    {"warping", SCORE_WARPING},
    {"pixel", SCORE_PIXEL},
    {"calibration", SCORE_CALIBRATION},
    {"confusion", SCORE_CONFUSION},
    {"iou", SCORE_CONFUSION},
    {"all", SCORE_ALL},
};

/* The score of one word; 0: there is none of this name. */
static uint32_t find(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i].name) == length && memcmp(names[i].name, word, length) == 0) {
            return names[i].score;
        }
    }
    return 0;
}

int evaluate_parse_metrics(uint32_t *out, const char *list)
{
    uint32_t scores = 0;
    for (const char *word = list; word;) {
        size_t length = strcspn(word, ",");
        uint32_t score = find(word, length);
        if (score == 0) {
            return tool_usage("--metrics: '%.*s' is none of vrand, vinfo, voi, adapted-rand, "
                              "cremi, rand, warping, pixel, calibration, confusion, all",
                              (int)length, word);
        }
        scores |= score;
        word = word[length] ? word + length + 1 : NULL;
    }
    *out = list ? scores : SCORE_ALL;
    return 0;
}

uint32_t evaluate_metrics(uint32_t scores)
{
    uint32_t metrics = scores & SCORE_SEGMENTS ? GT_METRIC_SEGMENTS : 0;
    metrics |= scores & SCORE_RAND ? GT_METRIC_RAND : 0;
    return metrics | (scores & SCORE_WARPING ? GT_METRIC_WARPING : 0);
}

gt_status evaluate_collect(struct scores *out, const gt_evaluation *evaluation, uint32_t chosen)
{
    struct scores s;
    memset(&s, 0, sizeof s);
    uint32_t metrics = evaluate_metrics(chosen);
    gt_status status = gt_evaluation_scores(&s.binary, evaluation);
    if (status == GT_OK && (metrics & GT_METRIC_SEGMENTS)) {
        status = gt_evaluation_segments(&s.segments, evaluation);
    }
    if (status == GT_OK && (metrics & GT_METRIC_RAND)) {
        status = gt_evaluation_rand(&s.rand, evaluation);
    }
    if (status == GT_OK && (metrics & GT_METRIC_WARPING)) {
        status = gt_evaluation_warping(&s.warping, evaluation);
    }
    if (status == GT_OK) {
        status = gt_evaluation_calibration(&s.calibration, evaluation);
    }
    if (status == GT_OK) {
        s.has_top = gt_evaluation_top_calibration(&s.top, evaluation) == GT_OK;
        *out = s;
    }
    return status;
}

double evaluate_threshold(int i)
{
    return i / 10.0;
}

static struct column column(const char *key, const char *title, const double *value, int n,
                            int best)
{
    struct column c = {.key = key, .title = title, .n = n, .best = best};
    memcpy(c.value, value, (size_t)n * sizeof *value);
    return c;
}

static struct column segment_column(const char *key, const char *title, const gt_segment_scores *s,
                                    size_t member, int best)
{
    double value[GT_THRESHOLDS];
    for (int i = 0; i < GT_THRESHOLDS; i++) {
        memcpy(&value[i], (const char *)&s->at[i] + member, sizeof value[i]);
    }
    struct column c = column(key, title, value, GT_THRESHOLDS, best);
    c.foreground = true;
    return c;
}

static int segment_columns(struct column *out, const gt_segment_scores *s, uint32_t chosen)
{
    const struct {
        uint32_t score;
        const char *key, *title;
        size_t member;
        int best;
    } all[] = {
        {SCORE_VRAND, "v_rand", "V_Rand", offsetof(gt_partition_scores, v_rand), s->best_v_rand},
        {SCORE_VRAND, "v_rand_split", "split", offsetof(gt_partition_scores, v_rand_split),
         s->best_v_rand},
        {SCORE_VRAND, "v_rand_merge", "merge", offsetof(gt_partition_scores, v_rand_merge),
         s->best_v_rand},
        {SCORE_VINFO, "v_info", "V_Info", offsetof(gt_partition_scores, v_info), s->best_v_info},
        {SCORE_VOI, "voi_split", "VOIsplit", offsetof(gt_partition_scores, voi_split), s->best_voi},
        {SCORE_VOI, "voi_merge", "VOImerge", offsetof(gt_partition_scores, voi_merge), s->best_voi},
        {SCORE_ADAPTED_RAND, "adapted_rand", "ARE", offsetof(gt_partition_scores, adapted_rand),
         s->best_adapted_rand},
        {SCORE_ADAPTED_RAND, "adapted_rand_cremi", "ARE-C",
         offsetof(gt_partition_scores, adapted_rand_cremi), s->best_adapted_rand_cremi},
        {SCORE_CREMI, "cremi_score", "CREMI", offsetof(gt_partition_scores, cremi), s->best_cremi},
    };
    int n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (chosen & all[i].score) {
            out[n++] = segment_column(all[i].key, all[i].title, s, all[i].member, all[i].best);
        }
    }
    return n;
}

int evaluate_columns(struct column out[COLUMNS], const struct scores *s, uint32_t chosen)
{
    int n = segment_columns(out, &s->segments, chosen);
    if (chosen & SCORE_RAND) {
        out[n] = column("rand_f", "Rand F", s->rand.f, GT_THRESHOLDS, s->rand.best);
        out[n++].foreground = true;
    }
    if (chosen & SCORE_WARPING) {
        out[n++] = column("warping_error", "warping", s->warping.at, GT_WARPING_THRESHOLDS,
                          s->warping.best);
        out[n++] = column("warping_split_merge", "split+m.", s->warping.split_merge,
                          GT_WARPING_THRESHOLDS, s->warping.best_split_merge);
    }
    if (chosen & SCORE_PIXEL) {
        const gt_binary_scores *b = &s->binary;
        out[n++] = column("pixel_f", "pixel F", b->pixel_f, GT_THRESHOLDS, b->best_pixel);
        out[n++] = column("pixel_wrong", "wrong", b->pixel_wrong, GT_THRESHOLDS, b->best_pixel);
    }
    return n;
}
