#!/bin/sh
# Device sources: each compiles alone as plain OpenCL C 1.2 with the defaults of its tuning parameters,
# and uses nothing that a device may lack or that gives other bits from run to run.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
folder=src/backend_ocl/cl
CLANG=${CLANG:-clang}
LC_ALL=C
export LC_ALL
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0
complain()
{
    echo "$1"
    bad=$((bad + 1))
}

command -v "$CLANG" >/dev/null || echo "skipped: compiling device sources needs $CLANG"
n=0
for file in "$folder"/*.cl "$folder"/*.clh; do
    [ -f "$file" ] || continue
    n=$((n + 1))
    head -n 40 "$file" | tr '\n*' '  ' | grep -qE 'SPDX-License-Identifier: +BSD-2-Clause' ||
        complain "$file: no licence line at the top"
    [ "$(awk 'length > 100' "$file" | wc -l)" = 0 ] || complain "$file: a line beyond 100 columns"
    [ "$(wc -l <"$file")" -le 500 ] || complain "$file: more than 500 lines"
    # Without comments: they come to stand on lines of their own first.
    sed -e 's|//.*||; s|/\*|\n&|g; s|\*/|&\n|g' "$file" | sed '/^\/\*.*\*\/$/d' |
        sed '/^\/\*/,/\*\/$/d' >"$tmp/code"
    found=$(grep -E '\batom(ic)?_|\batomic|#[[:space:]]*pragma[[:space:]]+OPENCL[[:space:]]+EXTENSION|\bcl_[a-z]+_[a-z]|\bdouble([0-9]+)?\b|\bhalf([0-9]+)?[[:space:]]*[*(]|\bprintf\b' "$tmp/code")
    [ -z "$found" ] || complain "$file: atomics, extensions, double, half or printf:
$found"
    case $file in *.clh) continue ;; esac
    command -v "$CLANG" >/dev/null || continue
    "$CLANG" -x cl -cl-std=CL1.2 -target spir64 -O3 -S -emit-llvm -o "$tmp/code.ll" \
        -Xclang -finclude-default-header -Wall -Wextra -Werror -Wno-pass-failed \
        -I "$folder" "$file" >"$tmp/log" 2>&1 || {
        complain "$file does not compile alone:"
        head -n 30 "$tmp/log"
        continue
    }
    # A function that is `inline` but not `static` is missing where the compiler calls it after all;
    # the names of OpenCL's own functions begin with _Z here.
    missing=$(sed -n 's/^declare .*@\([A-Za-z0-9_.]*\)(.*/\1/p' "$tmp/code.ll" |
        grep -vE '^(_Z|llvm\.)')
    [ -z "$missing" ] || complain "$file: called, but without a definition: $missing"
done
[ "$n" -gt 1 ] || complain "no device sources in $folder"
[ "$bad" = 0 ] && echo "$n files"
exit "$((bad > 0))"
