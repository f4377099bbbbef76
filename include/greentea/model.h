/* Greentea: the networks and their weights. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GREENTEA_MODEL_H
#define GREENTEA_MODEL_H

#include <greentea/graph.h>
#include <greentea/preprocess.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A network with its weights in host memory. */
typedef struct gt_model gt_model;

#define GT_MAX_LABELS 256

/** How weights are drawn; biases start at 0. */
typedef enum gt_init {
    GT_INIT_HE,   /**< normal, variance 2/fan-in (He et al. 2015, arXiv:1502.01852) */
    GT_INIT_PAPER /**< normal, the standard deviations listed for the networks of 2015 */
} gt_init;

/** What a skip connection does in training. */
typedef enum gt_skip {
    GT_SKIP_FLOWING, /**< the gradient flows through it */
    GT_SKIP_BLOCKED  /**< it does not, as in 2015 */
} gt_skip;

typedef struct gt_model_options {
    const char *net;  /**< "sw", "sk", "u", "usk" or "usk9"; default "u" */
    int32_t labels;   /**< 2 to GT_MAX_LABELS; 0 (default): 2, for usk9 9 */
    int32_t channels; /**< input channels, 1 or 3; default 3 */
    double width;     /**< channels of every inner layer: max(1, round(width * n)); default 1 */
    gt_skip skip;     /**< default GT_SKIP_FLOWING */
} gt_model_options;

/** Write the defaults. */
GT_API void gt_model_options_init(gt_model_options *options);

/**
 * Make a network with all weights 0; call gt_model_init_weights() or load weights.
 * out  receives the model; the caller owns it; free with gt_model_free()
 * GT_EINVAL  unknown name or an option out of range; GT_ENOMEM
 * Source: Tschopp 2015, arXiv:1509.03371; Ronneberger et al. 2015, arXiv:1505.04597.
 */
GT_API gt_status gt_model_create(gt_model **out, const gt_model_options *options);

/** Draw the weights; equal seeds give equal bits. */
GT_API gt_status gt_model_init_weights(gt_model *model, gt_init init, uint64_t seed);

/** The options that the model was made with; the name lives as long as the model. */
GT_API void gt_model_get_options(const gt_model *model, gt_model_options *out);

/** Sum of all parameters. */
GT_API uint64_t gt_model_parameters(const gt_model *model);

/** Name of network number `index`, NULL past the last: "sw", "sk", "u", "usk", "usk9". */
GT_API const char *gt_model_net_name(size_t index);

/** Geometry of a network along one axis (both axes are alike). */
typedef struct gt_model_geometry {
    int32_t canonical; /**< output size of the published network */
    int32_t minimum;   /**< smallest legal output size */
    int32_t step;      /**< legal sizes are minimum + k*step (sw: only 1, step 0) */
    int32_t shrink;    /**< input size = output size + shrink */
    int32_t border;    /**< output pixel i lies over input pixel i + border */
    int32_t period;    /**< the answer depends on the position modulo this */
} gt_model_geometry;

GT_API void gt_model_get_geometry(const gt_model *model, gt_model_geometry *out);

/**
 * Check an output size. GT_ESHAPE with the rule and the nearest legal sizes in the message, for
 * example "U-Net output sizes are 4 modulo 16; nearest to 400: 388, 404".
 */
GT_API gt_status gt_model_check_size(const gt_model *model, int32_t output);

/** One layer, for lists of a network. */
typedef struct gt_layer_info {
    char name[32]; /**< "conv1", "pool1", "mergecrop1" */
    char op[16];   /**< "conv2d", "maxpool", "upsample", "mergecrop" */
    gt_shape in, out;
    int32_t kernel, stride, dilation;
    int32_t relu; /**< 1: followed by a ReLU */
    uint64_t parameters;
    uint64_t macs;
} gt_layer_info;

/**
 * Describe the layers for an output of `output` x `output` pixels and batch 1.
 * layers   receives up to `capacity` entries (may be NULL with 0)
 * n_layers receives the number of layers
 */
GT_API gt_status gt_model_layers(gt_layer_info *layers, size_t capacity, size_t *n_layers,
                                 const gt_model *model, int32_t output);

/** Number of parameter tensors. */
GT_API size_t gt_model_tensors(const gt_model *model);

