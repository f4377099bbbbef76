#!/bin/sh
# Run every test of a build: one line per program, its output only if it fails, a last line with the
# counts. SPDX-License-Identifier: BSD-2-Clause
#
# BUILD     folder of the build (default build)
# CC        C compiler for the tests that compile headers (default cc)
# GT_REQUIRE_OCL  1 (default): builds with OpenCL fail without an OpenCL device
# GT_QUICK  1: leave out shell tests whose first five lines hold "# slow"
# GT_TEST_TIMEOUT  seconds until a program counts as failed (default 900)
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
CC=${CC:-cc}
GT_QUICK=${GT_QUICK:-0}
GT_REQUIRE_OCL=${GT_REQUIRE_OCL:-1}
LC_ALL=C
NO_COLOR=1
export BUILD CC GT_QUICK GT_REQUIRE_OCL LC_ALL NO_COLOR
unset GREENTEA_DEVICE GREENTEA_THREADS
# Neither take what the user's own runs left (measured costs change plans), nor leave anything there.
case $BUILD in /*) XDG_CACHE_HOME=$BUILD/cache ;; *) XDG_CACHE_HOME=$PWD/$BUILD/cache ;; esac
# PoCL's own compiling takes most of the time; the same kernels serve every build.
POCL_CACHE_DIR=${POCL_CACHE_DIR:-$PWD/build/pocl}
mkdir -p "$XDG_CACHE_HOME" "$POCL_CACHE_DIR" || exit 1
export XDG_CACHE_HOME POCL_CACHE_DIR

limit=${GT_TEST_TIMEOUT:-900}
passed=0
failed=0
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
trap 'exit 130' INT TERM

# NAME COMMAND...: run, time and count one program.
run()
{
    name=$1
    shift
    start=$(date +%s%N)
    timeout -k 10 "$limit" "$@" >"$out" 2>&1 </dev/null
    code=$?
    took=$((($(date +%s%N) - start) / 10000000))
    took=$(printf '%d.%02d' $((took / 100)) $((took % 100)))
    if [ "$code" = 0 ]; then
        passed=$((passed + 1))
        printf 'ok    %7s s  %s\n' "$took" "$name"
        return
    fi
    failed=$((failed + 1))
    case $code in
        124) why="still running after $limit s" ;;
        *) why="exit code $code" ;;
    esac
    printf 'FAIL  %7s s  %s (%s)\n' "$took" "$name" "$why"
    sed 's/^/    | /' "$out"
}

is_slow()
{
    head -n 5 "$1" | grep -q '^# slow'
}

# A binary counts only while its source is in the tree: old builds leave programs behind.
for program in "$BUILD"/tests/ops/check_op "$BUILD"/tests/unit/test_* "$BUILD"/tests/models/test_* \
    "$BUILD"/tests/api/test_*; do
    name=${program#"$BUILD"/}
    [ -f "$program" ] && [ -x "$program" ] && [ -f "$name.c" ] || continue
    run "$name" "$program"
done

for script in tests/api/*.sh tests/tool/*.sh; do
    [ -f "$script" ] || continue
    [ "$GT_QUICK" = 1 ] && is_slow "$script" && continue
    # The tool ends with its options' texts unfreed; the library's leaks are looked for by the programs above.
    run "$script" env ASAN_OPTIONS=detect_leaks=0 sh "$script"
done

echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
