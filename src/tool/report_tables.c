/* Tables of scores of a report. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/report.h"

#include "tool/svg.h"

#include <math.h>

struct row {
    const char *name, *key, *threshold; /* threshold: NULL if it has none */
};

/* two: the table has columns of thresholds */
static void value_cell(FILE *out, const json_t *v, const struct row *r, bool two)
{
    double value = json_number(v, r->key, NAN);
    double threshold = r->threshold ? json_number(v, r->threshold, NAN) : NAN;
    if (isnan(value)) {
        fputs("<td class=\"n\">&ndash;</td>", out);
    } else {
        fprintf(out, "<td class=\"n\">%.4f</td>", value);
    }
    if (isnan(threshold)) {
        fputs(two ? "<td class=\"n\"></td>" : "", out);
    } else {
        fprintf(out, "<td class=\"n\">%.1f</td>", threshold);
    }
}

static void score_row(const struct report_page *p, const struct row *r)
{
    fprintf(p->out, "<tr><th scope=\"row\">%s</th>", r->name);
    value_cell(p->out, p->best, r, p->labels == 2);
    value_cell(p->out, p->last, r, p->labels == 2);
    fputs("</tr>\n", p->out);
}

static void threshold_table(const struct report_page *p)
{
    static const struct row columns[] = {{"V<sub>Rand</sub>", "v_rand", NULL},
                                         {"split", "split", NULL},
                                         {"merge", "merge", NULL},
                                         {"V<sub>Info</sub>", "v_info", NULL},
                                         {"pixel F", "pixel_f", NULL},
                                         {"wrong pixels", "pixel_wrong", NULL}};
    const json_t *all = json_object_get(p->best, "thresholds");
    const json_t *threshold = json_object_get(all, "threshold");
    double best = json_number(p->best, "v_rand_threshold", NAN);
    enum { N = sizeof columns / sizeof columns[0] };
    if (!threshold) {
        return;
    }
    fputs("<details><summary>All thresholds</summary>\n<div class=\"wide\"><table><thead><tr>"
          "<th class=\"n\">threshold</th>",
          p->out);
    for (int k = 0; k < N; k++) {
        fprintf(p->out, "<th class=\"n\">%s</th>", columns[k].name);
    }
    fputs("</tr></thead><tbody>\n", p->out);
    for (size_t i = 0; i < json_array_size(threshold); i++) {
        double t = json_number_value(json_array_get(threshold, i));
        fprintf(p->out, "<tr%s><td class=\"n\">%.1f</td>",
                fabs(t - best) < 1e-6 ? " class=\"best\"" : "", t);
        for (int k = 0; k < N; k++) {
            const json_t *v = json_array_get(json_object_get(all, columns[k].key), i);
            fprintf(p->out, "<td class=\"n\">%.4f</td>", json_number_value(v));
        }
        fputs("</tr>\n", p->out);
    }
    fputs("</tbody></table></div></details>\n", p->out);
}

void report_scores(const struct report_page *p)
{
    static const struct row two[] = {
        {"V<sub>Rand</sub>", "v_rand", "v_rand_threshold"},
        {"V<sub>Rand</sub> split (recall)", "v_rand_split", "v_rand_threshold"},
        {"V<sub>Rand</sub> merge (precision)", "v_rand_merge", "v_rand_threshold"},
        {"V<sub>Info</sub>", "v_info", "v_info_threshold"},
        {"Pixel error", "pixel_error", "pixel_error_threshold"},
        {"Wrong pixels", "pixel_wrong", "pixel_error_threshold"}};
    static const struct row all[] = {{"Mean IoU", "mean_iou", NULL},
                                     {"Pixel accuracy (likeliest label)", "accuracy", NULL},
                                     {"Loss", "loss", NULL}};
    if (!p->best) {
        return;
    }
    fputs("<h2>Scores of the held-out images</h2>\n<div class=\"wide\"><table><thead><tr><th></th>"
          "<th class=\"n\">best, iteration ",
          p->out);
    html_count(p->out, json_number(p->best, "iteration", 0.0));
    const char *threshold = p->labels == 2 ? "<th class=\"n\">threshold</th>" : "";
    fprintf(p->out, "</th>%s<th class=\"n\">last, iteration ", threshold);
    html_count(p->out, json_number(p->last, "iteration", 0.0));
    fprintf(p->out, "</th>%s</tr></thead><tbody>\n", threshold);
    for (size_t i = 0; p->labels == 2 && i < sizeof two / sizeof two[0]; i++) {
        score_row(p, &two[i]);
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        score_row(p, &all[i]);
    }
    fputs("</tbody></table></div>\n", p->out);
    if (p->labels == 2) {
        threshold_table(p);
    }
}

