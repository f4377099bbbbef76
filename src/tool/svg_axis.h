/* Axes of charts: ranges, round ticks, labels. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_SVG_AXIS_H
#define GT_TOOL_SVG_AXIS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum { SVG_TICKS = 16 };

struct svg_range {
    double low, high; /* low > high: nothing yet */
};
#define SVG_NOTHING                                                                                \
    {                                                                                              \
        INFINITY, -INFINITY                                                                        \
    }
void svg_range_add(struct svg_range *range, double value);

struct svg_axis {
    double low, high, step;
    bool log;
    int exponent; /* labels are values times 10^-exponent */
};

/* Round ends that hold a range. log: where all is above 0 and spans more than a factor of 8.
 * ceiling: the axis ends there at the latest, NAN: anywhere. */
void svg_axis_fit(struct svg_axis *axis, const struct svg_range *range, bool log, double ceiling);
/* Where a value lies, 0 at the low and 1 at the high end. */
double svg_axis_place(const struct svg_axis *axis, double value);
/* The values to be labelled; returns their number. */
int svg_axis_ticks(double tick[SVG_TICKS], const struct svg_axis *axis);
void svg_axis_label(char *out, size_t size, const struct svg_axis *axis, double tick);
/* What belongs behind the title: " &times; 10<sup>-4</sup>", ", logarithmic" or "". */
void svg_axis_factor(char *out, size_t size, const struct svg_axis *axis);

#endif
