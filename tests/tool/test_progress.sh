#!/bin/sh
# --progress json: one object per line on stderr and nothing else, for every subcommand that may
# take long; the last one says that all is done. SPDX-License-Identifier: BSD-2-Clause
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
    sed 's/^/  stderr: /' err 2>/dev/null | head -n 20
}
# LINES ARGUMENTS...: run with --progress json; at least so many lines, the last with share 1.
watch()
{
    least=$1
    shift
    n=$((n + 1))
    "$tool" "$@" --progress json >out 2>err || complain "greentea $*: exit code $?"
    grep -qv '^{.*}$' err && complain "greentea $*: not only objects on stderr"
    grep '^{"share": ' err >shares
    [ "$(wc -l <shares)" -ge "$least" ] || complain "greentea $*: fewer than $least lines"
    grep -qvE '^\{"share": [01]\.[0-9]{4}, "seconds": [0-9.]+, "eta": -?[0-9.]+(, "[a-z_]+": .*)?\}$' shares &&
        complain "greentea $*: not a share, seconds, time left"
    [ "$least" = 0 ] || tail -n 1 shares | grep -q '^{"share": 1.0000, ' ||
        complain "greentea $*: the last line is not the end"
}

watch 1 demo --data-only --out d --size 64 --sections 2
data="--raw d/train-raw.tif --labels d/train-labels.tif --net usk --width 0.05 --patch 16"
watch 1 train $data --out m --iterations 20
# What was done before is not this run's speed: its 300 iterations alone are.
watch 1 train $data --out m --iterations 320 --resume
n=$((n + 1))
tail -n 1 shares | sed 's/.*"seconds": \([0-9.]*\),.*"iteration": \([0-9]*\),.*"per_second": \([0-9.]*\),.*/\1 \2 \3/' |
    awk '{ done = $1 * $3; exit !(done > 290 && done < 310 && $2 == 320) }' || complain "per_second after --resume"
watch 1 train $data --out m2 --iterations 20 --val-raw d/unseen-raw.tif \
    --val-labels d/unseen-labels.tif --val-interval 10 --report r.html
watch 1 process --model m --in d/train-raw.tif --out p.tif
watch 1 evaluate --labels d/train-labels.tif --prob p.tif
watch 1 tune --net usk --width 0.03 --out-size 2 --channels 1
# Short measurements need no line.
watch 0 benchmark --net usk --width 0.05 --out-size 16 --runs 1
watch 0 benchmark --net usk --width 0.05 --out-size 16 --runs 3 --layers
for command in train process evaluate tune benchmark demo; do
    n=$((n + 1))
    "$tool" $command --help | grep -q -- '--progress=HOW' || complain "$command has no --progress"
done

echo "$n checks, $bad failed"
[ "$bad" = 0 ]
