/* What a network file is made of: a table of layers and the geometry.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_MODELS_BUILDER_H
#define GT_MODELS_BUILDER_H

#include "core/shape.h"
#include <greentea/model.h>

#define GT_MAX_LAYERS 40

enum gt_layer_op { GT_LAYER_CONV, GT_LAYER_POOL, GT_LAYER_UPCONV, GT_LAYER_MERGECROP };

struct gt_layer {
    const char *name;
    enum gt_layer_op op;
    int32_t kernel, stride, dilation;
    int32_t channels; /* convolution: outputs at width 1; GT_LABELS: the labels */
    bool relu;
    double sigma;     /* convolution: standard deviation of 2015 */
    const char *skip; /* mergecrop: the layer whose output is cropped and stacked behind */
};

/* One row of a network's table. */
#define GT_LABELS 0
#define GT_RELU true
#define GT_LINEAR false
#define GT_CONV(name, kernel, dilation, channels, relu, sigma)                                     \
    {                                                                                              \
        name, GT_LAYER_CONV, kernel, 1, dilation, channels, relu, sigma, NULL                      \
    }
#define GT_POOL(name, kernel, stride, dilation)                                                    \
    {                                                                                              \
        name, GT_LAYER_POOL, kernel, stride, dilation, 0, false, 0, NULL                           \
    }
#define GT_UPCONV(name)                                                                            \
    {                                                                                              \
        name, GT_LAYER_UPCONV, 2, 2, 1, 0, false, 0, NULL                                          \
    }
#define GT_MERGECROP(name, skip)                                                                   \
    {                                                                                              \
        name, GT_LAYER_MERGECROP, 0, 0, 0, 0, false, 0, skip                                       \
    }

struct gt_net {
    const char *name;  /* "u" */
    const char *title; /* "U-Net", for messages */
    int32_t labels;    /* default */
    gt_model_geometry geometry;
    const struct gt_layer *layers;
    size_t n_layers;
};

#define GT_NET(name) extern const struct gt_net gt__net_##name;
#include "models/models.def"
#undef GT_NET

/* All that the table and the options say about one layer. */
struct gt_layer_size {
    gt_shape in, out;
    int32_t skip; /* mergecrop: index of the second input's layer, else -1 */
};

/* Walk through the table from an input [n][options->channels][h][w]; sizes receives n_layers
 * entries. The input must be legal. */
void gt__net_sizes(struct gt_layer_size *sizes, const struct gt_net *net,
                   const gt_model_options *options, gt_shape input);

#endif
