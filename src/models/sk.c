/* SK-Net: SW evaluated at all pixels at once with strided kernels (Tschopp 2015, arXiv:1509.03371).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "models/builder.h"

static const struct gt_layer layers[] = {
    /*       name  kernel dilation channels  relu    sigma */
    GT_CONV("conv1", 7, 1, 48, GT_RELU, 0.01),  /* 229 -> 223 */
    GT_POOL("pool1", 2, 1, 1),                  /*     -> 222 */
    GT_CONV("conv2", 5, 2, 128, GT_RELU, 0.01), /*     -> 214 */
    GT_POOL("pool2", 2, 1, 2),                  /*     -> 212 */
    GT_CONV("conv3", 3, 4, 192, GT_RELU, 0.01), /*     -> 204 */
    GT_POOL("pool3", 2, 1, 4),                  /*     -> 200 */
    GT_CONV("ip1", 10, 8, 1024, GT_RELU, 0.01), /*     -> 128 */
    GT_CONV("ip2", 1, 1, 512, GT_RELU, 0.01),
    GT_CONV("ip3", 1, 1, GT_LABELS, GT_LINEAR, 0.01),
};

const struct gt_net gt__net_sk = {
    .name = "sk",
    .title = "SK-Net",
    .labels = 2,
    .geometry =
        {.canonical = 128, .minimum = 1, .step = 1, .shrink = 101, .border = 51, .period = 1},
    .layers = layers,
    .n_layers = sizeof layers / sizeof *layers,
};
