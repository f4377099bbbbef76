/* A choice of kernels as text, to be made again later. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_CORE_CHOICE_H
#define GT_CORE_CHOICE_H

#include "core/planner.h"

/* "<class of device>; <hash of the graph>; <kernel> <variant> <layouts>; ...", an entry for each
 * node of the planned graph. Numbers of threads, measurements and times are not in it. */
gt_status gt__choice_write(char **out, const struct gt_choice *choice, const struct gt_planner *p);

/* Choose what the text says. NULL if that was done; else what does not match ("another device"),
 * and the choice is as it was. */
const char *gt__choice_follow(struct gt_choice *choice, const struct gt_planner *p,
                              const char *text);

#endif
