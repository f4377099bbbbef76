/* Line charts as inline SVG; colours come from the page's style sheet. SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GT_TOOL_SVG_H
#define GT_TOOL_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum svg_look {
    SVG_LINE, /* full line, decides the range of the axis */
    SVG_THIN, /* pale line behind, whose outliers may leave the chart */
    SVG_DOTS  /* line with a dot at every value, which a pointer can ask */
};

struct svg_series {
    const char *name;
    int colour; /* 1 to 4: class c1 to c4 */
    enum svg_look look;
    const double *x, *y; /* [n], x rising; y NAN: no value */
    size_t n;
};

struct svg_chart {
    const char *id;    /* unique in the page, letters only */
    const char *title; /* with the unit */
    const char *about; /* what it shows, for those who cannot see it */
    const struct svg_series *series;
    size_t n_series;
    bool logarithmic; /* allowed where values differ a lot and all are above 0 */
    double ceiling;   /* the axis ends there at the latest; NAN: anywhere */
    double mark;      /* x of a vertical line, NAN: none */
    const char *mark_text;
    bool mark_low; /* the text stands at the foot, where curves rise */
};

/* Write <figure>: title, legend and chart. Nothing where no series has a value. */
void svg_chart(FILE *out, const struct svg_chart *chart);
/* Text with the characters escaped that HTML gives a meaning. */
void html_text(FILE *out, const char *text);
/* The same for the name of a score: "V_Rand" with its second half set lower. */
void html_score(FILE *out, const char *name);
/* 12345.0 as "12 345" (narrow spaces that do not break). */
void html_count(FILE *out, double value);

#endif
