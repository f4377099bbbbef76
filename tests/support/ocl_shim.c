/* The layer that makes OpenCL calls fail, steered from a test. SPDX-License-Identifier:
 * BSD-2-Clause
 */
#include "ocl_shim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct ocl_layer *ocl_shim_load(void)
{
#ifdef GT_WITH_OCL
    char here[512] = "";
    char path[1024];
    const char *build = getenv("BUILD");
    build = build ? build : "build";
    assert_non_null(getcwd(here, sizeof here));
    snprintf(path, sizeof path, "%s%s%s/tests/libocl_layer.so", build[0] == '/' ? "" : here,
             build[0] == '/' ? "" : "/", build);
    void *library = dlopen(path, RTLD_NOW);
    if (!library) {
        fail_msg("%s", dlerror());
    }
    struct ocl_layer *layer = dlsym(library, "gt_ocl_layer");
    assert_non_null(layer);
    assert_int_equal(setenv("OPENCL_LAYERS", path, 1), 0);
    return layer;
#else
    return NULL;
#endif
}

void ocl_shim_reset(struct ocl_layer *layer)
{
    atomic_store(&layer->fail_at, 0);
    atomic_store(&layer->fail_from, 0);
    atomic_store(&layer->failed, 0);
    atomic_store(&layer->calls, 0);
    atomic_store(&layer->builds, 0);
    atomic_store(&layer->loads, 0);
    for (int i = 0; i < OCL_LAYER_KINDS; i++) {
        atomic_store(&layer->live[i], 0);
    }
}

/* Too few count as much as too many. */
long ocl_shim_live(struct ocl_layer *layer)
{
    long sum = 0;
    for (int i = 0; i < OCL_LAYER_KINDS; i++) {
        sum += labs(atomic_load(&layer->live[i]));
    }
    return sum;
}
