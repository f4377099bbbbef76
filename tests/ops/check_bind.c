/* Binds a kernel to memory: every tensor between guard zones, offset by one vector, laid out as the
 * plan wants it; outputs, scratch and packed weights start as NaN.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <stdlib.h>
#include <string.h>

#include "check_layout.h"

/* A quiet NaN with a payload: read by mistake it spoils a result, written over it is missed. */
static const uint8_t guard_pattern[4] = {0xa5, 0xa5, 0xc5, 0x7f};

void check_guards_fill(uint8_t *image, size_t bytes, size_t total)
{
    for (size_t i = 0; i < CHECK_GUARD; i++) {
        image[i] = guard_pattern[i % 4];
    }
    for (size_t i = CHECK_GUARD + bytes; i < total; i++) {
        image[i] = guard_pattern[i % 4];
    }
}

bool check_guard_intact(const uint8_t *part, size_t at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (part[i] != guard_pattern[(at + i) % 4]) {
            return false;
        }
    }
    return true;
}

void check_pack(uint8_t *to, gt_shape s, gt_layout l, const void *from)
{
    size_t bytes = 0;
    assert_true(gt__layout_bytes(&bytes, s, l));
    memset(to, 0, bytes);
    size_t i = 0;
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t c = 0; c < s.c; c++) {
            for (int32_t h = 0; h < s.h; h++) {
                for (int32_t w = 0; w < s.w; w++, i++) {
                    size_t at = gt__layout_index(s, l, n, c, h, w);
                    if (l.kind == GT_KIND_U8) {
                        to[at] = ((const uint8_t *)from)[i];
                    } else {
                        float f = (float)((const double *)from)[i];
                        memcpy(to + at * sizeof f, &f, sizeof f);
                    }
                }
            }
        }
    }
}

bool check_tight;

static gt_status bind_memory(struct check_memory *m, const struct check_job *job, size_t bytes)
{
    m->bytes = bytes;
    m->total = CHECK_GUARD + (check_tight ? bytes : CHECK_GUARD + gt__align_up(bytes, 64));
    m->image = (uint8_t *)check_calloc(m->total, 1);
    return job->device->backend->alloc(&m->buffer, job->device, m->total);
}

static gt_status bind_tensor(struct gt_view *view, struct check_memory *m,
                             const struct check_job *job, gt_value value, gt_layout layout)
{
    const struct gt_value_info *info = gt__value(job->c->graph, value);
    size_t bytes = 0;
    layout.kind = info->kind;
    assert_true(gt__layout_bytes(&bytes, info->shape, layout));
    GT_TRY(bind_memory(m, job, bytes));
    *view = (struct gt_view){m->buffer, CHECK_GUARD, bytes, info->shape, layout};
    return GT_OK;
}

static gt_status bind_extra(struct gt_view *view, struct check_memory *m,
                            const struct check_job *job, size_t bytes)
{
    if (bytes == 0) {
        return GT_OK;
    }
    GT_TRY(bind_memory(m, job, bytes));
    *view = (struct gt_view){.buffer = m->buffer, .offset = CHECK_GUARD, .size = bytes};
    return GT_OK;
}

/* Which input an output is written over, -1 for none. */
static int32_t shared_input(const struct check_job *job, int32_t out)
{
    const struct gt_node *node = check_tested(job->c);
    for (int32_t i = 0; i < node->n_in; i++) {
        if (node->in[i] == node->out[out]) {
            return i;
        }
    }
    return out == 0 ? job->inplace : -1;
}

static gt_status bind_outputs(struct check_bound_job *b, const struct check_job *job)
{
    const struct gt_node *node = &b->node;
    for (int32_t o = 0; o < node->n_out; o++) {
        int32_t i = shared_input(job, o);
        if (node->out[o] == GT_NO_VALUE) {
            continue;
        }
        if (i < 0) {
            GT_TRY(
                bind_tensor(&b->step.out[o], &b->out[o], job, node->out[o], job->layouts->out[o]));
            continue;
        }
        b->out[o] = b->in[i];
        b->out[o].shared = true;
        b->step.out[o] = b->step.in[i];
        b->step.out[o].shape = check_shape_of(job->c, node->out[o]);
    }
    return GT_OK;
}

/* Asked again with layouts, or for other threads (scratch may depend on both), a kernel must agree.
 */
