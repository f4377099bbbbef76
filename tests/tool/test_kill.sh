#!/bin/sh
# slow
# Killed at any moment, a training leaves a complete model file, and --resume goes on from it.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
tool=$BUILD/greentea
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
"$tool" demo --data-only --out d --size 64 --sections 1 2>/dev/null || exit 1
train="$tool train --raw d/train-raw.tif --labels d/train-labels.tif --out m --net usk --width 0.1 --patch 16"
$train --iterations 1 --quiet 2>/dev/null || exit 1
i=0
while [ $i -lt 20 ]; do
    i=$((i + 1))
    $train --iterations 1000000 --snapshot 1 --resume --quiet 2>/dev/null &
    child=$!
    # 60 to 440 ms, different every time, the same in every run of the test
    sleep "0.$(printf %03d $(((i * 197) % 380 + 60)))"
    kill -9 $child
    wait $child 2>/dev/null
    if ! "$tool" info m >/dev/null 2>err; then
        echo "FAIL: kill $i left a damaged model: $(cat err)"
        exit 1
    fi
done
done=$("$tool" info m --json | sed -n 's/.*"iteration": \([0-9]*\).*/\1/p' | head -n 1)
[ "$done" -gt 20 ] || { echo "FAIL: only $done iterations survived 20 kills"; exit 1; }
echo "20 kills, $done iterations kept"
