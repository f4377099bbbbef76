/* Batches of patches, the next one produced by a thread while the device computes.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TRAIN_FEEDER_H
#define GT_TRAIN_FEEDER_H

#include "core/error.h"
#include "core/shape.h"
#include "data/sample.h"

#include <greentea/train.h>

struct gt_feeder;

struct gt_feeder_options {
    const gt_dataset *dataset;
    struct gt_patch_spec spec; /* gt__sample_check() has accepted it */
    gt_shape input, label;     /* of a batch: [n][channels][h][w] and [n][1][h][w] */
};

/* GT_ENOMEM also if the thread cannot be started. */
gt_status gt__feeder_create(struct gt_feeder **out, const struct gt_feeder_options *options);

/* The batch of samples `counter` to counter + n - 1 of stream `key`; what it holds depends on these
 * only. The memory is the caller's until the next call. Producing the following batch is begun. */
void gt__feeder_take(const float **input, const float **label, struct gt_feeder *feeder,
                     uint64_t key, uint64_t counter);

/* Waits for the thread. NULL is accepted. */
void gt__feeder_free(struct gt_feeder *feeder);

#endif
