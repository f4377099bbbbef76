/* Gradient of softmax, dx[n][c][i] = p[n][c][i]*(dp[n][c][i] - sum over k of
 * dp[n][k][i]*p[n][k][i]); NCHW. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/softmax_strips.h"

struct job {
    const float *dp, *p;
    float *dx;
    gt_shape shape;
};

static void gradient(float *restrict dx, const float *restrict dp, const float *restrict p,
                     const struct gt_strip *s, int32_t channels)
{
    float dot[GT_STRIP] = {0};
    for (int32_t c = 0; c < channels; c++) {
        const float *u = dp + (size_t)c * s->plane;
        const float *v = p + (size_t)c * s->plane;
        for (size_t i = 0; i < s->n; i++) {
            dot[i] += u[i] * v[i];
        }
    }
    for (int32_t c = 0; c < channels; c++) {
        const float *u = dp + (size_t)c * s->plane;
        const float *v = p + (size_t)c * s->plane;
        float *out = dx + (size_t)c * s->plane;
        for (size_t i = 0; i < s->n; i++) {
            out[i] = v[i] * (u[i] - dot[i]);
        }
    }
}

static void gradient_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct gt_strip strip = gt__strip(job->shape, chunk);
    size_t at = gt__strip_at(&strip, job->shape.c);
    gradient(job->dx + at, job->dp + at, job->p + at, &strip, job->shape.c);
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct job job = {gt__f32(&step->in[0]), gt__f32(&step->in[1]), gt__f32(&step->out[0]),
                      step->in[0].shape};
    gt__pool_for(gt__cpu_pool(device), gt__strips(job.shape), gradient_chunk, &job);
    return GT_OK;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    gt_shape shape = gt__in_shape(g, node, 0);
    if (!gt__node_plain(node, GT_OP_softmax_bwd) || shape.c > GT_MAX_LABELS) {
        return false;
    }
    out->in[0] = out->in[1] = out->out[0] = GT_LAYOUT_NCHW;
    double count = (double)gt__count(shape);
    out->cost = gt__cpu_cost(device, 4.0 * count, 4e9, 12.0 * count);
    return true;
}

const struct gt_kernel gt__softmax_bwd_strips = {.name = "softmax_bwd_strips",
                                                 .op = GT_OP_softmax_bwd,
                                                 .n_variants = 1,
                                                 .plan = plan,
                                                 .run = run};
