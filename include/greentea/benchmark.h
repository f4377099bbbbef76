/* Greentea: timings of whole networks. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GREENTEA_BENCHMARK_H
#define GREENTEA_BENCHMARK_H

#include <greentea/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum gt_benchmark_mode { GT_BENCHMARK_PROCESS, GT_BENCHMARK_TRAIN } gt_benchmark_mode;

typedef struct gt_benchmark_options {
    gt_benchmark_mode
        mode; /**< process (default): forward with softmax; train: forward, backward, update */
    int32_t output;        /**< output size; 0 (default): the published one */
    int32_t batch;         /**< default 1 */
    int32_t warmup;        /**< runs before timing; default 1 */
    int32_t runs;          /**< timed runs; default 5 */
    int32_t deterministic; /**< see gt_program_options; default 0 */
} gt_benchmark_options;

/** Write the defaults. */
GT_API void gt_benchmark_options_init(gt_benchmark_options *options);

typedef struct gt_benchmark_result {
    int32_t input, output, batch;
    double ms_median, ms_min, ms_q1, ms_q3;
    double
        gmacs; /**< multiply-accumulates of the direct algorithm, in 10^9 (train: 3 times forward)
                  */
    double tflops;     /**< 2*gmacs over the median time, in 10^12 per second */
    double mpix_per_s; /**< labelled pixels, in 10^6 per second */
    gt_program_memory memory;
} gt_benchmark_result;

/**
 * Time a network with random inputs in [-1, 1] and random labels. The clock starts when the input
 * lies on the device and stops when the device is done.
 * dump  if not NULL, receives the program's plan with measured times; free with gt_free()
 */
GT_API gt_status gt_benchmark_run(gt_benchmark_result *out, char **dump, gt_device *device,
                                  const gt_model *model, const gt_benchmark_options *options);

#ifdef __cplusplus
}
#endif
#endif
