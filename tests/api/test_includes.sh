#!/bin/sh
# Who includes whom: every #include of the tree against the allowed directions between its parts.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1

# Folders that the files of a part may include from with "...": their own and these.
allowed()
{
    case $1 in
        core) echo "core" ;;
        image) echo "image core" ;;
        models) echo "models core" ;;
        backend_*) echo "$1 core cl" ;; # cl: device sources, made by the build
        data) echo "data image core" ;;
        eval) echo "eval image core" ;;
        train) echo "train data eval models image core" ;;
        infer) echo "infer data eval models image core" ;;
        tool) echo "tool" ;;
        *) echo "" ;;
    esac
}

bad=0
complain()
{
    echo "$1"
    bad=$((bad + 1))
}

# FILE: its includes, one "line quote-or-angle target" per line.
includes_of()
{
    sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"]\)\([^>"]*\)[>"].*/\1 \2/p' "$1"
}

check_file()
{
    file=$1
    part=$2
    includes_of "$file" | while read -r kind target; do
        if [ "$kind" = '"' ]; then
            case $target in
                ../*) echo "$file: \"$target\" leaves its folder upwards" ;;
                */*)
                    ok=0
                    for folder in $(allowed "$part"); do
                        [ "${target%%/*}" = "$folder" ] && ok=1
                    done
                    [ "$ok" = 1 ] || echo "$file: $part must not include \"$target\""
                    ;;
                *)
                    [ -f "$(dirname "$file")/$target" ] ||
                        echo "$file: \"$target\" is neither in its folder nor named from src"
                    ;;
            esac
        else
            case $target in
                core/* | image/* | models/* | data/* | eval/* | train/* | infer/* | tool/* | backend_*)
                    echo "$file: <$target> is not public" ;;
            esac
        fi
    done
}

n=0
list=$(find src -name '*.[ch]' | LC_ALL=C sort)
for file in $list; do
    n=$((n + 1))
    part=${file#src/}
    part=${part%%/*}
    [ -n "$(allowed "$part")" ] || complain "$file: unknown part '$part'"
    found=$(check_file "$file" "$part")
    [ -z "$found" ] || complain "$found"
done

# Public headers meet each other only; examples meet only the public headers.
for file in include/greentea/*.h examples/*.c; do
    [ -f "$file" ] || continue
    n=$((n + 1))
    found=$(includes_of "$file" | while read -r kind target; do
        case $kind$target in
            '"'*) echo "$file: \"$target\": only <greentea/...> and system headers here" ;;
            '<'*/*) case $target in
                greentea/* | sys/*) ;;
                *) echo "$file: <$target> is not public" ;;
            esac ;;
        esac
    done)
    [ -z "$found" ] || complain "$found"
done

# Backends are met through backends.def and core/backend.h, never by name.
found=$(grep -rnE '#[[:space:]]*include[[:space:]]*"backend_' src | grep -v '^src/backend_')
[ -z "$found" ] || complain "$found"

[ "$n" -gt 50 ] || complain "only $n files looked at"
echo "$n files, $bad complaints"
[ "$bad" = 0 ]
