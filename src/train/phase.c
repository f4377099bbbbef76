/* Training programs by loss: softmax, MALIS or both, and the change from one to the other.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/trainer.h"

#include "core/program.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const gt__loss_names[GT_LOSS_KINDS] = {"softmax", "malis", "softmax+malis"};

/* ---- options ---- */

void gt__loss_options_init(gt_loss_options *o)
{
    *o = (gt_loss_options){.kind = GT_LOSS_SOFTMAX,
                           .softmax_weight = 1,
                           .malis_weight = 1,
                           .malis_form = GT_MALIS_SQUARED};
}

static gt_status check_weight(const char *name, float weight)
{
    if (!(weight > 0 && weight <= 1e6F)) {
        return gt__fail(GT_EINVAL, "%s weight %g, expected above 0 to 1e6", name, (double)weight);
    }
    return GT_OK;
}

gt_status gt__loss_check(const gt_train_options *o, int32_t labels)
{
    const gt_loss_options *l = &o->loss;
    if ((int)l->kind < GT_LOSS_SOFTMAX || (int)l->kind > GT_LOSS_SOFTMAX_MALIS ||
        (int)l->malis_form < GT_MALIS_SQUARED || (int)l->malis_form > GT_MALIS_HINGE) {
        return gt__fail(GT_EINVAL, "unknown loss %d or form of MALIS %d", (int)l->kind,
                        (int)l->malis_form);
    }
    GT_TRY(check_weight("softmax", l->softmax_weight));
    GT_TRY(check_weight("MALIS", l->malis_weight));
    if (l->kind == GT_LOSS_SOFTMAX && l->malis_after > 0) {
        return gt__fail(GT_EINVAL, "MALIS after %llu iterations, but the loss is softmax alone",
                        (unsigned long long)l->malis_after);
    }
    if (l->kind != GT_LOSS_SOFTMAX && labels != 2) {
        return gt__fail(GT_EINVAL,
                        "MALIS is for 2 labels, background and objects; the network has %d",
                        (int)labels);
    }
    if (l->kind != GT_LOSS_SOFTMAX && o->patch < 2) {
        return gt__fail(GT_EINVAL, "MALIS needs patches of 2 pixels or more, not of %d",
                        (int)o->patch);
    }
    return GT_OK;
}

gt_status gt__loss_json(json_t *json, const gt_loss_options *o)
{
    int bad = json_object_set_new(json, "loss", json_string(gt__loss_names[o->kind]));
    bad |= json_object_set_new(json, "softmax_weight", json_real((double)o->softmax_weight));
    if (o->kind != GT_LOSS_SOFTMAX) {
        bad |= json_object_set_new(json, "malis_weight", json_real((double)o->malis_weight));
        bad |= json_object_set_new(json, "malis_after", json_integer((json_int_t)o->malis_after));
        bad |= json_object_set_new(
            json, "malis_form",
            json_string(o->malis_form == GT_MALIS_SQUARED ? "squared" : "hinge"));
    }
    return bad ? gt__fail(GT_ENOMEM, "no memory for options") : GT_OK;
}

bool gt__loss_needs_truth(const gt_train_options *o)
{
    return o->loss.kind != GT_LOSS_SOFTMAX && (o->equalise & GT_EQUALISE_MASK) != 0;
}

static gt_loss_kind kind_at(const gt_loss_options *o, uint64_t iteration)
{
    return iteration < o->malis_after ? GT_LOSS_SOFTMAX : o->kind;
}

/* ---- graphs ---- */

static gt_status append_malis(struct gt_phase *p, gt_graph *g, gt_value scores, const gt_trainer *t)
{
    gt_malis_options o;
    gt_value prob = GT_NO_VALUE;
    gt_value label = p->label;
    gt_malis_options_init(&o);
    o.weight = t->options.loss.malis_weight;
    o.form = t->options.loss.malis_form;
    if (gt__loss_needs_truth(&t->options)) {
        GT_TRY(gt_graph_input(&p->truth, g, t->label, "truth"));
        label = p->truth;
    }
    GT_TRY(gt_graph_softmax(&prob, g, scores));
    GT_TRY(gt_graph_malis_loss(&p->malis, g, prob, label, &o));
    return gt_graph_output(g, p->malis);
}

