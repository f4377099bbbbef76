/* Greentea: graphs of operations and the programs made of them. SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GREENTEA_GRAPH_H
#define GREENTEA_GRAPH_H

#include <greentea/device.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Batch, channels, height, width; each at least 1. Data is [n][c][h][w] float at this interface.
 * */
typedef struct gt_shape {
    int32_t n, c, h, w;
} gt_shape;

/** A graph under construction: values connected by operations, in the order they were appended. */
typedef struct gt_graph gt_graph;

/** A value of a graph; belongs to it and dies with it. 0 is never a value (GT_NO_VALUE). */
typedef int32_t gt_value;
#define GT_NO_VALUE 0

/** Make an empty graph; the caller owns it; free with gt_graph_free(). */
GT_API gt_status gt_graph_create(gt_graph **out);
/** Release. NULL is accepted. */
GT_API void gt_graph_free(gt_graph *graph);

/** Shape of a value. */
GT_API gt_shape gt_graph_shape(const gt_graph *graph, gt_value value);
/** Name of a value; "" if it has none. */
GT_API const char *gt_graph_name(const gt_graph *graph, gt_value value);

/** Append an input, written by the caller before each run. The name is copied (63 bytes at most).
 * */
GT_API gt_status gt_graph_input(gt_value *out, gt_graph *graph, gt_shape shape, const char *name);

/**
 * Append a trainable parameter, kept between runs.
 * rate_mult, decay_mult  factors on the learning rate and the weight decay of this tensor
 */
GT_API gt_status gt_graph_param(gt_value *out, gt_graph *graph, gt_shape shape, const char *name,
                                float rate_mult, float decay_mult);

/** Mark a value as wanted after the run; only such values can be read. */
GT_API gt_status gt_graph_output(gt_graph *graph, gt_value value);

/**
 * Valid cross-correlation, stride 1: y[n][o][i][j] = bias[o] + sum over c, a, b of
 * x[n][c][i + a*dilation][j + b*dilation] * weight[o][c][a][b].
 * weight  [Cout][Cin][kH][kW]; bias  [1][Cout][1][1] or GT_NO_VALUE; dilation  1 or more
 * GT_ESHAPE  channels differ or the kernel's extent exceeds the input
 */
GT_API gt_status gt_graph_conv2d(gt_value *out, gt_graph *graph, gt_value x, gt_value weight,
                                 gt_value bias, int32_t dilation);

/** max(0, x). Backward passes where the output is above 0. */
GT_API gt_status gt_graph_relu(gt_value *out, gt_graph *graph, gt_value x);

/**
 * Max pooling, output size ceil((in - ((kernel - 1)*dilation + 1)) / stride) + 1 (Caffe's rule: a
 * last partial window is clipped). The first maximum in row-major order wins.
 * kernel  1 to 15
 */
GT_API gt_status gt_graph_maxpool(gt_value *out, gt_graph *graph, gt_value x, int32_t kernel,
                                  int32_t stride, int32_t dilation);

/** Nearest doubling: y[..][2i + a][2j + b] = x[..][i][j]. The frozen upconvolution of the
 * networks. */
GT_API gt_status gt_graph_upsample(gt_value *out, gt_graph *graph, gt_value x);

/** Which inputs of MergeCrop take part. */
typedef struct gt_mergecrop_options {
    int32_t forward[2];  /**< 0: zeros instead of the input; default 1, 1 */
    int32_t backward[2]; /**< 0: no gradient to the input; default 1, 1 (2015: 1, 0) */
} gt_mergecrop_options;

/**
 * Stack channels: all of a, then all of b cropped to the size of a, offset floor((b - a) / 2).
 * options  NULL means the defaults
 * GT_ESHAPE  batches differ or b is smaller than a
 */
GT_API gt_status gt_graph_mergecrop(gt_value *out, gt_graph *graph, gt_value a, gt_value b,
                                    const gt_mergecrop_options *options);

/** Element-wise sum of two values of one shape. */
GT_API gt_status gt_graph_add(gt_value *out, gt_graph *graph, gt_value a, gt_value b);

/** Softmax over channels at every position. */
GT_API gt_status gt_graph_softmax(gt_value *out, gt_graph *graph, gt_value x);

/** What the softmax loss is divided by. */
typedef enum gt_normalize {
    GT_NORMALIZE_VALID, /**< positions whose label is not ignored, at least 1 */
    GT_NORMALIZE_BATCH  /**< the batch size */
} gt_normalize;

