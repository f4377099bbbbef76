/* The graph of a network as it is processed or trained. SPDX-License-Identifier: BSD-2-Clause */
#include "infer/network_graph.h"

gt_status gt__network_graph(struct gt_network_graph *out, const gt_model *model,
                            gt_benchmark_mode mode, int32_t batch, int32_t output)
{
    gt_model_options mo;
    gt_model_geometry geometry;
    gt_value scores = GT_NO_VALUE;
    gt_value last = GT_NO_VALUE;
    *out = (struct gt_network_graph){0};
    gt_model_get_options(model, &mo);
    gt_model_get_geometry(model, &geometry);
    gt_shape in = {batch, mo.channels, output + geometry.shrink, output + geometry.shrink};
    GT_TRY(gt_graph_create(&out->graph));
    GT_TRY(gt_graph_input(&out->input, out->graph, in, "data"));
    GT_TRY(gt__alloc(&out->params, gt_model_tensors(model), sizeof *out->params, "benchmark"));
    GT_TRY(gt_model_append(&scores, out->params, model, out->graph, out->input));
    if (mode == GT_BENCHMARK_PROCESS) {
        GT_TRY(gt__graph_layer(out->graph, "prob"));
        GT_TRY(gt_graph_softmax(&last, out->graph, scores));
    } else {
        gt_shape label = {batch, 1, output, output};
        struct gt_update_values u;
        GT_TRY(gt_graph_input(&out->label, out->graph, label, "label"));
        GT_TRY(gt__graph_layer(out->graph, "loss"));
        GT_TRY(gt_graph_softmax_loss(&last, NULL, out->graph, scores, out->label,
                                     GT_NORMALIZE_VALID, 1.0f));
        GT_TRY(gt_graph_gradient(out->graph, last));
        GT_TRY(gt__graph_updates(&u, out->graph, GT_UPDATE_SGD));
        out->hyper = u.hyper;
    }
    return gt_graph_output(out->graph, last);
}

void gt__network_graph_free(struct gt_network_graph *g)
{
    gt_graph_free(g->graph);
    gt__free(g->params);
    *g = (struct gt_network_graph){0};
}
