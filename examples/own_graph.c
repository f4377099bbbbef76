/* A network of one's own: two convolutions learn where a noisy image is bright, by plain
 * gradient descent. SPDX-License-Identifier: BSD-2-Clause */
#include <greentea/greentea.h>

#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 32, OUT = SIZE - 4, STEPS = 60, PARAMS = 4, LARGEST = 8 * 2 * 9 };
static const gt_shape shapes[PARAMS] = {{8, 1, 3, 3}, {1, 8, 1, 1}, {2, 8, 3, 3}, {1, 2, 1, 1}};
static float image[SIZE * SIZE], label[OUT * OUT], param[PARAMS][LARGEST], slope[LARGEST];

static void ok(gt_status status)
{
    if (status != GT_OK) {
        fprintf(stderr, "%s: %s\n", gt_status_name(status), gt_error_message());
        exit(1);
    }
}

static float noise(void) /* uniform in [-1, 1] */
{
    return 2.0f * (float)rand() / (float)RAND_MAX - 1.0f;
}

int main(void)
{
    gt_graph *g = NULL;
    gt_device *device = NULL;
    gt_program *program = NULL;
    gt_value x, truth, y, l, v[PARAMS];
    float loss = 0.0f;
    ok(gt_graph_create(&g));
    ok(gt_graph_input(&x, g, (gt_shape){1, 1, SIZE, SIZE}, "image"));
    ok(gt_graph_input(&truth, g, (gt_shape){1, 1, OUT, OUT}, "truth"));
    for (int i = 0; i < PARAMS; i++) {
        ok(gt_graph_param(&v[i], g, shapes[i], i % 2 ? "bias" : "weight", 1.0f, 1.0f));
        for (int k = 0; k < LARGEST && i % 2 == 0; k++) {
            param[i][k] = 0.4f * noise();
        }
    }
    ok(gt_graph_conv2d(&y, g, x, v[0], v[1], 1));
    ok(gt_graph_relu(&y, g, y));
    ok(gt_graph_conv2d(&y, g, y, v[2], v[3], 1));
    ok(gt_graph_softmax_loss(&l, NULL, g, y, truth, GT_NORMALIZE_VALID, 1.0f));
    ok(gt_graph_gradient(g, l));
    ok(gt_graph_output(g, l));
    for (int i = 0; i < PARAMS; i++) {
        ok(gt_graph_output(g, gt_graph_gradient_of(g, v[i])));
    }
    for (int k = 0; k < SIZE * SIZE; k++) { /* output pixel 0 lies over input pixel 2 */
        int row = k / SIZE, column = k % SIZE, bright = row / 8 % 3 != 0 && column / 8 % 3 != 0;
        image[k] = 0.5f * noise() + (float)bright - 0.5f;
        if (row >= 2 && row < OUT + 2 && column >= 2 && column < OUT + 2) {
            label[(row - 2) * OUT + column - 2] = (float)bright;
        }
    }
    ok(gt_device_open(&device, NULL, NULL));
    ok(gt_program_create(&program, device, g, NULL));
    ok(gt_program_write(program, x, image));
    ok(gt_program_write(program, truth, label));
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < PARAMS; i++) {
            ok(gt_program_write(program, v[i], param[i]));
        }
        ok(gt_program_run(program));
        ok(gt_program_read(program, l, &loss));
        for (int i = 0; i < PARAMS; i++) {
            ok(gt_program_read(program, gt_graph_gradient_of(g, v[i]), slope));
            for (int k = 0; k < shapes[i].n * shapes[i].c * shapes[i].h * shapes[i].w; k++) {
                param[i][k] -= 0.5f * slope[k];
            }
        }
    }
    printf("loss after %d steps: %.4f\n", STEPS, (double)loss);
    gt_program_free(program);
    gt_device_free(device);
    gt_graph_free(g);
    return loss < 0.1f ? 0 : 1;
}
