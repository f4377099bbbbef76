/* Inside of a trainer. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TRAIN_TRAINER_H
#define GT_TRAIN_TRAINER_H

#include "core/ir.h"
#include "train/feeder.h"

#include <greentea/train.h>

#include <jansson.h>
#include <sys/stat.h>

/* Optimizer state of one tensor, kept in the program. */
struct gt_trainer_state {
    gt_value value;
    gt_shape shape;
    char name[GT_NAME_SIZE + 16]; /* as in files: "optimizer.m.conv1.weight" */
};

/* The program of a loss and its values. MALIS may come later in a training, with another program. */
struct gt_phase {
    gt_loss_kind kind;
    gt_graph *graph; /* of the program */
    gt_program *program;
    gt_value input, label;
    gt_value truth;          /* labels that MALIS reads, if others than `label`; else GT_NO_VALUE */
    gt_value softmax, malis; /* parts of the loss; GT_NO_VALUE where not minimised */
    struct gt_update_values updates;
    gt_value *params; /* gt_model_tensors() */
    struct gt_trainer_state *states;
    size_t n_states;
};

enum { GT_LOSS_KINDS = GT_LOSS_SOFTMAX_MALIS + 1 };
extern const char *const gt__loss_names[GT_LOSS_KINDS];

/* What is known of the program of a loss: its kernels (choice.h; NULL: not planned), its memory. */
struct gt_phase_plan {
    char *choice;
    gt_program_memory memory;
};

/* Kernels by loss, as a checkpoint has them; NULL where it has none. */
struct gt_choices {
    char *of[GT_LOSS_KINDS];
};

struct gt_trainer {
    gt_device *device;
    gt_model *model;
    gt_dataset *dataset;
    gt_train_options options; /* complete: patch, batch and augment chosen */
    struct gt_phase phase;
    gt_shape input, label; /* of a batch */
    struct gt_phase_plan plans[GT_LOSS_KINDS];
    struct gt_feeder *feeder;
    struct gt_balance *balance; /* label equalisation */

    uint64_t iteration; /* done in all */
    uint64_t counter;   /* samples drawn in all */
    uint64_t key;       /* of the random stream */

    bool early;    /* the device takes the next patches while it computes */
    bool uploaded; /* patches of the following two are on the device */
    uint64_t uploaded_key, uploaded_counter;

    /* After resuming from `path`.prev: which file `path` was. It must not become the next .prev. */
    bool damaged;
    dev_t damaged_device;
    ino_t damaged_inode;

    uint64_t steps; /* of this run, for the mean loss */
    float loss_mean;
    int64_t start_ns; /* of this run; 0: no step yet */
    int64_t step_ns;  /* in steps since then: not, for example, in validation */
    int64_t wait_ns;  /* for patches */
};

/* The first program, by the trainer's options, shapes and iteration; later ones are planned only, so
 * that what cannot work fails before hours of training. */
gt_status gt__phase_start(gt_trainer *t);
/* The program for the iteration after `iteration` done ones. A new one takes over parameters and
 * optimizer state; where it cannot be had, the trainer stays as it was. */
gt_status gt__phase_enter(gt_trainer *t, uint64_t iteration);
/* The same for a checkpoint of that iteration: programs with the kernels that it names, where they
 * can run; else the device's log is told. */
gt_status gt__phase_resume(gt_trainer *t, uint64_t iteration, const struct gt_choices *choices);
void gt__phase_free(struct gt_phase *phase);

/* The kernels of all planned programs as a JSON object; free with gt__free(). */
gt_status gt__choices_json(char **out, const gt_trainer *t);
/* json NULL: an old file, without any. */
gt_status gt__choices_read(struct gt_choices *out, const char *json);
void gt__choices_free(struct gt_choices *choices);
/* Tell the device's log, unless `differs` is NULL. */
void gt__choices_warn(const gt_trainer *t, const char *differs);

/* Do pixels lose their label at random, and shall MALIS have them all the same? */
bool gt__loss_needs_truth(const gt_train_options *o);
void gt__loss_options_init(gt_loss_options *o);
/* GT_EINVAL  a field out of range, or MALIS for other than two labels; patch and labels: chosen. */
gt_status gt__loss_check(const gt_train_options *o, int32_t labels);
/* Member "loss" of a JSON object. */
gt_status gt__loss_json(json_t *json, const gt_loss_options *o);

/* Fill patch, batch and augment, check the rest, against the model and the data. */
gt_status gt__train_options_complete(gt_train_options *o, const gt_model *model,
                                     gt_dataset *dataset);

/* Defaults, and the options of label equalisation as members of a JSON object. */
void gt__equalise_options_init(gt_equalise_options *o);
gt_status gt__equalise_options_json(json_t *json, const gt_train_options *o);

/* Tell the device's log the frequencies, and the model what is known of its labels. */
void gt__labels_log(const gt_trainer *t);
gt_status gt__labels_note(gt_model *model, gt_dataset *dataset);

/* The solver as a JSON object; free with gt__free(). */
gt_status gt__train_options_json(char **out, const gt_train_options *o);

#endif
