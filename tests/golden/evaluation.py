#!/usr/bin/env python3
"""Scores of image pairs, computed from the published definitions with NumPy, SciPy and scikit-image,
independently of the library. Run:
python3 tests/golden/evaluation.py > tests/golden/evaluation_golden.h
scikit-image gives VOI; its adapted Rand error is an oracle only where no predicted label is 0, and
is compared there. SPDX-License-Identifier: BSD-2-Clause"""
import functools
import numpy as np
from scipy import ndimage
from skimage.metrics import adapted_rand_error, variation_of_information
from rand_thinned import CROSS, THRESHOLDS, scores, watershed

LEVELS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/"


def adapted_rand(t, s, form):
    """As in cremi_python and in SNEMI3D's script, over flat arrays of labels."""
    n = t.size
    table = np.zeros((t.max() + 1, s.max() + 1))
    np.add.at(table, (t, s), 1)
    table = table[1:]
    if form == "snemi3d":
        table = table / n
        single = table[:, 0].sum() / n
    else:
        single = table[:, 0].sum() / n
    a = (table.sum(1) ** 2).sum()
    b = (table[:, 1:].sum(0) ** 2).sum() + single
    ab = (table[:, 1:] ** 2).sum() + single
    precision, recall = ab / b, ab / a
    return 1 - 2 * precision * recall / (precision + recall)


def pair_rand(t, s):
    """Pairs of pixels of the truth's foreground, one by one: TP, pairs of truth and prediction."""
    t, s = t[t > 0], s[t > 0]
    other = ~np.eye(t.size, dtype=bool)
    same_t = (t[:, None] == t[None]) & other
    same_s = (s[:, None] == s[None]) & (s[:, None] > 0) & other
    return (same_t & same_s).sum(), same_t.sum(), same_s.sum()


def partition(truth, seg):
    t, s = truth.ravel(), seg.ravel()
    rand, split, merge, info = scores(t, s)
    false_split, false_merge = variation_of_information(truth, seg, ignore_labels=(0,))
    if (s[t > 0] > 0).all() and len(np.unique(s[t > 0])) < (t > 0).sum():
        # pairs n(n-1): the same as the old Rand error without zeros
        tp, pt, ps = pair_rand(t, s)
        if pt + ps > 0:
            error = adapted_rand_error(truth, seg, ignore_labels=(0,))[0]
            assert abs(error - (1 - 2 * tp / (pt + ps))) < 1e-9
    snemi, cremi = adapted_rand(t, s, "snemi3d"), adapted_rand(t, s, "cremi")
    assert abs(snemi - (1 - rand)) < 1e-12
    voi = false_split + false_merge
    return [rand, split, merge, info, false_split, false_merge, snemi, cremi, np.sqrt(voi * cremi)]


def adjacent_components(patch, structure, only_4):
    """Topological number: components of the neighbourhood without the middle that touch it."""
    patch = patch.copy()
    patch[1, 1] = False
    label, _ = ndimage.label(patch, structure)
    if only_4:
        label = label[[0, 1, 1, 2], [1, 0, 2, 1]]
    return len(set(label.ravel()) - {0})


@functools.lru_cache(None)
def is_simple(key):
    patch = np.array(key, bool).reshape(3, 3)
    outside = ~patch
    return (adjacent_components(patch, CROSS, True) == 1 and
            adjacent_components(outside, np.ones((3, 3)), False) == 1)


def distinct(label, y, x):
    near = label[max(y - 1, 0):y + 2, max(x - 1, 0):x + 2].copy()
    near[min(y, 1), min(x, 1)] = 0
    return len(set(near.ravel()) - {0})


def splits_and_mergers(warped, y, x, radius=20):
    """Pixels that would merge objects as foreground, or split one (within a window) as none."""
    label, n = ndimage.label(warped, CROSS)[0], 0
    for v, u in zip(y, x):
        if distinct(label, v, u) >= 2:
            n += 1
        elif warped[v, u]:
            top, left = max(v - radius, 0), max(u - radius, 0)
            window = warped[top:v + radius + 1, left:u + radius + 1].copy()
            window[v - top, u - left] = False
            n += distinct(ndimage.label(window, CROSS)[0], v - top, u - left) >= 2
    return n


def warping(truth, prob, threshold):
    """Share of pixels that differ in the end; share of those that split or merge."""
    source = np.pad(truth == 1, 1)
    target = np.pad(prob > threshold, 1)
    judged = np.pad(truth >= 0, 1)
    sure = np.pad(np.abs(prob - threshold).astype(np.float32), 1)
    before = -1
    while True:
        x, y = np.nonzero(((source != target) & judged).T)
        if x.size == before or x.size == 0:
            kinds = splits_and_mergers(source, y, x)
            return [x.size / (truth >= 0).sum(), kinds / (truth >= 0).sum()]
        before = x.size
        for k in np.argsort(-sure[y, x], kind="stable"):
            v, u = y[k], x[k]
            if is_simple(tuple(source[v - 1:v + 2, u - 1:u + 2].ravel())):
                source[v, u] = ~source[v, u]


