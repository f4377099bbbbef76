/* What the kernels over all stored elements share: one output of the inputs' layout, whatever that
 * is, perhaps in place of an input. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_CPU_PORTABLE_FLAT_H
#define GT_BACKEND_CPU_PORTABLE_FLAT_H

#include "backend_cpu/portable/chunk.h"

struct flat_job {
    const float *a, *b; /* inputs 0 and 1; b NULL if there is one */
    float *y;
    size_t count;
};

/* The elements of a chunk. */
static inline struct flat_job flat_part(const struct flat_job *job, size_t chunk)
{
    size_t from = chunk * GT_CHUNK;
    return (struct flat_job){.a = job->a + from,
                             .b = job->b ? job->b + from : NULL,
                             .y = job->y + from,
                             .count = gt__flat_size(job->count, chunk)};
}

static inline gt_status flat_run(struct gt_device *device, const struct gt_step *step,
                                 gt_pool_fn chunk)
{
    struct flat_job job = {.a = gt__f32(&step->in[0]),
                           .b = gt__f32(&step->in[1]),
                           .y = gt__f32(&step->out[0]),
                           .count = gt__extent_count(gt__view_extent(&step->in[0]))};
    gt__pool_for(gt__cpu_pool(device), gt__flat_chunks(job.count), chunk, &job);
    return GT_OK;
}

/* For gt_kernel.plan, once the operation is known to be the kernel's. */
static inline void flat_plan(const struct gt_device *device, const struct gt_graph *g,
                             const struct gt_node *node, struct gt_plan *out)
{
    for (int32_t i = 0; i < node->n_in; i++) {
        out->in[i] = out->in[0];
        out->inplace |= 1u << i;
    }
    out->out[0] = out->in[0];
    double count = gt__stored(gt__in_shape(g, node, 0), out->in[0]);
    out->cost = gt__cpu_cost(device, count, 4e9, 4.0 * (node->n_in + 1) * count);
}

#endif
