/* Programs: create, write, run, read, dump. SPDX-License-Identifier: BSD-2-Clause */
#include "core/program_internal.h"

#include <string.h>

void gt_program_options_init(gt_program_options *options)
{
    *options = (gt_program_options){.deterministic = 0};
}

static struct gt_view value_view(const struct gt_program *p, gt_value v)
{
    struct gt_view view = {0};
    if (v == GT_NO_VALUE || p->homes[v].place == GT_PLACE_NONE) {
        return view;
    }
    const struct gt_home *home = &p->homes[v];
    view.buffer = home->place == GT_PLACE_KEPT ? p->kept : p->arena;
    view.offset = home->offset;
    view.size = home->size;
    view.shape = p->graph->values[v].shape;
    view.layout = home->layout;
    return view;
}

static void bind(struct gt_program *p)
{
    for (size_t i = 0; i < p->graph->n_nodes; i++) {
        struct gt_step *step = &p->steps[i];
        for (int32_t k = 0; k < step->node->n_in; k++) {
            step->in[k] = value_view(p, step->node->in[k]);
        }
        for (int32_t k = 0; k < step->node->n_out; k++) {
            step->out[k] = value_view(p, step->node->out[k]);
        }
        step->scratch.buffer = step->scratch.size > 0 ? p->arena : NULL;
        step->packed.buffer = step->packed.size > 0 ? p->packed : NULL;
    }
}

/* Parameters and state start as zeros, whatever the backend's memory holds. */
static gt_status clear_kept(struct gt_program *p)
{
    return p->kept ? p->device->backend->clear(p->device, p->kept, 0, p->memory.kept_bytes) : GT_OK;
}

static gt_status allocate(struct gt_program *p)
{
    const struct gt_backend *b = p->device->backend;
    if (p->memory.arena_bytes > 0) {
        GT_TRY(b->alloc(&p->arena, p->device, p->memory.arena_bytes));
    }
    if (p->memory.packed_bytes > 0) {
        GT_TRY(b->alloc(&p->packed, p->device, p->memory.packed_bytes));
    }
    if (p->memory.kept_bytes > 0) {
        GT_TRY(b->alloc(&p->kept, p->device, p->memory.kept_bytes));
    }
    return clear_kept(p);
}

gt_status gt__program_create(gt_program **out, gt_device *device, const gt_graph *graph,
                             const gt_program_options *options,
                             const struct gt_program_extra *extra)
{
    struct gt_program *p = NULL;
    gt_status status = GT_OK;
    GT_TRY(gt__alloc(&p, 1, sizeof *p, "program"));
    p->device = device;
    p->pack = true;
    GT_TRY_OUT(gt__program_layout(p, graph, options, extra));
    GT_TRY_OUT(allocate(p));
    bind(p);
    GT_TRY_OUT(gt__host_bind(p));
    for (size_t i = 0; i < p->graph->n_nodes; i++) {
        struct gt_step *twin = p->steps[i].twin;
        if (p->steps[i].kernel->prepare) {
            GT_TRY_OUT(p->steps[i].kernel->prepare(twin ? device->host : device,
                                                   twin ? twin : &p->steps[i]));
        }
    }
    *out = p;
    return GT_OK;
out:
    gt_program_free(p);
    return status;
}

gt_status gt_program_create(gt_program **out, gt_device *device, const gt_graph *graph,
                            const gt_program_options *options)
{
    return gt__program_create(out, device, graph, options, NULL);
}

gt_status gt__program_plan(gt_program_memory *out, gt_device *device, const gt_graph *graph,
                           const gt_program_options *options, const struct gt_program_extra *extra)
{
    struct gt_program *p = NULL;
    GT_TRY(gt__alloc(&p, 1, sizeof *p, "program"));
    p->device = device;
    gt_status status = gt__program_layout(p, graph, options, extra);
    if (status == GT_OK) {
        *out = p->memory;
    }
    gt_program_free(p);
    return status;
}

gt_status gt_program_plan(gt_program_memory *out, gt_device *device, const gt_graph *graph,
                          const gt_program_options *options)
{
    return gt__program_plan(out, device, graph, options, NULL);
}

