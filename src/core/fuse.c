/* Pruning, folding of bias and ReLU into the node that produces their input, and of doubling into
 * the MergeCrop that reads it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "core/planner.h"

#include <string.h>

static bool node_in_place(const struct gt_node *node)
{
    for (int32_t i = 0; i < node->n_out; i++) {
        if (gt__node_in_place(node, i)) {
            return true;
        }
    }
    return false;
}

/* readers[v]: nodes that read v, plus one if the caller wants it. */
static void count_readers(const struct gt_graph *g, int32_t *readers)
{
    for (size_t v = 0; v < g->n_values; v++) {
        readers[v] = g->values[v].wanted;
    }
    for (size_t i = 0; i < g->n_nodes; i++) {
        for (int32_t k = 0; k < g->nodes[i].n_in; k++) {
            readers[g->nodes[i].in[k]]++;
        }
    }
    readers[GT_NO_VALUE] = 0;
}

void gt__renumber(struct gt_graph *g)
{
    for (size_t v = 1; v < g->n_values; v++) {
        g->values[v].producer = -1;
    }
    for (size_t i = 0; i < g->n_nodes; i++) {
        for (int32_t k = 0; k < g->nodes[i].n_out; k++) {
            gt_value v = g->nodes[i].out[k];
            if (v != GT_NO_VALUE && !gt__node_in_place(&g->nodes[i], k)) {
                g->values[v].producer = (int32_t)i;
            }
        }
    }
}

gt_status gt__prune(struct gt_graph *g)
{
    int32_t *readers = NULL;
    bool *live = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc(&readers, g->n_values, sizeof *readers, "planner"));
    GT_TRY_OUT(gt__alloc(&live, g->n_nodes + 1, sizeof *live, "planner"));
    for (size_t v = 0; v < g->n_values; v++) {
        readers[v] = g->values[v].wanted;
    }
    for (size_t i = g->n_nodes; i-- > 0;) {
        struct gt_node *node = &g->nodes[i];
        live[i] = node_in_place(node);
        for (int32_t k = 0; k < node->n_out; k++) {
            live[i] |= readers[node->out[k]] > 0;
        }
        for (int32_t k = 0; live[i] && k < node->n_in; k++) {
            readers[node->in[k]] += node->in[k] != GT_NO_VALUE;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        if (!live[i]) {
            continue;
        }
        struct gt_node node = g->nodes[i];
        for (int32_t k = 0; k < node.n_out; k++) {
            if (readers[node.out[k]] == 0 && node.op == GT_OP_maxpool_fwd && k == 1) {
                node.out[k] = GT_NO_VALUE; /* inference needs no index map */
            }
        }
        g->nodes[kept++] = node;
    }
    g->n_nodes = kept;
    gt__renumber(g);
out:
    gt__free(live);
    gt__free(readers);
    return status;
}

bool gt__kernel_is_reference(const struct gt_kernel *kernel)
{
    size_t n = strlen(kernel->name);
    return n >= 4 && strcmp(kernel->name + n - 4, "_ref") == 0;
}

static bool accepts_on(const struct gt_device *device, const struct gt_planner *p,
                       const struct gt_node *node, const struct gt_kernel *kernel, unsigned variant,
                       struct gt_plan *plan)
{
    const struct gt_program_extra *extra = p->extra;
    if (kernel->op != node->op) {
        return false;
    }
    if (extra && extra->force && extra->force->op == node->op &&
        (extra->force != kernel ||
         (extra->force_variant >= 0 && variant != (unsigned)extra->force_variant))) {
        return false;
    }
    return kernel->plan(device, p->graph, node, variant, plan) &&
           !(p->deterministic && (plan->flags & GT_PLAN_UNORDERED)) &&
           (p->bf16 || !(plan->flags & GT_PLAN_BF16));
}

bool gt__kernel_accepts(const struct gt_planner *p, const struct gt_node *node,
                        const struct gt_kernel *kernel, unsigned variant, struct gt_plan *plan)
{
    return accepts_on(p->device, p, node, kernel, variant, plan);
}

