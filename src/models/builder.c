/* Shapes of a network's layers out of its table. SPDX-License-Identifier: BSD-2-Clause */
#include "models/builder.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static int32_t find_layer(const struct gt_net *net, const char *name, size_t end)
{
    size_t i = 0;
    while (i < end && strcmp(net->layers[i].name, name) != 0) {
        i++;
    }
    assert(i < end); /* the table names a layer before this one */
    return (int32_t)i;
}

static int32_t conv_channels(const struct gt_layer *layer, const gt_model_options *options)
{
    if (layer->channels == GT_LABELS) {
        return options->labels;
    }
    int32_t channels = (int32_t)lround(options->width * layer->channels);
    return channels > 1 ? channels : 1;
}

/* Caffe's rule, exact for all legal sizes. */
static int32_t pool_size(const struct gt_layer *layer, int32_t in)
{
    return gt__ceil_div(in - ((layer->kernel - 1) * layer->dilation + 1), layer->stride) + 1;
}

void gt__net_sizes(struct gt_layer_size *sizes, const struct gt_net *net,
                   const gt_model_options *options, gt_shape input)
{
    assert(net->n_layers <= GT_MAX_LAYERS);
    gt_shape shape = input;
    for (size_t i = 0; i < net->n_layers; i++) {
        const struct gt_layer *layer = &net->layers[i];
        struct gt_layer_size *size = &sizes[i];
        size->in = shape;
        size->skip = -1;
        switch (layer->op) {
        case GT_LAYER_CONV:
            shape.c = conv_channels(layer, options);
            shape.h -= (layer->kernel - 1) * layer->dilation;
            shape.w -= (layer->kernel - 1) * layer->dilation;
            break;
        case GT_LAYER_POOL:
            shape.h = pool_size(layer, shape.h);
            shape.w = pool_size(layer, shape.w);
            break;
        case GT_LAYER_UPCONV:
            shape.h *= 2;
            shape.w *= 2;
            break;
        case GT_LAYER_MERGECROP:
            size->skip = find_layer(net, layer->skip, i);
            shape.c += sizes[size->skip].out.c;
            break;
        }
        size->out = shape;
    }
}
