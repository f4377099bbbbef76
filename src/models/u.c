/* U-Net (Ronneberger et al. 2015, arXiv:1505.04597) in the form of Tschopp 2015 (arXiv:1509.03371):
 * frozen upconvolution followed by a 1 x 1 convolution. SPDX-License-Identifier: BSD-2-Clause */
#include "models/builder.h"

static const struct gt_layer layers[] = {
    /*       name  kernel dilation channels  relu    sigma */
    GT_CONV("conv1", 3, 1, 64, GT_RELU, 0.3),      /* 572 -> 570 */
    GT_CONV("conv2", 3, 1, 64, GT_RELU, 0.06),     /*     -> 568 */
    GT_POOL("pool1", 2, 2, 1),                     /*     -> 284 */
    GT_CONV("conv3", 3, 1, 128, GT_RELU, 0.06),    /*     -> 282 */
    GT_CONV("conv4", 3, 1, 128, GT_RELU, 0.04),    /*     -> 280 */
    GT_POOL("pool2", 2, 2, 1),                     /*     -> 140 */
    GT_CONV("conv5", 3, 1, 256, GT_RELU, 0.04),    /*     -> 138 */
    GT_CONV("conv6", 3, 1, 256, GT_RELU, 0.03),    /*     -> 136 */
    GT_POOL("pool3", 2, 2, 1),                     /*     -> 68 */
    GT_CONV("conv7", 3, 1, 512, GT_RELU, 0.03),    /*     -> 66 */
    GT_CONV("conv8", 3, 1, 512, GT_RELU, 0.02),    /*     -> 64 */
    GT_POOL("pool4", 2, 2, 1),                     /*     -> 32 */
    GT_CONV("conv9", 3, 1, 1024, GT_RELU, 0.02),   /*     -> 30 */
    GT_CONV("conv10", 3, 1, 1024, GT_RELU, 0.015), /*     -> 28 */
    GT_UPCONV("upconv1"),                          /*     -> 56 */
    GT_CONV("conv11", 1, 1, 512, GT_LINEAR, 0.045),
    GT_MERGECROP("mergecrop1", "conv8"),
    GT_CONV("conv12", 3, 1, 512, GT_RELU, 0.015), /*     -> 54 */
    GT_CONV("conv13", 3, 1, 512, GT_RELU, 0.02),  /*     -> 52 */
    GT_UPCONV("upconv2"),                         /*     -> 104 */
    GT_CONV("conv14", 1, 1, 256, GT_LINEAR, 0.06),
    GT_MERGECROP("mergecrop2", "conv6"),
    GT_CONV("conv15", 3, 1, 256, GT_RELU, 0.02), /*     -> 102 */
    GT_CONV("conv16", 3, 1, 256, GT_RELU, 0.03), /*     -> 100 */
    GT_UPCONV("upconv3"),                        /*     -> 200 */
    GT_CONV("conv17", 1, 1, 128, GT_LINEAR, 0.09),
    GT_MERGECROP("mergecrop3", "conv4"),
    GT_CONV("conv18", 3, 1, 128, GT_RELU, 0.03), /*     -> 198 */
    GT_CONV("conv19", 3, 1, 128, GT_RELU, 0.04), /*     -> 196 */
    GT_UPCONV("upconv4"),                        /*     -> 392 */
    GT_CONV("conv20", 1, 1, 64, GT_LINEAR, 0.125),
    GT_MERGECROP("mergecrop4", "conv2"),
    GT_CONV("conv21", 3, 1, 64, GT_RELU, 0.04), /*     -> 390 */
    GT_CONV("conv22", 3, 1, 64, GT_RELU, 0.06), /*     -> 388 */
    GT_CONV("ip1", 1, 1, GT_LABELS, GT_LINEAR, 0.18),
};

const struct gt_net gt__net_u = {
    .name = "u",
    .title = "U-Net",
    .labels = 2,
    .geometry =
        {.canonical = 388, .minimum = 4, .step = 16, .shrink = 184, .border = 92, .period = 16},
    .layers = layers,
    .n_layers = sizeof layers / sizeof *layers,
};