void gt_program_free(gt_program *program)
{
    if (!program) {
        return;
    }
    for (size_t i = 0; program->steps && i < program->graph->n_nodes; i++) {
        struct gt_step *twin = program->steps[i].twin;
        struct gt_step *step = twin ? twin : &program->steps[i];
        if (step->kernel && step->kernel->release && step->state) {
            step->kernel->release(twin ? program->device->host : program->device, step);
        }
    }
    if (program->host) {
        program->device->host->backend->free(program->host);
    }
    struct gt_buffer *buffers[] = {program->arena, program->packed, program->kept};
    for (size_t i = 0; i < 3; i++) {
        if (buffers[i]) {
            program->device->backend->free(buffers[i]);
        }
    }
    gt_graph_free(program->graph);
    gt__free(program->steps);
    gt__free(program->twins);
    gt__free(program->plans);
    gt__free(program->homes);
    gt__free(program);
}

static bool known(const gt_program *p, gt_value v)
{
    return v > 0 && (size_t)v < p->original_values;
}

gt_status gt__program_write_kept(gt_program *program, gt_value value, const float *src)
{
    if (!known(program, value) || program->homes[value].place != GT_PLACE_KEPT) {
        return gt__fail(GT_EINVAL, "value %d is no parameter or state of this program", value);
    }
    program->pack = true;
    return program->device->backend->write(program->device, program->kept,
                                           program->homes[value].offset, src,
                                           program->homes[value].size);
}

gt_status gt__program_read_kept(gt_program *program, gt_value value, float *dst)
{
    if (!known(program, value) || program->homes[value].place != GT_PLACE_KEPT) {
        return gt__fail(GT_EINVAL, "value %d is no parameter or state of this program", value);
    }
    return program->device->backend->read(program->device, program->kept,
                                          program->homes[value].offset, dst,
                                          program->homes[value].size);
}

gt_status gt_program_write(gt_program *program, gt_value value, const float *src)
{
    if (!known(program, value)) {
        return gt__fail(GT_EINVAL, "value %d is not of this program", value);
    }
    const struct gt_home *home = &program->homes[value];
    if (home->place == GT_PLACE_KEPT) {
        return gt__program_write_kept(program, value, src);
    }
    if (program->graph->values[value].role != GT_ROLE_INPUT) {
        return gt__fail(GT_EINVAL, "value %d is neither an input nor a parameter", value);
    }
    if (home->place == GT_PLACE_NONE) {
        return GT_OK; /* an input that nothing reads */
    }
    return program->device->backend->write(program->device, program->arena, home->offset, src,
                                           home->size);
}

gt_status gt_program_read(gt_program *program, gt_value value, float *dst)
{
    if (!known(program, value)) {
        return gt__fail(GT_EINVAL, "value %d is not of this program", value);
    }
    if (program->homes[value].place == GT_PLACE_KEPT) {
        return gt__program_read_kept(program, value, dst);
    }
    gt_value readable = program->homes[value].readable;
    const struct gt_home *home = &program->homes[readable];
    if (readable == GT_NO_VALUE || home->place == GT_PLACE_NONE ||
        home->layout.kind != GT_KIND_F32) {
        return gt__fail(GT_EINVAL, "value %d is no output of this program", value);
    }
    return program->device->backend->read(program->device, program->arena, home->offset, dst,
                                          home->size);
}

/* Steps first to last - 1, those on the CPU beside the device between submissions. */
static gt_status submit(gt_program *program, size_t first, size_t last)
{
    const struct gt_backend *b = program->device->backend;
    for (size_t i = first; i < last; i++) {
        if (!program->steps[i].twin) {
            continue;
        }
        if (i > first) {
            GT_TRY(b->submit(program->device, program->steps + first, i - first));
        }
        GT_TRY(gt__host_run(program, &program->steps[i]));
        first = i + 1;
    }
    return first < last ? b->submit(program->device, program->steps + first, last - first) : GT_OK;
}

gt_status gt__program_run_part(gt_program *program, size_t first, size_t n)
{
    for (size_t i = first; i < first + n; i++) {
        program->steps[i].pack = program->pack;
    }
    GT_TRY(submit(program, first, first + n));
    if (first + n == program->graph->n_nodes) {
        program->pack = program->updates;
        program->runs++;
    }
    return GT_OK;
}

gt_status gt_program_run(gt_program *program)
{
    return gt__program_run_part(program, 0, program->graph->n_nodes);
}

gt_status gt_program_wait(gt_program *program)
{
    struct gt_fence *fence = NULL;
    GT_TRY(program->device->backend->fence(&fence, program->device));
    return program->device->backend->wait(fence);
}

void gt_program_get_memory(const gt_program *program, gt_program_memory *out)
{
    *out = program->memory;
}

size_t gt__program_steps(const gt_program *program, struct gt_step **out)
{
    *out = program->steps;
    return program->graph->n_nodes;
}
