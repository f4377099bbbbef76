/* What reading and writing PNG share. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_IMAGE_PNG_H
#define GT_IMAGE_PNG_H

#include "image/format.h"
#include <png.h>
#include <string.h>

#define GT_PNG_MESSAGE 160

/* What reading and writing have in common. */
struct gt_png_state {
    png_structp png;
    png_infop info;
    const char *path;
    gt_status status; /* of an error that was not libpng's own */
    int error;        /* its errno */
    char message[GT_PNG_MESSAGE];
};

/* libpng leaves by longjmp: every call of it that can fail runs in a step below this function, and
 * all that a step touches lives in the heap, so no local variable is lost. */
gt_status gt__png_guard(struct gt_png_state *state, void (*step)(void *), void *argument);

/* Callbacks for png_create_*_struct_2; error and memory pointers are the state. */
void gt__png_error(png_structp png, png_const_charp message);
void gt__png_warning(png_structp png, png_const_charp message);
png_voidp gt__png_alloc(png_structp png, png_alloc_size_t size);
void gt__png_free(png_structp png, png_voidp memory);

/* PNG's 16-bit samples are big-endian. */
static inline bool gt__png_little_endian(void)
{
    const uint16_t one = 1;
    unsigned char first = 0;
    memcpy(&first, &one, 1);
    return first == 1;
}

/* Writing, as the slots of struct gt_image_format describe. */
gt_status gt__png_create(struct gt_image_sink **out, const char *path, int fd,
                         const gt_writer_options *options);
gt_status gt__png_row(struct gt_image_sink *sink, const void *samples);
gt_status gt__png_complete(struct gt_image_sink *sink);
void gt__png_discard(struct gt_image_sink *sink);

#endif
