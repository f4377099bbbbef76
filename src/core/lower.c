/* From a graph to placed steps: prune, fuse, select, insert reorders, lay out memory.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "core/choice.h"
#include "core/program_internal.h"
#include "core/tune.h"

#include <string.h>

/* The steps under construction: a node and how it runs. */
struct lowering {
    const struct gt_program *program; /* that will be made */
    struct gt_planner planner;
    struct gt_choice choice;
    struct gt_graph *out;  /* nodes with reorders between them */
    struct gt_option *how; /* one per node of `out` */
    size_t how_capacity;
    gt_layout *layouts; /* one per value of `out` */
    size_t layouts_capacity;
    gt_value *copies; /* next copy of the same value in another layout, a list per value */
    size_t copies_capacity;
    int32_t layer, backward; /* of reorders: those of the node that reads them */
};

static gt_status set_layout(struct lowering *l, gt_value v, gt_layout layout)
{
    size_t need = (size_t)v + 1;
    GT_TRY(gt__grow(&l->layouts, &l->layouts_capacity, need, sizeof *l->layouts, "planner"));
    GT_TRY(gt__grow(&l->copies, &l->copies_capacity, need, sizeof *l->copies, "planner"));
    l->layouts[v] = layout;
    return GT_OK;
}

static gt_status append_step(struct lowering *l, const struct gt_node *node,
                             const struct gt_option *how)
{
    struct gt_graph *g = l->out;
    GT_TRY(gt__grow(&g->nodes, &g->nodes_capacity, g->n_nodes + 1, sizeof *g->nodes, "planner"));
    GT_TRY(gt__grow(&l->how, &l->how_capacity, g->n_nodes + 1, sizeof *l->how, "planner"));
    g->nodes[g->n_nodes] = *node;
    l->how[g->n_nodes] = *how;
    g->n_nodes++;
    return GT_OK;
}

/* The value in the wanted layout: itself, an earlier copy, or a new reorder. */
static gt_status in_layout(gt_value *out, struct lowering *l, gt_value v, gt_layout want)
{
    for (gt_value c = v; c != GT_NO_VALUE; c = l->copies[c]) {
        if (gt__layout_equal(l->layouts[c], want)) {
            *out = c;
            return GT_OK;
        }
    }
    const struct gt_option *best = NULL;
    struct gt_option storage;
    double cost = gt__reorder_cost(&best, &storage, &l->planner, v, l->layouts[v], want);
    if (cost < 0.0 || !best) {
        return gt__fail(GT_ENOTSUP, "no kernel reorders block %d phase %d to block %d phase %d",
                        l->layouts[v].block, l->layouts[v].phase, want.block, want.phase);
    }
    struct gt_value_info info = l->out->values[v];
    gt_value copy = GT_NO_VALUE;
    GT_TRY(gt__graph_value(&copy, l->out, info.shape, info.kind, GT_ROLE_INNER, info.name));
    struct gt_node node = {.op = GT_OP_reorder,
                           .n_in = 1,
                           .n_out = 1,
                           .in = {v},
                           .out = {copy},
                           .backward = l->backward,
                           .layer = l->layer};
    GT_TRY(append_step(l, &node, best));
    GT_TRY(set_layout(l, copy, want));
    l->copies[copy] = l->copies[v];
    l->copies[v] = copy;
    *out = copy;
    return GT_OK;
}

static gt_status lower_node(struct lowering *l, size_t index)
{
    struct gt_node node = l->planner.graph->nodes[index];
    struct gt_option how = l->choice.options[l->choice.chosen[index]];
    l->layer = node.layer;
    l->backward = node.backward;
    for (int32_t k = 0; k < node.n_in; k++) {
        if (node.in[k] != GT_NO_VALUE) {
            GT_TRY(in_layout(&node.in[k], l, node.in[k], how.plan.in[k]));
        }
    }
    for (int32_t k = 0; k < node.n_out; k++) {
        if (node.out[k] != GT_NO_VALUE) {
            GT_TRY(set_layout(l, node.out[k], how.plan.out[k]));
        }
    }
    return append_step(l, &node, &how);
}

