"""The five networks, layer by layer, from the published tables: what a class with conv, pool, up, merge
and labels makes of them is its own affair. SPDX-License-Identifier: BSD-2-Clause"""


def sw(n, x):
    x = n.pool(n.conv(x, 48, 7), 2)
    x = n.pool(n.conv(x, 128, 5), 2)
    x = n.pool(n.conv(x, 192, 3), 2)
    x = n.conv(x, 1024, 10)
    x = n.conv(x, 512, 1)
    return n.conv(x, n.labels, 1, relu=False)


def sk(n, x):
    x = n.pool(n.conv(x, 48, 7), 1)
    x = n.pool(n.conv(x, 128, 5, 2), 1, 2)
    x = n.pool(n.conv(x, 192, 3, 4), 1, 4)
    x = n.conv(x, 1024, 10, 8)
    x = n.conv(x, 512, 1)
    return n.conv(x, n.labels, 1, relu=False)


def u(n, x):
    skips = []
    for c in (64, 128, 256, 512):
        x = n.conv(n.conv(x, c, 3), c, 3)
        skips.append(x)
        x = n.pool(x, 2)
    x = n.conv(n.conv(x, 1024, 3), 1024, 3)
    for c in (512, 256, 128, 64):
        x = n.conv(n.up(x), c, 1, relu=False)
        x = n.merge(x, skips.pop())
        x = n.conv(n.conv(x, c, 3), c, 3)
    return n.conv(x, n.labels, 1, relu=False)


def usk(n, x):
    skip = n.conv(n.conv(x, 64, 3), 64, 3)
    x = n.pool(skip, 2)
    x = n.pool(n.conv(x, 128, 6), 1)
    x = n.pool(n.conv(x, 128, 4, 2), 1, 2)
    x = n.pool(n.conv(x, 128, 4, 4), 1, 4)
    x = n.conv(n.conv(x, 512, 8, 8), 256, 1)
    x = n.merge(n.conv(n.up(x), 128, 1, relu=False), skip)
    x = n.conv(n.conv(x, 128, 3), 64, 3)
    return n.conv(x, n.labels, 1, relu=False)


def usk9(n, x):
    skip2 = n.conv(n.conv(x, 64, 3), 64, 3)
    skip4 = n.conv(n.conv(n.pool(skip2, 2), 128, 3), 128, 3)
    x = n.pool(n.conv(n.pool(skip4, 2), 128, 5), 1)
    x = n.pool(n.conv(x, 128, 3, 2), 1, 2)
    x = n.pool(n.conv(x, 256, 3, 4), 1, 4)
    x = n.conv(n.conv(x, 512, 3, 8), 256, 1)
    x = n.merge(n.conv(n.up(x), 128, 1, relu=False), skip4)
    x = n.conv(n.conv(x, 128, 3), 128, 3)
    x = n.merge(n.conv(n.up(x), 64, 1, relu=False), skip2)
    x = n.conv(n.conv(x, 64, 3), 64, 3)
    return n.conv(x, n.labels, 1, relu=False)
