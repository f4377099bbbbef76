/* A program's own struct and the functions its files share. SPDX-License-Identifier: BSD-2-Clause
 * */
#ifndef GT_CORE_PROGRAM_INTERNAL_H
#define GT_CORE_PROGRAM_INTERNAL_H

#include "core/planner.h"

/* Where a value lives. */
enum gt_place { GT_PLACE_NONE, GT_PLACE_ARENA, GT_PLACE_KEPT };
struct gt_home {
    enum gt_place place;
    size_t offset, size;
    gt_layout layout;
    gt_value readable; /* wanted values: the copy in plain layout */
};

struct gt_program {
    gt_device *device;
    struct gt_graph *graph; /* pruned, fused, with reorders; the steps point into its nodes */
    struct gt_step *steps;  /* one per node */
    struct gt_plan *plans;  /* one per step, for the dump */
    struct gt_home *homes;  /* one per value */
    size_t original_values; /* values that the caller knows */
    struct gt_step *twins;  /* of steps that run on the CPU beside the device */
    size_t n_twins;
    struct gt_buffer *arena, *kept, *packed;
    struct gt_buffer *host; /* memory of the twins */
    gt_program_memory memory;
    bool ahead;   /* see gt_program_options */
    bool updates; /* runs change parameters: pack every time */
    bool pack;    /* parameters changed since the last run */
    size_t runs;
};

/* Passes 1 to 6: everything but memory and device work. */
gt_status gt__program_layout(struct gt_program *program, const gt_graph *graph,
                             const gt_program_options *options,
                             const struct gt_program_extra *extra);

/* Steps on the CPU beside the device (place.c): sizes, memory, one run. */
void gt__host_layout(struct gt_program *p);
gt_status gt__host_bind(struct gt_program *p);
gt_status gt__host_run(struct gt_program *p, struct gt_step *step);

#endif
