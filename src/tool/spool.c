/* Planes of floats in an unnamed temporary file. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool spool_open(struct spool *s, const char *beside, int32_t width, int32_t height, int32_t planes)
{
    char path[4200];
    spool_close(s);
    snprintf(path, sizeof path, "%.4000s.spool-XXXXXX", beside);
    int fd = mkstemp(path);
    if (fd < 0) {
        fprintf(stderr, "greentea: %s cannot be made: %s\n", path, strerror(errno));
        return false;
    }
    unlink(path);
    *s = (struct spool){fd, width, height, planes};
    return true;
}

static off_t position(const struct spool *s, int32_t plane, int32_t y)
{
    return ((off_t)plane * s->height + y) * s->width * (off_t)sizeof(float);
}

/* Move all bytes, short transfers included. */
static bool transfer(const struct spool *s, char *data, size_t size, off_t at, bool out)
{
    while (size > 0) {
        ssize_t n = out ? pwrite(s->fd, data, size, at) : pread(s->fd, data, size, at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            fprintf(stderr, "greentea: temporary file beside the output: %s, %zu bytes missing\n",
                    n < 0 ? strerror(errno) : "unexpected end", size);
            return false;
        }
        data += n;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

bool spool_write(struct spool *s, int32_t plane, int32_t y, int32_t rows, const float *src)
{
    size_t size = (size_t)rows * (size_t)s->width * sizeof *src;
    return transfer(s, (char *)(uintptr_t)src, size, position(s, plane, y), true);
}

bool spool_read(struct spool *s, int32_t plane, int32_t y, int32_t rows, float *dst)
{
    size_t size = (size_t)rows * (size_t)s->width * sizeof *dst;
    return transfer(s, (char *)dst, size, position(s, plane, y), false);
}

void spool_close(struct spool *s)
{
    if (s->fd > 0) {
        close(s->fd);
    }
    s->fd = 0;
}
