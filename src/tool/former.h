/* What a training is continued from. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_FORMER_H
#define GT_TOOL_FORMER_H

#include "tool/tool.h"

/* Is there a model file, or the one before it? */
bool former_exists(const char *path);
/* May `model`, with the labels of the data, go on from there? What differs is said on stderr, also
 * that the newest file is damaged. 0, or EXIT_USAGE where it would be another network or other
 * random numbers than the options say. */
int former_check(const char *path, const gt_model *model, const struct poptOption *table);

#endif
