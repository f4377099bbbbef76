/* CLBlast and its caches. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_OCL_CL_BLAST_H
#define GT_BACKEND_OCL_CL_BLAST_H

#include "backend_ocl/ocl.h"

#include <clblast_c.h>

/* CLBlast keeps the programs that it builds, and with them their context, until its caches are
 * cleared, which is process-wide. So: say that a device is about to use it, ... */
void gt__clblast_use(struct gt_ocl_device *d);
/* ... and when it is closed; the caches are cleared with the last device that used it. */
void gt__clblast_leave(struct gt_ocl_device *d);

#endif
