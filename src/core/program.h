/* Inside of a program, for tests and the library's own users. SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GT_CORE_PROGRAM_H
#define GT_CORE_PROGRAM_H

#include "core/backend.h"

/* Further options that the public header does not show. */
struct gt_program_extra {
    const struct gt_kernel *force; /* tests: only this kernel may run nodes of its op */
    int32_t force_variant;         /* -1: any */
    bool no_fuse;
    bool least;       /* the plan that takes the least memory of those found */
    bool every_layer; /* timings: doubling keeps a step of its own */
    bool no_fallback; /* fail where an operation would run on the CPU beside the device */
    /* Choose the kernels that this text names (choice.h), if that can be done; NULL: by cost. */
    const char *follow;
    const char **differs; /* NULL, or receives why that was not done, NULL if it was */
    char **choice;        /* NULL, or receives the text of the choice; free with gt__free() */
};
gt_status gt__program_create(gt_program **out, gt_device *device, const gt_graph *graph,
                             const gt_program_options *options,
                             const struct gt_program_extra *extra);
/* gt_program_plan() with further options. */
gt_status gt__program_plan(gt_program_memory *out, gt_device *device, const gt_graph *graph,
                           const gt_program_options *options, const struct gt_program_extra *extra);
/* The parameters changed outside of the program's own updates (done by gt_program_write). */
size_t gt__program_steps(const gt_program *program, struct gt_step **out);

/* A run in parts: steps first to first + n - 1. Parts of one run follow each other from step 0 to
 * the last; nothing else runs in between. */
gt_status gt__program_run_part(gt_program *program, size_t first, size_t n);

/* Read or write any kept value (parameters and state). */
gt_status gt__program_write_kept(gt_program *program, gt_value value, const float *src);
gt_status gt__program_read_kept(gt_program *program, gt_value value, float *dst);

#endif
