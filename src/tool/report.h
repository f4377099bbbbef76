/* The page that tells how a training went: one HTML file, no script, nothing from outside.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_REPORT_H
#define GT_TOOL_REPORT_H

#include "tool/history.h"
#include "tool/pictures.h"

/* Write the page of a history that holds a start record, beside and renamed. pictures: NULL or
 * n == 0: none. 0 or EXIT_OUTPUT. */
int report_write(const char *path, const struct history *h, const struct pictures *pictures);

/* ---- parts of it, report_*.c ---- */

struct report_page {
    FILE *out;
    const struct history *h;
    const struct pictures *pictures;
    const struct metric *metric; /* NULL without validation */
    const json_t *best, *last;   /* validations; NULL without any */
    int labels;
};

void report_style(FILE *out);
void report_charts(const struct report_page *p);
void report_pictures(const struct report_page *p);
void report_scores(const struct report_page *p);
void report_labels(const struct report_page *p);
void report_facts(const struct report_page *p);
/* "label 3 (vesicle)": name or grey value, as known. */
void report_label(const struct report_page *p, int label);
/* 75 as "1 min 15 s". */
void report_duration(FILE *out, double seconds);

#endif
