/* Label an image held in memory: label_memory MODEL.safetensors
 * The frame is 8-bit and every row is followed by padding, as cameras deliver it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <greentea/greentea.h>

#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 320, HEIGHT = 200, PITCH = 384 };

/* Any picture will do: bright cells with dark walls. */
static void draw(unsigned char *frame)
{
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            int wall = (x + y / 4) % 40 < 4 || (y + x / 5) % 50 < 4;
            frame[y * PITCH + x] = (unsigned char)(wall ? 50 : 180 + (x * 7 + y * 13) % 40);
        }
    }
}

static gt_status label(gt_image **prob, const char *path, const gt_image_view *frame)
{
    gt_device *device = NULL;
    gt_model *model = NULL;
    gt_predictor *predictor = NULL;
    gt_status status = gt_model_load(&model, path);
    if (status == GT_OK) {
        status = gt_device_open(&device, NULL, NULL);
    }
    if (status == GT_OK) {
        status = gt_predictor_create(&predictor, device, model, NULL);
    }
    if (status == GT_OK) {
        status = gt_predictor_run(prob, predictor, frame);
    }
    gt_predictor_free(predictor);
    gt_device_free(device);
    gt_model_free(model);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: label_memory MODEL\n");
        return 2;
    }
    unsigned char *memory = calloc(HEIGHT, PITCH);
    if (!memory) {
        return 1;
    }
    draw(memory);
    gt_image_view frame = {memory, GT_U8, WIDTH, HEIGHT, 1, 1, PITCH, 0};
    gt_image *prob = NULL;
    gt_status status = label(&prob, argv[1], &frame);
    if (status == GT_OK) {
        gt_image_view p = gt_image_get_view(prob); /* [labels][HEIGHT][WIDTH] floats */
        const float *interior = (const float *)p.data + (size_t)WIDTH * HEIGHT; /* label 1 */
        double sum = 0.0;
        for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++) {
            sum += (double)interior[i];
        }
        printf("%d x %d pixels, %d labels, mean probability of label 1: %.4f\n", p.width, p.height,
               p.channels, sum / (WIDTH * HEIGHT));
    } else {
        fprintf(stderr, "%s: %s\n", gt_status_name(status), gt_error_message());
    }
    gt_image_free(prob);
    free(memory);
    return status == GT_OK ? 0 : 1;
}
