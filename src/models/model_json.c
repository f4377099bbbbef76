/* The JSON in model files: configuration and header. SPDX-License-Identifier: BSD-2-Clause */
#include "models/model_json.h"

#include "core/error.h"
#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gt_status no_memory(void)
{
    return gt__fail(GT_ENOMEM, "no memory for the JSON text of a model");
}

/* Text of a JSON value in memory of ours, with `pad` more bytes behind it. 17 digits keep every
 * double; jansson writes and reads the point whatever the locale. */
static gt_status dump(char **out, size_t *length, const json_t *root, size_t pad)
{
    const size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY;
    const size_t n = json_dumpb(root, NULL, 0, flags);
    if (n == 0) {
        return no_memory();
    }
    char *text = NULL;
    GT_TRY(gt__alloc(&text, n + pad + 1, 1, "JSON text"));
    if (json_dumpb(root, text, n, flags) != n) {
        gt__free(text);
        return no_memory();
    }
    *out = text;
    *length = n;
    return GT_OK;
}

gt_status gt__json_text(char **out, const json_t *value)
{
    size_t length = 0;
    return dump(out, &length, value, 0);
}

/* ---- configuration ---- */

static gt_status labels_to_json(json_t **out, const gt_model *model)
{
    json_t *list = json_array();
    for (int32_t i = 0; list && i < model->options.labels; i++) {
        const gt_label_info *label = &model->labels[i];
        json_t *name = json_string(label->name);
        if (!name) {
            json_decref(list);
            return gt__fail(GT_EINVAL, "the name of label %d is not UTF-8", i);
        }
        json_t *entry = json_pack("{s:o, s:i}", "name", name, "grey", (int)label->grey);
        if (!entry || json_array_append_new(list, entry) != 0) {
            json_decref(list);
            return no_memory();
        }
    }
    *out = list;
    return list ? GT_OK : no_memory();
}

static gt_status set_solver(json_t *root, const char *solver)
{
    if (!solver) {
        return GT_OK;
    }
    if (!*solver) {
        json_object_del(root, "solver");
        return GT_OK;
    }
    json_t *value = json_loads(solver, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(value)) {
        json_decref(value);
        return gt__fail(GT_EINVAL, "the description of the solver is not a JSON object");
    }
    return json_object_set_new(root, "solver", value) == 0 ? GT_OK : no_memory();
}

gt_status gt__config_write(char **out, const gt_model *model, const char *solver)
{
    const gt_model_options *o = &model->options;
    const char *skip = o->skip == GT_SKIP_BLOCKED ? "blocked" : "flowing";
    json_t *labels = NULL;
    GT_TRY(labels_to_json(&labels, model));
    gt_status status = GT_OK;
    json_t *root =
        model->config ? json_loads(model->config, JSON_REJECT_DUPLICATES, NULL) : json_object();
    int bad = json_object_set_new(root, "net", json_string(model->net->name));
    bad |= json_object_set_new(root, "labels", labels);
    bad |= json_object_set_new(root, "channels", json_integer(o->channels));
    bad |= json_object_set_new(root, "width", json_real(o->width));
    bad |= json_object_set_new(root, "skip_gradient", json_string(skip));
    bad |= json_object_set_new(root, "preprocessing", gt__preprocess_to_json(&model->preprocess));
    if (bad) {
        status = no_memory();
        goto out;
    }
    GT_TRY_OUT(set_solver(root, solver));
    GT_TRY_OUT(gt__greys_write(root, model));
    size_t length = 0;
    GT_TRY_OUT(dump(out, &length, root, 0));
out:
    json_decref(root);
    return status;
}

static gt_status read_integer(int32_t *out, const json_t *object, const char *key, int32_t low,
                              int32_t high)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < low ||
        json_integer_value(value) > high) {
        return gt__fail(GT_EFORMAT, "configuration: \"%s\" is not an integer from %d to %d", key,
                        low, high);
    }
    *out = (int32_t)json_integer_value(value);
    return GT_OK;
}

