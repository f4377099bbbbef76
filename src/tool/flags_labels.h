/* Flags of labels: which there are, and their balance. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_FLAGS_LABELS_H
#define GT_TOOL_FLAGS_LABELS_H

#include "tool/tool.h"

struct labels_flags {
    char *equalise, *label_boost, *consolidate;
    int count, ignore, border_width;
    float border_boost;
};
#define LABELS_DEFAULTS                                                                            \
    {                                                                                              \
        .ignore = -1, .border_boost = 1.0f, .border_width = 2                                      \
    }
/* clang-format off */
#define LABELS_OPTIONS(f)                                                                          \
    {"labels-count", 0, POPT_ARG_INT, &(f).count, 0,                                               \
     "labels of the network (default: values or sub-folders found, or the consolidated ones)",     \
     "L"},                                                                                         \
    {"ignore-value", 0, POPT_ARG_INT, &(f).ignore, 0, "value in label images to ignore", "V"},     \
    {"consolidate", 0, POPT_ARG_STRING, &(f).consolidate, 0,                                       \
     "label of the network for each label of the images, in order (-1: ignored): 0,0,1,-1",        \
     "LIST"},                                                                                      \
    {"equalise", 0, POPT_ARG_STRING, &(f).equalise, 0,                                             \
     "none (default), mask: ignore pixels of frequent labels at random; prior: draw patches "      \
     "with rare labels more often; both", "HOW"},                                                  \
    {"label-boost", 0, POPT_ARG_STRING, &(f).label_boost, 0,                                       \
     "mask: how often labels count, in order (missing ones 1): 1,2.5", "LIST"},                    \
    {"border-boost", 0, POPT_ARG_FLOAT, &(f).border_boost, 0,                                      \
     "mask: keep pixels near another label X times as often as others of theirs (default 1)",      \
     "X"},                                                                                         \
    {"border-width", 0, POPT_ARG_INT, &(f).border_width, 0,                                        \
     "how many pixels away \"near\" is (default 2)", "R"}
/* clang-format on */
/* 0 or EXIT_USAGE. */
int labels_fill_data(gt_dataset_options *o, const struct labels_flags *f);
int labels_fill_train(gt_train_options *o, const struct labels_flags *f);
/* The list of --consolidate; text NULL: none. 0 or EXIT_USAGE. */
int labels_consolidation(gt_consolidation *out, const char *text);

/* Say how often each label occurs, before and after equalisation. */
void labels_print(const gt_trainer *trainer, gt_equalise equalise);

#endif
