#!/bin/sh
# slow
# The OpenCL kernels on a simulated device that looks at every access: reads and writes outside of
# buffers, data races, values never written, wrong use of the API. SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
program=$BUILD/tests/ops/check_op
if ! command -v oclgrind >/dev/null; then
    echo "skipped: needs oclgrind"
    exit 0
fi
if nm "$program" 2>/dev/null | grep -qE '__(asan|tsan)_init'; then
    echo "skipped: a sanitizer and oclgrind both want to be loaded first"
    exit 0
fi
if ! nm "$program" | grep -q 'gt__backend_ocl'; then
    echo "skipped: built without OpenCL"
    exit 0
fi
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# $1 options of oclgrind, $2 those of check_op. Programs come from their sources, not from a cache.
look()
{
    rm -rf "$tmp/log" "$tmp/greentea"
    # shellcheck disable=SC2086
    XDG_CACHE_HOME=$tmp oclgrind $1 --log "$tmp/log" "$program" --few --device Oclgrind $2 \
        >"$tmp/out" 2>&1
    code=$?
    if [ "$code" != 0 ]; then
        echo "FAIL: check_op under oclgrind $1 ended with $code:"
        tail -n 40 "$tmp/out"
        exit 1
    fi
    if [ -s "$tmp/log" ]; then
        echo "FAIL: $(grep -c . "$tmp/log") lines of findings of oclgrind $1, the first of them:"
        head -n 40 "$tmp/log"
        exit 1
    fi
    echo "$1: $(grep -c ' OK ' "$tmp/out") kernels"
}

look "--data-races --check-api" ""
# Optimised code holds instructions that this look does not know. Not for convolutions: the large
# tiles take minutes then, and vectors in private arrays crash Oclgrind 21.10.
look "--uninitialized --build-options -cl-opt-disable" "--without conv2d"
