/* Tuning: every way to run every operation of a network is measured and kept.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "core/cache.h"
#include "core/meter.h"
#include "core/tune.h"
#include "infer/network_graph.h"

void gt_tune_options_init(gt_tune_options *options)
{
    *options = (gt_tune_options){.mode = GT_BENCHMARK_PROCESS, .batch = 1};
}

struct tuning {
    struct gt_network_graph net;
    struct gt_planner planner; /* its graph is pruned and fused */
    struct gt_choice before, after;
    struct gt_meter meter;
    size_t *same; /* [n_nodes]: first node that is the same operation */
    gt_tune_result result;
};

static void tuning_free(struct tuning *t)
{
    gt__meter_free(&t->meter);
    gt__choice_free(&t->before);
    gt__choice_free(&t->after);
    gt_graph_free(t->planner.graph);
    gt__network_graph_free(&t->net);
    gt__free(t->same);
}

static gt_status plan_network(struct tuning *t, gt_device *device, const gt_model *model,
                              const gt_tune_options *o)
{
    GT_TRY(gt__network_graph(&t->net, model, o->mode, o->batch, t->result.output));
    t->planner.device = device;
    t->planner.bf16 = o->precision == GT_PRECISION_BF16;
    t->meter.device = device;
    GT_TRY(gt__graph_clone(&t->planner.graph, t->net.graph));
    GT_TRY(gt__prune(t->planner.graph));
    GT_TRY(gt__fuse(&t->planner));
    GT_TRY(gt__commute(t->planner.graph));
    GT_TRY(gt__fold_doubling(&t->planner));
    return gt__select(&t->before, &t->planner);
}

static void option_key(char *out, const struct tuning *t, size_t node, size_t option)
{
    gt__tune_key(out, t->planner.graph, &t->planner.graph->nodes[node], &t->before.options[option]);
}

static size_t n_options(const struct tuning *t, size_t node)
{
    return t->before.first[node + 1] - t->before.first[node];
}

/* Operations are the same if they have the same keys: looking at the first option is enough,
 * because options follow from the operation, its attributes and shapes. */
static gt_status find_same(struct tuning *t)
{
    size_t n = t->planner.graph->n_nodes;
    GT_TRY(gt__alloc(&t->same, n + 1, sizeof *t->same, "tuning"));
    for (size_t i = 0; i < n; i++) {
        char key[GT_TUNE_KEY];
        char other[GT_TUNE_KEY];
        option_key(key, t, i, t->before.first[i]);
        t->same[i] = i;
        for (size_t j = 0; j < i && t->same[i] == i; j++) {
            if (t->same[j] == j && n_options(t, i) == n_options(t, j)) {
                option_key(other, t, j, t->before.first[j]);
                t->same[i] = strcmp(key, other) == 0 ? j : i;
            }
        }
        if (t->same[i] == i) {
            t->result.operations++;
        }
    }
    return GT_OK;
}

/* References are measured only where nothing else runs. */
static bool wanted(const struct tuning *t, size_t node, size_t option)
{
    bool others = false;
    for (size_t o = t->before.first[node]; o < t->before.first[node + 1]; o++) {
        others |= !gt__kernel_is_reference(t->before.options[o].kernel);
    }
    return !others || !gt__kernel_is_reference(t->before.options[option].kernel);
}

/* Too little memory for one way is no reason to give up the others. */
static gt_status measure_option(struct tuning *t, gt_device *device, size_t node, size_t option,
                                double *best)
{
    char key[GT_TUNE_KEY];
    double seconds = 0.0;
    option_key(key, t, node, option);
    gt_status status = gt__meter_run(&seconds, &t->meter, &t->before.options[option], *best);
    if (status == GT_ENOMEM || status == GT_ENOTSUP) {
        t->result.failed++;
        return GT_OK;
    }
    GT_TRY(status);
    t->result.measured++;
    *best = *best <= 0.0 || seconds < *best ? seconds : *best;
    return gt__tune_add(device, key, seconds);
}

