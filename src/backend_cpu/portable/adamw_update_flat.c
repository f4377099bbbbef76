/* AdamW: g = scale*dw; m = beta1*m + (1 - beta1)*g; v = beta2*v + (1 - beta2)*g^2;
 * w = w - rate*rate_mult*(m*correct1/(sqrt(v*correct2) + epsilon) + decay*decay_mult*w). Everything
 * stays where the squared norm is not finite. Source: Loshchilov and Hutter 2019, arXiv:1711.05101,
 * algorithm 2. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/update_flat.h"

struct job {
    const float *w, *dw, *m, *v;
    float *new_w, *new_m, *new_v;
    float scale, rate, decay, beta1, beta2, epsilon, correct1, correct2;
    size_t count;
};

static void update_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct job k = *job; /* the factors, in registers */
    size_t from = chunk * GT_CHUNK;
    size_t n = gt__flat_size(job->count, chunk);
    const float *w = job->w + from;
    const float *dw = job->dw + from;
    const float *old_m = job->m + from;
    const float *old_v = job->v + from;
    float *new_w = job->new_w + from;
    float *new_m = job->new_m + from;
    float *new_v = job->new_v + from;
    GT_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float g = k.scale * dw[i];
        float m = k.beta1 * old_m[i] + (1.0f - k.beta1) * g;
        float v = k.beta2 * old_v[i] + (1.0f - k.beta2) * g * g;
        float move = m * k.correct1 / (sqrtf(v * k.correct2) + k.epsilon);
        new_m[i] = m;
        new_v[i] = v;
        new_w[i] = w[i] - k.rate * (move + k.decay * w[i]);
    }
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    const float *hyper = gt__f32(&step->in[4]);
    const float *sumsq = gt__f32(&step->in[5]);
    if (sumsq && !isfinite(sumsq[0])) {
        gt__update_keep(step, 0, 0);
        gt__update_keep(step, 1, 2);
        gt__update_keep(step, 2, 3);
        return GT_OK;
    }
    struct job job = {.w = gt__f32(&step->in[0]),
                      .dw = gt__f32(&step->in[1]),
                      .m = gt__f32(&step->in[2]),
                      .v = gt__f32(&step->in[3]),
                      .new_w = gt__f32(&step->out[0]),
                      .new_m = gt__f32(&step->out[1]),
                      .new_v = gt__f32(&step->out[2]),
                      .scale = sumsq ? gt__clip_scale(hyper[GT_HYPER_CLIP], sumsq[0]) : 1.0f,
                      .rate = hyper[GT_HYPER_RATE] * attr->rate_mult,
                      .decay = hyper[GT_HYPER_DECAY] * attr->decay_mult,
                      .beta1 = hyper[GT_HYPER_MOMENTUM],
                      .beta2 = hyper[GT_HYPER_BETA2],
                      .epsilon = hyper[GT_HYPER_EPSILON],
                      .correct1 = hyper[GT_HYPER_CORRECT1],
                      .correct2 = hyper[GT_HYPER_CORRECT2],
                      .count = gt__count(step->in[0].shape)};
    gt__pool_for(gt__cpu_pool(device), gt__flat_chunks(job.count), update_chunk, &job);
    return GT_OK;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    if (!gt__node_plain(node, GT_OP_adamw_update)) {
        return false;
    }
    gt__node_planar(node, out);
    double count = (double)gt__count(gt__in_shape(g, node, 0));
    out->cost = gt__cpu_cost(device, 14.0 * count, 4e9, 28.0 * count);
    return true;
}

const struct gt_kernel gt__adamw_update_flat = {.name = "adamw_update_flat",
                                                .op = GT_OP_adamw_update,
                                                .n_variants = 1,
                                                .plan = plan,
                                                .run = run};