static gt_status read_labels(gt_label_info *labels, int32_t *count, const json_t *list)
{
    const size_t n = json_array_size(list);
    if (n < 2 || n > GT_MAX_LABELS) {
        return gt__fail(GT_EFORMAT, "configuration: \"labels\" is not a list of 2 to %d labels",
                        GT_MAX_LABELS);
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *entry = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(entry, "name"));
        if (!name || strlen(name) >= sizeof labels[i].name) {
            return gt__fail(GT_EFORMAT,
                            "configuration: the name of label %zu is missing or above %zu bytes", i,
                            sizeof labels[i].name - 1);
        }
        memset(&labels[i], 0, sizeof labels[i]);
        memcpy(labels[i].name, name, strlen(name));
        GT_TRY(read_integer(&labels[i].grey, entry, "grey", -1, INT32_MAX));
    }
    *count = (int32_t)n;
    return GT_OK;
}

static gt_status read_config(struct gt_config *out, const json_t *root)
{
    gt_model_options *o = &out->options;
    const char *name = json_string_value(json_object_get(root, "net"));
    const struct gt_net *net = gt__net_find(name);
    if (!net) {
        return gt__fail(GT_EFORMAT, "configuration: the network \"%.40s\" is not known",
                        name ? name : "");
    }
    o->net = net->name;
    GT_TRY(read_labels(out->labels, &o->labels, json_object_get(root, "labels")));
    GT_TRY(read_integer(&o->channels, root, "channels", 1, 3));
    const json_t *width = json_object_get(root, "width");
    o->width = json_number_value(width);
    if (o->channels == 2 || !(o->width > 0 && o->width <= GT_MAX_WIDTH)) {
        return gt__fail(GT_EFORMAT, "configuration: %d channels and width %g are not a network",
                        o->channels, o->width);
    }
    const char *skip = json_string_value(json_object_get(root, "skip_gradient"));
    if (!skip || (strcmp(skip, "flowing") != 0 && strcmp(skip, "blocked") != 0)) {
        return gt__fail(GT_EFORMAT,
                        "configuration: \"skip_gradient\" is neither flowing nor blocked");
    }
    o->skip = strcmp(skip, "blocked") == 0 ? GT_SKIP_BLOCKED : GT_SKIP_FLOWING;
    GT_TRY(gt__preprocess_from_json(&out->preprocess, json_object_get(root, "preprocessing")));
    static const char *const objects[] = {"solver", "notes"};
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        const json_t *object = json_object_get(root, objects[i]);
        if (object && !json_is_object(object)) {
            return gt__fail(GT_EFORMAT, "configuration: \"%s\" is not an object", objects[i]);
        }
    }
    return GT_OK;
}

gt_status gt__config_read(struct gt_config *out, const char *text)
{
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        return gt__fail(GT_EFORMAT, "configuration: %s at byte %d", error.text, error.position);
    }
    gt_status status = read_config(out, root);
    json_decref(root);
    return status;
}

/* ---- header ---- */

static gt_status add_entry(json_t *root, const struct gt_file_tensor *t, uint64_t *begin)
{
    const gt_shape s = t->shape;
    const uint64_t end = *begin + gt__count(s) * sizeof(float);
    json_t *shape =
        t->dims == 1 ? json_pack("[i]", s.c) : json_pack("[i, i, i, i]", s.n, s.c, s.h, s.w);
    json_t *entry = shape ? json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape,
                                      "data_offsets", (json_int_t)*begin, (json_int_t)end)
                          : NULL;
    *begin = end;
    return entry && json_object_set_new(root, t->name, entry) == 0 ? GT_OK : no_memory();
}

static json_t *number_text(uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return json_string(text);
}