/**
 * Tensor `index`: name ("conv1.weight"), shape ([Cout][Cin][kH][kW], biases [1][Cout][1][1]) and
 * data in host memory, which may be changed while nothing uses the model. Any out pointer may be
 * NULL.
 */
GT_API gt_status gt_model_tensor(const char **name, gt_shape *shape, float **data, gt_model *model,
                                 size_t index);

/**
 * Append the network to a graph: scores (no softmax) for an input [n][channels][out_h + shrink]
 * [out_w + shrink]. Parameters are appended as graph parameters in tensor order.
 * params  receives gt_model_tensors() values (may be NULL)
 * GT_ESHAPE  a size that is not legal
 */
GT_API gt_status gt_model_append(gt_value *scores, gt_value *params, const gt_model *model,
                                 gt_graph *graph, gt_value input);

/* ---- labels and files ---- */

/** Names and grey values of the labels; kept in the model file. */
typedef struct gt_label_info {
    char name[64]; /**< "membrane"; "" if unknown */
    int32_t grey;  /**< value in label images; -1 if unknown */
} gt_label_info;

/** Note a label. GT_EINVAL  index not below the number of labels. */
GT_API gt_status gt_model_set_label(gt_model *model, int32_t index, const gt_label_info *info);
GT_API gt_status gt_model_get_label(gt_label_info *out, const gt_model *model, int32_t index);

/** A value of label images and the label that it stands for. */
typedef struct gt_grey_label {
    int32_t grey, label;
} gt_grey_label;

/**
 * Note all values of label images where several stand for one label; kept in the model file.
 * list  at most GT_MAX_LABELS entries, values from 0, labels of the model, no value twice
 * GT_EINVAL  anything else
 */
GT_API gt_status gt_model_set_greys(gt_model *model, const gt_grey_label *list, size_t n);

/** Up to `capacity` entries into out (may be NULL with 0); returns their number, 0: none noted. */
GT_API size_t gt_model_get_greys(gt_grey_label *out, size_t capacity, const gt_model *model);

/**
 * Note what is done to images before the network sees them; kept in the model file and applied by
 * predictors. Trainers set it to that of their data. GT_EINVAL  a field is out of range.
 */
GT_API gt_status gt_model_set_preprocess(gt_model *model, const gt_preprocess *preprocess);
/** The defaults for new models and for files written before this was noted. */
GT_API void gt_model_get_preprocess(const gt_model *model, gt_preprocess *out);

/**
 * Write the weights as a safetensors file, beside and renamed: path is the old file or the
 * complete new one at every instant. GT_EIO  the message names the file; GT_EINVAL  path is not a
 * regular file.
 */
GT_API gt_status gt_model_save(const gt_model *model, const char *path);

/**
 * Read a model written by gt_model_save() or by a trainer.
 * GT_EIO  cannot be read; GT_EFORMAT  not such a file, damaged, or of a newer format; GT_ELIMIT
 */
GT_API gt_status gt_model_load(gt_model **out, const char *path);

/**
 * Copy weights of the same shape from a file into an existing model; `sw` also takes those of `sk`
 * (ip1 to ip3 become ip4 to ip6). GT_ESHAPE  a tensor is missing or has another shape.
 */
GT_API gt_status gt_model_load_weights(gt_model *model, const char *path);

/** Iterations that the loaded model was trained; 0 if it was never trained. */
GT_API uint64_t gt_model_iteration(const gt_model *model);

/** The configuration as kept in the file (JSON text); lives as long as the model. */
GT_API const char *gt_model_config(const gt_model *model);

/**
 * Keep a value of one's own in the model, and in its file: the tool keeps the flags of the training
 * as "train".
 * name  1 to 63 bytes of UTF-8; a note of this name is replaced
 * json  any JSON value as text, up to 1 MiB, all notes together about 8 MiB; NULL removes the note
 * GT_EINVAL  the name, or the text is not JSON; GT_ELIMIT  too long; GT_ENOMEM
 */
GT_API gt_status gt_model_set_note(gt_model *model, const char *name, const char *json);

/**
 * Read a note.
 * out  receives its JSON text, NULL if there is no note of this name; free with gt_free()
 * GT_EINVAL  the name; GT_ENOMEM
 */
GT_API gt_status gt_model_note(char **out, const gt_model *model, const char *name);

/** Release. NULL is accepted. */
GT_API void gt_model_free(gt_model *model);

#ifdef __cplusplus
}
#endif
#endif
