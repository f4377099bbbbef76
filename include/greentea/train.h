/* Greentea: training. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GREENTEA_TRAIN_H
#define GREENTEA_TRAIN_H

#include <greentea/augment.h>
#include <greentea/image.h>
#include <greentea/labels.h>
#include <greentea/model.h>
#include <greentea/preprocess.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- data ---- */

/** Pairs of images and label maps to train on, in host memory. */
typedef struct gt_dataset gt_dataset;

typedef struct gt_dataset_options {
    int32_t labels;   /**< number of labels of the network; 0: the number of distinct values found,
                           of sub-folders, or the consolidated ones */
    int32_t channels; /**< 1 or 3; grey is replicated to 3, colour to 1 is an error; 0: as the first
                     image */
    int32_t ignore_value; /**< value in label images to be ignored; -1 (default): none. Without a
                               meaning where sub-folders give the labels */
    gt_consolidation consolidate;  /**< default: none. The images must hold as many labels */
    const gt_image_limits *limits; /**< NULL: the defaults */
    gt_preprocess preprocess;      /**< of all images; the default is min-max of each image to
                                      [-1, 1] */
    gt_progress_fn progress;       /**< unit: pages read by gt_dataset_load(); default NULL */
    void *cookie;                  /**< handed to progress */
} gt_dataset_options;

/** Write the defaults. */
GT_API void gt_dataset_options_init(gt_dataset_options *options);

/** Make an empty data set; the caller owns it; free with gt_dataset_free(). */
GT_API gt_status gt_dataset_create(gt_dataset **out, const gt_dataset_options *options);

/**
 * Copy one image and its labels. Images may have different sizes.
 * raw     any type, channels as in the options; preprocessed here, as an image of its own whatever
 *         the scope
 * labels  one channel of the same size; the values are grey values: all values seen so far, sorted,
 *         define the labels (index = rank), as soon as the data set is used
 * GT_ESHAPE  sizes differ, or the crop lies outside; GT_ENUMERIC  NaN or infinity; GT_EINVAL after
 * first use
 */
GT_API gt_status gt_dataset_add(gt_dataset *dataset, const gt_image_view *raw,
                                const gt_image_view *labels);

/**
 * Read all pages of two paths as pairs in order: images (file, multi-page file or folder, see
 * gt_image_reader_open) and labels (the same, or one sub-folder per label, see gt_label_reader). With
 * GT_SCOPE_STACK the images of raw_path share one scale.
 * GT_ESHAPE  numbers of pages or sizes differ, named in the message; GT_EFORMAT  no label images,
 * or sub-folders where others before gave grey values; GT_ECANCELLED  by the progress callback: the
 * data set is as before
 */
GT_API gt_status gt_dataset_load(gt_dataset *dataset, const char *raw_path,
                                 const char *labels_path);

/** Number of images, and of labels (checks the label values: GT_EFORMAT names the surplus ones). */
GT_API size_t gt_dataset_images(const gt_dataset *dataset);
GT_API gt_status gt_dataset_labels(int32_t *out, gt_dataset *dataset);
/** Channels of the images (1 or 3); 0 while empty. */
GT_API int32_t gt_dataset_channels(const gt_dataset *dataset);
/** Grey value of a label (index below the number of labels), -1 if out of range, or if several
 * values or sub-folders stand for it. */
GT_API int32_t gt_dataset_grey(gt_dataset *dataset, int32_t label);

/** Release. NULL is accepted. */
GT_API void gt_dataset_free(gt_dataset *dataset);

/* ---- training ---- */

typedef enum gt_solver { GT_SGD, GT_ADAMW } gt_solver;

/** Learning rate over time; t iterations done, T all, u = max(t/T, share of the time limit used).
 * */
typedef enum gt_policy {
    GT_POLICY_FIXED, /**< rate */
    GT_POLICY_INV,   /**< rate * (1 + gamma*t)^(-power) */
    GT_POLICY_STEP,  /**< rate * gamma^floor(t/step) */
    GT_POLICY_POLY,  /**< rate * (1 - u)^power */
    GT_POLICY_COSINE /**< rate * (1 + cos(pi*u))/2 */
} gt_policy;

