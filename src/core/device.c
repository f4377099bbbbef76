/* Devices of all backends, by name or number. SPDX-License-Identifier: BSD-2-Clause */
#include "core/tune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* ---- names ---- */

/* Devices that are told in a message: "0 CPU (Intel Xeon), 1 NVIDIA H200". */
struct listing {
    char text[320];
    size_t used;
};

static void list_add(struct listing *l, size_t index, const char *name)
{
    size_t room = sizeof l->text - l->used;
    int n = snprintf(l->text + l->used, room, "%s%zu %s", l->used > 0 ? ", " : "", index, name);
    if (n > 0) {
        l->used = (size_t)n < room ? l->used + (size_t)n : sizeof l->text - 1;
    }
}

static gt_status fail_none(const char *name)
{
    struct listing there = {.used = 0};
    size_t count = 0;
    GT_TRY(gt_device_count(&count));
    for (size_t i = 0; i < count; i++) {
        gt_device_info info;
        GT_TRY(gt_device_list(&info, i));
        list_add(&there, i, info.name);
    }
    return gt__fail(GT_EDEVICE, "no device \"%s\"; there %s: %s", name, count == 1 ? "is" : "are",
                    there.text);
}

/* "12" or "0.1": how many numbers `text` consists of, 0 if it is something else. */
static int parse_numbers(unsigned long numbers[2], const char *text)
{
    for (int i = 0; i < 2; i++) {
        char *end = NULL;
        if (strspn(text, "0123456789") == 0) {
            return 0;
        }
        errno = 0;
        numbers[i] = strtoul(text, &end, 10);
        if (errno != 0) {
            return 0;
        }
        if (*end == '\0') {
            return i + 1;
        }
        if (*end != '.') {
            return 0;
        }
        text = end + 1;
    }
    return 0;
}

static bool contains(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (; *text != '\0'; text++) {
        if (strncasecmp(text, part, n) == 0) {
            return true;
        }
    }
    return false;
}

/* Does a device answer to a name that is no index? */
static bool answers(const gt_device_info *info, const char *name, const unsigned long *numbers,
                    int n_numbers)
{
    if (n_numbers == 2) {
        return info->platform >= 0 && (unsigned long)info->platform == numbers[0] &&
               (unsigned long)info->device == numbers[1];
    }
    return strcasecmp(name, "gpu") == 0 ? info->gpu == 1 : contains(info->name, name);
}

gt_status gt_device_find(size_t *index, const char *name)
{
    unsigned long numbers[2] = {0, 0};
    struct listing matches = {.used = 0};
    gt_device_info first;
    size_t count = 0;
    size_t found = 0;
    size_t names = 0;
    if (!index) {
        return gt__fail(GT_EINVAL, "index is NULL");
    }
    if (!name || strcasecmp(name, "cpu") == 0) {
        *index = 0; /* the other backends are not even asked */
        return GT_OK;
    }
    int n_numbers = parse_numbers(numbers, name);
    if (n_numbers == 1) {
        const struct gt_backend *backend = NULL;
        size_t local = 0;
        if (find_index(&backend, &local, numbers[0]) != GT_OK) {
            return fail_none(name);
        }
        *index = numbers[0];
        return GT_OK;
    }
    GT_TRY(gt_device_count(&count));
    for (size_t i = 0; i < count && *name != '\0'; i++) {
        gt_device_info info;
        GT_TRY(gt_device_list(&info, i));
        if (!answers(&info, name, numbers, n_numbers)) {
            continue;
        }
        if (names == 0) {
            found = i;
            first = info;
        }
        names += names == 0 || strcmp(first.name, info.name) != 0;
        list_add(&matches, i, info.name);
    }
    if (names == 0) {
        return fail_none(name);
    }
    if (names > 1 && strcasecmp(name, "gpu") != 0) {
        return gt__fail(GT_EDEVICE, "device \"%s\" is one of several: %s", name, matches.text);
    }
    *index = found;
    return GT_OK;
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
    size_t index = 0;
    size_t local = 0;
    GT_TRY(gt_device_find(&index, name));
    GT_TRY(find_index(&backend, &local, index));
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
        gt_device_free(device->host);
        gt__tune_free(device);
        device->backend->close(device);
    }
}
