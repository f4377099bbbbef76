/* MALIS by one maximum spanning forest. SPDX-License-Identifier: BSD-2-Clause
 *
 * prob [N][C][H][W], label [N][1][H][W] -> loss [1][1][1][1], dprob [N][C][H][W], all NCHW; the
 * formula stands at the declaration of gt_graph_malis_loss() and, as loops, in malis_ref.c.
 *
 * The constrained form takes two passes. In the pass for pairs within objects edges that leave an
 * object have affinity 0 and join nothing that counts: what remains are the edges inside of
 * objects, and joining two sets joins |A|*|B| pairs. After them every set is a whole object. In
 * the pass for pairs between objects the edges inside have affinity 1 and come first: it starts
 * from just those sets and takes the other edges, and as no object is in two sets, joining two of
 * them joins (labelled in A)*(labelled in B) pairs. So each edge is sorted and looked at once, one
 * union-find serves both passes, and nobody counts pairs by object (the bags of Turaga et al.).
 *
 * Sorting: stable, by radix, on 32-bit keys that descend with the affinity, so that equals keep the
 * order of edges. Near-linear: O(E) + O(E inverse-Ackermann(E)) with halved paths and union by size.
 *
 * Scratch, per image: two arrays of E + 2 edges, the classes, the forest, and the gradient in double,
 * whose sums then are exact to a float's last bit. The lists of the passes lie one after the other
 * with a gap of one, because filling a list writes one edge too many. Chunks: images for joining,
 * (image, pass) for sorting; no result depends on threads. */
#include "backend_cpu/portable/chunk.h"

#include <math.h>

enum { RADIX_BITS = 11, RADIX = 1 << RADIX_BITS, ROUNDS = 3, PIXEL_BITS = 27, AHEAD = 12 };
#define PIXEL_MASK (((uint32_t)1 << PIXEL_BITS) - 1)
#define SECOND_LESS ((uint32_t)1 << PIXEL_BITS)

enum pass { WITHIN, BETWEEN, PASSES };

/* An edge. Name: the pixel it starts at, is the other end less (or equal), and from the next bit on
 * its number, so that joining does not have to look at affinities. */
struct edge {
    uint32_t key, name;
};

/* A pixel in the forest of sets. */
struct tree {
    int32_t up; /* the next pixel on the way to the root; of a root: minus the pixels of its set */
    uint32_t count; /* of a root: labelled pixels of its set */
};

/* What joining found out about an image. */
struct result {
    size_t n_within; /* edges */
    double loss;     /* less the weight */
    bool nan;
};

struct job {
    const gt_malis_options *o;
    gt_shape shape;
    size_t pixels, capacity; /* of an image; edges of an image, the gap included */
    const float *prob, *label;
    float *dprob;
    struct result *results;
    struct edge *edges, *spare;
    int32_t *class; /* of a pixel: object, 0: background, -1: ignored */
    struct tree *forest;
    double *gradient;
    struct edge **sorted; /* [N][PASSES], into edges or spare */
    size_t *n_sorted;
};

/* ---- scratch ---- */

static size_t take(size_t *total, size_t count, size_t size)
{
    size_t at = *total;
    *total += gt__align_up(count * size, GT_ALIGN);
    return at;
}

/* Bind the parts of the job to scratch memory, or only count (memory NULL). */
static size_t lay_out(struct job *job, char *memory)
{
    size_t n = (size_t)job->shape.n;
    size_t total = 0;
    job->capacity = job->pixels * (size_t)job->o->n_edges + 2;
    size_t results = take(&total, n, sizeof *job->results);
    size_t sorted = take(&total, n * PASSES, sizeof(struct edge *));
    size_t n_sorted = take(&total, n * PASSES, sizeof *job->n_sorted);
    size_t edges = take(&total, n * job->capacity, sizeof *job->edges);
    size_t spare = take(&total, n * job->capacity, sizeof *job->spare);
    size_t class = take(&total, n * job->pixels, sizeof *job->class);
    size_t forest = take(&total, n * job->pixels, sizeof *job->forest);
    size_t gradient = take(&total, n * job->pixels, sizeof *job->gradient);
    if (memory) {
        job->results = (void *)(memory + results);
        job->sorted = (void *)(memory + sorted);
        job->n_sorted = (void *)(memory + n_sorted);
        job->edges = (void *)(memory + edges);
        job->spare = (void *)(memory + spare);
        job->class = (void *)(memory + class);
        job->forest = (void *)(memory + forest);
        job->gradient = (void *)(memory + gradient);
    }
    return total;
}

