/* Several values of label images for one label, kept in the configuration beside the labels.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "models/model_json.h"

#include "core/error.h"
#include "core/mem.h"
#include "models/model_internal.h"

#include <string.h>

static gt_status check_list(const gt_grey_label *list, size_t n, int32_t labels)
{
    if (n > GT_MAX_LABELS) {
        return gt__fail(GT_EINVAL, "%zu grey values of labels, at most %d", n, GT_MAX_LABELS);
    }
    for (size_t i = 0; i < n; i++) {
        if (list[i].grey < 0 || list[i].label < 0 || list[i].label >= labels) {
            return gt__fail(GT_EINVAL, "grey value %d is said to be label %d of %d", list[i].grey,
                            list[i].label, labels);
        }
        for (size_t k = 0; k < i; k++) {
            if (list[k].grey == list[i].grey) {
                return gt__fail(GT_EINVAL, "grey value %d stands for two labels", list[i].grey);
            }
        }
    }
    return GT_OK;
}

gt_status gt_model_set_greys(gt_model *model, const gt_grey_label *list, size_t n)
{
    if (!model || (!list && n > 0)) {
        return gt__fail(GT_EINVAL, "no model, or no list of grey values");
    }
    GT_TRY(check_list(list, n, model->options.labels));
    gt_grey_label former[GT_MAX_LABELS];
    size_t former_n = model->n_greys;
    memcpy(former, model->greys, sizeof former);
    for (size_t i = 0; i < n; i++) {
        model->greys[i] = list[i];
    }
    model->n_greys = n;
    char *config = NULL;
    gt_status status = gt__config_write(&config, model, NULL);
    if (status != GT_OK) {
        memcpy(model->greys, former, sizeof former);
        model->n_greys = former_n;
        return status;
    }
    gt__free(model->config);
    model->config = config;
    return GT_OK;
}

size_t gt_model_get_greys(gt_grey_label *out, size_t capacity, const gt_model *model)
{
    for (size_t i = 0; i < model->n_greys && i < capacity; i++) {
        out[i] = model->greys[i];
    }
    return model->n_greys;
}

gt_status gt__greys_write(json_t *root, const gt_model *model)
{
    if (model->n_greys == 0) {
        json_object_del(root, "greys");
        return GT_OK;
    }
    json_t *list = json_array();
    int bad = 0;
    for (size_t i = 0; i < model->n_greys; i++) {
        bad |= json_array_append_new(
            list, json_pack("[i, i]", (int)model->greys[i].grey, (int)model->greys[i].label));
    }
    bad |= json_object_set_new(root, "greys", list);
    return bad ? gt__fail(GT_ENOMEM, "no memory for the JSON text of a model") : GT_OK;
}

static gt_status read_list(gt_model *model, const json_t *list)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n > GT_MAX_LABELS) {
        return gt__fail(GT_EFORMAT, "configuration: \"greys\" is not a list of at most %d pairs",
                        GT_MAX_LABELS);
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *pair = json_array_get(list, i);
        const json_t *grey = json_array_get(pair, 0);
        const json_t *label = json_array_get(pair, 1);
        if (json_array_size(pair) != 2 || !json_is_integer(grey) || !json_is_integer(label) ||
            json_integer_value(grey) > INT32_MAX || json_integer_value(grey) < 0 ||
            json_integer_value(label) > GT_MAX_LABELS || json_integer_value(label) < 0) {
            return gt__fail(GT_EFORMAT,
                            "configuration: entry %zu of \"greys\" is not a pair of "
                            "a grey value and a label",
                            i);
        }
        model->greys[i] =
            (gt_grey_label){(int32_t)json_integer_value(grey), (int32_t)json_integer_value(label)};
    }
    if (check_list(model->greys, n, model->options.labels) != GT_OK) {
        return gt__fail_prefix(GT_EFORMAT, "configuration: ");
    }
    model->n_greys = n;
    return GT_OK;
}

gt_status gt__greys_read(gt_model *model, const char *config)
{
    json_t *root = json_loads(config, JSON_REJECT_DUPLICATES, NULL);
    const json_t *list = json_object_get(root, "greys");
    gt_status status = list ? read_list(model, list) : GT_OK;
    json_decref(root);
    return status;
}
