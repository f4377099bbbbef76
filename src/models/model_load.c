/* From files to models. SPDX-License-Identifier: BSD-2-Clause */
#include "core/error.h"
#include "core/mem.h"
#include "models/model_json.h"

#include <assert.h>
#include <string.h>

/* Name of a tensor in the file: its own, or for `sw` that of the same layer in `sk`. */
static const char *name_in_file(char *buffer, const gt_model *model,
                                const struct gt_model_file *file,
                                const struct gt_model_tensor *tensor)
{
    static const char *const renamed[][2] = {{"ip4.", "ip1."}, {"ip5.", "ip2."}, {"ip6.", "ip3."}};
    if (model->net != &gt__net_sw || gt__model_file_has(file, tensor->name)) {
        return tensor->name;
    }
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++) {
        const size_t n = strlen(renamed[i][0]);
        if (strncmp(tensor->name, renamed[i][0], n) == 0) {
            memcpy(buffer, renamed[i][1], n);
            memcpy(buffer + n, tensor->name + n, strlen(tensor->name + n) + 1);
            return buffer;
        }
    }
    return tensor->name;
}

static gt_status read_weights(float *block, const gt_model *model, const struct gt_model_file *file)
{
    for (size_t i = 0; i < model->n_tensors; i++) {
        const struct gt_model_tensor *t = &model->tensors[i];
        char buffer[sizeof t->name];
        GT_TRY(gt__model_file_read(block + t->offset, file, name_in_file(buffer, model, file, t),
                                   t->shape));
    }
    return GT_OK;
}

/* All tensors are looked at before the first is read or memory taken. */
static gt_status expect_weights(const gt_model *model, const struct gt_model_file *file)
{
    for (size_t i = 0; i < model->n_tensors; i++) {
        const struct gt_model_tensor *t = &model->tensors[i];
        char buffer[sizeof t->name];
        GT_TRY(gt__model_file_expect(file, name_in_file(buffer, model, file, t), t->shape));
    }
    return GT_OK;
}

gt_status gt__model_file_weights(gt_model *model, const struct gt_model_file *file)
{
    float *block = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(expect_weights(model, file));
    GT_TRY_OUT(gt__alloc(&block, model->count, sizeof(float), "weights"));
    GT_TRY_OUT(read_weights(block, model, file));
    memcpy(model->weights, block, model->count * sizeof(float));
out:
    gt__free(block);
    return status;
}

gt_status gt_model_load_weights(gt_model *model, const char *path)
{
    if (!model || !path) {
        return gt__fail(GT_EINVAL, "loading needs a model and a path");
    }
    struct gt_model_file *file = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__model_file_open(&file, path));
    GT_TRY_OUT(gt__model_file_weights(model, file));
out:
    gt__model_file_close(file);
    return status;
}

/* Nothing but the model's tensors and "optimizer.<slot>.<tensor>". */
static gt_status check_names(const gt_model *model, const struct gt_model_file *file)
{
    size_t n = 0;
    const char *name = NULL;
    for (size_t i = 0; (name = gt__model_file_name(file, i)) != NULL; i++) {
        bool known = strncmp(name, "optimizer.", 10) == 0;
        for (size_t k = 0; !known && k < model->n_tensors; k++) {
            known = strcmp(name, model->tensors[k].name) == 0;
            n += known;
        }
        if (!known) {
            return gt__fail(GT_EFORMAT, "%s: the tensor %.64s does not belong to the network %s",
                            gt__model_file_path(file), name, model->net->name);
        }
    }
    for (size_t k = 0; n < model->n_tensors && k < model->n_tensors; k++) {
        if (!gt__model_file_has(file, model->tensors[k].name)) {
            return gt__fail(GT_EFORMAT, "%s: the tensor %s is missing", gt__model_file_path(file),
                            model->tensors[k].name);
        }
    }
    return GT_OK;
}

static gt_status skeleton_of(gt_model **out, const struct gt_model_file *file)
{
    const char *path = gt__model_file_path(file);
    const char *config = gt__model_file_meta(file, "greentea.config");
    if (!gt__model_file_meta(file, "greentea.format") || !config) {
        return gt__fail(GT_EFORMAT, "%s: a safetensors file, but not a model of Greentea", path);
    }
    struct gt_config *c = NULL;
    gt_model *model = NULL;
    gt_status status = gt__alloc(&c, 1, sizeof *c, "configuration of a model");
    if (status != GT_OK) {
        return status;
    }
    gt_model_options_init(&c->options);
    status = gt__config_read(c, config);
    if (status != GT_OK) {
        status = gt__fail_prefix(status, "%s: ", path);
        goto out;
    }
    GT_TRY_OUT(gt__model_skeleton(&model, &c->options));
    memcpy(model->labels, c->labels, (size_t)c->options.labels * sizeof *c->labels);
    model->preprocess = c->preprocess;
    GT_TRY_OUT(gt__strdup(&model->config, config));
    status = gt__greys_read(model, config);
    if (status != GT_OK) {
        status = gt__fail_prefix(status, "%s: ", path);
        goto out;
    }
    GT_TRY_OUT(gt__model_file_number(&model->iteration, file, "greentea.iteration"));
    GT_TRY_OUT(gt__model_file_number(&model->key, file, "greentea.key"));
    GT_TRY_OUT(gt__model_file_number(&model->counter, file, "greentea.counter"));
    *out = model;
    model = NULL;
out:
    gt_model_free(model);
    gt__free(c);
    return status;
}

/* Everything that can be checked before memory is taken. */
static gt_status open_model(gt_model **model, struct gt_model_file **file, const char *path)
{
    GT_TRY(gt__model_file_open(file, path));
    GT_TRY(skeleton_of(model, *file));
    GT_TRY(check_names(*model, *file));
    /* the message stands, but here the file contradicts itself */
    return expect_weights(*model, *file) == GT_OK ? GT_OK : GT_EFORMAT;
}

gt_status gt__model_file_valid(const char *path, uint64_t *iteration)
{
    struct gt_model_file *file = NULL;
    gt_model *model = NULL;
    const gt_status status = open_model(&model, &file, path);
    if (status == GT_OK && iteration) {
        *iteration = model->iteration;
    }
    gt_model_free(model);
    gt__model_file_close(file);
    return status;
}

gt_status gt_model_load(gt_model **out, const char *path)
{
    if (!out || !path) {
        return gt__fail(GT_EINVAL, "loading needs a path and a place for the model");
    }
    struct gt_model_file *file = NULL;
    gt_model *model = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(open_model(&model, &file, path));
    GT_TRY_OUT(gt__model_allocate(model));
    GT_TRY_OUT(read_weights(model->weights, model, file));
    *out = model;
    model = NULL;
out:
    gt_model_free(model);
    gt__model_file_close(file);
    return status;
}
