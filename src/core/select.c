/* Choice of kernels and layouts: dynamic programming along the chains of a graph, then sweeps that
 * settle the places where chains meet (skip connections, gradients that read forward values).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "core/tune.h"

#include <math.h>
#include <string.h>

#define MAX_LAYOUTS 16
#define MAX_SWEEPS 8

/* Layouts that some kernel of the graph asked for; kernels that take ANY are offered each of them.
 * */
struct layout_set {
    gt_layout layouts[MAX_LAYOUTS];
    size_t n;
};

static void layout_set_add(struct layout_set *set, gt_layout l)
{
    l.kind = GT_KIND_F32;
    for (size_t i = 0; i < set->n; i++) {
        if (gt__layout_equal(set->layouts[i], l)) {
            return;
        }
    }
    if (set->n < MAX_LAYOUTS && !gt__layout_is_any(l)) {
        set->layouts[set->n++] = l;
    }
}

/* Parameters, state, scalars and hyper-parameters are plain everywhere. */
static bool always_plain(const struct gt_graph *g, gt_value v)
{
    const struct gt_value_info *info = gt__value(g, v);
    return info->role == GT_ROLE_PARAM || info->role == GT_ROLE_STATE ||
           gt__count(info->shape) == 1;
}

static bool plan_is_any(const struct gt_graph *g, const struct gt_node *node,
                        const struct gt_plan *plan)
{
    for (int32_t i = 0; i < node->n_in; i++) {
        if (node->in[i] != GT_NO_VALUE && !always_plain(g, node->in[i])) {
            return gt__layout_is_any(plan->in[i]);
        }
    }
    return false;
}

/* Replace ANY by `l` (plain where only that exists) and give every layout the kind of its value. */
static void resolve(const struct gt_graph *g, const struct gt_node *node, struct gt_plan *plan,
                    gt_layout l)
{
    for (int32_t i = 0; i < node->n_in + node->n_out; i++) {
        bool input = i < node->n_in;
        gt_value v = input ? node->in[i] : node->out[i - node->n_in];
        gt_layout *slot = input ? &plan->in[i] : &plan->out[i - node->n_in];
        if (v == GT_NO_VALUE) {
            *slot = GT_LAYOUT_NCHW;
            continue;
        }
        if (gt__layout_is_any(*slot)) {
            *slot = always_plain(g, v) ? GT_LAYOUT_NCHW : l;
        }
        slot->kind = gt__value(g, v)->kind;
    }
}

/* Deterministic plans ignore measurements: they must not depend on what was measured where. */
static gt_status add_option(struct gt_choice *c, const struct gt_planner *p,
                            const struct gt_node *node, const struct gt_kernel *kernel,
                            unsigned variant, const struct gt_plan *plan)
{
    GT_TRY(gt__grow(&c->options, &c->options_capacity, c->n_options + 1, sizeof *c->options,
                    "planner"));
    struct gt_option *option = &c->options[c->n_options++];
    *option = (struct gt_option){.kernel = kernel, .variant = variant, .plan = *plan};
    if (!p->deterministic) {
        gt__tune_cost(p, node, option);
    }
    return GT_OK;
}

static gt_status add_variant(struct gt_choice *c, const struct gt_planner *p,
                             const struct layout_set *set, const struct gt_node *node,
                             const struct gt_kernel *kernel, unsigned variant)
{
    struct gt_plan plan = {0};
    if (!gt__kernel_accepts(p, node, kernel, variant, &plan)) {
        return GT_OK;
    }
    if (!plan_is_any(p->graph, node, &plan)) {
        resolve(p->graph, node, &plan, GT_LAYOUT_NCHW);
        return add_option(c, p, node, kernel, variant, &plan);
    }
    for (size_t i = 0; i < set->n; i++) {
        struct gt_plan concrete = {0};
        resolve(p->graph, node, &concrete, set->layouts[i]);
        if (kernel->plan(p->device, p->graph, node, variant, &concrete)) {
            resolve(p->graph, node, &concrete, set->layouts[i]);
            GT_TRY(add_option(c, p, node, kernel, variant, &concrete));
        }
    }
    return GT_OK;
}