static gt_status plan_again(struct gt_plan *plan, const struct check_bound_job *b,
                            const struct check_job *job)
{
    const struct check_layouts *l = job->layouts;
    *plan = (struct gt_plan){.cost = 0};
    if (l->any || job->kernel->op == GT_OP_reorder) {
        memcpy(plan->in, l->in, sizeof plan->in);
        memcpy(plan->out, l->out, sizeof plan->out);
    }
    if (!job->kernel->plan(job->device, job->c->graph, &b->node, job->variant, plan)) {
        return gt__fail(GT_ENOTSUP, "refused when asked again");
    }
    for (int32_t i = 0; i < b->node.n_in; i++) {
        bool given = b->node.in[i] != GT_NO_VALUE && !gt__layout_is_any(plan->in[i]);
        if (given && (plan->in[i].block != l->in[i].block || plan->in[i].phase != l->in[i].phase)) {
            return gt__fail(GT_ENOTSUP, "wants another layout of input %d when asked again", i);
        }
    }
    for (int32_t o = 0; o < b->node.n_out; o++) {
        bool given = b->node.out[o] != GT_NO_VALUE && !gt__layout_is_any(plan->out[o]);
        if (given &&
            (plan->out[o].block != l->out[o].block || plan->out[o].phase != l->out[o].phase)) {
            return gt__fail(GT_ENOTSUP, "wants another layout of output %d when asked again", o);
        }
    }
    return GT_OK;
}

gt_status check_bind(struct check_bound_job *b, const struct check_job *job)
{
    struct gt_plan plan;
    *b = (struct check_bound_job){.node = *check_tested(job->c)};
    b->step = (struct gt_step){
        .kernel = job->kernel, .node = &b->node, .variant = job->variant, .pack = true};
    for (int32_t o = 0; o < GT_MAX_OUT; o++) {
        if (job->absent & 1u << o) {
            b->node.out[o] = GT_NO_VALUE;
        }
    }
    GT_TRY(plan_again(&plan, b, job));
    for (int32_t i = 0; i < b->node.n_in; i++) {
        gt_value v = b->node.in[i];
        if (v != GT_NO_VALUE) {
            GT_TRY(bind_tensor(&b->step.in[i], &b->in[i], job, v, job->layouts->in[i]));
        }
    }
    GT_TRY(bind_outputs(b, job));
    GT_TRY(bind_extra(&b->step.scratch, &b->scratch, job, plan.scratch));
    GT_TRY(bind_extra(&b->step.packed, &b->packed, job, plan.packed));
    GT_TRY(check_reset(b, job));
    return job->kernel->prepare ? job->kernel->prepare(job->device, &b->step) : GT_OK;
}

static void unbind_memory(struct check_memory *m, const struct check_job *job)
{
    if (!m->shared) {
        job->device->backend->free(m->buffer);
        free(m->image);
    }
}

void check_unbind(struct check_bound_job *b, const struct check_job *job)
{
    if (job->kernel->release) {
        job->kernel->release(job->device, &b->step);
    }
    for (int32_t o = 0; o < GT_MAX_OUT; o++) {
        unbind_memory(&b->out[o], job);
    }
    for (int32_t i = 0; i < GT_MAX_IN; i++) {
        unbind_memory(&b->in[i], job);
    }
    unbind_memory(&b->scratch, job);
    unbind_memory(&b->packed, job);
}

static gt_status reset(struct check_memory *m, const struct check_job *job)
{
    if (!m->buffer || m->shared) {
        return GT_OK;
    }
    if (!m->made) {
        memset(m->image + CHECK_GUARD, 0xff, m->bytes);
        check_guards_fill(m->image, m->bytes, m->total);
        m->made = true;
    }
    return job->device->backend->write(job->device, m->buffer, 0, m->image, m->total);
}

gt_status check_reset(struct check_bound_job *b, const struct check_job *job)
{
    for (int32_t i = 0; i < GT_MAX_IN; i++) {
        struct check_memory *m = &b->in[i];
        if (m->buffer) {
            if (!m->made) {
                check_guards_fill(m->image, m->bytes, m->total);
                check_pack(m->image + CHECK_GUARD, b->step.in[i].shape, b->step.in[i].layout,
                           job->c->in[i]);
                m->made = true;
            }
            GT_TRY(job->device->backend->write(job->device, m->buffer, 0, m->image, m->total));
        }
    }
    for (int32_t o = 0; o < GT_MAX_OUT; o++) {
        GT_TRY(reset(&b->out[o], job));
    }
    GT_TRY(reset(&b->scratch, job));
    return b->step.pack ? reset(&b->packed, job) : GT_OK;
}

gt_status check_submit(struct check_bound_job *b, const struct check_job *job)
{
    const struct gt_backend *backend = job->device->backend;
    struct gt_fence *fence = NULL;
    GT_TRY(backend->submit(job->device, &b->step, 1));
    GT_TRY(backend->fence(&fence, job->device));
    return backend->wait(fence);
}
