/* The graph of a network as it is processed or trained, for timings. SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GT_INFER_NETWORK_GRAPH_H
#define GT_INFER_NETWORK_GRAPH_H

#include "core/ir.h"

#include <greentea/benchmark.h>

struct gt_network_graph {
    gt_graph *graph;
    gt_value input, label, hyper; /* the last two in training only */
    gt_value *params;             /* gt_model_tensors() of them */
};

/* Forward with softmax, or forward, loss, gradients and updates (SGD). Free it whatever comes back.
 */
gt_status gt__network_graph(struct gt_network_graph *out, const gt_model *model,
                            gt_benchmark_mode mode, int32_t batch, int32_t output);
void gt__network_graph_free(struct gt_network_graph *g);

#endif