/* Keep only options of one order of sums (see GT_PLAN_OTHER_ORDER). */
static void keep_one_order(struct gt_choice *c, size_t from)
{
    bool other = false;
    for (size_t i = from; i < c->n_options; i++) {
        other |= (c->options[i].plan.flags & GT_PLAN_OTHER_ORDER) != 0;
    }
    size_t kept = from;
    for (size_t i = from; i < c->n_options; i++) {
        if (!other || (c->options[i].plan.flags & GT_PLAN_OTHER_ORDER)) {
            c->options[kept++] = c->options[i];
        }
    }
    c->n_options = kept;
}

static bool is_plain(const struct gt_node *node, const struct gt_plan *plan)
{
    bool plain = true;
    for (int32_t i = 0; i < node->n_in; i++) {
        plain = plain && plan->in[i].block == 1 && plan->in[i].phase == 1;
    }
    for (int32_t i = 0; i < node->n_out; i++) {
        plain = plain && plan->out[i].block == 1 && plan->out[i].phase == 1;
    }
    return plain;
}

/* Can the kernel run the node on the CPU beside the device, where everything is plain? Packed
 * weights would have to be kept there: such kernels are left out. */
static bool host_plan(struct gt_plan *out, const struct gt_planner *p, const struct gt_node *node,
                      const struct gt_kernel *kernel, unsigned variant)
{
    struct gt_plan plan = {0};
    if (!gt__host_accepts(p, node, kernel, variant, &plan)) {
        return false;
    }
    if (plan_is_any(p->graph, node, &plan)) {
        plan = (struct gt_plan){.cost = 0.0};
        resolve(p->graph, node, &plan, GT_LAYOUT_NCHW);
        if (!kernel->plan(p->host, p->graph, node, variant, &plan)) {
            return false;
        }
    }
    resolve(p->graph, node, &plan, GT_LAYOUT_NCHW);
    plan.cost += gt__host_cost(p->graph, node);
    *out = plan;
    return plan.packed == 0 && is_plain(node, &plan);
}

/* The first kernel that can is the best. */
static gt_status add_host_option(struct gt_choice *c, const struct gt_planner *p,
                                 const struct gt_node *node)
{
    struct gt_plan plan;
    for (const struct gt_kernel *const *k = p->host->backend->kernels; *k; k++) {
        for (unsigned v = 0; v < (*k)->n_variants; v++) {
            if (host_plan(&plan, p, node, *k, v)) {
                GT_TRY(gt__grow(&c->options, &c->options_capacity, c->n_options + 1,
                                sizeof *c->options, "planner"));
                c->options[c->n_options++] = (struct gt_option){*k, v, plan, true};
                return GT_OK;
            }
        }
    }
    return GT_OK;
}

/* A deterministic plan must not depend on sizes: only the first kernel that accepts is offered. */
static gt_status add_node_options(struct gt_choice *c, const struct gt_planner *p,
                                  const struct layout_set *set, const struct gt_node *node)
{
    size_t before = c->n_options;
    for (const struct gt_kernel *const *k = p->device->backend->kernels; *k; k++) {
        for (unsigned v = 0; v < (*k)->n_variants; v++) {
            GT_TRY(add_variant(c, p, set, node, *k, v));
        }
        if (p->deterministic && c->n_options > before) {
            keep_one_order(c, before);
            break;
        }
    }
    if (c->n_options == before && p->host) {
        GT_TRY(add_host_option(c, p, node));
    }
    if (c->n_options == before) {
        return gt__fail(GT_ENOTSUP, "no kernel of device %s can run operation %s",
                        p->device->info.name, gt__ops[node->op]->name);
    }
    return GT_OK;
}

