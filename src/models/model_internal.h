/* The inside of a model, for the files of this folder and the trainer.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_MODELS_MODEL_INTERNAL_H
#define GT_MODELS_MODEL_INTERNAL_H

#include "models/builder.h"

#define GT_MAX_WIDTH 8.0
#define GT_MAX_TENSORS (2 * GT_MAX_LAYERS)

struct gt_model_tensor {
    char name[40];  /* "conv1.weight" */
    gt_shape shape; /* weights [Cout][Cin][k][k]; biases [1][Cout][1][1] */
    int32_t dims;   /* as written to files: 4, biases 1 */
    size_t layer;
    size_t offset; /* in floats within the block of weights */
    float *data;
};

struct gt_model {
    const struct gt_net *net;
    gt_model_options options; /* complete: no zeros that stand for defaults */
    struct gt_model_tensor tensors[GT_MAX_TENSORS];
    size_t n_tensors;
    size_t count;   /* floats in `weights` */
    float *weights; /* one block, every tensor aligned to GT_ALIGN; NULL in a skeleton */
    gt_label_info labels[GT_MAX_LABELS];
    gt_grey_label greys[GT_MAX_LABELS];
    size_t n_greys;
    gt_preprocess preprocess;
    uint64_t iteration, key, counter; /* state of training, as in the file */
    char *config;                     /* JSON text, always in step with the above */
};

const struct gt_net *gt__net_find(const char *name);
/* Names and shapes only, so that a file can be compared before memory is taken. No config. */
gt_status gt__model_skeleton(gt_model **out, const gt_model_options *options);
/* Zeroed weights for a skeleton. */
gt_status gt__model_allocate(gt_model *model);

/* What training adds to a model's file. */
void gt__model_set_iteration(gt_model *model, uint64_t iteration);
/* Random key and counter of the training run. */
void gt__model_set_random(gt_model *model, uint64_t key, uint64_t counter);
/* The solver as a JSON object, kept in the configuration. NULL removes it. GT_EINVAL  not an
 * object. */
gt_status gt__model_set_solver(gt_model *model, const char *json);

/* Standard deviation of a layer's weights. */
double gt__init_sigma(const gt_model *model, size_t tensor, gt_init init);

#endif
