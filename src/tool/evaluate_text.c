/* Scores as text. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/evaluate.h"

#include <string.h>

static void print_segments(const struct scores *s, uint32_t chosen)
{
    const gt_segment_scores *g = &s->segments;
    if (chosen & SCORE_VRAND) {
        const gt_partition_scores *p = &g->at[g->best_v_rand];
        printf("V_Rand (thinned)  %.4f at threshold %.1f (split %.4f, merge %.4f)\n", p->v_rand,
               evaluate_threshold(g->best_v_rand), p->v_rand_split, p->v_rand_merge);
    }
    if (chosen & SCORE_VINFO) {
        printf("V_Info (thinned)  %.4f at threshold %.1f\n", g->at[g->best_v_info].v_info,
               evaluate_threshold(g->best_v_info));
    }
    if (chosen & SCORE_VOI) {
        const gt_partition_scores *p = &g->at[g->best_voi];
        printf("VOI               %.4f bits at threshold %.1f (split %.4f, merge %.4f)\n",
               p->voi_split + p->voi_merge, evaluate_threshold(g->best_voi), p->voi_split,
               p->voi_merge);
    }
    if (chosen & SCORE_ADAPTED_RAND) {
        printf("adapted Rand err. %.4f at threshold %.1f (SNEMI3D, Fiji)\n",
               g->at[g->best_adapted_rand].adapted_rand, evaluate_threshold(g->best_adapted_rand));
        printf("adapted Rand err. %.4f at threshold %.1f (CREMI)\n",
               g->at[g->best_adapted_rand_cremi].adapted_rand_cremi,
               evaluate_threshold(g->best_adapted_rand_cremi));
    }
    if (chosen & SCORE_CREMI) {
        printf("CREMI score       %.4f at threshold %.1f (root of VOI * adapted Rand error)\n",
               g->at[g->best_cremi].cremi, evaluate_threshold(g->best_cremi));
    }
}

static void print_summary(const struct scores *s, uint32_t chosen)
{
    print_segments(s, chosen);
    if (chosen & SCORE_RAND) {
        printf("Rand error (old)  %.4f at threshold %.1f\n", s->rand.error,
               evaluate_threshold(s->rand.best));
    }
    if (chosen & SCORE_WARPING) {
        printf("warping error     %.6f at threshold %.1f\n", s->warping.error,
               evaluate_threshold(s->warping.best));
        printf("  splits, mergers %.6f at threshold %.1f (as on the old leaderboard)\n",
               s->warping.split_merge_error, evaluate_threshold(s->warping.best_split_merge));
    }
    if (chosen & SCORE_PIXEL) {
        const gt_binary_scores *b = &s->binary;
        printf("pixel error       %.4f at threshold %.1f (%.2f %% of the pixels wrong)\n",
               b->pixel_error, evaluate_threshold(b->best_pixel),
               100.0 * b->pixel_wrong[b->best_pixel]);
    }
    if (chosen & SCORE_CALIBRATION) {
        printf("calibration error %.4f expected, %.4f in the worst of %d bins\n",
               s->calibration.error, s->calibration.worst, GT_CALIBRATION_BINS);
        if (s->has_top) {
            printf("  most probable   %.4f expected, %.4f in the worst of %d bins\n", s->top.error,
                   s->top.worst, GT_CALIBRATION_BINS);
        }
    }
}

static void print_titles(const char *first, const struct column *columns, int n)
{
    printf("\n%s", first);
    for (int k = 0; k < n; k++) {
        printf("  %8s", columns[k].title);
    }
    puts("");
}

/* Errors per pixel are small numbers. */
static void print_value(const struct column *c, int at)
{
    printf("  %8.*f", strncmp(c->key, "warping", 7) == 0 ? 6 : 4, c->value[at]);
}

static void print_thresholds(const struct scores *s, uint32_t chosen)
{
    struct column columns[COLUMNS];
    int n = evaluate_columns(columns, s, chosen);
    if (n == 0) {
        return;
    }
    print_titles("threshold", columns, n);
    for (int i = 0; i < GT_THRESHOLDS; i++) {
        printf("%9.1f", evaluate_threshold(i));
        for (int k = 0; k < n; k++) {
            if (i < columns[k].n) {
                print_value(&columns[k], i);
            } else {
                printf("  %8s", "-");
            }
        }
        puts("");
    }
}

