/* Inside of a data set. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_DATASET_H
#define GT_DATA_DATASET_H

#include "data/prepare.h"

#include <greentea/train.h>

#include <stdbool.h>
#include <stddef.h>

#define GT_GREYS 65536

/* One image with its labels. */
struct gt_page {
    int32_t width, height;
    int32_t channels; /* of raw: 1 (seen as 3 if the data set has 3) or 3 */
    float *raw;       /* [channels][height][width], normalised */
    uint16_t *grey;   /* [height][width], label values as given */
};

struct gt_dataset {
    gt_dataset_options options;
    gt_image_limits limits;
    int32_t channels; /* 0 until known */
    bool has_stack;
    struct gt_value_map stack; /* scale of the images being loaded */
    struct gt_page *pages;
    size_t n_pages, capacity;
    /* Labels given by sub-folders: their number, 0: by grey values. Then the "grey" values of the
     * pages are indices of labels. */
    int32_t folders;
    char (*names)[64]; /* [folders], "" where no sub-folder stands for the label */
    /* From here on: valid once ready. Fine labels are those of the images; consolidation makes the
     * network's labels of them. */
    bool ready;
    int32_t labels, fine;
    int32_t value[GT_MAX_LABELS];  /* grey value of each fine label, -1: does not occur or folder */
    int32_t target[GT_MAX_LABELS]; /* label of each fine label; -1: ignored */
    int16_t *rank;                 /* [GT_GREYS] fine label of each grey value, -1: ignored */
};

/* Drop the images from number n_pages on. */
void gt__dataset_truncate(gt_dataset *dataset, size_t n_pages);

/* Define the labels; afterwards nothing can be added. Cheap when it was called before.
 * GT_EINVAL  empty; GT_EFORMAT  label values do not fit the options */
gt_status gt__dataset_ready(gt_dataset *dataset);

/* Fine labels to labels, in place; -1 stays. */
void gt__consolidate(float *labels, size_t n, const gt_dataset *dataset);

/* A row of label values; y is for messages. GT_ENUMERIC, GT_EFORMAT  naming the pixel */
gt_status gt__label_row(uint16_t *dst, const float *row, int32_t width, int32_t y);

#endif
