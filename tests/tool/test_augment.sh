#!/bin/sh
# Distorted training patches from outside: flags, presets, what the model keeps of them, the same
# bits for any threads and after continuing. SPDX-License-Identifier: BSD-2-Clause
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
    grep -qaE -- "$1" "$2" || complain "$2 does not say '$1'"
}
# FILE FILE YES|NO: are they the same bytes?
same()
{
    n=$((n + 1))
    if cmp -s "$1" "$2"; then equal=yes; else equal=no; fi
    [ "$equal" = "$3" ] || complain "$1 and $2 equal: $equal, expected $3"
}

expect 0 demo --data-only --out d --size 96 --sections 1 --seed 3
train='train --raw d/train-raw.tif --labels d/train-labels.tif --net usk --width 0.03 --patch 32
    --policy fixed --quiet'

# ---- refused, with the thing and the number ----
expect 2 $train --out m --distort much
says 'distort.*much.*none, light, full' err
expect 2 $train --out m --rotate 181
says 'rotation of 181, expected 0 to 180' err
expect 2 $train --out m --scale 0.9
says "scale is '0.9'" err
expect 2 $train --out m --scale 1.1,0.9
says 'scale of 1.1 to 0.9' err
expect 2 $train --out m --rotate much
says "rotate is 'much', expected a number" err
expect 2 $train --out m --elastic -2
says 'elastic displacement of -2' err
expect 2 $train --out m --elastic-grid 40
says '40 nodes' err
expect 2 $train --out m --feeders 65
says '65 threads for patches, expected 0 to 64' err
expect 2 $train --out m --gamma-range nan
says 'gamma-range is .nan., expected a number' err
[ ! -e m ] || complain "a refused start left a model"

# ---- the model keeps it: text of the file's header, quotes escaped ----
expect 0 $train --out plain --iterations 4
says 'rotate[^,]*: ?0\.0,' plain
expect 0 $train --out some --iterations 4 --distort full --rotate 20 --scale 0.8,1.25
says 'rotate[^,]*: ?20\.0,' some
says 'scale_high[^,]*: ?1\.25,' some
says 'contrast[^,]*: ?0\.2' some
expect 0 $train --out light --iterations 4 --distort light
same plain light no
# Three labels, one without pixels: full does not turn them, --rotate does.
expect 0 $train --out two --iterations 2 --distort full
says 'rotate[^,]*: ?180\.0,' two
three="--labels-count 3"
expect 0 $train --out three --iterations 2 --distort full $three
says 'rotate[^,]*: ?0\.0,' three
expect 0 $train --out turned --iterations 2 --distort full $three --rotate 90
says 'rotate[^,]*: ?90\.0,' turned

# ---- bits ----
expect 0 $train --out whole --iterations 9 --batch 2 --distort full --threads 1 \
    --feeders 1
expect 0 $train --out part --iterations 4 --batch 2 --distort full --threads 3
expect 0 $train --out part --iterations 9 --batch 2 --distort full --threads 2 --resume \
    --feeders 5
same whole part yes
expect 0 $train --out other --iterations 9 --batch 2 --distort full --seed 2
same whole other no

# ---- how long the device waited for patches ----
expect 0 ${train% --quiet*} --out said --iterations 4 --feeders 2
says '^greentea: the device waited for patches [0-9]+\.[0-9] % of the time$' err
expect 0 ${train% --quiet*} --out json --iterations 4 --progress json
says '"idle": [01]\.[0-9]{4}, ' err

echo "$n checks, $bad complaints"
exit "$((bad > 0))"
