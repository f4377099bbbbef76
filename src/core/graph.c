/* Graphs: append, validate, copy, dump. SPDX-License-Identifier: BSD-2-Clause */
#include "core/ir.h"

#include <string.h>

#define GT_OP(name) extern const struct gt_op_info gt__op_##name;
#include "core/ops.def"
#undef GT_OP

const struct gt_op_info *const gt__ops[GT_OP_COUNT] = {
#define GT_OP(name) &gt__op_##name,
#include "core/ops.def"
#undef GT_OP
};

/* More elements than this in one value would overflow 32-bit kernels' row arithmetic long before
 * memory. */
#define GT_MAX_COUNT ((size_t)1 << 40)

gt_status gt_graph_create(gt_graph **out)
{
    gt_graph *g = NULL;
    GT_TRY(gt__alloc(&g, 1, sizeof *g, "graph"));
    gt_status status =
        gt__grow(&g->values, &g->values_capacity, 16, sizeof *g->values, "graph values");
    if (status != GT_OK) {
        gt_graph_free(g);
        return status;
    }
    g->n_values = 1; /* values[0] is GT_NO_VALUE */
    *out = g;
    return GT_OK;
}

void gt_graph_free(gt_graph *graph)
{
    if (graph) {
        gt__free(graph->values);
        gt__free(graph->nodes);
        gt__free(graph->layers);
        gt__free(graph);
    }
}

gt_status gt__graph_clone(struct gt_graph **out, const struct gt_graph *g)
{
    gt_status status = GT_OK;
    struct gt_graph *copy = NULL;
    GT_TRY(gt__alloc(&copy, 1, sizeof *copy, "graph"));
    GT_TRY_OUT(gt__grow(&copy->values, &copy->values_capacity, g->n_values, sizeof *copy->values,
                        "graph values"));
    GT_TRY_OUT(gt__grow(&copy->nodes, &copy->nodes_capacity, g->n_nodes + 1, sizeof *copy->nodes,
                        "graph nodes"));
    memcpy(copy->values, g->values, g->n_values * sizeof *g->values);
    if (g->n_nodes > 0) {
        memcpy(copy->nodes, g->nodes, g->n_nodes * sizeof *g->nodes);
    }
    GT_TRY_OUT(gt__grow(&copy->layers, &copy->layers_capacity, g->n_layers + 1,
                        sizeof *copy->layers, "graph layers"));
    if (g->n_layers > 0) {
        memcpy(copy->layers, g->layers, g->n_layers * sizeof *g->layers);
    }
    copy->n_layers = g->n_layers;
    copy->layer = g->layer;
    copy->n_values = g->n_values;
    copy->n_nodes = g->n_nodes;
    copy->in_backward = g->in_backward;
    *out = copy;
    return GT_OK;
out:
    gt_graph_free(copy);
    return status;
}

static bool valid(const gt_graph *g, gt_value v)
{
    return v > 0 && (size_t)v < g->n_values;
}

gt_shape gt_graph_shape(const gt_graph *graph, gt_value value)
{
    return valid(graph, value) ? graph->values[value].shape : (gt_shape){0, 0, 0, 0};
}

const char *gt_graph_name(const gt_graph *graph, gt_value value)
{
    return valid(graph, value) ? graph->values[value].name : "";
}

void gt__graph_name_value(struct gt_graph *g, gt_value value, const char *name)
{
    struct gt_value_info *v = &g->values[value];
    strncpy(v->name, name, sizeof v->name - 1);
}

gt_status gt__graph_value(gt_value *out, struct gt_graph *g, gt_shape shape, enum gt_kind kind,
                          enum gt_role role, const char *name)
{
    size_t count = 0;
    if (!gt__shape_count(&count, shape) || count > GT_MAX_COUNT) {
        return gt__fail(GT_ESHAPE, "%s: %d x %d x %d x %d is not a usable shape",
                        name && *name ? name : "value", shape.n, shape.c, shape.h, shape.w);
    }
    GT_TRY(gt__grow(&g->values, &g->values_capacity, g->n_values + 1, sizeof *g->values,
                    "graph values"));
    struct gt_value_info *v = &g->values[g->n_values];
    *v = (struct gt_value_info){.shape = shape, .kind = kind, .role = role, .producer = -1};
    if (name) {
        strncpy(v->name, name, sizeof v->name - 1);
    }
    *out = (gt_value)g->n_values++;
    return GT_OK;
}

gt_status gt_graph_input(gt_value *out, gt_graph *graph, gt_shape shape, const char *name)
{
    return gt__graph_value(out, graph, shape, GT_KIND_F32, GT_ROLE_INPUT, name);
}

gt_status gt_graph_param(gt_value *out, gt_graph *graph, gt_shape shape, const char *name,
                         float rate_mult, float decay_mult)
{
    gt_value v = GT_NO_VALUE;
    GT_TRY(gt__graph_value(&v, graph, shape, GT_KIND_F32, GT_ROLE_PARAM, name));
    graph->values[v].rate_mult = rate_mult;
    graph->values[v].decay_mult = decay_mult;
    graph->values[v].needs_gradient = 1;
    *out = v;
    return GT_OK;
}

