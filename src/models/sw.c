/* SW: the sliding-window network, one pixel from a patch of 102 x 102 (Tschopp 2015,
 * arXiv:1509.03371). The inner products are convolutions over the whole map.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "models/builder.h"

static const struct gt_layer layers[] = {
    /*       name  kernel dilation channels  relu    sigma */
    GT_CONV("conv1", 7, 1, 48, GT_RELU, 0.01),   /* 102 -> 96 */
    GT_POOL("pool1", 2, 2, 1),                   /*     -> 48 */
    GT_CONV("conv2", 5, 1, 128, GT_RELU, 0.01),  /*     -> 44 */
    GT_POOL("pool2", 2, 2, 1),                   /*     -> 22 */
    GT_CONV("conv3", 3, 1, 192, GT_RELU, 0.01),  /*     -> 20 */
    GT_POOL("pool3", 2, 2, 1),                   /*     -> 10 */
    GT_CONV("ip4", 10, 1, 1024, GT_RELU, 0.005), /*     -> 1 */
    GT_CONV("ip5", 1, 1, 512, GT_RELU, 0.005),
    GT_CONV("ip6", 1, 1, GT_LABELS, GT_LINEAR, 0.01),
};

const struct gt_net gt__net_sw = {
    .name = "sw",
    .title = "SW",
    .labels = 2,
    .geometry = {.canonical = 1, .minimum = 1, .step = 0, .shrink = 101, .border = 51, .period = 1},
    .layers = layers,
    .n_layers = sizeof layers / sizeof *layers,
};
