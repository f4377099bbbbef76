#!/bin/sh
# Whole networks, forward and training step, one line each: bench.sh BUILD. SPDX-License-Identifier: BSD-2-Clause
set -u
tool=${1:-build}/greentea
echo
"$tool" devices
while read -r net size mode width; do
    "$tool" benchmark --net "$net" --out-size "$size" --mode "$mode" --width "$width" --runs 3
done <<'LIST'
sk 128 process 1
u 388 process 1
usk 256 process 1
usk9 256 process 1
sk 32 train 1
u 132 train 1
usk 64 train 1
usk9 64 train 1
u 196 train 0.25
LIST
