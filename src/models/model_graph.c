/* A network as operations of a graph. SPDX-License-Identifier: BSD-2-Clause */
#include "models/model_internal.h"

#include "core/error.h"
#include "core/ir.h"
#include "core/ir.h"

#include <assert.h>

/* What is needed while layers are appended. */
struct build {
    const gt_model *model;
    gt_graph *graph;
    const struct gt_layer_size *sizes;
    gt_value params[GT_MAX_TENSORS];
    gt_value out[GT_MAX_LAYERS]; /* value behind each layer */
    size_t tensor;               /* next */
};

/* Biases learn twice as fast; all tensors decay alike (networks of 2015). */
static gt_status append_params(struct build *b)
{
    for (size_t i = 0; i < b->model->n_tensors; i++) {
        const struct gt_model_tensor *t = &b->model->tensors[i];
        const float rate = t->dims == 1 ? 2.0f : 1.0f;
        GT_TRY(gt_graph_param(&b->params[i], b->graph, t->shape, t->name, rate, 1.0f));
    }
    return GT_OK;
}

static gt_status append_layer(struct build *b, size_t i, gt_value x)
{
    const struct gt_layer *layer = &b->model->net->layers[i];
    gt_value y = GT_NO_VALUE;
    GT_TRY(gt__graph_layer(b->graph, layer->name));
    switch (layer->op) {
    case GT_LAYER_CONV:
        assert(b->model->tensors[b->tensor].layer == i);
        GT_TRY(gt_graph_conv2d(&y, b->graph, x, b->params[b->tensor], b->params[b->tensor + 1],
                               layer->dilation));
        b->tensor += 2;
        if (layer->relu) {
            GT_TRY(gt_graph_relu(&y, b->graph, y));
        }
        break;
    case GT_LAYER_POOL:
        GT_TRY(gt_graph_maxpool(&y, b->graph, x, layer->kernel, layer->stride, layer->dilation));
        break;
    case GT_LAYER_UPCONV:
        GT_TRY(gt_graph_upsample(&y, b->graph, x));
        break;
    case GT_LAYER_MERGECROP: {
        const int32_t flows = b->model->options.skip == GT_SKIP_FLOWING;
        const gt_mergecrop_options options = {.forward = {1, 1}, .backward = {1, flows}};
        GT_TRY(gt_graph_mergecrop(&y, b->graph, x, b->out[b->sizes[i].skip], &options));
        break;
    }
    }
    b->out[i] = y;
    gt__graph_name_value(b->graph, y, layer->name);
    return GT_OK;
}

gt_status gt_model_append(gt_value *scores, gt_value *params, const gt_model *model,
                          gt_graph *graph, gt_value input)
{
    if (!scores || !model || !graph || input == GT_NO_VALUE) {
        return gt__fail(GT_EINVAL, "a model needs a graph, an input and a place for the scores");
    }
    const gt_shape in = gt_graph_shape(graph, input);
    const int32_t shrink = model->net->geometry.shrink;
    if (in.c != model->options.channels) {
        return gt__fail(GT_ESHAPE, "the input has %d channels, the model %d", in.c,
                        model->options.channels);
    }
    GT_TRY(gt_model_check_size(model, in.h - shrink));
    GT_TRY(gt_model_check_size(model, in.w - shrink));
    struct gt_layer_size sizes[GT_MAX_LAYERS];
    gt__net_sizes(sizes, model->net, &model->options, in);
    struct build b = {.model = model, .graph = graph, .sizes = sizes};
    GT_TRY(append_params(&b));
    gt_value x = input;
    for (size_t i = 0; i < model->net->n_layers; i++) {
        GT_TRY(append_layer(&b, i, x));
        x = b.out[i];
    }
    for (size_t i = 0; params && i < model->n_tensors; i++) {
        params[i] = b.params[i];
    }
    *scores = x;
    return gt__graph_layer(graph, NULL);
}
