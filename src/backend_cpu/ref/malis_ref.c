/* MALIS, as its definition reads: two passes over a maximum spanning tree, every pair of pixels
 * counted one by one. Quadratic in the pixels. SPDX-License-Identifier: BSD-2-Clause
 *
 * q = prob[n][channel], label [n][1][H][W]. Edge k of pixel a ends at b = a + edges[k], if that lies
 * inside and neither is ignored; its affinity is min(q[a], q[b]), its label affinity 1 if both ends
 * are of one object, else 0.
 * pass within (pairs of one object):      w = min(affinity, label affinity)
 * pass between (pairs of two objects):    w = max(affinity, label affinity)
 * Edges in descending w; an edge that joins two sets joins n_e pairs:
 *   loss += weight/N * n_e/pairs * charge(w), dprob[pixel of the minimum] += the derivative,
 * where affinity and not label affinity is w. Among equals, edges whose w is the label affinity are
 * the strongest at 1 and the weakest at 0, so that they never take pairs from others; then by edge
 * number k*H*W + a.
 * The only reference that allocates: the last resort of a graph that malis_kruskal takes anyway. */
#include "backend_cpu/ref/ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct edge {
    real w;
    int32_t order; /* among equal w: 0 before 1 before 2 */
    size_t number;
    size_t from, to, least; /* pixels; `least` has the minimum */
};

/* One image. */
struct image {
    const gt_malis_options *o;
    int32_t h, w;
    size_t pixels;
    const real *q, *label;
    size_t *object; /* per pixel: 1 + a pixel of its object; 0: background */
    size_t *set;    /* per pixel: a pixel of its set */
    size_t *count;  /* per object */
    struct edge *edges;
    size_t n_edges;
    double *gradient; /* of q, per pixel */
};

/* -1: ignored. */
static int32_t class_of(real label)
{
    return label >= 0 && label < (real)(1 << 24) ? (int32_t)label : -1;
}

/* Where edge k of pixel a ends; false if outside or if an end is ignored. */
static bool edge_end(size_t *b, const struct image *m, size_t a, int32_t k)
{
    int32_t y = (int32_t)(a / (size_t)m->w) + m->o->edges[k][0];
    int32_t x = (int32_t)(a % (size_t)m->w) + m->o->edges[k][1];
    if (y < 0 || y >= m->h || x < 0 || x >= m->w) {
        return false;
    }
    *b = (size_t)y * (size_t)m->w + (size_t)x;
    return class_of(m->label[a]) >= 0 && class_of(m->label[*b]) >= 0;
}

/* The least pixel number spreads along edges until nothing changes. */
static void find_objects(struct image *m)
{
    for (size_t a = 0; a < m->pixels; a++) {
        m->object[a] = class_of(m->label[a]) > 0 ? a + 1 : 0;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < m->pixels * (size_t)m->o->n_edges; i++) {
            size_t a = i % m->pixels;
            size_t b = 0;
            if (edge_end(&b, m, a, (int32_t)(i / m->pixels)) && m->object[a] > 0 &&
                m->object[a] != m->object[b] && class_of(m->label[a]) == class_of(m->label[b])) {
                size_t least = m->object[a] < m->object[b] ? m->object[a] : m->object[b];
                m->object[a] = m->object[b] = least;
                changed = true;
            }
        }
    }
}

static void find_edges(struct image *m, bool within)
{
    m->n_edges = 0;
    for (size_t i = 0; i < m->pixels * (size_t)m->o->n_edges; i++) {
        size_t a = i % m->pixels;
        size_t b = 0;
        if (!edge_end(&b, m, a, (int32_t)(i / m->pixels))) {
            continue;
        }
        bool inside = m->object[a] > 0 && m->object[a] == m->object[b];
        struct edge e = {.order = 1, .number = i, .from = a, .to = b};
        e.least = m->q[a] < m->q[b] ? a : b;
        e.w = m->q[e.least];
        if (inside != within) {
            e.w = within ? 0 : 1;
            e.order = within ? 2 : 0;
        }
        m->edges[m->n_edges++] = e;
    }
}

