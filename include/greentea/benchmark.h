/* Greentea: timings of whole networks, and of their kernels (tuning).
 * SPDX-License-Identifier: BSD-2-Clause */
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
    int32_t output;         /**< output size; 0 (default): the published one */
    int32_t batch;          /**< default 1 */
    int32_t warmup;         /**< runs before timing; default 1 */
    int32_t runs;           /**< timed runs; default 5 */
    int32_t deterministic;  /**< see gt_program_options; default 0 */
    gt_precision precision; /**< see gt_program_options; default GT_PRECISION_F32, and no other for
                                 training */
    size_t memory_limit;    /**< see gt_program_options; default 0: none */
    gt_progress_fn
        progress; /**< unit: runs, those before timing included; called behind each, while
                                no clock runs; default NULL */
    void *cookie; /**< handed to progress */
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
 * GT_EINVAL  counts out of range, bf16 for training; GT_ESHAPE  a size that is not legal; GT_ECANCELLED  by the
 * progress callback; GT_ENOMEM  also where no plan fits the limit; GT_EDEVICE
 */
GT_API gt_status gt_benchmark_run(gt_benchmark_result *out, char **dump, gt_device *device,
                                  const gt_model *model, const gt_benchmark_options *options);

/**
 * What such a run would take of memory, and the estimate of its time, without running or allocating
 * it: the numbers that gt_benchmark_run() returns as `memory`. Needs no weights.
 * GT_EINVAL, GT_ESHAPE as gt_benchmark_run(); GT_ENOMEM  nothing fits the limit: the message says
 * what the smallest plan found takes
 */
GT_API gt_status gt_benchmark_plan(gt_program_memory *out, gt_device *device, const gt_model *model,
                                   const gt_benchmark_options *options);

/* ---- layer by layer ---- */

/** One layer of a network: "conv1", "pool1" ...; the last is "prob" (softmax) or "loss". */
typedef struct gt_benchmark_layer {
    char name[64];
    double forward_ms, backward_ms; /**< means; backward 0 unless mode is train */
    uint64_t flops; /**< forward, convolutions only: (2K - 1)*M*N with K products in each sum, M
                       channels and N pixels of the output (the count of 2015); else 0 */
    size_t bytes;   /**< of its output, 4 for each element */
} gt_benchmark_layer;

typedef struct gt_benchmark_layers {
    gt_benchmark_layer *layers; /**< in the order of the network */
    size_t n_layers;
    int32_t input, output, batch;
    double forward_ms, backward_ms, update_ms; /**< of whole passes, means; the last two 0 unless
                                                  mode is train */
    size_t data_bytes, label_bytes;            /**< of the inputs; labels: 0 unless train */
    gt_program_memory memory;
} gt_benchmark_layers;

/**
 * Time a network layer by layer: every step of the plan for itself, the device waited for behind
 * it, then forward, backward and update as wholes; warm-up and runs of the options for each. The
 * sum over layers exceeds the whole by the waiting. Bias and ReLU folded into a convolution count
 * for it, a copy into another layout for the layer that reads it; a 1x1 convolution behind a
 * doubling is computed before it and keeps its name. Doubling has a step of its own here, while
 * other programs do it within the MergeCrop that reads it.
 * out  the caller owns it; free with gt_benchmark_layers_free()
 * Errors as gt_benchmark_run().
 */
GT_API gt_status gt_benchmark_layers_run(gt_benchmark_layers **out, gt_device *device,
                                         const gt_model *model,
                                         const gt_benchmark_options *options);

/** Release. NULL is accepted. */
GT_API void gt_benchmark_layers_free(gt_benchmark_layers *layers);

/* ---- tuning ---- */

/** Called after each operation: what it is, how many are done. Non-zero stops the tuning with
 * GT_ECANCELLED; what was measured is kept. */
typedef int (*gt_tune_fn)(const char *operation, int32_t done, int32_t total, void *cookie);

typedef struct gt_tune_options {
    gt_benchmark_mode mode; /**< train measures the gradients too; default process */
    int32_t output;         /**< output size; 0 (default): the published one */
    int32_t batch;          /**< default 1 */
    int32_t fresh;          /**< 1: forget earlier measurements of the device first; default 0 */
    int32_t dry_run;        /**< 1: measure nothing, only count; default 0 */
    gt_precision precision; /**< GT_PRECISION_BF16: measure its kernels too (process only); default
                                 GT_PRECISION_F32 */
    gt_tune_fn progress;    /**< default NULL */
    void *cookie;           /**< handed to progress */
} gt_tune_options;

/** Write the defaults. */
GT_API void gt_tune_options_init(gt_tune_options *options);

typedef struct gt_tune_result {
    int32_t input, output;
    int32_t operations;         /**< distinct ones of the network */
    int32_t options;            /**< ways to run them: kernel, variant, layouts */
    int32_t measured;           /**< of these, in this call; the others were known before */
    int32_t failed;             /**< could not run here, for example for lack of memory */
    int32_t changed;            /**< operations that now run otherwise */
    double ms_before, ms_after; /**< sum of measured times of the chosen ways, all operations;
                                   copies between layouts are not in it */
} gt_tune_result;

/**
 * Measure every way to run every operation of a network on a device, and keep the times in the
 * cache folder ($XDG_CACHE_HOME/greentea, or $HOME/.cache/greentea), in one file for each device
 * name, driver and version of the library. From then on every device of that name plans by them
 * where operation, sizes and layouts are the same. They change which kernels are chosen, and so the
 * last bits of results; deterministic plans (gt_program_options) ignore them.
 * dump  if not NULL, receives one line for each operation: times, way before and after; free with
 *       gt_free()
 * GT_EIO  the file cannot be written; GT_ENOMEM, GT_ESHAPE as gt_benchmark_run()
 */
GT_API gt_status gt_tune_run(gt_tune_result *out, char **dump, gt_device *device,
                             const gt_model *model, const gt_tune_options *options);

/** The file of a device's measurements; the caller frees the text with gt_free(). GT_EIO  there is
 * no cache folder. */
GT_API gt_status gt_tune_file(char **out, const gt_device *device);

#ifdef __cplusplus
}
#endif
#endif