/* ---- edges ---- */

static const float *read_plane(const struct job *job, size_t n)
{
    return job->prob + (n * (size_t)job->shape.c + (size_t)job->o->channel) * job->pixels;
}

/* Ascends as x descends; -0 is 0. */
static uint32_t key_of(float x)
{
    uint32_t bits = 0;
    x += 0.0f;
    memcpy(&bits, &x, sizeof bits);
    return bits & 0x80000000u ? bits : ~bits & 0x7fffffffu;
}

static float value_of(uint32_t key)
{
    float x = 0.0f;
    uint32_t bits = key & 0x80000000u ? key : ~key & 0x7fffffffu;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Start pixels of edge k in an image: rows y0 to y1 - 1, columns x0 to x1 - 1. */
struct window {
    int32_t y0, y1, x0, x1;
    ptrdiff_t step; /* to the other end */
};

static struct window edge_window(const struct job *job, int32_t k)
{
    int32_t dy = job->o->edges[k][0];
    int32_t dx = job->o->edges[k][1];
    int32_t h = job->shape.h;
    int32_t w = job->shape.w;
    return (struct window){dy < 0 ? -dy : 0, dy > 0 ? h - dy : h, dx < 0 ? -dx : 0,
                           dx > 0 ? w - dx : w, (ptrdiff_t)dy * w + dx};
}

/* Is an edge between pixels of these classes one of the pass? */
static bool belongs(int32_t a, int32_t b, enum pass pass)
{
    bool inside = (a > 0) & (a == b);
    return ((a | b) >= 0) & (inside == (pass == WITHIN));
}

static void classes_chunk(void *cookie, size_t n, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    const float *q = read_plane(job, n);
    const float *label = job->label + n * job->pixels;
    int32_t *class = job->class + n * job->pixels;
    struct result *result = &job->results[n];
    int32_t nan = 0;
    for (size_t i = 0; i < job->pixels; i++) {
        bool counts = label[i] >= 0.0f && label[i] < (float)(1 << 24);
        class[i] = counts ? (int32_t)label[i] : -1;
        nan |= counts & (q[i] != q[i]);
    }
    *result = (struct result){.nan = nan != 0};
    for (int32_t k = 0; k < job->o->n_edges; k++) {
        struct window w = edge_window(job, k);
        for (int32_t y = w.y0; y < w.y1; y++) {
            const int32_t *a = class + (size_t)y * (size_t)job->shape.w;
            for (int32_t x = w.x0; x < w.x1; x++) {
                result->n_within += belongs(a[x], a[x + w.step], WITHIN);
            }
        }
    }
}

static size_t list_edges(struct edge *out, const struct job *job, size_t n, enum pass pass)
{
    const float *q = read_plane(job, n);
    const int32_t *class = job->class + n * job->pixels;
    size_t found = 0;
    for (int32_t k = 0; k < job->o->n_edges; k++) {
        struct window w = edge_window(job, k);
        for (int32_t y = w.y0; y < w.y1; y++) {
            for (int32_t x = w.x0; x < w.x1; x++) {
                ptrdiff_t a = (ptrdiff_t)y * job->shape.w + x;
                ptrdiff_t b = a + w.step;
                bool first = q[a] < q[b];
                out[found].key = key_of(first ? q[a] : q[b]);
                out[found].name =
                    (uint32_t)a | (first ? 0 : SECOND_LESS) | (uint32_t)k << (PIXEL_BITS + 1);
                found += belongs(class[a], class[b], pass);
            }
        }
    }
    return found;
}

/* Returns where the sorted list is: in edges or in spare. */
static struct edge *sort_edges(struct edge *edges, struct edge *spare, size_t n)
{
    uint32_t starts[ROUNDS][RADIX] = {{0}};
    for (size_t i = 0; i < n; i++) {
        for (int r = 0; r < ROUNDS; r++) {
            starts[r][edges[i].key >> (RADIX_BITS * r) & (RADIX - 1)]++;
        }
    }
    for (int r = 0; r < ROUNDS; r++) {
        uint32_t sum = 0;
        bool one_bucket = false;
        for (int d = 0; d < RADIX; d++) {
            uint32_t count = starts[r][d];
            one_bucket |= count == n;
            starts[r][d] = sum;
            sum += count;
        }
        if (one_bucket) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            spare[starts[r][edges[i].key >> (RADIX_BITS * r) & (RADIX - 1)]++] = edges[i];
        }
        struct edge *swap = edges;
        edges = spare;
        spare = swap;
    }
    return edges;
}

