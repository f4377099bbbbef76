/* The passes between a graph and a program. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_CORE_PLANNER_H
#define GT_CORE_PLANNER_H

#include "core/program.h"

/* One way to run a node: a kernel, a variant and layouts without ANY. */
struct gt_option {
    const struct gt_kernel *kernel;
    unsigned variant;
    struct gt_plan plan;
    bool host; /* the kernel is of the CPU beside the device */
};

/* What select.c decides. */
struct gt_choice {
    struct gt_option *options; /* of all nodes, one after the other */
    size_t n_options, options_capacity;
    size_t *first;  /* [n_nodes + 1]: options of node i are first[i] to first[i + 1] - 1 */
    size_t *chosen; /* [n_nodes]: index into options */
    double rate;    /* seconds that a byte is worth; 0: memory is for nothing */
    size_t *spare;  /* [n_nodes]: bytes that are free while the node runs, because others need more
                       (limit.c); used where rate is above 0 */
};

struct gt_planner {
    const struct gt_device *device;
    const struct gt_device *host; /* for what the device has no kernel for; NULL: fail */
    const struct gt_program_extra *extra;
    bool deterministic;
    bool bf16;              /* kernels of reduced precision may be chosen */
    struct gt_graph *graph; /* a copy; passes change it */
};

/* Remove nodes whose results nobody wants; outputs without readers become GT_NO_VALUE. */
gt_status gt__prune(struct gt_graph *g);

/* Fold bias and ReLU into producers where a kernel other than the reference takes the result. */
gt_status gt__fuse(struct gt_planner *p);
/* Doubling whose only reader is a MergeCrop goes into it, where some kernel other than the
 * reference accepts that: the doubled map is then never written. After gt__commute. */
gt_status gt__fold_doubling(struct gt_planner *p);

/* Set every value's producer after nodes were changed. */
void gt__renumber(struct gt_graph *g);

/* After fusing: 1x1 convolutions before doubling instead of after it. */
gt_status gt__commute(struct gt_graph *g);

/* Open the CPU beside the device if some node needs it (place.c). */
gt_status gt__place(struct gt_planner *p, struct gt_device *device);
/* Seconds that moving a node's values to the CPU and back takes. */
double gt__host_cost(const struct gt_graph *g, const struct gt_node *node);

/* Choose kernels and layouts by cost. */
gt_status gt__select(struct gt_choice *out, struct gt_planner *p);
/* The same among the options found, at another rate of seconds for a byte. */
gt_status gt__select_again(struct gt_choice *choice, const struct gt_planner *p, double rate);
void gt__choice_free(struct gt_choice *choice);

/* The fastest choice found whose memory stays within a limit. */
struct gt_limit {
    size_t bytes; /* 0: none */
    bool least;   /* the smallest memory found instead, whatever the limit */
    /* Memory and seconds of the present choice. */
    gt_status (*measure)(gt_program_memory *out, void *cookie);
    void *cookie;
};
/* choice: from gt__select(). Does nothing where that fits. GT_ENOMEM  nothing does: the message names
 * the limit and the smallest memory found. Depends on graph, options and limit only. */
gt_status gt__select_within(struct gt_choice *choice, const struct gt_planner *p,
                            const struct gt_limit *limit);

/* Seconds that a reorder of value v takes; 0 when the layouts are equal, negative when no kernel
 * can. */
double gt__reorder_cost(const struct gt_option **best, struct gt_option *storage,
                        const struct gt_planner *p, gt_value v, gt_layout from, gt_layout to);

/* May this kernel run this node under the planner's restrictions? Fills plan. */
bool gt__kernel_accepts(const struct gt_planner *p, const struct gt_node *node,
                        const struct gt_kernel *kernel, unsigned variant, struct gt_plan *plan);
/* The same for a kernel of the CPU beside the device. */
bool gt__host_accepts(const struct gt_planner *p, const struct gt_node *node,
                      const struct gt_kernel *kernel, unsigned variant, struct gt_plan *plan);
bool gt__kernel_is_reference(const struct gt_kernel *kernel);

/* A block of memory that must not overlap others alive at the same time. */
struct gt_block {
    size_t size;
    int32_t first, last; /* steps, inclusive */
    size_t offset;       /* result */
};

/* Offsets, largest block first at the lowest free place (multiples of GT_ALIGN). total: bytes of
 * the arena. */
gt_status gt__arena(size_t *total, struct gt_block *blocks, size_t n);

#endif