static gt_status lower_all(struct lowering *l, struct gt_program *program)
{
    const struct gt_graph *g = l->planner.graph;
    for (size_t v = 1; v < g->n_values; v++) {
        GT_TRY(set_layout(l, (gt_value)v, (gt_layout){1, 1, g->values[v].kind}));
    }
    for (size_t i = 0; i < g->n_nodes; i++) {
        GT_TRY(lower_node(l, i));
    }
    GT_TRY(gt__alloc(&program->homes, 2 * g->n_values + 8 * g->n_nodes + 8, sizeof *program->homes,
                     "planner"));
    for (size_t v = 1; v < g->n_values; v++) {
        if (g->values[v].wanted) {
            gt_layout plain = {1, 1, g->values[v].kind};
            GT_TRY(in_layout(&program->homes[v].readable, l, (gt_value)v, plain));
            l->out->values[program->homes[v].readable].wanted = 1;
        }
    }
    return GT_OK;
}

/* ---- memory ---- */

struct life {
    int32_t first, last; /* steps; last = n_steps for what the caller reads */
    gt_value storage;    /* itself, or the value whose memory it shares */
};

static void find_lives(struct life *lives, const struct gt_graph *g)
{
    int32_t n = (int32_t)g->n_nodes;
    for (size_t v = 1; v < g->n_values; v++) {
        lives[v] = (struct life){n + 1, -1, (gt_value)v};
        if (g->values[v].role == GT_ROLE_INPUT) {
            lives[v].first = 0;
        }
        if (g->values[v].wanted) {
            lives[v].last = n;
        }
    }
    for (int32_t i = 0; i < n; i++) {
        const struct gt_node *node = &g->nodes[i];
        for (int32_t k = 0; k < node->n_in; k++) {
            if (node->in[k] != GT_NO_VALUE && lives[node->in[k]].last < i) {
                lives[node->in[k]].last = i;
            }
        }
        for (int32_t k = 0; k < node->n_out; k++) {
            gt_value v = node->out[k];
            if (v != GT_NO_VALUE) {
                lives[v].first = lives[v].first < i ? lives[v].first : i;
                lives[v].last = lives[v].last > i ? lives[v].last : i;
            }
        }
    }
}

/* Let output 0 take the memory of an input that dies here, where the kernel allows it. */
static void share(struct life *lives, const struct gt_graph *g, const struct gt_home *homes,
                  const struct gt_plan *plans)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct gt_node *node = &g->nodes[i];
        for (int32_t k = 0; k < node->n_in; k++) {
            gt_value from = node->in[k];
            gt_value to = node->out[0];
            if (!(plans[i].inplace & (1u << k)) || from == GT_NO_VALUE || to == GT_NO_VALUE ||
                from == to || lives[to].storage != to || g->values[from].role != GT_ROLE_INNER) {
                continue;
            }
            struct life *owner = &lives[lives[from].storage];
            if (owner->last == (int32_t)i && homes[from].size == homes[to].size &&
                gt__layout_equal(homes[from].layout, homes[to].layout)) {
                lives[to].storage = lives[from].storage;
                owner->last = lives[to].last;
                break;
            }
        }
    }
}

static gt_status value_sizes(struct gt_program *p, const gt_layout *layouts)
{
    const struct gt_graph *g = p->graph;
    size_t kept = 0;
    for (size_t v = 1; v < g->n_values; v++) {
        struct gt_home *home = &p->homes[v];
        home->layout = layouts[v];
        if (!gt__layout_bytes(&home->size, g->values[v].shape, layouts[v]) ||
            home->size > SIZE_MAX / 4) {
            return gt__fail(GT_ENOMEM, "a value of %d x %d x %d x %d is too large",
                            g->values[v].shape.n, g->values[v].shape.c, g->values[v].shape.h,
                            g->values[v].shape.w);
        }
        if (g->values[v].role == GT_ROLE_PARAM || g->values[v].role == GT_ROLE_STATE) {
            home->place = GT_PLACE_KEPT;
            home->offset = kept;
            kept += gt__align_up(home->size, GT_ALIGN);
        }
    }
    p->memory.kept_bytes = kept;
    return GT_OK;
}

