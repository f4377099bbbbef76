#!/bin/sh
# The OpenCL kernels on devices with smaller groups and less local memory, and a driver that is too
# old. SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
program=$BUILD/tests/ops/check_op
layer=$BUILD/tests/libocl_small.so
if ! nm "$program" | grep -q 'gt__backend_ocl'; then
    echo "skipped: built without OpenCL"
    exit 0
fi
if nm "$program" 2>/dev/null | grep -qE '__(asan|tsan)_init'; then
    echo "skipped: the layer is not built for sanitizers"
    exit 0
fi
case $layer in /*) ;; *) layer=$PWD/$layer ;; esac
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0
fail()
{
    echo "FAIL: $1"
    tail -n 20 "$tmp/out"
    bad=1
}

# $1 variables of the layer. CLBlast is for larger devices.
small()
{
    # shellcheck disable=SC2086
    env $1 OPENCL_LAYERS="$layer" "$program" --few --without clblast --device pthread \
        >"$tmp/out" 2>&1 || fail "check_op with $1"
}

env OPENCL_LAYERS="$layer" "$BUILD/greentea" devices >"$tmp/out" 2>&1
if ! grep -q 'ocl: pthread' "$tmp/out"; then
    echo "skipped: no PoCL"
    exit 0
fi
small "GT_OCL_GROUP=128"
small "GT_OCL_GROUP=64 GT_OCL_ACROSS=1"
small "GT_OCL_LOCAL=24576"
small "GT_OCL_LOCAL=16384"
GT_OCL_VERSION="OpenCL 1.1 old" OPENCL_LAYERS="$layer" "$BUILD/greentea" devices >"$tmp/out" 2>&1 ||
    fail "devices of an old driver"
if grep -q 'ocl:' "$tmp/out"; then
    fail "a device of OpenCL 1.1 is offered"
fi
exit "$bad"
