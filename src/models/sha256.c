/* Floats as the little-endian bytes of files, and the digest of them (libsodium).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "models/sha256.h"

#include <string.h>

void gt__floats_to_bytes(uint8_t *bytes, const float *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t u = 0;
        memcpy(&u, &data[i], sizeof u);
        for (size_t k = 0; k < sizeof u; k++) {
            bytes[i * sizeof u + k] = (uint8_t)(u >> (8 * k));
        }
    }
}

void gt__bytes_to_floats(float *data, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t u = 0;
        for (size_t k = 0; k < sizeof u; k++) {
            u |= (uint32_t)bytes[i * sizeof u + k] << (8 * k);
        }
        memcpy(&data[i], &u, sizeof u);
    }
}

gt_status gt__sha256_begin(struct gt_sha256 *sha)
{
    if (sodium_init() < 0) {
        return gt__fail(GT_ENOTSUP, "libsodium does not start");
    }
    crypto_hash_sha256_init(&sha->state);
    return GT_OK;
}

void gt__sha256_bytes(struct gt_sha256 *sha, const uint8_t *bytes, size_t n)
{
    crypto_hash_sha256_update(&sha->state, bytes, n);
}

void gt__sha256_floats(struct gt_sha256 *sha, const float *data, size_t n)
{
    uint8_t bytes[GT_FLOAT_CHUNK * sizeof(float)];
    while (n > 0) {
        const size_t m = n < GT_FLOAT_CHUNK ? n : GT_FLOAT_CHUNK;
        gt__floats_to_bytes(bytes, data, m);
        gt__sha256_bytes(sha, bytes, m * sizeof(float));
        data += m;
        n -= m;
    }
}

void gt__sha256_end(char digest[GT_SHA256_HEX], struct gt_sha256 *sha)
{
    unsigned char raw[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&sha->state, raw);
    sodium_bin2hex(digest, GT_SHA256_HEX, raw, sizeof raw);
}
