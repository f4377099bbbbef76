/* What happened in a training: the records of its log, in memory and in the file.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Every record is a JSON object with a "type":
 *   start       a run begins at "iteration" (0, or where it was resumed): what with, on what
 *   iteration   the mean of the iterations since the record before
 *   validation  scores of the held-out images, "best": true where they are the best so far
 *   end         a run is over: "status", the model files and their SHA-256 */
#ifndef GT_TOOL_HISTORY_H
#define GT_TOOL_HISTORY_H

#include "tool/flags_validation.h"

#include <jansson.h>

struct history_point {
    double iteration;
    double loss, softmax, malis; /* the latter two NAN unless the loss has parts */
    double rate, norm, ms;
    double idle_ms; /* of ms, waiting for patches; NAN if unknown */
};

struct history {
    json_t *start;       /* of the latest run; NULL before any */
    json_t *end;         /* NULL while it runs */
    json_t *validations; /* array of records */
    struct history_point *points;
    size_t n_points, capacity;
    double seconds;            /* of all runs, as far as records tell */
    double validation_seconds; /* of them spent validating */
    double run_seconds;        /* of the latest run */
    FILE *log;                 /* what is added goes there as well; may be NULL */
    const char *log_path;
};

/* Start the log anew, or, when resuming at an iteration, read what is there and cut what is newer
 * from the file. path "": no file. 0 or an exit code. */
int history_open(struct history *h, const char *path, const uint64_t *resume_at);
/* Read a whole log. 0 or an exit code. */
int history_read(struct history *h, const char *path);
/* Take a record (the reference is stolen, also on failure) and write it. 0 or an exit code. */
int history_add(struct history *h, json_t *record);
/* The best validation by a metric, NULL if there is none. since: validations that followed it. */
const json_t *history_best(size_t *since, const struct history *h, const struct metric *metric);
void history_close(struct history *h);

/* A number of an object, `absent` if it is not there. */
double json_number(const json_t *object, const char *key, double absent);
/* A text of an object, "" if it is not there. */
const char *json_text(const json_t *object, const char *key);
/* json_real, null for what is not finite. */
json_t *json_finite(double value);

#endif
