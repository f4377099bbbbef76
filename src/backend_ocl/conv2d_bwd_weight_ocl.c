/* Weight gradients of convolutions as matrix products over pixels: sizes, ranges, launches.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/conv2d_bwd_weight_ocl.h"

#include <stdio.h>

#include "cl/conv2d_bwd_weight_ocl.cl.h"

enum {
    STEP = 16,    /* pixels of a step, BK */
    RESIDENT = 3, /* work-groups that keep a unit of a GPU busy */
    MAX_RANGES = 512,
    MIN_STEPS = 8,   /* of a range */
    START_STEPS = 4, /* what beginning and ending a tile cost */
    CPU_M = 8,
    CPU_N = 16,
    CPU_BYTES = 512 << 10, /* pixels of x and dy that a range of a processor reads */
    MAX_PART_BYTES = 128 << 20,
    SUM_TILE = 32,
    SUM_ROWS = 4
};

bool gt__weight_geometry(struct gt_ocl_weight *out, gt_shape x, gt_shape dy,
                         const struct gt_attr *attr, int32_t phase, bool thin)
{
    bool one = attr->kernel_h == 1 && attr->kernel_w == 1;
    if (!one && attr->dilation % phase != 0) {
        return false;
    }
    struct gt_extent ex =
        gt__extent(x, thin ? GT_LAYOUT_NCHW : gt__layout_f32(GT_BLOCK_ALL, phase));
    struct gt_extent ey = gt__extent(dy, gt__layout_f32(GT_BLOCK_ALL, phase));
    int32_t cin = thin ? x.c : ex.b;
    int32_t taps = attr->kernel_h * attr->kernel_w;
    double elements = (double)cin * taps * ey.b;
    *out = (struct gt_ocl_weight){.cin = cin,
                                  .taps = taps,
                                  .kw = attr->kernel_w,
                                  .hi = ex.h,
                                  .wi = ex.w,
                                  .ho = ey.h,
                                  .wo = ey.w,
                                  .d = one ? 1 : attr->dilation / phase,
                                  .pixels = ey.n * ey.h * ey.w,
                                  .m = cin * taps,
                                  .np = ey.b,
                                  .x_image = ex.h * ex.w * cin,
                                  .x_channel = thin ? ex.h * ex.w : 1,
                                  .x_pixel = ex.b,
                                  .x_row = ex.w * ex.b};
    return elements < (double)INT32_MAX;
}

/* ---- ranges ---- */

struct ranges {
    int32_t count, chunk; /* pixels of a range, a multiple of STEP */
    double flops;         /* as if all units were as busy as the busiest, at the full share */
};

static size_t range_bytes(const struct gt_ocl_weight *w)
{
    return (size_t)w->m * (size_t)w->np * sizeof(float);
}

static struct ranges cut(const struct gt_ocl_weight *w, int32_t steps)
{
    int32_t chunk = steps * STEP;
    return (struct ranges){gt__ceil_div(w->pixels, chunk), chunk, 0};
}

/* Processors: ranges whose pixels stay in the cache while all rows of the product use them. */
static struct ranges cut_cpu(const struct gt_ocl_weight *w)
{
    int32_t pixel = (int32_t)sizeof(float) * (w->np + w->x_pixel);
    size_t most = MAX_PART_BYTES / range_bytes(w);
    int32_t steps = CPU_BYTES / pixel / STEP;
    int32_t least = gt__ceil_div(gt__ceil_div(w->pixels, STEP), most > 0 ? (int32_t)most : 1);
    steps = steps > least ? steps : least;
    struct ranges r = cut(w, steps > MIN_STEPS ? steps : MIN_STEPS);
    r.flops = 2.0 * w->pixels * gt__ceil_div(w->m, CPU_M) * CPU_M *
              (double)gt__ceil_div(w->np, CPU_N) * CPU_N;
    return r;
}

/* GPUs: the number of ranges that lets the busiest unit finish first, its partial sums counted. */
static struct ranges cut_gpu(const struct gt_ocl_device *d, const struct gt_ocl_weight *w,
                             const struct gt_weight_tile *t)
{
    double tiles = (double)gt__ceil_div(w->m, t->bm) * gt__ceil_div(w->np, t->bn);
    int32_t steps = gt__ceil_div(w->pixels, STEP);
    struct ranges best = {0, 0, 0};
    for (int32_t n = 1; n <= MAX_RANGES; n++) {
        int32_t each = gt__ceil_div(steps, n);
        struct ranges r = cut(w, each);
        if (r.count < n ||
            (n > 1 && (each < MIN_STEPS || (double)n * (double)range_bytes(w) > MAX_PART_BYTES))) {
            continue;
        }
        double groups = tiles * n;
        double load = (double)((int64_t)((groups + d->units - 1) / d->units));
        double busy = load >= RESIDENT ? 1 : load >= 2 ? 0.9 : 0.6;
        double sums = 2.0 * n * (double)range_bytes(w) / (0.5 * d->bandwidth) * d->flops * t->share;
        r.flops = load / busy * d->units * (each + START_STEPS) * 2.0 * t->bm * t->bn * STEP + sums;
        if (best.count == 0 || r.flops < best.flops) {
            best = r;
        }
    }
    return best;
}