static void collect_layouts(struct layout_set *set, const struct gt_planner *p)
{
    layout_set_add(set, GT_LAYOUT_NCHW);
    for (size_t i = 0; i < p->graph->n_nodes; i++) {
        const struct gt_node *node = &p->graph->nodes[i];
        for (const struct gt_kernel *const *k = p->device->backend->kernels; *k; k++) {
            for (unsigned v = 0; v < (*k)->n_variants; v++) {
                struct gt_plan plan = {0};
                if (gt__kernel_accepts(p, node, *k, v, &plan)) {
                    for (int32_t j = 0; j < node->n_in; j++) {
                        layout_set_add(set, plan.in[j]);
                    }
                    for (int32_t j = 0; j < node->n_out; j++) {
                        layout_set_add(set, plan.out[j]);
                    }
                }
            }
        }
    }
}

double gt__reorder_cost(const struct gt_option **best, struct gt_option *storage,
                        const struct gt_planner *p, gt_value v, gt_layout from, gt_layout to)
{
    struct gt_node node = {.op = GT_OP_reorder, .n_in = 1, .n_out = 1, .in = {v}, .out = {v}};
    double least = -1.0;
    if (gt__layout_equal(from, to)) {
        return 0.0;
    }
    for (const struct gt_kernel *const *k = p->device->backend->kernels; *k; k++) {
        for (unsigned i = 0; (*k)->op == GT_OP_reorder && i < (*k)->n_variants; i++) {
            struct gt_plan plan = {.in = {from}, .out = {to}};
            if (gt__kernel_accepts(p, &node, *k, i, &plan) && (least < 0.0 || plan.cost < least)) {
                least = plan.cost;
                plan.in[0] = from;
                plan.out[0] = to;
                *storage = (struct gt_option){.kernel = *k, .variant = i, .plan = plan};
                *best = storage;
            }
        }
    }
    return least;
}

static double move_cost(const struct gt_planner *p, gt_value v, gt_layout from, gt_layout to)
{
    const struct gt_option *best = NULL;
    struct gt_option storage;
    double cost = gt__reorder_cost(&best, &storage, p, v, from, to);
    return cost < 0.0 ? 1e9 : cost;
}

/* Where the value stands: layout of output `slot` of its producer under option o; inputs are
 * plain. */
static gt_layout produced(const struct gt_planner *p, const struct gt_choice *c, gt_value v,
                          size_t option)
{
    int32_t producer = gt__value(p->graph, v)->producer;
    const struct gt_node *node = &p->graph->nodes[producer];
    for (int32_t k = 0; k < node->n_out; k++) {
        if (node->out[k] == v) {
            return c->options[option].plan.out[k];
        }
    }
    return GT_LAYOUT_NCHW;
}

static gt_layout standing(const struct gt_planner *p, const struct gt_choice *c, gt_value v)
{
    int32_t producer = gt__value(p->graph, v)->producer;
    gt_layout plain = {1, 1, gt__value(p->graph, v)->kind};
    return producer < 0 ? plain : produced(p, c, v, c->chosen[producer]);
}

/* Bytes that come on top of the largest memory that values ask for anyway, at node i. */
static size_t above(const struct gt_choice *c, size_t i, size_t bytes)
{
    return bytes > c->spare[i] ? bytes - c->spare[i] : 0;
}

/* Seconds of an option of node i, memory included at the present rate. */
static double price(const struct gt_choice *c, size_t i, size_t o)
{
    const struct gt_plan *plan = &c->options[o].plan;
    if (c->rate <= 0.0 || c->options[o].host) {
        return plan->cost;
    }
    return plan->cost + c->rate * ((double)plan->packed + (double)above(c, i, plan->scratch));
}

/* The same of value v brought into another layout for node i. */
static double move_price(const struct gt_planner *p, const struct gt_choice *c, size_t i,
                         gt_value v, gt_layout from, gt_layout to)
{
    size_t bytes = 0;
    double cost = move_cost(p, v, from, to);
    if (c->rate > 0.0 && cost > 0.0 &&
        gt__layout_bytes(&bytes, gt__value(p->graph, v)->shape, to)) {
        cost += c->rate * (double)above(c, i, bytes);
    }
    return cost;
}

