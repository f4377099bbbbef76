/* Choice of kernels under a memory limit. SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory gets a price: at a rate of r seconds for a byte, an option costs its time and r times its
 * packed weights and that part of its scratch which the program would not have anyway, because other
 * steps need more. Every rate of a fixed series gives a plan (Lagrange's relaxation of the limit);
 * the arena of each is computed, and the fastest plan that fits is taken. The series does not depend
 * on the limit, so that a larger one offers the same plans and more. */
#include "core/planner.h"

/* From 0.1 us to 0.8 s for 2^20 bytes: there and beyond nothing changes with networks of this kind.
 * The last rate leaves time no weight but among equals. */
enum { N_RATES = 24 };
static const double first_rate = 1e-13;
static const double last_rate = 1e3;

static double rate_of(int k)
{
    return k < N_RATES ? first_rate * (double)((uint64_t)1 << k) : last_rate;
}

/* ---- memory that values ask for ---- */

/* Steps from the one that makes a value to the last that reads it; first is SIZE_MAX without any. */
struct span {
    size_t first, last, bytes;
};

static gt_status find_spans(struct span *spans, const struct gt_graph *g)
{
    for (size_t v = 1; v < g->n_values; v++) {
        const struct gt_value_info *info = &g->values[v];
        bool kept = info->role == GT_ROLE_PARAM || info->role == GT_ROLE_STATE;
        spans[v].first = info->role == GT_ROLE_INPUT ? 0 : SIZE_MAX;
        spans[v].last = info->wanted ? g->n_nodes : 0;
        if (!kept &&
            !gt__layout_bytes(&spans[v].bytes, info->shape, (gt_layout){1, 1, info->kind})) {
            return gt__fail(GT_ENOMEM, "a value of %d x %d x %d x %d is too large", info->shape.n,
                            info->shape.c, info->shape.h, info->shape.w);
        }
    }
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct gt_node *node = &g->nodes[i];
        for (int32_t k = 0; k < node->n_in; k++) {
            struct span *s = &spans[node->in[k]];
            s->last = s->last > i ? s->last : i;
        }
        for (int32_t k = 0; k < node->n_out; k++) {
            struct span *s = &spans[node->out[k]];
            s->first = i;
            s->last = s->last > i ? s->last : i;
        }
    }
    return GT_OK;
}

/* Can output 0 of node i take the place of an input that dies there? */
static bool takes_over(const struct gt_choice *c, const struct gt_graph *g,
                       const struct span *spans, size_t i)
{
    const struct gt_node *node = &g->nodes[i];
    for (size_t o = c->first[i]; o < c->first[i + 1]; o++) {
        for (int32_t k = 0; k < node->n_in; k++) {
            gt_value v = node->in[k];
            if ((c->options[o].plan.inplace & (1u << k)) && v != GT_NO_VALUE &&
                spans[v].last == i && spans[v].bytes == spans[node->out[0]].bytes) {
                return true;
            }
        }
    }
    return false;
}

/* c->spare: what the node with the most needs more than node i. */
static gt_status find_spare(struct gt_choice *c, const struct gt_graph *g)
{
    struct span *spans = NULL;
    size_t most = 0;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc(&spans, g->n_values + 1, sizeof *spans, "planner"));
    GT_TRY_OUT(find_spans(spans, g));
    for (size_t i = 0; i < g->n_nodes; i++) {
        size_t live = 0;
        for (size_t v = 1; v < g->n_values; v++) {
            live += spans[v].first <= i && i <= spans[v].last ? spans[v].bytes : 0;
        }
        if (takes_over(c, g, spans, i)) {
            live -= spans[g->nodes[i].out[0]].bytes;
        }
        c->spare[i] = live;
        most = live > most ? live : most;
    }
    for (size_t i = 0; i < g->n_nodes; i++) {
        c->spare[i] = most - c->spare[i];
    }
out:
    gt__free(spans);
    return status;
}

/* ---- the search ---- */

struct best {
    size_t bytes; /* SIZE_MAX: none so far */
    double seconds, rate;
};

static size_t total(const gt_program_memory *m)
{
    size_t bytes = 0;
    bool fine =
        gt__add(&bytes, m->arena_bytes, m->packed_bytes) && gt__add(&bytes, bytes, m->kept_bytes);
    return fine ? bytes : SIZE_MAX;
}

/* Measure the present choice: is it the fastest within the limit, is it the smallest? */
static gt_status look(struct best *fastest, struct best *least, const struct gt_choice *c,
                      const struct gt_limit *limit)
{
    gt_program_memory m = {0};
    GT_TRY(limit->measure(&m, limit->cookie));
    struct best now = {total(&m), m.seconds, c->rate};
    if (now.bytes <= limit->bytes &&
        (fastest->bytes == SIZE_MAX || now.seconds < fastest->seconds)) {
        *fastest = now;
    }
    if (now.bytes < least->bytes || (now.bytes == least->bytes && now.seconds < least->seconds)) {
        *least = now;
    }
    return GT_OK;
}

gt_status gt__select_within(struct gt_choice *c, const struct gt_planner *p,
                            const struct gt_limit *limit)
{
    struct best fastest = {.bytes = SIZE_MAX};
    struct best least = {.bytes = SIZE_MAX};
    if (limit->bytes == 0 && !limit->least) {
        return GT_OK;
    }
    GT_TRY(look(&fastest, &least, c, limit));
    if (fastest.bytes != SIZE_MAX && !limit->least) {
        return GT_OK;
    }
    GT_TRY(find_spare(c, p->graph));
    for (int k = 0; k <= N_RATES; k++) {
        GT_TRY(gt__select_again(c, p, rate_of(k)));
        GT_TRY(look(&fastest, &least, c, limit));
    }
    if (fastest.bytes == SIZE_MAX && !limit->least) {
        return gt__fail(GT_ENOMEM,
                        "the memory limit is %zu bytes, the smallest plan found takes %zu",
                        limit->bytes, least.bytes);
    }
    return gt__select_again(c, p, limit->least ? least.rate : fastest.rate);
}
