/* Train on images held in memory, save the model, label an image: train_memory MODEL.safetensors
 * SPDX-License-Identifier: BSD-2-Clause */
#include <greentea/greentea.h>

#include <stdio.h>

enum { SIZE = 160, ITERATIONS = 30 };

#define TRY(call)                                                                                  \
    do {                                                                                           \
        gt_status status_ = (call);                                                                \
        if (status_ != GT_OK) {                                                                    \
            return status_; /* main frees what there is */                                         \
        }                                                                                          \
    } while (0)

static struct {
    gt_device *device;
    gt_dataset *data;
    gt_model *model;
    gt_trainer *trainer;
    gt_predictor *predictor;
    gt_image *raw[2], *labels[2], *prob;
} my;

static int show(const gt_train_progress *p, void *cookie)
{
    (void)cookie;
    if (p->iteration % 10 == 0) {
        printf("iteration %d, loss %.4f\n", (int)p->iteration, (double)p->loss_mean);
    }
    return 0; /* anything else stops the training */
}

static gt_status run(const char *path)
{
    gt_model_options mo;
    gt_train_options to;
    for (uint32_t i = 0; i < 2; i++) {
        TRY(gt_synthetic_section(&my.raw[i], &my.labels[i], SIZE, SIZE, 1, i));
    }
    gt_image_view raw = gt_image_get_view(my.raw[0]);
    gt_image_view labels = gt_image_get_view(my.labels[0]);
    TRY(gt_dataset_create(&my.data, NULL));
    TRY(gt_dataset_add(my.data, &raw, &labels));
    gt_model_options_init(&mo);
    mo.net = "usk";
    mo.width = 0.1;
    mo.channels = 1;
    TRY(gt_model_create(&my.model, &mo));
    TRY(gt_model_init_weights(my.model, GT_INIT_HE, 1));
    gt_train_options_init(&to);
    to.iterations = ITERATIONS;
    to.patch = 40;
    TRY(gt_device_open(&my.device, NULL, NULL));
    TRY(gt_trainer_create(&my.trainer, my.device, my.model, my.data, &to));
    TRY(gt_trainer_run(my.trainer, show, NULL));
    TRY(gt_trainer_save(my.trainer, path));
    gt_image_view unseen = gt_image_get_view(my.raw[1]);
    TRY(gt_predictor_create(&my.predictor, my.device, my.model, NULL));
    return gt_predictor_run(&my.prob, my.predictor, &unseen); /* [2][SIZE][SIZE] floats */
}

int main(int argc, char **argv)
{
    gt_status status = run(argc > 1 ? argv[1] : "train_memory.safetensors");
    printf("%s %s\n", gt_status_name(status), status == GT_OK ? "" : gt_error_message());
    gt_image *images[] = {my.raw[0], my.raw[1], my.labels[0], my.labels[1], my.prob};
    for (int i = 0; i < 5; i++) {
        gt_image_free(images[i]);
    }
    gt_predictor_free(my.predictor);
    gt_trainer_free(my.trainer);
    gt_model_free(my.model);
    gt_dataset_free(my.data);
    gt_device_free(my.device);
    return status == GT_OK ? 0 : 1;
}
