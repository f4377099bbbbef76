#!/usr/bin/env python3
"""Pair counts of MALIS against TuragaLab's library; writes malis_golden.h.
SPDX-License-Identifier: BSD-2-Clause

    malis_pairs.py LIBGREENTEA MALIS_CPP [BOOST_INCLUDE]

LIBGREENTEA    libgreentea.so
MALIS_CPP      malis_cpp.cpp of the package `malis` 1.0 (github.com/TuragaLab/malis); it is compiled
               here, because its Python part no longer imports
BOOST_INCLUDE  where boost/pending/disjoint_sets.hpp is, if not found anyway

The library counts pairs by edge. Edges of equal affinity have the same pixel of the minimum where
all pixels differ, so counts are compared by that pixel, which the order of equals does not change.
From greentea they come as the gradient of the hinge with a threshold so far off that only one of
the passes counts, all of it with slope 1: pairs/N. Needs NumPy and SciPy.
"""
import ctypes
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy import ndimage

SHIM = """
#include "%s"
extern "C" void pairs(int nv, const uint64_t *seg, int ne, const uint64_t *a, const uint64_t *b,
                      const float *w, int pos, uint64_t *out)
{
    malis_loss_weights_cpp(nv, seg, ne, a, b, w, pos, out);
}
"""


def turaga_library(source, include):
    folder = tempfile.mkdtemp()
    shim = os.path.join(folder, "shim.cpp")
    with open(shim, "w") as f:
        f.write(SHIM % os.path.abspath(source))
    out = os.path.join(folder, "libturaga.so")
    boost = ["-I" + include] if include else []
    subprocess.check_call(["g++", "-O3", "-w", "-shared", "-fPIC"] + boost + [shim, "-o", out])
    return ctypes.CDLL(out)


class Options(ctypes.Structure):
    _fields_ = [("form", ctypes.c_int), ("weight", ctypes.c_float), ("margin", ctypes.c_float),
                ("threshold", ctypes.c_float), ("channel", ctypes.c_int32),
                ("n_edges", ctypes.c_int32), ("edges", ctypes.c_int32 * 2 * 16)]


class Shape(ctypes.Structure):
    _fields_ = [(k, ctypes.c_int32) for k in "nchw"]


