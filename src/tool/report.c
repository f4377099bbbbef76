/* The page that tells how a training went: frame, headline and file. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "tool/report.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "tool/svg.h"

void report_duration(FILE *out, double seconds)
{
    long s = (long)(seconds + 0.5);
    if (s >= 3600) {
        fprintf(out, "%ld&nbsp;h %ld&nbsp;min", s / 3600, s / 60 % 60);
    } else if (s >= 60) {
        fprintf(out, "%ld&nbsp;min %ld&nbsp;s", s / 60, s % 60);
    } else {
        fprintf(out, "%.3g&nbsp;s", seconds);
    }
}

void report_label(const struct report_page *p, int label)
{
    const json_t *info = json_array_get(json_object_get(p->h->start, "labels"), (size_t)label);
    const char *name = json_text(info, "name");
    double grey = json_number(info, "grey", -1.0);
    fprintf(p->out, "%d", label);
    if (*name) {
        fputs(" (", p->out);
        html_text(p->out, name);
        fputs(")", p->out);
    } else if (grey >= 0.0) {
        fprintf(p->out, " (grey %.0f)", grey);
    }
}

/* ---- headline ---- */

static void tile(FILE *out, const char *name, const char *value, const char *note)
{
    fprintf(out, "<div><dt>%s</dt><dd>%s</dd><dd class=\"note\">%s</dd></div>\n", name, value,
            note);
}

static void score_tile(const struct report_page *p, const char *name, const char *key)
{
    char value[32];
    char note[80];
    char of[64];
    double v = json_number(p->best, key, NAN);
    snprintf(of, sizeof of, "%s_threshold", key);
    double threshold = json_number(p->best, of, NAN);
    if (isnan(v)) {
        return;
    }
    snprintf(value, sizeof value, "%.4f", v);
    if (isnan(threshold)) {
        snprintf(note, sizeof note, "held-out images");
    } else {
        snprintf(note, sizeof note, "at threshold %.1f", threshold);
    }
    tile(p->out, name, value, note);
}

static double last_iteration(const struct history *h)
{
    double a = json_number(h->end, "iteration", json_number(h->start, "iteration", 0.0));
    double b = h->n_points ? h->points[h->n_points - 1].iteration : 0.0;
    return a > b ? a : b;
}

static void count_tiles(const struct report_page *p)
{
    const struct history *h = p->h;
    FILE *out = p->out;
    fputs("<div><dt>Iterations</dt><dd>", out);
    html_count(out, last_iteration(h));
    fputs("</dd><dd class=\"note\">of ", out);
    html_count(out, json_number(json_object_get(h->start, "run"), "iterations", 0.0));
    fputs(" allowed</dd></div>\n<div><dt>Time</dt><dd>", out);
    report_duration(out, h->seconds);
    fputs("</dd><dd class=\"note\">", out);
    if (h->seconds > 0.0 && p->last) {
        fprintf(out, "%.0f&nbsp;%% of it validating", 100.0 * h->validation_seconds / h->seconds);
    }
    fputs("</dd></div>\n", out);
}

static void headline(const struct report_page *p)
{
    FILE *out = p->out;
    fputs("<dl class=\"tiles\">\n", out);
    if (p->labels == 2) {
        score_tile(p, "V<sub>Rand</sub>", "v_rand");
        score_tile(p, "V<sub>Info</sub>", "v_info");
        score_tile(p, "Pixel error", "pixel_error");
    } else {
        score_tile(p, "Mean IoU", "mean_iou");
        score_tile(p, "Pixel accuracy", "accuracy");
    }
    score_tile(p, "Validation loss", "loss");
    count_tiles(p);
    fputs("</dl>\n", out);
    if (p->best) {
        fputs("<p class=\"dim\">Scores are those of the best model by ", out);
        html_score(out, p->metric->text);
        fputs(", at iteration ", out);
        html_count(out, json_number(p->best, "iteration", 0.0));
        fputs(".</p>\n", out);
    }
}

