/* Timings layer by layer. A step's time counts for the layer of its node: bias and ReLU folded into
 * a convolution for the convolution, a reorder for the layer that reads it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "infer/bench_rig.h"

#include <string.h>

enum part { PART_FORWARD, PART_BACKWARD, PART_UPDATE };

static enum part part_of(const struct gt_node *node)
{
    return !node->backward ? PART_FORWARD : node->layer ? PART_BACKWARD : PART_UPDATE;
}

/* ---- what the layers are ---- */

/* Operations of a convolution as the benchmark of 2015 counts them: (2K - 1)*M*N, the sum of K
 * products for each of M channels of N pixels. */
static uint64_t conv_flops(const struct gt_graph *g, const struct gt_node *node)
{
    gt_shape weight = gt__value(g, node->in[1])->shape;
    gt_shape out = gt__value(g, node->out[0])->shape;
    uint64_t k = (uint64_t)weight.c * (uint64_t)weight.h * (uint64_t)weight.w;
    return (2 * k - 1) * gt__count(out);
}

/* From the graph as the network was written, before the planner changes it. */
static void describe(gt_benchmark_layers *out, const struct gt_graph *g)
{
    for (size_t i = 0; i < g->n_layers; i++) {
        memcpy(out->layers[i].name, g->layers[i].name, sizeof out->layers[i].name);
    }
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct gt_node *node = &g->nodes[i];
        if (node->layer == 0 || node->backward) {
            continue;
        }
        gt_benchmark_layer *layer = &out->layers[node->layer - 1];
        /* the last one is what leaves the layer */
        layer->bytes = gt__count(gt__value(g, node->out[0])->shape) * sizeof(float);
        layer->flops += node->op == GT_OP_conv2d_fwd ? conv_flops(g, node) : 0;
    }
}

/* ---- timing ---- */

static void add_time(gt_benchmark_layers *out, const struct gt_node *node, double ms)
{
    switch (part_of(node)) {
    case PART_FORWARD:
        if (node->layer > 0) {
            out->layers[node->layer - 1].forward_ms += ms;
        }
        break;
    case PART_BACKWARD:
        out->layers[node->layer - 1].backward_ms += ms;
        break;
    case PART_UPDATE:
        break;
    }
}

/* Every step for itself, with a wait behind it. scale 0: warm-up. */
static gt_status time_layers(gt_benchmark_layers *out, struct gt_bench_rig *b, double scale)
{
    struct gt_step *steps = NULL;
    size_t n = gt__program_steps(b->program, &steps);
    GT_TRY(gt__bench_write(b));
    for (size_t i = 0; i < n; i++) {
        double start = gt__bench_now();
        GT_TRY(gt__program_run_part(b->program, i, 1));
        GT_TRY(gt_program_wait(b->program));
        add_time(out, steps[i].node, scale * (gt__bench_now() - start));
    }
    return GT_OK;
}

/* Forward, backward and update as wholes; the steps of each are neighbours but for a few. */
static gt_status time_totals(gt_benchmark_layers *out, struct gt_bench_rig *b, double scale)
{
    double *totals[] = {&out->forward_ms, &out->backward_ms, &out->update_ms};
    struct gt_step *steps = NULL;
    size_t n = gt__program_steps(b->program, &steps);
    GT_TRY(gt__bench_write(b));
    for (size_t first = 0; first < n;) {
        enum part part = part_of(steps[first].node);
        size_t end = first + 1;
        while (end < n && part_of(steps[end].node) == part) {
            end++;
        }
        double start = gt__bench_now();
        GT_TRY(gt__program_run_part(b->program, first, end - first));
        GT_TRY(gt_program_wait(b->program));
        *totals[part] += scale * (gt__bench_now() - start);
        first = end;
    }
    return GT_OK;
}

static gt_status measure(gt_benchmark_layers *out, struct gt_bench_rig *b,
                         const gt_benchmark_options *options)
{
    static gt_status (*const rounds[])(gt_benchmark_layers *, struct gt_bench_rig *,
                                       double) = {time_layers, time_totals};
    const int64_t each = (int64_t)options->warmup + options->runs;
    const int64_t n = sizeof rounds / sizeof *rounds;
    for (int64_t i = 0; i < n * each; i++) {
        bool timed = i % each >= options->warmup;
        GT_TRY(rounds[i / each](out, b, timed ? 1e3 / options->runs : 0));
        GT_TRY(gt__bench_report(options, i + 1, n * each));
    }
    return GT_OK;
}

gt_status gt_benchmark_layers_run(gt_benchmark_layers **out, gt_device *device,
                                  const gt_model *model, const gt_benchmark_options *options)
{
    struct gt_bench_rig b = {.every_layer = true};
    gt_benchmark_layers *result = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__bench_open(&b, device, model, options));
    GT_TRY_OUT(gt__alloc(&result, 1, sizeof *result, "benchmark"));
    result->n_layers = b.net.graph->n_layers;
    GT_TRY_OUT(gt__alloc(&result->layers, result->n_layers, sizeof *result->layers, "benchmark"));
    result->input = b.input;
    result->output = b.output;
    result->batch = b.batch;
    result->data_bytes = gt__count(gt_graph_shape(b.net.graph, b.net.input)) * sizeof(float);
    if (b.net.label != GT_NO_VALUE) {
        result->label_bytes = gt__count(gt_graph_shape(b.net.graph, b.net.label)) * sizeof(float);
    }
    gt_program_get_memory(b.program, &result->memory);
    describe(result, b.net.graph);
    GT_TRY_OUT(measure(result, &b, options));
    *out = result;
    result = NULL;
out:
    gt_benchmark_layers_free(result);
    gt__bench_close(&b);
    return status;
}

void gt_benchmark_layers_free(gt_benchmark_layers *layers)
{
    if (layers) {
        gt__free(layers->layers);
        gt__free(layers);
    }
}
