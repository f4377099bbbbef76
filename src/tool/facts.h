/* What a log says about the machine, the data and the files of a training.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_FACTS_H
#define GT_TOOL_FACTS_H

#include "tool/tool.h"

#include <jansson.h>

/* Device, threads, version, operating system. */
json_t *facts_environment(gt_device *device);
/* Net, width, labels, channels, parameters. */
json_t *facts_network(const gt_model *model);
/* Names and grey values. */
json_t *facts_labels(const gt_model *model);
/* A path that holds images, or a model; pages only of images. SHA-256 of files up to 1 GiB. */
json_t *facts_images(const char *role, const char *path);
json_t *facts_file(const char *role, const char *path);
/* "2026-01-31 09:00:00 UTC" */
json_t *facts_time(void);

#endif