struct search {
    double *best;      /* [n_options]: cost of the chain that ends here */
    size_t *back;      /* [n_options * GT_MAX_IN]: producer's option, by input */
    int32_t *consumer; /* [n_nodes]: first node that reads a result of this one, -1 */
};

static void search_free(struct search *s)
{
    gt__free(s->best);
    gt__free(s->back);
    gt__free(s->consumer);
}

static size_t cheapest(const struct gt_choice *c, const struct search *s, size_t node)
{
    size_t best = c->first[node];
    for (size_t o = c->first[node]; o < c->first[node + 1]; o++) {
        if (s->best[o] < s->best[best]) {
            best = o;
        }
    }
    return best;
}

/* Best way to get input k of node i for option o, through the producer's options if i is its first
 * consumer. */
static double input_cost(const struct gt_planner *p, const struct gt_choice *c, struct search *s,
                         size_t i, size_t o, int32_t k)
{
    gt_value v = p->graph->nodes[i].in[k];
    gt_layout to = c->options[o].plan.in[k];
    if (v == GT_NO_VALUE) {
        return 0.0;
    }
    int32_t m = gt__value(p->graph, v)->producer;
    if (m < 0) {
        return move_price(p, c, i, v, (gt_layout){1, 1, to.kind}, to);
    }
    if (s->consumer[m] != (int32_t)i) {
        return move_price(p, c, i, v, produced(p, c, v, cheapest(c, s, (size_t)m)), to);
    }
    double least = INFINITY;
    for (size_t q = c->first[m]; q < c->first[m + 1]; q++) {
        double cost = s->best[q] + move_price(p, c, i, v, produced(p, c, v, q), to);
        if (cost < least) {
            least = cost;
            s->back[o * GT_MAX_IN + (size_t)k] = q;
        }
    }
    return least;
}

static gt_status chains(struct gt_choice *c, const struct gt_planner *p)
{
    const struct gt_graph *g = p->graph;
    struct search s = {0};
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc(&s.best, c->n_options, sizeof *s.best, "planner"));
    GT_TRY_OUT(gt__alloc(&s.back, c->n_options, GT_MAX_IN * sizeof *s.back, "planner"));
    GT_TRY_OUT(gt__alloc(&s.consumer, g->n_nodes, sizeof *s.consumer, "planner"));
    for (size_t i = 0; i < g->n_nodes; i++) {
        s.consumer[i] = -1;
        for (int32_t k = 0; k < g->nodes[i].n_in; k++) {
            int32_t m = g->nodes[i].in[k] ? gt__value(g, g->nodes[i].in[k])->producer : -1;
            if (m >= 0 && s.consumer[m] < 0) {
                s.consumer[m] = (int32_t)i;
            }
        }
        for (size_t o = c->first[i]; o < c->first[i + 1]; o++) {
            s.best[o] = price(c, i, o);
            for (int32_t k = 0; k < g->nodes[i].n_in; k++) {
                s.best[o] += input_cost(p, c, &s, i, o, k);
            }
        }
    }
    for (size_t i = 0; i < g->n_nodes; i++) {
        c->chosen[i] = SIZE_MAX;
    }
    for (size_t i = g->n_nodes; i-- > 0;) {
        if (c->chosen[i] == SIZE_MAX) {
            c->chosen[i] = cheapest(c, &s, i);
        }
        for (int32_t k = 0; k < g->nodes[i].n_in; k++) {
            int32_t m = g->nodes[i].in[k] ? gt__value(g, g->nodes[i].in[k])->producer : -1;
            if (m >= 0 && s.consumer[m] == (int32_t)i && c->chosen[m] == SIZE_MAX) {
                c->chosen[m] = s.back[c->chosen[i] * GT_MAX_IN + (size_t)k];
            }
        }
    }
