/* Contrast-limited adaptive histogram equalisation of a page that comes in rows.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_CLAHE_H
#define GT_DATA_CLAHE_H

#include <greentea/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GT_CLAHE_BINS 256

struct gt_clahe;

struct gt_clahe_options {
    int32_t width, height, channels;
    double clip;
    int32_t grid; /* tiles along each axis */
};

/* Bytes of a page's tables; SIZE_MAX where they do not fit. */
size_t gt__clahe_bytes(int32_t grid, int32_t channels);

gt_status gt__clahe_create(struct gt_clahe **out, const struct gt_clahe_options *options);

/* First all rows for their range, then all rows in order for the histograms, then the tables; after
 * that rows can be equalised in any order. Rows are finite, of channel c. */
void gt__clahe_range(struct gt_clahe *h, const float *row);
void gt__clahe_count(struct gt_clahe *h, int32_t c, int32_t y, const float *row);
void gt__clahe_tables(struct gt_clahe *h);
void gt__clahe_apply(const struct gt_clahe *h, int32_t c, int32_t y, float *row);

/* NULL is accepted. */
void gt__clahe_free(struct gt_clahe *h);

#endif
