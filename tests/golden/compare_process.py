#!/usr/bin/python3
"""Compare `greentea process` (float32) with PyTorch: MODEL RAW.tif PROB.tif [PAGE]. The model file is read with
the `safetensors` package, the images with `tifffile`; the page is normalised and mirrored here and evaluated
untiled in one piece by the networks of networks.py. Prints the largest difference of a probability.
SPDX-License-Identifier: BSD-2-Clause"""
import json
import sys
import numpy as np
import tifffile
import torch
import torch.nn.functional as F
from safetensors import safe_open

import networks

SHRINK = {"sk": (101, 51, 1, 1), "u": (184, 92, 16, 4), "usk": (180, 90, 2, 0), "usk9": (180, 90, 4, 0)}


class Stored(networks.Net):
    """Takes its parameters from the file, layer after layer."""

    def __init__(self, tensors, labels):
        super().__init__(1.0, labels, False)
        self.tensors = tensors

    def conv(self, x, out, kernel, dilation=1, relu=True):
        w, b = next(self.tensors)
        assert w.shape[2] == kernel, (w.shape, kernel)
        y = F.conv2d(x, w, b, dilation=dilation)
        return F.relu(y) if relu else y


def layers_in_order(f):
    """(weight, bias) sorted by layer: conv1, conv2 ... and ip1, ip2 ... where the network has them."""
    names = sorted({k.rsplit(".", 1)[0] for k in f.keys() if not k.startswith("optimizer.")},
                   key=lambda n: (n.rstrip("0123456789"), int(n.lstrip("abcdefghijklmnopqrstuvwxyz"))))
    conv, ip = [n for n in names if n.startswith("conv")], [n for n in names if n.startswith("ip")]
    return conv, ip


ORDER = {  # where the ip layers stand among the convolutions
    "sk": lambda c, i: c + i,
    "u": lambda c, i: c + i,
    "usk": lambda c, i: c[:5] + i[:2] + c[5:] + i[2:],
    "usk9": lambda c, i: c[:7] + i[:2] + c[7:] + i[2:],
}


def main():
    model, raw, prob = sys.argv[1:4]
    page = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    with safe_open(model, "pt") as f:
        config = json.loads(f.metadata()["greentea.config"])
        net, labels, channels = config["net"], len(config["labels"]), config["channels"]
        order = ORDER[net](*layers_in_order(f))
        tensors = iter([(f.get_tensor(n + ".weight"), f.get_tensor(n + ".bias")) for n in order])
    image = tifffile.imread(raw, key=page).astype(np.float32)
    low, high = image.min(), image.max()
    image = (image - low) * (2.0 / (high - low)) - 1.0
    shrink, border, step, first = SHRINK[net]
    legal = [s + (-(s - first)) % step for s in image.shape]
    pad = [(border, n + shrink - s - border) for n, s in zip(legal, image.shape)]
    x = np.stack([np.pad(image, pad, mode="symmetric")] * channels)[None]
    with torch.no_grad():
        p = torch.softmax(getattr(networks, net)(Stored(tensors, labels), torch.tensor(x)), 1)[0].numpy()
    p = p[:, : image.shape[0], : image.shape[1]]
    ours = tifffile.imread(prob)
    ours = ours.reshape((-1,) + (1 if labels == 2 else labels,) + image.shape)[page]
    difference = np.abs(ours - (p[1:2] if labels == 2 else p)).max()
    print(f"{net}: largest difference {difference:.3g}, probabilities {ours.min():.3f} to {ours.max():.3f}")
    return 0 if difference < 1e-4 else 1


if __name__ == "__main__":
    sys.exit(main())
