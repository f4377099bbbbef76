/* Statistics of the values of one image or of a stack, and the scale that follows from them.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_STATISTICS_H
#define GT_DATA_STATISTICS_H

#include <greentea/preprocess.h>

#include <stdbool.h>
#include <stddef.h>

/* v becomes (v - low) * scale + offset, in float and in this order; then cut to -1 and 1 if cut. */
struct gt_value_map {
    float low, scale, offset;
    bool cut;
};

void gt__value_map(float *values, size_t n, const struct gt_value_map *map);

/* Values come in rounds: every round is the same values in the same order. */
struct gt_statistics;

/* Most bytes that one takes. */
size_t gt__statistics_bytes(const gt_preprocess *options);

/* For GT_NORMALISE_NONE there is no round. */
gt_status gt__statistics_create(struct gt_statistics **out, const gt_preprocess *options);

/* Is another round wanted? */
bool gt__statistics_wanted(const struct gt_statistics *s);

/* One row of one channel, all finite. Results depend on the rows, not on how many come at once. */
void gt__statistics_row(struct gt_statistics *s, const float *row, size_t n);

/* The round is over. */
gt_status gt__statistics_end_round(struct gt_statistics *s);

/* After the last round. GT_ENUMERIC  the values are too far apart for float. */
gt_status gt__statistics_map(struct gt_value_map *out, const struct gt_statistics *s);

/* NULL is accepted. */
void gt__statistics_free(struct gt_statistics *s);

#endif
