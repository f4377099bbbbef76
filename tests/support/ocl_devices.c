/* The OpenCL devices of the machine, for tests. SPDX-License-Identifier: BSD-2-Clause */
#include "ocl_devices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tiny.h"

static void none_found(void)
{
    const char *require = getenv("GT_REQUIRE_OCL");
#ifdef GT_WITH_OCL
    if (require && strcmp(require, "1") == 0) {
        fail_msg("no OpenCL device to test on: install pocl-opencl-icd, or set GT_REQUIRE_OCL=0");
    }
#endif
    (void)require;
    print_message("no OpenCL device: nothing tested\n");
}

size_t ocl_devices(size_t index[OCL_MAX_DEVICES])
{
    size_t count = 0;
    size_t found = 0;
    tiny_ok(gt_device_count(&count));
    for (size_t i = 0; i < count && found < OCL_MAX_DEVICES; i++) {
        gt_device_info info;
        tiny_ok(gt_device_list(&info, i));
        if (strcmp(info.backend, "ocl") == 0) {
            index[found++] = i;
        }
    }
    if (found == 0) {
        none_found();
    }
    return found;
}

gt_device *ocl_open(size_t index)
{
    gt_device *device = NULL;
    char name[24];
    snprintf(name, sizeof name, "%zu", index);
    tiny_ok(gt_device_open(&device, name, NULL));
    return device;
}
