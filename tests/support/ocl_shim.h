/* The layer that makes OpenCL calls fail, steered from a test. SPDX-License-Identifier:
 * BSD-2-Clause
 */
#ifndef GT_TESTS_OCL_SHIM_H
#define GT_TESTS_OCL_SHIM_H

#include "../ocl_layer/ocl_layer.h"

/* Load the layer; to be called before the first OpenCL call. NULL without OpenCL in the build. The
 * test fails if the layer should be there and is not. */
struct ocl_layer *ocl_shim_load(void);
/* Count anew and let no call fail. */
void ocl_shim_reset(struct ocl_layer *layer);
/* Objects alive of all kinds. */
long ocl_shim_live(struct ocl_layer *layer);

#endif
