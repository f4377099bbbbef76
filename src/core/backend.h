/* The interface a backend fills; the only door between core and backends.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_CORE_BACKEND_H
#define GT_CORE_BACKEND_H

#include "core/ir.h"

struct gt_backend;
struct gt_step;
struct gt_tune;

/* What all devices have; a backend's own struct starts with it. */
struct gt_device {
    const struct gt_backend *backend;
    gt_device_info info;
    gt_device_options options;
    int32_t threads;
    size_t max_buffer;    /* the largest buffer that is sure to be given; 0: any */
    struct gt_tune *tune; /* measured costs, loaded by the first plan (tune.h) */
    /* A CPU device for operations that this one has no kernel for; opened by the first program that
     * needs it, NULL until then. */
    struct gt_device *host;
};

/* What all buffers have. */
struct gt_buffer {
    struct gt_device *device;
    size_t size;
    void *host; /* CPU: the memory, aligned to GT_ALIGN; else NULL */
};

/* A tensor (or scratch memory) bound to memory. */
struct gt_view {
    struct gt_buffer *buffer;
    size_t offset, size; /* bytes */
    gt_shape shape;
    gt_layout layout;
};

enum gt_plan_flags {
    /* The order of a sum may depend on position, size or tile (BLAS, transforms): not for
     * deterministic. */
    GT_PLAN_UNORDERED = 1,
    /* The order is fixed but not that of the kernel's other variants. Deterministic plans take
     * such a variant wherever it accepts, so that costs, which follow sizes, do not choose between
     * two orders. */
    GT_PLAN_OTHER_ORDER = 2,
    /* Factors of products are rounded to bfloat16: only where GT_PRECISION_BF16 allows it. */
    GT_PLAN_BF16 = 4
};

/* What a kernel would do with a node. Filled with zeros before `plan` is called. */
struct gt_plan {
    /* Absent inputs and outputs are ignored. GT_LAYOUT_ANY: inputs agree and out follows in, any
     * block and phase; either all f32/u8 tensors of a node are ANY or none (scalars, parameters
     * and state excepted: they are always GT_LAYOUT_NCHW). */
    gt_layout in[GT_MAX_IN], out[GT_MAX_OUT];
    uint32_t inplace; /* bit i: output 0 may overwrite input i */
    uint32_t flags;
    size_t scratch; /* bytes, dead after the step */
    size_t packed;  /* bytes, repacked weights, kept until the weights change */
    double cost;    /* seconds, estimated */
    /* Seconds that filling `packed` takes, where that is much: in programs that change weights they
     * are added to `cost`, estimated or measured. Costs of gradients, which only such programs
     * have, hold them. */
    double fill;
    /* Transform-domain kernels: how much larger the terms they sum up can be than those of the
     * plain sum; their error is held against this times the largest bound of the tensor. 0: plain
     */
    double growth;
};

struct gt_kernel {
    const char *name; /* file, symbol and printed name are one word: "conv2d_fwd_im2col" */
    enum gt_op op;
    unsigned n_variants; /* at least 1 */
    /* Can it run this node, epilogue included, here? Pure: no allocation, no device work. For ANY
     * kernels cost is asked with the layouts already in plan->in (block 0 on the first call). */
    bool (*plan)(const struct gt_device *, const struct gt_graph *, const struct gt_node *,
                 unsigned variant, struct gt_plan *out);
    gt_status (*prepare)(struct gt_device *, struct gt_step *); /* optional; once per program */
    gt_status (*run)(struct gt_device *, const struct gt_step *);
    void (*release)(struct gt_device *, struct gt_step *); /* optional */
};

/* A planned node with everything bound. Views of absent inputs have buffer NULL. */
struct gt_step {
    const struct gt_kernel *kernel;
    const struct gt_node *node;
    unsigned variant;
    bool pack; /* weights changed since the last run: fill `packed` first */
    struct gt_view in[GT_MAX_IN], out[GT_MAX_OUT], scratch, packed;
    void *state;    /* the kernel's own, made by prepare */
    double seconds; /* measured, last run */
    /* The same step bound to memory of device->host, where it runs; NULL: it runs here. */
    struct gt_step *twin;
};

struct gt_fence;

struct gt_backend {
    const char *name;
    gt_status (*devices)(size_t *n_out);
    gt_status (*describe)(gt_device_info *out, size_t index);
    gt_status (*open)(struct gt_device **out, size_t index, const gt_device_options *);
    void (*close)(struct gt_device *);
    gt_status (*alloc)(struct gt_buffer **out, struct gt_device *, size_t size);
    void (*free)(struct gt_buffer *);
    /* write and submit may return early, in queue order; read and wait return when the work is
     * done */
    gt_status (*write)(struct gt_device *, struct gt_buffer *, size_t offset, const void *src,
                       size_t size);
    gt_status (*read)(struct gt_device *, struct gt_buffer *, size_t offset, void *dst,
                      size_t size);
    /* Write zeros; offset and size are multiples of 4. */
    gt_status (*clear)(struct gt_device *, struct gt_buffer *, size_t offset, size_t size);
    gt_status (*submit)(struct gt_device *, struct gt_step *steps, size_t n_steps);
    gt_status (*fence)(struct gt_fence **out, struct gt_device *);
    gt_status (*wait)(struct gt_fence *);
    const struct gt_kernel *const *kernels; /* best first, NULL at the end */
};

/* Expanded from backends.def in device.c; the CPU comes first. */
extern const struct gt_backend *const gt__backends[];

static inline const char *gt__op_name(enum gt_op op)
{
    return gt__ops[op]->name;
}

#endif
