/* Flags that ask what a network will take on a device. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/flags_plan.h"

static size_t bytes(const gt_program_memory *m)
{
    return m->arena_bytes + m->packed_bytes + m->kept_bytes;
}

static int make_plan(struct plan_memory *out, const struct plan_flags *f, const gt_model *model,
                     const gt_benchmark_options *options)
{
    gt_device *device = NULL;
    gt_device_info info;
    struct device_flags flags = f->device;
    flags.silent = 1;
    int code = tool_open_device(&device, &flags);
    if (code) {
        return code;
    }
    gt_status status = gt_benchmark_plan(&out->memory, device, model, options);
    if (status == GT_OK) {
        gt_device_describe(device, &info);
        snprintf(out->device, sizeof out->device, "%s", info.name);
        out->mode = options->mode == GT_BENCHMARK_TRAIN ? "train" : "process";
    }
    gt_device_free(device);
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
}

int plan_network(struct plan_memory *out, const struct plan_flags *f, const gt_model *model,
                 int32_t output)
{
    static const char *const modes[] = {"process", "train", NULL};
    gt_benchmark_options o;
    int mode = 0;
    *out = (struct plan_memory){.mode = NULL};
    gt_benchmark_options_init(&o);
    int code = tool_choose(&mode, "mode", f->mode, modes, 0);
    code = code ? code : tool_bytes(&o.memory_limit, "memory-limit", f->memory_limit);
    if (code || (!f->mode && !f->memory_limit && !f->device.device)) {
        return code;
    }
    o.mode = mode == 1 ? GT_BENCHMARK_TRAIN : GT_BENCHMARK_PROCESS;
    o.output = output;
    return make_plan(out, f, model, &o);
}

void plan_print(const struct plan_memory *plan)
{
    const double mib = 1048576.0;
    const gt_program_memory *m = &plan->memory;
    if (plan->mode) {
        printf(
            "%s on %s: peak %zu bytes = %.1f MiB (values %.1f, prepared weights %.1f, parameters "
            "and state %.1f); about %.*f ms\n",
            plan->mode, plan->device, bytes(m), (double)bytes(m) / mib,
            (double)m->arena_bytes / mib, (double)m->packed_bytes / mib,
            (double)m->kept_bytes / mib, m->seconds < 0.1 ? 2 : 0, m->seconds * 1e3);
    }
}

json_t *plan_json(const struct plan_memory *plan)
{
    const gt_program_memory *m = &plan->memory;
    return plan->mode ? json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:f}", "mode", plan->mode,
                                  "device", plan->device, "peak_bytes", (json_int_t)bytes(m),
                                  "arena_bytes", (json_int_t)m->arena_bytes, "packed_bytes",
                                  (json_int_t)m->packed_bytes, "kept_bytes",
                                  (json_int_t)m->kept_bytes, "ms_estimated", m->seconds * 1e3)
                      : NULL;
}
