/* Test cases: one small graph each, its inputs, the oracle's outputs and the bounds.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

gt_value check_leaf(struct check_case *c, gt_shape shape, enum gt_role role, struct check_fill fill)
{
    gt_value v = GT_NO_VALUE;
    if (gt__graph_value(&v, c->graph, shape, GT_KIND_F32, role, "") != GT_OK) {
        fail_msg("%s: %s", c->name, gt_error_message());
    }
    assert_true(v < CHECK_MAX_VALUES);
    c->fill[v] = fill;
    return v;
}

struct gt_node check_node(struct check_case *c, struct gt_node node)
{
    if (gt__graph_append(c->graph, &node) != GT_OK) {
        fail_msg("%s: %s", c->name, gt_error_message());
    }
    assert_true(c->graph->n_values <= CHECK_MAX_VALUES);
    return c->graph->nodes[c->graph->n_nodes - 1];
}

const struct gt_node *check_tested(const struct check_case *c)
{
    return &c->graph->nodes[c->graph->n_nodes - 1];
}

gt_shape check_shape_of(const struct check_case *c, gt_value v)
{
    return gt__value(c->graph, v)->shape;
}

struct check_case *check_case_create(const struct check_family *family, size_t i, uint64_t seed)
{
    struct check_case *c = (struct check_case *)check_calloc(1, sizeof *c);
    c->op = family->op;
    c->index = i;
    c->seed = seed;
    c->terms = 1;
    assert_int_equal(gt_graph_create(&c->graph), GT_OK);
    family->build(c, i);
    assert_int_equal(check_tested(c)->op, family->op);
    return c;
}

void check_case_free(struct check_case *c)
{
    if (!c) {
        return;
    }
    for (int32_t i = 0; i < GT_MAX_IN; i++) {
        free(c->in[i]);
    }
    for (int32_t o = 0; o < GT_MAX_OUT; o++) {
        free(c->ref[o]);
        free(c->bound[o]);
    }
    gt_graph_free(c->graph);
    free(c);
}

static void fill_value(const struct check_fill *fill, struct gt_random *r, size_t count, double *x)
{
    for (size_t i = 0; i < count; i++) {
        switch (fill->kind) {
        case CHECK_UNIFORM:
            x[i] = (double)(float)(fill->low + (fill->high - fill->low) * gt__random_f64(r));
            break;
        case CHECK_INTEGERS:
            x[i] = fill->low + (double)gt__random_below(r, (uint64_t)(fill->high - fill->low) + 1);
            break;
        case CHECK_LIST:
            x[i] = (double)fill->list[i % fill->n_list];
            break;
        }
    }
}

void check_case_fill(struct check_case *c)
{
    const struct gt_node *node = check_tested(c);
    if (c->in[0]) {
        return;
    }
    struct check_values values = check_values_create(c->graph);
    for (gt_value v = 1; v < (gt_value)c->graph->n_values; v++) {
        const struct gt_value_info *info = gt__value(c->graph, v);
        if (info->producer < 0) {
            struct gt_random r = gt__random_open(
                c->seed, GT_STREAM_TEST, (uint64_t)c->op * 100000 + c->index * 100 + (uint64_t)v);
            fill_value(&c->fill[v], &r, gt__count(info->shape), check_f64(&values, v));
        }
    }
    check_values_run(&values, 0, c->graph->n_nodes - 1, true);
    for (int32_t i = 0; i < node->n_in; i++) {
        if (node->in[i] != GT_NO_VALUE) {
            size_t bytes = check_bytes(gt__value(c->graph, node->in[i]));
            c->in[i] = check_calloc(bytes, 1);
            memcpy(c->in[i], values.data[node->in[i]], bytes);
        }
    }
    check_values_free(&values);
}

void check_case_solve(struct check_case *c, const struct check_family *family)
{
    const struct gt_node *node = check_tested(c);
    if (c->ref[0]) {
        return;
    }
    check_case_fill(c);
    for (int32_t o = 0; o < node->n_out; o++) {
        if (node->out[o] != GT_NO_VALUE) {
            c->ref[o] = check_calloc(check_bytes(gt__value(c->graph, node->out[o])), 1);
        }
    }
    check_oracle(c->graph, node, c->in, c->ref);
    for (int32_t o = 0; o < node->n_out; o++) {
        if (node->out[o] != GT_NO_VALUE) {
            size_t count = gt__count(check_shape_of(c, node->out[o]));
            c->bound[o] = (double *)check_calloc(count, sizeof(double));
            (family->bound ? family->bound : check_bound_sum)(c, o, c->bound[o]);
        }
    }
}

void check_bound_exact(const struct check_case *c, int32_t out, double *bound)
{
    memset(bound, 0, gt__count(check_shape_of(c, check_tested(c)->out[out])) * sizeof *bound);
}

void check_bound_sum(const struct check_case *c, int32_t out, double *bound)
{
    const struct gt_node *node = check_tested(c);
    if (gt__value(c->graph, node->out[out])->kind == GT_KIND_U8) {
        check_bound_exact(c, out, bound);
        return;
    }
    void *in[GT_MAX_IN] = {0};
    void *y[GT_MAX_OUT] = {0};
    for (int32_t i = 0; i < node->n_in; i++) {
        if (node->in[i] == GT_NO_VALUE) {
            continue;
        }
        const struct gt_value_info *info = gt__value(c->graph, node->in[i]);
        in[i] = check_calloc(check_bytes(info), 1);
        memcpy(in[i], c->in[i], check_bytes(info));
        for (size_t k = 0; info->kind == GT_KIND_F32 && k < gt__count(info->shape); k++) {
            ((double *)in[i])[k] = fabs(((double *)in[i])[k]);
        }
    }
    for (int32_t o = 0; o < node->n_out; o++) {
        if (node->out[o] != GT_NO_VALUE) {
            y[o] = check_calloc(check_bytes(gt__value(c->graph, node->out[o])), 1);
        }
    }
    check_oracle(c->graph, node, in, y);
    for (size_t k = 0; k < gt__count(check_shape_of(c, node->out[out])); k++) {
        bound[k] = (c->terms + 4) * (double)FLT_EPSILON * ((double *)y[out])[k];
    }
    for (int32_t i = 0; i < GT_MAX_IN; i++) {
        free(in[i]);
    }
    for (int32_t o = 0; o < GT_MAX_OUT; o++) {
        free(y[o]);
    }
}
