/* What happened in a training: the records of its log, in memory and in the file.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tool/history.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

double json_number(const json_t *object, const char *key, double absent)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : absent;
}

const char *json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

json_t *json_finite(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static int no_memory(void)
{
    fprintf(stderr, "greentea: no memory for the history of the training\n");
    return EXIT_DEVICE;
}

static int add_point(struct history *h, const json_t *r)
{
    if (h->n_points == h->capacity) {
        size_t capacity = h->capacity ? 2 * h->capacity : 1024;
        struct history_point *more = realloc(h->points, capacity * sizeof *more);
        if (!more) {
            return no_memory();
        }
        h->points = more;
        h->capacity = capacity;
    }
    h->points[h->n_points++] =
        (struct history_point){.iteration = json_number(r, "iteration", 0.0),
                               .loss = json_number(r, "loss", NAN),
                               .softmax = json_number(r, "loss_softmax", NAN),
                               .malis = json_number(r, "loss_malis", NAN),
                               .rate = json_number(r, "rate", NAN),
                               .norm = json_number(r, "gradient_norm", NAN),
                               .ms = json_number(r, "ms", NAN),
                               .idle_ms = json_number(r, "idle_ms", NAN)};
    return 0;
}

/* Put a record where it belongs; types of later versions are passed over. */
static int keep(struct history *h, json_t *r)
{
    const char *type = json_text(r, "type");
    double seconds = json_number(r, "seconds", 0.0);
    if (strcmp(type, "start") == 0) {
        json_decref(h->start);
        json_decref(h->end);
        h->start = json_incref(r);
        h->end = NULL;
        h->run_seconds = 0.0;
        return 0;
    }
    if (seconds > h->run_seconds) {
        h->seconds += seconds - h->run_seconds;
        h->run_seconds = seconds;
    }
    if (strcmp(type, "iteration") == 0) {
        return add_point(h, r);
    }
    if (strcmp(type, "validation") == 0) {
        h->validations = h->validations ? h->validations : json_array();
        h->validation_seconds += json_number(r, "took", 0.0);
        return json_array_append(h->validations, r) == 0 ? 0 : no_memory();
    }
    if (strcmp(type, "end") == 0) {
        json_decref(h->end);
        h->end = json_incref(r);
    }
    return 0;
}

/* ---- the file ---- */

static int fail_log(const char *path, const char *what, int code)
{
    fprintf(stderr, "greentea: %s cannot be %s: %s\n", path, what, strerror(errno));
    return code;
}

/* A line that was cut by a crash in the middle is the last one, without its end. */
static int parse_line(json_t **out, const char *path, size_t number, const char *line)
{
    json_error_t error;
    json_t *record = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    if (!record && !strchr(line, '\n')) {
        *out = NULL;
        return 0;
    }
    if (!json_is_object(record)) {
        fprintf(stderr, "greentea: %s: line %zu is no JSON object%s%s\n", path, number,
                record ? "" : ": ", record ? "" : error.text);
        json_decref(record);
        return EXIT_INPUT;
    }
    *out = record;
    return 0;
}

/* Of a resumed run only what the weights have seen stays; the same goes for the starts of runs that
 * left nothing. */
static bool stays(const json_t *r, uint64_t at)
{
    double iteration = json_number(r, "iteration", 0.0);
    bool start = strcmp(json_text(r, "type"), "start") == 0;
    return start ? iteration < (double)at : iteration <= (double)at;
}

/* Keep the records of a file that stay (at NULL: all); copy their lines if there is a `copy`. */
static int read_lines(struct history *h, FILE *in, FILE *copy, const uint64_t *at)
{
    char *line = NULL;
    size_t capacity = 0;
    int code = 0;
    for (size_t n = 1; code == 0 && getline(&line, &capacity, in) >= 0; n++) {
        json_t *record = NULL;
        code = parse_line(&record, h->log_path, n, line);
        if (record && (!at || stays(record, *at))) {
            code = keep(h, record);
            if (copy && json_dumpf(record, copy, JSON_COMPACT | JSON_REAL_PRECISION(9)) == 0) {
                fputc('\n', copy);
            }
        }
        json_decref(record);
    }
    if (code == 0 && ferror(in)) {
        code = fail_log(h->log_path, "read", EXIT_INPUT);
    }
    free(line);
    return code;
}

int history_read(struct history *h, const char *path)
{
    *h = (struct history){.log_path = path};
    FILE *in = fopen(path, "r");
    if (!in) {
        return fail_log(path, "read", EXIT_INPUT);
    }
    int code = read_lines(h, in, NULL, NULL);
    fclose(in);
    if (code == 0 && !h->start) {
        fprintf(stderr, "greentea: %s holds no start record: it is no log of a training\n", path);
        code = EXIT_INPUT;
    }
    return code;
}

/* Replace the log by its part up to an iteration, beside and renamed. */
static int cut_log(struct history *h, const uint64_t *at)
{
    char beside[4160];
    FILE *in = fopen(h->log_path, "r");
    if (!in) {
        return errno == ENOENT ? 0 : fail_log(h->log_path, "read", EXIT_INPUT);
    }
    snprintf(beside, sizeof beside, "%s.tmp.%ld", h->log_path, (long)getpid());
    FILE *copy = fopen(beside, "w");
    int code = copy ? read_lines(h, in, copy, at) : fail_log(beside, "written", EXIT_OUTPUT);
    fclose(in);
    if (copy) {
        bool good = fflush(copy) == 0 && fsync(fileno(copy)) == 0 && !ferror(copy);
        good = fclose(copy) == 0 && good;
        if (code == 0 && (!good || rename(beside, h->log_path) != 0)) {
            code = fail_log(h->log_path, "written", EXIT_OUTPUT);
        }
        if (code) {
            unlink(beside);
        }
    }
    return code;
}

int history_open(struct history *h, const char *path, const uint64_t *resume_at)
{
    *h = (struct history){.log_path = path};
    if (!*path) {
        return 0;
    }
    int code = resume_at ? cut_log(h, resume_at) : 0;
    if (code) {
        return code;
    }
    h->log = fopen(path, resume_at ? "a" : "w");
    return h->log ? 0 : fail_log(path, "written", EXIT_OUTPUT);
}

int history_add(struct history *h, json_t *record)
{
    int code = record ? keep(h, record) : no_memory();
    if (code == 0 && h->log) {
        /* a line in one piece: a crash leaves whole lines and at most one that is cut */
        char *text = json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(9));
        if (!text) {
            code = no_memory();
        } else if (fprintf(h->log, "%s\n", text) < 0 || fflush(h->log) != 0) {
            code = fail_log(h->log_path, "written", EXIT_OUTPUT);
        }
        free(text);
    }
    json_decref(record);
    return code;
}

const json_t *history_best(size_t *since, const struct history *h, const struct metric *metric)
{
    const json_t *best = NULL;
    double score = NAN;
    size_t n = json_array_size(h->validations);
    *since = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(h->validations, i);
        double value = json_number(v, metric->key, NAN);
        if (!isnan(value) && (!best || (metric->higher ? value > score : value < score))) {
            best = v;
            score = value;
            *since = n - 1 - i;
        }
    }
    return best;
}

void history_close(struct history *h)
{
    json_decref(h->start);
    json_decref(h->end);
    json_decref(h->validations);
    free(h->points);
    if (h->log) {
        fclose(h->log);
    }
    *h = (struct history){0};
}
