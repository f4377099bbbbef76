/* USK-Net: one level of a U around an SK core at half resolution (Tschopp 2015, arXiv:1509.03371).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "models/builder.h"

static const struct gt_layer layers[] = {
    /*       name  kernel dilation channels  relu    sigma */
    GT_CONV("conv1", 3, 1, 64, GT_RELU, 0.3),   /* 692 -> 690 */
    GT_CONV("conv2", 3, 1, 64, GT_RELU, 0.06),  /*     -> 688 */
    GT_POOL("pool1", 2, 2, 1),                  /*     -> 344 */
    GT_CONV("conv3", 6, 1, 128, GT_RELU, 0.01), /*     -> 339 */
    GT_POOL("pool2", 2, 1, 1),                  /*     -> 338 */
    GT_CONV("conv4", 4, 2, 128, GT_RELU, 0.01), /*     -> 332 */
    GT_POOL("pool3", 2, 1, 2),                  /*     -> 330 */
    GT_CONV("conv5", 4, 4, 128, GT_RELU, 0.01), /*     -> 318 */
    GT_POOL("pool4", 2, 1, 4),                  /*     -> 314 */
    GT_CONV("ip1", 8, 8, 512, GT_RELU, 0.01),   /*     -> 258 */
    GT_CONV("ip2", 1, 1, 256, GT_RELU, 0.01),
    GT_UPCONV("upconv1"), /*     -> 516 */
    GT_CONV("conv6", 1, 1, 128, GT_LINEAR, 0.09),
    GT_MERGECROP("mergecrop1", "conv2"),
    GT_CONV("conv7", 3, 1, 128, GT_RELU, 0.04), /*     -> 514 */
    GT_CONV("conv8", 3, 1, 64, GT_RELU, 0.04),  /*     -> 512 */
    GT_CONV("ip3", 1, 1, GT_LABELS, GT_LINEAR, 0.18),
};

const struct gt_net gt__net_usk = {
    .name = "usk",
    .title = "USK-Net",
    .labels = 2,
    .geometry =
        {.canonical = 512, .minimum = 2, .step = 2, .shrink = 180, .border = 90, .period = 2},
    .layers = layers,
    .n_layers = sizeof layers / sizeof *layers,
};
