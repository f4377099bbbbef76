#!/usr/bin/python3
"""Golden values of the five networks, computed with PyTorch in double precision and written from the
published tables alone. Needs Debian's python3-torch. Run:
/usr/bin/python3 tests/golden/networks.py > tests/golden/networks_golden.h

Every number both sides need comes from one 32-bit hash of an index (function `uniform`).
SPDX-License-Identifier: BSD-2-Clause"""
import math
import numpy as np
import torch
import torch.nn.functional as F
from network_tables import sk, sw, u, usk, usk9

TENSOR = 0x01000193  # distance between the index ranges of two tensors
INPUT, LABELS = 1000, 2000  # tensor numbers of the input and the labels


def mix(x):
    x = x.astype(np.uint32)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x21F0AAAD)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x735A2D97)
    return x ^ (x >> np.uint32(15))


def hashes(tensor, count):
    with np.errstate(over="ignore"):
        start = np.uint32((tensor * TENSOR) & 0xFFFFFFFF)
        return mix(np.arange(count, dtype=np.uint32) + start)


def uniform(tensor, count):
    """Values in [-0.5, 0.5) with 24 bits."""
    return (hashes(tensor, count) >> np.uint32(8)).astype(np.float64) / 2.0**24 - 0.5


class Net:
    """Runs a network layer by layer and makes its parameters on the way."""

    def __init__(self, width, labels, blocked):
        self.width, self.labels, self.blocked = width, labels, blocked
        self.params = []

    def conv(self, x, out, kernel, dilation=1, relu=True):
        cin = x.shape[1]
        if out != self.labels:
            out = max(1, math.floor(self.width * out + 0.5))
        fan = cin * kernel * kernel
        t = len(self.params)
        w = (uniform(t, out * fan) * math.sqrt(24.0 / fan)).astype(np.float32)
        b = (uniform(t + 1, out) * 0.5).astype(np.float32)
        w = torch.tensor(w.reshape(out, cin, kernel, kernel).astype(np.float64), requires_grad=True)
        b = torch.tensor(b.astype(np.float64), requires_grad=True)
        self.params += [w, b]
        y = F.conv2d(x, w, b, dilation=dilation)
        return F.relu(y) if relu else y

    def pool(self, x, stride, dilation=1):
        return F.max_pool2d(x, 2, stride, dilation=dilation)

    def up(self, x):
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    def merge(self, a, b):
        oy, ox = (b.shape[2] - a.shape[2]) // 2, (b.shape[3] - a.shape[3]) // 2
        b = b[:, :, oy : oy + a.shape[2], ox : ox + a.shape[3]]
        return torch.cat([a, b.detach() if self.blocked else b], 1)


def labels_of(labels, h, w):
    """Class indices; where the hash is a multiple of 7 the pixel is ignored."""
    v = hashes(LABELS, h * w)
    y = (v >> np.uint32(3)) % np.uint32(labels)
    return torch.tensor(np.where(v % np.uint32(7) == 0, -1, y.astype(np.int64)).reshape(1, h, w))


def spread(count, wanted):
    """Indices spread over `count` elements, ends included."""
    return sorted({i * (count - 1) // max(1, wanted - 1) for i in range(wanted)})


def case(name, forward, labels, channels, h, w, shrink, blocked, width=0.125):
    net = Net(width, labels, blocked)
    size = (1, channels, h + shrink, w + shrink)
    x = (uniform(INPUT, size[1] * size[2] * size[3]) * 2).astype(np.float32)
    y = forward(net, torch.tensor(x.reshape(size).astype(np.float64)))
    assert tuple(y.shape) == (1, labels, h, w), y.shape
    truth = labels_of(labels, h, w)
    if h * w == 1:
        truth[:] = 0
    loss = F.cross_entropy(y, truth, ignore_index=-1)
    loss.backward()
    flat = y.detach().reshape(-1)
    tag = f"{name}_{h}x{w}_{'blocked' if blocked else 'flowing'}"
    scores = [f"    {{{i}, {flat[i]:.9e}}}," for i in spread(flat.numel(), 12)]
    grads = []
    for t in spread(len(net.params) // 2, 5):
        for k in (2 * t, 2 * t + 1):
            g = net.params[k].grad.reshape(-1)
            top = float(g.abs().max())
            big = torch.nonzero(g.abs() > top / 8).reshape(-1)
            i = int(big[len(big) // 2])
            grads.append(f"    {{{k}, {i}, {g[i]:.9e}, {top:.9e}}},")
    print(f"static const struct golden_score scores_{tag}[] = {{", *scores, "};", sep="\n")
    print(f"static const struct golden_gradient gradients_{tag}[] = {{", *grads, "};", "", sep="\n")
    return (
        f"    {{\"{name}\", {labels}, {channels}, {h}, {w}, {int(blocked)}, {width},\n"
        f"     {loss.item():.9e}, {float(flat.abs().max()):.9e},\n"
        f"     scores_{tag}, {len(scores)},\n"
        f"     gradients_{tag}, {len(grads)}}},"
    )


def main():
    print(
        "/* Made by networks.py beside it; do not edit. SPDX-License-Identifier: BSD-2-Clause */",
        "#ifndef GT_TESTS_NETWORKS_GOLDEN_H\n#define GT_TESTS_NETWORKS_GOLDEN_H\n",
        "#include <stddef.h>\n#include <stdint.h>\n",
        "/* A score: index into [labels][h][w]. */",
        "struct golden_score {\n    size_t index;\n    double value;\n};",
        "/* Gradient of the loss by one element of a tensor; largest of the tensor. */",
        "struct golden_gradient {\n    size_t tensor, index;\n    double value, largest;\n};",
        "struct golden_case {\n    const char *net;\n    int32_t labels, channels, h, w, blocked;\n"
        "    double width, loss, largest;\n    const struct golden_score *scores;\n"
        "    size_t n_scores;\n    const struct golden_gradient *gradients;\n"
        "    size_t n_gradients;\n};\n",
        "/* clang-format off */", sep="\n")
    rows = [
        case("sw", sw, 2, 3, 1, 1, 101, False),
        case("sk", sk, 2, 3, 9, 9, 101, False),
        case("sk", sk, 2, 1, 3, 6, 101, False),
        case("u", u, 2, 3, 4, 4, 184, False),
        case("u", u, 3, 1, 4, 20, 184, False),
        case("u", u, 2, 3, 20, 20, 184, True),
        case("usk", usk, 2, 3, 6, 6, 180, False),
        case("usk", usk, 2, 3, 6, 6, 180, True),
        case("usk9", usk9, 9, 3, 8, 8, 180, False),
        case("usk9", usk9, 9, 3, 4, 8, 180, True),
    ]
    print("static const struct golden_case golden_cases[] = {", *rows, "};", sep="\n")
    print("/* clang-format on */\n#endif")


if __name__ == "__main__":
    main()
