/* Saving and resuming: the model's file with the optimizer's tensors and the place in the random
 * stream. SPDX-License-Identifier: BSD-2-Clause */
#include "train/trainer.h"

#include "core/program.h"
#include "models/model_file.h"
#include "models/model_json.h"

#include <stdio.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Memory for all states in one block, described as the file wants it. */
struct states {
    struct gt_file_tensor *tensors;
    float *data;
};

static gt_status states_create(struct states *s, const gt_trainer *t)
{
    size_t count = 0;
    for (size_t i = 0; i < t->phase.n_states; ++i) {
        count += gt__count(t->phase.states[i].shape);
    }
    GT_TRY(
        gt__alloc(&s->tensors, t->phase.n_states, sizeof *s->tensors, "list of optimizer states"));
    GT_TRY(gt__alloc_raw(&s->data, count, sizeof *s->data, "optimizer state"));
    float *at = s->data;
    for (size_t i = 0; i < t->phase.n_states; ++i) {
        const struct gt_trainer_state *from = &t->phase.states[i];
        s->tensors[i] = (struct gt_file_tensor){.name = from->name,
                                                .shape = from->shape,
                                                .dims = ends_with(from->name, ".bias") ? 1 : 4,
                                                .data = at};
        at += gt__count(from->shape);
    }
    return GT_OK;
}

static void states_free(struct states *s)
{
    gt__free(s->tensors);
    gt__free(s->data);
}

/* Is there, under this name, the file that could not be resumed from? */
static bool is_damaged(const gt_trainer *t, const char *path)
{
    struct stat info;
    return t->damaged && stat(path, &info) == 0 && info.st_dev == t->damaged_device &&
           info.st_ino == t->damaged_inode;
}

static void note_damaged(gt_trainer *t, const char *path)
{
    struct stat info;
    t->damaged = stat(path, &info) == 0;
    if (t->damaged) {
        t->damaged_device = info.st_dev;
        t->damaged_inode = info.st_ino;
    }
}

gt_status gt_trainer_save(gt_trainer *t, const char *path)
{
    struct states s = {0};
    char *kernels = NULL;
    gt_status status = GT_OK;
    if (!t || !path) {
        return gt__fail(GT_EINVAL, "trainer or path is NULL");
    }
    GT_TRY_OUT(gt_trainer_sync(t));
    GT_TRY_OUT(states_create(&s, t));
    for (size_t i = 0; i < t->phase.n_states; ++i) {
        GT_TRY_OUT(
            gt__program_read_kept(t->phase.program, t->phase.states[i].value, s.tensors[i].data));
    }
    GT_TRY_OUT(gt__choices_json(&kernels, t));
    struct gt_checkpoint checkpoint = {.iteration = t->iteration,
                                       .key = t->key,
                                       .counter = t->counter,
                                       .kernels = kernels,
                                       .tensors = s.tensors,
                                       .n_tensors = t->phase.n_states};
    bool replace = is_damaged(t, path); /* `path`.prev is the only good one */
    GT_TRY_OUT(gt__model_file_write(t->model, path, &checkpoint, !replace));
    t->damaged = t->damaged && !replace;
out:
    gt__free(kernels);
    states_free(&s);
    return status;
}

static bool has_slot(const struct gt_model_file *file, const char *prefix)
{
    const char *name = NULL;
    bool found = false;
    for (size_t i = 0; !found && (name = gt__model_file_name(file, i)) != NULL; ++i) {
        found = strncmp(name, prefix, strlen(prefix)) == 0;
    }
    return found;
}

/* Does the file hold the state of another solver, or none? Then it is whole, but not for us. */
static gt_status check_solver(const gt_trainer *t, const struct gt_model_file *file)
{
    bool adamw = has_slot(file, "optimizer.m.") || has_slot(file, "optimizer.v.");
    bool sgd = has_slot(file, "optimizer.momentum.");
    if (t->options.solver == GT_SGD ? sgd : adamw) {
        return GT_OK;
    }
    if (!adamw && !sgd) {
        return gt__fail(GT_EINVAL, "%s holds weights but no state of training",
                        gt__model_file_path(file));
    }
    return gt__fail(GT_EINVAL, "%s: trained with %s, not with %s", gt__model_file_path(file),
                    adamw ? "adamw" : "sgd", adamw ? "sgd" : "adamw");
}

