"""Times one network in other people's software, or checks that all of it computes the same.

bench_rivals.py RIVAL NET OUT_SIZE MODE WIDTH WARM_UP RUNS THREADS
    prints the median of RUNS runs in ms, the peak of resident memory in MiB, the version
bench_rivals.py --check
    prints the largest differences on small networks; fails where fp32 differs by more than 1e-4

MODE   process, bf16 (process with weights and maps of that type) or train
RIVAL  torch-dilated    PyTorch, dilation as networks of this kind are usually written
       torch-fragments  PyTorch, dense convolutions on d*d fragments instead (sk, usk, usk9)
       either with -cl: channels last
       ort              ONNX Runtime (process only); needs onnx as well
       ncnn             ncnn with Winograd's convolution (process, bf16)
BENCH_TORCH_DEVICE: cpu (default) or cuda: plain fp32, the input on the device, cuDNN free to choose.
Each gets what its manual recommends: PyTorch's inference mode, ONNX Runtime's graph optimisation
(all), ncnn's Winograd, packed channels and all cores. Loading and repacking of weights is not timed,
and the process that writes the networks' files is another one, so its memory does not count.
The layers are those of golden/network_tables.py, the weights those of He by a fixed seed.
SPDX-License-Identifier: BSD-2-Clause"""
import importlib.util
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden"))

import network_tables

SHRINK = {"sw": 101, "sk": 101, "u": 184, "usk": 180, "usk9": 180}


class Weights:
    """Makes parameters in the order in which a network asks for them: the same for every rival."""

    def __init__(self, name, width):
        self.name, self.width = name, float(width)
        self.labels = 9 if name == "usk9" else 2
        self.random = np.random.default_rng(1)

    def channels(self, out):
        return out if out == self.labels else max(1, int(self.width * out + 0.5))

    def make(self, out, cin, kernel):
        w = self.random.standard_normal((out, cin, kernel, kernel), np.float32)
        return w * np.float32((2.0 / (cin * kernel**2)) ** 0.5), np.zeros(out, np.float32)


def picture(size):
    return np.random.default_rng(2).uniform(-1, 1, (1, 3, size, size)).astype(np.float32)


# ---- PyTorch ----