def reliability(p, hit):
    bins = np.minimum((p * 15).astype(int), 14)
    gaps = [(np.mean(bins == b), abs(p[bins == b].mean() - hit[bins == b].mean()))
            for b in np.unique(bins)]
    return [sum(w * g for w, g in gaps), max(g for _, g in gaps)]


def calibration(truth, prob):
    """Of the probability of label 1, and of the larger one of both labels."""
    known = truth >= 0
    p, t = prob[known], truth[known]
    both = np.stack([1 - p, p])
    return reliability(p, t == 1) + reliability(both.max(0), both.argmax(0) == t)


def binary(truth, prob):
    """Per threshold: pixel F, wrong, the partition scores (0 without foreground), Rand F, warping."""
    known = truth >= 0
    cells = ndimage.label(truth == 1, CROSS)[0]
    rows = []
    for i, t in enumerate(THRESHOLDS):
        above = prob > t
        tp = np.sum(above & (truth == 1))
        wrong = np.sum((above != (truth == 1)) & known)
        f = 2 * tp / (2 * tp + wrong) if tp + wrong else 1
        row = [f, wrong / known.sum()]
        if cells.any():
            row += partition(cells, watershed(above))
            both, pt, ps = pair_rand(cells.ravel(), ndimage.label(above, CROSS)[0].ravel())
            row.append(2 * both / (pt + ps) if pt + ps else 1)
        else:
            row += [0] * 9 + [1]
        row += warping(truth, prob, t) if i < 10 else [0, 0]
        rows.append(row)
    return rows


def cells_image(h, w, seed):
    """Cells with membranes: pixels nearest to a random point, lines between."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 1, (9, 2)) * (h, w)
    y, x = np.mgrid[:h, :w]
    near = np.argmin((y[..., None] - points[:, 0]) ** 2 + (x[..., None] - points[:, 1]) ** 2, 2)
    edge = (ndimage.maximum_filter(near, 2) != ndimage.minimum_filter(near, 2))
    return np.where(edge, 0, 1)


def make():
    rng = np.random.default_rng(7)
    truth = cells_image(26, 32, 3)
    level = lambda v: (
        np.clip(np.round(np.asarray(v) * 63), 0, 63).astype(np.float32) / np.float32(63)
    ).astype(np.float64)  # what the library reads as float
    full = truth.astype(float)
    one = np.ones((1, 1), int)
    yield "perfect", truth, level(full)
    yield "all merged", truth, level(full * 0 + 1)
    yield "all split", truth, level(np.indices(truth.shape).sum(0) % 2)
    yield "empty", truth, level(full * 0)
    thick = ndimage.binary_erosion(truth == 1, iterations=2, border_value=1)
    yield "thick borders", truth, level(np.where(thick, 0.85, 0.25))
    yield "moved", truth, level(np.roll(full, 1, 1) * 0.6 + 0.2)
    yield "noise", truth, level(rng.uniform(0, 1, truth.shape))
    yield "one pixel", one, level(one * 0.4)
    yield "no foreground", truth * 0, level(rng.uniform(0, 0.7, truth.shape))
    gap = full.copy()
    gap[8:15, 10:20] = 1
    yield "a merge", truth, level(gap * 0.7 + 0.1)
    cut = full.copy()
    cut[:, 14] = 0
    cut[12] = 0
    yield "splits", truth, level(cut * 0.7 + 0.1)
    blurred = ndimage.gaussian_filter(full + rng.normal(0, 0.35, full.shape), 0.8)
    ignored = truth.copy()
    ignored[:9, :12] = -1
    yield "ignored corner", ignored, level(blurred)
    holes = full.copy()
    holes[3::6, 4::7] = 0
    holes[truth == 0] = rng.uniform(0, 1, (truth == 0).sum()) > 0.8
    yield "holes and islands", truth, level(holes * 0.5 + 0.25 + rng.normal(0, 0.05, full.shape))
    line = np.array([[1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1]])
    large = np.ones((50, 60), int)
    large[10:40, 10:50] = 0
    large[12:38, 12:48] = 1
    way = large.astype(float)
    way[20:23, 48:50] = 0.7  # merges ring and middle
    way[24, :11] = 0.3  # opens the ring, whose rest is a way longer than the window
    way[30, 12:48] = 0.2
    yield "beyond the window", large, level(way)
    yield "one row", line, level(rng.uniform(0, 1, line.shape))
    yield "only foreground", truth * 0 + 1, level(blurred)


def text(values, alphabet):
    return "".join("." if v < 0 else alphabet[v] for v in values.ravel())


def chunks(s):
    return "\n".join('     "%s"' % s[i:i + 88] for i in range(0, len(s), 88))


def numbers(row):
    return ", ".join("%.12g" % v for v in row)


def labels_case():
    """Truth and prediction of 4 labels, the last of which never occurs."""
    rng = np.random.default_rng(11)
    truth = rng.integers(-1, 3, 300)
    predicted = np.where(rng.uniform(0, 1, 300) < 0.6, np.abs(truth), rng.integers(0, 3, 300))
    rows, ious = [], []
    for k in range(4):
        t, p = (truth == k), (predicted == k) & (truth >= 0)
        hit, union = (t & p).sum(), (t | p).sum()
        ratio = lambda a, b: a / b if b else 0
        rows.append([ratio(hit, t.sum()), ratio(hit, p.sum()), ratio(2 * hit, t.sum() + p.sum()),
                     ratio(hit, union)])
        ious += [hit / union] if union else []
    print("static const char golden_label_truth[] =\n%s;" % chunks(text(truth, LEVELS)))
    print("static const char golden_label_predicted[] =\n%s;" % chunks(text(predicted, LEVELS)))
    print("/* recall, precision, F1, IoU */\nstatic const double golden_label[4][4] = {")
    print(",\n".join("    {%s}" % numbers(r) for r in rows) + "};")
    print("static const double golden_mean_iou = %.12g;" % np.mean(ious))


def border_case():
    """CREMI's border mask: distance to pixels with a 4-neighbour of another number."""
    cells = cells_image(26, 32, 5)
    label = ndimage.label(cells, CROSS)[0]
    pad = np.pad(label, 1, mode="edge")
    inner = np.ones(label.shape, bool)
    for near in (pad[:-2, 1:-1], pad[2:, 1:-1], pad[1:-1, :-2], pad[1:-1, 2:]):
        inner &= near == label
    distance = ndimage.distance_transform_edt(inner)
    print("/* 32 x 26; kept: pixels above 0 that are further from a border than the radius. */")
    print("static const char golden_border_labels[] =\n%s;" % chunks(text(label, LEVELS)))
    print("static const double golden_border_radius[] = {0, 1, 1.5, 2, 2.9, 5, 1000};")
    kept = [(label > 0) & (distance > r) for r in (0, 1, 1.5, 2, 2.9, 5, 1000)]
    print("static const char *const golden_border_kept[] = {")
    print(",\n".join(chunks(text(k.astype(int), LEVELS)) for k in kept) + "};")


