#!/bin/sh
# Preprocessing from outside: flags, what the model keeps, what processing makes of it.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
tool=$BUILD/greentea
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
cd "$tmp" || exit 1
unset GREENTEA_DEVICE GREENTEA_THREADS
bad=0
n=0

complain()
{
    bad=$((bad + 1))
    echo "FAIL: $*"
    sed 's/^/  stdout: /' out 2>/dev/null | head -n 20
    sed 's/^/  stderr: /' err 2>/dev/null | head -n 20
}
# CODE ARGUMENTS...: run the tool, compare its exit code; out and err keep what it wrote.
expect()
{
    want=$1
    shift
    n=$((n + 1))
    "$tool" "$@" >out 2>err
    code=$?
    [ "$code" = "$want" ] || complain "greentea $*: exit code $code, expected $want"
}
# PATTERN FILE: a line that matches.
says()
{
    n=$((n + 1))
    grep -qE -- "$1" "$2" || complain "$2 does not say '$1'"
}

expect 0 demo --data-only --out d --size 128 --sections 2 --seed 3
net='--net usk --width 0.05 --patch 32 --iterations 2 --quiet --threads 1'
data='--raw d/train-raw.tif --labels d/train-labels.tif'

# ---- mistakes ----
expect 2 train $data --out m $net --norm fast
says "minmax, meanvar, percentile, none" err
expect 2 train $data --out m $net --norm-scope tile
expect 2 train $data --out m $net --norm percentile --norm-low 99
says 'percentiles 99 and 99' err
expect 2 train $data --out m $net --clahe -1
says 'clip limit -1' err
expect 2 train $data --out m $net --clahe 4 --clahe-grid 0
says '0 CLAHE tiles' err
expect 2 train $data --out m $net --smooth 0.01
expect 2 train $data --out m $net --crop 1,2,3
says "'1,2,3', expected x, y, width and height" err
expect 2 train $data --out m $net --crop 1,2,3,4,5
expect 2 train $data --out m $net --crop 1,2,0,5
expect 2 train $data --out m $net --crop 4294967296,0,100,100
says "'4294967296,0,100,100', expected x, y, width and height" err
expect 3 train $data --out m $net --crop 40,0,96,100
says 'page 1: .*crop of 96 x 100 pixels at x 40, y 0 is not inside the image of 128 x 128' err
[ ! -e m ] || complain "a refused start left a model"

# ---- kept in the model ----
expect 0 train $data --out plain $net
expect 0 info plain
says '^images: minimum and maximum of each image to \[-1, 1\]$' out
expect 0 info --net u
says '^images: minimum and maximum of each image' out
special='--norm percentile --norm-low 0.5 --norm-high 99.9 --norm-scope stack --clahe 4 --smooth 0.8
    --crop 8,16,96,100'
expect 0 train $data --out m $net $special
expect 0 info m
says '^images: crop 96 x 100 pixels at x 8, y 16, CLAHE 4 on 8 x 8 tiles, Gaussian filter of 0.8' out
says 'percentiles 0.5 and 99.9 of the stack to \[-1, 1\]$' out
expect 0 info m --json
says '"normalization": "percentile"' out
expect 2 train $data --out m $net --resume
says 'trained with another preprocessing' err
expect 0 train $data --out m $net $special --iterations 3 --resume

# ---- applied in processing: the crop's size, the same bits for any tiles ----
expect 0 process --model m --in d/unseen-raw.tif --out p.tif --quiet --deterministic --tile 26
expect 0 process --model m --in d/unseen-raw.tif --out q.tif --quiet --deterministic --tile 64
n=$((n + 1))
cmp -s p.tif q.tif || complain "tiles change the result"
expect 0 process --model plain --in p.tif --out r.tif --dry-run --quiet
says '96 x 100' out
expect 0 process --model plain --in d/unseen-raw.tif --out r.tif --quiet
expect 3 process --model m --in p.tif --out s.tif --quiet
says 'crop of 96 x 100 pixels at x 8, y 16 is not inside the image of 96 x 100' err

# ---- the model tells evaluate which part of the labels that is ----
expect 3 evaluate --labels d/unseen-labels.tif --prob p.tif
expect 0 evaluate --labels d/unseen-labels.tif --prob p.tif --model m --metrics pixel
expect 0 evaluate --labels d/unseen-labels.tif --prob r.tif --model plain --metrics pixel

# ---- validation looks at the same part ----
expect 0 train $data --out v $net $special --val-raw d/unseen-raw.tif \
    --val-labels d/unseen-labels.tif --val-interval 1

echo "$n checks, $bad failed"
[ "$bad" = 0 ]
