/* Forward 1x1 convolution as one matrix product of CLBlast, channels last; variants 0 to 3: phase
 * 1, 2, 4, 8. SPDX-License-Identifier: BSD-2-Clause
 *
 * y[pixel][o] = epilogue(sum over c of x[pixel][c] * weight[o][c]) over all stored pixels, lanes
 * included: weights are packed as [cp][np] with zeros beyond the true channels, so that lanes of y
 * beyond them become zero. CLBlast sees columns: Y (np x pixels) = W (np x cp) * X (cp x pixels);
 * that way it has to turn only X round. It works in our arena: its temporary buffer is a part of
 * the scratch memory, a sub-buffer because CLBlast takes no offset there.
 *
 * On an NVIDIA H200 the 1x1 layers of U-Net (output 388) take 50 to 75 us with it and 24 to 34 us
 * with conv2d_fwd_gemm_ocl; `greentea tune` may find it faster on other devices. */
#include "backend_ocl/cl_blast.h"

#include "cl/conv2d_clblast_ocl.cl.h"

/* Groups that CLBlast takes for granted: tuned for other devices, they are not checked by it. */
enum { MIN_GROUP = 256, MIN_ACROSS = 64 };

/* What CLBlast's up to five launches and its work before them cost, in launches of ours: 60 us. */
enum { FIXED_LAUNCHES = 15 };

struct state {
    struct gt_ocl_state base; /* first, for gt__ocl_state */
    cl_mem temporary;
};

/* The product in CLBlast's terms. */
struct product {
    size_t m, n, k; /* lanes of y, stored pixels, lanes of x */
};

static struct product product_of(gt_shape x, gt_shape y, gt_layout l)
{
    struct gt_extent ex = gt__extent(x, l);
    struct gt_extent ey = gt__extent(y, l);
    return (struct product){(size_t)ey.b, (size_t)ey.n * (size_t)ey.h * (size_t)ey.w, (size_t)ex.b};
}

static size_t alignment(const struct gt_ocl_device *d)
{
    cl_uint bits = 0;
    clGetDeviceInfo(d->id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof bits, &bits, NULL);
    return bits / 8 > GT_ALIGN ? bits / 8 : GT_ALIGN;
}

/* Bytes of CLBlast's temporary buffer where no matrix begins at offset 0, which is the most. */
static bool temporary_bytes(size_t *out, const struct gt_ocl_device *d, const struct product *p)
{
    cl_command_queue queue = d->queue;
    *out = 0;
    return CLBlastSGemmTempBufferSize(CLBlastLayoutColMajor, CLBlastTransposeNo, CLBlastTransposeNo,
                                      p->m, p->n, p->k, 1, p->m, 1, p->k, 1, p->m, &queue,
                                      out) == CLBlastSuccess;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    const struct gt_ocl_device *d = gt__ocl(device);
    size_t temporary = 0;
    if (node->op != GT_OP_conv2d_fwd || node->attr.kernel_h != 1 || node->attr.kernel_w != 1 ||
        !gt__node_may_block(g, node, 1) || d->max_group < MIN_GROUP || d->max_across < MIN_ACROSS) {
        return false;
    }
    out->in[0] = gt__layout_f32(GT_BLOCK_ALL, 1 << variant);
    out->in[1] = GT_LAYOUT_NCHW;
    out->in[2] = GT_LAYOUT_NCHW;
    out->out[0] = out->in[0];
    if (!gt__ocl_fits(g, node, out)) {
        return false;
    }
    struct product p = product_of(gt__in_shape(g, node, 0), gt__out_shape(g, node, 0), out->in[0]);
    if (p.m * p.k > INT32_MAX / sizeof(float) || !temporary_bytes(&temporary, d, &p)) {
        return false;
    }
    out->packed = p.m * p.k * sizeof(float);
    out->scratch = temporary > 0 ? temporary + alignment(d) : 0;
    out->flags = GT_PLAN_UNORDERED;
    /* X is turned round, Y finished in a pass of its own. Rate and fixed part are on the slow side
     * of what was measured: without a measurement on this device conv2d_fwd_gemm_ocl is safer. */
    double flops = 2.0 * (double)p.m * (double)p.n * (double)p.k;
    double bytes = (3.0 * (double)p.k + 3.0 * (double)p.m) * (double)p.n * sizeof(float);
    out->cost = gt__ocl_cost(device, flops, 0.3, 0.0, 1) +
                gt__ocl_cost(device, 0.0, 1.0, bytes, FIXED_LAUNCHES);
    return true;
}

