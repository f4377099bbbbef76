/* The JSON in model files: configuration and header. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_MODELS_MODEL_JSON_H
#define GT_MODELS_MODEL_JSON_H

#include "models/model_file.h"
#include <jansson.h>

/* Configuration of a model as JSON text. Unknown members of model->config are kept. solver NULL:
 * kept, too;
 * "" removes it. The caller frees it with gt__free(). */
gt_status gt__config_write(char **out, const gt_model *model, const char *solver);
/* Text of any JSON value. The caller frees it with gt__free(). */
gt_status gt__json_text(char **out, const json_t *value);
/* What a configuration holds. */
struct gt_config {
    gt_model_options options;
    gt_label_info labels[GT_MAX_LABELS];
    gt_preprocess preprocess;
};
gt_status gt__config_read(struct gt_config *out, const char *text);

/* Preprocessing as a JSON object, NULL if there is no memory. */
json_t *gt__preprocess_to_json(const gt_preprocess *p);
/* Back; json NULL: the defaults. GT_EFORMAT  a member is unknown, missing or out of range */
gt_status gt__preprocess_from_json(gt_preprocess *out, const json_t *json);

/* Values that stand for labels: into a configuration and out of its text. */
gt_status gt__greys_write(json_t *root, const gt_model *model);
gt_status gt__greys_read(gt_model *model, const char *config);

/* One tensor as described by a header. */
struct gt_file_entry {
    const char *name;
    gt_shape shape;
    int32_t dims;
    uint64_t begin, end; /* bytes within the data section */
};

/* Header of a file, padded with spaces to a multiple of 8. */
gt_status gt__header_write(char **out, size_t *length, const struct gt_file_tensor *tensors,
                           size_t n_tensors, const struct gt_checkpoint *state, const char *config,
                           const char *sha256);
/* Check a header against the size of the data section. root owns the names and the metadata. */
gt_status gt__header_read(json_t **root, struct gt_file_entry **entries, size_t *n_entries,
                          const char *text, size_t length, uint64_t data_size, const char *path);

#endif