/* ---- labels ---- */

static double cell(const json_t *confusion, size_t truth, size_t guess)
{
    return json_number_value(json_array_get(json_array_get(confusion, truth), guess));
}

static void ratio_cell(FILE *out, double part, double whole)
{
    if (whole > 0.0) {
        fprintf(out, "<td class=\"n\">%.4f</td>", part / whole);
    } else {
        fputs("<td class=\"n\">&ndash;</td>", out);
    }
}

static void label_row(const struct report_page *p, const json_t *confusion, size_t k)
{
    double truth = 0.0;
    double guess = 0.0;
    double hit = cell(confusion, k, k);
    for (size_t i = 0; i < (size_t)p->labels; i++) {
        truth += cell(confusion, k, i);
        guess += cell(confusion, i, k);
    }
    fputs("<tr><th scope=\"row\">", p->out);
    report_label(p, (int)k);
    fputs("</th><td class=\"n\">", p->out);
    html_count(p->out, truth);
    fputs("</td>", p->out);
    ratio_cell(p->out, hit, truth);
    ratio_cell(p->out, hit, guess);
    ratio_cell(p->out, hit, truth + guess - hit);
    fputs("</tr>\n", p->out);
}

/* Share of the row's truth, as number and shade. */
static void confusion_row(const struct report_page *p, const json_t *confusion, size_t truth)
{
    double sum = 0.0;
    for (size_t k = 0; k < (size_t)p->labels; k++) {
        sum += cell(confusion, truth, k);
    }
    fputs("<tr><th scope=\"row\">", p->out);
    report_label(p, (int)truth);
    fputs("</th>", p->out);
    for (size_t k = 0; k < (size_t)p->labels; k++) {
        double share = sum > 0.0 ? cell(confusion, truth, k) / sum : 0.0;
        fprintf(p->out, "<td style=\"background:rgba(%s,%.2f)\">",
                k == truth ? "27,127,77" : "214,90,20", 0.55 * sqrt(share));
        if (sum > 0.0) {
            fprintf(p->out, "%.1f&#8239;%%", 100.0 * share);
        }
        fputs("</td>", p->out);
    }
    fputs("</tr>\n", p->out);
}

void report_labels(const struct report_page *p)
{
    const json_t *confusion = json_object_get(p->best, "confusion");
    if (!confusion || p->labels > 64) {
        return;
    }
    fputs("<h2>Labels</h2>\n<p class=\"dim\">Of the best model, the likeliest label of every "
          "pixel.</p>\n<div class=\"wide\"><table><thead><tr><th>label</th><th class=\"n\">pixels"
          "</th><th class=\"n\">recall</th><th class=\"n\">precision</th><th class=\"n\">IoU</th>"
          "</tr></thead><tbody>\n",
          p->out);
    for (size_t k = 0; k < (size_t)p->labels; k++) {
        label_row(p, confusion, k);
    }
    fputs("</tbody></table></div>\n<h3>Confusion: of the pixels of a label (row), the share given "
          "each label (column)</h3>\n<div class=\"wide\"><table class=\"confusion\"><thead><tr>"
          "<th>truth</th>",
          p->out);
    for (int k = 0; k < p->labels; k++) {
        fprintf(p->out, "<th class=\"n\">%d</th>", k);
    }
    fputs("</tr></thead><tbody>\n", p->out);
    for (size_t k = 0; k < (size_t)p->labels; k++) {
        confusion_row(p, confusion, k);
    }
    fputs("</tbody></table></div>\n", p->out);
}