/* Each slice at the thresholds that are best for the stack. */
static void print_slices(const struct result *r)
{
    struct column stack[COLUMNS];
    uint32_t chosen = r->chosen;
    int n = evaluate_columns(stack, &r->stack, chosen);
    if (n == 0) {
        return;
    }
    print_titles("    slice", stack, n);
    for (size_t i = 0; i < r->slices; i++) {
        struct column slice[COLUMNS];
        evaluate_columns(slice, &r->slice[i], chosen);
        printf("%9zu", i + 1);
        for (int k = 0; k < n; k++) {
            if (slice[k].foreground && r->slice[i].binary.slices == 0) {
                printf("  %8s", "-");
            } else {
                print_value(&slice[k], stack[k].best);
            }
        }
        puts("");
    }
}

static void print_calibration(const gt_calibration *c)
{
    printf("\nprobability    pixels    mean  share of the label\n");
    for (int b = 0; b < GT_CALIBRATION_BINS; b++) {
        printf("%.3f-%.3f %9llu", (double)b / GT_CALIBRATION_BINS,
               (double)(b + 1) / GT_CALIBRATION_BINS, (unsigned long long)c->count[b]);
        if (c->count[b] > 0) {
            printf("  %.4f  %.4f", c->probability[b], c->share[b]);
        }
        puts("");
    }
}

/* Recall ... of a label, "-" where there is nothing to divide by. */
static void print_ratio(double value, uint64_t divisor)
{
    if (divisor > 0) {
        printf("  %9.4f", value);
    } else {
        printf("  %9s", "-");
    }
}

/* The label's value in the files, if it is known to be one. */
static void print_head(const struct result *r, int32_t label)
{
    int32_t grey = truth_grey(r->truth, label);
    if (grey >= 0) {
        printf("%5d  %4d", label, grey);
    } else {
        printf("%5d     -", label);
    }
}

static void print_matrix(const struct result *r)
{
    const uint64_t *counts = gt_evaluation_confusion(r->evaluation);
    printf("\npixels of label (row) taken for label (column)\n     ");
    for (int32_t j = 0; j < r->labels; j++) {
        printf(" %10d", j);
    }
    puts("");
    for (int32_t i = 0; i < r->labels; i++) {
        printf("%5d", i);
        for (int32_t j = 0; j < r->labels; j++) {
            printf(" %10llu", (unsigned long long)counts[i * r->labels + j]);
        }
        puts("");
    }
}

static void print_labels(const struct result *r)
{
    enum { MATRIX_LABELS = 16 };
    printf("\nlabel  grey     recall  precision         F1        IoU\n");
    for (int32_t k = 0; k < r->labels; k++) {
        gt_label_scores s;
        if (gt_evaluation_label(&s, r->evaluation, k) == GT_OK) {
            print_head(r, k);
            print_ratio(s.recall, s.truth);
            print_ratio(s.precision, s.predicted);
            print_ratio(s.f1, s.truth + s.predicted);
            print_ratio(s.iou, s.truth + s.predicted);
            puts("");
        }
    }
    double mean = 0.0;
    if (gt_evaluation_mean_iou(&mean, r->evaluation) == GT_OK) {
        printf("mean IoU %.4f\n", mean);
    }
    if (r->labels <= MATRIX_LABELS) {
        print_matrix(r);
    }
}

void evaluate_text(const struct result *r)
{
    uint32_t chosen = r->chosen;
    if (r->probabilities) {
        printf("label %d, %zu slices\n", r->label, r->slices);
        if ((r->flags->scores & ~chosen) & (SCORE_SEGMENTS | SCORE_RAND)) {
            puts("no pixel has this label: no scores of segments");
        }
        print_summary(&r->stack, chosen);
        print_thresholds(&r->stack, chosen);
        if (r->flags->per_slice) {
            print_slices(r);
        }
        if (chosen & SCORE_CALIBRATION) {
            print_calibration(&r->stack.calibration);
        }
    } else {
        printf("%d labels, %zu slices\n", r->labels, r->slices);
    }
    if (chosen & SCORE_CONFUSION) {
        print_labels(r);
    }
}

void evaluate_text_partition(const gt_partition_scores *s, const char *head)
{
    printf("%-6s  %.4f  %.4f  %.4f  %.4f    %.4f    %.4f  %.4f  %.4f  %.4f\n", head, s->v_rand,
           s->v_rand_split, s->v_rand_merge, s->v_info, s->voi_split, s->voi_merge, s->adapted_rand,
           s->adapted_rand_cremi, s->cremi);
}
