/* Stores that pass the caches by, for results that no cache will hold until they are read: they
 * save fetching the lines first. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_CPU_PORTABLE_STREAM_H
#define GT_BACKEND_CPU_PORTABLE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* Results from this size on; a typical last-level cache holds twice to four times as much. */
#define GT_STREAM_BYTES ((size_t)8 << 20)

static inline bool gt__stream_pays(const void *to, size_t bytes)
{
#if defined(__SSE2__)
    return bytes >= GT_STREAM_BYTES && (uintptr_t)to % 64 == 0;
#else
    (void)to;
    (void)bytes;
    return false;
#endif
}

/* Floats to an address that is a multiple of their size. */
static inline __attribute__((always_inline)) void gt__stream_4(float *to, const float *from)
{
#if defined(__SSE2__)
    _mm_stream_ps(to, _mm_loadu_ps(from));
#else
    memcpy(to, from, 4 * sizeof *to);
#endif
}
static inline __attribute__((always_inline)) void gt__stream_8(float *to, const float *from)
{
#if defined(__AVX__)
    _mm256_stream_ps(to, _mm256_loadu_ps(from));
#else
    gt__stream_4(to, from);
    gt__stream_4(to + 4, from + 4);
#endif
}
static inline __attribute__((always_inline)) void gt__stream_16(float *to, const float *from)
{
#if defined(__AVX512F__)
    _mm512_stream_ps(to, _mm512_loadu_ps(from));
#else
    gt__stream_8(to, from);
    gt__stream_8(to + 8, from + 8);
#endif
}

static inline void gt__stream_copy(float *to, const float *from, size_t pixels)
{
    for (size_t i = 0; i < pixels; i++) {
        gt__stream_16(to + i * 16, from + i * 16);
    }
}

static inline void gt__stream_zero(float *to, size_t pixels)
{
    static const float zero[16] = {0};
    for (size_t i = 0; i < pixels; i++) {
        gt__stream_16(to + i * 16, zero);
    }
}

/* Streamed stores become visible to other threads: at the end of every chunk that streamed. */
static inline void gt__stream_end(void)
{
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

#endif
