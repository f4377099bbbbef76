/* Flags of the distortion of patches. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_FLAGS_AUGMENT_H
#define GT_TOOL_FLAGS_AUGMENT_H

#include "tool/tool.h"

/* What is not given (NULL) is left to the preset. */
struct augment_flags {
    char *preset, *rotate, *scale, *elastic, *blur, *gamma, *contrast, *brightness, *noise;
    int grid, feeders;
};
#define AUGMENT_DEFAULTS                                                                           \
    {                                                                                              \
        .grid = 3                                                                                  \
    }
/* clang-format off */
#define AUGMENT_OPTIONS(f)                                                                         \
    {"distort", 0, POPT_ARG_STRING, &(f).preset, 0,                                                \
     "none (default), light or full: values for what follows, each can be given too", "HOW"},      \
    {"rotate", 0, POPT_ARG_STRING, &(f).rotate, 0,                                                 \
     "turn patches by up to DEG degrees; full: 180, but 0 for more than 2 labels", "DEG"},         \
    {"scale", 0, POPT_ARG_STRING, &(f).scale, 0, "magnify patches by LO to HI, as 0.9,1.1",        \
     "LO,HI"},                                                                                     \
    {"elastic", 0, POPT_ARG_STRING, &(f).elastic, 0,                                               \
     "bend patches: displacements of S pixels (standard deviation)", "S"},                         \
    {"elastic-grid", 0, POPT_ARG_INT, &(f).grid, 0, "nodes per side of a patch (default 3)", "N"}, \
    {"blur", 0, POPT_ARG_STRING, &(f).blur, 0, "blur patches by up to S pixels", "S"},             \
    {"gamma-range", 0, POPT_ARG_STRING, &(f).gamma, 0, "exponent of 1/(1 + G) to 1 + G", "G"},     \
    {"contrast", 0, POPT_ARG_STRING, &(f).contrast, 0, "factor of 1 - C to 1 + C", "C"},           \
    {"brightness", 0, POPT_ARG_STRING, &(f).brightness, 0,                                         \
     "add -B to B; images range from -1 to 1", "B"},                                               \
    {"noise", 0, POPT_ARG_STRING, &(f).noise, 0, "add noise of up to S (standard deviation)",      \
     "S"},                                                                                         \
    {"feeders", 0, POPT_ARG_INT, &(f).feeders, 0,                                                  \
     "threads that make patches (default: free processors, 1 to 4)", "N"}
/* clang-format on */
/* 0 or EXIT_USAGE. */
int augment_fill(gt_train_options *o, const struct augment_flags *f);
/* What a preset leaves to the data: more than two labels may depend on the direction, then only
 * --rotate turns them. */
void augment_settle(gt_train_options *o, const struct augment_flags *f, gt_dataset *dataset);

#endif
