/* Rectifier. SPDX-License-Identifier: BSD-2-Clause
 *
 * fwd: y  = x < 0 ? 0 : x, so NaN stays NaN
 * bwd: dx = y > 0 ? dy : 0 */
#include "backend_cpu/ref/ref.h"

static void relu_fwd(const struct gt_step *step)
{
    const real *x = ref_data(&step->in[0]);
    real *y = ref_data(&step->out[0]);
    size_t count = gt__count(step->out[0].shape);
    for (size_t i = 0; i < count; i++) {
        y[i] = x[i] < 0 ? 0 : x[i];
    }
}

static void relu_bwd(const struct gt_step *step)
{
    const real *dy = ref_data(&step->in[0]);
    const real *y = ref_data(&step->in[1]);
    real *dx = ref_data(&step->out[0]);
    size_t count = gt__count(step->out[0].shape);
    for (size_t i = 0; i < count; i++) {
        dx[i] = y[i] > 0 ? dy[i] : 0;
    }
}

REF_KERNEL(relu_fwd)
REF_KERNEL(relu_bwd)