def main():
    grid = np.arange(64)
    block = grid[:, None] // 16 * 4 + grid // 16 + 1
    lines = np.where((grid[:, None] % 16 == 0) | (grid % 16 == 0), 0, block)
    assert abs(adapted_rand(block.ravel(), lines.ravel(), "cremi") - 0.12836) < 5e-6
    assert abs(adapted_rand(block.ravel(), lines.ravel(), "snemi3d") - 0.12806) < 5e-6
    print("/* Made by evaluation.py beside it; do not edit. SPDX-License-Identifier: BSD-2-Clause */")
    print("#ifndef GT_TESTS_EVALUATION_GOLDEN_H\n#define GT_TESTS_EVALUATION_GOLDEN_H\n")
    print("#include <stdint.h>\n")
    print("/* truth: labels, '.' is ignored; prob: places in golden_levels / 63\n"
          " * at: pixel F, share of wrong pixels, V_Rand, its split and merge parts, V_Info, VOI split\n"
          " * and merge, adapted Rand error (SNEMI3D, CREMI), CREMI score, Rand F, warping error, its\n"
          " * splits and mergers\n"
          " * given: V_Rand to CREMI score of the components at threshold 0.5, not thinned\n"
          " * calibration: expected error, worst bin; the same of the larger probability */")
    print("struct golden_pair {\n    const char *name;\n    int32_t width, height;\n"
          "    const char *truth, *prob;\n    double at[11][14];\n    double given[9];\n"
          "    double calibration[4];\n};")
    print('static const char golden_levels[] =\n    "%s";' % LEVELS)
    print("static const struct golden_pair golden_pairs[] = {")
    volume_t, volume_s = [], []
    for name, truth, prob in make():
        h, w = truth.shape
        cells = ndimage.label(truth == 1, CROSS)[0]
        seg = ndimage.label(prob > 0.5, CROSS)[0]
        given = partition(cells, seg) if cells.any() else [0] * 9
        volume_t.append(cells.ravel())
        volume_s.append(seg.ravel())
        prob_text = text(np.round(prob * 63).astype(int), LEVELS)
        print('    {"%s", %d, %d,\n%s,\n%s,' % (name, w, h, chunks(text(truth, LEVELS)),
                                               chunks(prob_text)))
        print("     {" + ",\n      ".join("{%s}" % numbers(r) for r in binary(truth, prob)) + "},")
        print("     {%s},\n     {%s}}," % (numbers(given), numbers(calibration(truth, prob))))
    print("};")
    t, s = np.concatenate(volume_t), np.concatenate(volume_s)
    print("/* The components of all pairs as one volume. */")
    print("static const double golden_volume[9] = {%s};" % numbers(partition(t, s)))
    labels_case()
    border_case()
    print("\n#endif")


main()
