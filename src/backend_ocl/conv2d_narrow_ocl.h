/* Convolutions with few output channels and their data gradients: what the two kernels share.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Variants: phase of the wide tensor (1, 2, 4, 8), then layout of the narrow one (channels last in
 * that phase, NCHW), then what the kernel adds. */
#ifndef GT_BACKEND_OCL_CONV2D_NARROW_OCL_H
#define GT_BACKEND_OCL_CONV2D_NARROW_OCL_H

#include "backend_ocl/ocl.h"

/* Channels of the narrow tensor: what a matrix product of 64 columns would mostly waste. */
enum { GT_NARROW_CHANNELS = 16, GT_NARROW_LAYOUTS = 8 };

/* The last argument of the device functions, by value: gt_narrow of cl/conv2d_narrow_ocl.cl. */
struct gt_ocl_narrow {
    cl_int pixels;
    cl_int ho, wo, p, h, w;
    cl_int cp;
    cl_int c, lanes;
    cl_int kh, kw;
    cl_int plain;
    cl_int at_n, at_h, at_w, at_c;
    cl_int hi, wi, d;
    cl_int epilogue;
};

static inline gt_layout narrow_wide_layout(unsigned variant)
{
    return gt__layout_f32(GT_BLOCK_ALL, 1 << variant % 4);
}
static inline gt_layout narrow_layout(unsigned variant)
{
    return variant % GT_NARROW_LAYOUTS < 4 ? narrow_wide_layout(variant) : GT_LAYOUT_NCHW;
}

/* May a tensor in this phase be correlated fragment by fragment? A 1x1 kernel always may. */
static inline bool narrow_phase_fits(const struct gt_attr *attr, int32_t phase)
{
    return (attr->kernel_h == 1 && attr->kernel_w == 1) || attr->dilation % phase == 0;
}

/* What both kernels need: `from` is their input, `to` their output. */
static inline struct gt_ocl_narrow narrow_geometry(const struct gt_node *node, gt_shape wide,
                                                   gt_shape narrow, unsigned variant, bool gradient)
{
    gt_layout l = narrow_layout(variant);
    struct gt_extent ew = gt__extent(wide, narrow_wide_layout(variant));
    struct gt_extent en = gt__extent(narrow, l);
    struct gt_extent to = gradient ? ew : gt__extent(narrow, narrow_wide_layout(variant));
    struct gt_extent from = gradient ? en : ew;
    gt_shape shape = gradient ? wide : narrow;
    int32_t p = narrow_wide_layout(variant).phase;
    bool plain = variant % GT_NARROW_LAYOUTS >= 4;
    bool whole = gradient && plain; /* the input's pixels are those of the whole image */
    bool one = node->attr.kernel_h == 1 && node->attr.kernel_w == 1;
    return (struct gt_ocl_narrow){.pixels = to.n * to.h * to.w,
                                  .ho = to.h,
                                  .wo = to.w,
                                  .p = p,
                                  .h = shape.h,
                                  .w = shape.w,
                                  .cp = ew.b,
                                  .c = narrow.c,
                                  .lanes = plain ? narrow.c : en.b,
                                  .kh = node->attr.kernel_h,
                                  .kw = node->attr.kernel_w,
                                  .plain = plain,
                                  .at_n = en.cb * en.h * en.w * en.b,
                                  .at_h = en.w * en.b,
                                  .at_w = en.b,
                                  .at_c = plain ? en.h * en.w : 1,
                                  .hi = from.h,
                                  .wi = from.w,
                                  .d = one ? 1 : node->attr.dilation / (whole ? 1 : p),
                                  .epilogue = (cl_int)node->epilogue};
}

/* Repack the weights into `count` floats; c: channels of the wide tensor. */
static inline gt_status narrow_pack(struct gt_device *d, const struct gt_step *step,
                                    const struct gt_ocl_narrow *g, int32_t c, size_t count)
{
    struct gt_ocl_call pack = gt__ocl_call(d, gt__ocl_state_of(step)->functions[1]);
    gt__ocl_arg_view(&pack, &step->in[1]);
    gt__ocl_arg_view(&pack, &step->packed);
    gt__ocl_arg_int(&pack, g->c);
    gt__ocl_arg_int(&pack, c);
    gt__ocl_arg_int(&pack, g->kh * g->kw);
    gt__ocl_arg_int(&pack, g->cp);
    return gt__ocl_launch_flat(&pack, count);
}

#endif
