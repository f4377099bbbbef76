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
# Programs come from their sources, not from a cache.
XDG_CACHE_HOME=$tmp
export XDG_CACHE_HOME
# Optimised code holds instructions that the look at values never written does not know.
oclgrind --build-options -cl-opt-disable --uninitialized --data-races --check-api --log "$tmp/log" \
    "$program" --few --device Oclgrind >"$tmp/out" 2>&1
code=$?
if [ "$code" != 0 ]; then
    echo "FAIL: check_op ended with $code:"
    tail -n 40 "$tmp/out"
    exit 1
fi
if [ -s "$tmp/log" ]; then
    echo "FAIL: $(grep -c . "$tmp/log") lines of findings, the first of them:"
    head -n 40 "$tmp/log"
    exit 1
fi
grep -c OK "$tmp/out"