/** Symmetries applied to patches, drawn uniformly. */
typedef enum gt_augment {
    GT_AUGMENT_AUTO, /**< d4 for 2 labels, none for more (labels may depend on direction) */
    GT_AUGMENT_NONE,
    GT_AUGMENT_FLIPS, /**< 4: none, vertical, horizontal, both */
    GT_AUGMENT_D4     /**< 8: flips and rotations by 90 degrees */
} gt_augment;

/** What is minimised. */
typedef enum gt_loss_kind {
    GT_LOSS_SOFTMAX,      /**< cross-entropy of every pixel, gt_graph_softmax_loss() */
    GT_LOSS_MALIS,        /**< connectivity, gt_graph_malis_loss(); networks of 2 labels */
    GT_LOSS_SOFTMAX_MALIS /**< the sum of both */
} gt_loss_kind;

typedef struct gt_loss_options {
    gt_loss_kind kind;        /**< default GT_LOSS_SOFTMAX */
    float softmax_weight;     /**< factor of the softmax loss; default 1 */
    float malis_weight;       /**< factor of the MALIS loss; default 1 */
    uint64_t malis_after;     /**< with MALIS: only softmax for so many iterations; default 0 */
    gt_malis_form malis_form; /**< default GT_MALIS_SQUARED */
} gt_loss_options;

typedef struct gt_train_options {
    int32_t patch;       /**< output size of a patch in pixels; legal for the network and not larger
                              than any image; 0 (default): the largest legal up to 128 (sw: 1) */
    int32_t batch;       /**< patches per iteration; default 1 (sw: 32) when 0 */
    uint64_t iterations; /**< stop after so many in all; default 10000 */
    double time_limit; /**< stop after so many seconds of this run; 0 (default): none. With a limit,
                              poly and cosine depend on the clock, so such a run is not resumable
                              bit for bit */
    gt_solver solver;  /**< default GT_ADAMW */
    gt_policy policy;  /**< default GT_POLICY_COSINE */
    float rate;        /**< default 1e-3 */
    float gamma, power; /**< of inv, step, poly; default 1e-4, 0.75 */
    uint64_t step;      /**< of step; default 10000 */
    uint64_t warmup;    /**< iterations over which the rate rises linearly from 0; default 100 */
    float momentum;     /**< of SGD; default 0.99 */
    float beta1, beta2, epsilon; /**< of AdamW; default 0.9, 0.999, 1e-8 */
    float
        decay; /**< weight decay (SGD: in the gradient, as Caffe; AdamW: decoupled); default 1e-4 */
    float clip;             /**< largest norm of the whole gradient; 0: no limit; default 1 */
    gt_normalize normalize; /**< of the softmax loss; default GT_NORMALIZE_VALID */
    /** Masking of frequent labels (equalise) is not seen by MALIS: only pixels of ignored values
        are no part of its graph. */
    gt_loss_options loss;
    gt_augment augment; /**< default GT_AUGMENT_AUTO */
    /** Rotation, elastic deformation, grey values; default: none. */
    gt_augment_options distort;
    gt_equalise equalise;        /**< default GT_EQUALISE_NONE */
    gt_equalise_options balance; /**< weights of masking */
    uint64_t seed;               /**< default 1 */
    int32_t deterministic;       /**< see gt_program_options; default 0 */
    /** Threads that produce patches ahead of their use, up to 64; 0 (default): the processors that
        do not compute, 1 to 4. Results do not depend on it. */
    int32_t feeders;
} gt_train_options;

/** Write the defaults. */
GT_API void gt_train_options_init(gt_train_options *options);

/** Trains a model on a data set. */
typedef struct gt_trainer gt_trainer;

