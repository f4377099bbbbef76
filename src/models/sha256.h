/* Floats as the little-endian bytes of files, and the digest of them.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_MODELS_SHA256_H
#define GT_MODELS_SHA256_H

#include "core/error.h"
#include "models/model_file.h"
#include <sodium.h>

/* Floats converted at a time. */
#define GT_FLOAT_CHUNK 4096

struct gt_sha256 {
    crypto_hash_sha256_state state;
};

gt_status gt__sha256_begin(struct gt_sha256 *sha);
void gt__sha256_bytes(struct gt_sha256 *sha, const uint8_t *bytes, size_t n);
void gt__sha256_floats(struct gt_sha256 *sha, const float *data, size_t n);
/* 64 lower-case hexadecimal digits and a zero. */
void gt__sha256_end(char digest[GT_SHA256_HEX], struct gt_sha256 *sha);

void gt__floats_to_bytes(uint8_t *bytes, const float *data, size_t n);
void gt__bytes_to_floats(float *data, const uint8_t *bytes, size_t n);

#endif
