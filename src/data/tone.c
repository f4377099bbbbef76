/* Random changes of grey values. SPDX-License-Identifier: BSD-2-Clause */
#include "data/tone.h"

#include <math.h>
#include <stddef.h>

#define KNOTS 256

static const float two_pi = 6.28318531F;

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

/* Pairs of normal numbers by Box and Muller, in single precision: the time counts here. */
static void add_noise(float *v, size_t n, float sigma, struct gt_random *random)
{
    for (size_t i = 0; i < n; i += 2) {
        float radius = sigma * sqrtf(-2 * logf(1 - gt__random_f32(random)));
        float angle = two_pi * gt__random_f32(random);
        v[i] += radius * cosf(angle);
        if (i + 1 < n) {
            v[i + 1] += radius * sinf(angle);
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