static int descending(const void *a, const void *b)
{
    const struct edge *x = a;
    const struct edge *y = b;
    if (x->w != y->w) {
        return x->w < y->w ? 1 : -1;
    }
    if (x->order != y->order) {
        return x->order - y->order;
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Pairs of one pixel in set a and one in set b, of the same object or of different ones. */
static double pairs_joined(const struct image *m, size_t a, size_t b, bool within)
{
    double in_a = 0;
    double in_b = 0;
    double same = 0;
    memset(m->count, 0, (m->pixels + 1) * sizeof *m->count);
    for (size_t v = 0; v < m->pixels; v++) {
        if (m->set[v] == a && m->object[v] > 0) {
            m->count[m->object[v]]++;
            in_a++;
        }
    }
    for (size_t v = 0; v < m->pixels; v++) {
        if (m->set[v] == b && m->object[v] > 0) {
            same += (double)m->count[m->object[v]];
            in_b++;
        }
    }
    return within ? same : in_a * in_b - same;
}

static double pairs_in_all(const struct image *m, bool within)
{
    double all = 0;
    double same = 0;
    memset(m->count, 0, (m->pixels + 1) * sizeof *m->count);
    for (size_t v = 0; v < m->pixels; v++) {
        if (m->object[v] > 0) {
            same += (double)m->count[m->object[v]]++;
            all++;
        }
    }
    return within ? same : all * (all - 1) / 2 - same;
}

static double charge(double *slope, const gt_malis_options *o, double w, bool within)
{
    if (o->form == GT_MALIS_SQUARED) {
        double wrong = within ? 1 - w : w;
        *slope = within ? -wrong : wrong;
        return wrong * wrong / 2;
    }
    double wrong = within ? (double)o->threshold + (double)o->margin - w
                          : w - (double)o->threshold + (double)o->margin;
    *slope = wrong > 0 ? (within ? -1 : 1) : 0;
    return wrong > 0 ? wrong : 0;
}

/* The loss of one pass, less the weight. */
static double one_pass(struct image *m, bool within)
{
    double all = pairs_in_all(m, within);
    double loss = 0;
    find_edges(m, within);
    qsort(m->edges, m->n_edges, sizeof *m->edges, descending);
    for (size_t v = 0; v < m->pixels; v++) {
        m->set[v] = v;
    }
    for (size_t i = 0; i < m->n_edges; i++) {
        const struct edge *e = &m->edges[i];
        size_t a = m->set[e->from];
        size_t b = m->set[e->to];
        if (a == b) {
            continue;
        }
        double n = pairs_joined(m, a, b, within);
        for (size_t v = 0; v < m->pixels; v++) {
            m->set[v] = m->set[v] == b ? a : m->set[v];
        }
        double slope = 0;
        double c = charge(&slope, m->o, (double)e->w, within);
        if (n > 0) {
            loss += n / all * c;
            m->gradient[e->least] += e->order == 1 ? n / all * slope : 0;
        }
    }
    return loss;
}

static double one_image(struct image *m)
{
    memset(m->gradient, 0, m->pixels * sizeof *m->gradient);
    for (size_t a = 0; a < m->pixels; a++) {
        if (isnan(m->q[a]) && class_of(m->label[a]) >= 0) {
            return NAN; /* there is no order of edges */
        }
    }
    find_objects(m);
    double within = one_pass(m, true);
    return within + one_pass(m, false);
}

static gt_status reserve(struct image *m)
{
    GT_TRY(gt__alloc(&m->object, m->pixels, sizeof *m->object, "malis objects"));
    GT_TRY(gt__alloc(&m->set, m->pixels, sizeof *m->set, "malis sets"));
    GT_TRY(gt__alloc(&m->count, m->pixels + 1, sizeof *m->count, "malis counts"));
    GT_TRY(gt__alloc(&m->gradient, m->pixels, sizeof *m->gradient, "malis gradient"));
    return gt__alloc(&m->edges, m->pixels * (size_t)m->o->n_edges, sizeof *m->edges, "malis edges");
}

static gt_status malis(const struct gt_step *step)
{
    gt_shape s = step->in[0].shape;
    struct image m = {.o = &step->node->attr.malis, .h = s.h, .w = s.w};
    double scale = (double)m.o->weight / (double)s.n;
    double loss = 0;
    gt_status status = GT_OK;
    m.pixels = (size_t)s.h * (size_t)s.w;
    GT_TRY_OUT(reserve(&m));
    for (int32_t n = 0; n < s.n; n++) {
        m.q = ref_data(&step->in[0]) + ref_at(s, n, m.o->channel, 0, 0);
        m.label = ref_data(&step->in[1]) + (size_t)n * m.pixels;
        loss += scale * one_image(&m);
        for (size_t i = 0; i < (size_t)s.c * m.pixels; i++) {
            bool read = i / m.pixels == (size_t)m.o->channel;
            ref_data(&step->out[1])[(size_t)n * (size_t)s.c * m.pixels + i] =
                read ? (real)(scale * m.gradient[i % m.pixels]) : 0;
        }
    }
    ref_data(&step->out[0])[0] = (real)loss;
out:
    gt__free(m.edges);
    gt__free(m.gradient);
    gt__free(m.count);
    gt__free(m.set);
    gt__free(m.object);
    return status;
}

REF_KERNEL_TRY(malis)
