#!/bin/sh
# greentea tune from outside: exit codes, the file it leaves, and that later runs take it or, if it
# is damaged, say so and go on. SPDX-License-Identifier: BSD-2-Clause
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
XDG_CACHE_HOME=$tmp/cache
export XDG_CACHE_HOME
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

net="--net usk --width 0.03 --out-size 2 --channels 1"
expect 0 tune --help
says '--fresh' out
expect 2 tune --device cpu
says '^greentea: --net is needed' err
expect 2 tune --net nothing
expect 2 tune --net usk --out-size 3
expect 2 tune $net --batch 0
expect 0 tune $net --dry-run
says ' 0 measured' out
[ ! -e cache/greentea ] || complain "a dry run made the cache folder"

expect 0 tune $net
says '^conv2d_fwd ' out
says '^usk process: .* 0 failed' out
says '100% ([0-9]+)/\1 operations  usk process done' err
file=$(ls cache/greentea/tune-*.txt 2>/dev/null)
n=$((n + 1))
[ -f "$file" ] || complain "no file of measurements"
says '^conv2d_fwd:k3x3.* conv2d_fwd_[a-z0-9_]* [0-9]+ [0-9]+$' "$file"
says '^end [0-9]+ [0-9a-f]{16}$' "$file"
expect 2 tune $net --progress loud
says "^greentea: --progress is 'loud'" err
expect 0 tune $net --fresh --progress json --json
says '^\{"share": 0.0000, .*"net": "usk", "mode": "process", "operations": 0, "total": [0-9]+\}$' err
n=$((n + 1))
grep -v '^{.*}$' err && complain "not only JSON on stderr"
expect 0 tune $net --json --quiet
says '"measured": 0' out
says '"changed": 0' out
[ ! -s err ] || complain "--quiet is not quiet"

expect 0 benchmark $net --runs 1
grep -q tune- err && complain "a whole table is no reason for a message"
echo more >>"$file"
expect 0 benchmark $net --runs 1
says '^greentea: .*tune-.*damaged' err
expect 0 tune $net --quiet
says ' [1-9][0-9]* measured, 0 failed' out
expect 0 benchmark $net --runs 1
grep -q tune- err && complain "the damaged table was not replaced"

# The first OpenCL device, if there is one; building all its programs takes half a minute.
device=$("$tool" devices | sed -n 's/^\([0-9]*\) .* ocl: .*/\1/p' | head -n 1)
if [ -n "$device" ] && [ "${GT_QUICK:-0}" != 1 ]; then
    expect 0 tune $net --device "$device"
    says '^conv2d_fwd .* conv2d_fwd_[a-z]*_ocl ' out
    says '^usk process: .* 0 failed' out
    expect 0 tune $net --device "$device" --json
    says '"measured": 0' out
fi

XDG_CACHE_HOME=/dev/null/none
expect 5 tune $net --quiet
says '^greentea: .*cannot be written' err

echo "$n checks, $bad failed"
[ "$bad" = 0 ]
