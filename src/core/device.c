/* Devices of all backends, by name or number. SPDX-License-Identifier: BSD-2-Clause */
#include "core/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GT_BACKEND(name) extern const struct gt_backend gt__backend_##name;
#include "core/backends.def"
#undef GT_BACKEND

const struct gt_backend *const gt__backends[] = {
#define GT_BACKEND(name) &gt__backend_##name,
#include "core/backends.def"
#undef GT_BACKEND
    NULL};

enum { MAX_THREADS = 1024 };

void gt_device_options_init(gt_device_options *options)
{
    *options = (gt_device_options){.isa = GT_ISA_ALL};
}

gt_status gt_device_count(size_t *out)
{
    size_t count = 0;
    for (size_t i = 0; gt__backends[i]; i++) {
        size_t n = 0;
        GT_TRY(gt__backends[i]->devices(&n));
        count += n;
    }
    *out = count;
    return GT_OK;
}

/* Which backend has device `index`, and under which number. */
static gt_status find_index(const struct gt_backend **out, size_t *local, size_t index)
{
    size_t count = 0;
    for (size_t i = 0; gt__backends[i]; i++) {
        size_t n = 0;
        GT_TRY(gt__backends[i]->devices(&n));
        if (index - count < n) {
            *out = gt__backends[i];
            *local = index - count;
            return GT_OK;
        }
        count += n;
    }
    return gt__fail(GT_EDEVICE, "no device %zu, found %zu", index, count);
}

gt_status gt_device_list(gt_device_info *out, size_t index)
{
    const struct gt_backend *backend = NULL;
    size_t local = 0;
    GT_TRY(find_index(&backend, &local, index));
    return backend->describe(out, local);
}

static gt_status find_name(const struct gt_backend **out, size_t *local, const char *name)
{
    if (!name || strcmp(name, "cpu") == 0) {
        *out = gt__backends[0];
        *local = 0;
        return GT_OK;
    }
    size_t digits = strspn(name, "0123456789");
    errno = 0;
    unsigned long index = strtoul(name, NULL, 10);
    if (digits == 0 || name[digits] != '\0' || errno != 0) {
        return gt__fail(GT_EDEVICE, "no device \"%s\": \"cpu\" or a number", name);
    }
    return find_index(out, local, index);
}

gt_status gt_device_open(gt_device **out, const char *name, const gt_device_options *options)
{
    gt_device_options defaults;
    gt_device_options_init(&defaults);
    if (!options) {
        options = &defaults;
    }
    if (options->threads < 0 || options->threads > MAX_THREADS) {
        return gt__fail(GT_EINVAL, "threads %d, expected 0 to %d", options->threads, MAX_THREADS);
    }
    const struct gt_backend *backend = NULL;
    size_t local = 0;
    GT_TRY(find_name(&backend, &local, name));
    return backend->open(out, local, options);
}

void gt_device_describe(const gt_device *device, gt_device_info *out)
{
    *out = device->info;
}

int32_t gt_device_threads(const gt_device *device)
{
    return device->threads;
}

void gt_device_free(gt_device *device)
{
    if (device) {
        device->backend->close(device);
    }
}
