/* Curves and pictures of a report. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/report.h"

#include "tool/svg.h"

#include <math.h>
#include <stdlib.h>

/* Columns of the history; one block of memory. */
struct columns {
    size_t n, n_val;
    double *x, *loss, *smooth, *softmax, *malis, *rate, *ms, *ms_smooth, *idle, *idle_smooth;
    double *softmax_smooth, *malis_smooth;
    double *val_x, *val[4];
};
enum { COLUMNS = 12, VAL_COLUMNS = 5, SMOOTH_PARTS = 60 };

static double *columns_fill(struct columns *c, const struct history *h)
{
    size_t n = h->n_points;
    size_t m = json_array_size(h->validations);
    double *all = malloc((COLUMNS * n + VAL_COLUMNS * m + 1) * sizeof *all);
    if (!all) {
        return NULL;
    }
    double **const part[] = {
        &c->x,  &c->loss,      &c->smooth, &c->softmax,     &c->malis,          &c->rate,
        &c->ms, &c->ms_smooth, &c->idle,   &c->idle_smooth, &c->softmax_smooth, &c->malis_smooth};
    _Static_assert(sizeof part / sizeof part[0] == COLUMNS, "a column has no place");
    for (size_t i = 0; i < COLUMNS; i++) {
        *part[i] = all + i * n;
    }
    for (size_t i = 0; i < n; i++) {
        const struct history_point *p = &h->points[i];
        c->x[i] = p->iteration;
        c->loss[i] = p->loss;
        c->softmax[i] = p->softmax;
        c->malis[i] = p->malis;
        c->rate[i] = p->rate;
        c->ms[i] = p->ms;
        c->idle[i] = p->idle_ms;
    }
    c->n = n;
    c->n_val = m;
    c->val_x = all + COLUMNS * n;
    for (int k = 0; k < 4; k++) {
        c->val[k] = c->val_x + (size_t)(k + 1) * m;
    }
    return all;
}

static void val_column(struct columns *c, int k, const struct history *h, const char *key)
{
    for (size_t i = 0; i < c->n_val; i++) {
        const json_t *v = json_array_get(h->validations, i);
        c->val_x[i] = json_number(v, "iteration", 0.0);
        c->val[k][i] = json_number(v, key, NAN);
    }
}

/* Mean over a window around the value, half of it at the ends: unlike a running mean it does not
 * lag. */
static void smooth(double *dst, const double *src, size_t n)
{
    size_t half = n / SMOOTH_PARTS / 2 + (n > 20);
    double sum = 0.0;
    size_t counted = 0;
    size_t first = 0;
    size_t end = 0;
    for (size_t i = 0; i < n; i++) {
        for (; end <= i + half && end < n; end++) {
            sum += isfinite(src[end]) ? src[end] : 0.0;
            counted += isfinite(src[end]) != 0;
        }
        for (; first + half < i; first++) {
            sum -= isfinite(src[first]) ? src[first] : 0.0;
            counted -= isfinite(src[first]) != 0;
        }
        dst[i] = counted ? sum / (double)counted : NAN;
    }
}

static bool any(const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (isfinite(v[i])) {
            return true;
        }
    }
    return false;
}

static void loss_chart(const struct report_page *p, struct columns *c, double best)
{
    struct svg_series s[5] = {{"measured", 1, SVG_THIN, c->x, c->loss, c->n},
                              {"training, smoothed", 1, SVG_LINE, c->x, c->smooth, c->n}};
    size_t n = 2;
    val_column(c, 0, p->h, "loss");
    if (any(c->val[0], c->n_val)) {
        s[n++] = (struct svg_series){"held-out images", 2, SVG_DOTS, c->val_x, c->val[0], c->n_val};
    }
    if (any(c->softmax, c->n) && any(c->malis, c->n)) {
        s[n++] = (struct svg_series){"softmax part", 3, SVG_LINE, c->x, c->softmax_smooth, c->n};
        s[n++] = (struct svg_series){"MALIS part", 4, SVG_LINE, c->x, c->malis_smooth, c->n};
    }
    svg_chart(p->out, &(struct svg_chart){.id = "clipLoss",
                                          .title = "Loss",
                                          .about = "Loss of training and of held-out images "
                                                   "over iterations",
                                          .series = s,
                                          .n_series = n,
                                          .logarithmic = true,
                                          .ceiling = NAN,
                                          .mark = best,
                                          .mark_text = "best model"});
}

static void score_chart(const struct report_page *p, struct columns *c, double best)
{
    bool two = p->labels == 2;
    const char *const keys[3] = {two ? "v_rand" : "mean_iou", two ? "v_info" : "accuracy",
                                 two ? "accuracy" : NULL};
    const char *const names[3] = {two ? "V_Rand" : "mean IoU", two ? "V_Info" : "pixel accuracy",
                                  "pixel accuracy"};
    struct svg_series s[3];
    size_t n = 0;
    for (int k = 0; k < 3 && keys[k]; k++) {
        val_column(c, k, p->h, keys[k]);
        s[n++] = (struct svg_series){names[k], k + 1, SVG_DOTS, c->val_x, c->val[k], c->n_val};
    }
    svg_chart(p->out, &(struct svg_chart){.id = "clipScores",
                                          .title = "Held-out scores",
                                          .about = "Validation scores over iterations",
                                          .series = s,
                                          .n_series = n,
                                          .ceiling = 1.0,
                                          .mark = best,
                                          .mark_low = true,
                                          .mark_text = "best model"});
}

