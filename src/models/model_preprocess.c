/* Preprocessing in model files. SPDX-License-Identifier: BSD-2-Clause
 *
 * The default is written as it always was, so that earlier versions read such files; anything else
 * has another "normalization", which they refuse instead of labelling wrongly. Unknown members are
 * refused for the same reason. */
#include "models/model_json.h"

#include "core/error.h"
#include "core/mem.h"

#include <stdbool.h>
#include <string.h>

static const char by_default[] = "min-max per page to [-1,1]";
static const char *const kinds[] = {"minmax", "meanvar", "percentile", "none", NULL};
static const char *const scopes[] = {"image", "stack", NULL};
static const char *const members[] = {"normalization", "scope",  "low",  "high", "clahe",
                                      "clahe_grid",    "smooth", "crop", NULL};

json_t *gt__preprocess_to_json(const gt_preprocess *p)
{
    gt_preprocess defaults;
    gt_preprocess_init(&defaults);
    if (gt_preprocess_equal(p, &defaults)) {
        return json_pack("{s:s}", "normalization", by_default);
    }
    return json_pack("{s:s, s:s, s:f, s:f, s:f, s:i, s:f, s:[i, i, i, i]}", "normalization",
                     kinds[p->normalise], "scope", scopes[p->scope], "low", p->low, "high", p->high,
                     "clahe", p->clahe, "clahe_grid", (int)p->clahe_grid, "smooth", p->smooth,
                     "crop", (int)p->crop_x, (int)p->crop_y, (int)p->crop_width,
                     (int)p->crop_height);
}

static int index_of(const char *text, const char *const *list)
{
    for (int i = 0; text && list[i]; i++) {
        if (strcmp(text, list[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static gt_status read_choice(int *out, const json_t *json, const char *key, const char *const *list)
{
    const char *text = json_string_value(json_object_get(json, key));
    *out = index_of(text, list);
    if (*out < 0) {
        return gt__fail(GT_EFORMAT, "configuration: the %s \"%.60s\" is not known", key,
                        text ? text : "");
    }
    return GT_OK;
}

static gt_status read_number(double *out, const json_t *json, const char *key)
{
    const json_t *value = json_object_get(json, key);
    if (!json_is_number(value)) {
        return gt__fail(GT_EFORMAT, "configuration: \"%s\" of the preprocessing is not a number",
                        key);
    }
    *out = json_number_value(value);
    return GT_OK;
}

static gt_status read_integer(int32_t *out, const json_t *value, const char *key)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > INT32_MAX) {
        return gt__fail(GT_EFORMAT,
                        "configuration: \"%s\" of the preprocessing is not an integer from 0 to %d",
                        key, INT32_MAX);
    }
    *out = (int32_t)json_integer_value(value);
    return GT_OK;
}

static gt_status check_members(const json_t *json)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        if (index_of(key, members) < 0) {
            return gt__fail(GT_EFORMAT,
                            "configuration: the preprocessing \"%.60s\" is not known; a newer "
                            "version may be needed",
                            key);
        }
    }
    return GT_OK;
}

static gt_status read_all(gt_preprocess *p, const json_t *json)
{
    int kind = 0;
    int scope = 0;
    int32_t *const crop[] = {&p->crop_x, &p->crop_y, &p->crop_width, &p->crop_height};
    const json_t *list = json_object_get(json, "crop");
    GT_TRY(check_members(json));
    GT_TRY(read_choice(&kind, json, "normalization", kinds));
    GT_TRY(read_choice(&scope, json, "scope", scopes));
    GT_TRY(read_number(&p->low, json, "low"));
    GT_TRY(read_number(&p->high, json, "high"));
    GT_TRY(read_number(&p->clahe, json, "clahe"));
    GT_TRY(read_integer(&p->clahe_grid, json_object_get(json, "clahe_grid"), "clahe_grid"));
    GT_TRY(read_number(&p->smooth, json, "smooth"));
    for (size_t i = 0; i < 4; i++) {
        GT_TRY(read_integer(crop[i], json_array_get(list, i), "crop"));
    }
    p->normalise = (gt_normalise)kind;
    p->scope = (gt_scope)scope;
    if (json_array_size(list) != 4 || gt_preprocess_check(p) != GT_OK) {
        return gt__fail(GT_EFORMAT, "configuration: %s",
                        json_array_size(list) == 4 ? gt_error_message()
                                                   : "\"crop\" is not a list of 4 integers");
    }
    return GT_OK;
}

gt_status gt__preprocess_from_json(gt_preprocess *out, const json_t *json)
{
    gt_preprocess p;
    gt_preprocess_init(&p);
    const char *kind = json_string_value(json_object_get(json, "normalization"));
    if (json && !(json_object_size(json) == 1 && kind && strcmp(kind, by_default) == 0)) {
        GT_TRY(read_all(&p, json));
    }
    *out = p;
    return GT_OK;
}

gt_status gt_model_set_preprocess(gt_model *model, const gt_preprocess *preprocess)
{
    if (!model) {
        return gt__fail(GT_EINVAL, "no model to note a preprocessing for");
    }
    GT_TRY(gt_preprocess_check(preprocess));
    const gt_preprocess former = model->preprocess;
    char *config = NULL;
    model->preprocess = *preprocess;
    gt_status status = gt__config_write(&config, model, NULL);
    if (status != GT_OK) {
        model->preprocess = former;
        return status;
    }
    gt__free(model->config);
    model->config = config;
    return GT_OK;
}

void gt_model_get_preprocess(const gt_model *model, gt_preprocess *out)
{
    *out = model->preprocess;
}