class Greentea:
    """The gradient of MALIS for one map."""

    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.gt_error_message.restype = ctypes.c_char_p
        self.lib.gt_graph_gradient_of.argtypes = [ctypes.c_void_p, ctypes.c_int32]
        self.device = ctypes.c_void_p()
        self.must(self.lib.gt_device_open(ctypes.byref(self.device), b"cpu", None))

    def must(self, status):
        if status != 0:
            raise RuntimeError(self.lib.gt_error_message().decode())

    def gradient(self, q, label, threshold, repeat=1):
        lib, must = self.lib, self.must
        h, w = q.shape
        graph, program, options = ctypes.c_void_p(), ctypes.c_void_p(), Options()
        prob, lab, loss = ctypes.c_int32(), ctypes.c_int32(), ctypes.c_int32()
        must(lib.gt_graph_create(ctypes.byref(graph)))
        must(lib.gt_graph_param(ctypes.byref(prob), graph, Shape(1, 1, h, w), b"prob",
                                ctypes.c_float(1), ctypes.c_float(1)))
        must(lib.gt_graph_input(ctypes.byref(lab), graph, Shape(1, 1, h, w), b"label"))
        lib.gt_malis_options_init(ctypes.byref(options))
        options.form, options.margin, options.threshold, options.channel = 1, 0, threshold, 0
        must(lib.gt_graph_malis_loss(ctypes.byref(loss), graph, prob, lab, ctypes.byref(options)))
        must(lib.gt_graph_gradient(graph, loss))
        grad = ctypes.c_int32(lib.gt_graph_gradient_of(graph, prob))
        must(lib.gt_graph_output(graph, grad))
        must(lib.gt_program_create(ctypes.byref(program), self.device, graph, None))
        q = np.ascontiguousarray(q, np.float32)
        label = np.ascontiguousarray(label, np.float32)
        out = np.zeros((h, w), np.float32)
        times = []
        for _ in range(repeat):
            must(lib.gt_program_write(program, prob, q.ctypes.data_as(ctypes.c_void_p)))
            must(lib.gt_program_write(program, lab, label.ctypes.data_as(ctypes.c_void_p)))
            start = time.perf_counter()
            must(lib.gt_program_run(program))
            times.append(time.perf_counter() - start)
        must(lib.gt_program_read(program, grad, out.ctypes.data_as(ctypes.c_void_p)))
        lib.gt_program_free(program)
        lib.gt_graph_free(graph)
        return out, sorted(times)[len(times) // 2]


def edges_of(q, label):
    """Ends, affinity, pixel of the minimum and label affinity of all edges, Y before X."""
    h, w = q.shape
    number = np.arange(h * w).reshape(h, w)
    a = np.concatenate([number[:-1].ravel(), number[:, :-1].ravel()])
    b = np.concatenate([number[1:].ravel(), number[:, 1:].ravel()])
    x, flat = q.ravel(), label.ravel()
    keep = (flat[a] >= 0) & (flat[b] >= 0)
    a, b = a[keep], b[keep]
    least = np.where(x[a] < x[b], a, b)
    return a, b, x[least], least, ((flat[a] == 1) & (flat[b] == 1)).astype(np.float32)


def turaga(lib, q, label):
    """Pairs by pixel of the minimum, within and between; seconds of the library alone."""
    seg = ndimage.label(label == 1)[0].astype(np.uint64).ravel()
    a, b, w, least, truth = edges_of(q, label)
    result, seconds = [], 0.0
    a, b = a.astype(np.uint64), b.astype(np.uint64)
    for pos in (1, 0):
        weight = np.ascontiguousarray(np.minimum(w, truth) if pos else np.maximum(w, truth),
                                      np.float32)
        out = np.zeros(len(a), np.uint64)
        p = [v.ctypes.data_as(ctypes.c_void_p) for v in (seg, a, b, weight, out)]
        start = time.perf_counter()
        lib.pairs(seg.size, p[0], len(a), p[1], p[2], p[3], pos, p[4])
        seconds += time.perf_counter() - start
        pixels = np.zeros(seg.size, np.float64)
        np.add.at(pixels, least, out.astype(np.float64))
        result.append(pixels.reshape(q.shape))
    return result[0], result[1], seconds


def problem(rng, h, w, smooth, ignore):
    truth = ndimage.gaussian_filter(rng.standard_normal((h, w)), smooth)
    label = (np.abs(truth) > 0.35 * truth.std()).astype(np.float32)
    q = ndimage.gaussian_filter(label, 0.7) + 0.35 * rng.standard_normal((h, w))
    order = np.argsort(np.argsort(q.ravel())).reshape(h, w)
    q = ((order + 0.5) / (h * w)).astype(np.float32)  # all differ
    label[rng.random((h, w)) < ignore] = -1
    return q, label


def totals(label):
    seg = ndimage.label(label == 1)[0]
    sizes = np.bincount(seg.ravel())[1:].astype(np.float64)
    n = sizes.sum()
    within = (sizes * (sizes - 1) / 2).sum()
    return within, n * (n - 1) / 2 - within


def compare(gt, lib, q, label):
    within, between, _ = turaga(lib, q, label)
    all_within, all_between = totals(label)
    mine = -gt.gradient(q, label, 100.0)[0].astype(np.float64) * all_within
    other = gt.gradient(q, label, -100.0)[0].astype(np.float64) * all_between
    worst = 0.0
    for a, b in ((mine, within), (other, between)):
        worst = max(worst, (np.abs(a - b) / np.maximum(b, 1)).max())
    return worst, within, between


def write_golden(path, problems):
    with open(path, "w") as f:
        f.write("/* Made by malis_pairs.py and clang-format: pairs that TuragaLab's library counts,\n"
                " * by the pixel of the minimum. SPDX-License-Identifier: BSD-2-Clause */\n"
                "#ifndef GT_TESTS_MALIS_GOLDEN_H\n#define GT_TESTS_MALIS_GOLDEN_H\n\n"
                "enum { GOLDEN_H = 6, GOLDEN_W = 7 };\n"
                "static const struct golden_pairs {\n    float q[GOLDEN_H * GOLDEN_W], "
                "label[GOLDEN_H * GOLDEN_W];\n"
                "    float all[2], pairs[2][GOLDEN_H * GOLDEN_W]; /* within, between */\n"
                "} golden_pairs[] = {\n")
        for q, label, within, between in problems:
            def row(v, form):
                return "{" + ", ".join(form % x for x in v.ravel()) + "}"
            f.write("    {%s,\n     %s,\n     {%d, %d},\n     {%s,\n      %s}},\n"
                    % (row(q, "%.9gF"), row(label, "%d"), *totals(label), row(within, "%d"),
                       row(between, "%d")))
        f.write("};\n\n#endif\n")


def main():
    gt = Greentea(sys.argv[1])
    lib = turaga_library(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
    rng = np.random.default_rng(20)
    worst = 0.0
    for i in range(50):
        h, w = rng.integers(2, 48, 2)
        q, label = problem(rng, h, w, rng.choice([0.5, 1, 2, 4]), 0.1 if i % 3 == 0 else 0)
        worst = max(worst, compare(gt, lib, q, label)[0])
    print("50 problems, largest relative difference of pairs at a pixel: %.2g" % worst)
    golden = []
    for ignore in (0, 0.1, 0):
        q, label = problem(rng, 6, 7, 0.8, 0)
        label = (rng.random((6, 7)) < 0.6).astype(np.float32)
        label[rng.random((6, 7)) < ignore] = -1
        _, within, between = compare(gt, lib, q, label)
        golden.append((q, label, within, between))
    write_golden(os.path.join(os.path.dirname(os.path.abspath(__file__)), "malis_golden.h"), golden)
    for smooth in (3, 8):
        q, label = problem(rng, 512, 512, smooth, 0)
        d, _, _ = compare(gt, lib, q, label)
        seconds = turaga(lib, q, label)[2]
        print("512 x 512, %d objects: greentea %.1f ms, TuragaLab's %.1f ms, difference %.2g"
              % (ndimage.label(label == 1)[1], gt.gradient(q, label, 0.5, 9)[1] * 1e3,
                 seconds * 1e3, d))


if __name__ == "__main__":
    main()
