/* Axes of charts: ranges, round ticks, labels. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/svg_axis.h"

#include <stdio.h>

enum { WANTED = 5 }; /* intervals */

void svg_range_add(struct svg_range *range, double value)
{
    range->low = value < range->low ? value : range->low;
    range->high = value > range->high ? value : range->high;
}

/* 1, 2 or 5 times a power of ten, about a fifth of the span. */
static double round_step(double span)
{
    double raw = span / WANTED;
    double power = pow(10.0, floor(log10(raw)));
    double m = raw / power;
    return power * (m < 1.5 ? 1.0 : m < 3.5 ? 2.0 : m < 7.5 ? 5.0 : 10.0);
}

void svg_axis_fit(struct svg_axis *axis, const struct svg_range *range, bool log, double ceiling)
{
    double low = range->low;
    double high = range->high;
    *axis = (struct svg_axis){0};
    if (log && low > 0.0 && high > 8.0 * low) {
        axis->log = true;
        axis->low = log10(low) - 0.02;
        axis->high = log10(high) + 0.02;
        return;
    }
    if (!(high - low > 1e-9 * fabs(high))) { /* all alike: some room around it */
        double room = high != 0.0 ? 0.1 * fabs(high) : 1.0;
        low -= low - room < 0.0 && low >= 0.0 ? low : room;
        high += room;
    }
    axis->step = round_step(high - low);
    axis->low = floor(low / axis->step + 1e-6) * axis->step;
    axis->high = ceil(high / axis->step - 1e-6) * axis->step;
    if (axis->high > ceiling && ceiling > axis->low) {
        axis->high = ceiling;
    }
    double most = fmax(fabs(axis->low), fabs(axis->high));
    if (most < 0.01 || most >= 1e6) {
        axis->exponent = (int)floor(log10(most));
    }
}

double svg_axis_place(const struct svg_axis *axis, double value)
{
    double v = axis->log ? log10(value) : value;
    return (v - axis->low) / (axis->high - axis->low);
}

/* 1, 2 and 5 of every decade, or 1 alone where there are many. */
static int log_ticks(double tick[SVG_TICKS], const struct svg_axis *axis)
{
    static const double m[] = {1.0, 2.0, 5.0};
    bool many = axis->high - axis->low > 3.0;
    int n = 0;
    for (int decade = (int)floor(axis->low); decade <= (int)ceil(axis->high); decade++) {
        for (int i = 0; i < (many ? 1 : 3) && n < SVG_TICKS; i++) {
            double v = m[i] * pow(10.0, decade);
            if (log10(v) >= axis->low - 1e-9 && log10(v) <= axis->high + 1e-9) {
                tick[n++] = v;
            }
        }
    }
    return n;
}

int svg_axis_ticks(double tick[SVG_TICKS], const struct svg_axis *axis)
{
    if (axis->log) {
        return log_ticks(tick, axis);
    }
    int n = 0;
    for (double i = ceil(axis->low / axis->step - 1e-6);
         n < SVG_TICKS && i * axis->step <= axis->high + 1e-6 * axis->step; i += 1.0) {
        tick[n++] = i * axis->step + 0.0; /* no -0 */
    }
    return n;
}

void svg_axis_label(char *out, size_t size, const struct svg_axis *axis, double tick)
{
    if (axis->log) {
        snprintf(out, size, "%g", tick);
        return;
    }
    double factor = pow(10.0, -axis->exponent);
    double digits = -floor(log10(axis->step * factor) + 1e-6);
    snprintf(out, size, "%.*f", digits > 0.0 ? (int)digits : 0, tick * factor);
}

void svg_axis_factor(char *out, size_t size, const struct svg_axis *axis)
{
    snprintf(out, size, "%s", axis->log ? ", logarithmic" : "");
    if (axis->exponent != 0) {
        snprintf(out, size, " &times;&#8239;10<sup>%s%d</sup>", axis->exponent < 0 ? "&minus;" : "",
                 axis->exponent < 0 ? -axis->exponent : axis->exponent);
    }
}