static gt_status append_losses(gt_value *loss, struct gt_phase *p, gt_graph *g, gt_value scores,
                               const gt_trainer *t)
{
    if (p->kind != GT_LOSS_MALIS) {
        GT_TRY(gt_graph_softmax_loss(&p->softmax, NULL, g, scores, p->label, t->options.normalize,
                                     t->options.loss.softmax_weight));
        GT_TRY(gt_graph_output(g, p->softmax));
    }
    if (p->kind != GT_LOSS_SOFTMAX) {
        GT_TRY(append_malis(p, g, scores, t));
    }
    if (p->kind == GT_LOSS_SOFTMAX_MALIS) {
        return gt_graph_add(loss, g, p->softmax, p->malis);
    }
    *loss = p->kind == GT_LOSS_MALIS ? p->malis : p->softmax;
    return GT_OK;
}

/* p->kind is set, p->params allocated. */
static gt_status build_graph(struct gt_phase *p, const gt_trainer *t)
{
    gt_value scores = GT_NO_VALUE;
    gt_value loss = GT_NO_VALUE;
    enum gt_update kind = t->options.solver == GT_SGD ? GT_UPDATE_SGD : GT_UPDATE_ADAMW;
    GT_TRY(gt_graph_create(&p->graph));
    gt_graph *g = p->graph;
    GT_TRY(gt_graph_input(&p->input, g, t->input, "input"));
    GT_TRY(gt_graph_input(&p->label, g, t->label, "label"));
    GT_TRY(gt_model_append(&scores, p->params, t->model, g, p->input));
    GT_TRY(append_losses(&loss, p, g, scores, t));
    GT_TRY(gt_graph_gradient(g, loss));
    GT_TRY(gt__graph_updates(&p->updates, g, kind));
    return gt_graph_output(g, p->updates.sumsq);
}

/* The state values that gt__graph_updates() appended. */
static gt_status list_states(struct gt_phase *p)
{
    const gt_graph *graph = p->graph;
    size_t n = 0;
    for (size_t v = 1; v < graph->n_values; ++v) {
        n += graph->values[v].role == GT_ROLE_STATE;
    }
    GT_TRY(gt__alloc(&p->states, n, sizeof *p->states, "list of optimizer states"));
    for (size_t v = 1; v < graph->n_values; ++v) {
        const struct gt_value_info *info = &graph->values[v];
        if (info->role == GT_ROLE_STATE) {
            struct gt_trainer_state *s = &p->states[p->n_states++];
            s->value = (gt_value)v;
            s->shape = info->shape;
            snprintf(s->name, sizeof s->name, "optimizer.%s", info->name);
        }
    }
    return GT_OK;
}

/* ---- programs ---- */

void gt__phase_free(struct gt_phase *p)
{
    gt_program_free(p->program);
    gt_graph_free(p->graph);
    gt__free(p->states);
    gt__free(p->params);
    *p = (struct gt_phase){.program = NULL};
}

/* The kernels to take: those of a checkpoint, else those planned at the beginning. */
struct wish {
    const char *follow;        /* NULL: the trainer's own plan, if there is one */
    const char *differs;       /* receives why not; NULL if they were taken */
    struct gt_phase_plan plan; /* receives what was planned; settle() hands it to the trainer */
};

static void settle(gt_trainer *t, gt_loss_kind kind, struct wish *wish)
{
    gt__free(t->plans[kind].choice);
    t->plans[kind] = wish->plan;
    wish->plan = (struct gt_phase_plan){.choice = NULL};
}

