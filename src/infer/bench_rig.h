/* A network with random weights, inputs and labels on a device, for timings.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_INFER_BENCH_RIG_H
#define GT_INFER_BENCH_RIG_H

#include "core/program.h"
#include "infer/network_graph.h"

struct gt_bench_rig {
    struct gt_network_graph net;
    gt_program *program;
    bool every_layer; /* set before opening: layers keep steps of their own */
    float *data, *labels;
    int32_t input, output, batch;
};

/* GT_EINVAL  counts out of range; GT_ESHAPE  size not legal. Close it whatever comes back. */
gt_status gt__bench_open(struct gt_bench_rig *b, gt_device *device, const gt_model *model,
                         const gt_benchmark_options *options);
void gt__bench_close(struct gt_bench_rig *b);

/* Write the inputs of a run and wait: uploads run beside kernels. */
gt_status gt__bench_write(struct gt_bench_rig *b);

/* Tell the caller that `done` of `total` runs are behind. GT_ECANCELLED  the caller wants to stop. */
gt_status gt__bench_report(const gt_benchmark_options *options, int64_t done, int64_t total);

/* Seconds of a steady clock. */
double gt__bench_now(void);

#endif
