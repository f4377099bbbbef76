/* greentea devices. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/tool.h"

#include <jansson.h>

static json_t *to_json(size_t index, const gt_device_info *d)
{
    return json_pack("{s:I, s:s, s:s, s:I, s:i, s:s}", "index", (json_int_t)index, "name", d->name,
                     "backend", d->backend, "memory_bytes", (json_int_t)d->memory_bytes,
                     "compute_units", d->compute_units, "detail", d->detail);
}

int cmd_devices(int argc, char **argv)
{
    int json = 0;
    const struct poptOption table[] = {
        {"json", 0, POPT_ARG_NONE, &json, 0, "machine-readable list", NULL}, POPT_TABLEEND};
    int code = tool_parse(argc, argv, table, "List the devices to compute on.", NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    size_t n = 0;
    gt_status status = gt_device_count(&n);
    json_t *list = json_array();
    for (size_t i = 0; i < n && status == GT_OK; i++) {
        gt_device_info d;
        status = gt_device_list(&d, i);
        if (status == GT_OK && json) {
            json_array_append_new(list, to_json(i, &d));
        } else if (status == GT_OK) {
            printf("%zu  %s: %s, %d processors, %.1f GiB  %s\n", i, d.backend, d.name,
                   d.compute_units, (double)d.memory_bytes / 1073741824.0, d.detail);
        }
    }
    if (json && status == GT_OK) {
        json_dumpf(list, stdout, JSON_INDENT(2));
        puts("");
    }
    json_decref(list);
    return status == GT_OK ? EXIT_OK : tool_fail(status, ABOUT_OPTION);
}