gt_status gt_graph_output(gt_graph *graph, gt_value value)
{
    if (!valid(graph, value)) {
        return gt__fail(GT_EINVAL, "value %d is not of this graph (%zu values)", value,
                        graph->n_values - 1);
    }
    graph->values[value].wanted = 1;
    return GT_OK;
}

gt_status gt__graph_append(struct gt_graph *g, struct gt_node *node)
{
    int32_t needs = 0;
    for (int32_t i = 0; i < node->n_in; i++) {
        if (node->in[i] != GT_NO_VALUE && !valid(g, node->in[i])) {
            return gt__fail(GT_EINVAL, "%s: value %d is not of this graph (%zu values)",
                            gt__ops[node->op]->name, node->in[i], g->n_values - 1);
        }
        needs |= node->in[i] != GT_NO_VALUE && g->values[node->in[i]].needs_gradient;
    }
    gt_shape shape[GT_MAX_OUT] = {{0, 0, 0, 0}};
    enum gt_kind kind[GT_MAX_OUT] = {GT_KIND_F32, GT_KIND_F32, GT_KIND_F32};
    GT_TRY(gt__ops[node->op]->infer(g, node, shape, kind));
    GT_TRY(
        gt__grow(&g->nodes, &g->nodes_capacity, g->n_nodes + 1, sizeof *g->nodes, "graph nodes"));
    node->backward = g->in_backward;
    node->layer = g->layer;
    for (int32_t i = 0; i < node->n_out; i++) {
        if (node->out[i] == GT_NO_VALUE) {
            GT_TRY(gt__graph_value(&node->out[i], g, shape[i], kind[i], GT_ROLE_INNER, ""));
            g->values[node->out[i]].producer = (int32_t)g->n_nodes;
            g->values[node->out[i]].needs_gradient = needs && gt__ops[node->op]->gradient;
        }
    }
    g->nodes[g->n_nodes++] = *node;
    return GT_OK;
}

gt_status gt__graph_layer(struct gt_graph *g, const char *name)
{
    if (!name) {
        g->layer = 0;
        return GT_OK;
    }
    GT_TRY(gt__grow(&g->layers, &g->layers_capacity, g->n_layers + 1, sizeof *g->layers,
                    "graph layers"));
    struct gt_layer_name *layer = &g->layers[g->n_layers++];
    *layer = (struct gt_layer_name){{0}};
    strncpy(layer->name, name, sizeof layer->name - 1);
    g->layer = (int32_t)g->n_layers;
    return GT_OK;
}

bool gt__node_in_place(const struct gt_node *node, int32_t out)
{
    for (int32_t i = 0; i < node->n_in; i++) {
        if (node->in[i] == node->out[out] && node->out[out] != GT_NO_VALUE) {
            return true;
        }
    }
    return false;
}

gt_value gt_graph_gradient_of(const gt_graph *graph, gt_value value)
{
    return valid(graph, value) ? graph->values[value].gradient : GT_NO_VALUE;
}

uint64_t gt_graph_macs(const gt_graph *graph)
{
    double flops = 0.0;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        if (graph->nodes[i].op == GT_OP_conv2d_fwd) {
            flops += gt__ops[GT_OP_conv2d_fwd]->flops(graph, &graph->nodes[i]);
        }
    }
    return (uint64_t)(flops / 2.0);
}

static void add_value(struct gt_text *text, const gt_graph *g, gt_value v)
{
    gt_shape s = g->values[v].shape;
    gt__text_add(text, " %%%d", v);
    if (g->values[v].name[0]) {
        gt__text_add(text, "(%s)", g->values[v].name);
    }
    gt__text_add(text, "[%d,%d,%d,%d]", s.n, s.c, s.h, s.w);
}

gt_status gt_graph_dump(char **out, const gt_graph *graph)
{
    struct gt_text text = {0};
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct gt_node *node = &graph->nodes[i];
        gt__text_add(&text, "%4zu %-18s", i, gt__ops[node->op]->name);
        for (int32_t k = 0; k < node->n_in; k++) {
            if (node->in[k] != GT_NO_VALUE) {
                add_value(&text, graph, node->in[k]);
            }
        }
        gt__text_add(&text, " ->");
        for (int32_t k = 0; k < node->n_out; k++) {
            if (node->out[k] != GT_NO_VALUE) {
                add_value(&text, graph, node->out[k]);
            }
        }
        if (node->attr.kernel_h > 0) {
            gt__text_add(&text, "  k=%dx%d s=%d d=%d", node->attr.kernel_h, node->attr.kernel_w,
                         node->attr.stride, node->attr.dilation);
        }
        gt__text_add(&text, "\n");
    }
    return gt__text_take(out, &text);
}
