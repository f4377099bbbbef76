/* Evaluates nodes and graphs with the references compiled in double.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend_cpu/ref/ref.h"

typedef gt_status (*oracle_fn)(struct gt_device *, const struct gt_step *);
static const oracle_fn oracles[GT_OP_COUNT] = {
#define GT_OP(name) gt__##name##_ref_f64,
#include "core/ops.def"
#undef GT_OP
};

void *check_calloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory) {
        fail_msg("the test itself is out of memory");
    }
    return memory;
}

size_t check_bytes(const struct gt_value_info *info)
{
    return gt__count(info->shape) * (info->kind == GT_KIND_U8 ? 1 : sizeof(double));
}

static struct gt_view view_of(struct gt_buffer *buffer, const struct gt_value_info *info,
                              void *data)
{
    *buffer = (struct gt_buffer){.size = check_bytes(info), .host = data};
    gt_layout layout = GT_LAYOUT_NCHW;
    layout.kind = info->kind;
    return (struct gt_view){
        .buffer = buffer, .size = buffer->size, .shape = info->shape, .layout = layout};
}

static void apply_epilogue(const struct gt_node *node, gt_shape s, const double *bias, double *y)
{
    size_t plane = (size_t)s.h * (size_t)s.w;
    for (size_t i = 0; i < gt__count(s); i++) {
        if (node->epilogue & GT_EPILOGUE_BIAS) {
            y[i] += bias[i / plane % (size_t)s.c];
        }
        if (node->epilogue & GT_EPILOGUE_RELU) {
            y[i] = y[i] < 0 ? 0 : y[i];
        }
    }
}

/* Nearest doubling of a view in NCHW into memory that the caller frees. */
static void apply_prologue(struct gt_view *view, struct gt_buffer *buffer)
{
    gt_shape s = view->shape;
    const double *x = (const double *)view->buffer->host;
    size_t width = (size_t)s.w;
    double *doubled = (double *)check_calloc(4 * gt__count(s), sizeof *doubled);
    for (size_t i = 0; i < 4 * gt__count(s); i++) {
        size_t row = i / (2 * width);
        doubled[i] = x[row / 2 * width + i % (2 * width) / 2];
    }
    view->shape.h *= 2;
    view->shape.w *= 2;
    view->size *= 4;
    *buffer = (struct gt_buffer){.size = view->size, .host = doubled};
    view->buffer = buffer;
}

void check_oracle(const struct gt_graph *g, const struct gt_node *node, void *const in[],
                  void *const out[])
{
    struct gt_node plain = *node;
    plain.epilogue = 0;
    if (node->epilogue & GT_EPILOGUE_BIAS) {
        plain.n_in--;
        plain.in[plain.n_in] = GT_NO_VALUE;
    }
    struct gt_buffer buffers[GT_MAX_IN + GT_MAX_OUT];
    struct gt_step step = {.node = &plain, .pack = true};
    for (int32_t i = 0; i < plain.n_in; i++) {
        if (plain.in[i] != GT_NO_VALUE) {
            step.in[i] = view_of(&buffers[i], gt__value(g, plain.in[i]), in[i]);
        }
    }
    for (int32_t o = 0; o < plain.n_out; o++) {
        if (plain.out[o] == GT_NO_VALUE) {
            continue;
        }
        const struct gt_value_info *info = gt__value(g, plain.out[o]);
        step.out[o] = view_of(&buffers[GT_MAX_IN + o], info, out[o]);
        for (int32_t i = 0; i < plain.n_in; i++) {
            if (plain.in[i] == plain.out[o]) {
                if (out[o] != in[i]) {
                    memcpy(out[o], in[i], check_bytes(info));
                }
                step.in[i] = step.out[o];
            }
        }
    }
    struct gt_buffer doubled = {.host = NULL};
    if (node->epilogue & GT_PROLOGUE_DOUBLE) {
        apply_prologue(&step.in[0], &doubled);
    }
    assert_int_equal(oracles[node->op](NULL, &step), GT_OK);
    free(doubled.host);
    if (node->epilogue) {
        const double *bias =
            node->epilogue & GT_EPILOGUE_BIAS ? (const double *)in[node->n_in - 1] : NULL;
        apply_epilogue(node, gt__value(g, node->out[0])->shape, bias, (double *)out[0]);
    }
}

struct check_values check_values_create(const struct gt_graph *g)
{
    struct check_values v = {.graph = g};
    v.data = (void **)check_calloc(g->n_values, sizeof *v.data);
    for (size_t i = 1; i < g->n_values; i++) {
        v.data[i] = check_calloc(check_bytes(&g->values[i]), 1);
    }
    return v;
}

void check_values_free(struct check_values *v)
{
    for (size_t i = 0; v->data && i < v->graph->n_values; i++) {
        free(v->data[i]);
    }
    free(v->data);
    *v = (struct check_values){0};
}

void check_values_run(struct check_values *v, size_t first, size_t n_nodes, bool round)
{
    for (size_t i = first; i < n_nodes; i++) {
        const struct gt_node *node = &v->graph->nodes[i];
        void *in[GT_MAX_IN] = {0};
        void *out[GT_MAX_OUT] = {0};
        for (int32_t k = 0; k < node->n_in; k++) {
            in[k] = v->data[node->in[k]];
        }
        for (int32_t k = 0; k < node->n_out; k++) {
            out[k] = v->data[node->out[k]];
        }
        check_oracle(v->graph, node, in, out);
        for (int32_t k = 0; round && k < node->n_out; k++) {
            const struct gt_value_info *info = gt__value(v->graph, node->out[k]);
            if (node->out[k] != GT_NO_VALUE && info->kind == GT_KIND_F32) {
                double *y = check_f64(v, node->out[k]);
                for (size_t j = 0; j < gt__count(info->shape); j++) {
                    y[j] = (double)(float)y[j];
                }
            }
        }
    }
}
