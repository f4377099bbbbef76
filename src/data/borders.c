/* Pixels near another label. Works in place and without memory, because patches are masked where
 * nothing can fail. A window of columns, then of rows, is summed up as one label, none (all
 * ignored) or mixed; the sum of the first pass is kept above the label's own bits.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data/balance.h"

#define CHUNK 64 /* columns done at a time */
#define NONE (-1)
#define MIXED GT_MAX_LABELS
#define RADIX (2 * GT_MAX_LABELS) /* states and labels from -1 on fit in a digit each */

/* The latest positions of a walk: of state a, and of anything else that is not NONE. */
struct walk {
    int32_t state, at, other;
};

static struct walk begin(void)
{
    return (struct walk){NONE, -GT_MAX_BORDER - 1, -GT_MAX_BORDER - 1};
}

static void visit(struct walk *w, int32_t state, int32_t position)
{
    if (state == NONE) {
        return;
    }
    if (state != w->state) {
        w->other = w->at;
        w->state = state;
    }
    w->at = position;
    if (state == MIXED) {
        w->other = position;
    }
}

/* Of the window that starts at `first` and ends where the walk is. */
static int32_t state_since(const struct walk *w, int32_t first)
{
    return w->at < first ? NONE : w->other >= first ? MIXED : w->state;
}

static int32_t label_of(float code)
{
    return (int32_t)code % RADIX - 1;
}

static int32_t state_of(float code)
{
    return (int32_t)code / RADIX - 1;
}

/* label -> (state of the row's window, label) */
static void rows(float *row, int32_t width, int32_t reach)
{
    struct walk w = begin();
    for (int32_t x = 0; x < reach && x < width; x++) {
        visit(&w, (int32_t)row[x], x);
    }
    for (int32_t x = 0; x < width; x++) {
        if (x + reach < width) {
            visit(&w, (int32_t)row[x + reach], x + reach); /* not yet replaced: reach is above 0 */
        }
        row[x] = (float)((state_since(&w, x - reach) + 1) * RADIX + (int32_t)row[x] + 1);
    }
}

/* (state, label) -> label, marked if its window is mixed */
static void columns(float *map, int32_t width, int32_t height, int32_t reach, int32_t n)
{
    struct walk w[CHUNK];
    for (int32_t j = 0; j < n; j++) {
        w[j] = begin();
    }
    for (int32_t e = 0; e < height + reach; e++) {
        const float *next = map + (size_t)e * (size_t)width;
        for (int32_t j = 0; j < n && e < height; j++) {
            visit(&w[j], state_of(next[j]), e);
        }
        int32_t y = e - reach;
        float *row = y >= 0 ? map + (size_t)y * (size_t)width : NULL;
        for (int32_t j = 0; j < n && row; j++) {
            int32_t label = label_of(row[j]);
            bool border = label >= 0 && state_since(&w[j], y - reach) == MIXED;
            row[j] = (float)(border ? label + GT_MAX_LABELS : label);
        }
    }
}

void gt__mark_borders(float *labels, int32_t width, int32_t height, int32_t reach)
{
    for (int32_t y = 0; y < height; y++) {
        rows(labels + (size_t)y * (size_t)width, width, reach);
    }
    for (int32_t x = 0; x < width; x += CHUNK) {
        int32_t n = width - x < CHUNK ? width - x : CHUNK;
        columns(labels + x, width, height, reach, n);
    }
}
