/* Program binaries on disk: one file for each key, named by it. SPDX-License-Identifier:
 * BSD-2-Clause
 *
 * A file is: 8 bytes "GTCLBIN1", the key (32), the digest of the binary (32), the binary. A file of
 * another length, key or digest is ignored and written anew. */
#include "backend_ocl/cl_cache.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = {'G', 'T', 'C', 'L', 'B', 'I', 'N', '1'};
enum { HEADER = sizeof magic + 2 * GT_CL_KEY_BYTES };
/* A binary beyond this is no binary. */
static const long max_file = 256L << 20;

/* $XDG_CACHE_HOME/greentea, or below $HOME/.cache; false if neither is set or it is too long. */
static bool cache_folder(char *out, size_t size)
{
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int n = -1;
    if (xdg && xdg[0] == '/') {
        n = snprintf(out, size, "%s/greentea", xdg);
    } else if (home && home[0] == '/') {
        n = snprintf(out, size, "%s/.cache/greentea", home);
    }
    return n > 0 && (size_t)n < size;
}

static void digest_text(crypto_generichash_state *state, const char *text)
{
    crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

bool gt__cl_cache_key(struct gt_cl_key *out, const struct gt_ocl_device *d, const char *source,
                      const char *options)
{
    crypto_generichash_state state;
    char folder[sizeof out->path - 80];
    char hex[2 * GT_CL_KEY_BYTES + 1];
    if (sodium_init() < 0 || !cache_folder(folder, sizeof folder)) {
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
    int n = snprintf(out->path, sizeof out->path, "%s/cl-%s.bin", folder, hex);
    return n > 0 && (size_t)n < sizeof out->path;
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

/* Make the folder of a file, and the folders above it. */
static bool make_folders(const char *path)
{
    char folder[sizeof((struct gt_cl_key *)NULL)->path];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *at = strchr(folder + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
            return false;
        }
        *at = '/';
    }
    return true;
}

void gt__cl_cache_write(const struct gt_cl_key *key, const unsigned char *binary, size_t size)
{
    char beside[sizeof key->path + 16];
    unsigned char digest[GT_CL_KEY_BYTES];
    if (!make_folders(key->path)) {
        return;
    }
    snprintf(beside, sizeof beside, "%s.XXXXXX", key->path);
    int descriptor = mkstemp(beside);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "wb") : NULL;
    if (!file) {
        if (descriptor >= 0) {
            close(descriptor);
            unlink(beside);
        }
        return;
    }
    digest_binary(digest, binary, size);
    bool ok = fwrite(magic, 1, sizeof magic, file) == sizeof magic &&
              fwrite(key->digest, 1, sizeof key->digest, file) == sizeof key->digest &&
              fwrite(digest, 1, sizeof digest, file) == sizeof digest &&
              fwrite(binary, 1, size, file) == size;
    ok = fclose(file) == 0 && ok;
    if (!ok || rename(beside, key->path) != 0) {
        unlink(beside);
    }
}
