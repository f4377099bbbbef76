/* Random numbers from Philox 4x32-10. SPDX-License-Identifier: BSD-2-Clause
 *
 * Block i of (key, stream, sub) is Philox of the counter {i, stream, low half of sub, high half of
 * sub} under the two halves of key; a block gives four words. */
#include "core/random.h"

#include <math.h>

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#endif
#include <Random123/philox.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const double two_pi = 6.283185307179586476925286766559;

struct gt_random gt__random_open(uint64_t key, enum gt_stream stream, uint64_t sub)
{
    return (struct gt_random){.key = key, .stream = (uint32_t)stream, .sub = sub};
}

static void next_block(uint32_t out[4], struct gt_random *r)
{
    philox4x32_ctr_t counter = {
        {r->counter, r->stream, (uint32_t)r->sub, (uint32_t)(r->sub >> 32)}};
    philox4x32_key_t key = {{(uint32_t)r->key, (uint32_t)(r->key >> 32)}};
    philox4x32_ctr_t block = philox4x32(counter, key);
    for (int i = 0; i < 4; i++) {
        out[i] = block.v[i];
    }
    r->counter++;
}

static void refill(struct gt_random *r)
{
    next_block(r->block, r);
    r->left = 4;
}

uint32_t gt__random_u32(struct gt_random *r)
{
    if (r->left == 0) {
        refill(r);
    }
    return r->block[4 - r->left--];
}

void gt__random_words(uint32_t *out, struct gt_random *r, size_t n)
{
    size_t i = 0;
    while (i < n && r->left > 0) {
        out[i++] = gt__random_u32(r);
    }
    for (; i + 4 <= n; i += 4) {
        next_block(out + i, r);
    }
    while (i < n) {
        out[i++] = gt__random_u32(r);
    }
}

static uint64_t next_u64(struct gt_random *r)
{
    uint64_t low = gt__random_u32(r);
    return low | (uint64_t)gt__random_u32(r) << 32;
}

float gt__random_f32(struct gt_random *r)
{
    return (float)(gt__random_u32(r) >> 8) * 0x1p-24f;
}

double gt__random_f64(struct gt_random *r)
{
    return (double)(next_u64(r) >> 11) * 0x1p-53;
}

uint64_t gt__random_below(struct gt_random *r, uint64_t n)
{
    /* 2^64 mod n values at the bottom are one too many: drawn again. */
    uint64_t surplus = (0 - n) % n;
    uint64_t x = next_u64(r);
    while (x < surplus) {
        x = next_u64(r);
    }
    return x % n;
}

double gt__random_normal(struct gt_random *r)
{
    double radius = sqrt(-2.0 * log(1.0 - gt__random_f64(r)));
    return radius * cos(two_pi * gt__random_f64(r));
}
