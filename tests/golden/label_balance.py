#!/usr/bin/env python3
"""Label equalisation by its definition, patch by patch: the numbers of tests/unit/test_balance.c and test_prior.c.

For all patches of all images: counts c_k(p), w(p) = sum_k (c_k(p)/P^2) / f[k] with f from the number
of patches that hold a pixel, the frequencies under that weight, and the shares to keep; with a
border boost B, of pixels that have another label within R pixels (chessboard distance).
SPDX-License-Identifier: BSD-2-Clause"""
import numpy as np


def patches(image, p):
    h, w = image.shape
    return [image[y : y + p, x : x + p] for y in range(h - p + 1) for x in range(w - p + 1)]


def borders(image, reach):
    h, w = image.shape
    out = np.zeros(image.shape, bool)
    for y in range(h):
        for x in range(w):
            window = image[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
            out[y, x] = image[y, x] >= 0 and np.any((window >= 0) & (window != image[y, x]))
    return out


def balance(images, p, n, beta=None, boost=1.0, reach=1):
    beta = np.ones(n) if beta is None else np.asarray(beta, float)
    all_patches = [q for image in images for q in patches(image, p)]
    marks = [q for image in images for q in patches(borders(image, reach), p)]
    count = np.array([[np.sum(q == k) for k in range(n)] for q in all_patches], float)
    inner = np.array([[np.sum((q == k) & ~m) for k in range(n)] for q, m in zip(all_patches, marks)])
    outer = count - inner
    f = count.sum(0) / count.sum()
    w = (count / p**2 / np.where(f > 0, f, np.inf)).sum(1)
    result = {"f": f, "w": w, "total": w.sum()}
    for name, weight in (("uniform", np.ones(len(w))), ("prior", w)):
        a, e = weight @ inner, weight @ outer
        if boost == 1.0:
            a, e = a + e, 0 * e
        inside = beta / (a + boost * e)
        top = max(inside[a > 0].max(initial=0), boost * inside[e > 0].max(initial=0))
        result[name] = {
            "f": (a + e) / (a + e).sum(),
            "keep": inside / top,
            "keep_border": boost * inside / top,
            "kept_share": (a @ inside + e @ inside * boost) / top / (a + e).sum(),
        }
    return result


if __name__ == "__main__":
    np.set_printoptions(precision=9, suppress=True)
    spec = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [1, 0, 2, 1], [1, 1, 2, 1]])
    print("specification", balance([spec], 2, 3))
    print("boosts", balance([spec], 2, 3, [1.0, 2.0, 0.5]))
    # two images of different sizes, ignored pixels
    y, x = np.mgrid[0:7, 0:9]
    one = (x * x + 3 * y) % 11 // 4
    y, x = np.mgrid[0:5, 0:12]
    two = (x // 3 + y // 2) % 4
    two[two == 3] = -1
    print("two images", balance([one, two], 3, 3))
    y, x = np.mgrid[0:12, 0:12]
    blocks = (x >= 5) * 1 + ((y >= 8) & (x < 5)) * 2
    print("borders", balance([blocks], 4, 3, [1, 1, 2], boost=3.0, reach=1))
