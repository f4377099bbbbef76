/* Softmax over channels, y[n][c][i] = exp(x[n][c][i] - m)/sum over k of exp(x[n][k][i] - m), m the
 * largest of the position; NCHW, at most 256 channels. Each position is computed alone, so its bits
 * do not depend on where it lies. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/softmax_strips.h"

struct job {
    const float *x;
    float *y;
    gt_shape shape;
};

static void softmax_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct gt_strip strip = gt__strip(job->shape, chunk);
    size_t at = gt__strip_at(&strip, job->shape.c);
    float sum[GT_STRIP];
    gt__strip_exp(job->y + at, job->x + at, sum, &strip, job->shape.c);
    gt__strip_divide(job->y + at, sum, &strip, job->shape.c);
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct job job = {gt__f32(&step->in[0]), gt__f32(&step->out[0]), step->in[0].shape};
    gt__pool_for(gt__cpu_pool(device), gt__strips(job.shape), softmax_chunk, &job);
    return GT_OK;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    gt_shape shape = gt__in_shape(g, node, 0);
    if (!gt__node_plain(node, GT_OP_softmax_fwd) || shape.c > GT_MAX_LABELS) {
        return false;
    }
    out->in[0] = out->out[0] = GT_LAYOUT_NCHW;
    double count = (double)gt__count(shape);
    out->cost = gt__cpu_cost(device, count, 0.5e9, 8.0 * count);
    return true;
}

const struct gt_kernel gt__softmax_fwd_strips = {.name = "softmax_fwd_strips",
                                                 .op = GT_OP_softmax_fwd,
                                                 .n_variants = 1,
                                                 .plan = plan,
                                                 .run = run};
