/* greentea devices. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/tool.h"

#include <jansson.h>

static json_t *to_json(size_t index, const gt_device_info *d)
{
    static const char *const types[] = {"cpu", "gpu", "accelerator"};
    return json_pack("{s:I, s:s, s:s, s:s, s:i, s:i, s:I, s:i, s:s, s:s}", "index",
                     (json_int_t)index, "name", d->name, "backend", d->backend, "type",
                     types[d->gpu], "platform", d->platform, "device", d->device, "memory_bytes",
                     (json_int_t)d->memory_bytes, "compute_units", d->compute_units, "driver",
                     d->driver, "detail", d->detail);
}

static void print_line(size_t index, const gt_device_info *d)
{
    char numbers[32] = "-";
    if (d->platform >= 0) {
        snprintf(numbers, sizeof numbers, "%d.%d", d->platform, d->device);
    }
    printf("%zu  %-4s %s: %s, %d %s, %.1f GiB%s%s%s%s\n", index, numbers, d->backend, d->name,
           d->compute_units, d->platform < 0 ? "processors" : "compute units",
           (double)d->memory_bytes / 1073741824.0, *d->driver ? ", driver " : "", d->driver,
           *d->detail ? ", " : "", d->detail);
}

/* The list and the number of OpenCL devices in it. */
static gt_status list_devices(json_t *list, size_t *opencl)
{
    size_t n = 0;
    gt_status status = gt_device_count(&n);
    for (size_t i = 0; i < n && status == GT_OK; i++) {
        gt_device_info d;
        status = gt_device_list(&d, i);
        if (status == GT_OK) {
            *opencl += d.platform >= 0;
            if (list) {
                json_array_append_new(list, to_json(i, &d));
            } else {
                print_line(i, &d);
            }
        }
    }
    return status;
}

int cmd_devices(int argc, char **argv)
{
    int json = 0;
    const struct poptOption table[] = {
        {"json", 0, POPT_ARG_NONE, &json, 0, "machine-readable list", NULL}, POPT_TABLEEND};
    int code =
        tool_parse(argc, argv, table,
                   "List the devices to compute on: index, OpenCL platform.device, name.", NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    size_t opencl = 0;
    json_t *list = json ? json_array() : NULL;
    gt_status status = list_devices(list, &opencl);
    if (json && status == GT_OK) {
        json_dumpf(list, stdout, JSON_INDENT(2));
        puts("");
    }
    json_decref(list);
    if (opencl == 0 && status == GT_OK) {
#ifdef GT_WITH_OCL
        fputs("greentea: no OpenCL platform with a device; is a driver installed?\n", stderr);
#else
        fputs("greentea: built without OpenCL\n", stderr);
#endif
    }
    return status == GT_OK ? EXIT_OK : tool_fail(status, ABOUT_OPTION);
}
