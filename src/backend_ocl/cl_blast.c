/* CLBlast's caches die with the last device that used them. SPDX-License-Identifier: BSD-2-Clause
 */
#include "backend_ocl/cl_blast.h"

#include <stdatomic.h>

/* Process-wide as the caches are. A device that begins while the last one leaves only builds again.
 */
static atomic_int users;

void gt__clblast_use(struct gt_ocl_device *d)
{
    if (!d->clblast) {
        d->clblast = true;
        atomic_fetch_add(&users, 1);
    }
}

void gt__clblast_leave(struct gt_ocl_device *d)
{
    if (d->clblast) {
        d->clblast = false;
        if (atomic_fetch_sub(&users, 1) == 1) {
            CLBlastClearCache();
        }
    }
}
