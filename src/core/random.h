/* Counter-based random numbers: Philox 4x32-10 of Random123 (Salmon et al. 2011, SC'11). The state
 * is key and counter, so a stream can be entered anywhere and resumed exactly.
 * SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GT_CORE_RANDOM_H
#define GT_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Streams of one key never overlap. */
enum gt_stream {
    GT_STREAM_INIT = 1, /* sub = tensor */
    GT_STREAM_PATCH,    /* sub = sample within all samples drawn */
    GT_STREAM_AUGMENT,
    GT_STREAM_SYNTHETIC, /* sub = section */
    GT_STREAM_BENCHMARK,
    GT_STREAM_TEST,
    GT_STREAM_MASK, /* sub = sample; so the next two */
    GT_STREAM_WARP,
    GT_STREAM_TONE
};

/* A position in a stream; copy it freely. */
struct gt_random {
    uint64_t key;
    uint32_t stream;
    uint64_t sub;     /* sub-stream */
    uint32_t counter; /* next block of four */
    uint32_t left;    /* unread words of `block` */
    uint32_t block[4];
};

struct gt_random gt__random_open(uint64_t key, enum gt_stream stream, uint64_t sub);
uint32_t gt__random_u32(struct gt_random *r);
/* The next n words at once. */
void gt__random_words(uint32_t *out, struct gt_random *r, size_t n);
/* Uniform in [0, 1), 24 bits. */
float gt__random_f32(struct gt_random *r);
/* Uniform in [0, 1), 53 bits. */
double gt__random_f64(struct gt_random *r);
/* Uniform integer in [0, n), n >= 1; without bias (rejection). */
uint64_t gt__random_below(struct gt_random *r, uint64_t n);
/* Standard normal (Box-Muller, one value per call, two uniforms used). */
double gt__random_normal(struct gt_random *r);

#endif
