/* Program binaries on disk. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_OCL_CL_CACHE_H
#define GT_BACKEND_OCL_CL_CACHE_H

#include "backend_ocl/ocl.h"
#include "core/cache.h"

enum { GT_CL_KEY_BYTES = 32 };
struct gt_cl_key {
    unsigned char digest[GT_CL_KEY_BYTES]; /* of device, driver, source and options */
    char path[GT_CACHE_PATH];              /* of the cache file */
};

/* False where there can be no cache (no home, no digest). */
bool gt__cl_cache_key(struct gt_cl_key *out, const struct gt_ocl_device *d, const char *source,
                      const char *options);
/* The stored binary, freed by the caller; false unless the file is whole and of this key. */
bool gt__cl_cache_read(unsigned char **out, size_t *size, const struct gt_cl_key *key);
/* Store beside and rename; failures are ignored. */
void gt__cl_cache_write(const struct gt_cl_key *key, const unsigned char *binary, size_t size);

#endif
