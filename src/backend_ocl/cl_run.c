/* Setting arguments, launching, profiling, and the estimates of plans.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/ocl_internal.h"

#include <stdio.h>

struct gt_ocl_tensor gt__ocl_tensor(const struct gt_view *v)
{
    struct gt_extent e = gt__view_extent(v);
    return (struct gt_ocl_tensor){.n = v->shape.n,
                                  .c = v->shape.c,
                                  .h = v->shape.h,
                                  .w = v->shape.w,
                                  .b = e.b,
                                  .p = v->layout.phase,
                                  .cb = e.cb,
                                  .hs = e.h,
                                  .ws = e.w};
}

struct gt_ocl_call gt__ocl_call(struct gt_device *d, cl_kernel function)
{
    return (struct gt_ocl_call){gt__ocl(d), function, 0, CL_SUCCESS};
}

void gt__ocl_arg(struct gt_ocl_call *call, const void *value, size_t size)
{
    cl_int error = clSetKernelArg(call->function, call->n++, size, value);
    call->error = call->error ? call->error : error;
}

void gt__ocl_arg_view(struct gt_ocl_call *call, const struct gt_view *v)
{
    cl_mem memory = gt__ocl_memory(v);
    cl_ulong at = v->offset / gt__kind_size(v->layout.kind);
    gt__ocl_arg(call, &memory, sizeof memory);
    gt__ocl_arg(call, &at, sizeof at);
}

void gt__ocl_arg_tensor(struct gt_ocl_call *call, const struct gt_view *v)
{
    struct gt_ocl_tensor t = gt__ocl_tensor(v);
    gt__ocl_arg(call, &t, sizeof t);
}

void gt__ocl_arg_int(struct gt_ocl_call *call, int32_t value)
{
    gt__ocl_arg(call, &value, sizeof value);
}

void gt__ocl_arg_float(struct gt_ocl_call *call, float value)
{
    gt__ocl_arg(call, &value, sizeof value);
}

struct gt_ocl_define gt__ocl_define_group(int32_t group)
{
    struct gt_ocl_define define = {""};
    if (group != 128) {
        snprintf(define.text, sizeof define.text, "-DGROUP=%d", group);
    }
    return define;
}

static gt_status launch_failed(const struct gt_ocl_call *call, cl_int error, const char *what)
{
    char name[96] = "";
    char text[160];
    clGetKernelInfo(call->function, CL_KERNEL_FUNCTION_NAME, sizeof name - 1, name, NULL);
    snprintf(text, sizeof text, "%s of %s", what, name);
    return gt__ocl_status(error, &call->device->base, text);
}

gt_status gt__ocl_profile_event(cl_event **out, struct gt_ocl_device *d)
{
    struct gt_ocl_profile *profile = d->profile;
    *out = NULL;
    if (profile) {
        GT_TRY(gt__grow(&profile->events, &profile->capacity, profile->n + 1,
                        sizeof *profile->events, "profile"));
        profile->events[profile->n] = NULL;
        *out = &profile->events[profile->n];
    }
    return GT_OK;
}

void gt__ocl_profile_keep(struct gt_ocl_device *d)
{
    if (d->profile && d->profile->events[d->profile->n]) {
        d->profile->n++;
    }
}

gt_status gt__ocl_launch(struct gt_ocl_call *call, cl_uint dimensions, const size_t *global,
                         const size_t *local)
{
    cl_event *event = NULL;
    if (call->error) {
        return launch_failed(call, call->error, "clSetKernelArg");
    }
    GT_TRY(gt__ocl_profile_event(&event, call->device));
    cl_int error = clEnqueueNDRangeKernel(call->device->queue, call->function, dimensions, NULL,
                                          global, local, 0, NULL, event);
    if (error) {
        return launch_failed(call, error, "clEnqueueNDRangeKernel");
    }
    gt__ocl_profile_keep(call->device);
    return GT_OK;
}

gt_status gt__ocl_launch_flat(struct gt_ocl_call *call, size_t count)
{
    size_t local = call->device->max_group < 128 ? 1 : 128;
    size_t global = gt__align_up(count > 0 ? count : 1, local);
    return gt__ocl_launch(call, 1, &global, &local);
}

gt_status gt__ocl_state(struct gt_device *d, struct gt_step *step, const char *name,
                        const char *source, const char *defines, const char *functions)
{
    struct gt_ocl_state *state = gt__ocl_state_of(step);
    char function[64];
    int consumed = 0;
    size_t place = 0;
    if (!state) {
        GT_TRY(gt__alloc(&state, 1, sizeof *state, "kernel state"));
        step->state = state;
    }
    while (place < GT_OCL_FUNCTIONS && state->functions[place]) {
        place++;
    }
    while (place < GT_OCL_FUNCTIONS && sscanf(functions, "%63s%n", function, &consumed) == 1) {
        GT_TRY(gt__ocl_kernel(&state->functions[place++], d, name, source, defines, function));
        functions += consumed;
    }
    return GT_OK;
}

void gt__ocl_release(struct gt_device *d, struct gt_step *step)
{
    (void)d;
    gt__free(step->state);
    step->state = NULL;
}

/* ---- profiling ---- */

