/* What the layer counts and what it is told. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TESTS_OCL_LAYER_H
#define GT_TESTS_OCL_LAYER_H

#include <stdatomic.h>

enum ocl_layer_kind { OCL_CONTEXT, OCL_QUEUE, OCL_MEMORY, OCL_PROGRAM, OCL_KERNEL, OCL_EVENT };
enum { OCL_LAYER_KINDS = 6, OCL_LAYER_NAME = 48, OCL_LAYER_TRACE = 8192 };

/* The symbol gt_ocl_layer of the shared object. */
struct ocl_layer {
    atomic_long calls;                  /* that may fail */
    atomic_long fail_at;                /* this call fails; 0: none */
    atomic_long fail_from;              /* this call and all later ones fail; 0: none */
    atomic_long failed;                 /* calls that were made to fail */
    atomic_long builds, loads;          /* programs made from sources, from binaries */
    atomic_long live[OCL_LAYER_KINDS];  /* created and retained less released */
    const char *trace[OCL_LAYER_TRACE]; /* names of the first calls: [0] is call 1 */
    char name[OCL_LAYER_NAME];          /* the first call that was made to fail */
};

#endif
