/* A program as text: what was chosen and what it costs. SPDX-License-Identifier: BSD-2-Clause */
#include "core/program_internal.h"

#include <stdio.h>

/* "b16p2": channel block 16, phase 2. */
static void add_layout(struct gt_text *text, const struct gt_view *view)
{
    if (view->buffer) {
        gt__text_add(text, " b%dp%d", view->layout.block, view->layout.phase);
    }
}

static void add_step(struct gt_text *text, const struct gt_program *p, size_t i)
{
    const struct gt_step *step = &p->steps[i];
    const struct gt_node *node = step->node;
    gt_value named = node->out[0];
    for (int32_t k = 0; k < node->n_in; k++) {
        if (node->in[k] && p->graph->values[node->in[k]].role == GT_ROLE_PARAM) {
            named = node->in[k];
            break;
        }
    }
    gt_shape s = step->out[0].shape;
    char shape[64];
    snprintf(shape, sizeof shape, "%dx%dx%dx%d", s.n, s.c, s.h, s.w);
    gt__text_add(text, "%4zu %-17s %-31s v%u %-16s %-20s", i, gt__ops[node->op]->name,
                 step->kernel->name, step->variant, p->graph->values[named].name, shape);
    gt__text_add(text, "%s%s%s", node->epilogue & GT_EPILOGUE_BIAS ? " +bias" : "",
                 node->epilogue & GT_EPILOGUE_RELU ? " +relu" : "",
                 node->epilogue & GT_PROLOGUE_DOUBLE ? " +double" : "");
    for (int32_t k = 0; k < node->n_in; k++) {
        add_layout(text, &step->in[k]);
    }
    gt__text_add(text, " ->");
    add_layout(text, &step->out[0]);
    gt__text_add(text, "  out %zu @ %zu  scratch %zu  packed %zu  est %.3f ms", step->out[0].size,
                 step->out[0].offset, p->plans[i].scratch, p->plans[i].packed,
                 p->plans[i].cost * 1e3);
    if (p->runs > 0) {
        double flops = gt__ops[node->op]->flops(p->graph, node);
        gt__text_add(text, "  ran %.3f ms", step->seconds * 1e3);
        if (flops > 1e5 && step->seconds > 0.0) {
            gt__text_add(text, " %.1f GFLOP/s", flops / step->seconds * 1e-9);
        }
    }
    if (step->twin) {
        gt__text_add(text, "  on the CPU: no kernel of the device");
    }
    gt__text_add(text, "\n");
}

gt_status gt_program_dump(char **out, const gt_program *program)
{
    struct gt_text text = {0};
    const gt_program_memory *m = &program->memory;
    gt__text_add(&text,
                 "device %s, %zu steps, arena %zu bytes, packed %zu, kept %zu, estimated %.3f ms\n",
                 program->device->info.name, program->graph->n_nodes, m->arena_bytes,
                 m->packed_bytes, m->kept_bytes, m->seconds * 1e3);
    for (size_t i = 0; i < program->graph->n_nodes; i++) {
        add_step(&text, program, i);
    }
    return gt__text_take(out, &text);
}