/**
 * Softmax and cross-entropy: loss = -weight/n * sum over positions with label >= 0 of
 * ln max(p[label], FLT_MIN).
 * scores  [N][L][H][W]; label  [N][1][H][W], class indices as float (truncated), below 0: ignored;
 * loss    receives a value [1][1][1][1]; prob (may be NULL) receives the probabilities
 */
GT_API gt_status gt_graph_softmax_loss(gt_value *loss, gt_value *prob, gt_graph *graph,
                                       gt_value scores, gt_value label, gt_normalize normalize,
                                       float weight);

/** What MALIS charges for a wrong maximin affinity. */
typedef enum gt_malis_form {
    GT_MALIS_SQUARED, /**< (1 - w)^2/2 within an object, w^2/2 between objects (Nov 2015) */
    GT_MALIS_HINGE    /**< max(0, threshold + margin - w) and max(0, w - threshold + margin) */
} gt_malis_form;

#define GT_MALIS_EDGES 16    /**< most edges per pixel */
#define GT_MALIS_REACH 32767 /**< longest step of an edge along an axis */

typedef struct gt_malis_options {
    gt_malis_form form;               /**< default GT_MALIS_SQUARED */
    float weight;                     /**< factor on loss and gradient; default 1 */
    float margin, threshold;          /**< of the hinge; default 0.3, 0.5 */
    int32_t channel;                  /**< which probability is read; default 1, the interior */
    int32_t n_edges;                  /**< edges that start at a pixel; default 2 */
    int32_t edges[GT_MALIS_EDGES][2]; /**< their steps (dy, dx); default (1, 0), (0, 1) */
} gt_malis_options;

/** Write the defaults. */
GT_API void gt_malis_options_init(gt_malis_options *options);

/**
 * MALIS: a loss on which pixels are connected rather than on the pixels themselves.
 * Pixels are joined by edges of affinity min(q[first], q[second]), q the channel read. The maximin
 * affinity w of two pixels is the largest for which a path of edges at least as strong joins them.
 * Pairs within an object want it high, pairs of different objects low:
 *   loss = weight/N * sum over images of (1/pairs within * sum of the charges of pairs within +
 *                                         1/pairs between * sum of the charges of pairs between),
 * constrained: on paths between pixels of an object only edges inside of it count, and between
 * objects edges inside of an object are as strong as can be. Where there are no such pairs the sum
 * is 0.
 * prob     [N][C][H][W] in [0, 1]; H*W at most 2^27. NaN at a pixel that counts gives a loss of NaN
 * label    [N][1][H][W] as float, truncated: 1 to 2^24 - 1 object, 0 background, which belongs to no
 *          pair, all else ignored: no path leads there. Pixels of one number that hang together
 *          along edges are an object, so a map of 0 and 1 needs no other numbers
 * options  NULL means the defaults
 * loss     receives a value [1][1][1][1]
 * The gradient is that of this loss: it goes to the pixel that has the minimum, the second of two
 * equals, in the channel read. Edges of equal affinity are joined in the order of `edges`, then by
 * rows; edges inside of objects first. Devices other than the CPU leave it to
 * the CPU (gt_device_options.threads of them): the dump says so.
 * What Greentea of 2015 did otherwise, and this does not: edges of the last row and column left
 * out, gradient to the first pixel always and with opposite sign to the other channel, half the
 * gradient (hinge: that of a squared one), no loss weight, ignored pixels as objects, gradient of
 * the last image of a batch only.
 * GT_ESHAPE  labels do not fit; GT_EINVAL  an option out of range
 * Source: Turaga et al. 2009, "Maximin affinity learning of image segmentation"; constrained form
 * of Funke et al. 2017, arXiv:1709.02974.
 */
GT_API gt_status gt_graph_malis_loss(gt_value *loss, gt_graph *graph, gt_value prob, gt_value label,
                                     const gt_malis_options *options);

/**
 * Append the operations that compute the gradient of `loss` with respect to every parameter. Call
 * once, after the forward part is complete.
 * loss  a result of gt_graph_softmax_loss() or gt_graph_malis_loss(), or the sum of several
 *       different ones (gt_graph_add()): each has its weight
 */
GT_API gt_status gt_graph_gradient(gt_graph *graph, gt_value loss);

