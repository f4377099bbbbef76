#!/bin/sh
# Run every test of a build, several at a time: one line per program as it ends, its output only if it
# fails, a last line with the counts. SPDX-License-Identifier: BSD-2-Clause
#
# BUILD     folder of the build (default build)
# CC        C compiler for the tests that compile headers (default cc)
# GT_REQUIRE_OCL  1 (default): builds with OpenCL fail without an OpenCL device
# GT_QUICK  1: leave out shell tests whose first five lines hold "# slow"
# GT_TEST_JOBS     programs at a time (default: as many as processors)
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
limit=${GT_TEST_TIMEOUT:-900}

# DIRECTORY NAME: run, time and count one program; the directory collects ".ok" and ".failed".
one()
{
    dir=$1
    name=$2
    file=$dir/$(echo "$name" | tr / -)
    start=$(date +%s%N)
    case $name in
        # The tool ends with its options' texts unfreed; the library's leaks are looked for by the programs.
        *.sh) ASAN_OPTIONS=detect_leaks=0 timeout -k 10 "$limit" sh "$name" >"$file.out" 2>&1 </dev/null & ;;
        *) timeout -k 10 "$limit" "$BUILD/$name" >"$file.out" 2>&1 </dev/null & ;;
    esac
    child=$!
    trap 'kill $child 2>/dev/null; exit 130' INT TERM
    wait $child
    code=$?
    took=$((($(date +%s%N) - start) / 10000000))
    took=$(printf '%7d.%02d s' $((took / 100)) $((took % 100)))
    if [ "$code" = 0 ]; then
        mv "$file.out" "$file.ok"
        echo "ok    $took  $name"
        return
    fi
    case $code in
        124) why="still running after $limit s" ;;
        *) why="exit code $code" ;;
    esac
    {
        echo "FAIL  $took  $name ($why)"
        sed 's/^/    | /' "$file.out"
    } >"$file.failed"
    flock "$dir" cat "$file.failed" # in one piece
}

if [ "${1:-}" = --one ]; then
    one "$2" "$3"
    exit 0
fi

unset GREENTEA_DEVICE GREENTEA_THREADS
# Neither take what the user's own runs left (measured costs change plans), nor leave anything there.
case $BUILD in /*) XDG_CACHE_HOME=$BUILD/cache ;; *) XDG_CACHE_HOME=$PWD/$BUILD/cache ;; esac
# PoCL's own compiling takes most of the time; the same kernels serve every build.
POCL_CACHE_DIR=${POCL_CACHE_DIR:-$PWD/build/pocl}
mkdir -p "$XDG_CACHE_HOME" "$POCL_CACHE_DIR" || exit 1
export XDG_CACHE_HOME POCL_CACHE_DIR
results=$(mktemp -d) || exit 1
trap 'rm -rf "$results"' EXIT
trap 'exit 130' INT TERM

is_slow()
{
    head -n 5 "$1" | grep -q '^# slow'
}

# The longest first, so that none runs alone at the end.
list()
{
    # A binary counts only while its source is in the tree: old builds leave programs behind.
    for program in "$BUILD"/tests/ops/check_op "$BUILD"/tests/models/test_* "$BUILD"/tests/api/test_*; do
        name=${program#"$BUILD"/}
        [ -f "$program" ] && [ -x "$program" ] && [ -f "$name.c" ] && echo "$name"
    done
    for script in tests/tool/*.sh tests/api/*.sh; do
        [ "$GT_QUICK" = 1 ] && is_slow "$script" || echo "$script"
    done
    for program in "$BUILD"/tests/unit/test_*; do
        name=${program#"$BUILD"/}
        [ -f "$program" ] && [ -x "$program" ] && [ -f "$name.c" ] && echo "$name"
    done
}
list >"$results/list"
xargs -n 1 -P "${GT_TEST_JOBS:-$(nproc)}" sh tests/run.sh --one "$results" <"$results/list"

count() { find "$results" -maxdepth 1 -name "*.$1" | wc -l; }
passed=$(count ok)
failed=$(($(wc -l <"$results/list") - passed)) # those that ended without a word too
echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