/* What the next run's inputs are written into must not be what this run's outputs are read from. */
static void part_outputs(struct life *lives, const struct gt_graph *g)
{
    for (size_t v = 1; v < g->n_values; v++) {
        if (g->values[v].wanted) {
            lives[lives[v].storage].first = 0;
        }
    }
}

static gt_status place_values(struct gt_program *p, struct life *lives, struct gt_block *blocks)
{
    const struct gt_graph *g = p->graph;
    size_t n = g->n_values;
    size_t packed = 0;
    share(lives, g, p->homes, p->plans);
    if (p->ahead) {
        part_outputs(lives, g);
    }
    for (size_t v = 1; v < n; v++) {
        bool used = p->homes[v].place == GT_PLACE_NONE && lives[v].storage == (gt_value)v &&
                    lives[v].last >= 0 && lives[v].first <= lives[v].last;
        blocks[v] =
            (struct gt_block){used ? p->homes[v].size : 0, lives[v].first, lives[v].last, 0};
    }
    for (size_t i = 0; i < g->n_nodes; i++) {
        blocks[n + i] = (struct gt_block){p->plans[i].scratch, (int32_t)i, (int32_t)i, 0};
        p->steps[i].packed.offset = packed;
        p->steps[i].packed.size = p->plans[i].packed;
        packed += gt__align_up(p->plans[i].packed, GT_ALIGN);
        p->memory.seconds += p->plans[i].cost;
    }
    GT_TRY(gt__arena(&p->memory.arena_bytes, blocks, n + g->n_nodes));
    for (size_t v = 1; v < n; v++) {
        struct gt_home *home = &p->homes[v];
        gt_value s = lives[v].storage;
        if (home->place == GT_PLACE_NONE && blocks[s].size > 0) {
            home->place = GT_PLACE_ARENA;
            home->offset = blocks[s].offset;
        }
    }
    for (size_t i = 0; i < g->n_nodes; i++) {
        p->steps[i].scratch.offset = blocks[n + i].offset;
        p->steps[i].scratch.size = p->plans[i].scratch;
    }
    p->memory.packed_bytes = packed;
    return GT_OK;
}

static gt_status layout_memory(struct gt_program *p, const gt_layout *layouts)
{
    size_t n = p->graph->n_values;
    struct life *lives = NULL;
    struct gt_block *blocks = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc(&lives, n, sizeof *lives, "planner"));
    GT_TRY_OUT(gt__alloc(&blocks, n + p->graph->n_nodes, sizeof *blocks, "planner"));
    GT_TRY_OUT(value_sizes(p, layouts));
    find_lives(lives, p->graph);
    GT_TRY_OUT(place_values(p, lives, blocks));
out:
    gt__free(blocks);
    gt__free(lives);
    return status;
}

/* A step on the CPU has its scratch there. */
static void make_twin(struct gt_program *p, size_t i)
{
    struct gt_step *twin = &p->twins[p->n_twins++];
    *twin = p->steps[i];
    twin->scratch.size = p->plans[i].scratch;
    p->plans[i].scratch = 0;
    p->steps[i].twin = twin;
}

static gt_status make_steps(struct gt_program *p, const struct gt_option *how)
{
    size_t n = p->graph->n_nodes;
    size_t hosted = 0;
    for (size_t i = 0; i < n; i++) {
        hosted += how[i].host;
    }
    GT_TRY(gt__alloc(&p->twins, hosted + 1, sizeof *p->twins, "program steps"));
    GT_TRY(gt__alloc(&p->steps, n + 1, sizeof *p->steps, "program steps"));
    GT_TRY(gt__alloc(&p->plans, n + 1, sizeof *p->plans, "program steps"));
    for (size_t i = 0; i < n; i++) {
        const struct gt_node *node = &p->graph->nodes[i];
        p->plans[i] = how[i].plan;
        p->steps[i].kernel = how[i].kernel;
        p->steps[i].variant = how[i].variant;
        p->steps[i].node = node;
        if (how[i].host) {
            make_twin(p, i);
        }
        p->updates |= node->op == GT_OP_sgd_update || node->op == GT_OP_adamw_update;
    }
    return GT_OK;
}

