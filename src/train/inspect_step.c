/* All blobs of a training step and their gradients. SPDX-License-Identifier: BSD-2-Clause */
#include "train/trainer.h"

#include "core/inspect.h"
#include "train/schedule.h"

/* Weights as they are, the next patches, and the rates of the next step: the updates at the end of
 * the program work on this copy of the weights. */
static gt_status write_inputs(gt_program *program, gt_trainer *t,
                              const struct gt_feeder_batch *batch)
{
    float hyper[GT_HYPER_COUNT];
    for (size_t i = 0; i < gt_model_tensors(t->model); ++i) {
        float *data = NULL;
        GT_TRY(gt_model_tensor(NULL, NULL, &data, t->model, i));
        GT_TRY(gt_program_write(program, t->phase.params[i], data));
    }
    gt__schedule_hyper(hyper, &t->options, t->iteration, 0);
    GT_TRY(gt_program_write(program, t->phase.input, batch->input));
    GT_TRY(gt_program_write(program, t->phase.label, batch->label));
    if (t->phase.truth != GT_NO_VALUE) {
        GT_TRY(gt_program_write(program, t->phase.truth, batch->truth));
    }
    return gt_program_write(program, t->phase.updates.hyper, hyper);
}

gt_status gt_trainer_inspect(gt_trainer *t, gt_blob_fn fn, void *cookie)
{
    gt_graph *graph = NULL;
    gt_program *program = NULL;
    gt_program_options options;
    struct gt_feeder_batch batch;
    gt_status status = GT_OK;
    if (!t || !fn) {
        return gt__fail(GT_EINVAL, "trainer or callback is NULL");
    }
    gt_program_options_init(&options);
    options.deterministic = t->options.deterministic;
    GT_TRY_OUT(gt_trainer_sync(t));
    GT_TRY_OUT(gt__graph_clone(&graph, t->phase.graph));
    GT_TRY_OUT(gt__inspect_mark(graph));
    GT_TRY_OUT(gt_program_create(&program, t->device, graph, &options));
    gt__feeder_take(&batch, t->feeder, t->key, t->counter);
    GT_TRY_OUT(write_inputs(program, t, &batch));
    GT_TRY_OUT(gt_program_run(program));
    const gt_blob data = {"data", gt_graph_shape(graph, t->phase.input), batch.input, NULL};
    const gt_blob truth = {"label", gt_graph_shape(graph, t->phase.label), batch.label, NULL};
    GT_TRY_OUT(gt__inspect_call(&data, fn, cookie));
    GT_TRY_OUT(gt__inspect_call(&truth, fn, cookie));
    GT_TRY_OUT(gt__inspect_show(program, graph, fn, cookie));
out:
    gt_program_free(program);
    gt_graph_free(graph);
    return status;
}
