"""One network timed in PyTorch, in the dilated form that it computes directly:
bench_torch.py NET OUT_SIZE process|train WIDTH RUNS THREADS. Prints the median in ms.
BENCH_TORCH_DEVICE: cpu (default) or cuda: plain fp32, the input on the device, cuDNN free to choose.
The layers are those of golden/networks.py. SPDX-License-Identifier: BSD-2-Clause"""
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden"))

import torch
import torch.nn.functional as F

import networks

SHRINK = {"sw": 101, "sk": 101, "u": 184, "usk": 180, "usk9": 180}


class Timed(networks.Net):
    """Makes its float parameters in the first pass and takes them again in every later one."""

    def __init__(self, width, labels):
        super().__init__(width, labels, False)
        self.next = 0

    def conv(self, x, out, kernel, dilation=1, relu=True):
        if self.next == len(self.params):
            if out != self.labels:
                out = max(1, int(self.width * out + 0.5))
            w = torch.randn(out, x.shape[1], kernel, kernel) * (2.0 / (x.shape[1] * kernel**2)) ** 0.5
            b = torch.zeros(out)
            self.params += [w.to(x.device).requires_grad_(), b.to(x.device).requires_grad_()]
        w, b = self.params[self.next : self.next + 2]
        self.next += 2
        y = F.conv2d(x, w, b, dilation=dilation)
        return F.relu(y) if relu else y

    def up(self, x):
        return F.interpolate(x, scale_factor=2, mode="nearest")

    def scores(self, forward, x):
        self.next = 0
        return forward(self, x)


def main():
    name, size, mode, width, runs, threads = sys.argv[1:7]
    size, runs = int(size), int(runs)
    torch.set_num_threads(int(threads))
    labels = 9 if name == "usk9" else 2
    net, forward = Timed(float(width), labels), getattr(networks, name)
    device = os.environ.get("BENCH_TORCH_DEVICE", "cpu")
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    x = (torch.rand(1, 3, size + SHRINK[name], size + SHRINK[name]) * 2 - 1).to(device)
    truth = torch.randint(0, labels, (1, size, size)).to(device)
    with torch.no_grad():
        torch.softmax(net.scores(forward, x), 1)
    update = torch.optim.SGD(net.params, lr=1e-6, momentum=0.99, weight_decay=1e-4)

    def step():
        if mode == "process":
            with torch.no_grad():
                torch.softmax(net.scores(forward, x), 1)
            return
        update.zero_grad(set_to_none=True)
        F.cross_entropy(net.scores(forward, x), truth).backward()
        update.step()

    def wait():
        if device == "cuda":
            torch.cuda.synchronize()

    times = []
    warm_up = 3 if device == "cuda" else 1
    for _ in range(runs + warm_up):
        wait()
        start = time.perf_counter()
        step()
        wait()
        times.append(1000 * (time.perf_counter() - start))
    print(f"{statistics.median(times[warm_up:]):.3f}")


if __name__ == "__main__":
    main()
