/* Line charts as inline SVG; colours come from the page's style sheet. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "tool/svg.h"

#include "tool/svg_axis.h"

#include <math.h>
#include <string.h>

enum {
    WIDTH = 560,
    HEIGHT = 270,
    LEFT = 54,
    RIGHT = 12,
    TOP = 14,
    BOTTOM = 40,
    DOTS = 300,   /* more would hide the line, and swell the page */
    BUCKETS = 450 /* of a long series only the extremes of so many stretches are drawn */
};

struct frame {
    struct svg_axis x, y;
};

static double place_x(const struct frame *f, double v)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * svg_axis_place(&f->x, v);
}

static double place_y(const struct frame *f, double v)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * svg_axis_place(&f->y, v);
}

void html_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            /* control characters have no place in a page */
            fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
        }
    }
}

void html_score(FILE *out, const char *name)
{
    const bool lower = strncmp(name, "V_", 2) == 0;
    fputs(lower ? "V<sub>" : "", out);
    html_text(out, lower ? name + 2 : name);
    fputs(lower ? "</sub>" : "", out);
}

void html_count(FILE *out, double value)
{
    char digits[40];
    int n = snprintf(digits, sizeof digits, "%.0f", value);
    for (int i = 0; i < n; i++) {
        fputc(digits[i], out);
        if (n > 4 && i + 1 < n && (n - 1 - i) % 3 == 0) {
            fputs("&#8239;", out);
        }
    }
}

/* ---- series ---- */

static void circle(FILE *out, const struct frame *f, double x, double y)
{
    fprintf(out,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\"><title>iteration %.0f: %.5g</title>"
            "</circle>",
            place_x(f, x), place_y(f, y), x, y);
}

/* A point of a path; a gap before it lifts the pen. */
static void point(FILE *out, const struct frame *f, const struct svg_series *s, size_t i, bool *pen)
{
    if (!isfinite(s->y[i]) || (f->y.log && s->y[i] <= 0.0)) {
        *pen = false;
        return;
    }
    fprintf(out, "%s%.1f %.1f", *pen ? "L" : "M", place_x(f, s->x[i]), place_y(f, s->y[i]));
    *pen = true;
}

/* The lowest and the highest value of a stretch, in their order. */
static void stretch(FILE *out, const struct frame *f, const struct svg_series *s, size_t range[2],
                    bool *pen)
{
    size_t low = range[0];
    size_t high = range[0];
    for (size_t i = range[0]; i < range[1]; i++) {
        low = s->y[i] < s->y[low] || !isfinite(s->y[low]) ? i : low;
        high = s->y[i] > s->y[high] || !isfinite(s->y[high]) ? i : high;
    }
    point(out, f, s, low < high ? low : high, pen);
    if (low != high) {
        point(out, f, s, low < high ? high : low, pen);
    }
}

static void draw_series(FILE *out, const struct frame *f, const struct svg_series *s)
{
    bool pen = false;
    size_t buckets = s->n < 2 * BUCKETS ? s->n : BUCKETS;
    fprintf(out, "<path class=\"line c%d%s\" d=\"", s->colour, s->look == SVG_THIN ? " thin" : "");
    for (size_t b = 0; b < buckets; b++) {
        size_t range[2] = {b * s->n / buckets, (b + 1) * s->n / buckets};
        stretch(out, f, s, range, &pen);
    }
    fputs("\"/>\n", out);
    if (s->look != SVG_DOTS || s->n > DOTS) {
        return;
    }
    fprintf(out, "<g class=\"dots c%d\">", s->colour);
    for (size_t i = 0; i < s->n; i++) {
        if (isfinite(s->y[i]) && !(f->y.log && s->y[i] <= 0.0)) {
            circle(out, f, s->x[i], s->y[i]);
        }
    }
    fputs("</g>\n", out);
}

/* ---- axes ---- */

