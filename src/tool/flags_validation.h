/* Flags of validation, best model, early stop, log and report. SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GT_TOOL_FLAGS_VALIDATION_H
#define GT_TOOL_FLAGS_VALIDATION_H

#include "tool/tool.h"

struct validation_flags {
    char *raw, *labels, *every, *metric, *log, *report;
    long long interval, log_interval;
    int patience;
};
#define VALIDATION_DEFAULTS                                                                        \
    {                                                                                              \
        .log_interval = 10                                                                         \
    }
/* The formatter would indent every entry of the list further than the one before. */
/* clang-format off */
#define VALIDATION_OPTIONS(f)                                                                      \
    {"val-raw", 0, POPT_ARG_STRING, &(f).raw, 0,                                                   \
     "images held out, to judge the network while it trains (default: none)", "PATH"},             \
    {"val-labels", 0, POPT_ARG_STRING, &(f).labels, 0, "their label images", "PATH"},              \
    {"val-interval", 0, POPT_ARG_LONGLONG, &(f).interval, 0,                                       \
     "iterations from one validation to the next (default: ten in a run)", "N"},                   \
    {"val-every", 0, POPT_ARG_STRING, &(f).every, 0,                                               \
     "or the time between them, 60s or 5m; validation counts for --time-limit", "T"},              \
    {"val-metric", 0, POPT_ARG_STRING, &(f).metric, 0,                                             \
     "what makes a model the best: v_rand (default for 2 labels), v_info, pixel, miou (default "   \
     "for more) or loss", "NAME"},                                                                 \
    {"patience", 0, POPT_ARG_INT, &(f).patience, 0,                                                \
     "stop after so many validations without a better one (default: never)", "N"},                 \
    {"report", 0, POPT_ARG_STRING, &(f).report, 0,                                                 \
     "page with curves, pictures and scores, renewed at every validation", "FILE.html"},           \
    {"log", 0, POPT_ARG_STRING, &(f).log, 0,                                                       \
     "what happened, a JSON object per line (default: beside the report)", "FILE.jsonl"},          \
    {"log-interval", 0, POPT_ARG_LONGLONG, &(f).log_interval, 0,                                   \
     "iterations from one line of the log to the next (default 10)", "N"}
/* clang-format on */

/* A score that models are compared by. */
struct metric {
    const char *flag; /* value of --val-metric */
    const char *key;  /* in the records of the log */
    const char *text; /* for people */
    int higher;       /* 1: more is better */
};

struct validation_options {
    const struct validation_flags *flags;
    const struct metric *metric; /* NULL: by the number of labels, see metric_for() */
    double every;                /* seconds; 0: not by time */
    char log[4096];              /* path, "" for none */
};

/* Parse and check; the paths are looked at later. 0 or EXIT_USAGE. */
int validation_fill(struct validation_options *o, const struct validation_flags *f);
/* The metric for so many labels; NULL after a sentence if the wanted one has no meaning there. */
const struct metric *metric_for(const struct validation_options *o, int labels);
/* Metric with a key, or NULL. */
const struct metric *metric_by_key(const char *key);

#endif
