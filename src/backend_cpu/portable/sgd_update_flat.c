/* SGD with momentum as Caffe's: g = scale*dw + decay*decay_mult*w; v = momentum*v +
 * rate*rate_mult*g; w = w - v. Everything stays where the squared norm is not finite.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/update_flat.h"

struct job {
    const float *w, *dw, *v;
    float *new_w, *new_v;
    float scale, rate, decay, momentum;
    size_t count;
};

static void update_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    size_t from = chunk * GT_CHUNK;
    size_t n = gt__flat_size(job->count, chunk);
    const float *w = job->w + from;
    const float *dw = job->dw + from;
    const float *v = job->v + from;
    float *new_w = job->new_w + from;
    float *new_v = job->new_v + from;
    float scale = job->scale;
    float rate = job->rate;
    float decay = job->decay;
    float momentum = job->momentum;
    GT_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float g = scale * dw[i] + decay * w[i];
        float step = momentum * v[i] + rate * g;
        new_v[i] = step;
        new_w[i] = w[i] - step;
    }
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    const float *hyper = gt__f32(&step->in[3]);
    const float *sumsq = gt__f32(&step->in[4]);
    if (sumsq && !isfinite(sumsq[0])) {
        gt__update_keep(step, 0, 0);
        gt__update_keep(step, 1, 2);
        return GT_OK;
    }
    struct job job = {.w = gt__f32(&step->in[0]),
                      .dw = gt__f32(&step->in[1]),
                      .v = gt__f32(&step->in[2]),
                      .new_w = gt__f32(&step->out[0]),
                      .new_v = gt__f32(&step->out[1]),
                      .scale = sumsq ? gt__clip_scale(hyper[GT_HYPER_CLIP], sumsq[0]) : 1.0f,
                      .rate = hyper[GT_HYPER_RATE] * attr->rate_mult,
                      .decay = hyper[GT_HYPER_DECAY] * attr->decay_mult,
                      .momentum = hyper[GT_HYPER_MOMENTUM],
                      .count = gt__count(step->in[0].shape)};
    gt__pool_for(gt__cpu_pool(device), gt__flat_chunks(job.count), update_chunk, &job);
    return GT_OK;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    if (!gt__node_plain(node, GT_OP_sgd_update)) {
        return false;
    }
    gt__node_planar(node, out);
    double count = (double)gt__count(gt__in_shape(g, node, 0));
    out->cost = gt__cpu_cost(device, 6.0 * count, 4e9, 20.0 * count);
    return true;
}

const struct gt_kernel gt__sgd_update_flat = {
    .name = "sgd_update_flat", .op = GT_OP_sgd_update, .n_variants = 1, .plan = plan, .run = run};