static void pace_charts(const struct report_page *p, const struct columns *c)
{
    const struct svg_series rate = {"rate", 3, SVG_LINE, c->x, c->rate, c->n};
    const struct svg_series time[3] = {
        {"measured", 4, SVG_THIN, c->x, c->ms, c->n},
        {"smoothed", 4, SVG_LINE, c->x, c->ms_smooth, c->n},
        {"waiting for patches", 2, SVG_LINE, c->x, c->idle_smooth, c->n}};
    svg_chart(p->out, &(struct svg_chart){.id = "clipRate",
                                          .title = "Learning rate",
                                          .about = "Learning rate over iterations",
                                          .series = &rate,
                                          .n_series = 1,
                                          .ceiling = NAN,
                                          .mark = NAN});
    svg_chart(p->out, &(struct svg_chart){.id = "clipTime",
                                          .title = "Time per iteration, ms",
                                          .about = "Milliseconds per iteration over iterations",
                                          .series = time,
                                          .n_series = any(c->idle, c->n) ? 3 : 2,
                                          .ceiling = NAN,
                                          .mark = NAN});
}

void report_charts(const struct report_page *p)
{
    struct columns c;
    double *memory = columns_fill(&c, p->h);
    if (!memory) {
        return;
    }
    double best = json_number(p->best, "iteration", NAN);
    smooth(c.smooth, c.loss, c.n);
    smooth(c.ms_smooth, c.ms, c.n);
    smooth(c.idle_smooth, c.idle, c.n);
    smooth(c.softmax_smooth, c.softmax, c.n);
    smooth(c.malis_smooth, c.malis, c.n);
    fputs("<h2>Curves</h2>\n<div class=\"charts\">\n", p->out);
    loss_chart(p, &c, best);
    if (c.n_val > 0) {
        score_chart(p, &c, best);
    }
    pace_charts(p, &c);
    fputs("</div>\n", p->out);
    free(memory);
}

/* ---- pictures ---- */

static void open_picture(const struct report_page *p, const struct picture *s, const char *title)
{
    fprintf(p->out,
            "<figure><figcaption>%s</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"%s\">",
            title, s->width, s->height, title);
}

static void image(const struct report_page *p, const struct picture *s, const char *id,
                  const char *png)
{
    fprintf(p->out, "<image%s width=\"%d\" height=\"%d\" href=\"data:image/png;base64,", id,
            s->width, s->height);
    fputs(png, p->out);
    fputs("\"/>", p->out);
}

/* The input is in the page once; the errors lie over a reference to it. */
static void strip(const struct report_page *p, const struct picture *s)
{
    char id[32];
    snprintf(id, sizeof id, " id=\"input%zu\"", s->page + 1);
    fprintf(p->out, "<h3>Page %zu</h3>\n<div class=\"strip\">\n", s->page + 1);
    open_picture(p, s, "input");
    image(p, s, id, s->raw);
    fputs("</svg></figure>\n", p->out);
    open_picture(p, s, "truth");
    image(p, s, "", s->truth);
    fputs("</svg></figure>\n", p->out);
    open_picture(p, s, p->labels == 2 ? "probability of label 1" : "result");
    image(p, s, "", s->result);
    fputs("</svg></figure>\n", p->out);
    open_picture(p, s, "errors");
    fprintf(p->out, "<use href=\"#input%zu\"/>", s->page + 1);
    image(p, s, "", s->wrong);
    fputs("</svg></figure>\n</div>\n", p->out);
}

static void key(const struct report_page *p, const uint8_t rgb[3])
{
    fprintf(p->out, "<span class=\"key\"><i class=\"box\" style=\"background:#%02x%02x%02x\"></i>",
            rgb[0], rgb[1], rgb[2]);
}

static void picture_keys(const struct report_page *p)
{
    static const uint8_t missed[3] = {255, 106, 0};
    static const uint8_t invented[3] = {0, 170, 255};
    fputs("<p>Errors: ", p->out);
    key(p, missed);
    if (p->labels == 2) {
        fprintf(p->out, "truth 0, probability above %.1f: a missed boundary merges</span> ",
                p->pictures->threshold);
        key(p, invented);
        fprintf(p->out, "truth 1, not above %.1f: a boundary that is none splits</span></p>\n",
                p->pictures->threshold);
        return;
    }
    fputs("another label than the true one</span></p>\n<p>Labels: ", p->out);
    for (int32_t k = 0; k < p->labels; k++) {
        uint8_t rgb[3];
        picture_colour(rgb, k, p->labels);
        key(p, rgb);
        report_label(p, k);
        fputs("</span> ", p->out);
    }
    fputs("</p>\n", p->out);
}

void report_pictures(const struct report_page *p)
{
    if (!p->pictures || p->pictures->n == 0) {
        return;
    }
    fputs("<h2>Held-out slices</h2>\n<p class=\"dim\">As the network of iteration ", p->out);
    html_count(p->out, (double)p->pictures->iteration);
    fputs(" labels them.</p>\n", p->out);
    picture_keys(p);
    for (int i = 0; i < p->pictures->n; i++) {
        strip(p, &p->pictures->slice[i]);
    }
}
