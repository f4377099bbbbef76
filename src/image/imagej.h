/* What ImageJ keeps in a TIFF: the description and the labels of slices.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_IMAGE_IMAGEJ_H
#define GT_IMAGE_IMAGEJ_H

#include "core/mem.h"
#include <greentea/image.h>

#include <stdbool.h>

#define GT_IMAGEJ_TAG_COUNTS 50838
#define GT_IMAGEJ_TAG_DATA 50839

/* May a text stand behind "unit=" in a description? Short, of one line, no control characters. */
bool gt__imagej_text_is_safe(const char *text, size_t length);

/* The description of the first page; f32 has a display range 0 to 1 at first. */
void gt__imagej_description(struct gt_text *text, const gt_writer_options *options);

/* Put the display range into the description of a finished f32 file. GT_EIO */
gt_status gt__imagej_set_range(int fd, const char *path, float low, float high);

/* Labels of all slices, in the machine's byte order. */
struct gt_imagej_labels {
    uint32_t *counts; /* [n_counts] bytes of the header and of every label */
    uint32_t n_counts;
    unsigned char *data; /* [n_data] */
    uint32_t n_data;
};
/* options->channel_names[page % channels] for every page, UTF-8 to UTF-16; release with _free. */
gt_status gt__imagej_labels_make(struct gt_imagej_labels *out, const gt_writer_options *options);
void gt__imagej_labels_free(struct gt_imagej_labels *labels);

#endif
