/* What the optimizer updates share: w, dw and the state plain, elements in a row.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_OCL_UPDATE_FLAT_OCL_H
#define GT_BACKEND_OCL_UPDATE_FLAT_OCL_H

#include "backend_ocl/ocl.h"

/* For gt_kernel.plan, once the operation is known to be the kernel's; `flops` per element. */
bool gt__update_ocl_plan(const struct gt_device *device, const struct gt_graph *g,
                         const struct gt_node *node, double flops, struct gt_plan *out);
/* For gt_kernel.prepare and run: the device function has the name of the operation. */
gt_status gt__update_ocl_prepare(struct gt_device *device, struct gt_step *step);
gt_status gt__update_ocl_run(struct gt_device *device, const struct gt_step *step);

#endif
