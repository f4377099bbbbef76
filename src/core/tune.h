/* Measured costs of kernels: a table for each device, kept in the cache folder.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_CORE_TUNE_H
#define GT_CORE_TUNE_H

#include "core/planner.h"

enum { GT_TUNE_KEY = 640 };

/* FNV-1a, to tell texts apart; starts with GT_HASH_START. */
#define GT_HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t gt__hash_text(uint64_t hash, const char *text);

/* What was measured, as one line without a number: operation, attributes that change the work,
 * epilogue, shape and layout of every value, kernel, variant. */
void gt__tune_key(char out[GT_TUNE_KEY], const struct gt_graph *g, const struct gt_node *node,
                  const struct gt_option *option);

/* Load the device's table unless that was done; a missing or damaged file gives an empty one.
 * Only GT_ENOMEM fails. */
gt_status gt__tune_load(struct gt_device *d);
/* Write it beside and rename. GT_EIO  the message names the file. */
gt_status gt__tune_save(struct gt_device *d);
void gt__tune_free(struct gt_device *d);

/* Measured seconds of a key; negative if there are none. */
double gt__tune_find(const struct gt_device *d, const char *key);
/* Note a measurement; replaces an older one. The table must have been loaded. */
gt_status gt__tune_add(struct gt_device *d, const char *key, double seconds);
/* Forget all. */
void gt__tune_clear(struct gt_device *d);
size_t gt__tune_count(const struct gt_device *d);

/* Replace option->plan.cost by the measurement, where there is one. */
void gt__tune_cost(const struct gt_planner *p, const struct gt_node *node,
                   struct gt_option *option);

/* Name of the file: device, driver, detail, version and kernels of the library are in it as a hash.
 * False where there is no cache folder. */
bool gt__tune_path(char *out, const struct gt_device *d); /* GT_CACHE_PATH bytes */

#endif
