/* Batches of patches, produced by threads ahead of their use. SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef GT_TRAIN_FEEDER_H
#define GT_TRAIN_FEEDER_H

#include "core/error.h"
#include "core/shape.h"
#include "data/sample.h"

#include <greentea/train.h>

#include <stdbool.h>

struct gt_feeder;

struct gt_feeder_options {
    const gt_dataset *dataset;
    struct gt_patch_spec spec; /* gt__sample_check() has accepted it */
    gt_shape input, label;     /* of a batch: [n][channels][h][w] and [n][1][h][w] */
    int32_t threads;           /* 1 or more */
    bool truth;                /* labels without masking are wanted too */
};

/* What a batch holds, as the shapes say. */
struct gt_feeder_batch {
    const float *input, *label;
    const float *truth; /* shaped like label; NULL if not wanted */
};

/* GT_ENOMEM also if a thread cannot be started. */
gt_status gt__feeder_create(struct gt_feeder **out, const struct gt_feeder_options *options);

/* The batch of samples `counter` to counter + n - 1 of stream `key`; what it holds depends on these
 * only. The memory is the caller's until the next call. Those that follow are produced meanwhile.
 */
void gt__feeder_take(struct gt_feeder_batch *out, struct gt_feeder *feeder, uint64_t key,
                     uint64_t counter);

/* Would taking this batch return at once? */
bool gt__feeder_ready(struct gt_feeder *feeder, uint64_t key, uint64_t counter);

/* Threads for training on a device that computes with `compute` threads of its own (0: not on the
 * processor), on a machine with so many processors. */
int32_t gt__feeder_threads(int32_t processors, int32_t compute);

/* Waits for the threads. NULL is accepted. */
void gt__feeder_free(struct gt_feeder *feeder);

#endif
