/* Inside of a predictor. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_INFER_PREDICTOR_H
#define GT_INFER_PREDICTOR_H

#include "core/error.h"
#include "core/mem.h"
#include "data/prepare.h"
#include "infer/tile.h"

#include <greentea/predict.h>

/* Rows of the source that are read at a time. */
#define GT_PREDICT_ROWS GT_PREPARE_ROWS

/* Tiles chosen for one image size, and what they cost. */
struct gt_tile_choice {
    struct gt_tile_axis x, y;
    gt_program_memory memory; /* of the first device's program */
    size_t rows;              /* bytes of row buffers */
    size_t host;              /* rows + weights + programs in host memory */
    size_t program;           /* the largest program in a device's own memory, else anywhere */
    bool slim;                /* plans keep to the limits by slower kernels */
    size_t share;             /* slim: of host memory, for each program there */
    size_t own_surplus;       /* bytes by which a device's own memory is exceeded at most */
};

/* Floats of every row buffer of a choice. */
struct gt_row_buffers {
    size_t band;     /* [channels][tile input height][all columns that tiles read] */
    size_t tile_in;  /* one program input, for every device */
    size_t tile_out; /* one program output, for every device */
    size_t out;      /* [labels][rows of a tile][width] */
    size_t read;     /* [channels][GT_PREDICT_ROWS][width] */
    size_t columns;  /* source column of every column of the band */
    size_t prepare;  /* bytes, not floats: of preprocessing */
};

/* What a stream labels: rows of an image. */
struct gt_predict_area {
    int32_t width;
    int32_t rows;   /* to be labelled, from a multiple of the period on */
    int32_t height; /* from there to the end of the image */
};

/* Views of a tile: bits of their number. */
enum { GT_VIEW_FLIP_X = 1, GT_VIEW_FLIP_Y = 2, GT_VIEW_TRANSPOSE = 4 };

/* Pixels that the band shows before (and after) what a plain tile looks at, for the mirrored tiles:
 * those look at output pixel i through input pixel i + shrink - border. */
struct gt_tile_margin {
    int32_t before, after;
};
struct gt_tile_margin gt__tile_margin(const gt_predictor *p, const struct gt_tile_axis *a);

/* A device of a predictor. */
struct gt_lane {
    gt_device *device;
    gt_program *program;       /* for tiles of the predictor's width x height */
    bool early;                /* writing and running may return before the device is done */
    bool own_memory;           /* other than the host's */
    float *tile_in, *tile_out; /* while a stream runs */
    double seconds;            /* of a run: estimated until measured */
    bool measured;
};

struct gt_predictor {
    struct gt_lane *lanes;
    size_t n_lanes;
    gt_model *model; /* own copy */
    gt_predict_options options;
    gt_preprocess preprocess; /* the model's */
    bool has_stack;
    struct gt_value_map stack; /* scale that images share */
    /* Of tiles. sw: a "tile" is a batch of single-pixel patches, so any size is legal. */
    gt_model_geometry geometry;
    int32_t patches; /* 1: sw */
    int32_t channels, labels;
    size_t weights; /* bytes of the copy */
    size_t n_params;

    int32_t width, height; /* of the programs' tiles */
    bool slim;             /* and how they were planned */
    size_t share;
    gt_value input, prob;
    gt_value *params; /* n_params */

    struct gt_tile_choice choice; /* for the last area */
    struct gt_predict_area area;
    size_t prepare;     /* bytes that preprocessing takes of an image as wide */
    size_t most_pixels; /* of a tile, learnt from devices that ran out of memory */
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

/* Choose tiles for an area. GT_ENOMEM: nothing fits the memory limit. */
gt_status gt__tile_choose(struct gt_tile_choice *out, const gt_predictor *p,
                          const struct gt_predict_area *area);
/* Output pixels of the smallest tile for an area. */
size_t gt__tile_least(const gt_predictor *p, const struct gt_predict_area *area);

/* Options of the program of a lane. */
gt_program_options gt__lane_options(const gt_predictor *p, const struct gt_lane *lane);

/* Limit of the plan of a lane's program under a choice; 0: none. */
size_t gt__lane_share(const gt_predictor *p, const struct gt_lane *lane,
                      const struct gt_tile_choice *choice);

/* Bytes that the options allow a program of a lane. */
size_t gt__lane_limit(const gt_predictor *p, const struct gt_lane *lane);

/* An image as it is after cropping (its size), and what its preprocessing costs noted for the
 * choice of tiles. */
gt_status gt__predictor_crop(gt_row_source *out, gt_predictor *p, const gt_row_source *source);
/* Choice for an area, remembered. */
gt_status gt__predictor_choose(gt_predictor *p, const struct gt_predict_area *area);
/* The programs that belong to it. failed: the lane whose program could not be made, or NULL. */
gt_status gt__predictor_programs(const struct gt_lane **failed, gt_predictor *p);
/* After GT_ENOMEM on a device (or NULL: of the host) with the present choice: forget the programs
 * and choose smaller tiles for an area. GT_ENOMEM: there are none; the message names the device. */
gt_status gt__predictor_shrink(gt_predictor *p, const struct gt_lane *failed,
                               const struct gt_predict_area *area);

#endif
