/* Initial weights. SPDX-License-Identifier: BSD-2-Clause */
#include "core/error.h"
#include "core/random.h"
#include "models/model_internal.h"

#include <math.h>

double gt__init_sigma(const gt_model *model, size_t tensor, gt_init init)
{
    const struct gt_model_tensor *t = &model->tensors[tensor];
    if (t->dims == 1) {
        return 0;
    }
    if (init == GT_INIT_PAPER) {
        return model->net->layers[t->layer].sigma;
    }
    /* He et al. 2015, arXiv:1502.01852, equation 10 */
    return sqrt(2.0 / ((double)t->shape.c * t->shape.h * t->shape.w));
}

gt_status gt_model_init_weights(gt_model *model, gt_init init, uint64_t seed)
{
    if (!model || (init != GT_INIT_HE && init != GT_INIT_PAPER)) {
        return gt__fail(GT_EINVAL, "no model or unknown initialisation %d", (int)init);
    }
    for (size_t i = 0; i < model->n_tensors; i++) {
        struct gt_model_tensor *t = &model->tensors[i];
        double sigma = gt__init_sigma(model, i, init);
        struct gt_random random = gt__random_open(seed, GT_STREAM_INIT, i);
        size_t n = gt__count(t->shape);
        for (size_t k = 0; k < n; k++) {
            t->data[k] = sigma > 0 ? (float)(sigma * gt__random_normal(&random)) : 0.0f;
        }
    }
    model->iteration = 0;
    model->key = seed;
    model->counter = 0;
    return GT_OK;
}
