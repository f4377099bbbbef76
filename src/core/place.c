/* Operations for which a device has no kernel run on the CPU, between a read and a write. Each such
 * step has a twin: the same step bound to memory of a CPU device that belongs to the device.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "core/program_internal.h"

#include <string.h>
#include <time.h>

/* ---- planning ---- */

static bool device_accepts(const struct gt_planner *p, const struct gt_node *node)
{
    for (const struct gt_kernel *const *k = p->device->backend->kernels; *k; k++) {
        for (unsigned v = 0; v < (*k)->n_variants; v++) {
            struct gt_plan plan = {0};
            if (gt__kernel_accepts(p, node, *k, v, &plan)) {
                return true;
            }
        }
    }
    return false;
}

gt_status gt__place(struct gt_planner *p, struct gt_device *device)
{
    const struct gt_backend *cpu = gt__backends[0];
    bool needed = false;
    if (device->backend == cpu || (p->extra && p->extra->no_fallback)) {
        return GT_OK;
    }
    for (size_t i = 0; i < p->graph->n_nodes && !needed; i++) {
        needed = !device_accepts(p, &p->graph->nodes[i]);
    }
    if (needed && !device->host) {
        GT_TRY(cpu->open(&device->host, 0, &device->options));
    }
    p->host = needed ? device->host : NULL;
    return GT_OK;
}

static double moved_bytes(const struct gt_graph *g, const struct gt_node *node)
{
    double bytes = 0.0;
    for (int32_t k = 0; k < node->n_in + node->n_out; k++) {
        gt_value v = k < node->n_in ? node->in[k] : node->out[k - node->n_in];
        if (v != GT_NO_VALUE) {
            const struct gt_value_info *info = gt__value(g, v);
            bytes += (double)gt__count(info->shape) * (double)gt__kind_size(info->kind);
        }
    }
    return bytes;
}

double gt__host_cost(const struct gt_graph *g, const struct gt_node *node)
{
    static const double bytes_per_second = 5e9; /* of a bus, by halves */
    static const double wait_seconds = 50e-6;   /* for the queue to run dry and fill again */
    return moved_bytes(g, node) / bytes_per_second + wait_seconds;
}

/* ---- memory ---- */

static struct gt_view reserve(size_t *total, const struct gt_home *home, gt_shape shape)
{
    struct gt_view view = {
        .offset = *total, .size = home->size, .shape = shape, .layout = home->layout};
    *total += gt__align_up(home->size, GT_ALIGN);
    return view;
}

/* The input that output o of a node overwrites, -1: none. */
static int32_t overwritten(const struct gt_node *node, int32_t o)
{
    for (int32_t k = 0; k < node->n_in; k++) {
        if (node->in[k] == node->out[o]) {
            return k;
        }
    }
    return -1;
}

/* Twins run one after the other and leave nothing behind: they share their memory. */
static size_t lay_out(struct gt_step *twin, const struct gt_program *p)
{
    const struct gt_node *node = twin->node;
    size_t total = 0;
    for (int32_t k = 0; k < node->n_in; k++) {
        if (node->in[k] != GT_NO_VALUE) {
            twin->in[k] =
                reserve(&total, &p->homes[node->in[k]], gt__value(p->graph, node->in[k])->shape);
        }
    }
    for (int32_t o = 0; o < node->n_out; o++) {
        int32_t k = overwritten(node, o);
        if (node->out[o] != GT_NO_VALUE) {
            twin->out[o] = k >= 0 ? twin->in[k]
                                  : reserve(&total, &p->homes[node->out[o]],
                                            gt__value(p->graph, node->out[o])->shape);
        }
    }
    twin->scratch.offset = total;
    return total + twin->scratch.size;
}

void gt__host_layout(struct gt_program *p)
{
    p->memory.host_bytes = 0;
    for (size_t i = 0; i < p->n_twins; i++) {
        size_t size = lay_out(&p->twins[i], p);
        p->memory.host_bytes = size > p->memory.host_bytes ? size : p->memory.host_bytes;
    }
}

gt_status gt__host_bind(struct gt_program *p)
{
    struct gt_device *host = p->device->host;
    if (p->memory.host_bytes > 0) {
        GT_TRY(host->backend->alloc(&p->host, host, p->memory.host_bytes));
    }
    for (size_t i = 0; i < p->n_twins; i++) {
        struct gt_step *twin = &p->twins[i];
        for (int32_t k = 0; k < twin->node->n_in; k++) {
            twin->in[k].buffer = twin->in[k].size > 0 ? p->host : NULL;
        }
        for (int32_t o = 0; o < twin->node->n_out; o++) {
            twin->out[o].buffer = twin->out[o].size > 0 ? p->host : NULL;
        }
        twin->scratch.buffer = twin->scratch.size > 0 ? p->host : NULL;
    }
    return GT_OK;
}

/* ---- running ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *memory_of(const struct gt_view *view)
{
    return (char *)view->buffer->host + view->offset;
}

gt_status gt__host_run(struct gt_program *p, struct gt_step *step)
{
    const struct gt_backend *b = p->device->backend;
    struct gt_step *twin = step->twin;
    double start = now();
    for (int32_t k = 0; k < step->node->n_in; k++) {
        const struct gt_view *from = &step->in[k];
        if (from->buffer) {
            GT_TRY(b->read(p->device, from->buffer, from->offset, memory_of(&twin->in[k]),
                           from->size));
        }
    }
    twin->pack = step->pack;
    GT_TRY(p->device->host->backend->submit(p->device->host, twin, 1));
    for (int32_t o = 0; o < step->node->n_out; o++) {
        const struct gt_view *to = &step->out[o];
        if (to->buffer) {
            GT_TRY(b->write(p->device, to->buffer, to->offset, memory_of(&twin->out[o]), to->size));
        }
    }
    step->seconds = now() - start;
    return GT_OK;
}
