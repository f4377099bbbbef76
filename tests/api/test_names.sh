#!/bin/sh
# House rules that a grep can check: unique file names, file lengths, licence lines, nothing unfinished,
# no folder of anybody's machine. SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
LC_ALL=C
export LC_ALL
bad=0
complain()
{
    echo "$1"
    bad=$((bad + 1))
}

twice=$(find src -name '*.c' | sed 's|.*/||' | sort | uniq -d)
[ -z "$twice" ] || complain "C files with one name in two folders: $(echo $twice)"

sources=$(find src include tests examples -name '*.[ch]' | sort)
scripts=$(find tests .ci -name '*.sh' -o -name '*.py' -o -path '.ci/*' -type f | sort)
n=0
for file in $sources; do
    n=$((n + 1))
    lines=$(wc -l <"$file")
    # Tables of golden values are data.
    case $file in
        tests/golden/*) ;;
        *) [ "$lines" -le 500 ] || complain "$file: $lines lines, at most 500" ;;
    esac
done
for file in examples/*.c; do
    [ -f "$file" ] || continue
    lines=$(wc -l <"$file")
    [ "$lines" -lt 80 ] || complain "$file: $lines lines, examples stay below 80"
done
for file in $sources $scripts; do
    # The formatter may have broken the line.
    head -n 40 "$file" | tr '\n*' '  ' | grep -qE 'SPDX-License-Identifier: +BSD-2-Clause' ||
        complain "$file: no licence line at the top"
done

# The patterns are put together here so that this file does not find itself.
mark='TO''DO|FIX''ME|XX''X|HA''CK'
found=$(grep -nwE "$mark" $sources $scripts Makefile README.md CHANGELOG.md 2>/dev/null)
[ -z "$found" ] || complain "unfinished:
$found"
place='/ho''me/|/Us''ers/|/ro''ot/|/wo''rk/|/mn''t/|[A-Z]:\\\\'
found=$(grep -nE "(^|[^A-Za-z0-9_.])($place)" $sources $scripts Makefile README.md CHANGELOG.md 2>/dev/null)
[ -z "$found" ] || complain "a path of somebody's machine:
$found"
found=$(grep -nE '^[[:space:]]*#[[:space:]]*if[[:space:]]+0' $sources)
[ -z "$found" ] || complain "dead code:
$found"
found=$(grep -nE '@@[A-Z]' README.md CHANGELOG.md 2>/dev/null)
[ -z "$found" ] || complain "a number was not filled in:
$found"

echo "$n files, $bad complaints"
[ "$bad" = 0 ] && [ "$n" -gt 50 ]
