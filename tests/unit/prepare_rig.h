/* Pages for the tests of preprocessing, the same as in tests/golden/preprocess.py.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TESTS_PREPARE_RIG_H
#define GT_TESTS_PREPARE_RIG_H

#include <greentea/preprocess.h>

#include <stdlib.h>
#include <string.h>

/* Ramps and noise, 0 to 255. */
static inline uint8_t rig_pixel(int32_t x, int32_t y)
{
    uint32_t h = (uint32_t)x * 73856093U ^ (uint32_t)y * 19349663U;
    h ^= h >> 13;
    h *= 0x5bd1e995U;
    h ^= h >> 15;
    return (uint8_t)((uint32_t)x * 2 + (uint32_t)y + (h & 63));
}

/* A page in memory that counts how often it is read. */
struct rig_page {
    gt_row_source source;
    float *values; /* [channels][height][width] */
    int64_t rows;  /* read so far */
};

static inline gt_status rig_read(void *cookie, int32_t y, int32_t rows, float *dst)
{
    struct rig_page *p = cookie;
    size_t width = (size_t)p->source.width;
    for (int32_t c = 0; c < p->source.channels; c++) {
        const float *plane = p->values + (size_t)c * (size_t)p->source.height * width;
        memcpy(dst + (size_t)c * (size_t)rows * width, plane + (size_t)y * width,
               (size_t)rows * width * sizeof *dst);
    }
    p->rows += rows;
    return GT_OK;
}

/* Channel c is the page c * 1000 further right. */
static inline void rig_open(struct rig_page *p, int32_t channels, int32_t width, int32_t height)
{
    size_t n = (size_t)channels * (size_t)height * (size_t)width;
    *p = (struct rig_page){{width, height, channels, rig_read, p}, malloc(n * sizeof(float)), 0};
    size_t i = 0;
    for (int32_t c = 0; c < channels; c++) {
        for (int32_t y = 0; y < height; y++) {
            for (int32_t x = 0; x < width; x++) {
                p->values[i++] = (float)rig_pixel(x + 1000 * c, y);
            }
        }
    }
}

static inline void rig_close(struct rig_page *p)
{
    free(p->values);
}

#endif
