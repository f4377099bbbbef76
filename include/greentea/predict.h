/* Greentea: labelling images of any size. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GREENTEA_PREDICT_H
#define GREENTEA_PREDICT_H

#include <greentea/image.h>
#include <greentea/model.h>
#include <greentea/preprocess.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gt_predict_options {
    size_t memory_limit; /**< bytes of host memory: row buffers, weights, and the programs of all
                              devices that compute there (processors); kernels are chosen to fit;
                              default 2^30 */
    size_t device_limit; /**< bytes of the program on each device with memory of its own; 0
                              (default): a quarter of that memory, at most 4 GiB */
    int32_t tile;    /**< output size of a tile in pixels; 0 (default): the legal one that labels
                        the image in the least time, by estimate, within the limits */
    int32_t untiled; /**< 1: one tile at origin 0 covers the image, whatever the limit; default 0 */
    int32_t deterministic;  /**< see gt_program_options; default 0 */
    gt_precision precision; /**< see gt_program_options; default GT_PRECISION_F32 */
    int32_t orientations; /**< views of the image whose probabilities are averaged: 1 (default); 4:
                                as it is, mirrored in x, in y, in both; 8: these also transposed,
                                all symmetries of the square (tiles are square then). Takes as many
                                times longer, no more memory */
    gt_progress_fn progress; /**< unit: tiles, each in every orientation; called by the thread that
                                  called us; default NULL */
    void *cookie;
} gt_predict_options;

/** Write the defaults. */
GT_API void gt_predict_options_init(gt_predict_options *options);

/** Classifies images with a model on a device. */
typedef struct gt_predictor gt_predictor;

/**
 * Make a predictor. The weights are taken over now; the model may be freed afterwards.
 * GT_EINVAL  an option out of range; GT_ESHAPE  tile is not a legal output size; GT_ENOMEM  the
 * smallest tile does not fit the memory limit: the message says what it wants
 */
GT_API gt_status gt_predictor_create(gt_predictor **out, gt_device *device, const gt_model *model,
                                     const gt_predict_options *options);

/**
 * Make a predictor that cuts the tiles of every image among n devices, each computed by a thread of
 * its own; kinds may differ. Tiles go to whoever is free; when deterministic, tile i (row by row)
 * goes to device i mod n. Devices of one name give the same bits, others agree to 1e-4,
 * with GT_PRECISION_BF16 to its error.
 * devices  n different open devices (the array is copied), not used by others during calls
 * Errors as gt_predictor_create(); GT_EINVAL  n is 0, a device is NULL or there twice
 */
GT_API gt_status gt_predictor_create_on(gt_predictor **out, gt_device *const *devices, size_t n,
                                        const gt_model *model, const gt_predict_options *options);

/** Takes the result, rows in order. */
typedef struct gt_row_sink {
    /** src [labels][rows][width], probabilities, rows y to y + rows - 1. */
    gt_status (*write)(void *cookie, int32_t y, int32_t rows, const float *src);
    void *cookie;
} gt_row_sink;

/**
 * Classify every pixel of an image that is streamed: rows in, rows out, memory independent of its
 * height. A status returned by a callback is passed on.
 * The image is preprocessed as in training (gt_model_get_preprocess(); by default min-max of the
 * whole image to [-1, 1]); where that crops, the result has the size of the crop. Its border is
 * mirrored with the edge pixel included, repeatedly if it is smaller than the border. Tiles start at
 * multiples of the network's period, so the answer does not depend on the tiles (to 1e-5, with
 * GT_PRECISION_BF16 to its error; bit for bit when deterministic). With 4 or 8 orientations the answer is the mean of what the network says
 * of the whole image so turned: mirroring (8: or turning) an image does the same to its answer.
 * GT_ESHAPE  channels, or the crop lies outside the image; GT_ENUMERIC  NaN or infinity: the
 * message names the pixel
 * Where a device has no memory for a tile, tiles are made smaller and the work goes on at the row
 * of tiles where it stood, with a warning to that device's log; GT_ENOMEM only if the smallest tile
 * (untiled: the image) does not fit. `total` of the progress grows then.
 * Source: Ronneberger et al. 2015, arXiv:1505.04597, section 2 (overlap-tile strategy).
 */
GT_API gt_status gt_predictor_stream(gt_predictor *predictor, const gt_row_source *source,
                                     const gt_row_sink *sink);

/**
 * The same for a part of the image: rows `first` to first + rows - 1, for work cut among processes.
 * Rows count from the top of the crop. Statistics are still those of the whole image, and where
 * `first` is a multiple of the period in gt_model_geometry the answer is that of
 * gt_predictor_stream(), bit for bit when deterministic. The sink gets rows first and up.
 * GT_EINVAL  rows outside the image; first is not such a multiple
 */
GT_API gt_status gt_predictor_stream_rows(gt_predictor *predictor, const gt_row_source *source,
                                          const gt_row_sink *sink, int32_t first, int32_t rows);

/**
 * Let the following images share one scale, taken from all pages of `stack` (the images' own pages,
 * as a rule): needed where the model's preprocessing has GT_SCOPE_STACK, does nothing with
 * GT_SCOPE_IMAGE. The pages are read now. Without it every image is its own stack.
 * stack  NULL: forget the scale
 * GT_EINVAL  no pages; GT_ESHAPE, GT_ENUMERIC as gt_predictor_stream(); what the pages return
 */
GT_API gt_status gt_predictor_set_stack(gt_predictor *predictor, const gt_page_source *stack);

/**
 * Classify every pixel of an image in memory.
 * out  receives a new image [labels][H][W] GT_F32, probabilities that sum to 1; the caller owns it;
 *      H and W of the crop, where the model's preprocessing crops
 * in   the model's channels (grey is replicated if the model has 3), any type and strides
 * GT_ESHAPE  channels; GT_ENUMERIC  NaN or infinity in the input; GT_ECANCELLED; GT_ENOMEM
 */
GT_API gt_status gt_predictor_run(gt_image **out, gt_predictor *predictor, const gt_image_view *in);

typedef struct gt_predict_plan {
    int32_t tile_width, tile_height; /**< output pixels of a tile */
    uint64_t tiles;                  /**< for the image asked about */
    size_t peak_bytes;  /**< program, packed weights, parameters, row buffers: what counts for
                             memory_limit, or a program in a device's own memory if that is more */
    size_t arena_bytes; /**< of it the intermediate values of the first device's program */
} gt_predict_plan;

/** What gt_predictor_stream() would do with an image of this size (before cropping). */
GT_API gt_status gt_predictor_plan(gt_predict_plan *out, gt_predictor *predictor, int32_t width,
                                   int32_t height);

/** The plans of the last tile programs as text ("" before the first); free with gt_free(). */
GT_API gt_status gt_predictor_dump(char **out, const gt_predictor *predictor);

/** Release. NULL is accepted. */
GT_API void gt_predictor_free(gt_predictor *predictor);

#ifdef __cplusplus
}
#endif
#endif
