/* Data sets that are all labels. SPDX-License-Identifier: BSD-2-Clause */
#include "label_data.h"

#include <stdlib.h>

gt_dataset *label_data(void)
{
    gt_dataset *dataset = NULL;
    gt_dataset_options options;
    gt_dataset_options_init(&options);
    options.ignore_value = UINT8_MAX;
    if (gt_dataset_create(&dataset, &options) != GT_OK) {
        abort();
    }
    return dataset;
}

void label_data_add(gt_dataset *dataset, const uint8_t *labels, int32_t width, int32_t height)
{
    uint8_t *raw = calloc((size_t)width * (size_t)height, 1);
    gt_image_view image = gt_image_view_planar(raw, GT_U8, 1, height, width);
    gt_image_view map = {(void *)(uintptr_t)labels, GT_U8, width, height, 1, 1, width, 0};
    if (!raw || gt_dataset_add(dataset, &image, &map) != GT_OK) {
        abort();
    }
    free(raw);
}
