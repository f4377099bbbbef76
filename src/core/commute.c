/* A 1x1 convolution after nearest-neighbour doubling is the doubling of that convolution, at a
 * quarter of the operations. SPDX-License-Identifier: BSD-2-Clause
 *
 * Forward   u = double(x), v = conv(u)          becomes  l = conv(x), v = double(l);
 *           bias and ReLU of the convolution's epilogue stay with it.
 * Backward  dw = weight(u, dv), du = data(dv),  becomes  dl = sum2x2(dv), dw = weight(x, dl),
 *           dx = sum2x2(du)                              dx = data(dl)
 * where nobody else reads u or du. Nodes change places with each other; none is added. */
#include "core/planner.h"

/* The nodes of one place in the graph. */
struct doubling {
    size_t up, conv;             /* forward */
    bool trained;                /* the rest exists: */
    size_t weight, data, up_bwd; /* backward, in this order */
};

static bool is_1x1(const struct gt_node *node)
{
    return node->attr.kernel_h == 1 && node->attr.kernel_w == 1;
}

/* Nodes that read v, at most `room` of them in out; more than that, or an output: false. */
static bool readers_of(size_t *out, size_t *n, size_t room, const struct gt_graph *g, gt_value v)
{
    *n = 0;
    if (g->values[v].wanted) {
        return false;
    }
    for (size_t i = 0; i < g->n_nodes; i++) {
        for (int32_t k = 0; k < g->nodes[i].n_in; k++) {
            if (g->nodes[i].in[k] == v) {
                if (*n == room) {
                    return false;
                }
                out[(*n)++] = i;
            }
        }
    }
    return true;
}

/* The backward nodes that belong to weight gradient m. */
static bool find_backward(struct doubling *d, const struct gt_graph *g, size_t m)
{
    gt_value dv = g->nodes[m].in[1];
    gt_value dw = g->nodes[m].out[0];
    size_t readers[1];
    size_t n = 0;
    for (size_t i = m + 1; i < g->n_nodes; i++) {
        const struct gt_node *node = &g->nodes[i];
        for (int32_t k = 0; k < node->n_in; k++) {
            if (node->in[k] == dw) {
                return false; /* dw is wanted before the data gradient was found */
            }
        }
        if (node->op != GT_OP_conv2d_bwd_data || node->in[0] != dv ||
            node->in[1] != g->nodes[d->conv].in[1]) {
            continue;
        }
        if (!readers_of(readers, &n, 1, g, node->out[0]) || n != 1 ||
            g->nodes[readers[0]].op != GT_OP_upsample_bwd || readers[0] != i + 1) {
            return false;
        }
        d->trained = true;
        d->weight = m;
        d->data = i;
        d->up_bwd = i + 1;
        return true;
    }
    return false;
}

/* Does a node between the two, which change places, compute something that the later one reads? */
static bool reads_between(const struct gt_graph *g, size_t up, size_t conv)
{
    const struct gt_node *reader = &g->nodes[conv];
    for (size_t i = up + 1; i < conv; i++) {
        for (int32_t o = 0; o < g->nodes[i].n_out; o++) {
            for (int32_t k = 0; k < reader->n_in; k++) {
                if (reader->in[k] != GT_NO_VALUE && reader->in[k] == g->nodes[i].out[o]) {
                    return true;
                }
            }
        }
    }
    return false;
}

static bool find(struct doubling *d, const struct gt_graph *g, size_t up)
{
    size_t readers[2];
    size_t n = 0;
    *d = (struct doubling){.up = up};
    if (g->nodes[up].op != GT_OP_upsample_fwd ||
        !readers_of(readers, &n, 2, g, g->nodes[up].out[0]) || n == 0) {
        return false;
    }
    d->conv = readers[0];
    if (g->nodes[d->conv].op != GT_OP_conv2d_fwd || !is_1x1(&g->nodes[d->conv]) ||
        reads_between(g, up, d->conv)) {
        return false;
    }
    return n == 1 ||
           (g->nodes[readers[1]].op == GT_OP_conv2d_bwd_weight &&
            g->nodes[readers[1]].in[0] == g->nodes[up].out[0] && find_backward(d, g, readers[1]));
}

/* A value as large as v at half the height and width. */
static gt_status half_of(gt_value *out, struct gt_graph *g, gt_value v)
{
    gt_shape s = gt__value(g, v)->shape;
    s.h /= 2;
    s.w /= 2;
    return gt__graph_value(out, g, s, GT_KIND_F32, GT_ROLE_INNER, "");
}

static gt_status rewrite(struct gt_graph *g, const struct doubling *d)
{
    gt_value low = GT_NO_VALUE;
    gt_value dlow = GT_NO_VALUE;
    struct gt_node up = g->nodes[d->up];
    struct gt_node conv = g->nodes[d->conv];
    gt_value x = up.in[0];
    GT_TRY(half_of(&low, g, conv.out[0]));
    if (d->trained) {
        struct gt_node weight = g->nodes[d->weight];
        struct gt_node data = g->nodes[d->data];
        struct gt_node up_bwd = g->nodes[d->up_bwd];
        GT_TRY(half_of(&dlow, g, weight.in[1]));
        data.out[0] = up_bwd.out[0];
        up_bwd.in[0] = weight.in[1];
        up_bwd.out[0] = dlow;
        weight.in[0] = x;
        weight.in[1] = dlow;
        data.in[0] = dlow;
        g->nodes[d->weight] = up_bwd;
        g->nodes[d->data] = weight;
        g->nodes[d->up_bwd] = data;
    }
    up.out[0] = conv.out[0];
    up.in[0] = low;
    conv.in[0] = x;
    conv.out[0] = low;
    g->nodes[d->up] = conv;
    g->nodes[d->conv] = up;
    return GT_OK;
}

gt_status gt__commute(struct gt_graph *g)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        struct doubling d;
        if (find(&d, g, i)) {
            GT_TRY(rewrite(g, &d));
        }
    }
    gt__renumber(g);
    return GT_OK;
}
