/* Flags of what a training minimises, and of the weights it starts from.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_FLAGS_LOSS_H
#define GT_TOOL_FLAGS_LOSS_H

#include "tool/tool.h"

struct loss_flags {
    char *kind, *form, *init_model;
    long long after;
    float softmax_weight, malis_weight;
};
#define LOSS_DEFAULTS                                                                              \
    {                                                                                              \
        .softmax_weight = 1.0f, .malis_weight = 1.0f                                               \
    }
/* The formatter would indent every entry of the list further than the one before. */
/* clang-format off */
#define LOSS_OPTIONS(f)                                                                            \
    {"loss", 0, POPT_ARG_STRING, &(f).kind, 0,                                                     \
     "softmax (default), malis or softmax+malis; malis: 2 labels", "NAME"},                        \
    {"softmax-weight", 0, POPT_ARG_FLOAT, &(f).softmax_weight, 0, "factor of it (default 1)",      \
     "W"},                                                                                         \
    {"malis-weight", 0, POPT_ARG_FLOAT, &(f).malis_weight, 0, "factor of it (default 1)", "W"},    \
    {"malis-after", 0, POPT_ARG_LONGLONG, &(f).after, 0,                                           \
     "only softmax for the first N iterations (default 0)", "N"},                                  \
    {"malis-form", 0, POPT_ARG_STRING, &(f).form, 0, "squared (default) or hinge (2015)", "NAME"}, \
    {"init-model", 0, POPT_ARG_STRING, &(f).init_model, 0,                                         \
     "start from the weights of this model of the same network", "MODEL"}
/* clang-format on */
/* 0 or EXIT_USAGE. */
int loss_fill(gt_train_options *o, const struct loss_flags *f);
/* Load the weights of --init-model, if given. 0 or an exit code. */
int loss_init_model(gt_model *model, const struct loss_flags *f);

#endif