bool gt__host_accepts(const struct gt_planner *p, const struct gt_node *node,
                      const struct gt_kernel *kernel, unsigned variant, struct gt_plan *plan)
{
    return accepts_on(p->host, p, node, kernel, variant, plan);
}

static bool some_kernel_accepts(const struct gt_planner *p, const struct gt_node *node)
{
    for (const struct gt_kernel *const *k = p->device->backend->kernels; *k; k++) {
        for (unsigned v = 0; v < (*k)->n_variants && !gt__kernel_is_reference(*k); v++) {
            struct gt_plan plan = {0};
            if (gt__kernel_accepts(p, node, *k, v, &plan)) {
                return true;
            }
        }
    }
    return false;
}

/* The node with the epilogue of its only reader added; false if that is no bias or ReLU in reach.
 * */
static bool with_epilogue(struct gt_node *out, const struct gt_node *node,
                          const struct gt_node *reader)
{
    *out = *node;
    if (reader->in[0] != node->out[0] || (node->epilogue & GT_EPILOGUE_RELU)) {
        return false;
    }
    if (reader->op == GT_OP_bias_fwd && !(node->epilogue & GT_EPILOGUE_BIAS)) {
        out->in[2] = reader->in[1];
        out->n_in = 3;
        out->epilogue |= GT_EPILOGUE_BIAS;
    } else if (reader->op == GT_OP_relu_fwd) {
        out->epilogue |= GT_EPILOGUE_RELU;
    } else {
        return false;
    }
    out->out[0] = reader->out[0];
    return true;
}

static size_t find_reader(const struct gt_graph *g, size_t from, gt_value v)
{
    for (size_t i = from; i < g->n_nodes; i++) {
        for (int32_t k = 0; k < g->nodes[i].n_in; k++) {
            if (g->nodes[i].in[k] == v) {
                return i;
            }
        }
    }
    return g->n_nodes;
}

static void remove_node(struct gt_graph *g, size_t i)
{
    memmove(&g->nodes[i], &g->nodes[i + 1], (g->n_nodes - i - 1) * sizeof *g->nodes);
    g->n_nodes--;
}

gt_status gt__fuse(struct gt_planner *p)
{
    struct gt_graph *g = p->graph;
    int32_t *readers = NULL;
    GT_TRY(gt__alloc(&readers, g->n_values, sizeof *readers, "planner"));
    count_readers(g, readers);
    for (size_t i = 0; i < g->n_nodes; i++) {
        while (g->nodes[i].op == GT_OP_conv2d_fwd && readers[g->nodes[i].out[0]] == 1) {
            size_t r = find_reader(g, i + 1, g->nodes[i].out[0]);
            struct gt_node fused;
            if (r == g->n_nodes || !with_epilogue(&fused, &g->nodes[i], &g->nodes[r]) ||
                !some_kernel_accepts(p, &fused)) {
                break;
            }
            g->nodes[i] = fused;
            remove_node(g, r);
        }
    }
    gt__free(readers);
    gt__renumber(g);
    return GT_OK;
}

gt_status gt__fold_doubling(struct gt_planner *p)
{
    struct gt_graph *g = p->graph;
    int32_t *readers = NULL;
    GT_TRY(gt__alloc(&readers, g->n_values, sizeof *readers, "planner"));
    count_readers(g, readers);
    for (size_t i = 0; i < g->n_nodes;) {
        gt_value doubled = g->nodes[i].out[0];
        size_t r = g->n_nodes;
        if (g->nodes[i].op == GT_OP_upsample_fwd && readers[doubled] == 1) {
            r = find_reader(g, i + 1, doubled);
        }
        if (r == g->n_nodes || g->nodes[r].op != GT_OP_mergecrop_fwd ||
            g->nodes[r].in[0] != doubled) {
            i++;
            continue;
        }
        struct gt_node fused = g->nodes[r];
        fused.in[0] = g->nodes[i].in[0];
        fused.epilogue |= GT_PROLOGUE_DOUBLE;
        if (!some_kernel_accepts(p, &fused)) {
            i++;
            continue;
        }
        g->nodes[r] = fused;
        remove_node(g, i);
    }
    gt__free(readers);
    gt__renumber(g);
    return GT_OK;
}