static gt_status measure_node(struct tuning *t, gt_device *device, size_t node,
                              const gt_tune_options *options)
{
    const struct gt_choice *c = &t->before;
    size_t first = c->first[node];
    double best = 0.0;
    bool ready = false;
    for (size_t o = first; o < c->first[node + 1]; o++) {
        char key[GT_TUNE_KEY];
        if (!wanted(t, node, o)) {
            continue;
        }
        t->result.options++;
        option_key(key, t, node, o);
        double known = gt__tune_find(device, key);
        if (known >= 0.0 || options->dry_run) {
            best = known >= 0.0 && (best <= 0.0 || known < best) ? known : best;
            continue;
        }
        if (!ready) {
            gt_status status =
                gt__meter_node(&t->meter, t->planner.graph, &t->planner.graph->nodes[node],
                               &c->options[first], c->first[node + 1] - first);
            if (status == GT_ENOMEM) {
                t->result.failed++;
                return GT_OK;
            }
            GT_TRY(status);
            ready = true;
        }
        GT_TRY(measure_option(t, device, node, o, &best));
    }
    return GT_OK;
}

static void add_shape(struct gt_text *text, const struct gt_graph *g, gt_value v)
{
    gt_shape s = gt__value(g, v)->shape;
    gt__text_add(text, " %dx%dx%dx%d", s.n, s.c, s.h, s.w);
}

/* "conv2d_fwd 1x64x570x570 > 1x64x568x568 k3x3 d1 +bias +relu" */
static gt_status describe(char **out, const struct gt_graph *g, const struct gt_node *node)
{
    struct gt_text text = {0};
    gt__text_add(&text, "%s", gt__ops[node->op]->name);
    add_shape(&text, g, node->in[0]);
    gt__text_add(&text, " >");
    add_shape(&text, g, node->out[0]);
    if (node->attr.kernel_h > 0) {
        gt__text_add(&text, " k%dx%d d%d", node->attr.kernel_h, node->attr.kernel_w,
                     node->attr.dilation);
    }
    gt__text_add(&text, "%s%s%s", node->epilogue & GT_EPILOGUE_BIAS ? " +bias" : "",
                 node->epilogue & GT_EPILOGUE_RELU ? " +relu" : "",
                 node->epilogue & GT_PROLOGUE_DOUBLE ? " +double" : "");
    return gt__text_take(out, &text);
}

static gt_status report(struct tuning *t, size_t node, int32_t done, const gt_tune_options *options)
{
    char *what = NULL;
    GT_TRY(describe(&what, t->planner.graph, &t->planner.graph->nodes[node]));
    int stop = options->progress(what, done, t->result.operations, options->cookie);
    gt__free(what);
    return stop ? gt__fail(GT_ECANCELLED, "tuning was stopped after %d of %d operations", done,
                           t->result.operations)
                : GT_OK;
}

static gt_status measure_all(struct tuning *t, gt_device *device, const gt_tune_options *options)
{
    const struct gt_graph *g = t->planner.graph;
    int32_t done = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        if (t->same[i] != i) {
            continue;
        }
        GT_TRY(measure_node(t, device, i, options));
        done++;
        if (options->progress) {
            GT_TRY(report(t, i, done, options));
        }
    }
    return GT_OK;
}

/* Measured milliseconds of a choice for a node; 0 if unknown. */
static double chosen_ms(const struct tuning *t, const struct gt_choice *c, size_t node)
{
    char key[GT_TUNE_KEY];
    gt__tune_key(key, t->planner.graph, &t->planner.graph->nodes[node],
                 &c->options[c->chosen[node]]);
    double seconds = gt__tune_find(t->planner.device, key);
    return seconds < 0.0 ? 0.0 : seconds * 1e3;
}

static void add_option(struct gt_text *text, const struct gt_option *o, double ms)
{
    gt_layout l = o->plan.out[0];
    gt__text_add(text, "%s v%u b%dp%d %.4f ms", o->kernel->name, o->variant, l.block, l.phase, ms);
}

/* Nodes of one operation may be chosen differently, because of their neighbours. */
static bool same_choice(const struct tuning *t, size_t i, size_t j)
{
    const size_t *first = t->before.first;
    return t->same[i] == t->same[j] &&
           t->before.chosen[i] - first[i] == t->before.chosen[j] - first[j] &&
           t->after.chosen[i] - first[i] == t->after.chosen[j] - first[j];
}

