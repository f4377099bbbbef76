/* A step bound by hand, for the tests of the references. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TESTS_UNIT_REF_RIG_H
#define GT_TESTS_UNIT_REF_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "backend_cpu/cpu.h"

#define GT_OP(name) extern const struct gt_kernel gt__##name##_ref;
#include "core/ops.def"
#undef GT_OP

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A step of its own: set node fields, bind memory, run. */
struct rig {
    struct gt_node node;
    struct gt_step step;
    struct gt_buffer in[GT_MAX_IN], out[GT_MAX_OUT];
};

static inline void bind(struct gt_view *view, struct gt_buffer *buffer, gt_shape shape,
                        const void *data, enum gt_kind kind)
{
    buffer->host = (void *)(uintptr_t)data;
    buffer->size = gt__count(shape) * gt__kind_size(kind);
    *view = (struct gt_view){buffer, 0, buffer->size, shape, {1, 1, kind}};
}
static inline void in(struct rig *r, int i, gt_shape shape, const float *data)
{
    bind(&r->step.in[i], &r->in[i], shape, data, GT_KIND_F32);
}
static inline void in_u8(struct rig *r, int i, gt_shape shape, const uint8_t *data)
{
    bind(&r->step.in[i], &r->in[i], shape, data, GT_KIND_U8);
}
static inline void out(struct rig *r, int i, gt_shape shape, float *data)
{
    bind(&r->step.out[i], &r->out[i], shape, data, GT_KIND_F32);
}
static inline void out_u8(struct rig *r, int i, gt_shape shape, uint8_t *data)
{
    bind(&r->step.out[i], &r->out[i], shape, data, GT_KIND_U8);
}

static inline void run(struct rig *r, const struct gt_kernel *kernel)
{
    r->node.op = kernel->op;
    r->step.kernel = kernel;
    r->step.node = &r->node;
    assert_int_equal(kernel->run(NULL, &r->step), GT_OK);
}

static inline void check(const float *is, const float *expected, size_t count, double tolerance)
{
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)is[i] - (double)expected[i]);
        if (!(error <= tolerance)) {
            fail_msg("element %zu is %.9g, expected %.9g", i, (double)is[i], (double)expected[i]);
        }
    }
}

static inline gt_shape row(int32_t w)
{
    return (gt_shape){1, 1, 1, w};
}

#endif
