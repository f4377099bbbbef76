/* Planes of floats on disk, written and read in any order: an unnamed temporary file beside the
 * output.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_SPOOL_H
#define GT_TOOL_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

struct spool {
    int fd; /* 0: not open */
    int32_t width, height, planes;
};

/* Make (or reuse) a spool in the folder of `beside`; failures are printed. */
bool spool_open(struct spool *s, const char *beside, int32_t width, int32_t height, int32_t planes);
bool spool_write(struct spool *s, int32_t plane, int32_t y, int32_t rows, const float *src);
bool spool_read(struct spool *s, int32_t plane, int32_t y, int32_t rows, float *dst);
void spool_close(struct spool *s);

#endif
