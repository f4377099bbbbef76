/* Flags of the network that is made. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_FLAGS_NETWORK_H
#define GT_TOOL_FLAGS_NETWORK_H

#include "tool/tool.h"

struct network_flags {
    char *net, *init, *skip;
    double width;
};
#define NETWORK_DEFAULTS                                                                           \
    {                                                                                              \
        .net = "u", .width = 1.0                                                                   \
    }
/* clang-format off */
#define NETWORK_OPTIONS(f)                                                                         \
    {"net", 'n', POPT_ARG_STRING, &(f).net, 0, "sw, sk, u (default), usk or usk9", "NAME"},        \
    {"width", 'w', POPT_ARG_DOUBLE, &(f).width, 0, "channels times X (default 1)", "X"},           \
    {"init", 0, POPT_ARG_STRING, &(f).init, 0, "he (default) or paper", "HOW"},                    \
    {"skip-gradient", 0, POPT_ARG_STRING, &(f).skip, 0, "flowing (default) or blocked (2015)",     \
     "HOW"}
/* clang-format on */
/* 0 or EXIT_USAGE. */
int network_fill(gt_model_options *o, gt_init *init, const struct network_flags *f);
const char *network_skip_name(gt_skip skip);

#endif
