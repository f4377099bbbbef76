/* Writing TIFF, as the slots of struct gt_image_format describe.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_IMAGE_TIFF_WRITE_H
#define GT_IMAGE_TIFF_WRITE_H

#include "image/format.h"

gt_status gt__tiff_create(struct gt_image_sink **out, const char *path, int fd,
                          const gt_writer_options *options);
gt_status gt__tiff_row(struct gt_image_sink *sink, const void *samples);
gt_status gt__tiff_complete(struct gt_image_sink *sink);
void gt__tiff_discard(struct gt_image_sink *sink);

#endif