static struct ranges ranges_of(const struct gt_device *d, const struct gt_ocl_weight *w,
                               const struct gt_weight_tile *t)
{
    return t->bm == 0 ? cut_cpu(w) : cut_gpu(gt__ocl(d), w, t);
}

/* Two steps of both operands; x may have a column more, for its banks. */
static size_t local_bytes(const struct gt_weight_tile *t)
{
    return 2 * STEP * sizeof(float) * (size_t)(t->bm + 4 + t->bn);
}

bool gt__weight_plan(const struct gt_device *d, const struct gt_ocl_weight *w,
                     const struct gt_weight_tile *tile, struct gt_plan *out)
{
    const struct gt_ocl_device *ocl = gt__ocl(d);
    bool group =
        tile->bm == 0 || (ocl->max_group >= SUM_TILE * SUM_ROWS && ocl->max_across >= SUM_ROWS &&
                          ocl->local_bytes >= local_bytes(tile));
    if (!group || (tile->bm == 0 && !ocl->cpu)) {
        return false;
    }
    struct ranges r = ranges_of(d, w, tile);
    double tiles = tile->bm == 0 ? 1 : gt__ceil_div(w->np, tile->bn);
    double bytes = sizeof(float) * (double)w->pixels * (w->np + tiles * w->x_pixel);
    /* Processors have no local memory: barriers and copies cost them far more than the sums. */
    double share = ocl->cpu && tile->bm > 0 ? 0.05 * tile->share : tile->share;
    out->cost = gt__ocl_cost(d, r.flops, share, bytes, 2);
    return gt__mul(&out->scratch, range_bytes(w), (size_t)r.count);
}

/* ---- running ---- */

enum { NUMBER_RANGES, NUMBER_CHUNK };

gt_status gt__weight_prepare(struct gt_device *d, struct gt_step *step,
                             const struct gt_weight_tile *tile, bool thin)
{
    char defines[96];
    struct gt_ocl_weight w;
    bool cpu = tile->bm == 0;
    struct gt_weight_tile t = cpu ? (struct gt_weight_tile){64, 64, 8, 8, 0} : *tile;
    snprintf(defines, sizeof defines, "-DBM=%d -DBN=%d -DTM=%d -DTN=%d -DTHIN=%d", t.bm, t.bn, t.tm,
             t.tn, thin);
    GT_TRY(gt__ocl_state(d, step, "conv2d_bwd_weight_ocl", gt__cl_source, defines,
                         cpu ? "weight_tile_cpu weight_sum_cpu" : "weight_tile weight_sum"));
    gt__weight_geometry(&w, step->in[0].shape, step->in[1].shape, &step->node->attr,
                        step->in[1].layout.phase, thin);
    struct ranges r = ranges_of(d, &w, tile);
    gt__ocl_state_of(step)->numbers[NUMBER_RANGES] = r.count;
    gt__ocl_state_of(step)->numbers[NUMBER_CHUNK] = r.chunk;
    return GT_OK;
}

static gt_status launch_tiles(struct gt_device *d, const struct gt_step *step,
                              const struct gt_ocl_weight *w, const struct gt_weight_tile *t)
{
    const struct gt_ocl_state *state = gt__ocl_state_of(step);
    bool cpu = t->bm == 0;
    struct gt_ocl_call call = gt__ocl_call(d, state->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->in[1]);
    gt__ocl_arg_view(&call, &step->scratch);
    gt__ocl_arg(&call, w, sizeof *w);
    size_t local[3] = {cpu ? 1 : (size_t)(t->bm / t->tm * (t->bn / t->tn)), 1, 1};
    size_t global[3] = {local[0] * (size_t)gt__ceil_div(w->np, cpu ? CPU_N : t->bn),
                        (size_t)gt__ceil_div(w->m, cpu ? CPU_M : t->bm),
                        (size_t)state->numbers[NUMBER_RANGES]};
    return gt__ocl_launch(&call, 3, global, local);
}

gt_status gt__weight_run(struct gt_device *d, const struct gt_step *step, struct gt_ocl_weight *w,
                         const struct gt_weight_tile *tile)
{
    const struct gt_ocl_state *state = gt__ocl_state_of(step);
    gt_shape s = step->out[0].shape;
    int32_t row = s.c * s.h * s.w;
    bool cpu = tile->bm == 0;
    w->chunk = state->numbers[NUMBER_CHUNK];
    GT_TRY(launch_tiles(d, step, w, tile));
    struct gt_ocl_call sum = gt__ocl_call(d, state->functions[1]);
    gt__ocl_arg_view(&sum, &step->scratch);
    gt__ocl_arg_view(&sum, &step->out[0]);
    gt__ocl_arg(&sum, w, sizeof *w);
    gt__ocl_arg_int(&sum, row);
    gt__ocl_arg_int(&sum, s.n);
    gt__ocl_arg_int(&sum, state->numbers[NUMBER_RANGES]);
    size_t local[2] = {cpu ? 1 : SUM_TILE, cpu ? 1 : SUM_ROWS};
    size_t global[2] = {(size_t)row, (size_t)gt__ceil_div(s.n, CPU_N)};
    if (!cpu) {
        global[0] = gt__align_up((size_t)row, SUM_TILE);
        global[1] = (size_t)gt__ceil_div(s.n, SUM_TILE) * SUM_ROWS;
    }
    return gt__ocl_launch(&sum, 2, global, local);
}
