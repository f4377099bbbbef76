/* Flags of validation, best model, early stop, log and report. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "tool/flags_validation.h"

#include <string.h>
#include <strings.h>

/* In the order of their flags; `pixel` of more than 2 labels follows behind. */
static const struct metric metrics[] = {
    {"v_rand", "v_rand", "V_Rand", 1},          {"v_info", "v_info", "V_Info", 1},
    {"pixel", "pixel_error", "pixel error", 0}, {"miou", "mean_iou", "mean IoU", 1},
    {"loss", "loss", "validation loss", 0},     {"pixel", "accuracy", "pixel accuracy", 1}};
enum { V_RAND, V_INFO, PIXEL, MIOU, LOSS, ACCURACY, N_METRICS };

const struct metric *metric_by_key(const char *key)
{
    for (int i = 0; i < N_METRICS; i++) {
        if (strcmp(metrics[i].key, key) == 0) {
            return &metrics[i];
        }
    }
    return NULL;
}

const struct metric *metric_for(const struct validation_options *o, int labels)
{
    const struct metric *m = o->metric;
    if (labels == 2) {
        return m ? m : &metrics[V_RAND];
    }
    if (m == &metrics[V_RAND] || m == &metrics[V_INFO]) {
        tool_usage("--val-metric %s judges boundaries of 2 labels, the data has %d; expected miou, "
                   "pixel or loss",
                   m->flag, labels);
        return NULL;
    }
    return !m ? &metrics[MIOU] : m == &metrics[PIXEL] ? &metrics[ACCURACY] : m;
}

/* "dir/run.html" to "dir/run.jsonl". */
static int log_beside(char *out, size_t size, const char *report)
{
    size_t n = strlen(report);
    if (n > 5 && strcasecmp(report + n - 5, ".html") == 0) {
        n -= 5;
    }
    if (n + sizeof ".jsonl" > size) {
        return tool_usage("--report is a name of %zu letters, at most %zu are possible",
                          strlen(report), size - sizeof ".jsonl");
    }
    snprintf(out, size, "%.*s.jsonl", (int)n, report);
    return 0;
}

static int check_intervals(struct validation_options *o, const struct validation_flags *f)
{
    if (f->interval < 0 || f->log_interval < 1 || f->patience < 0) {
        return tool_usage("--val-interval %lld and --patience %d must be 0 or more, --log-interval "
                          "%lld 1 or more",
                          f->interval, f->patience, f->log_interval);
    }
    if (f->every && (!tool_parse_time(&o->every, f->every) || o->every <= 0.0)) {
        return tool_usage("--val-every is '%s', expected for example 90s, 10m or 1.5h", f->every);
    }
    if (f->every && f->interval > 0) {
        return tool_usage("--val-interval and --val-every exclude each other");
    }
    return 0;
}

int validation_fill(struct validation_options *o, const struct validation_flags *f)
{
    static const char *const names[] = {"v_rand", "v_info", "pixel", "miou", "loss", NULL};
    int metric = 0;
    *o = (struct validation_options){.flags = f};
    if (!f->raw != !f->labels) {
        return tool_usage("--val-raw and --val-labels go together");
    }
    if (!f->raw && (f->interval || f->every || f->metric || f->patience)) {
        return tool_usage("%s needs --val-raw and --val-labels", f->interval ? "--val-interval"
                                                                 : f->every  ? "--val-every"
                                                                 : f->metric ? "--val-metric"
                                                                             : "--patience");
    }
    int code = check_intervals(o, f);
    code = code ? code : tool_choose(&metric, "val-metric", f->metric, names, 0);
    if (code) {
        return code;
    }
    o->metric = f->metric ? &metrics[metric] : NULL;
    if (f->log && strlen(f->log) >= sizeof o->log) {
        return tool_usage("--log is a name of %zu letters, at most %zu are possible",
                          strlen(f->log), sizeof o->log - 1);
    }
    if (f->log) {
        snprintf(o->log, sizeof o->log, "%s", f->log);
        return 0;
    }
    return f->report ? log_beside(o->log, sizeof o->log, f->report) : 0;
}
