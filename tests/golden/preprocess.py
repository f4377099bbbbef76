#!/usr/bin/env python3
"""Expected values of preprocessing, computed with OpenCV, NumPy and SciPy.

Writes preprocess_golden.h beside itself. Needs opencv-python-headless (written with 5.0.0; any from
3.4 on spreads the rest of CLAHE alike), numpy and scipy. SPDX-License-Identifier: BSD-2-Clause
"""
import pathlib

import cv2
import numpy as np
from scipy import ndimage

CLAHE = [  # width, height, clip, grid
    (64, 48, 4.0, 8), (61, 47, 2.0, 8), (64, 47, 4.0, 8), (63, 48, 4.0, 8), (5, 3, 4.0, 8),
    (1, 1, 4.0, 8), (9, 1, 1.0, 4), (200, 100, 40.0, 4), (130, 70, 0.01, 5), (40, 40, 3.0, 1),
    (37, 90, 2.5, 16)]
PERCENTS = [0.0, 1.0, 2.5, 50.0, 99.0, 99.9, 100.0]
SMOOTH = [(23, 17, 0.7), (23, 17, 2.0), (5, 4, 3.3), (40, 3, 1.5)]


def page(width, height):
    """Ramps and noise, 8 bits; the tests make the same."""
    y, x = np.mgrid[0:height, 0:width].astype(np.uint32)
    h = x * np.uint32(73856093) ^ y * np.uint32(19349663)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0x5bd1e995)
    h ^= h >> np.uint32(15)
    return ((x * np.uint32(2) + y + (h & np.uint32(63))) & np.uint32(255)).astype(np.uint8)


def fnv(data):
    h = 0xcbf29ce484222325
    for b in data.tobytes():
        h = (h ^ b) * 0x100000001b3 % 2**64
    return h


def clahe_float(image, clip, grid):
    """CLAHE of any values, from the words of preprocess.h: bins from minimum to maximum, nothing
    rounded. Sides must be multiples of the grid."""
    v = image.astype(np.float64)
    at = (v - v.min()) * 255 / (v.max() - v.min())
    th, tw = v.shape[0] // grid, v.shape[1] // grid
    limit = max(1, int(clip * th * tw / 256))
    tables = np.empty((grid, grid, 256))
    for i in range(grid):
        for j in range(grid):
            tile = np.floor(at[i * th:(i + 1) * th, j * tw:(j + 1) * tw] + 0.5).astype(int)
            counts = np.bincount(tile.ravel(), minlength=256)
            excess = np.maximum(counts - limit, 0).sum()
            counts = np.minimum(counts, limit) + excess // 256
            rest = excess % 256
            if rest:
                counts[np.arange(rest) * (256 // rest)] += 1
            tables[i, j] = np.cumsum(counts) * 255 / (th * tw)
    out = np.empty_like(v)
    for y in range(v.shape[0]):
        for x in range(v.shape[1]):
            ty, tx = y / th - 0.5, x / tw - 0.5
            i, j = int(np.floor(ty)), int(np.floor(tx))
            a, b = ty - i, tx - j
            total = 0.0
            for di, wy in ((0, 1 - a), (1, a)):
                for dj, wx in ((0, 1 - b), (1, b)):
                    t = tables[min(max(i + di, 0), grid - 1), min(max(j + dj, 0), grid - 1)]
                    total += wy * wx * np.interp(at[y, x], np.arange(256), t)
            out[y, x] = total
    return out


def floats(values):
    return ", ".join("%.9gF" % v if "." in "%.9g" % v or "e" in "%.9g" % v else "%.9g.0F" % v
                     for v in np.asarray(values, np.float64).ravel())


def main():
    lines = ["/* Written by preprocess.py: OpenCV %s, NumPy %s." % (cv2.__version__,
                                                                    np.__version__),
             " * SPDX-License-Identifier: BSD-2-Clause */", "#ifndef GT_TESTS_PREPROCESS_GOLDEN_H",
             "#define GT_TESTS_PREPROCESS_GOLDEN_H", "", "#include <stdint.h>", "",
             "/* FNV-1a of all pixels of cv2.createCLAHE(clip, (grid, grid)).apply(page). */",
             "static const struct {", "    int32_t width, height;", "    double clip;",
             "    int32_t grid;", "    uint64_t hash;", "} golden_clahe[] = {"]
    for w, h, clip, grid in CLAHE:
        out = cv2.createCLAHE(clip, (grid, grid)).apply(page(w, h))
        lines.append("    {%d, %d, %g, %d, UINT64_C(0x%016x)}," % (w, h, clip, grid, fnv(out)))
    out = clahe_float(page(64, 48) * 13.7 - 400.3, 4.0, 8)
    lines += ["};", "", "/* Every 97th pixel of CLAHE, clip 4, grid 8, of page(64, 48) * 13.7 - 400.3. */",
              "static const float golden_clahe_float[] = {%s};" % floats(out.ravel()[::97]), ""]
    # squared, so that neighbours differ by more than 1 bit of the upper half
    values = (page(61, 47).astype(np.float32) * np.float32(0.37) - np.float32(20)) ** 3
    lines += ["/* numpy.percentile of page(61, 47), and of (page * 0.37 - 20)^3 in float. */",
              "static const struct {", "    double percent, bytes, cubes;", "} golden_percentile[] = {"]
    for p in PERCENTS:
        lines.append("    {%g, %.12g, %.12g}," % (p, np.percentile(page(61, 47), p),
                                                np.percentile(values.astype(np.float64), p)))
    v = page(61, 47).astype(np.float64)
    lines += ["};", "", "/* Mean and standard deviation of page(61, 47). */",
              "static const double golden_mean = %.12g;" % v.mean(),
              "static const double golden_deviation = %.12g;" % v.std(), "",
              "/* scipy.ndimage.gaussian_filter, mode reflect, of page: every 7th pixel's sum with weights 1,",
              " * 2, ...; and the pixel in the middle. */", "static const struct {",
              "    int32_t width, height;", "    double sigma, sum, middle;", "} golden_smooth[] = {"]
    for w, h, s in SMOOTH:
        out = ndimage.gaussian_filter(page(w, h).astype(np.float64), s, mode="reflect",
                                      radius=int(np.ceil(3 * s)))
        pick = out.ravel()[::7]
        lines.append("    {%d, %d, %g, %.12g, %.12g}," %
                     (w, h, s, (pick * (1 + np.arange(pick.size))).sum() / pick.size**2,
                      out[h // 2, w // 2]))
    lines += ["};", "", "#endif", ""]
    path = pathlib.Path(__file__).with_name("preprocess_golden.h")
    path.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
