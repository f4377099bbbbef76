/* The references: plain loops in NCHW, written to be read. SPDX-License-Identifier: BSD-2-Clause
 *
 * Every <op>_ref.c is compiled twice. As float it defines the kernel gt__<op>_ref, the last resort
 * of the catalogue. With GT_REF_F64 it defines gt__<op>_ref_f64, the oracle of the tests: the same
 * loops, where the memory behind every GT_KIND_F32 view holds `double` (offsets stay bytes);
 * GT_KIND_U8 stays bytes. Sums have a fixed order in both. Views are dense NCHW, {1, 1, kind},
 * except those of reorder. */
#ifndef GT_BACKEND_CPU_REF_REF_H
#define GT_BACKEND_CPU_REF_REF_H

#include "backend_cpu/cpu.h"

#define GT_OP(name) gt_status gt__##name##_ref_f64(struct gt_device *, const struct gt_step *);
#include "core/ops.def"
#undef GT_OP

/* A row of the table of oracles, one per operation:
 *     static const struct gt_oracle oracles[] = {
 *     #define GT_OP(name) GT_ORACLE(name)
 *     #include "core/ops.def"
 *     #undef GT_OP
 *     };
 * is indexed by enum gt_op. The device may be NULL. */
struct gt_oracle {
    enum gt_op op;
    gt_status (*run)(struct gt_device *, const struct gt_step *);
};
#define GT_ORACLE(name) {GT_OP_##name, gt__##name##_ref_f64},

/* Plan of all references but reorder's: NCHW everywhere, bias and ReLU after a convolution. */
bool gt__ref_plan(const struct gt_device *d, const struct gt_graph *g, const struct gt_node *node,
                  unsigned variant, struct gt_plan *out);

/* Estimated seconds of plain loops on one thread, for any op. */
double gt__ref_cost(const struct gt_graph *g, const struct gt_node *node);

/* What a <op>_ref.c ends with: makes `static void <op>(const struct gt_step *)` a kernel or an
 * oracle. */
#ifdef GT_REF_F64
typedef double real;
#define REF_KERNEL_CALL(op_name, plan_fn, call)                                                    \
    gt_status gt__##op_name##_ref_f64(struct gt_device *d, const struct gt_step *step)             \
    {                                                                                              \
        (void)d;                                                                                   \
        return call;                                                                               \
    }
#else
typedef float real;
#define REF_KERNEL_CALL(op_name, plan_fn, call)                                                    \
    static gt_status op_name##_run(struct gt_device *d, const struct gt_step *step)                \
    {                                                                                              \
        (void)d;                                                                                   \
        return call;                                                                               \
    }                                                                                              \
    extern const struct gt_kernel gt__##op_name##_ref;                                             \
    const struct gt_kernel gt__##op_name##_ref = {.name = #op_name "_ref",                         \
                                                  .op = GT_OP_##op_name,                           \
                                                  .n_variants = 1,                                 \
                                                  .plan = plan_fn,                                 \
                                                  .run = op_name##_run};
#endif
#define REF_KERNEL_PLAN(op_name, plan_fn) REF_KERNEL_CALL(op_name, plan_fn, (op_name(step), GT_OK))
#define REF_KERNEL(op_name) REF_KERNEL_PLAN(op_name, gt__ref_plan)
/* For the one that needs memory of its own and returns a status. */
#define REF_KERNEL_TRY(op_name) REF_KERNEL_CALL(op_name, gt__ref_plan, op_name(step))

/* Memory of a view; NULL for absent ones. */
static inline real *ref_data(const struct gt_view *v)
{
    return v->buffer ? (real *)(void *)((char *)v->buffer->host + v->offset) : NULL;
}

/* Index of element (n,c,h,w) in NCHW. */
static inline size_t ref_at(gt_shape s, int32_t n, int32_t c, int32_t h, int32_t w)
{
    return (((size_t)n * (size_t)s.c + (size_t)c) * (size_t)s.h + (size_t)h) * (size_t)s.w +
           (size_t)w;
}

#endif
