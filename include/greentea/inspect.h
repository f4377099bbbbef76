/* Greentea: looking into a network while it computes. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GREENTEA_INSPECT_H
#define GREENTEA_INSPECT_H

#include <greentea/predict.h>
#include <greentea/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A value that a network computes on the way: what Caffe calls a blob. */
typedef struct gt_blob {
    const char *name; /**< "data"; a layer's name as in gt_model_layers(); "prob" or "label" */
    gt_shape shape;
    const float *data; /**< [n][c][h][w] */
    const float *diff; /**< gradient of the loss with respect to it, same shape; NULL: none */
} gt_blob;

/** Called for every blob in the order of computing; what it points to lasts for the call. A value
 * other than 0 stops with GT_ECANCELLED. */
typedef int (*gt_blob_fn)(const gt_blob *blob, void *cookie);

typedef struct gt_inspect_options {
    int32_t tile;           /**< output size in pixels, both axes; 0 (default): the published one of
                                 the network, smaller if the image or the memory limit wants it */
    int32_t tile_x, tile_y; /**< which tile of the image, from 0; default 0, 0. Tiles start at
                                 multiples of the largest multiple of the period in their size */
} gt_inspect_options;

/** Write the defaults. */
GT_API void gt_inspect_options_init(gt_inspect_options *options);

/**
 * Run a tile of an image and show all blobs, ending with the probabilities. The image is prepared
 * as in gt_predictor_stream(). All blobs are kept at once, which takes several times the memory of
 * labelling; the first device of the predictor computes, in the plain orientation.
 * options  NULL means the defaults
 * GT_EINVAL  the image has no such tile; GT_ESHAPE  tile is no legal size, channels; GT_ENOMEM  not
 * even the smallest tile fits the memory limit; GT_ECANCELLED; what the source returns
 */
GT_API gt_status gt_predictor_inspect(gt_predictor *predictor, const gt_row_source *source,
                                      const gt_inspect_options *options, gt_blob_fn fn,
                                      void *cookie);

/**
 * Compute an iteration of training on the patches that come next and show all blobs with their
 * gradients. The trainer is left as it was: weights, optimizer and iteration do not move, so a
 * training looked at gives the bits of one that was not. A second program is made on the trainer's
 * device for the call.
 * GT_ENOMEM  of the device; GT_ECANCELLED
 */
GT_API gt_status gt_trainer_inspect(gt_trainer *trainer, gt_blob_fn fn, void *cookie);

#ifdef __cplusplus
}
#endif
#endif
