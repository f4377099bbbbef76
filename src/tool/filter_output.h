/* Blobs as pictures. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_FILTER_OUTPUT_H
#define GT_TOOL_FILTER_OUTPUT_H

#include "tool/tool.h"

struct filter_output {
    char folder[4096];
    uint64_t files; /* written */
    int code;       /* exit code of what stopped the writing, the reason printed; 0: nothing did */
};

/* Make `folder` and in it the folder for one tile, <stem>_<page>_<y>_<x>. 0 or EXIT_OUTPUT. */
struct filter_spot {
    const char *name; /* of the image file, its ending is left out */
    size_t page;      /* in that file */
    int32_t tile_x, tile_y;
};
int filter_open(struct filter_output *f, const char *folder, const struct filter_spot *spot);
/* A gt_blob_fn: writes <blob>_<n>_<c>.png for every channel, and <blob>_<n>_<c>_diff.png of its
 * gradient, grey values stretched from minimum to maximum. cookie is the filter_output. */
int filter_write(const gt_blob *blob, void *cookie);
/* All blobs and gradients of one more step of a training, into folder/train_0_0_0. 0 or an exit
 * code. */
int filter_training(gt_trainer *trainer, const char *folder);

#endif
