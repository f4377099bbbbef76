/* Program binaries on disk: one file for each key, named by it. SPDX-License-Identifier:
 * BSD-2-Clause
 *
 * A file is: 8 bytes "GTCLBIN1", the key (32), the digest of the binary (32), the binary. A file of
 * another length, key or digest is ignored and written anew. */
#include "backend_ocl/cl_cache.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char magic[8] = {'G', 'T', 'C', 'L', 'B', 'I', 'N', '1'};
enum { HEADER = sizeof magic + 2 * GT_CL_KEY_BYTES };
/* A binary beyond this is no binary. */
static const long max_file = 256L << 20;

static void digest_text(crypto_generichash_state *state, const char *text)
{
    crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

bool gt__cl_cache_key(struct gt_cl_key *out, const struct gt_ocl_device *d, const char *source,
                      const char *options)
{
    crypto_generichash_state state;
    char name[2 * GT_CL_KEY_BYTES + 16];
    char hex[2 * GT_CL_KEY_BYTES + 1];
    if (sodium_init() < 0) {
        return false;
    }
    crypto_generichash_init(&state, NULL, 0, GT_CL_KEY_BYTES);
    digest_text(&state, d->base.info.name);
    digest_text(&state, d->base.info.driver);
    digest_text(&state, d->base.info.detail);
    digest_text(&state, source);
    digest_text(&state, options);
    crypto_generichash_final(&state, out->digest, sizeof out->digest);
    sodium_bin2hex(hex, sizeof hex, out->digest, sizeof out->digest);
    hex[32] = '\0';
    snprintf(name, sizeof name, "cl-%s.bin", hex);
    return gt__cache_path(out->path, name);
}

static void digest_binary(unsigned char *out, const unsigned char *binary, size_t size)
{
    crypto_generichash(out, GT_CL_KEY_BYTES, binary, size, NULL, 0);
}

static bool read_file(unsigned char *header, unsigned char **out, size_t *size, FILE *file)
{
    unsigned char *binary = NULL;
    if (fseek(file, 0, SEEK_END) != 0) {
        return false;
    }
    long end = ftell(file);
    if (end <= (long)HEADER || end > max_file || fseek(file, 0, SEEK_SET) != 0 ||
        fread(header, 1, HEADER, file) != HEADER) {
        return false;
    }
    size_t length = (size_t)end - HEADER;
    if (gt__alloc_raw(&binary, length, 1, "program binary") != GT_OK) {
        return false;
    }
    if (fread(binary, 1, length, file) != length) {
        gt__free(binary);
        return false;
    }
    *out = binary;
    *size = length;
    return true;
}

bool gt__cl_cache_read(unsigned char **out, size_t *size, const struct gt_cl_key *key)
{
    unsigned char header[HEADER];
    unsigned char digest[GT_CL_KEY_BYTES];
    unsigned char *binary = NULL;
    FILE *file = fopen(key->path, "rb");
    bool ok = file && read_file(header, &binary, size, file);
    if (file) {
        fclose(file);
    }
    if (!ok) {
        return false;
    }
    digest_binary(digest, binary, *size);
    ok = memcmp(header, magic, sizeof magic) == 0 &&
         memcmp(header + sizeof magic, key->digest, sizeof key->digest) == 0 &&
         memcmp(header + sizeof magic + sizeof key->digest, digest, sizeof digest) == 0;
    if (!ok) {
        gt__free(binary);
        return false;
    }
    *out = binary;
    return true;
}

void gt__cl_cache_write(const struct gt_cl_key *key, const unsigned char *binary, size_t size)
{
    struct gt_cache_file f;
    unsigned char digest[GT_CL_KEY_BYTES];
    if (!gt__cache_create(&f, key->path)) {
        return;
    }
    digest_binary(digest, binary, size);
    bool ok = fwrite(magic, 1, sizeof magic, f.file) == sizeof magic &&
              fwrite(key->digest, 1, sizeof key->digest, f.file) == sizeof key->digest &&
              fwrite(digest, 1, sizeof digest, f.file) == sizeof digest &&
              fwrite(binary, 1, size, f.file) == size;
    gt__cache_commit(&f, ok);
}
