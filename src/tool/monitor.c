/* What watches a training: validation, the best model, early stop, log and report.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tool/monitor.h"

#include "tool/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* ---- before ---- */

static int check_output(const struct monitored *of, const char *flag, const char *path)
{
    struct stat info;
    if (!path || !*path) {
        return 0;
    }
    if (strcmp(path, of->out) == 0) {
        return tool_usage("%s and --out are both %s", flag, path);
    }
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        return tool_usage("%s %s is not a file", flag, path);
    }
    if (tool_exists(path) && !of->resume && !of->overwrite) {
        return tool_usage("%s exists; --resume continues it, --overwrite starts anew", path);
    }
    if (!tool_can_create(path)) {
        fprintf(stderr, "greentea: %s cannot be written: %s\n", path, strerror(errno));
        return EXIT_OUTPUT;
    }
    return 0;
}

/* "dir/m.safetensors" to "dir/m.best.safetensors". */
static void best_path(char *out, size_t size, const char *path)
{
    static const char ending[] = ".safetensors";
    size_t n = strlen(path);
    size_t e = sizeof ending - 1;
    if (n > e && strcasecmp(path + n - e, ending) == 0) {
        n -= e;
    }
    snprintf(out, size, "%.*s.best%s", (int)n, path, ending);
}

int monitor_check(const struct monitored *of)
{
    const struct validation_options *o = of->options;
    if (o->flags->report && strcmp(o->log, o->flags->report) == 0) {
        return tool_usage("--log and --report are both %s", o->log);
    }
    int code = check_output(of, "--report", o->flags->report);
    code = code ? code : check_output(of, "--log", o->log);
    if (code == 0 && o->flags->raw) {
        char best[BEST_PATH];
        best_path(best, sizeof best, of->out);
        code = check_output(of, "the best model", best);
    }
    return code;
}

static int open_validation(struct monitor *m)
{
    const struct validation_flags *f = m->of.options->flags;
    struct validation *v = &m->validation;
    if (!f->raw) {
        return 0;
    }
    v->device = m->of.device;
    v->model = m->of.model;
    v->consolidate = m->of.consolidate;
    v->progress = m->of.progress;
    gt_predict_options_init(&v->predict);
    v->predict.deterministic = m->of.deterministic;
    int code = validation_open(v, f->raw, f->labels);
    if (code == 0) {
        m->metric = metric_for(m->of.options, v->labels);
        code = m->metric ? 0 : EXIT_USAGE;
    }
    return code;
}

int monitor_open(struct monitor *m, const struct monitored *of)
{
    *m = (struct monitor){.of = *of};
    best_path(m->best, sizeof m->best, of->out);
    gt_status status = gt_trainer_sync(of->trainer);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OPTION);
    }
    uint64_t begin = gt_model_iteration(of->model);
    m->tenths = (int)(10.0 * (double)begin / (double)of->iterations);
    m->validated = begin;
    int code = open_validation(m);
    code = code ? code : history_open(&m->history, of->options->log, of->resume ? &begin : NULL);
    code = code ? code : history_add(&m->history, monitor_start_record(m));
    m->validated_at = m->stepped_at = m->left_at = tool_now();
    return code;
}

void monitor_close(struct monitor *m)
{
    validation_close(&m->validation);
    history_close(&m->history);
    pictures_free(&m->pictures);
}

/* ---- validation ---- */

/* The scores go into the file as the note "validation", and not into that of the last state. */
static int save_best(struct monitor *m, const json_t *r)
{
    json_t *note = json_deep_copy(r);
    json_object_del(note, "type");
    json_object_del(note, "seconds"); /* equal trainings leave equal files */
    json_object_del(note, "took");
    json_object_del(note, "best");
    char *text = json_dumps(note, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(note);
    gt_status status = gt_model_set_note(m->of.model, "validation", text);
    free(text);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OPTION);
    }
    status = gt_model_save(m->of.model, m->best);
    int code = status == GT_OK ? 0 : tool_fail(status, ABOUT_OUTPUT);
    status = gt_model_set_note(m->of.model, "validation", NULL);
    return code || status == GT_OK ? code : tool_fail(status, ABOUT_OPTION);
}

/* Those of the best model; of any while there are none. */
static void make_pictures(struct monitor *m, const json_t *r)
{
    if (!m->of.options->flags->report) {
        return;
    }
    m->pictures.iteration = m->latest.iteration;
    m->pictures.labels = m->validation.labels;
    m->pictures.threshold = json_number(r, "v_rand_threshold", 0.5);
    if (!pictures_make(&m->pictures, m->validation.thumbs, m->validation.n_thumbs)) {
        fprintf(stderr, "greentea: no memory for the pictures of the report\n");
    }
}

static int write_report(const struct monitor *m)
{
    const char *path = m->of.options->flags->report;
    return path ? report_write(path, &m->history, &m->pictures) : 0;
}

/* Take a scored validation into the history; the best one's model is kept. */
static int take_scores(struct monitor *m, json_t *scores, double began)
{
    size_t since = 0;
    const struct validation_flags *f = m->of.options->flags;
    const char *key = m->metric->key;
    double old = json_number(history_best(&since, &m->history, m->metric), key, NAN);
    double new = json_number(scores, key, NAN);
    bool best = !isnan(new) && (isnan(old) || (m->metric->higher ? new > old : new < old));
    double now = tool_now();
    json_t *r =
        json_pack("{s:s, s:I, s:f, s:f, s:b}", "type", "validation", "iteration",
                  (json_int_t)m->latest.iteration, "seconds",
                  m->latest.seconds + now - m->stepped_at, "took", now - began, "best", (int)best);
    json_object_update(r, scores);
    json_decref(scores);
    monitor_tell(m, r, best);
    if (best || m->pictures.n == 0) {
        make_pictures(m, r);
    }
    int saved = best ? save_best(m, r) : 0;
    int code = history_add(&m->history, r);
    history_best(&since, &m->history, m->metric);
    m->early = f->patience > 0 && since >= (size_t)f->patience;
    return saved ? saved : code;
}