/* One line for all nodes like node i, unless an earlier one had it. */
static gt_status add_line(struct gt_text *text, const struct tuning *t, size_t i)
{
    const struct gt_graph *g = t->planner.graph;
    char *what = NULL;
    int32_t times = 0;
    for (size_t j = 0; j < g->n_nodes; j++) {
        times += same_choice(t, i, j);
        if (times == 1 && j < i) {
            return GT_OK;
        }
    }
    GT_TRY(describe(&what, g, &g->nodes[i]));
    gt__text_add(text, "%-62s x%-2d ", what, times);
    gt__free(what);
    add_option(text, &t->before.options[t->before.chosen[i]], chosen_ms(t, &t->before, i));
    if (t->before.chosen[i] != t->after.chosen[i]) {
        gt__text_add(text, "  ->  ");
        add_option(text, &t->after.options[t->after.chosen[i]], chosen_ms(t, &t->after, i));
    }
    gt__text_add(text, "\n");
    return GT_OK;
}

static gt_status compare(char **dump, struct tuning *t)
{
    struct gt_text text = {0};
    for (size_t i = 0; i < t->planner.graph->n_nodes; i++) {
        t->result.ms_before += chosen_ms(t, &t->before, i);
        t->result.ms_after += chosen_ms(t, &t->after, i);
        t->result.changed += t->before.chosen[i] != t->after.chosen[i];
        gt_status status = dump ? add_line(&text, t, i) : GT_OK;
        if (status != GT_OK) {
            gt__free(text.data);
            return status;
        }
    }
    return dump ? gt__text_take(dump, &text) : GT_OK;
}

static gt_status tune(struct tuning *t, char **dump, gt_device *device, const gt_model *model,
                      const gt_tune_options *options)
{
    GT_TRY(gt__tune_load(device));
    GT_TRY(plan_network(t, device, model, options)); /* chosen as things stand */
    GT_TRY(find_same(t));
    if (options->fresh && !options->dry_run) {
        gt__tune_clear(device);
    }
    if (!options->dry_run) {
        GT_TRY(gt__tune_save(device)); /* better now than after minutes of measuring */
    }
    gt_status status = measure_all(t, device, options);
    if (t->result.measured > 0 && (status == GT_OK || status == GT_ECANCELLED)) {
        gt_status saved = gt__tune_save(device);
        status = saved == GT_OK ? status : saved;
    }
    GT_TRY(status);
    GT_TRY(gt__select(&t->after, &t->planner));
    return compare(dump, t);
}

gt_status gt_tune_run(gt_tune_result *out, char **dump, gt_device *device, const gt_model *model,
                      const gt_tune_options *options)
{
    struct tuning t = {0};
    gt_model_geometry geometry;
    gt_tune_options defaults;
    gt_tune_options_init(&defaults);
    options = options ? options : &defaults;
    if (options->batch < 1) {
        return gt__fail(GT_EINVAL, "batch is %d, expected 1 or more", options->batch);
    }
    if (options->mode == GT_BENCHMARK_TRAIN && options->precision != GT_PRECISION_F32) {
        return gt__fail(GT_EINVAL, "tuning: training is computed in fp32 only, not in bf16");
    }
    gt_model_get_geometry(model, &geometry);
    t.result.output = options->output > 0 ? options->output : geometry.canonical;
    t.result.input = t.result.output + geometry.shrink;
    gt_status status = gt_model_check_size(model, t.result.output);
    if (status == GT_OK) {
        status = tune(&t, dump, device, model, options);
    }
    if (status == GT_OK) {
        *out = t.result;
    }
    tuning_free(&t);
    return status;
}

gt_status gt_tune_file(char **out, const gt_device *device)
{
    char path[GT_CACHE_PATH];
    if (!gt__tune_path(path, device)) {
        return gt__fail(GT_EIO, "no folder for the measurements: set XDG_CACHE_HOME or HOME");
    }
    return gt__strdup(out, path);
}
