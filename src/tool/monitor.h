/* What watches a training: validation, the best model, early stop, log and report.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_MONITOR_H
#define GT_TOOL_MONITOR_H

#include "tool/history.h"
#include "tool/validate.h"

/* What a monitor needs of the training; all of it outlives the monitor. */
struct monitored {
    const struct validation_options *options;
    const char *raw, *labels, *out; /* paths */
    int resume, overwrite, deterministic, quiet;
    double time_limit;
    uint64_t iterations;
    const gt_loss_options *loss;
    int argc;
    char **argv;
    gt_device *device;
    gt_model *model;
    const gt_consolidation *consolidate; /* of the training labels */
    gt_trainer *trainer;
    struct progress *progress;
};

enum { BEST_PATH = 4160 };

struct monitor {
    struct monitored of;
    struct validation validation;
    struct history history;
    struct pictures pictures;
    const struct metric *metric; /* NULL without validation */
    char best[BEST_PATH];        /* path of the best model */
    uint64_t validated;          /* iteration of the last validation */
    double validated_at;         /* when it ended */
    int tenths;                  /* of the run, at the last validation */
    double stepped_at;           /* when the last iteration ended */
    double left_at;              /* when the trainer went on after it */
    struct {
        double loss, softmax, malis, norm, ms;
        uint64_t n, n_softmax, n_malis;
    } sum;                    /* since the last iteration record */
    double waited;            /* seconds for patches, up to that record */
    gt_train_progress latest; /* iteration 0: none in this run */
    bool early;               /* patience is at its end */
    int code;                 /* of a failure */
};

/* Look at the paths before any work is done. 0 or an exit code. */
int monitor_check(const struct monitored *of);
/* Open the held-out images, log and report; `of` is complete, the trainer has resumed.
 * 0 or an exit code. */
int monitor_open(struct monitor *m, const struct monitored *of);
/* Call it after every iteration. Non-zero: stop. */
int monitor_step(struct monitor *m, const gt_train_progress *p);
/* Call it when all is done that follows an iteration: the time of the next one begins. */
void monitor_leave(struct monitor *m);
/* The training is over with a status and its model saved, or not (code). Validates a last time if
 * it was not stopped, closes log and report. Returns the exit code of the whole. */
int monitor_end(struct monitor *m, gt_status status, int code);
/* The records at both ends of a run; message: of a failure, else NULL. */
json_t *monitor_start_record(const struct monitor *m);
json_t *monitor_end_record(const struct monitor *m, gt_status status, const char *message);
/* A line on stderr about a validation. */
void monitor_tell(const struct monitor *m, const json_t *r, bool best);
/* Release what it holds. */
void monitor_close(struct monitor *m);

#endif
