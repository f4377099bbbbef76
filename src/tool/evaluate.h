/* What the files of `greentea evaluate` share. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_EVALUATE_H
#define GT_TOOL_EVALUATE_H

#include "tool/tool.h"
#include "tool/truth.h"

struct evaluate_flags {
    char *labels, *prob, *map, *segmentation, *components, *model, *consolidate, *metrics,
        *progress;
    int label, json, per_slice, quiet;
    double border;   /* below 0: none */
    uint32_t scores; /* from `metrics` */
};

/* What can be asked for, in the order of the output. */
enum {
    SCORE_VRAND = 1,
    SCORE_VINFO = 2,
    SCORE_VOI = 4,
    SCORE_ADAPTED_RAND = 8,
    SCORE_CREMI = 16,
    SCORE_RAND = 32,
    SCORE_WARPING = 64,
    SCORE_PIXEL = 128,
    SCORE_CALIBRATION = 256,
    SCORE_CONFUSION = 512,
    SCORE_ALL = 1023,
    SCORE_SEGMENTS = SCORE_VRAND | SCORE_VINFO | SCORE_VOI | SCORE_ADAPTED_RAND | SCORE_CREMI
};

/* ---- evaluate_scores.c ---- */

/* "vrand,voi" to SCORE_ values; NULL: all. 0 or EXIT_USAGE. */
int evaluate_parse_metrics(uint32_t *out, const char *list);
/* The gt_metric values that the scores need. */
uint32_t evaluate_metrics(uint32_t scores);

/* Scores of a stack or of one slice. */
struct scores {
    gt_binary_scores binary;
    gt_segment_scores segments;
    gt_rand_error rand;
    gt_warping_error warping;
    gt_calibration calibration, top;
    bool has_top;
};
gt_status evaluate_collect(struct scores *out, const gt_evaluation *evaluation, uint32_t chosen);

/* One number per threshold. */
struct column {
    const char *key, *title; /* for JSON; of at most 8 characters */
    double value[GT_THRESHOLDS];
    int n;           /* thresholds that have a value */
    int best;        /* the stack's best threshold */
    bool foreground; /* has a meaning only where the truth has foreground */
};
enum { COLUMNS = 14 };
/* The chosen columns; returns their number. */
int evaluate_columns(struct column out[COLUMNS], const struct scores *s, uint32_t chosen);
/* Threshold i: 0, 0.1 ... 1. */
double evaluate_threshold(int i);

/* ---- evaluate_text.c, evaluate_json.c ---- */

struct result {
    const struct evaluate_flags *flags;
    const struct truth *truth;
    const gt_evaluation *evaluation;
    int32_t labels, label;
    uint32_t chosen;    /* SCORE_ values that have a meaning here */
    bool probabilities; /* else only the confusion matrix has a meaning */
    struct scores stack;
    struct scores *slice; /* [slices], or NULL */
    size_t slices;
};
void evaluate_text(const struct result *r);
/* 0 or EXIT_DEVICE. */
int evaluate_json(const struct result *r);
void evaluate_text_partition(const gt_partition_scores *s, const char *head);
int evaluate_json_partitions(const gt_partition_scores *volume, const gt_partition_scores *mean,
                             const gt_partition_scores *slice, const bool *counts, size_t slices);

/* ---- cmd_evaluate.c ---- */

/* Open the true labels of the flags; labels: see truth_open(). */
int evaluate_open_truth(struct truth *t, const struct evaluate_flags *f, int32_t labels,
                        const gt_model *model);
/* Say what is wrong with a slice (from 0); an exit code. */
int evaluate_fail(gt_status status, size_t slice);
/* Show that slices are done. */
void evaluate_progress(struct progress *p, size_t done, size_t slices);

/* ---- evaluate_prob.c, evaluate_map.c, evaluate_segments.c: one kind of input each ----
 * Read, judge, print; 0 or an exit code. */
int evaluate_prob(const struct evaluate_flags *f);
int evaluate_map(const struct evaluate_flags *f);
int evaluate_segments(const struct evaluate_flags *f);

#endif
