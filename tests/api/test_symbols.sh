#!/bin/sh
# The shared library exports exactly the functions that the headers mark GT_API, and imports nothing that
# prints, exits or changes the process. SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
LC_ALL=C
export LC_ALL
library=$BUILD/libgreentea.so
[ -e "$library" ] || {
    echo "$library is missing"
    exit 1
}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0

# Comments off, declarations on one line each, the name before the first bracket.
cat include/greentea/*.h | sed '/^#/d; s|/\*.*\*/||g; /\/\*/,/\*\//d' | tr '\n' ' ' |
    grep -oE 'GT_API [^;]*;' | sed -E 's/__attribute__ *\(\(.*//; s/ *\(.*//; s/.*[ *]//' |
    sort -u >"$tmp/declared"

# Sanitizers add names of their own.
nm -D --defined-only "$library" | awk 'NF >= 3 { print $3 }' | sed 's/@.*//' |
    grep -vE '^(__asan|__odr_asan|__ubsan|__tsan|__sanitizer)' | sort -u >"$tmp/exported"
nm -D --undefined-only "$library" | awk '{ print $NF }' | sed 's/@.*//' | sort -u >"$tmp/imported"

missing=$(comm -23 "$tmp/declared" "$tmp/exported")
surplus=$(comm -13 "$tmp/declared" "$tmp/exported")
if [ -n "$missing" ]; then
    echo "declared with GT_API but not exported:" $missing
    bad=1
fi
if [ -n "$surplus" ]; then
    echo "exported but not declared with GT_API:" $surplus
    bad=1
fi
for name in exit _exit _Exit quick_exit abort printf vprintf puts putchar perror __printf_chk \
    __vprintf_chk signal sigaction raise kill setlocale fork vfork system popen execv execve chdir \
    umask setenv putenv stdout stderr stdin TIFFSetErrorHandler TIFFSetWarningHandler; do
    if grep -qx "$name" "$tmp/imported"; then
        echo "the library imports $name"
        bad=1
    fi
done

n=$(wc -l <"$tmp/declared")
echo "$n functions declared, $(wc -l <"$tmp/exported") exported"
[ "$n" -gt 50 ] || {
    echo "too few declarations were found"
    bad=1
}
[ "$bad" = 0 ]
