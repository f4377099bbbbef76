/* Differentiation: each op appends its own backward nodes; optimizer updates are nodes too.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "core/ir.h"

#include <stdio.h>

gt_status gt__grad_add(struct gt_graph *g, gt_value value, gt_value gradient)
{
    struct gt_value_info *v = &g->values[value];
    if (!v->needs_gradient) {
        return GT_OK;
    }
    if (v->gradient == GT_NO_VALUE) {
        v->gradient = gradient;
        return GT_OK;
    }
    struct gt_node add = {.op = GT_OP_add, .n_in = 2, .in = {v->gradient, gradient}};
    GT_TRY(gt__graph_append(g, &add));
    g->values[value].gradient = add.out[0];
    return GT_OK;
}

static gt_status node_backward(struct gt_graph *g, size_t index, bool seed)
{
    struct gt_node node = g->nodes[index];
    gt_value dout[GT_MAX_OUT] = {GT_NO_VALUE};
    bool reached = seed;
    bool needed = false;
    for (int32_t i = 0; i < node.n_out; i++) {
        dout[i] = node.out[i] != GT_NO_VALUE ? g->values[node.out[i]].gradient : GT_NO_VALUE;
        reached |= dout[i] != GT_NO_VALUE;
    }
    for (int32_t i = 0; i < node.n_in; i++) {
        needed |= node.in[i] != GT_NO_VALUE && g->values[node.in[i]].needs_gradient;
    }
    if (!reached || !needed) {
        return GT_OK;
    }
    if (!gt__ops[node.op]->gradient) {
        return gt__fail(GT_ENOTSUP, "operation %s has no gradient", gt__ops[node.op]->name);
    }
    g->layer = node.layer;
    return gt__ops[node.op]->gradient(g, index, dout);
}

gt_status gt__graph_backward(struct gt_graph *g, gt_value y, gt_value dy)
{
    if (y <= 0 || (size_t)y >= g->n_values || g->values[y].producer < 0) {
        return gt__fail(GT_EINVAL, "value %d is not the result of an operation of this graph", y);
    }
    g->in_backward = 1;
    g->values[y].gradient = dy;
    gt_status status = GT_OK;
    for (size_t i = (size_t)g->values[y].producer + 1; i-- > 0 && status == GT_OK;) {
        status = node_backward(g, i, (int32_t)i == g->values[y].producer);
    }
    g->in_backward = 0;
    g->layer = 0;
    return status;
}

/* Mark the nodes of losses that `loss` is the sum of, each of which may occur once. */
static gt_status mark_losses(bool *losses, const gt_graph *graph, gt_value loss)
{
    int32_t producer =
        loss > 0 && (size_t)loss < graph->n_values ? graph->values[loss].producer : -1;
    const struct gt_node *node = producer >= 0 ? &graph->nodes[producer] : NULL;
    if (node && node->op == GT_OP_add) {
        GT_TRY(mark_losses(losses, graph, node->in[0]));
        return mark_losses(losses, graph, node->in[1]);
    }
    if (!node || (node->op != GT_OP_softmax_loss_fwd && node->op != GT_OP_malis) ||
        node->out[0] != loss) {
        return gt__fail(GT_EINVAL, "value %d is not a loss of this graph", loss);
    }
    if (losses[producer]) {
        return gt__fail(GT_EINVAL, "the loss %d is added to itself: give it a weight", loss);
    }
    losses[producer] = true;
    return GT_OK;
}

gt_status gt_graph_gradient(gt_graph *graph, gt_value loss)
{
    bool *losses = NULL; /* by node */
    gt_status status = GT_OK;
    size_t n_nodes = graph->n_nodes;
    for (size_t v = 1; v < graph->n_values; v++) {
        if (graph->values[v].gradient != GT_NO_VALUE) {
            return gt__fail(GT_EINVAL, "the graph was differentiated before");
        }
    }
    GT_TRY_OUT(gt__alloc(&losses, n_nodes + 1, sizeof *losses, "list of losses"));
    GT_TRY_OUT(mark_losses(losses, graph, loss));
    graph->in_backward = 1;
    for (size_t i = n_nodes; i-- > 0 && status == GT_OK;) {
        status = node_backward(graph, i, losses[i]);
    }
    graph->in_backward = 0;
    graph->layer = 0;
out:
    gt__free(losses);
    return status;
}

static gt_status state_value(gt_value *out, struct gt_graph *g, const char *slot, gt_value param)
{
    char name[GT_NAME_SIZE];
    const struct gt_value_info *p = &g->values[param];
    snprintf(name, sizeof name, "%s.%.*s", slot, (int)(sizeof name - 12), p->name);
    return gt__graph_value(out, g, p->shape, GT_KIND_F32, GT_ROLE_STATE, name);
}

static gt_status append_update(struct gt_graph *g, enum gt_update kind, gt_value param,
                               const struct gt_update_values *u)
{
    struct gt_node node = {0};
    gt_value state[2] = {GT_NO_VALUE, GT_NO_VALUE};
    gt_value gradient = g->values[param].gradient;
    node.attr.rate_mult = g->values[param].rate_mult;
    node.attr.decay_mult = g->values[param].decay_mult;
    if (kind == GT_UPDATE_SGD) {
        GT_TRY(state_value(&state[0], g, "momentum", param));
        gt_value in[] = {param, gradient, state[0], u->hyper, u->sumsq};
        node.op = GT_OP_sgd_update;
        node.n_in = 5;
        for (int32_t i = 0; i < node.n_in; i++) {
            node.in[i] = in[i];
        }
    } else {
        GT_TRY(state_value(&state[0], g, "m", param));
        GT_TRY(state_value(&state[1], g, "v", param));
        gt_value in[] = {param, gradient, state[0], state[1], u->hyper, u->sumsq};
        node.op = GT_OP_adamw_update;
        node.n_in = 6;
        for (int32_t i = 0; i < node.n_in; i++) {
            node.in[i] = in[i];
        }
    }
    return gt__graph_append(g, &node);
}

gt_status gt__graph_updates(struct gt_update_values *out, struct gt_graph *g, enum gt_update kind)
{
    struct gt_update_values u = {0};
    size_t n_values = g->n_values;
    g->in_backward = 1;
    gt_status status = gt_graph_input(&u.hyper, g, (gt_shape){1, 1, 1, GT_HYPER_COUNT}, "hyper");
    for (size_t v = 1; v < n_values && status == GT_OK; v++) {
        const struct gt_value_info *p = &g->values[v];
        if (p->role == GT_ROLE_PARAM && p->gradient != GT_NO_VALUE && p->rate_mult > 0.0f) {
            struct gt_node node = {.op = GT_OP_sumsq, .n_in = 2, .in = {p->gradient, u.sumsq}};
            status = gt__graph_append(g, &node);
            u.sumsq = node.out[0];
        }
    }
    if (status == GT_OK && u.sumsq == GT_NO_VALUE) {
        status = gt__fail(GT_EINVAL, "the graph has no parameter with a gradient");
    }
    for (size_t v = 1; v < n_values && status == GT_OK; v++) {
        const struct gt_value_info *p = &g->values[v];
        if (p->role == GT_ROLE_PARAM && p->gradient != GT_NO_VALUE && p->rate_mult > 0.0f) {
            status = append_update(g, kind, (gt_value)v, &u);
        }
    }
    g->in_backward = 0;
    GT_TRY(status);
    *out = u;
    return gt_graph_output(g, u.sumsq);
}