/* Weights for images prepared otherwise would go on with wrong values. */
static gt_status check_preprocess(const gt_trainer *t, const struct gt_model_file *file)
{
    struct gt_config *c = NULL;
    gt_status status = GT_OK;
    const char *config = gt__model_file_meta(file, "greentea.config");
    GT_TRY_OUT(gt__alloc(&c, 1, sizeof *c, "configuration of a model"));
    GT_TRY_OUT(config ? gt__config_read(c, config) : GT_OK);
    if (config && !gt_preprocess_equal(&c->preprocess, &t->model->preprocess)) {
        status = gt__fail(GT_EINVAL,
                          "%s: trained with another preprocessing (normalisation, CLAHE, smoothing "
                          "or crop)",
                          gt__model_file_path(file));
    }
out:
    gt__free(c);
    return status;
}

/* All optimizer states. The weights fit the network, so states that do not are damaged. */
static gt_status read_states(struct states *s, const gt_trainer *t,
                             const struct gt_model_file *file)
{
    char message[512];
    for (size_t i = 0; i < t->phase.n_states; ++i) {
        const struct gt_file_tensor *to = &s->tensors[i];
        gt_status status = gt__model_file_read(to->data, file, to->name, to->shape);
        if (status == GT_ESHAPE) {
            snprintf(message, sizeof message, "%s", gt_error_message());
            return gt__fail(GT_EFORMAT, "%s", message);
        }
        GT_TRY(status);
    }
    return GT_OK;
}

/* Is it a checkpoint of this network and solver? Nothing is changed before all of it was read. */
static gt_status restore(gt_trainer *t, const struct gt_model_file *file)
{
    struct states s = {0};
    struct gt_choices choices = {.of = {NULL}};
    uint64_t iteration = 0;
    uint64_t key = 0;
    uint64_t counter = 0;
    gt_status status = GT_OK;
    for (size_t i = 0; i < gt_model_tensors(t->model); ++i) {
        const char *name = NULL;
        gt_shape shape;
        GT_TRY_OUT(gt_model_tensor(&name, &shape, NULL, t->model, i));
        GT_TRY_OUT(gt__model_file_expect(file, name, shape));
    }
    GT_TRY_OUT(check_solver(t, file));
    GT_TRY_OUT(check_preprocess(t, file));
    GT_TRY_OUT(gt__model_file_number(&iteration, file, "greentea.iteration"));
    GT_TRY_OUT(gt__model_file_number(&key, file, "greentea.key"));
    GT_TRY_OUT(gt__model_file_number(&counter, file, "greentea.counter"));
    GT_TRY_OUT(states_create(&s, t));
    GT_TRY_OUT(read_states(&s, t, file));
    GT_TRY_OUT(gt__choices_read(&choices, gt__model_file_meta(file, "greentea.kernels")));
    GT_TRY_OUT(gt__phase_resume(t, iteration, &choices));
    GT_TRY_OUT(gt__model_file_weights(t->model, file));
    for (size_t i = 0; i < gt_model_tensors(t->model); ++i) {
        float *data = NULL;
        GT_TRY_OUT(gt_model_tensor(NULL, NULL, &data, t->model, i));
        GT_TRY_OUT(gt_program_write(t->phase.program, t->phase.params[i], data));
    }
    for (size_t i = 0; i < t->phase.n_states; ++i) {
        GT_TRY_OUT(
            gt__program_write_kept(t->phase.program, t->phase.states[i].value, s.tensors[i].data));
    }
    t->iteration = iteration;
    t->key = key;
    t->counter = counter;
    t->start_ns = 0;
    status = gt_trainer_sync(t);
out:
    gt__choices_free(&choices);
    states_free(&s);
    return status;
}

static bool unreadable(gt_status status)
{
    return status == GT_EIO || status == GT_EFORMAT || status == GT_ELIMIT;
}

static gt_status resume_file(gt_trainer *t, const char *path)
{
    struct gt_model_file *file = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__model_file_open(&file, path));
    GT_TRY_OUT(restore(t, file));
out:
    gt__model_file_close(file);
    return status;
}

/* Where `path` cannot be read or is damaged, `path`.prev is taken; if that is no better, the
 * message of the former counts. */
gt_status gt_trainer_resume(gt_trainer *t, const char *path)
{
    char *prev = NULL;
    struct gt_text text = {0};
    char message[512];
    if (!t || !path) {
        return gt__fail(GT_EINVAL, "trainer or path is NULL");
    }
    gt_status status = resume_file(t, path);
    if (!unreadable(status)) {
        t->damaged = t->damaged && status != GT_OK;
        return status;
    }
    snprintf(message, sizeof message, "%s", gt_error_message());
    gt__text_add(&text, "%s.prev", path);
    GT_TRY(gt__text_take(&prev, &text));
    gt_status second = resume_file(t, prev);
    if (second == GT_OK) {
        note_damaged(t, path);
    }
    status = unreadable(second) ? gt__fail(status, "%s", message) : second;
    gt__free(prev);
    return status;
}