/* A phase of this kind; without `out` it is only planned. Its parameters are the model's. */
static gt_status make(struct gt_phase *out, gt_trainer *t, gt_loss_kind kind, struct wish *wish)
{
    struct gt_phase p = {.kind = kind};
    struct gt_phase_plan plan = {.choice = NULL};
    const char *own = t->plans[kind].choice;
    const struct gt_program_extra extra = {.follow = wish->follow ? wish->follow : own,
                                           .differs = &wish->differs,
                                           .choice = &plan.choice};
    gt_program_options options;
    gt_status status = GT_OK;
    gt_program_options_init(&options);
    options.deterministic = t->options.deterministic;
    options.ahead = t->early;
    GT_TRY_OUT(
        gt__alloc(&p.params, gt_model_tensors(t->model), sizeof *p.params, "list of parameters"));
    GT_TRY_OUT(build_graph(&p, t));
    if (!out) {
        GT_TRY_OUT(gt__program_plan(&plan.memory, t->device, p.graph, &options, &extra));
        goto planned;
    }
    GT_TRY_OUT(list_states(&p));
    GT_TRY_OUT(gt__program_create(&p.program, t->device, p.graph, &options, &extra));
    for (size_t i = 0; i < gt_model_tensors(t->model); ++i) {
        float *data = NULL;
        GT_TRY_OUT(gt_model_tensor(NULL, NULL, &data, t->model, i));
        GT_TRY_OUT(gt_program_write(p.program, p.params[i], data));
    }
    gt_program_get_memory(p.program, &plan.memory);
    *out = p;
    p = (struct gt_phase){.program = NULL};
planned:
    wish->plan = plan;
    plan = (struct gt_phase_plan){.choice = NULL};
out:
    gt__free(plan.choice);
    gt__phase_free(&p);
    return status;
}

static gt_status plan_only(gt_trainer *t, gt_loss_kind kind, struct wish *wish)
{
    GT_TRY(make(NULL, t, kind, wish));
    settle(t, kind, wish);
    return GT_OK;
}

gt_status gt__phase_start(gt_trainer *t)
{
    gt_device_info device;
    struct wish wish = {.follow = NULL};
    gt_loss_kind first = kind_at(&t->options.loss, t->iteration);
    gt_device_describe(t->device, &device);
    t->early = strcmp(device.backend, "cpu") != 0;
    GT_TRY(make(&t->phase, t, first, &wish));
    settle(t, first, &wish);
    return first != t->options.loss.kind ? plan_only(t, t->options.loss.kind, &wish) : GT_OK;
}

/* Both have the same states in the same order: those of the network's parameters. */
static gt_status move_states(const struct gt_phase *to, const struct gt_phase *from)
{
    gt_status status = GT_OK;
    for (size_t i = 0; i < from->n_states && status == GT_OK; ++i) {
        float *data = NULL;
        status =
            gt__alloc_raw(&data, gt__count(from->states[i].shape), sizeof *data, "optimizer state");
        status = status == GT_OK ? gt__program_read_kept(from->program, from->states[i].value, data)
                                 : status;
        status = status == GT_OK ? gt__program_write_kept(to->program, to->states[i].value, data)
                                 : status;
        gt__free(data);
    }
    return status;
}

/* From the present program to another. */
static gt_status change(gt_trainer *t, gt_loss_kind kind, struct wish *wish)
{
    struct gt_phase next = {.program = NULL};
    GT_TRY(gt_trainer_sync(t)); /* the new program starts from the model's weights */
    GT_TRY(make(&next, t, kind, wish));
    gt_status status = move_states(&next, &t->phase);
    if (status != GT_OK) {
        gt__free(wish->plan.choice);
        gt__phase_free(&next);
        return status;
    }
    settle(t, kind, wish);
    gt__phase_free(&t->phase);
    t->phase = next;
    t->uploaded = false;
    return GT_OK;
}

gt_status gt__phase_enter(gt_trainer *t, uint64_t iteration)
{
    gt_loss_kind kind = kind_at(&t->options.loss, iteration);
    struct wish wish = {.follow = NULL};
    return kind == t->phase.kind ? GT_OK : change(t, kind, &wish);
}

/* Is the plan of this loss already what the checkpoint says? */
static bool as_planned(const gt_trainer *t, const struct gt_choices *choices, gt_loss_kind kind)
{
    const char *own = t->plans[kind].choice;
    return !choices->of[kind] || (own && strcmp(own, choices->of[kind]) == 0);
}

gt_status gt__phase_resume(gt_trainer *t, uint64_t iteration, const struct gt_choices *choices)
{
    gt_loss_kind now = kind_at(&t->options.loss, iteration);
    gt_loss_kind last = t->options.loss.kind;
    struct wish later = {.follow = choices->of[last]};
    struct wish wish = {.follow = choices->of[now]};
    if (last != now && !as_planned(t, choices, last)) {
        GT_TRY(plan_only(t, last, &later));
    }
    if (now != t->phase.kind || !as_planned(t, choices, now)) {
        GT_TRY(change(t, now, &wish));
    }
    gt__choices_warn(t, wish.differs ? wish.differs : later.differs);
    return GT_OK;
}