static void sort_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    size_t n = chunk / PASSES;
    enum pass pass = chunk % PASSES == 0 ? WITHIN : BETWEEN;
    size_t at = n * job->capacity + (pass == WITHIN ? 0 : job->results[n].n_within + 1);
    job->n_sorted[chunk] = list_edges(job->edges + at, job, n, pass);
    job->sorted[chunk] = sort_edges(job->edges + at, job->spare + at, job->n_sorted[chunk]);
}

/* ---- joining ---- */

static int32_t find(struct tree *forest, int32_t v)
{
    for (int32_t up = forest[v].up; up >= 0; up = forest[v].up) {
        int32_t above = forest[up].up;
        if (above < 0) {
            return up;
        }
        forest[v].up = above;
        v = above;
    }
    return v;
}

/* Unite two roots; the number of pairs that this joins. */
static double unite(struct tree *forest, int32_t a, int32_t b)
{
    double pairs = (double)forest[a].count * (double)forest[b].count;
    int32_t large = forest[a].up <= forest[b].up ? a : b;
    int32_t small = large == a ? b : a;
    forest[large].up += forest[small].up;
    forest[large].count += forest[small].count;
    forest[small].up = large;
    return pairs;
}

/* Charge of affinity w, and its derivative. */
static double charge(double *slope, const gt_malis_options *o, double w, enum pass pass)
{
    if (o->form == GT_MALIS_SQUARED) {
        double wrong = pass == WITHIN ? 1.0 - w : w;
        *slope = pass == WITHIN ? -wrong : wrong;
        return wrong * wrong / 2.0;
    }
    double wrong = pass == WITHIN ? (double)o->threshold + (double)o->margin - w
                                  : w - (double)o->threshold + (double)o->margin;
    *slope = wrong > 0.0 ? (pass == WITHIN ? -1.0 : 1.0) : 0.0;
    return wrong > 0.0 ? wrong : 0.0;
}

/* Sums over the pairs of a pass, not yet divided by their number. */
struct sums {
    double charges, pairs;
};

/* Sorted edges lie anywhere: ask early for the memory of those that come soon. */
static void prefetch(const struct tree *forest, const double *gradient, int32_t a, int32_t b,
                     bool second)
{
    __builtin_prefetch(&forest[a]);
    __builtin_prefetch(&forest[b]);
    __builtin_prefetch(&gradient[second ? b : a], 1);
}

static struct sums join(const struct job *job, size_t n, enum pass pass, double scale)
{
    const struct edge *edges = job->sorted[n * PASSES + pass];
    size_t n_edges = job->n_sorted[n * PASSES + pass];
    struct tree *forest = job->forest + n * job->pixels;
    double *gradient = job->gradient + n * job->pixels;
    struct sums sums = {0.0, 0.0};
    int32_t steps[GT_MALIS_EDGES];
    for (int32_t k = 0; k < job->o->n_edges; k++) {
        steps[k] = (int32_t)edge_window(job, k).step;
    }
    for (size_t i = 0; i < n_edges; i++) {
        if (i + AHEAD < n_edges) {
            uint32_t soon = edges[i + AHEAD].name;
            int32_t start = (int32_t)(soon & PIXEL_MASK);
            prefetch(forest, gradient, start, start + steps[soon >> (PIXEL_BITS + 1)],
                     (soon & SECOND_LESS) != 0);
        }
        uint32_t name = edges[i].name;
        int32_t a = (int32_t)(name & PIXEL_MASK);
        int32_t b = a + steps[name >> (PIXEL_BITS + 1)];
        int32_t root_a = find(forest, a);
        int32_t root_b = find(forest, b);
        if (root_a == root_b) {
            continue;
        }
        double pairs = unite(forest, root_a, root_b);
        if (pairs > 0.0) {
            double slope = 0.0;
            sums.charges += pairs * charge(&slope, job->o, (double)value_of(edges[i].key), pass);
            sums.pairs += pairs;
            gradient[name & SECOND_LESS ? b : a] += pairs * slope * scale;
        }
    }
    return sums;
}

