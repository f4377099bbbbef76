#!/bin/sh
# slow
# Without OpenCL: a build that leaves it out, and a machine without a driver.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
unset GREENTEA_DEVICE GREENTEA_THREADS OPENCL_LAYERS
bad=0
complain()
{
    bad=$((bad + 1))
    echo "FAIL: $*"
    sed 's/^/  stdout: /' "$tmp/out" 2>/dev/null | head -n 20
    sed 's/^/  stderr: /' "$tmp/err" 2>/dev/null | head -n 20
}
# CODE TOOL ARGUMENTS...
expect()
{
    want=$1
    shift
    "$@" >"$tmp/out" 2>"$tmp/err"
    code=$?
    [ "$code" = "$want" ] || complain "$*: exit code $code, expected $want"
}
# TOOL: lists the processor only, labels with it, refuses a GPU in one sentence.
lives_without()
{
    expect 0 "$1" devices
    [ "$(wc -l <"$tmp/out")" = 1 ] && grep -q 'cpu: CPU' "$tmp/out" || complain "devices: not the processor alone"
    grep -qi "$2" "$tmp/err" || complain "devices: does not say '$2'"
    expect 0 "$1" process --model "$tmp/m" --in "$tmp/d/test-raw.tif" --out "$tmp/p.tif" --overwrite
    [ -s "$tmp/p.tif" ] || complain "process: no output"
    for name in gpu 1 0.0 PoCL; do
        rm -f "$tmp/q.tif"
        expect 4 "$1" process --model "$tmp/m" --in "$tmp/d/test-raw.tif" --out "$tmp/q.tif" --device "$name"
        [ "$(grep -c . "$tmp/err")" = 1 ] || complain "process --device $name: not one sentence"
        [ ! -e "$tmp/q.tif" ] || complain "process --device $name: an output all the same"
    done
}

# What asks for OpenCL is compiled anew, the rest is there; but a sanitizer's objects need more to be linked.
if ! nm "$BUILD/greentea" | grep -qE '__(asan|tsan)_init'; then
    mkdir "$tmp/build" && cp -Rp "$BUILD/src" "$tmp/build" && rm -rf "$tmp/build/src/backend_ocl"
    for source in $(grep -rl GT_WITH_OCL src); do
        find "$tmp/build/src" -name '*.d' -exec grep -qF " $source" {} \; -print | sed 's/d$/o/' | xargs rm -f
    done
fi
make -s OCL=0 BUILD="$tmp/build" OPT=-O1 CC="${CC:-cc}" tool >"$tmp/out" 2>"$tmp/err" ||
    { complain "make OCL=0 tool"; exit 1; }
tool=$tmp/build/greentea
if ldd "$tool" | grep -qi 'OpenCL\|clblast'; then
    complain "built without OpenCL, but linked with it"
fi
expect 0 "$tool" demo --data-only --out "$tmp/d" --size 64 --sections 1
ls "$tmp/d"/*.tif >/dev/null 2>&1 || complain "no data"
raw=$tmp/d/train-raw.tif
[ -e "$tmp/d/test-raw.tif" ] || cp "$raw" "$tmp/d/test-raw.tif"
expect 0 "$tool" train --raw "$raw" --labels "$tmp/d/train-labels.tif" --out "$tmp/m" --net usk \
    --width 0.05 --patch 16 --iterations 1 --quiet
lives_without "$tool" 'without OpenCL'

# The ICD loaders look for drivers in this folder, the Khronos one in the files of the other variable.
mkdir "$tmp/none"
OCL_ICD_VENDORS=$tmp/none
OCL_ICD_FILENAMES=
export OCL_ICD_VENDORS OCL_ICD_FILENAMES
if "$BUILD/greentea" devices 2>/dev/null | grep -q 'ocl:'; then
    echo "this loader finds drivers elsewhere: a machine without a platform was not tested"
else
    lives_without "$BUILD/greentea" 'no OpenCL platform\|without OpenCL'
fi
[ "$bad" = 0 ]
