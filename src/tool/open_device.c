/* The devices that flags and the environment name. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/tool.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void log_to_stderr(gt_log_level level, const char *message, void *cookie)
{
    (void)cookie;
    if (level <= GT_LOG_WARN) {
        fprintf(stderr, "greentea: %s\n", message);
    }
}

static int device_options(gt_device_options *options, const struct device_flags *flags)
{
    gt_device_options_init(options);
    options->log = log_to_stderr;
    options->threads = flags->threads;
    options->profile = flags->profile;
    const char *environment = getenv("GREENTEA_THREADS");
    if (flags->threads == 0 && environment && *environment) {
        char *end = NULL;
        long n = strtol(environment, &end, 10);
        if (*end != '\0' || n < 1 || n > 1024) {
            return tool_usage("GREENTEA_THREADS is '%s', expected 1 to 1024", environment);
        }
        options->threads = (int32_t)n;
    }
    return 0;
}

/* NULL: the library's default, the CPU. */
static const char *wanted_device(const struct device_flags *flags)
{
    const char *name = flags->device ? flags->device : getenv("GREENTEA_DEVICE");
    return name && *name ? name : NULL;
}

/* Index of the device that the first n bytes of text name. 0 or an exit code. */
static int find_device(size_t *index, const char *text, size_t n)
{
    char name[256];
    if (n >= sizeof name) {
        return tool_usage("a device's name has %zu letters, at most %zu are looked at", n,
                          sizeof name - 1);
    }
    memcpy(name, text, n);
    name[n] = '\0';
    gt_status status = gt_device_find(index, name);
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
}

/* Indices of a list like "0,1" or "all". */
static int find_devices(size_t *indices, size_t *n_out, const char *text)
{
    size_t n = 0;
    if (text && strcasecmp(text, "all") == 0) {
        gt_status status = gt_device_count(&n);
        if (status != GT_OK) {
            return tool_fail(status, ABOUT_OPTION);
        }
        n = n < TOOL_DEVICES ? n : TOOL_DEVICES;
        for (size_t i = 0; i < n; i++) {
            indices[i] = i;
        }
        *n_out = n;
        return 0;
    }
    for (const char *at = text ? text : "cpu";; n++) {
        size_t length = strcspn(at, ",");
        if (n == TOOL_DEVICES) {
            return tool_usage("--device names more than %d devices", TOOL_DEVICES);
        }
        int code = find_device(&indices[n], at, length);
        if (code) {
            return code;
        }
        for (size_t i = 0; i < n; i++) {
            if (indices[i] == indices[n]) {
                return tool_usage("--device names device %zu twice", indices[n]);
            }
        }
        if (at[length] == '\0') {
            break;
        }
        at += length + 1;
    }
    *n_out = n + 1;
    return 0;
}

static void announce(const struct device_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        gt_device_info info;
        gt_device_describe(set->devices[i], &info);
        fprintf(stderr, "%s%s", i == 0 ? "greentea: computing on " : ", ", info.name);
    }
    fputs("\n", stderr);
}

int tool_open_devices(struct device_set *set, const struct device_flags *flags)
{
    gt_device_options options;
    size_t indices[TOOL_DEVICES];
    size_t n = 0;
    int code = device_options(&options, flags);
    code = code ? code : find_devices(indices, &n, wanted_device(flags));
    for (size_t i = 0; i < n && code == 0; i++) {
        char name[32];
        snprintf(name, sizeof name, "%zu", indices[i]);
        gt_status status = gt_device_open(&set->devices[i], name, &options);
        set->n += status == GT_OK;
        code = status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
    }
    if (code == 0 && !flags->silent) {
        announce(set);
    }
    return code;
}

void tool_close_devices(struct device_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        gt_device_free(set->devices[i]);
    }
    set->n = 0;
}

int tool_open_device(gt_device **out, const struct device_flags *flags)
{
    struct device_set set = {.n = 0};
    const char *name = wanted_device(flags);
    if (name && (strchr(name, ',') || strcasecmp(name, "all") == 0)) {
        return tool_usage("--device is '%s': several devices are for `greentea process`", name);
    }
    int code = tool_open_devices(&set, flags);
    *out = set.n > 0 ? set.devices[0] : NULL;
    return code;
}
