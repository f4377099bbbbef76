/* The OpenCL devices of the machine, for tests. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TESTS_OCL_DEVICES_H
#define GT_TESTS_OCL_DEVICES_H

#include <greentea/greentea.h>

enum { OCL_MAX_DEVICES = 16 };

/* Indices of gt_device_list() and how many. With GT_REQUIRE_OCL=1 the test fails where the build has
 * OpenCL but the machine no device; else it says that it tested nothing. */
size_t ocl_devices(size_t index[OCL_MAX_DEVICES]);

/* Open device `index`; fails the test. */
gt_device *ocl_open(size_t index);

#endif