/* A signal stops it without a trace: what is half judged is not kept. */
static int validate(struct monitor *m)
{
    double began = tool_now();
    json_t *r = NULL;
    gt_status status = gt_trainer_sync(m->of.trainer);
    int code =
        status == GT_OK ? validation_run(&r, &m->validation) : tool_fail(status, ABOUT_OPTION);
    if (code && code == tool_signal()) {
        return 0;
    }
    code = code ? code : take_scores(m, r, began);
    m->validated = m->latest.iteration;
    m->validated_at = tool_now();
    return code ? code : write_report(m);
}

/* ---- iterations ---- */

static int add_iteration(struct monitor *m)
{
    const gt_train_progress *p = &m->latest;
    double n = (double)m->sum.n;
    json_t *r = json_pack("{s:s, s:I, s:f, s:o, s:f, s:o, s:f, s:f}", "type", "iteration",
                          "iteration", (json_int_t)p->iteration, "seconds", p->seconds, "loss",
                          json_finite(m->sum.loss / n), "rate", (double)p->rate, "gradient_norm",
                          json_finite(m->sum.norm / n), "ms", m->sum.ms / n, "idle_ms",
                          1000.0 * (p->waited - m->waited) / n);
    m->waited = p->waited;
    if (r && m->sum.n_malis > 0) {
        double n_softmax = m->sum.n_softmax > 0 ? (double)m->sum.n_softmax : 1.0;
        json_object_set_new(r, "loss_softmax", json_finite(m->sum.softmax / n_softmax));
        json_object_set_new(r, "loss_malis", json_finite(m->sum.malis / (double)m->sum.n_malis));
    }
    memset(&m->sum, 0, sizeof m->sum);
    return history_add(&m->history, r);
}

static bool due(struct monitor *m, const gt_train_progress *p)
{
    const struct validation_options *o = m->of.options;
    if (!m->metric || p->iteration >= p->total) {
        return false; /* the last one follows when the model is saved */
    }
    double limit = m->of.time_limit;
    double share = (double)p->iteration / (double)p->total;
    share = limit > 0.0 && p->seconds / limit > share ? p->seconds / limit : share;
    m->validation.share = share < 1.0 ? share : 1.0;
    if (o->flags->interval > 0) {
        return p->iteration % (uint64_t)o->flags->interval == 0;
    }
    if (o->every > 0.0) {
        return tool_now() - m->validated_at >= o->every;
    }
    int tenths = (int)(10.0 * share);
    bool passed = tenths > m->tenths && share < 1.0;
    m->tenths = tenths > m->tenths ? tenths : m->tenths;
    return passed;
}

/* Each part of the loss is averaged over the iterations that minimised it. */
static void count_parts(struct monitor *m, const gt_train_progress *p)
{
    const gt_loss_options *loss = m->of.loss;
    bool malis = loss->kind != GT_LOSS_SOFTMAX && p->iteration > loss->malis_after;
    m->sum.n_malis += malis;
    m->sum.n_softmax += !malis || loss->kind == GT_LOSS_SOFTMAX_MALIS;
}

int monitor_step(struct monitor *m, const gt_train_progress *p)
{
    double now = tool_now();
    m->latest = *p;
    count_parts(m, p);
    m->sum.loss += (double)p->loss;
    m->sum.softmax += (double)p->loss_softmax;
    m->sum.malis += (double)p->loss_malis;
    m->sum.norm += (double)p->gradient_norm;
    m->sum.ms += 1000.0 * (now - m->left_at);
    m->sum.n++;
    m->stepped_at = now;
    if (p->iteration % (uint64_t)m->of.options->flags->log_interval == 0) {
        m->code = add_iteration(m);
    }
    if (m->code == 0 && due(m, p)) {
        m->code = validate(m);
    }
    return m->code != 0 || m->early;
}

void monitor_leave(struct monitor *m)
{
    m->left_at = tool_now();
}

/* ---- the end ---- */

int monitor_end(struct monitor *m, gt_status status, int code)
{
    char message[512];
    bool failed = status != GT_OK && status != GT_ECANCELLED;
    snprintf(message, sizeof message, "%s", gt_error_message());
    int mine = m->code;
    if (m->sum.n > 0 && mine == 0) {
        mine = add_iteration(m);
    }
    if (status == GT_OK && code == 0 && mine == 0 && m->metric &&
        m->latest.iteration > m->validated) {
        m->validation.share = 1.0;
        mine = validate(m);
    }
    if (m->early && !m->of.quiet && m->of.progress->mode != PROGRESS_JSON) {
        fprintf(stderr, "greentea: stopped early: %d validations without a better %s\n",
                m->of.options->flags->patience, m->metric->text);
    }
    json_t *end = monitor_end_record(m, status, failed ? message : NULL);
    int written = history_add(&m->history, end);
    written = written ? written : write_report(m);
    if (!m->of.quiet && m->of.progress->mode != PROGRESS_JSON && m->of.options->flags->report &&
        written == 0) {
        fprintf(stderr, "greentea: %s written\n", m->of.options->flags->report);
    }
    return code ? code : mine ? mine : written;
}
