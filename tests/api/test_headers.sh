#!/bin/sh
# Every public header compiles alone, twice in one file, as C11 and as C++17.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
CC=${CC:-cc}
CXX=${CXX:-c++}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0
n=0
for header in include/greentea/*.h; do
    name=greentea/${header##*/}
    printf '#include <%s>\n#include <%s>\n' "$name" "$name" >"$tmp/alone.c"
    cp "$tmp/alone.c" "$tmp/alone.cpp"
    # A function that is declared but not used keeps the file from being empty in pedantic C.
    echo 'int alone(void);' >>"$tmp/alone.c"
    if ! $CC -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only "$tmp/alone.c"; then
        echo "$header fails as C11"
        bad=$((bad + 1))
    fi
    if ! $CXX -std=c++17 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only "$tmp/alone.cpp"; then
        echo "$header fails as C++17"
        bad=$((bad + 1))
    fi
    grep -q 'extern "C"' "$header" || [ "$name" = greentea/greentea.h ] || {
        echo "$header lacks extern \"C\""
        bad=$((bad + 1))
    }
    grep -q "<$name>" include/greentea/greentea.h || [ "$name" = greentea/greentea.h ] || {
        echo "greentea.h does not include $name"
        bad=$((bad + 1))
    }
    n=$((n + 1))
done
echo "$n headers, $bad complaints"
[ "$bad" = 0 ] && [ "$n" -gt 5 ]
