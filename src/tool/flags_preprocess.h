/* Flags of preprocessing, and its description in words. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_FLAGS_PREPROCESS_H
#define GT_TOOL_FLAGS_PREPROCESS_H

#include "tool/tool.h"

struct preprocess_flags {
    char *norm, *scope, *crop;
    double low, high, clahe, smooth;
    int grid;
};
#define PREPROCESS_DEFAULTS                                                                        \
    {                                                                                              \
        .low = 1.0, .high = 99.0, .grid = 8                                                        \
    }
/* clang-format off */
#define PREPROCESS_OPTIONS(f)                                                                      \
    {"norm", 0, POPT_ARG_STRING, &(f).norm, 0,                                                     \
     "scale of grey values: minmax (default), meanvar, percentile or none; kept in the model",     \
     "HOW"},                                                                                       \
    {"norm-low", 0, POPT_ARG_DOUBLE, &(f).low, 0, "percentile that becomes -1 (default 1)", "P"},  \
    {"norm-high", 0, POPT_ARG_DOUBLE, &(f).high, 0, "percentile that becomes 1 (default 99)",      \
     "P"},                                                                                         \
    {"norm-scope", 0, POPT_ARG_STRING, &(f).scope, 0,                                              \
     "image (default): each page has its own scale; stack: all pages of --raw share one", "HOW"},  \
    {"clahe", 0, POPT_ARG_DOUBLE, &(f).clahe, 0,                                                   \
     "local histogram equalisation with clip limit C, usually 4 (default: none)", "C"},            \
    {"clahe-grid", 0, POPT_ARG_INT, &(f).grid, 0, "its tiles along each axis (default 8)", "N"},   \
    {"smooth", 0, POPT_ARG_DOUBLE, &(f).smooth, 0,                                                 \
     "Gaussian filter of S pixels on every image, also when processing (default: none)", "S"},     \
    {"crop", 0, POPT_ARG_STRING, &(f).crop, 0,                                                     \
     "part of every image to train on and to process, in pixels (default: all)", "X,Y,W,H"}
/* clang-format on */
/* 0 or EXIT_USAGE. */
int preprocess_fill(gt_preprocess *o, const struct preprocess_flags *f);

/* "CLAHE 4 on 8 x 8 tiles, percentiles 1 to 99 of each image to [-1, 1]". Returns text. */
const char *preprocess_words(char *text, size_t size, const gt_preprocess *o);

/* Where the model wants one scale for all pages of a stack: take it from those of a reader. progress
 * may be NULL. 0 or an exit code. */
int preprocess_share(gt_predictor *predictor, gt_image_reader *reader, struct progress *progress);

#endif
