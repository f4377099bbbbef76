/* Gaussian blur in place. SPDX-License-Identifier: BSD-2-Clause */
#include "data/tone.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "data/mirror.h"

#define RADIUS 15 /* three sigma of the largest */
#define RING (2 * RADIUS + 1)
#define STRIP 64 /* columns done together */
#define BLOCK 256

/* weight[k] for the pixels at distance k; all together 1. */
struct kernel {
    int32_t radius;
    float weight[RADIUS + 1];
};

static struct kernel make_kernel(float sigma, int32_t side)
{
    struct kernel k = {.radius = (int32_t)ceilf(3 * sigma)};
    k.radius = k.radius < RADIUS ? k.radius : RADIUS;
    k.radius = k.radius < side - 1 ? k.radius : side - 1;
    float sum = 0;
    for (int32_t i = 0; i <= k.radius; i++) {
        float z = (float)i / sigma; /* squared first, a tiny sigma would be 0 */
        k.weight[i] = expf(-0.5F * z * z);
        sum += i > 0 ? 2 * k.weight[i] : k.weight[i];
    }
    for (int32_t i = 0; i <= k.radius; i++) {
        k.weight[i] /= sum;
    }
    return k;
}

/* One row; `old` holds the pixels as they were, from `radius` before the block to `radius` behind
 * it. */
static void blur_row(float *row, int32_t side, const struct kernel *k)
{
    float old[RADIUS + BLOCK + RADIUS];
    int32_t r = k->radius;
    for (int32_t i = -r; i < r; i++) {
        old[i + r] = row[gt__mirror(i, side)];
    }
    for (int32_t first = 0; first < side; first += BLOCK) {
        int32_t count = side - first < BLOCK ? side - first : BLOCK;
        for (int32_t i = 0; i < count; i++) {
            int32_t at = first + i + r;
            /* what is seen mirrored beyond the end lies at most 2r before and was read already */
            old[i + 2 * r] = at < side ? row[at] : old[gt__mirror(at, side) - first + r];
        }
        for (int32_t i = 0; i < count; i++) {
            float s = k->weight[0] * old[i + r];
            for (int32_t d = 1; d <= r; d++) {
                s += k->weight[d] * (old[i + r - d] + old[i + r + d]);
            }
            row[first + i] = s;
        }
        memmove(old, old + count, 2 * (size_t)r * sizeof *old);
    }
}

/* Columns x to x + count - 1. The ring holds the rows around the present one as they were; row p is
 * in p mod RING. A row mirrored at the lower end is still in it: it lies at most 2 radius before.
 */
static void blur_strip(float *plane, int32_t side, int32_t x, int32_t count, const struct kernel *k)
{
    float ring[RING][STRIP];
    size_t bytes = (size_t)count * sizeof(float);
    int32_t r = k->radius;
    for (int32_t p = -r; p < r; p++) {
        const float *from = plane + (size_t)gt__mirror(p, side) * (size_t)side + x;
        memcpy(ring[(p + RING) % RING], from, bytes);
    }
    for (int32_t y = 0; y < side; y++) {
        int32_t p = y + r;
        const float *from =
            p < side ? plane + (size_t)p * (size_t)side + x : ring[gt__mirror(p, side) % RING];
        memcpy(ring[p % RING], from, bytes);
        float *to = plane + (size_t)y * (size_t)side + x;
        const float *middle = ring[y % RING];
        for (int32_t i = 0; i < count; i++) {
            to[i] = k->weight[0] * middle[i];
        }
        for (int32_t d = 1; d <= r; d++) {
            const float *above = ring[(y - d + RING) % RING];
            const float *below = ring[(y + d) % RING];
            for (int32_t i = 0; i < count; i++) {
                to[i] += k->weight[d] * (above[i] + below[i]);
            }
        }
    }
}

void gt__blur(float *plane, int32_t side, float sigma)
{
    if (!(sigma > 0) || side < 2) {
        return;
    }
    struct kernel k = make_kernel(sigma, side);
    for (int32_t y = 0; y < side; y++) {
        blur_row(plane + (size_t)y * (size_t)side, side, &k);
    }
    for (int32_t x = 0; x < side; x += STRIP) {
        blur_strip(plane, side, x, side - x < STRIP ? side - x : STRIP, &k);
    }
}
