/* Named values of a graph shown to a caller. SPDX-License-Identifier: BSD-2-Clause */
#include "core/inspect.h"

#include "core/shape.h"

static bool is_shown(const struct gt_value_info *v)
{
    return v->role == GT_ROLE_INNER && v->producer >= 0 && v->name[0] != '\0' &&
           v->kind == GT_KIND_F32;
}

gt_status gt__inspect_mark(gt_graph *graph)
{
    for (size_t i = 1; i < graph->n_values; i++) {
        const struct gt_value_info *v = &graph->values[i];
        if (is_shown(v)) {
            GT_TRY(gt_graph_output(graph, (gt_value)i));
            if (v->gradient != GT_NO_VALUE) {
                GT_TRY(gt_graph_output(graph, v->gradient));
            }
        }
    }
    return GT_OK;
}

gt_status gt__inspect_call(const gt_blob *blob, gt_blob_fn fn, void *cookie)
{
    if (fn(blob, cookie) != 0) {
        return gt__fail(GT_ECANCELLED, "stopped at blob %s", blob->name);
    }
    return GT_OK;
}

static gt_status show(gt_program *program, const gt_graph *graph, gt_value value, gt_blob_fn fn,
                      void *cookie)
{
    const struct gt_value_info *v = &graph->values[value];
    gt_status status = GT_OK;
    float *data = NULL;
    float *diff = NULL;
    size_t n = gt__count(v->shape);
    GT_TRY_OUT(gt__alloc_raw(&data, n, sizeof *data, "blob"));
    GT_TRY_OUT(gt_program_read(program, value, data));
    if (v->gradient != GT_NO_VALUE) {
        GT_TRY_OUT(gt__alloc_raw(&diff, n, sizeof *diff, "gradient of a blob"));
        GT_TRY_OUT(gt_program_read(program, v->gradient, diff));
    }
    const gt_blob blob = {v->name, v->shape, data, diff};
    GT_TRY_OUT(gt__inspect_call(&blob, fn, cookie));
out:
    gt__free(data);
    gt__free(diff);
    return status;
}

gt_status gt__inspect_show(gt_program *program, const gt_graph *graph, gt_blob_fn fn, void *cookie)
{
    for (size_t i = 1; i < graph->n_values; i++) {
        if (is_shown(&graph->values[i])) {
            GT_TRY(show(program, graph, (gt_value)i, fn, cookie));
        }
    }
    return GT_OK;
}
