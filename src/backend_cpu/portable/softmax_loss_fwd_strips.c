/* Softmax and cross-entropy, loss = weight/n * sum over positions with a class y of -ln
 * max(prob[y], FLT_MIN), prob = softmax(scores), count = n: positions with a class, at least 1, or
 * the batch; NCHW, at most 256 classes. SPDX-License-Identifier: BSD-2-Clause
 *
 * scores [N][L][H][W], label [N][1][H][W]. Every strip of positions gives a sum in double; the sums
 * are added in order. Where no probabilities are wanted they go to scratch memory. */
#include "backend_cpu/portable/softmax_strips.h"

#include <float.h>
#include <math.h>

struct partial {
    double loss, valid;
};

struct job {
    const float *scores, *label;
    float *prob;
    struct partial *partials; /* [strips] */
    gt_shape shape;
};

/* NaN stays NaN: a diverged network shows in the loss. */
static double minus_log(float p)
{
    return -log((double)(p < FLT_MIN ? FLT_MIN : p));
}

static void loss_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    int32_t labels = job->shape.c;
    struct gt_strip strip = gt__strip(job->shape, chunk);
    size_t at = gt__strip_at(&strip, labels);
    const float *label = job->label + gt__strip_at(&strip, 1);
    float *prob = job->prob + at;
    float sum[GT_STRIP];
    gt__strip_exp(prob, job->scores + at, sum, &strip, labels);
    gt__strip_divide(prob, sum, &strip, labels);
    struct partial partial = {0.0, 0.0};
    for (size_t i = 0; i < strip.n; i++) {
        int32_t y = gt__label_class(label[i], labels);
        if (y >= 0) {
            partial.loss += minus_log(prob[(size_t)y * strip.plane + i]);
            partial.valid += 1.0;
        }
    }
    job->partials[chunk] = partial;
}

static size_t partial_bytes(gt_shape s)
{
    return gt__align_up(gt__strips(s) * sizeof(struct partial), GT_ALIGN);
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    gt_shape shape = step->in[0].shape;
    uint8_t *scratch = gt__u8(&step->scratch);
    float *prob = gt__f32(&step->out[1]);
    float *count = gt__f32(&step->out[2]);
    struct job job = {.scores = gt__f32(&step->in[0]),
                      .label = gt__f32(&step->in[1]),
                      .prob = prob ? prob : (float *)(void *)(scratch + partial_bytes(shape)),
                      .partials = (struct partial *)(void *)scratch,
                      .shape = shape};
    size_t strips = gt__strips(shape);
    gt__pool_for(gt__cpu_pool(device), strips, loss_chunk, &job);
    struct partial all = {0.0, 0.0};
    for (size_t i = 0; i < strips; i++) {
        all.loss += job.partials[i].loss;
        all.valid += job.partials[i].valid;
    }
    double n = all.valid > 0.0 ? all.valid : 1.0;
    n = attr->normalize == GT_NORMALIZE_BATCH ? (double)shape.n : n;
    gt__f32(&step->out[0])[0] = (float)((double)attr->weight * all.loss / n);
    if (count) {
        count[0] = (float)n;
    }
    return GT_OK;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    gt_shape shape = gt__in_shape(g, node, 0);
    if (!gt__node_plain(node, GT_OP_softmax_loss_fwd) || shape.c > GT_MAX_LABELS) {
        return false;
    }
    size_t bytes = node->out[1] == GT_NO_VALUE ? gt__count(shape) * sizeof(float) : 0;
    if (!gt__add(&out->scratch, bytes, partial_bytes(shape))) {
        return false;
    }
    out->in[0] = out->in[1] = GT_LAYOUT_NCHW;
    out->out[0] = out->out[1] = out->out[2] = GT_LAYOUT_NCHW;
    double count = (double)gt__count(shape);
    out->cost = gt__cpu_cost(device, count, 0.17e9, 12.0 * count);
    return true;
}

const struct gt_kernel gt__softmax_loss_fwd_strips = {.name = "softmax_loss_fwd_strips",
                                                      .op = GT_OP_softmax_loss_fwd,
                                                      .n_variants = 1,
                                                      .plan = plan,
                                                      .run = run};