static void draw_axes(FILE *out, const struct frame *f)
{
    char label[40];
    double tick[SVG_TICKS];
    int n = svg_axis_ticks(tick, &f->y);
    for (int i = 0; i < n; i++) {
        double y = place_y(f, tick[i]);
        svg_axis_label(label, sizeof label, &f->y, tick[i]);
        fprintf(out,
                "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"tick\" x=\"%d\" y=\"%.1f\" "
                "text-anchor=\"end\">%s</text>\n",
                LEFT, y, WIDTH - RIGHT, LEFT - 7, y + 4.0, label);
    }
    n = svg_axis_ticks(tick, &f->x);
    for (int i = 0; i < n; i++) {
        double x = place_x(f, tick[i]);
        bool last = x > WIDTH - RIGHT - 8; /* the label must not leave the picture */
        fprintf(out,
                "<path class=\"axis\" d=\"M%.1f %dv5\"/><text class=\"tick\" x=\"%.1f\" y=\"%d\" "
                "text-anchor=\"%s\">",
                x, HEIGHT - BOTTOM, last ? WIDTH : x, HEIGHT - BOTTOM + 19,
                last ? "end" : "middle");
        html_count(out, tick[i]);
        fputs("</text>\n", out);
    }
    fprintf(out,
            "<path class=\"axis\" d=\"M%d %dH%d\"/><text class=\"tick\" x=\"%d\" y=\"%d\" "
            "text-anchor=\"end\">iteration</text>\n",
            LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, WIDTH - RIGHT, HEIGHT - 4);
}

static void draw_mark(FILE *out, const struct frame *f, const struct svg_chart *c)
{
    if (isnan(c->mark)) {
        return;
    }
    double x = place_x(f, c->mark);
    bool right = x > (WIDTH + LEFT) / 2.0;
    fprintf(out,
            "<path class=\"mark\" d=\"M%.1f %dV%d\"/><text class=\"tick\" x=\"%.1f\" y=\"%d\" "
            "text-anchor=\"%s\">",
            x, TOP, HEIGHT - BOTTOM, right ? x - 5.0 : x + 5.0,
            c->mark_low ? HEIGHT - BOTTOM - 8 : TOP + 9, right ? "end" : "start");
    html_text(out, c->mark_text);
    fputs("</text>\n", out);
}

/* ---- the figure ---- */

/* What the axes must span. Pale lines count without their rarest values only where nothing else
 * is drawn. */
static bool find_frame(struct frame *f, const struct svg_chart *c)
{
    struct svg_range x = SVG_NOTHING;
    struct svg_range y = SVG_NOTHING;
    struct svg_range pale = SVG_NOTHING;
    for (size_t k = 0; k < c->n_series; k++) {
        const struct svg_series *s = &c->series[k];
        for (size_t i = 0; i < s->n; i++) {
            if (isfinite(s->y[i])) {
                svg_range_add(&x, s->x[i]);
                svg_range_add(s->look == SVG_THIN ? &pale : &y, s->y[i]);
            }
        }
    }
    if (!(x.low <= x.high)) {
        return false;
    }
    y = y.low <= y.high ? y : pale;
    x.low = x.low > 0.0 ? 0.0 : x.low;
    svg_axis_fit(&f->x, &x, false, x.high);
    f->x.low = x.low; /* the axis of iterations ends with the last one */
    f->x.high = x.high > x.low ? x.high : x.low + 1.0;
    f->x.step *= x.high >= 1e6 ? 2.0 : 1.0; /* long labels */
    svg_axis_fit(&f->y, &y, c->logarithmic, c->ceiling);
    return true;
}

static void draw_caption(FILE *out, const struct frame *f, const struct svg_chart *c)
{
    char factor[48];
    fputs("<figcaption><b>", out);
    html_text(out, c->title);
    svg_axis_factor(factor, sizeof factor, &f->y);
    fprintf(out, "%s</b>", factor);
    for (size_t i = 0; i < c->n_series; i++) {
        fprintf(out, " <span class=\"key\"><i class=\"c%d%s\"></i>", c->series[i].colour,
                c->series[i].look == SVG_THIN ? " thin" : "");
        html_score(out, c->series[i].name);
        fputs("</span>", out);
    }
    fputs("</figcaption>\n", out);
}

void svg_chart(FILE *out, const struct svg_chart *chart)
{
    struct frame f;
    if (!find_frame(&f, chart)) {
        return;
    }
    fputs("<figure class=\"chart\">", out);
    draw_caption(out, &f, chart);
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    html_text(out, chart->about);
    fprintf(out,
            "\">\n<defs><clipPath id=\"%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
            "</clipPath></defs>\n",
            chart->id, LEFT, TOP - 4, WIDTH - LEFT - RIGHT + 4, HEIGHT - TOP - BOTTOM + 8);
    draw_axes(out, &f);
    draw_mark(out, &f, chart);
    fprintf(out, "<g clip-path=\"url(#%s)\">\n", chart->id);
    for (size_t i = 0; i < chart->n_series; i++) {
        draw_series(out, &f, &chart->series[i]);
    }
    fputs("</g></svg></figure>\n", out);
}
