/* The first and the last record of a training's log; what is said of a validation.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tool/monitor.h"

#include "tool/facts.h"

#include <math.h>

static json_t *run_facts(const struct monitor *m)
{
    const struct validation_options *o = m->of.options;
    json_t *run = json_object();
    json_object_set_new(run, "iterations", json_integer((json_int_t)m->of.iterations));
    if (m->of.time_limit > 0.0) {
        json_object_set_new(run, "time_limit_seconds", json_real(m->of.time_limit));
    }
    if (m->metric) {
        json_object_set_new(run, "metric", json_string(m->metric->key));
        json_object_set_new(run, "patience", json_integer(o->flags->patience));
        if (o->flags->interval > 0) {
            json_object_set_new(run, "validation_interval", json_integer(o->flags->interval));
        } else if (o->every > 0.0) {
            json_object_set_new(run, "validation_every_seconds", json_real(o->every));
        }
    }
    return run;
}

json_t *monitor_start_record(const struct monitor *m)
{
    const struct validation_flags *f = m->of.options->flags;
    json_t *command = json_array();
    json_t *data = json_array();
    json_array_append_new(command, json_string("greentea"));
    for (int i = 0; i < m->of.argc; i++) {
        json_array_append_new(command, json_string(m->of.argv[i]));
    }
    json_array_append_new(data, facts_images("training images", m->of.raw));
    json_array_append_new(data, facts_images("training labels", m->of.labels));
    if (m->metric) {
        json_array_append_new(data, facts_images("held-out images", f->raw));
        json_array_append_new(data, facts_images("held-out labels", f->labels));
    }
    json_t *r = json_pack("{s:s, s:I, s:s}", "type", "start", "iteration",
                          (json_int_t)gt_model_iteration(m->of.model), "out", m->of.out);
    json_object_set_new(r, "time", facts_time());
    json_object_set_new(r, "version", json_string(gt_version()));
    json_object_set_new(r, "command", command);
    json_object_set_new(r, "network", facts_network(m->of.model));
    json_object_set_new(r, "labels", facts_labels(m->of.model));
    json_object_set_new(r, "run", run_facts(m));
    json_object_set_new(r, "environment", facts_environment(m->of.device));
    json_object_set_new(r, "data", data);
    json_t *config = json_loads(gt_model_config(m->of.model), 0, NULL);
    if (config) {
        json_object_set_new(r, "config", config);
    }
    return r;
}

json_t *monitor_end_record(const struct monitor *m, gt_status status, const char *message)
{
    const char *how = "failed";
    if (status == GT_OK) {
        how = "finished";
    } else if (status == GT_ECANCELLED && m->code == 0) {
        how = m->early ? "early" : "stopped";
    }
    json_t *files = json_array();
    json_array_append_new(files, facts_file("model, last state", m->of.out));
    if (m->metric && tool_exists(m->best)) {
        json_array_append_new(files, facts_file("model, best", m->best));
    }
    json_t *r = json_pack("{s:s, s:I, s:f, s:s}", "type", "end", "iteration",
                          (json_int_t)gt_model_iteration(m->of.model), "seconds",
                          m->latest.seconds + tool_now() - m->stepped_at, "status", how);
    json_object_set_new(r, "time", facts_time());
    json_object_set_new(r, "files", files);
    if (message) {
        json_object_set_new(r, "message", json_string(message));
    }
    return r;
}

void monitor_tell(const struct monitor *m, const json_t *r, bool best)
{
    if (m->of.progress->mode == PROGRESS_NONE) {
        return;
    }
    if (m->of.progress->mode == PROGRESS_JSON) {
        json_t *o = json_deep_copy(r);
        json_object_del(o, "thresholds");
        json_object_del(o, "confusion");
        json_dumpf(o, stderr, JSON_COMPACT | JSON_REAL_PRECISION(9));
        fputs("\n", stderr);
        json_decref(o);
        return;
    }
    fprintf(stderr, "%sgreentea: iteration %.0f: held-out loss %.4f",
            m->of.progress->tty ? "\r\033[K" : "", json_number(r, "iteration", 0.0),
            json_number(r, "loss", NAN));
    if (m->validation.labels == 2) {
        fprintf(stderr, ", V_Rand %.4f at %.1f, V_Info %.4f at %.1f, pixel error %.4f",
                json_number(r, "v_rand", NAN), json_number(r, "v_rand_threshold", NAN),
                json_number(r, "v_info", NAN), json_number(r, "v_info_threshold", NAN),
                json_number(r, "pixel_error", NAN));
    } else {
        fprintf(stderr, ", mean IoU %.4f, pixel accuracy %.4f", json_number(r, "mean_iou", NAN),
                json_number(r, "accuracy", NAN));
    }
    fprintf(stderr, "%s\n", best ? " (best)" : "");
}
