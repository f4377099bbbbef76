/* Flags that ask what a network will take on a device. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_FLAGS_PLAN_H
#define GT_TOOL_FLAGS_PLAN_H

#include "tool/tool.h"

#include <jansson.h>

struct plan_flags {
    char *mode, *memory_limit;
    struct device_flags device;
};
/* clang-format off */
#define PLAN_OPTIONS(f)                                                                            \
    {"mode", 'm', POPT_ARG_STRING, &(f).mode, 0,                                                   \
     "say what the network takes of the device's memory: process, or train (a step of SGD on one " \
     "patch)", "MODE"},                                                                            \
    {"memory-limit", 0, POPT_ARG_STRING, &(f).memory_limit, 0,                                     \
     "the same where it may take at most so many bytes", "B"}
/* clang-format on */

/* What was planned; mode NULL: nothing was asked. */
struct plan_memory {
    const char *mode;
    char device[128];
    gt_program_memory memory;
};

/* output 0: the published size. 0 or an exit code. */
int plan_network(struct plan_memory *out, const struct plan_flags *f, const gt_model *model,
                 int32_t output);
/* A line on stdout, or none. */
void plan_print(const struct plan_memory *plan);
/* The same for a program; NULL: nothing was asked. */
json_t *plan_json(const struct plan_memory *plan);

#endif
