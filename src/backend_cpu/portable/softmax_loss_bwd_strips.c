/* Gradient of the softmax loss, dscores[n][c][i] = (prob[n][c][i] - [c = y])*weight/count where the
 * position has a class y, else 0; NCHW. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/softmax_strips.h"

struct job {
    const float *prob, *label;
    float *dscores;
    float scale;
    gt_shape shape;
};

static void gradient(float *restrict dx, const float *restrict prob, const float *restrict label,
                     const struct gt_strip *s, int32_t channels, float scale)
{
    int32_t class[GT_STRIP];
    for (size_t i = 0; i < s->n; i++) {
        class[i] = gt__label_class(label[i], channels);
    }
    for (int32_t c = 0; c < channels; c++) {
        const float *p = prob + (size_t)c * s->plane;
        float *out = dx + (size_t)c * s->plane;
        for (size_t i = 0; i < s->n; i++) {
            out[i] = (p[i] - (float)(class[i] == c)) * scale;
        }
        for (size_t i = 0; i < s->n; i++) {
            float v = out[i];
            out[i] = class[i] < 0 ? 0.0f : v;
        }
    }
}

static void gradient_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct gt_strip strip = gt__strip(job->shape, chunk);
    size_t at = gt__strip_at(&strip, job->shape.c);
    gradient(job->dscores + at, job->prob + at, job->label + gt__strip_at(&strip, 1), &strip,
             job->shape.c, job->scale);
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct job job = {.prob = gt__f32(&step->in[0]),
                      .label = gt__f32(&step->in[1]),
                      .dscores = gt__f32(&step->out[0]),
                      .scale = step->node->attr.weight / gt__f32(&step->in[2])[0],
                      .shape = step->in[0].shape};
    gt__pool_for(gt__cpu_pool(device), gt__strips(job.shape), gradient_chunk, &job);
    return GT_OK;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    gt_shape shape = gt__in_shape(g, node, 0);
    if (!gt__node_plain(node, GT_OP_softmax_loss_bwd) || shape.c > GT_MAX_LABELS) {
        return false;
    }
    out->in[0] = out->in[1] = out->in[2] = out->out[0] = GT_LAYOUT_NCHW;
    double count = (double)gt__count(shape);
    out->cost = gt__cpu_cost(device, 3.0 * count, 4e9, 12.0 * count);
    return true;
}

const struct gt_kernel gt__softmax_loss_bwd_strips = {.name = "softmax_loss_bwd_strips",
                                                      .op = GT_OP_softmax_loss_bwd,
                                                      .n_variants = 1,
                                                      .plan = plan,
                                                      .run = run};