gt_status gt__ocl_profile_take(double *seconds, struct gt_ocl_device *d)
{
    struct gt_ocl_profile *profile = d->profile;
    cl_int error = CL_SUCCESS;
    *seconds = 0;
    if (!profile) {
        return GT_OK;
    }
    for (size_t i = 0; i < profile->n; i++) {
        cl_ulong start = 0;
        cl_ulong end = 0;
        cl_event event = profile->events[i];
        cl_int e = clWaitForEvents(1, &event);
        e = e ? e
              : clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start,
                                        NULL);
        e = e ? e
              : clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL);
        error = error ? error : e;
        *seconds += (double)(end - start) * 1e-9;
        clReleaseEvent(event);
    }
    profile->n = 0;
    return gt__ocl_status(error, &d->base, "clGetEventProfilingInfo");
}

void gt__ocl_profile_free(struct gt_ocl_device *d)
{
    if (d->profile) {
        for (size_t i = 0; i < d->profile->n; i++) {
            clReleaseEvent(d->profile->events[i]);
        }
        gt__free(d->profile->events);
        gt__free(d->profile);
        d->profile = NULL;
    }
}

/* ---- plans ---- */

double gt__ocl_cost(const struct gt_device *d, double flops, double share, double bytes,
                    int32_t launches)
{
    const struct gt_ocl_device *ocl = gt__ocl(d);
    double arithmetic = flops / (ocl->flops * share);
    double memory = bytes / (0.5 * ocl->bandwidth);
    return (arithmetic > memory ? arithmetic : memory) + 4e-6 * launches;
}

/* What is left below 2^31 is for sizes rounded up to whole groups and slabs. */
static const size_t max_elements = (size_t)INT32_MAX - (1u << 22);

static bool value_fits(const struct gt_graph *g, gt_value v, gt_layout layout)
{
    size_t bytes = 0;
    if (v == GT_NO_VALUE) {
        return true;
    }
    layout = gt__layout_is_any(layout) ? GT_LAYOUT_NCHW : layout;
    layout.kind = GT_KIND_U8; /* one byte for each element */
    return gt__layout_bytes(&bytes, gt__value(g, v)->shape, layout) && bytes <= max_elements;
}

bool gt__ocl_fits(const struct gt_graph *g, const struct gt_node *node, const struct gt_plan *plan)
{
    bool fits = true;
    for (int32_t i = 0; i < node->n_in; i++) {
        fits = fits && value_fits(g, node->in[i], plan->in[i]);
    }
    for (int32_t i = 0; i < node->n_out; i++) {
        fits = fits && value_fits(g, node->out[i], plan->out[i]);
    }
    return fits;
}

double gt__ocl_stored_bytes(const struct gt_graph *g, const struct gt_node *node,
                            const struct gt_plan *plan)
{
    return gt__stored(gt__in_shape(g, node, 0), plan->in[0]) * (double)sizeof(float);
}
