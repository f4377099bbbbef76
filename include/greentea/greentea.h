/* Greentea: pixelwise image classification with convolutional networks.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GREENTEA_GREENTEA_H
#define GREENTEA_GREENTEA_H

#include <greentea/augment.h>
#include <greentea/benchmark.h>
#include <greentea/device.h>
#include <greentea/evaluate.h>
#include <greentea/graph.h>
#include <greentea/image.h>
#include <greentea/inspect.h>
#include <greentea/labels.h>
#include <greentea/model.h>
#include <greentea/predict.h>
#include <greentea/preprocess.h>
#include <greentea/status.h>
#include <greentea/train.h>

#endif