static void forget_steps(struct lowering *l)
{
    gt_graph_free(l->out);
    gt__free(l->how);
    gt__free(l->layouts);
    gt__free(l->copies);
    l->out = NULL;
    l->how = NULL;
    l->layouts = NULL;
    l->copies = NULL;
    l->how_capacity = l->layouts_capacity = l->copies_capacity = 0;
}

/* Steps and memory of the present choice. */
static gt_status lay_out(struct gt_program *program, struct lowering *l)
{
    forget_steps(l);
    GT_TRY(gt__graph_clone(&l->out, l->planner.graph));
    l->out->n_nodes = 0;
    GT_TRY(lower_all(l, program));
    program->graph = l->out;
    l->out = NULL;
    GT_TRY(make_steps(program, l->how));
    GT_TRY(layout_memory(program, l->layouts));
    gt__host_layout(program);
    return GT_OK;
}

/* What the present choice takes; nothing is kept of it. */
static gt_status measure(gt_program_memory *out, void *cookie)
{
    struct lowering *l = cookie;
    struct gt_program *trial = NULL;
    GT_TRY(gt__alloc(&trial, 1, sizeof *trial, "program"));
    trial->device = l->program->device;
    trial->ahead = l->program->ahead;
    gt_status status = lay_out(trial, l);
    *out = trial->memory;
    gt_program_free(trial);
    return status;
}

/* By cost, or as it was noted; the limit goes before both. */
static gt_status choose(struct lowering *l, size_t bytes)
{
    const struct gt_program_extra *extra = l->planner.extra;
    const char *differs = NULL;
    const struct gt_limit limit = {
        .bytes = bytes, .least = extra && extra->least, .measure = measure, .cookie = l};
    GT_TRY(gt__select(&l->choice, &l->planner));
    if (extra && extra->follow) {
        differs = gt__choice_follow(&l->choice, &l->planner, extra->follow);
    }
    GT_TRY(gt__select_within(&l->choice, &l->planner, &limit));
    if (extra && extra->differs) {
        *extra->differs = differs;
    }
    return extra && extra->choice ? gt__choice_write(extra->choice, &l->choice, &l->planner)
                                  : GT_OK;
}

gt_status gt__program_layout(struct gt_program *program, const gt_graph *graph,
                             const gt_program_options *options,
                             const struct gt_program_extra *extra)
{
    struct lowering l = {.program = program,
                         .planner = {.device = program->device, .extra = extra}};
    gt_status status = GT_OK;
    if (options && options->precision != GT_PRECISION_F32 &&
        options->precision != GT_PRECISION_BF16) {
        return gt__fail(GT_EINVAL, "unknown precision %d", (int)options->precision);
    }
    l.planner.deterministic = options && options->deterministic;
    l.planner.bf16 = options && options->precision == GT_PRECISION_BF16;
    program->ahead = options && options->ahead;
    program->original_values = graph->n_values;
    GT_TRY_OUT(gt__tune_load(program->device));
    GT_TRY_OUT(gt__graph_clone(&l.planner.graph, graph));
    GT_TRY_OUT(gt__prune(l.planner.graph));
    if (!extra || !extra->no_fuse) {
        GT_TRY_OUT(gt__fuse(&l.planner));
        GT_TRY_OUT(gt__commute(l.planner.graph));
        if (!extra || !extra->every_layer) {
            GT_TRY_OUT(gt__fold_doubling(&l.planner));
        }
    }
    GT_TRY_OUT(gt__place(&l.planner, program->device));
    GT_TRY_OUT(choose(&l, options ? options->memory_limit : 0));
    GT_TRY_OUT(lay_out(program, &l));
out:
    forget_steps(&l);
    gt_graph_free(l.planner.graph);
    gt__choice_free(&l.choice);
    return status;
}
