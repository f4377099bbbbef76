#!/bin/sh
# --precision of process, benchmark and tune, with and without a processor that has bf16.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
tool=$BUILD/greentea
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
unset GREENTEA_DEVICE GREENTEA_THREADS
export XDG_CACHE_HOME="$tmp/cache"
bad=0

fail()
{
    echo "FAIL: $*"
    sed 's/^/  /' err 2>/dev/null | head -n 10
    bad=1
}
# CODE ARGUMENTS...: run the tool; out and err keep what it wrote.
expect()
{
    want=$1
    shift
    "$tool" "$@" >out 2>err
    code=$?
    [ $code = "$want" ] || fail "greentea $*: exit code $code, expected $want"
}
says()
{
    grep -q -- "$1" err || fail "no '$1'"
}

expect 0 demo --data-only --out d --size 64 --sections 1 --seed 3
expect 0 train --raw d/train-raw.tif --labels d/train-labels.tif --out m --net usk --width 0.2 --patch 32 \
    --iterations 2 --quiet
process="process --model m --in d/train-raw.tif"
expect 0 $process --out a.tif --precision fp32
grep -q 'no bf16' err && fail "fp32 told about bf16"
expect 0 $process --out b.tif
cmp -s a.tif b.tif || fail "fp32 is not the default"
expect 0 $process --out c.tif --precision bf16
[ "$(grep -c 'no bf16, computing in fp32 instead on' err)" -le 1 ] || fail "told twice"
if "$tool" devices | grep -q '^0 .*AVX512-BF16'; then
    grep -q 'no bf16' err && fail "the processor has bf16"
    cmp -s a.tif c.tif && fail "bf16 gave the bits of fp32"
    expect 0 benchmark --net usk --out-size 28 --runs 1 --precision bf16 --dump
    says '_avx512bf16'
else
    says 'no bf16, computing in fp32 instead on'
    cmp -s a.tif c.tif || fail "not the bits of fp32"
fi
expect 0 benchmark --net usk --out-size 28 --width 0.2 --runs 1 --json --precision bf16
grep -q '"precision": "bf16"' out || fail "the JSON does not name the precision"
expect 0 benchmark --net usk --out-size 28 --runs 1 --dump
grep -q bf16 err && fail "bf16 without being asked for"
expect 0 tune --net usk --out-size 4 --width 0.2 --dry-run --precision bf16

# blocks of one work have one precision
expect 0 $process --out e.tif --block 0/2 --precision bf16 --quiet
expect 2 $process --out e.tif --block 1/2 --quiet
says precision

expect 2 $process --out f.tif --precision fp16
says "expected one of fp32, bf16"
expect 2 benchmark --net u --mode train --precision bf16
says "training is computed in fp32"
expect 2 benchmark --net u --layers --mode both --precision bf16
says "training is computed in fp32"
expect 2 tune --net u --precision half
says "expected one of fp32, bf16"

[ $bad = 0 ] && echo "precision: good"
exit $bad
