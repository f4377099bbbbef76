#!/bin/sh
# slow
# A device that fails at some call and from then on: exit code 4 and one sentence from the tool, the
# output absent or complete, nothing left on the device. SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
tool=$BUILD/greentea
layer=$BUILD/tests/libocl_layer.so
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
unset GREENTEA_DEVICE GREENTEA_THREADS
# Without OpenCL in the build, or without a device, there is nothing to fail.
if ! "$tool" devices 2>/dev/null | grep -q 'ocl:'; then
    echo "skipped: no OpenCL device"
    exit 0
fi
bad=0
n=0
complain()
{
    bad=$((bad + 1))
    echo "FAIL: $*"
    sed 's/^/  stderr: /' err | head -n 20
    sed 's/^/  report: /' report | head -n 20
}
index=$("$tool" devices 2>/dev/null | sed -n 's/^\([0-9]*\) .* ocl:.*/\1/p' | head -n 1)
"$tool" demo --data-only --out d --size 48 --sections 1 2>/dev/null || exit 1
raw=d/train-raw.tif
labels=d/train-labels.tif
"$tool" train --raw $raw --labels $labels --out m --net u --width 0.03 --patch 20 --iterations 1 \
    --quiet 2>/dev/null || exit 1
process="$tool process --model m --in $raw --device $index"
train="$tool train --raw $raw --labels $labels --net u --width 0.03 --patch 20 --iterations 2 --quiet --device $index"
# The run as it should be; the first one builds the programs.
$process --out whole.tif 2>/dev/null || { echo "FAIL: process"; exit 1; }
$train --out n 2>/dev/null || { echo "FAIL: train"; exit 1; }
OPENCL_LAYERS=$layer
GT_OCL_REPORT=$tmp/report
export OPENCL_LAYERS GT_OCL_REPORT
field()
{
    sed -n "s/^$1 //p" report
}
# Whoever computes on the CPU does not depend on what OpenCL drivers do.
for cpu in cpu 0; do
    rm -f report
    "$tool" process --model m --in $raw --device $cpu --out cpu-$cpu.tif 2>err || complain "$cpu: exit code $?"
    [ ! -e report ] || complain "$cpu asks OpenCL" # not even the layer was loaded
done
# OUTPUT COMMAND...: fails in eight places, of every twelfth of its calls.
falls()
{
    out=$1
    shift
    rm -f report
    "$@" --out "$out" >/dev/null 2>err || complain "$* does not run with the layer"
    total=$(field calls)
    [ "${total:-0}" -gt 100 ] || { complain "only ${total:-no} calls"; return; }
    [ "$(field live)" = 0 ] || complain "$*: objects left at the end"
    for place in 0 1 2 3 5 7 9 11; do
        rm -f "$out" report err
        GT_OCL_FAIL_FROM=$((1 + total * place / 12)) "$@" --out "$out" >/dev/null 2>err
        code=$?
        n=$((n + 1))
        [ "$code" = 4 ] || complain "from call $total*$place/12: exit code $code, expected 4"
        # CLBlast writes lines of its own.
        [ "$(grep -vc '^CLBlast' err)" -ge 1 ] && grep '^greentea: ' err | grep -q 'CL_\|no .*device' ||
            complain "from call $total*$place/12: no clear sentence"
        [ ! -e "$out" ] || complain "from call $total*$place/12: an output all the same"
        [ "$(field live)" = 0 ] || complain "from call $total*$place/12: objects left"
    done
}
falls q $train
falls p.tif $process
# One call alone: a retry, or the same end.
for place in 2 5 8 10 11; do
    rm -f p.tif report err
    GT_OCL_FAIL=$((1 + total * place / 12)) $process --out p.tif >/dev/null 2>err
    code=$?
    n=$((n + 1))
    case $code in
        # A retry may cut other tiles, which round otherwise.
        0) [ "$(wc -c <p.tif)" = "$(wc -c <whole.tif)" ] || complain "call $place/12 alone: an incomplete output" ;;
        4) [ ! -e p.tif ] || complain "call $place/12 alone: an output in spite of the error" ;;
        *) complain "call $place/12 alone: exit code $code" ;;
    esac
done
echo "$n runs, $bad complaints"
[ "$bad" = 0 ] && [ "$n" -gt 20 ]