out:
    search_free(&s);
    return status;
}

/* Cost of node i with option o while everything else stays as chosen. */
static double local_cost(const struct gt_planner *p, const struct gt_choice *c, size_t i, size_t o)
{
    const struct gt_graph *g = p->graph;
    const struct gt_node *node = &g->nodes[i];
    const struct gt_plan *plan = &c->options[o].plan;
    double cost = price(c, i, o);
    for (int32_t k = 0; k < node->n_in; k++) {
        if (node->in[k] != GT_NO_VALUE) {
            cost += move_price(p, c, i, node->in[k], standing(p, c, node->in[k]), plan->in[k]);
        }
    }
    for (int32_t k = 0; k < node->n_out; k++) {
        gt_value v = node->out[k];
        if (v == GT_NO_VALUE || gt__value(g, v)->producer != (int32_t)i) {
            continue;
        }
        if (g->values[v].wanted) {
            cost += move_cost(p, v, plan->out[k], (gt_layout){1, 1, g->values[v].kind});
        }
        for (size_t r = i + 1; r < g->n_nodes; r++) {
            for (int32_t j = 0; j < g->nodes[r].n_in; j++) {
                if (g->nodes[r].in[j] == v) {
                    cost +=
                        move_price(p, c, r, v, plan->out[k], c->options[c->chosen[r]].plan.in[j]);
                }
            }
        }
    }
    return cost;
}

static void sweeps(struct gt_choice *c, const struct gt_planner *p)
{
    bool changed = true;
    for (int sweep = 0; sweep < MAX_SWEEPS && changed; sweep++) {
        changed = false;
        for (size_t i = 0; i < p->graph->n_nodes; i++) {
            double least = local_cost(p, c, i, c->chosen[i]);
            for (size_t o = c->first[i]; o < c->first[i + 1]; o++) {
                double cost = o == c->chosen[i] ? least : local_cost(p, c, i, o);
                if (cost < least * (1.0 - 1e-9)) {
                    least = cost;
                    c->chosen[i] = o;
                    changed = true;
                }
            }
        }
    }
}

void gt__choice_free(struct gt_choice *choice)
{
    gt__free(choice->options);
    gt__free(choice->first);
    gt__free(choice->chosen);
    gt__free(choice->spare);
    memset(choice, 0, sizeof *choice);
}

static bool changes_weights(const struct gt_graph *g)
{
    bool changes = false;
    for (size_t i = 0; i < g->n_nodes; i++) {
        enum gt_op op = g->nodes[i].op;
        changes |= op == GT_OP_sgd_update || op == GT_OP_adamw_update;
    }
    return changes;
}

gt_status gt__select(struct gt_choice *out, struct gt_planner *p)
{
    struct gt_choice c = {0};
    struct layout_set set = {.n = 0};
    size_t n = p->graph->n_nodes;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc(&c.first, n + 1, sizeof *c.first, "planner"));
    GT_TRY_OUT(gt__alloc(&c.chosen, n + 1, sizeof *c.chosen, "planner"));
    GT_TRY_OUT(gt__alloc(&c.spare, n + 1, sizeof *c.spare, "planner"));
    collect_layouts(&set, p);
    for (size_t i = 0; i < n; i++) {
        c.first[i] = c.n_options;
        GT_TRY_OUT(add_node_options(&c, p, &set, &p->graph->nodes[i]));
    }
    c.first[n] = c.n_options;
    bool fills = changes_weights(p->graph);
    for (size_t o = 0; fills && o < c.n_options; o++) {
        c.options[o].plan.cost += c.options[o].plan.fill;
    }
    GT_TRY_OUT(gt__select_again(&c, p, 0.0));
    *out = c;
    return GT_OK;
out:
    gt__choice_free(&c);
    return status;
}

gt_status gt__select_again(struct gt_choice *c, const struct gt_planner *p, double rate)
{
    c->rate = rate;
    GT_TRY(chains(c, p));
    sweeps(c, p);
    return GT_OK;
}
