/* Inside of the OpenCL backend: what its kernels may use. SPDX-License-Identifier: BSD-2-Clause
 *
 * A kernel of the catalogue is a C file (plan, prepare, run) and a device source cl/<name>.cl,
 * which the build turns into `gt__cl_source` of "cl/<name>.cl.h". prepare builds the device functions
 * (gt__ocl_state), run sets their arguments and enqueues them; nothing is built, allocated or
 * waited for in run. */
#ifndef GT_BACKEND_OCL_OCL_H
#define GT_BACKEND_OCL_OCL_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "core/node.h"

struct gt_ocl_built; /* one built program: source and defines */
struct gt_ocl_stage; /* memory for uploads under way */

struct gt_ocl_device {
    struct gt_device base;
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;    /* in order: kernels, copies, reads */
    cl_command_queue transfer; /* uploads, so that they run beside the kernels */
    struct gt_ocl_built *built;
    struct gt_ocl_stage *stage;
    struct gt_ocl_profile *profile; /* NULL unless options.profile */
    bool clblast;                   /* uses CLBlast (cl_blast.h) */
    bool cpu;                       /* a processor rather than a GPU: small groups, no local memory
                                       of its own */
    size_t max_group;               /* work-items of a work-group */
    size_t max_across;              /* of them in its dimension 1; in dimension 0 all may be */
    size_t local_bytes;             /* local memory of a work-group */
    int32_t units;                  /* compute units */
    double flops, bandwidth;        /* estimated peak: operations and bytes per second */
};

struct gt_ocl_buffer {
    struct gt_buffer base;
    cl_mem memory;
};

static inline struct gt_ocl_device *gt__ocl(const struct gt_device *d)
{
    return (struct gt_ocl_device *)(uintptr_t)d;
}
static inline cl_mem gt__ocl_memory(const struct gt_view *v)
{
    return v->buffer ? ((const struct gt_ocl_buffer *)(const void *)v->buffer)->memory : NULL;
}

/* ---- errors ---- */

/* "CL_OUT_OF_RESOURCES", "CL_INVALID_VALUE", ...; CLBlast's codes too. Never NULL. */
const char *gt__ocl_error_name(int32_t code);
/* The status of a code with a message "<what>: CL_OUT_OF_RESOURCES (-5) on <device>"; GT_ENOMEM for
 * lack of memory, else GT_EDEVICE. GT_OK for CL_SUCCESS. d may be NULL. */
gt_status gt__ocl_status(int32_t code, const struct gt_device *d, const char *what);

/* ---- programs ---- */

/* Build function `function` of a source with defines ("-DBM=64 -DBN=128"), or take it from memory
 * or the cache on disk. The device owns it. `name` names the source in messages and the cache. */
gt_status gt__ocl_kernel(cl_kernel *out, struct gt_device *d, const char *name, const char *source,
                         const char *defines, const char *function);

/* What kernels keep in step->state: up to GT_OCL_FUNCTIONS device functions, and numbers fixed by
 * prepare. */
enum { GT_OCL_FUNCTIONS = 4, GT_OCL_NUMBERS = 16 };
struct gt_ocl_state {
    cl_kernel functions[GT_OCL_FUNCTIONS];
    int32_t numbers[GT_OCL_NUMBERS];
};
/* Make step->state if there is none, and build `functions` (names, separated by a blank) of one
 * source into the first free places. */
gt_status gt__ocl_state(struct gt_device *d, struct gt_step *step, const char *name,
                        const char *source, const char *defines, const char *functions);
static inline struct gt_ocl_state *gt__ocl_state_of(const struct gt_step *step)
{
    return (struct gt_ocl_state *)step->state;
}
/* For gt_kernel.release. */
void gt__ocl_release(struct gt_device *d, struct gt_step *step);

/* ---- running ---- */

/* A tensor as device functions get it, by value: struct gt_tensor of layout.clh. */
struct gt_ocl_tensor {
    cl_int n, c, h, w; /* true shape */
    cl_int b, p;       /* lanes of a block, phase */
    cl_int cb, hs, ws; /* stored: blocks, rows, columns of a fragment */
};
struct gt_ocl_tensor gt__ocl_tensor(const struct gt_view *v);

/* One launch: arguments are set in order, the first error is kept until gt__ocl_launch. */
struct gt_ocl_call {
    struct gt_ocl_device *device;
    cl_kernel function;
    cl_uint n;
    cl_int error;
};
struct gt_ocl_call gt__ocl_call(struct gt_device *d, cl_kernel function);
void gt__ocl_arg(struct gt_ocl_call *call, const void *value, size_t size);
/* Two arguments: `global T *` (NULL for an absent view) and `ulong`, its offset in elements of its
 * kind. */
void gt__ocl_arg_view(struct gt_ocl_call *call, const struct gt_view *v);
/* One argument, struct gt_tensor. */
void gt__ocl_arg_tensor(struct gt_ocl_call *call, const struct gt_view *v);
void gt__ocl_arg_int(struct gt_ocl_call *call, int32_t value);
void gt__ocl_arg_float(struct gt_ocl_call *call, float value);
/* Enqueue; global sizes are multiples of the local ones. */
gt_status gt__ocl_launch(struct gt_ocl_call *call, cl_uint dimensions, const size_t *global,
                         const size_t *local);
/* Enqueue one work-item per element, rounded up to whole groups: the function checks its index. */
gt_status gt__ocl_launch_flat(struct gt_ocl_call *call, size_t count);
/* For launches by others: where they shall put their event (NULL unless profiling), and after
 * success: count it. */
gt_status gt__ocl_profile_event(cl_event **out, struct gt_ocl_device *d);
void gt__ocl_profile_keep(struct gt_ocl_device *d);

/* ---- sums ---- */

/* Work-items of a group that sums: 128, fewer only where a device has no such groups, but not below
 * `least`. */
static inline int32_t gt__ocl_sum_group(const struct gt_device *device, int32_t least)
{
    int32_t size = 128;
    while (size > least && (size_t)size > gt__ocl(device)->max_group) {
        size /= 2;
    }
    return size;
}
/* The same for the source: "" or "-DGROUP=64". */
struct gt_ocl_define {
    char text[32];
};
struct gt_ocl_define gt__ocl_define_group(int32_t group);

/* ---- plans ---- */

/* Estimated seconds: the slower of arithmetic (`share` of the device's peak is reached) and memory
 * (half of the bandwidth is reached), plus the launches. */
double gt__ocl_cost(const struct gt_device *d, double flops, double share, double bytes,
                    int32_t launches);
/* Device functions index elements with int: false if some tensor of the node, in these layouts,
 * holds nearly 2^31 elements or more. Absent and ANY layouts are fine. */
bool gt__ocl_fits(const struct gt_graph *g, const struct gt_node *node, const struct gt_plan *plan);
/* For operations that run over stored elements: all of plan->in[0] (ANY: NCHW). */
double gt__ocl_stored_bytes(const struct gt_graph *g, const struct gt_node *node,
                            const struct gt_plan *plan);

#endif
