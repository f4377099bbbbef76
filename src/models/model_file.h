/* Model files and checkpoints: safetensors with our metadata. SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef GT_MODELS_MODEL_FILE_H
#define GT_MODELS_MODEL_FILE_H

#include "models/model_internal.h"

#define GT_MODEL_FORMAT 1
#define GT_HEADER_LIMIT ((uint64_t)100000000)
#define GT_SHA256_HEX 65

/* A tensor beside the model's own: "optimizer.<slot>.<tensor>". */
struct gt_file_tensor {
    const char *name;
    gt_shape shape;
    int32_t dims; /* 4, or 1 for [1][C][1][1] */
    float *data;
};

/* What a checkpoint holds beyond the model. */
struct gt_checkpoint {
    uint64_t iteration, key, counter;
    const char *solver;  /* JSON object as text; NULL: the model's, if any */
    const char *kernels; /* of the training, JSON object as text; NULL: none */
    const struct gt_file_tensor *tensors;
    size_t n_tensors;
};

/* Write beside, sync, rename, sync the folder. extra NULL: the state that the model carries, no
 * tensors. keep_prev: a former file stays as `path`.prev; `path` exists at every instant.
 * GT_EINVAL if `path` exists and is no regular file. */
gt_status gt__model_file_write(const gt_model *model, const char *path,
                               const struct gt_checkpoint *extra, bool keep_prev);

/* An open file whose header was checked and whose data section has the digest that it states. */
struct gt_model_file;
gt_status gt__model_file_open(struct gt_model_file **out, const char *path);
void gt__model_file_close(struct gt_model_file *file);
const char *gt__model_file_path(const struct gt_model_file *file);

/* Value of a metadata key ("greentea.config"); NULL if absent. Lives as long as the file. */
const char *gt__model_file_meta(const struct gt_model_file *file, const char *key);
/* A metadata value as a number; GT_EFORMAT if it is absent or none. */
gt_status gt__model_file_number(uint64_t *out, const struct gt_model_file *file, const char *key);

/* Name of tensor `index` in file order; NULL past the last. */
const char *gt__model_file_name(const struct gt_model_file *file, size_t index);
/* Is there such a tensor? */
bool gt__model_file_has(const struct gt_model_file *file, const char *name);
/* Copy a tensor out; GT_ESHAPE if it is missing or has another shape. Biases: [1][C][1][1]. */
gt_status gt__model_file_read(float *dst, const struct gt_model_file *file, const char *name,
                              gt_shape shape);
/* The same without reading. */
gt_status gt__model_file_expect(const struct gt_model_file *file, const char *name, gt_shape shape);
/* Read all weights into a model of the same network; untouched on error. */
gt_status gt__model_file_weights(gt_model *model, const struct gt_model_file *file);

/* GT_OK if the file is complete: header, metadata, digest. iteration may be NULL. */
gt_status gt__model_file_valid(const char *path, uint64_t *iteration);

#endif