static gt_status add_metadata(json_t *root, const struct gt_checkpoint *state, const char *config,
                              const char *sha256)
{
    json_t *meta = json_object();
    int bad = json_object_set_new(meta, "greentea.format", number_text(GT_MODEL_FORMAT));
    bad |= json_object_set_new(meta, "greentea.iteration", number_text(state->iteration));
    bad |= json_object_set_new(meta, "greentea.key", number_text(state->key));
    bad |= json_object_set_new(meta, "greentea.counter", number_text(state->counter));
    bad |= json_object_set_new(meta, "greentea.config", json_string(config));
    bad |= json_object_set_new(meta, "greentea.sha256", json_string(sha256));
    if (state->kernels) {
        bad |= json_object_set_new(meta, "greentea.kernels", json_string(state->kernels));
    }
    bad |= json_object_set_new(root, "__metadata__", meta);
    return bad ? no_memory() : GT_OK;
}

gt_status gt__header_write(char **out, size_t *length, const struct gt_file_tensor *tensors,
                           size_t n_tensors, const struct gt_checkpoint *state, const char *config,
                           const char *sha256)
{
    gt_status status = GT_OK;
    uint64_t begin = 0;
    char *text = NULL;
    json_t *root = json_object();
    if (!root) {
        return no_memory();
    }
    GT_TRY_OUT(add_metadata(root, state, config, sha256));
    for (size_t i = 0; i < n_tensors; i++) {
        if (json_object_get(root, tensors[i].name)) {
            status = gt__fail(GT_EINVAL, "two tensors are called %s", tensors[i].name);
            goto out;
        }
        GT_TRY_OUT(add_entry(root, &tensors[i], &begin));
    }
    size_t n = 0;
    GT_TRY_OUT(dump(&text, &n, root, 8));
    const size_t padded = gt__align_up(n, 8);
    memset(text + n, ' ', padded - n);
    *out = text;
    *length = padded;
out:
    json_decref(root);
    return status;
}

static gt_status read_shape(gt_shape *out, int32_t *dims, const json_t *list, const char *path,
                            const char *name)
{
    const size_t n = json_array_size(list);
    if (!json_is_array(list) || n > 4) {
        return gt__fail(GT_EFORMAT, "%s: the shape of %.64s is not a list of at most 4 numbers",
                        path, name);
    }
    int32_t d[4] = {1, 1, 1, 1};
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(list, i);
        const json_int_t size = json_integer_value(value);
        if (!json_is_integer(value) || size < 1 || size > INT32_MAX) {
            return gt__fail(GT_EFORMAT, "%s: size %zu of %.64s is not from 1 to %d", path, i, name,
                            INT32_MAX);
        }
        d[i] = (int32_t)size;
    }
    *dims = (int32_t)n;
    *out = n == 1 ? (gt_shape){1, d[0], 1, 1} : (gt_shape){d[0], d[1], d[2], d[3]};
    return GT_OK;
}

static gt_status read_entry(struct gt_file_entry *out, const char *name, const json_t *entry,
                            uint64_t data_size, const char *path)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    const json_t *range = json_object_get(entry, "data_offsets");
    const json_t *begin = json_array_get(range, 0);
    const json_t *end = json_array_get(range, 1);
    out->name = name;
    if (json_object_size(entry) != 3 || json_array_size(range) != 2 || !json_is_integer(begin) ||
        !json_is_integer(end)) {
        return gt__fail(GT_EFORMAT, "%s: the entry of %.64s is not dtype, shape and data_offsets",
                        path, name);
    }
    if (!dtype || strcmp(dtype, "F32") != 0) {
        return gt__fail(GT_EFORMAT, "%s: %.64s has the type %.16s, expected F32", path, name,
                        dtype ? dtype : "(none)");
    }
    GT_TRY(read_shape(&out->shape, &out->dims, json_object_get(entry, "shape"), path, name));
    const json_int_t b = json_integer_value(begin);
    const json_int_t e = json_integer_value(end);
    if (b < 0 || e < b || (uint64_t)e > data_size) {
        return gt__fail(GT_EFORMAT,
                        "%s: bytes %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT
                        " of %.64s lie outside the data of %" PRIu64 " bytes",
                        path, b, e, name, data_size);
    }
    size_t bytes = 0;
    if (!gt__shape_count(&bytes, out->shape) || !gt__mul(&bytes, bytes, sizeof(float)) ||
        bytes != (uint64_t)(e - b)) {
        return gt__fail(GT_EFORMAT,
                        "%s: %.64s has %" JSON_INTEGER_FORMAT
                        " bytes, which is not what its shape needs",
                        path, name, e - b);
    }
    out->begin = (uint64_t)b;
    out->end = (uint64_t)e;
    return GT_OK;
}

