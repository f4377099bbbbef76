/* Pages as networks see them: the one place where preprocessing is computed, for training and
 * labelling. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_PREPARE_H
#define GT_DATA_PREPARE_H

#include "data/statistics.h"

/* Most rows that are asked for at a time. */
#define GT_PREPARE_ROWS 32

/* The part of a view that cropping keeps; GT_ESHAPE  there is none. */
gt_status gt__crop_view(gt_image_view *out, const gt_preprocess *options,
                        const gt_image_view *view);

/* A page being prepared. */
struct gt_preparer;

/* Most bytes that one takes for a page of width x ... pixels (before cropping); SIZE_MAX where they
 * do not fit. */
size_t gt__preparer_bytes(const gt_preprocess *options, int32_t width, int32_t channels);

/* Gather what must be known before the first row: the tables of CLAHE and, without `map`, the scale
 * of this page. map: the scale of the stack, or NULL. `page` is copied; options must stay.
 * GT_ESHAPE  the crop lies outside; GT_ENUMERIC  NaN, infinity, or no scale; what reading returns */
gt_status gt__preparer_open(struct gt_preparer **out, const gt_preprocess *options,
                            const gt_row_source *page, const struct gt_value_map *map);

/* Rows y to y + rows - 1 of the cropped, prepared page; any order, forward is fast; rows at most
 * GT_PREPARE_ROWS. dst [channels][rows][width of the crop] */
gt_status gt__preparer_rows(struct gt_preparer *p, int32_t y, int32_t rows, float *dst);

/* NULL is accepted. */
void gt__preparer_close(struct gt_preparer *p);

/* The scale that all pages share. */
gt_status gt__stack_map(struct gt_value_map *out, const gt_preprocess *options,
                        const gt_page_source *stack);

#endif
