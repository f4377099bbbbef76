/* USK-Net with two levels and a smaller core, published for 9 labels (Tschopp 2015,
 * arXiv:1509.03371). SPDX-License-Identifier: BSD-2-Clause */
#include "models/builder.h"

static const struct gt_layer layers[] = {
    /*       name  kernel dilation channels  relu    sigma */
    GT_CONV("conv1", 3, 1, 64, GT_RELU, 0.3),    /* 692 -> 690 */
    GT_CONV("conv2", 3, 1, 64, GT_RELU, 0.06),   /*     -> 688 */
    GT_POOL("pool1", 2, 2, 1),                   /*     -> 344 */
    GT_CONV("conv3", 3, 1, 128, GT_RELU, 0.06),  /*     -> 342 */
    GT_CONV("conv4", 3, 1, 128, GT_RELU, 0.04),  /*     -> 340 */
    GT_POOL("pool2", 2, 2, 1),                   /*     -> 170 */
    GT_CONV("conv5", 5, 1, 128, GT_RELU, 0.025), /*     -> 166 */
    GT_POOL("pool3", 2, 1, 1),                   /*     -> 165 */
    GT_CONV("conv6", 3, 2, 128, GT_RELU, 0.04),  /*     -> 161 */
    GT_POOL("pool4", 2, 1, 2),                   /*     -> 159 */
    GT_CONV("conv7", 3, 4, 256, GT_RELU, 0.04),  /*     -> 151 */
    GT_POOL("pool5", 2, 1, 4),                   /*     -> 147 */
    GT_CONV("ip1", 3, 8, 512, GT_RELU, 0.03),    /*     -> 131 */
    GT_CONV("ip2", 1, 1, 256, GT_RELU, 0.06),
    GT_UPCONV("upconv1"), /*     -> 262 */
    GT_CONV("conv8", 1, 1, 128, GT_LINEAR, 0.09),
    GT_MERGECROP("mergecrop1", "conv4"),
    GT_CONV("conv9", 3, 1, 128, GT_RELU, 0.03),  /*     -> 260 */
    GT_CONV("conv10", 3, 1, 128, GT_RELU, 0.04), /*     -> 258 */
    GT_UPCONV("upconv2"),                        /*     -> 516 */
    GT_CONV("conv11", 1, 1, 64, GT_LINEAR, 0.125),
    GT_MERGECROP("mergecrop2", "conv2"),
    GT_CONV("conv12", 3, 1, 64, GT_RELU, 0.04), /*     -> 514 */
    GT_CONV("conv13", 3, 1, 64, GT_RELU, 0.06), /*     -> 512 */
    GT_CONV("ip3", 1, 1, GT_LABELS, GT_LINEAR, 0.18),
};

const struct gt_net gt__net_usk9 = {
    .name = "usk9",
    .title = "USK-Net (9 labels)",
    .labels = 9,
    .geometry =
        {.canonical = 512, .minimum = 4, .step = 4, .shrink = 180, .border = 90, .period = 4},
    .layers = layers,
    .n_layers = sizeof layers / sizeof *layers,
};