/* Every pixel its own set. Returns the labelled ones. */
static double plant(const struct job *job, size_t n)
{
    const int32_t *class = job->class + n * job->pixels;
    struct tree *forest = job->forest + n * job->pixels;
    size_t labelled = 0;
    for (size_t i = 0; i < job->pixels; i++) {
        forest[i] = (struct tree){-1, class[i] > 0};
        labelled += class[i] > 0;
    }
    return (double)labelled;
}

static void join_chunk(void *cookie, size_t n, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct result *result = &job->results[n];
    double weight = (double)job->o->weight / (double)job->shape.n;
    double *gradient = job->gradient + n * job->pixels;
    float *out = job->dprob + n * (size_t)job->shape.c * job->pixels;
    memset(out, 0, (size_t)job->shape.c * job->pixels * sizeof *out);
    if (result->nan) {
        result->loss = NAN; /* there is no order of edges */
        return;
    }
    double labelled = plant(job, n);
    memset(gradient, 0, job->pixels * sizeof *gradient);
    struct sums within = join(job, n, WITHIN, 1.0);
    if (within.pairs > 0.0) {
        result->loss += within.charges / within.pairs;
        for (size_t i = 0; i < job->pixels; i++) {
            gradient[i] *= weight / within.pairs;
        }
    }
    double between = labelled * (labelled - 1.0) / 2.0 - within.pairs;
    if (between > 0.0) { /* pairs that ignored pixels keep apart too: their affinity is 0 */
        struct sums sums = join(job, n, BETWEEN, weight / between);
        result->loss += sums.charges / between;
    }
    out += (size_t)job->o->channel * job->pixels;
    for (size_t i = 0; i < job->pixels; i++) {
        out[i] = (float)gradient[i];
    }
}

/* ---- kernel ---- */

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct job job = {.o = &step->node->attr.malis,
                      .shape = step->in[0].shape,
                      .prob = gt__f32(&step->in[0]),
                      .label = gt__f32(&step->in[1]),
                      .dprob = gt__f32(&step->out[1])};
    size_t n = (size_t)job.shape.n;
    job.pixels = (size_t)job.shape.h * (size_t)job.shape.w;
    lay_out(&job, (char *)gt__u8(&step->scratch));
    struct gt_pool *pool = gt__cpu_pool(device);
    gt__pool_for(pool, n, classes_chunk, &job);
    gt__pool_for(pool, n * PASSES, sort_chunk, &job);
    gt__pool_for(pool, n, join_chunk, &job);
    double loss = 0.0;
    for (size_t i = 0; i < n; i++) {
        loss += job.results[i].loss;
    }
    gt__f32(&step->out[0])[0] = (float)(loss * (double)job.o->weight / (double)n);
    return GT_OK;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    if (!gt__node_plain(node, GT_OP_malis)) {
        return false;
    }
    struct job job = {.o = &node->attr.malis, .shape = gt__in_shape(g, node, 0)};
    job.pixels = (size_t)job.shape.h * (size_t)job.shape.w;
    out->in[0] = out->in[1] = out->out[0] = out->out[1] = GT_LAYOUT_NCHW;
    out->scratch = lay_out(&job, NULL);
    out->cost = gt__cpu_cost(device, gt__ops[GT_OP_malis]->flops(g, node), 2e9, 0.0);
    return true;
}

const struct gt_kernel gt__malis_kruskal = {
    .name = "malis_kruskal", .op = GT_OP_malis, .n_variants = 1, .plan = plan, .run = run};
