/* Element-wise sum: y = a + b. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/ref/ref.h"

static void add(const struct gt_step *step)
{
    const real *a = ref_data(&step->in[0]);
    const real *b = ref_data(&step->in[1]);
    real *y = ref_data(&step->out[0]);
    size_t count = gt__count(step->out[0].shape);
    for (size_t i = 0; i < count; i++) {
        y[i] = a[i] + b[i];
    }
}

REF_KERNEL(add)