/** The gradient of a value after gt_graph_gradient(); GT_NO_VALUE if the loss does not depend on
 * it. */
GT_API gt_value gt_graph_gradient_of(const gt_graph *graph, gt_value value);

/** Multiply-accumulates of the convolutions of the forward part (upsampling counts 0). */
GT_API uint64_t gt_graph_macs(const gt_graph *graph);

/** The graph as text, one line per operation; the caller frees it with gt_free(). */
GT_API gt_status gt_graph_dump(char **out, const gt_graph *graph);

/* ---- programs ---- */

/** A graph planned for a device: kernels chosen, memory laid out, ready to run any number of
 * times. */
typedef struct gt_program gt_program;

/** What factors of products are rounded to. Values, sums and everything else are fp32 always. */
typedef enum gt_precision {
    GT_PRECISION_F32, /**< nothing */
    GT_PRECISION_BF16 /**< to bfloat16 (8 significant bits, relative error up to 2^-8), in forward
                           convolutions of 16 or more inputs and outputs, where the device has kernels
                           for it (gt_device_info.bf16) and they are faster, by the planner's estimate,
                           than those of fp32; elsewhere the same as GT_PRECISION_F32 */
} gt_precision;

typedef struct gt_program_options {
    int32_t
        deterministic; /**< 1: only kernels whose sums have an order independent of position, size
                                and tile, chosen independently of sizes; default 0 */
    int32_t ahead;     /**< 1: inputs may be written for the next run before the outputs of the last
                                are read, so that uploads run beside computing; default 0 */
    gt_precision precision; /**< default GT_PRECISION_F32. With `deterministic` and bf16 every layer
                                that can be is computed in bf16, faster or not */
    size_t memory_limit;    /**< bytes that arena, packed and kept memory may take together: slower
                              kernels are taken where they take less; default 0: no limit */
} gt_program_options;

/** Write the defaults. */
GT_API void gt_program_options_init(gt_program_options *options);

/** Memory that a program wants, known before it is created; memory_limit is about the first three
 * numbers. */
typedef struct gt_program_memory {
    size_t arena_bytes;  /**< intermediate values and scratch, one allocation */
    size_t packed_bytes; /**< weights repacked for the kernels */
    size_t kept_bytes;   /**< parameters and optimizer state */
    size_t host_bytes;   /**< CPU memory of operations that run there for want of a kernel */
    double seconds;      /**< estimated time of one run */
} gt_program_memory;

/** Plan without allocating on the device. options NULL means the defaults. Errors as
 * gt_program_create(). */
GT_API gt_status gt_program_plan(gt_program_memory *out, gt_device *device, const gt_graph *graph,
                                 const gt_program_options *options);

/**
 * Plan and prepare. The program keeps what it needs of the graph, which may be freed.
 * out  receives the program; the caller owns it; free with gt_program_free() before the device
 * GT_ENOMEM  the message gives the bytes, or nothing fits the limit; GT_ENOTSUP  no kernel can run an operation; GT_EINVAL  an
 * option out of range
 * Parameters start as zeros: write them.
 */
GT_API gt_status gt_program_create(gt_program **out, gt_device *device, const gt_graph *graph,
                                   const gt_program_options *options);

/** Copy [n][c][h][w] floats into an input or a parameter. GT_EINVAL  any other value. */
GT_API gt_status gt_program_write(gt_program *program, gt_value value, const float *src);

/** Copy an output or a parameter out as [n][c][h][w] floats. GT_EINVAL  any other value. */
GT_API gt_status gt_program_read(gt_program *program, gt_value value, float *dst);

/** Run all operations once. Allocates nothing. On OpenCL devices it may return before the work is
 * done; gt_program_read() and gt_program_wait() wait, and errors of the work may show up there. */
GT_API gt_status gt_program_run(gt_program *program);

/** Wait until everything written and run so far is done. */
GT_API gt_status gt_program_wait(gt_program *program);

/** Memory of a created program. */
GT_API void gt_program_get_memory(const gt_program *program, gt_program_memory *out);

/**
 * What was planned, as text: one line per step with kernel, layouts, bytes, offset, estimated and
 * (after a run) measured time. The caller frees it with gt_free().
 */
GT_API gt_status gt_program_dump(char **out, const gt_program *program);

/** Release. NULL is accepted. */
GT_API void gt_program_free(gt_program *program);

#ifdef __cplusplus
}
#endif
#endif
