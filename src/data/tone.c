/* Random changes of grey values. SPDX-License-Identifier: BSD-2-Clause */
#include "data/tone.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define KNOTS 256
#define HALF 256
#define SQRT_HALF_BITS 0x3f3504f3U /* of sqrt(1/2) as a float */

/* Uniform in +-most. */
static float draw(struct gt_random *random, float most)
{
    return most * (2 * gt__random_f32(random) - 1);
}

/* Every number is drawn, wanted or not: switching one off leaves the others as they were. */
struct gt_tone gt__tone_draw(struct gt_random *random, const gt_augment_options *o)
{
    struct gt_tone t;
    t.blur = o->blur * gt__random_f32(random);
    t.gamma = expf(draw(random, logf(1 + o->gamma)));
    t.contrast = 1 + draw(random, o->contrast);
    t.brightness = draw(random, o->brightness);
    t.noise = o->noise * gt__random_f32(random);
    return t;
}

/* v = 2u - 1 becomes 2u^gamma - 1 for u in [0, 1]. u^gamma is interpolated in a table over the
 * square root of u, where it is smooth also at 0 (gamma 1/2 or more): off by less than 4e-5. */
static void apply_gamma(float *v, size_t n, float gamma)
{
    float table[KNOTS + 2];
    for (int32_t k = 0; k <= KNOTS; k++) {
        table[k] = powf((float)k / KNOTS, 2 * gamma);
    }
    table[KNOTS + 1] = 1; /* read for u = 1, with weight 0 */
    for (size_t i = 0; i < n; i++) {
        float u = 0.5F * (v[i] + 1);
        float inside = u < 0 ? 0 : u > 1 ? 1 : u;
        float at = sqrtf(inside) * KNOTS;
        int32_t k = (int32_t)at;
        float power = table[k] + (at - (float)k) * (table[k + 1] - table[k]);
        v[i] = u == inside ? 2 * power - 1 : v[i];
    }
}

/* Natural logarithm of x in (0, 1] by the series of 2 artanh((m - 1)/(m + 1)), m the mantissa
 * between sqrt(1/2) and sqrt(2): off by less than 1e-7. Plain arithmetic, so that loops over it are
 * vectorised; so the sine below. */
static inline float log_unit(float x)
{
    uint32_t bits = 0;
    memcpy(&bits, &x, sizeof bits);
    int32_t exponent = (int32_t)(bits - SQRT_HALF_BITS) >> 23; /* arithmetic: rounds down */
    bits -= (uint32_t)exponent << 23;
    float m = 0;
    memcpy(&m, &bits, sizeof m);
    float s = (m - 1) / (m + 1);
    float q = s * s;
    float series = ((q * (1.0F / 7) + 1.0F / 5) * q + 1.0F / 3) * q + 1;
    return (float)exponent * 0.693147181F + 2 * s * series;
}

/* sin(2 pi a) for a in [-1/4, 1/4], Taylor's series: off by less than 4e-6. */
static inline float sine(float a)
{
    float x = 6.28318531F * a;
    float q = x * x;
    return x * ((((q / 362880 - 1.0F / 5040) * q + 1.0F / 120) * q - 1.0F / 6) * q + 1);
}

/* Pairs of normal numbers by Box and Muller: words k and k + HALF of a block give pixels k and
 * k + HALF. */
static void add_noise(float *v, size_t n, float sigma, struct gt_random *random)
{
    uint32_t words[2 * HALF];
    float noise[2 * HALF];
    for (size_t first = 0; first < n; first += 2 * HALF) {
        gt__random_words(words, random, 2 * HALF);
        for (size_t k = 0; k < HALF; k++) {
            float u = (float)((int32_t)(words[k] >> 8) + 1) * 0x1p-24F;         /* (0, 1] */
            float a = (float)(int32_t)(words[HALF + k] >> 8) * 0x1p-24F - 0.5F; /* of a turn */
            float radius = sigma * sqrtf(-2 * log_unit(u));
            float b = 0.25F - fabsf(a);
            noise[k] = radius * sine(copysignf(0.25F - fabsf(b), a)); /* of sin(2 pi a) */
            noise[HALF + k] = radius * sine(b);                       /* of cos(2 pi a) */
        }
        size_t count = n - first < 2 * HALF ? n - first : 2 * HALF;
        for (size_t k = 0; k < count; k++) {
            v[first + k] += noise[k];
        }
    }
}

void gt__tone_apply(float *plane, int32_t side, const struct gt_tone *t, struct gt_random *random)
{
    size_t n = (size_t)side * (size_t)side;
    gt__blur(plane, side, t->blur);
    if (t->gamma < 1 || t->gamma > 1) {
        apply_gamma(plane, n, t->gamma);
    }
    for (size_t i = 0; i < n; i++) {
        plane[i] = plane[i] * t->contrast + t->brightness;
    }
    if (t->noise > 0) {
        add_noise(plane, n, t->noise, random);
    }
}
