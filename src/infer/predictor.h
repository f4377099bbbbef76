/* Inside of a predictor. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_INFER_PREDICTOR_H
#define GT_INFER_PREDICTOR_H

#include "core/error.h"
#include "core/mem.h"
#include "infer/tile.h"

#include <greentea/predict.h>

/* Rows of the source that are read at a time. */
#define GT_PREDICT_ROWS 32

/* Tiles chosen for one image size, and what they cost. */
struct gt_tile_choice {
    struct gt_tile_axis x, y;
    gt_program_memory memory;
    size_t rows; /* bytes of row buffers */
    size_t peak; /* rows + program + weights */
};

/* Floats of every row buffer of a choice. */
struct gt_row_buffers {
    size_t band;     /* [channels][tile input height][all columns that tiles read] */
    size_t tile_in;  /* one program input */
    size_t tile_out; /* one program output */
    size_t out;      /* [labels][rows of a tile][width] */
    size_t read;     /* [channels][GT_PREDICT_ROWS][width] */
    size_t columns;  /* source column of every column of the band */
};

struct gt_predictor {
    gt_device *device;
    gt_model *model; /* own copy */
    gt_predict_options options;
    /* Of tiles. sw: a "tile" is a batch of single-pixel patches, so any size is legal. */
    gt_model_geometry geometry;
    int32_t patches; /* 1: sw */
    int32_t channels, labels;
    size_t weights; /* bytes of the copy */
    size_t n_params;

    gt_program *program; /* for tiles of width x height */
    int32_t width, height;
    gt_value input, prob;
    gt_value *params; /* n_params */

    struct gt_tile_choice choice; /* for the last image size */
    int32_t image_width, image_height;
};

/* input -> network -> softmax for one tile. */
struct gt_tile_graph {
    gt_graph *graph;
    gt_value input, prob;
};
gt_status gt__tile_graph(struct gt_tile_graph *out, const gt_predictor *p, gt_value *params,
                         int32_t width, int32_t height);
gt_shape gt__tile_input(const gt_predictor *p, int32_t width, int32_t height);
gt_shape gt__tile_output(const gt_predictor *p, int32_t width, int32_t height);

/* Sizes of the row buffers; GT_ELIMIT where they do not fit 31 or 64 bits. */
gt_status gt__row_buffers(struct gt_row_buffers *out, const gt_predictor *p,
                          const struct gt_tile_axis *x, const struct gt_tile_axis *y);

/* Choose tiles for an image of width x height. GT_ENOMEM: nothing fits the memory limit. */
gt_status gt__tile_choose(struct gt_tile_choice *out, const gt_predictor *p, int32_t width,
                          int32_t height);

/* Choice for an image size, remembered; and the program that belongs to it. */
gt_status gt__predictor_choose(gt_predictor *p, int32_t width, int32_t height);
gt_status gt__predictor_program(gt_predictor *p);

#endif