static int compare_begin(const void *a, const void *b)
{
    const struct gt_file_entry *x = a;
    const struct gt_file_entry *y = b;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* No tensor is empty, so ranges in order that touch are ranges that tile. */
static gt_status check_tiling(struct gt_file_entry *entries, size_t n, uint64_t data_size,
                              const char *path)
{
    if (n > 1) {
        qsort(entries, n, sizeof *entries, compare_begin);
    }
    uint64_t end = 0;
    for (size_t i = 0; i < n; i++) {
        if (entries[i].begin != end) {
            return gt__fail(GT_EFORMAT,
                            "%s: %.64s begins at byte %" PRIu64 " of the data, expected %" PRIu64,
                            path, entries[i].name, entries[i].begin, end);
        }
        end = entries[i].end;
    }
    if (end != data_size) {
        return gt__fail(GT_EFORMAT,
                        "%s: the tensors cover %" PRIu64 " of %" PRIu64 " bytes of data", path, end,
                        data_size);
    }
    return GT_OK;
}

static gt_status check_metadata(json_t *meta, const char *path)
{
    const char *key = NULL;
    json_t *value = NULL;
    if (meta && !json_is_object(meta)) {
        return gt__fail(GT_EFORMAT, "%s: __metadata__ is not an object", path);
    }
    json_object_foreach(meta, key, value)
    {
        if (!json_is_string(value)) {
            return gt__fail(GT_EFORMAT, "%s: the metadata %.64s is not a string", path, key);
        }
    }
    return GT_OK;
}

static gt_status read_entries(struct gt_file_entry *entries, size_t *count, json_t *root,
                              uint64_t data_size, const char *path)
{
    const char *name = NULL;
    json_t *value = NULL;
    size_t n = 0;
    json_object_foreach(root, name, value)
    {
        if (strcmp(name, "__metadata__") == 0) {
            GT_TRY(check_metadata(value, path));
        } else {
            GT_TRY(read_entry(&entries[n++], name, value, data_size, path));
        }
    }
    *count = n;
    return check_tiling(entries, n, data_size, path);
}

gt_status gt__header_read(json_t **root, struct gt_file_entry **entries, size_t *n_entries,
                          const char *text, size_t length, uint64_t data_size, const char *path)
{
    json_error_t error;
    gt_status status = GT_OK;
    struct gt_file_entry *list = NULL;
    json_t *object = NULL;
    if (length == 0 || text[0] != '{') {
        return gt__fail(GT_EFORMAT, "%s: not a safetensors file: the header is no JSON object",
                        path);
    }
    object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (!object) {
        return gt__fail(GT_EFORMAT, "%s: header: %s at byte %d", path, error.text, error.position);
    }
    GT_TRY_OUT(gt__alloc(&list, json_object_size(object), sizeof *list, "list of tensors"));
    GT_TRY_OUT(read_entries(list, n_entries, object, data_size, path));
    *root = object;
    *entries = list;
    object = NULL;
    list = NULL;
out:
    gt__free(list);
    json_decref(object);
    return status;
}
