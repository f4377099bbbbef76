/* Scores as JSON. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/evaluate.h"

#include <jansson.h>

static void put(json_t *o, const char *key, double value)
{
    json_object_set_new(o, key, json_real(value));
}

static void put_segments(json_t *o, const gt_segment_scores *g, uint32_t chosen)
{
    if (chosen & SCORE_VRAND) {
        const gt_partition_scores *p = &g->at[g->best_v_rand];
        put(o, "v_rand", p->v_rand);
        put(o, "v_rand_threshold", evaluate_threshold(g->best_v_rand));
        put(o, "v_rand_split", p->v_rand_split);
        put(o, "v_rand_merge", p->v_rand_merge);
    }
    if (chosen & SCORE_VINFO) {
        put(o, "v_info", g->at[g->best_v_info].v_info);
        put(o, "v_info_threshold", evaluate_threshold(g->best_v_info));
    }
    if (chosen & SCORE_VOI) {
        put(o, "voi_split", g->at[g->best_voi].voi_split);
        put(o, "voi_merge", g->at[g->best_voi].voi_merge);
        put(o, "voi_threshold", evaluate_threshold(g->best_voi));
    }
    if (chosen & SCORE_ADAPTED_RAND) {
        put(o, "adapted_rand", g->at[g->best_adapted_rand].adapted_rand);
        put(o, "adapted_rand_threshold", evaluate_threshold(g->best_adapted_rand));
        put(o, "adapted_rand_cremi", g->at[g->best_adapted_rand_cremi].adapted_rand_cremi);
        put(o, "adapted_rand_cremi_threshold", evaluate_threshold(g->best_adapted_rand_cremi));
    }
    if (chosen & SCORE_CREMI) {
        put(o, "cremi_score", g->at[g->best_cremi].cremi);
        put(o, "cremi_score_threshold", evaluate_threshold(g->best_cremi));
    }
}

static void put_summary(json_t *o, const struct scores *s, uint32_t chosen)
{
    put_segments(o, &s->segments, chosen);
    if (chosen & SCORE_RAND) {
        put(o, "rand_error", s->rand.error);
        put(o, "rand_error_threshold", evaluate_threshold(s->rand.best));
    }
    if (chosen & SCORE_WARPING) {
        put(o, "warping_error", s->warping.error);
        put(o, "warping_error_threshold", evaluate_threshold(s->warping.best));
        put(o, "warping_split_merge", s->warping.split_merge_error);
        put(o, "warping_split_merge_threshold", evaluate_threshold(s->warping.best_split_merge));
    }
    if (chosen & SCORE_PIXEL) {
        const gt_binary_scores *b = &s->binary;
        put(o, "pixel_error", b->pixel_error);
        put(o, "pixel_error_threshold", evaluate_threshold(b->best_pixel));
        put(o, "pixel_wrong", b->pixel_wrong[b->best_pixel]);
    }
}

static json_t *thresholds(const struct scores *s, uint32_t chosen)
{
    struct column columns[COLUMNS];
    int n = evaluate_columns(columns, s, chosen);
    json_t *list = json_array();
    for (int i = 0; i < GT_THRESHOLDS; i++) {
        json_t *row = json_object();
        put(row, "threshold", evaluate_threshold(i));
        for (int k = 0; k < n; k++) {
            if (i < columns[k].n) {
                put(row, columns[k].key, columns[k].value[i]);
            }
        }
        json_array_append_new(list, row);
    }
    return list;
}

/* Each slice at the thresholds that are best for the stack. */
static json_t *slices(const struct result *r)
{
    struct column stack[COLUMNS];
    uint32_t chosen = r->chosen;
    int n = evaluate_columns(stack, &r->stack, chosen);
    json_t *list = json_array();
    for (size_t i = 0; i < r->slices; i++) {
        struct column slice[COLUMNS];
        evaluate_columns(slice, &r->slice[i], chosen);
        json_t *row = json_object();
        json_object_set_new(row, "slice", json_integer((json_int_t)i + 1));
        for (int k = 0; k < n; k++) {
            bool none = slice[k].foreground && r->slice[i].binary.slices == 0;
            json_object_set_new(row, slice[k].key,
                                none ? json_null() : json_real(slice[k].value[stack[k].best]));
        }
        if (chosen & SCORE_CALIBRATION) {
            put(row, "calibration_error", r->slice[i].calibration.error);
        }
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *calibration(const gt_calibration *c)
{
    json_t *bins = json_array();
    for (int b = 0; b < GT_CALIBRATION_BINS; b++) {
        json_t *bin = json_object();
        put(bin, "from", (double)b / GT_CALIBRATION_BINS);
        put(bin, "to", (double)(b + 1) / GT_CALIBRATION_BINS);
        json_object_set_new(bin, "pixels", json_integer((json_int_t)c->count[b]));
        bool none = c->count[b] == 0;
        json_object_set_new(bin, "probability", none ? json_null() : json_real(c->probability[b]));
        json_object_set_new(bin, "share", none ? json_null() : json_real(c->share[b]));
        json_array_append_new(bins, bin);
    }
    json_t *o = json_object();
    put(o, "error", c->error);
    put(o, "worst", c->worst);
    json_object_set_new(o, "bins", bins);
    return o;
}

static json_t *ratio(double value, uint64_t divisor)
{
    return divisor > 0 ? json_real(value) : json_null();
}

static json_t *labels(const struct result *r)
{
    json_t *list = json_array();
    for (int32_t k = 0; k < r->labels; k++) {
        gt_label_scores s;
        if (gt_evaluation_label(&s, r->evaluation, k) != GT_OK) {
            continue;
        }
        uint64_t sum = s.truth + s.predicted;
        json_t *o = json_object();
        json_object_set_new(o, "label", json_integer(k));
        json_object_set_new(o, "pixels", json_integer((json_int_t)s.truth));
        json_object_set_new(o, "recall", ratio(s.recall, s.truth));
        json_object_set_new(o, "precision", ratio(s.precision, s.predicted));
        json_object_set_new(o, "f1", ratio(s.f1, sum));
        json_object_set_new(o, "iou", ratio(s.iou, sum));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *matrix(const struct result *r)
{
    const uint64_t *counts = gt_evaluation_confusion(r->evaluation);
    json_t *rows = json_array();
    for (int32_t i = 0; i < r->labels; i++) {
        json_t *row = json_array();
        for (int32_t j = 0; j < r->labels; j++) {
            json_array_append_new(row, json_integer((json_int_t)counts[i * r->labels + j]));
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

static void put_labels(json_t *o, const struct result *r)
{
    double mean = 0.0;
    json_object_set_new(o, "labels", labels(r));
    if (gt_evaluation_mean_iou(&mean, r->evaluation) == GT_OK) {
        put(o, "mean_iou", mean);
    }
    json_object_set_new(o, "confusion", matrix(r));
}

/* Print and release. */
static int dump(json_t *o)
{
    int failed = o ? json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : -1;
    json_decref(o);
    if (failed && !ferror(stdout)) { /* what could not be written is found at the end */
        fprintf(stderr, "greentea: no memory to print the scores\n");
        return EXIT_DEVICE;
    }
    puts("");
    return 0;
}

int evaluate_json(const struct result *r)
{
    uint32_t chosen = r->chosen;
    json_t *o = json_object();
    if (r->probabilities) {
        json_object_set_new(o, "label", json_integer(r->label));
        json_object_set_new(o, "slices", json_integer((json_int_t)r->slices));
        if (chosen & (SCORE_SEGMENTS | SCORE_RAND)) {
            json_object_set_new(o, "slices_with_label", json_integer(r->stack.binary.slices));
        }
        put_summary(o, &r->stack, chosen);
        if (chosen & SCORE_CALIBRATION) {
            json_object_set_new(o, "calibration", calibration(&r->stack.calibration));
            if (r->stack.has_top) {
                json_object_set_new(o, "calibration_most_probable", calibration(&r->stack.top));
            }
        }
        if (chosen & ~(uint32_t)(SCORE_CALIBRATION | SCORE_CONFUSION)) {
            json_object_set_new(o, "thresholds", thresholds(&r->stack, chosen));
        }
        if (r->flags->per_slice) {
            json_object_set_new(o, "per_slice", slices(r));
        }
    } else {
        json_object_set_new(o, "slices", json_integer((json_int_t)r->slices));
    }
    if (chosen & SCORE_CONFUSION) {
        put_labels(o, r);
    }
    return dump(o);
}

static json_t *partition(const gt_partition_scores *s)
{
    json_t *o = json_object();
    put(o, "v_rand", s->v_rand);
    put(o, "v_rand_split", s->v_rand_split);
    put(o, "v_rand_merge", s->v_rand_merge);
    put(o, "v_info", s->v_info);
    put(o, "voi_split", s->voi_split);
    put(o, "voi_merge", s->voi_merge);
    put(o, "adapted_rand", s->adapted_rand);
    put(o, "adapted_rand_cremi", s->adapted_rand_cremi);
    put(o, "cremi_score", s->cremi);
    return o;
}

int evaluate_json_partitions(const gt_partition_scores *volume, const gt_partition_scores *mean,
                             const gt_partition_scores *slice, const bool *counts, size_t slices)
{
    json_t *o = json_object();
    json_object_set_new(o, "slices", json_integer((json_int_t)slices));
    if (volume) {
        json_object_set_new(o, "volume", partition(volume));
    }
    json_object_set_new(o, "mean", partition(mean));
    if (slice) {
        json_t *list = json_array();
        for (size_t i = 0; i < slices; i++) {
            json_array_append_new(list, counts[i] ? partition(&slice[i]) : json_null());
        }
        json_object_set_new(o, "per_slice", list);
    }
    return dump(o);
}
