/* Data sets that are all labels. SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LABEL_DATA_H
#define TESTS_LABEL_DATA_H

#include <greentea/greentea.h>

/* An empty data set in which 255 is ignored. */
gt_dataset *label_data(void);
/* Add an image of zeros with these labels [height][width]. */
void label_data_add(gt_dataset *dataset, const uint8_t *labels, int32_t width, int32_t height);

#endif
