#!/usr/bin/env python3
# Scores after thinning, computed independently of the library: prints the constants of
# tests/unit/test_evaluation.c. SPDX-License-Identifier: BSD-2-Clause
#
# Definition: Arganda-Carreras et al. 2015, doi 10.3389/fnana.2015.00142; thinning by Soille and
# Vincent 1990. Where skimage defines the same quantity, the formula is checked against it.
from collections import deque
import numpy as np
from scipy import ndimage
from skimage.metrics import variation_of_information

CROSS = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
THRESHOLDS = [i / 10 for i in range(10)] + [1 - 1e-12]


class Lcg:
    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) % n


def truth_at(case, y, x):
    """The four truths: blocks, noise, thick lines, blocks with an ignored corner."""
    if case == 0 or case == 3:
        t = 0 if (x + 3 * (y // 9)) % 13 == 0 or y % 9 == 0 else 1
        return -1 if case == 3 and x < 12 and y < 14 else t
    if case == 2:
        return 0 if x % 16 < 3 or y % 12 < 3 else 1
    return None


def make(case, seed, w, h):
    r = Lcg(seed)
    truth = np.zeros((h, w), int)
    value = np.zeros((h, w), int)
    for y in range(h):
        for x in range(w):
            t = truth_at(case, y, x)
            if t is None:
                t = 1 if r.below(100) < 60 else 0
            truth[y, x] = t
            if case == 1:
                v = r.below(256)
            else:
                v = (170 if t == 1 else 60) + r.below(181) - 90
            value[y, x] = min(max(v, 0), 255)
    return truth, value / 256


def watershed(mask):
    h, w = mask.shape
    label, n = ndimage.label(mask, CROSS)
    if n == 0:
        return np.ones_like(label)
    state = {(y, x): "dry" for y in range(h) for x in range(w) if not mask[y, x]}
    around = lambda y, x: [(y, x - 1), (y - 1, x), (y, x + 1), (y + 1, x)]
    inside = lambda p: 0 <= p[0] < h and 0 <= p[1] < w
    queue = deque()
    for p in sorted(state):
        if any(inside(q) and label[q] > 0 for q in around(*p)):
            queue.append(p)
    for p in queue:
        state[p] = "queued"
    while queue:
        p = queue.popleft()
        near = set()
        for q in around(*p):
            if not inside(q):
                continue
            if label[q] > 0:
                near.add(label[q])
            elif state[q] == "dry":
                state[q] = "queued"
                queue.append(q)
        label[p] = near.pop() if len(near) == 1 else 0
        state[p] = "done"
    return label


def xlogx(p):
    p = p[p > 0]
    return np.sum(p * np.log(p))


def scores(t, s):
    """t: truth labels, 0 left out; s: labels, 0 = singletons."""
    t, s = t[t > 0], s[t > 0].copy()
    zero = s == 0
    s[zero] = s.max() + 1 + np.arange(zero.sum())
    table = np.unique(np.stack([t, s]), axis=1, return_counts=True)
    p = table[1] / t.size
    ti = np.unique(t, return_counts=True)[1] / t.size
    sj = np.unique(s, return_counts=True)[1] / t.size
    rand = np.sum(p**2) / (0.5 * np.sum(ti**2) + 0.5 * np.sum(sj**2))
    ht, hs, hst = -xlogx(ti), -xlogx(sj), -xlogx(p)
    info = (ht + hs - hst) / (0.5 * (ht + hs)) if ht + hs > 0 else 1.0
    if ht + hs > 0:
        voi = sum(variation_of_information(t, s)) * np.log(2)
        assert abs((ht + hs - voi) / (ht + hs) - info) < 1e-9
    return rand, np.sum(p**2) / np.sum(ti**2), np.sum(p**2) / np.sum(sj**2), info


def main():
    grid = np.arange(64)
    block = grid[:, None] // 16 * 4 + grid // 16 + 1
    lines = np.where((grid[:, None] % 16 == 0) | (grid % 16 == 0), 0, block)
    assert abs(scores(block, lines)[0] - 0.87194) < 5e-6
    for case, (w, h) in enumerate([(64, 48), (40, 33), (65, 50), (57, 41)]):
        truth, prob = make(case, 1000 + case, w, h)
        components = ndimage.label(truth == 1, CROSS)[0]
        rows = []
        for i in (0, 3, 5, 7, 10):
            binary = prob > THRESHOLDS[i]
            known = truth >= 0
            tp = np.sum(binary & (truth == 1))
            f = 2 * tp / (2 * tp + np.sum((binary != (truth == 1)) & known))
            wrong = np.mean((binary != (truth == 1))[known])
            rows.append((i, *scores(components, watershed(binary)), f, wrong))
        for r in rows:
            print("    {%d, %d, {%s}}," % (case, r[0], ", ".join("%.12f" % v for v in r[1:])))


if __name__ == "__main__":
    main()