class Torch(Weights):
    """Makes its parameters in the first pass and takes them again in every later one. `factor`: how
    many fragments along an axis x is cut into; they lie in the batch."""

    def __init__(self, name, width, fragments, last, device, bf16):
        import torch
        import torch.nn.functional as functional

        super().__init__(name, width)
        self.torch, self.f = torch, functional
        self.fragments, self.last, self.device = fragments, last, device
        self.type = torch.bfloat16 if bf16 else torch.float32
        self.params, self.next, self.factor = [], 0, 1

    def tensor(self, array):
        t = self.torch.from_numpy(array).to(self.device, self.type)
        if self.last and t.ndim == 4:
            t = t.contiguous(memory_format=self.torch.channels_last)
        return t

    def conv(self, x, out, kernel, dilation=1, relu=True):
        if self.next == len(self.params):
            made = self.make(self.channels(out), x.shape[1], kernel)
            self.params += [self.tensor(p).requires_grad_() for p in made]
        w, b = self.params[self.next : self.next + 2]
        self.next += 2
        y = self.f.conv2d(x, w, b, dilation=1 if self.fragments else dilation)
        return self.f.relu(y) if relu else y

    def pool(self, x, stride, dilation=1):
        if stride == 2 or not self.fragments:
            return self.f.max_pool2d(x, 2, stride, dilation=dilation)
        return self.split(self.f.max_pool2d(x, 2, 1))

    def split(self, x):
        """Every image becomes four: rows and columns of each parity."""
        if self.factor == 1:
            self.sizes = []
        h, w = x.shape[2:]
        self.sizes.append((h, w))
        self.factor *= 2
        x = self.f.pad(x, (0, w % 2, 0, h % 2))
        return self.torch.cat([x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)])

    def whole(self, x):
        """Back to one image. Its size: kernels cut the same from the whole, as often as they are wide."""
        while self.factor > 1:
            n, c, h, w = x.shape
            x = x.reshape(2, 2, n // 4, c, h, w).permute(2, 3, 4, 0, 5, 1)
            x = x.reshape(n // 4, c, 2 * h, 2 * w)
            self.factor //= 2
        return x

    def up(self, x):
        return self.f.interpolate(self.cut(x), scale_factor=2, mode="nearest")

    def cut(self, x):
        if self.factor == 1:
            return x
        return self.whole(x)[:, :, : self.size, : self.size]

    def merge(self, a, b):
        oy, ox = (b.shape[2] - a.shape[2]) // 2, (b.shape[3] - a.shape[3]) // 2
        return self.torch.cat([a, b[:, :, oy : oy + a.shape[2], ox : ox + a.shape[3]]], 1)

    def scores(self, x):
        self.next = 0
        return self.cut(getattr(network_tables, self.name)(self, x))


def torch_steps(rival, name, size, mode, width, threads):
    import torch

    device = os.environ.get("BENCH_TORCH_DEVICE", "cpu")
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    net = Torch(name, width, "fragments" in rival, rival.endswith("-cl"), device, mode == "bf16")
    net.size = {"sk": size, "usk": (size + 4) // 2, "usk9": (size + 12) // 4}.get(name)
    x = net.tensor(picture(size + SHRINK[name]))
    truth = torch.from_numpy(np.random.default_rng(3).integers(0, net.labels, (1, size, size)))
    truth = truth.to(device)

    def scores():
        with torch.inference_mode():
            return torch.softmax(net.scores(x), 1)

    if mode != "train":
        return scores, lambda: torch.cuda.synchronize() if device == "cuda" else None
    with torch.no_grad():
        net.scores(x)  # makes the parameters
    update = torch.optim.SGD(net.params, lr=1e-6, momentum=0.99, weight_decay=1e-4)

    def step():
        update.zero_grad(set_to_none=True)
        net.f.cross_entropy(net.scores(x), truth).backward()
        update.step()

    return step, lambda: torch.cuda.synchronize() if device == "cuda" else None


# ---- networks as files ----


class Blob:
    def __init__(self, name, shape):
        self.name, self.shape = name, shape


class Writer(Weights):
    """Follows names and shapes [1, channels, height, width]."""

    def __init__(self, name, width):
        super().__init__(name, width)
        self.count = 0

    def blob(self, c, h, w):
        self.count += 1
        return Blob(f"b{self.count}", (1, c, h, w))


class Onnx(Writer):
    def __init__(self, name, width):
        import onnx

        super().__init__(name, width)
        self.onnx, self.nodes, self.constants = onnx, [], []

    def node(self, op, inputs, out, **attributes):
        self.nodes.append(self.onnx.helper.make_node(op, inputs, [out.name], **attributes))
        return out

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def conv(self, x, out, kernel, dilation=1, relu=True):
        _, c, h, w = x.shape
        out, shrink = self.channels(out), dilation * (kernel - 1)
        inputs = [x.name] + [self.constant(p) for p in self.make(out, c, kernel)]
        y = self.node("Conv", inputs, self.blob(out, h - shrink, w - shrink),
                      kernel_shape=[kernel, kernel], dilations=[dilation, dilation])
        return self.node("Relu", [y.name], self.blob(*y.shape[1:])) if relu else y

    def pool(self, x, stride, dilation=1):
        _, c, h, w = x.shape
        y = self.blob(c, (h - dilation - 1) // stride + 1, (w - dilation - 1) // stride + 1)
        return self.node("MaxPool", [x.name], y, kernel_shape=[2, 2], strides=[stride, stride],
                         dilations=[dilation, dilation])

    def up(self, x):
        _, c, h, w = x.shape
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        return self.node("Resize", [x.name, "", scales], self.blob(c, 2 * h, 2 * w), mode="nearest",
                         coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def merge(self, a, b):
        _, c, h, w = a.shape
        at = [(b.shape[2] - h) // 2, (b.shape[3] - w) // 2]
        inputs = [b.name] + [self.constant(np.array(v, np.int64))
                             for v in (at, [at[0] + h, at[1] + w], [2, 3])]
        cut = self.node("Slice", inputs, self.blob(b.shape[1], h, w))
        return self.node("Concat", [a.name, cut.name], self.blob(c + b.shape[1], h, w), axis=1)

    def write(self, size, folder):
        helper, float32 = self.onnx.helper, self.onnx.TensorProto.FLOAT
        x = Blob("x", (1, 3, size, size))
        y = getattr(network_tables, self.name)(self, x)
        self.node("Softmax", [y.name], Blob("y", y.shape), axis=1)
        graph = helper.make_graph(self.nodes, self.name,
                                  [helper.make_tensor_value_info("x", float32, x.shape)],
                                  [helper.make_tensor_value_info("y", float32, y.shape)],
                                  self.constants)
        opset = [helper.make_opsetid("", 13)]
        self.onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8),
                       os.path.join(folder, "net.onnx"))


def written(kind, name, size, width, folder):
    """Have another process write the files: making them takes memory that is not the rival's."""
    if kind == "Onnx" and importlib.util.find_spec("onnx") is None:
        raise ImportError("no onnx")
    subprocess.run([sys.executable, __file__, "--write", kind, name, str(size + SHRINK[name]),
                    str(width), folder], check=True)


def ort_steps(name, size, width, threads, folder):
    import onnxruntime

    written("Onnx", name, size, width, folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(os.path.join(folder, "net.onnx"), options,
                                           providers=["CPUExecutionProvider"])
    x = picture(size + SHRINK[name])
    return lambda: session.run(None, {"x": x})[0], lambda: None


class Ncnn(Writer):
    """ncnn's text and weights. A blob is read once: Split makes copies. It has no dilated pooling:
    the largest of four crops."""

    def __init__(self, name, width):
        super().__init__(name, width)
        self.layers, self.weights = [], []

    def layer(self, kind, inputs, outputs, *values):
        names = [b.name for b in inputs + outputs]
        head = f"{kind} l{len(self.layers)} {len(inputs)} {len(outputs)} " + " ".join(names)
        self.layers.append([head, list(values), inputs, outputs])
        return outputs[0]

    def conv(self, x, out, kernel, dilation=1, relu=True):
        _, c, h, w = x.shape
        out, shrink = self.channels(out), dilation * (kernel - 1)
        weight, bias = self.make(out, c, kernel)
        self.weights += [np.zeros(1, np.float32), weight.reshape(-1), bias]
        return self.layer("Convolution", [x], [self.blob(out, h - shrink, w - shrink)], f"0={out}",
                          f"1={kernel}", f"2={dilation}", "5=1", f"6={weight.size}",
                          f"9={int(relu)}")

    def crop(self, x, top, left, h, w):
        return self.layer("Crop", [x], [self.blob(x.shape[1], h, w)], f"0={left}", f"1={top}", "2=0",
                          f"3={w}", f"4={h}", f"5={x.shape[1]}")

    def pool(self, x, stride, dilation=1):
        _, c, h, w = x.shape
        if dilation == 1:
            y = self.blob(c, (h - 2) // stride + 1, (w - 2) // stride + 1)
            return self.layer("Pooling", [x], [y], "0=0", "1=2", f"2={stride}", "5=1")
        h, w = h - dilation, w - dilation
        best = self.crop(x, 0, 0, h, w)
        for top, left in ((0, dilation), (dilation, 0), (dilation, dilation)):
            parts = [best, self.crop(x, top, left, h, w)]
            best = self.layer("BinaryOp", parts, [self.blob(c, h, w)], "0=4")
        return best

    def up(self, x):
        _, c, h, w = x.shape
        return self.layer("Interp", [x], [self.blob(c, 2 * h, 2 * w)], "0=1", "1=2.0", "2=2.0")

    def merge(self, a, b):
        _, c, h, w = a.shape
        cut = self.crop(b, (b.shape[2] - h) // 2, (b.shape[3] - w) // 2, h, w)
        return self.layer("Concat", [a, cut], [self.blob(c + b.shape[1], h, w)], "0=0")

    def text(self):
        """Layers with Split where a blob has several readers."""
        readers = {}
        for _, _, inputs, _ in self.layers:
            for b in inputs:
                readers[b.name] = readers.get(b.name, 0) + 1
        taken, lines, blobs = {}, [], 0
        for head, values, inputs, outputs in self.layers:
            words = head.split()
            for i, b in enumerate(inputs):
                if readers[b.name] > 1:
                    words[4 + i] = f"{b.name}_{taken.setdefault(b.name, 0)}"
                    taken[b.name] += 1
            lines.append(" ".join(words + values))
            blobs += len(outputs)
            for b in outputs:
                n = readers.get(b.name, 0)
                if n > 1:
                    copies = " ".join(f"{b.name}_{i}" for i in range(n))
                    lines.append(f"Split s_{b.name} 1 {n} {b.name} {copies}")
                    blobs += n
        return "\n".join(["7767517", f"{len(lines)} {blobs}"] + lines) + "\n"

    def write(self, size, folder):
        x = Blob("x", (1, 3, size, size))
        self.layer("Input", [], [x], f"0={size}", f"1={size}", "2=3")
        y = getattr(network_tables, self.name)(self, x)
        self.layer("Softmax", [y], [Blob("y", y.shape)], "0=0", "1=1")
        with open(os.path.join(folder, "net.param"), "w") as f:
            f.write(self.text())
        np.concatenate(self.weights).astype(np.float32).tofile(os.path.join(folder, "net.bin"))


def ncnn_steps(name, size, width, threads, folder, bf16):
    import ncnn

    written("Ncnn", name, size, width, folder)
    ncnn.set_cpu_powersave(0)
    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_winograd_convolution = net.opt.use_packing_layout = True
    net.opt.use_vulkan_compute = False
    net.opt.use_bf16_storage = bf16
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    if net.load_param(os.path.join(folder, "net.param")) != 0 or \
            net.load_model(os.path.join(folder, "net.bin")) != 0:
        raise RuntimeError("ncnn does not load the network")
    pixels = picture(size + SHRINK[name])[0]
    x = ncnn.Mat(pixels).clone()  # Mat does not keep the array alive

    def step():
        extractor = net.create_extractor()
        extractor.input("x", x)
        return np.array(extractor.extract("y")[1])[None]

    return step, lambda: None


# ---- ----


def steps(rival, name, size, mode, width, threads, folder):
    if rival.startswith("torch-"):
        return torch_steps(rival, name, size, mode, width, threads)
    if mode == "train" or (rival == "ort" and mode == "bf16"):
        raise RuntimeError(f"{rival} has no {mode}")
    if rival == "ort":
        return ort_steps(name, size, width, threads, folder)
    return ncnn_steps(name, size, width, threads, folder, mode == "bf16")


def check():
    rivals = ("torch-dilated", "torch-fragments", "torch-fragments-cl", "ort", "ncnn")
    worst = 0
    for name, size in (("sk", 19), ("u", 20), ("usk", 18), ("usk9", 20)):
        first = None
        for rival, mode in [(r, "process") for r in rivals] + [("ncnn", "bf16")]:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    step, _ = steps(rival, name, size, mode, 0.125, 2, folder)
                    y = np.asarray(step())
                except ImportError as e:
                    print(f"{name} {rival} {mode}: left out ({e})")
                    continue
            first = (rival, y) if first is None else first
            off = np.abs(y - first[1]).max()
            worst = max(worst, off) if mode == "process" else worst
            print(f"{name} {rival} {mode}: {off:.2e} from {first[0]}")
    sys.exit(1 if worst > 1e-4 else 0)


def version(rival):
    modules = {"ort": "onnxruntime", "ncnn": "ncnn"}
    return sys.modules[modules.get(rival, "torch")].__version__.split("+")[0]


def main():
    if sys.argv[1:] == ["--check"]:
        check()
    if sys.argv[1:2] == ["--write"]:
        kind, name, size, width, folder = sys.argv[2:]
        {"Onnx": Onnx, "Ncnn": Ncnn}[kind](name, width).write(int(size), folder)
        return
    rival, name, size, mode, width, warm_up, runs, threads = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        step, wait = steps(rival, name, int(size), mode, float(width), int(threads), folder)
        times = []
        for _ in range(int(warm_up) + int(runs)):
            wait()
            start = time.perf_counter()
            step()
            wait()
            times.append(1000 * (time.perf_counter() - start))
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{statistics.median(times[int(warm_up):]):.3f} {mib:.0f} {version(rival)}")


if __name__ == "__main__":
    main()