/**
 * Plan training.
 * out      receives the trainer; the caller owns it; free with gt_trainer_free() before the rest
 * model    is trained in place: its host weights are brought up to date by gt_trainer_sync(), by
 *          saving and at the end of gt_trainer_run(); it takes over the data's preprocessing
 * GT_ESHAPE  patch not legal or larger than an image; GT_EINVAL  labels or channels differ from the
 *          data's, MALIS for other than 2 labels, or an option out of range; GT_ENOMEM
 */
GT_API gt_status gt_trainer_create(gt_trainer **out, gt_device *device, gt_model *model,
                                   gt_dataset *dataset, const gt_train_options *options);

typedef struct gt_train_progress {
    uint64_t iteration;  /**< iterations done in all */
    float loss;          /**< of the last iteration */
    float loss_mean;     /**< exponential mean over about 50 iterations */
    float rate;          /**< learning rate of the last iteration */
    float gradient_norm; /**< before clipping */
    double seconds;      /**< since gt_trainer_run() or the first step of this run */
    uint64_t total;      /**< iterations wanted */
    float loss_softmax;  /**< parts of `loss`, their weights included; 0 while not minimised */
    float loss_malis;
    double waited; /**< seconds of these in which the device waited for patches */
    double idle;   /**< the same as a share of the time of all steps of this run */
} gt_train_progress;

/**
 * One iteration. GT_ENUMERIC  loss or gradient is not finite: the weights are left as they were.
 * progress  may be NULL
 */
GT_API gt_status gt_trainer_step(gt_train_progress *progress, gt_trainer *trainer);

/** Called after every iteration; return non-zero to stop with GT_ECANCELLED (the state stays
 * valid). */
typedef int (*gt_train_fn)(const gt_train_progress *progress, void *cookie);

/** Step until iterations or time are used up. fn may be NULL. */
GT_API gt_status gt_trainer_run(gt_trainer *trainer, gt_train_fn fn, void *cookie);

/**
 * Frequencies of the labels before and after equalisation.
 * out  receives up to `capacity` entries, in the order of the fine labels (may be NULL with 0)
 * Returns the number of fine labels. The same numbers go to the device's log (GT_LOG_INFO).
 */
GT_API size_t gt_trainer_label_shares(gt_label_share *out, size_t capacity,
                                      const gt_trainer *trainer);

/** Bring the model's host weights up to date. */
GT_API gt_status gt_trainer_sync(gt_trainer *trainer);

/**
 * Write model and state (optimizer, iteration, seed) to a file that gt_model_load() reads as well;
 * a former file of that name is kept as `path`.prev. Written beside, synced, renamed.
 * GT_EIO; GT_EINVAL  path exists and is not a regular file
 */
GT_API gt_status gt_trainer_save(gt_trainer *trainer, const char *path);

/**
 * Continue from `path`, or from `path`.prev if that is the newest valid one. What follows is bit
 * for bit what an uninterrupted run gives (same options, no time limit, CPU): checkpoints name the
 * kernels that the training runs on, and these are taken again, whatever measurements (gt_tune_run())
 * there are now. Where they cannot be (another kind of device, other sizes, kernels that are no more)
 * they are chosen anew, and the device's log is told (GT_LOG_WARN). To change kernels, the device
 * holds two programs for a moment.
 * GT_EIO, GT_EFORMAT  neither can be read; GT_ESHAPE  of another network; GT_EINVAL  other solver or
 * preprocessing
 */
GT_API gt_status gt_trainer_resume(gt_trainer *trainer, const char *path);

/** Memory of the training program; where MALIS comes later, the larger of the two. When it comes, the
 * device holds both for a moment. */
GT_API void gt_trainer_get_memory(const gt_trainer *trainer, gt_program_memory *out);

/** The plan of the present training program as text; the caller frees it with gt_free(). */
GT_API gt_status gt_trainer_dump(char **out, const gt_trainer *trainer);

/** Release. NULL is accepted. */
GT_API void gt_trainer_free(gt_trainer *trainer);

#ifdef __cplusplus
}
#endif
#endif
