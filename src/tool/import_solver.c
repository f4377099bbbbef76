/* Caffe's solver file as keys of `train`. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/import.h"

#include <string.h>
#include <strings.h>

/* As the old tool looked: from the working folder; or beside the file that names it. */
static bool find_solver(struct import *im, const char *name)
{
    const char *slash = strrchr(im->file.path, '/');
    snprintf(im->solver_path, sizeof im->solver_path, "%s", name);
    if (tool_exists(im->solver_path) || *name == '/' || !slash) {
        return tool_exists(im->solver_path);
    }
    snprintf(im->solver_path, sizeof im->solver_path, "%.*s/%s", (int)(slash - im->file.path),
             im->file.path, name);
    return tool_exists(im->solver_path);
}

/* "net_iter_2000.solverstate" is a snapshot of "net". */
static void name_model(struct import *im, const char *prefix, const char *snapshot)
{
    const char *name = prefix ? prefix : snapshot ? snapshot : "model";
    const char *end = prefix ? NULL : strstr(name, "_iter_");
    snprintf(im->model, sizeof im->model, "%.*s.safetensors",
             (int)(end ? (size_t)(end - name) : strlen(name)), name);
}

void import_open_solver(struct import *im, struct proto_field *train)
{
    const char *name = import_text(im, train, "solver");
    const char *state = import_text(im, train, "solverstate");
    const char *prefix = NULL;
    if (im->code == 0 && name && find_solver(im, name)) {
        im->code = proto_load(&im->solver, im->solver_path);
        if (im->code == 0) {
            prefix = import_text(im, &im->solver.root, "snapshot_prefix");
        }
    }
    name_model(im, prefix, state);
}

static void put_policy(struct import *im, struct proto_field *s)
{
    static const char *const known[] = {"fixed", "inv", "step", "poly", NULL};
    const char *policy = import_text(im, s, "lr_policy");
    double value = 0.0;
    long long step = 0;
    if (!policy || tool_choice(policy, known) < 0) {
        import_note(im, "lr_policy %s: there is no such policy, the rate stays as it is",
                    policy ? policy : "(none)");
        policy = "fixed";
    }
    import_put_text(im, "policy", policy);
    if (import_real(im, &value, s, "gamma")) {
        import_put_real(im, "gamma", value);
    }
    if (import_real(im, &value, s, "power")) {
        import_put_real(im, "power", value);
    }
    if (import_integer(im, &step, s, "stepsize")) {
        import_put_integer(im, "step", step);
    }
}

static void put_solver_kind(struct import *im, struct proto_field *s)
{
    const char *type = import_text(im, s, "type");
    const char *old = import_text(im, s, "solver_type");
    type = type ? type : old ? old : "SGD";
    double value = 0.0;
    if (strcasecmp(type, "Adam") == 0) {
        import_note(im, "solver type Adam: adamw takes the decay of weights out of the gradient");
        import_put_text(im, "solver", "adamw");
        if (import_real(im, &value, s, "momentum2")) {
            import_put_real(im, "beta2", value);
        }
        return;
    }
    if (strcasecmp(type, "SGD") != 0) {
        import_note(im, "solver type %s: not there, sgd instead", type);
    }
    import_put_text(im, "solver", "sgd");
}

/* The net's file decides the loss; those with MALIS say so in their name. */
static void put_loss(struct import *im, struct proto_field *s)
{
    const char *net = import_text(im, s, "train_net");
    net = net ? net : import_text(im, s, "net");
    if (net && strstr(net, "malis")) {
        import_put_text(im, "loss", "malis");
        import_put_text(im, "malis-form", "hinge");
    }
}

/* What has no counterpart, with the reason. */
static void skip_fields(struct import *im, struct proto_field *s)
{
    static const char *const skipped[] = {"net",
                                          "train_net",
                                          "test_net",
                                          "test_iter",
                                          "test_interval",
                                          "display",
                                          "solver_mode",
                                          "device_id",
                                          "debug_info",
                                          "snapshot_format",
                                          "snapshot_diff",
                                          "test_initialization",
                                          "test_compute_loss",
                                          "average_loss",
                                          NULL};
    for (int i = 0; skipped[i]; i++) {
        (void)proto_value(s, skipped[i]);
    }
    if (proto_value(s, "test_iter")) {
        import_note(im, "test_iter, test_interval: tests were never run; see --val-raw");
    }
}

void import_solver(struct import *im)
{
    struct proto_field *s = &im->solver.root;
    double value = 0.0;
    long long count = 0;
    if (!im->solver.path) {
        import_note(im,
                    "the solver's file was not found: its keys (rate, policy, ...) are missing");
        return;
    }
    import_note(im, "from %s", im->solver_path);
    put_solver_kind(im, s);
    if (import_real(im, &value, s, "base_lr")) {
        import_put_real(im, "rate", value);
    }
    put_policy(im, s);
    value = 0.0; /* Caffe's default */
    import_real(im, &value, s, "momentum");
    import_put_real(im, "momentum", value);
    value = 0.0;
    import_real(im, &value, s, "weight_decay");
    import_put_real(im, "decay", value);
    value = 0.0;
    import_real(im, &value, s, "clip_gradients");
    import_put_real(im, "clip", value > 0.0 ? value : 0.0);
    import_put_integer(im, "warmup", 0);
    if (import_integer(im, &count, s, "max_iter")) {
        import_put_integer(im, "iterations", count);
    }
    if (import_integer(im, &count, s, "snapshot")) {
        import_put_integer(im, "snapshot", count);
    }
    if (import_integer(im, &count, s, "random_seed")) {
        import_put_integer(im, "seed", count);
    }
    put_loss(im, s);
    import_note(im, "Caffe gave biases twice the rate of weights; here all have the same");
    skip_fields(im, s);
    import_note_rest(im, s, "solver");
}
