/* Choices of kernels written down and made again, so that sums keep their order, and results their
 * bits, whatever has been measured in between. SPDX-License-Identifier: BSD-2-Clause */
#include "core/choice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/tune.h"

enum { CLASS = 256, ENTRY = 384 };

/* The same kernels are good choices on devices of one class: instruction sets, or the model of an
 * OpenCL device. */
static void device_class(char out[CLASS], const struct gt_device *d)
{
    snprintf(out, CLASS, "%s %s", d->backend->name,
             d->info.platform < 0 ? d->info.detail : d->info.name);
    for (char *c = out; *c; c++) {
        *c = (unsigned char)*c < ' ' || *c == ';' ? ' ' : *c;
    }
}

static uint64_t hash_number(uint64_t hash, int64_t number)
{
    char text[32];
    snprintf(text, sizeof text, " %" PRId64, number);
    return gt__hash_text(hash, text);
}

static uint64_t hash_value(uint64_t hash, const struct gt_graph *g, gt_value v)
{
    gt_shape s = v == GT_NO_VALUE ? (gt_shape){0} : gt__value(g, v)->shape;
    const int32_t numbers[] = {v, s.n, s.c, s.h, s.w};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        hash = hash_number(hash, numbers[i]);
    }
    return hash;
}

/* Which node does what to which values; attributes that are only factors are left out. */
static uint64_t hash_graph(const struct gt_graph *g)
{
    uint64_t hash = GT_HASH_START;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct gt_node *node = &g->nodes[i];
        const struct gt_attr *a = &node->attr;
        const int32_t numbers[] = {a->kernel_h,
                                   a->kernel_w,
                                   a->stride,
                                   a->dilation,
                                   a->which,
                                   (int32_t)a->normalize,
                                   (int32_t)node->epilogue,
                                   node->n_in,
                                   node->n_out};
        hash = gt__hash_text(hash, gt__ops[node->op]->name);
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
            hash = hash_number(hash, numbers[k]);
        }
        for (int32_t k = 0; k < node->n_in; k++) {
            hash = hash_value(hash, g, node->in[k]);
        }
        for (int32_t k = 0; k < node->n_out; k++) {
            hash = hash_value(hash, g, node->out[k]);
        }
    }
    return hash;
}

static void add_layout(char entry[ENTRY], char mark, gt_layout l)
{
    size_t n = strlen(entry);
    snprintf(entry + n, ENTRY - n, "%cb%dp%d", mark, l.block, l.phase);
}

/* "conv2d_fwd_im2col 0 b1p1,b1p1>b1p1" */
static void write_entry(char entry[ENTRY], const struct gt_node *node, const struct gt_option *o)
{
    snprintf(entry, ENTRY, "%s %u", o->kernel->name, o->variant);
    for (int32_t k = 0; k < node->n_in; k++) {
        add_layout(entry, k == 0 ? ' ' : ',', o->plan.in[k]);
    }
    for (int32_t k = 0; k < node->n_out; k++) {
        add_layout(entry, k == 0 ? '>' : ',', o->plan.out[k]);
    }
}

gt_status gt__choice_write(char **out, const struct gt_choice *choice, const struct gt_planner *p)
{
    struct gt_text text = {0};
    char class[CLASS];
    char entry[ENTRY];
    device_class(class, p->device);
    gt__text_add(&text, "%s; %016" PRIx64, class, hash_graph(p->graph));
    for (size_t i = 0; i < p->graph->n_nodes; i++) {
        write_entry(entry, &p->graph->nodes[i], &choice->options[choice->chosen[i]]);
        gt__text_add(&text, "; %s", entry);
    }
    return gt__text_take(out, &text);
}

/* Does the text at *at start with this item? Then go behind it and its "; ". */
static bool take(const char **at, const char *item)
{
    size_t n = strlen(item);
    if (strncmp(*at, item, n) != 0 || ((*at)[n] != '\0' && strncmp(*at + n, "; ", 2) != 0)) {
        return false;
    }
    *at += (*at)[n] ? n + 2 : n;
    return true;
}

/* The option of node i that the text names next; SIZE_MAX: there is none. */
static size_t take_option(const char **at, const struct gt_choice *c, const struct gt_node *node,
                          size_t i)
{
    char entry[ENTRY];
    for (size_t o = c->first[i]; o < c->first[i + 1]; o++) {
        const char *name = c->options[o].kernel->name;
        if (strncmp(*at, name, strlen(name)) == 0) {
            write_entry(entry, node, &c->options[o]);
            if (take(at, entry)) {
                return o;
            }
        }
    }
    return SIZE_MAX;
}

const char *gt__choice_follow(struct gt_choice *choice, const struct gt_planner *p,
                              const char *text)
{
    const struct gt_graph *g = p->graph;
    char class[CLASS];
    char graph[32];
    const char *at = text;
    device_class(class, p->device);
    snprintf(graph, sizeof graph, "%016" PRIx64, hash_graph(g));
    if (!take(&at, class)) {
        return "another device";
    }
    if (!take(&at, graph)) {
        return "other sizes or another loss";
    }
    /* twice: nothing is changed by half */
    const char *start = at;
    for (size_t i = 0; i < g->n_nodes; i++) {
        if (take_option(&at, choice, &g->nodes[i], i) == SIZE_MAX) {
            return "other kernels";
        }
    }
    if (*at) {
        return "other kernels";
    }
    for (size_t i = 0; i < g->n_nodes; i++) {
        choice->chosen[i] = take_option(&start, choice, &g->nodes[i], i);
    }
    return NULL;
}
