/* Inside of the CPU backend: what kernels may use. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_CPU_CPU_H
#define GT_BACKEND_CPU_CPU_H

#include "core/backend.h"
#include "core/pool.h"

struct gt_cpu_device {
    struct gt_device base;
    struct gt_pool *pool;
    uint32_t isa;         /* gt_isa found and allowed */
    char *scratch;        /* GT_CPU_SCRATCH bytes for each thread */
    char *scratch_memory; /* what holds it */
};

/* What a kernel may use beside its plan's scratch memory: small enough to stay in L2. It is not in
 * the plan's memory, because plans must not depend on the number of threads. */
#define GT_CPU_SCRATCH ((size_t)2 << 20)

static inline const struct gt_cpu_device *gt__cpu(const struct gt_device *d)
{
    return (const struct gt_cpu_device *)(const void *)d;
}
static inline struct gt_pool *gt__cpu_pool(const struct gt_device *d)
{
    return gt__cpu(d)->pool;
}
static inline bool gt__cpu_has(const struct gt_device *d, uint32_t isa)
{
    return (gt__cpu(d)->isa & isa) == isa;
}

/* The memory of one thread (0 to threads - 1); lost when the chunk ends. */
static inline float *gt__cpu_thread_scratch(const struct gt_device *d, int32_t thread)
{
    return (float *)(void *)(gt__cpu(d)->scratch + (size_t)thread * GT_CPU_SCRATCH);
}

/* Memory of a view; NULL for absent ones. */
static inline float *gt__f32(const struct gt_view *v)
{
    return v->buffer ? (float *)(void *)((char *)v->buffer->host + v->offset) : NULL;
}
static inline uint8_t *gt__u8(const struct gt_view *v)
{
    return v->buffer ? (uint8_t *)v->buffer->host + v->offset : NULL;
}

/* Estimated seconds: the slower of arithmetic (flops at `rate` per second and thread, two threads)
 * and memory (bytes at a fixed guess per second) and an eighth of the other, plus a microsecond of
 * dispatch. Independent of the device's threads. */
double gt__cpu_cost(const struct gt_device *d, double flops, double rate, double bytes);

/* Bytes of all tensors of a node in their given shapes, tails ignored: for memory-bound costs. */
double gt__cpu_node_bytes(const struct gt_graph *g, const struct gt_node *node);

/* Instruction sets of this processor that the operating system supports: mask of gt_isa. */
uint32_t gt__cpuid_isa(void);
/* Brand string of the processor, or "unknown". */
void gt__cpuid_brand(char *out, size_t size);

#endif