static void header(const struct report_page *p)
{
    static const char *const known[][2] = {{"finished", "finished"},
                                           {"early", "stopped early: no better model came"},
                                           {"stopped", "stopped by the user"},
                                           {"failed", "failed"}};
    FILE *out = p->out;
    const json_t *start = p->h->start;
    const json_t *net = json_object_get(start, "network");
    const char *status = p->h->end ? json_text(p->h->end, "status") : "running";
    const char *text = status;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        text = strcmp(status, known[i][0]) == 0 ? known[i][1] : text;
    }
    fputs("<header>\n<h1>Training of ", out);
    html_text(out, json_text(start, "out"));
    fputs("</h1>\n<p class=\"dim\">Network ", out);
    html_text(out, json_text(net, "net"));
    fprintf(out, ", width %g, %d labels, ", json_number(net, "width", 1.0), p->labels);
    html_count(out, json_number(net, "parameters", 0.0));
    fputs(" parameters &middot; ", out);
    html_text(out, json_text(json_object_get(start, "environment"), "device"));
    fputs(" &middot; begun ", out);
    html_text(out, json_text(start, "time"));
    fputs("</p>\n<p class=\"status\"><span class=\"", out);
    html_text(out, status);
    fputs("\">", out);
    html_text(out, text);
    fputs("</span>", out);
    if (*json_text(p->h->end, "message")) {
        fputs(" ", out);
        html_text(out, json_text(p->h->end, "message"));
    }
    fputs("</p>\n</header>\n", out);
}

static void footer(const struct report_page *p)
{
    fputs("<footer><p>", p->out);
    if (p->best && p->labels == 2) {
        fputs("V<sub>Rand</sub> and V<sub>Info</sub>: foreground-restricted, after thinning, the "
              "mean over slices at the best threshold of the stack "
              "(Arganda-Carreras et&nbsp;al. 2015, doi:10.3389/fnana.2015.00142). Pixel error: "
              "1&nbsp;&minus;&nbsp;the largest F-score of label&nbsp;1. ",
              p->out);
    } else if (p->best) {
        fputs("IoU: pixels that truth and result both give a label, of those that either gives it; "
              "the mean is over the labels that occur. ",
              p->out);
    }
    fputs("Loss: mean of &minus;ln of the probability of the true label. Written by greentea ",
          p->out);
    html_text(p->out, json_text(p->h->start, "version"));
    fputs(".</p></footer>\n", p->out);
}

static void page(const struct report_page *p)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Training of ",
          p->out);
    html_text(p->out, json_text(p->h->start, "out"));
    fputs("</title>\n", p->out);
    report_style(p->out);
    fputs("</head>\n<body>\n", p->out);
    header(p);
    fputs("<main>\n", p->out);
    headline(p);
    report_charts(p);
    report_pictures(p);
    report_scores(p);
    report_labels(p);
    report_facts(p);
    fputs("</main>\n", p->out);
    footer(p);
    fputs("</body>\n</html>\n", p->out);
}

int report_write(const char *path, const struct history *h, const struct pictures *pictures)
{
    char beside[4160];
    size_t since = 0;
    struct report_page p = {.h = h, .pictures = pictures};
    p.labels = (int)json_number(json_object_get(h->start, "network"), "labels", 2.0);
    p.metric = metric_by_key(json_text(json_object_get(h->start, "run"), "metric"));
    p.best = p.metric ? history_best(&since, h, p.metric) : NULL;
    size_t n = json_array_size(h->validations);
    p.last = n ? json_array_get(h->validations, n - 1) : NULL;
    snprintf(beside, sizeof beside, "%s.tmp.%ld", path, (long)getpid());
    p.out = fopen(beside, "w");
    if (!p.out) {
        fprintf(stderr, "greentea: %s cannot be written: %s\n", path, strerror(errno));
        return EXIT_OUTPUT;
    }
    page(&p);
    bool good = fflush(p.out) == 0 && !ferror(p.out);
    good = fclose(p.out) == 0 && good;
    if (!good || rename(beside, path) != 0) {
        fprintf(stderr, "greentea: %s cannot be written: %s\n", path, strerror(errno));
        unlink(beside);
        return EXIT_OUTPUT;
    }
    return 0;
}