static gt_status multiply(struct gt_device *device, const struct gt_step *step)
{
    struct gt_ocl_device *d = gt__ocl(device);
    const struct state *state = (const struct state *)step->state;
    struct product p = product_of(step->in[0].shape, step->out[0].shape, step->in[0].layout);
    cl_command_queue queue = d->queue;
    cl_event *event = NULL;
    /* CLBlast tells only of its last launch: profiles show less than the time. */
    GT_TRY(gt__ocl_profile_event(&event, d));
    int32_t code = (int32_t)CLBlastSgemmWithTempBuffer(
        CLBlastLayoutColMajor, CLBlastTransposeNo, CLBlastTransposeNo, p.m, p.n, p.k, 1.0f,
        gt__ocl_memory(&step->packed), step->packed.offset / sizeof(float), p.m,
        gt__ocl_memory(&step->in[0]), step->in[0].offset / sizeof(float), p.k, 0.0f,
        gt__ocl_memory(&step->out[0]), step->out[0].offset / sizeof(float), p.m, &queue, event,
        state->temporary);
    GT_TRY(gt__ocl_status(code, device, "CLBlastSgemm"));
    gt__ocl_profile_keep(d);
    return GT_OK;
}

/* The part of the arena that begins at a legal place. */
static gt_status make_temporary(struct state *state, struct gt_device *device,
                                const struct gt_step *step)
{
    const struct gt_ocl_device *d = gt__ocl(device);
    cl_int error = CL_SUCCESS;
    if (step->scratch.size == 0) {
        return GT_OK;
    }
    size_t align = alignment(d);
    cl_buffer_region region = {gt__align_up(step->scratch.offset, align),
                               step->scratch.size - align};
    state->temporary = clCreateSubBuffer(gt__ocl_memory(&step->scratch), CL_MEM_READ_WRITE,
                                         CL_BUFFER_CREATE_TYPE_REGION, &region, &error);
    return gt__ocl_status(error, device, "clCreateSubBuffer");
}

/* The first product builds CLBlast's programs; nothing in the arena is of worth yet, so it is done
 * here. */
static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    struct state *state = NULL;
    GT_TRY(gt__alloc(&state, 1, sizeof *state, "kernel state"));
    step->state = state;
    gt__clblast_use(gt__ocl(device));
    GT_TRY(gt__ocl_state(device, step, "conv2d_clblast_ocl", gt__cl_source, "",
                         "clblast_pack clblast_finish"));
    GT_TRY(make_temporary(state, device, step));
    return multiply(device, step);
}

static void release(struct gt_device *device, struct gt_step *step)
{
    struct state *state = (struct state *)step->state;
    if (state && state->temporary) {
        clReleaseMemObject(state->temporary);
    }
    gt__ocl_release(device, step);
}

static gt_status pack(struct gt_device *device, const struct gt_step *step)
{
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    struct product p = product_of(step->in[0].shape, step->out[0].shape, step->in[0].layout);
    gt__ocl_arg_view(&call, &step->in[1]);
    gt__ocl_arg_view(&call, &step->packed);
    gt__ocl_arg_int(&call, step->in[0].shape.c);
    gt__ocl_arg_int(&call, step->out[0].shape.c);
    gt__ocl_arg_int(&call, (int32_t)p.k);
    gt__ocl_arg_int(&call, (int32_t)p.m);
    return gt__ocl_launch_flat(&call, p.m * p.k);
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    if (step->pack) {
        GT_TRY(pack(device, step));
    }
    GT_TRY(multiply(device, step));
    if (step->node->epilogue == 0) {
        return GT_OK; /* zeros stay zeros in a product */
    }
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[1]);
    gt__ocl_arg_view(&call, &step->in[2]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_tensor(&call, &step->out[0]);
    gt__ocl_arg_int(&call, (int32_t)step->node->epilogue);
    return gt__ocl_launch_flat(&call, gt__extent_count(gt__view_extent(&step->out[0])) / 4);
}

const struct gt_kernel gt__conv2d_fwd_clblast_ocl = {.name = "conv2d_fwd_clblast_ocl",
                                                     .op = GT_OP_conv2d_fwd,
                                                     .n_variants = 4,
                                                     .plan = plan,
                                                     .prepare = prepare,
                                                     .run = run,
                                                     .release = release};
