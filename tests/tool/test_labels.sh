#!/bin/sh
# Labels from outside: equalisation, boosts, consolidation, one sub-folder per label; what the model
# keeps, and how evaluate reads the truth. SPDX-License-Identifier: BSD-2-Clause
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
same()
{
    n=$((n + 1))
    cmp -s "$1" "$2" || complain "$1 and $2 differ: $3"
}
# FILE BYTE COUNT ...: an uncompressed TIFF of 96 x 96 8-bit pixels, rows of COUNT times BYTE
# (octal) and so on.
tiff()
{
    file=$1
    shift
    : >row
    while [ $# -gt 0 ]; do
        i=0
        while [ $i -lt "$2" ]; do
            printf "\\$1" >>row
            i=$((i + 1))
        done
        shift 2
    done
    {
        printf 'II*\0\010\044\0\0' # directory at 8 + 9216
        i=0
        while [ $i -lt 96 ]; do
            cat row
            i=$((i + 1))
        done
        printf '\010\0'
        printf '\0\1\3\0\1\0\0\0\140\0\0\0' # width
        printf '\1\1\3\0\1\0\0\0\140\0\0\0' # height
        printf '\2\1\3\0\1\0\0\0\010\0\0\0' # bits
        printf '\3\1\3\0\1\0\0\0\1\0\0\0'   # no compression
        printf '\6\1\3\0\1\0\0\0\1\0\0\0'   # min is black
        printf '\21\1\4\0\1\0\0\0\010\0\0\0'
        printf '\26\1\3\0\1\0\0\0\140\0\0\0'
        printf '\27\1\4\0\1\0\0\0\0\044\0\0'
        printf '\0\0\0\0'
    } >"$file"
}

expect 0 demo --data-only --out d --size 96 --sections 1 --seed 3
net='--net usk --width 0.03 --patch 36 --iterations 2 --policy fixed --threads 2 --progress none'
two="--raw d/train-raw.tif --labels d/train-labels.tif $net"
tiff four.tif 000 12 100 36 200 24 377 24
four="--raw d/train-raw.tif --labels four.tif $net"

# ---- equalisation: frequencies are said, the flags are kept ----
expect 0 train $four --out m0
says 'labels: 0 [0-9.]+ %, 1 [0-9.]+ %, 2 [0-9.]+ %, 3 [0-9.]+ %$' err
expect 0 train $four --out m1 --equalise mask
says 'labels: 0 [0-9.]+ % -> 25.0 %, 1 [0-9.]+ % -> 25.0 %, .*, 3 [0-9.]+ % -> 25.0 %$' err
expect 0 train $four --out m2 --equalise prior
says 'labels: 0 [0-9.]+ % -> [0-9.]+ % drawn, 1 ' err
expect 0 train $four --out m3 --equalise both "--label-boost=1, 2, 1" --border-boost 3 --border-width 4
says 'labels: 0 [0-9.]+ % -> [0-9.]+ % drawn -> 20.0 %, 1 .* drawn -> 40.0 %, 2' err
expect 0 info m3 --json
says '"equalise": "both"' out
says '"border_boost": 3' out
says '"border_width": 4' out
tr -d ' \n' <out >flat
says '"label_boost":\[1.0,2.0\]' flat
expect 0 train $four --out m2 --equalise prior --overwrite --quiet
n=$((n + 1))
! grep -q labels: err || complain "--quiet speaks of labels"

# ---- the same for any threads and after continuing ----
all='--equalise both --label-boost 1,2,1 --border-boost 3 --distort light'
expect 0 train $four $all --out t2 --iterations 4 --quiet
expect 0 train $four $all --out t1 --iterations 4 --quiet --threads 1
expect 0 train $four $all --out r --iterations 2 --quiet
expect 0 train $four $all --out r --iterations 4 --quiet --resume
for model in t2 t1 r; do
    expect 0 process --model $model --in d/train-raw.tif --out $model-prob.tif --quiet
done
same t2-prob.tif t1-prob.tif "one thread and two"
same t2-prob.tif r-prob.tif "continued and in one go"
tiff four.tif 000 12 100 36 201 24 377 24
expect 0 train $four $all --out r --iterations 5 --quiet --resume
says 'warning: label 2 of r is value 128 of label images, in the data it is value 129 of label images$' err
tiff four.tif 000 12 100 36 200 24 377 24

# ---- consolidation ----
expect 0 train $four --out c --consolidate 0,1,1,0 --equalise both
says 'network usk, .* 2 labels' err
says 'labels: 0 .* 3 ' err
expect 0 info c
says '^labels: 0 \(grey 0, 255\); 1 \(grey 64, 128\)$' out
expect 0 info c --json
tr -d ' \n' <out >flat
says '"greys":\[\[0,0\],\[64,1\],\[128,1\],\[255,0\]\]' flat
expect 0 process --model c --in d/train-raw.tif --out c-prob.tif --quiet
expect 0 evaluate --labels four.tif --prob c-prob.tif --model c --json
cp out by-model
expect 0 evaluate --labels four.tif --prob c-prob.tif --consolidate 0,1,1,0 --json
same out by-model "labels told by the model and by --consolidate"
tiff merged.tif 000 12 001 60 000 24
expect 0 evaluate --labels merged.tif --prob c-prob.tif --json
same out by-model "labels consolidated beforehand"
# some labels ignored
expect 0 train $four --out ig --consolidate 0,1,-1,2
says ' 3 labels' err
says 'labels: 0 [0-9.]+ %, 1 [0-9.]+ %, 3 [0-9.]+ %$' err
expect 2 train $four --out no --consolidate 0,1,x,0
says "^greentea: --consolidate is '0,1,x,0', expected" err
expect 2 train $four --out no --consolidate 0,1,1,0,
expect 3 train $four --out no --consolidate 0,1,2,0,1
says 'hold 4 different values, 5 labels are consolidated' err
expect 3 evaluate --labels four.tif --prob c-prob.tif --consolidate 0,1,1,0,1
says 'holds 4 labels, --consolidate lists 5' err

# ---- one sub-folder per label: where both are above 0 the last one counts ----
mkdir -p folders/a_wall folders/b_cell
cp d/train-labels.tif folders/a_wall/1.tif
cp d/train-labels.tif folders/b_cell/1.tif
expect 0 train $two --out grey --quiet
expect 0 train $two --out sub --labels folders
says 'labels: a_wall 0 [0-9.]+ %, b_cell 1 ' err
expect 0 process --model grey --in d/train-raw.tif --out grey-prob.tif --quiet
expect 0 process --model sub --in d/train-raw.tif --out sub-prob.tif --quiet
same grey-prob.tif sub-prob.tif "labels by values and by sub-folders"
expect 0 info sub --json
says '"name": "b_cell"' out
expect 0 info sub
says '^labels: 0 a_wall; 1 b_cell$' out
expect 0 info grey
says '^labels: 0 \(grey 0\); 1 \(grey 255\)$' out
expect 0 evaluate --labels d/train-labels.tif --prob sub-prob.tif --json
cp out by-grey
expect 0 evaluate --labels folders --prob sub-prob.tif --json
same out by-grey "truth by values and by sub-folders"
expect 0 train $two --out rest --labels folders --labels-count 3 --equalise both
says 'labels: a_wall 0 0.0 % -> 0.0 % drawn -> 0.0 %, b_cell 1 .*, 2 ' err
mkdir folders/c_extra
expect 3 train $two --out no --labels folders
says 'c_extra: the folder holds no' err
rmdir folders/c_extra
cp d/train-labels.tif folders/
expect 3 train $two --out no --labels folders
says 'folders: 1 images beside 2 sub-folders' err
rm folders/*.tif
expect 2 train $two --out no --labels folders --ignore-value 3

# ---- flags without a use, or out of range ----
expect 2 train $two --out no --equalise some
says "^greentea: --equalise is 'some', expected one of none, mask, prior, both" err
expect 2 train $two --out no --label-boost 1,2
says 'label boost 1 is 2, but only masking uses it' err
expect 2 train $two --out no --equalise mask --label-boost 1,,2
says "^greentea: --label-boost is '1,,2', expected numbers" err
expect 2 train $two --out no --equalise mask --label-boost 1,2,3
says 'label boost 2 is 3, but there are 2 labels' err
expect 2 train $two --out no --equalise both --border-boost 0
says 'border boost is 0, expected above 0' err
expect 2 train $two --out no --equalise both --border-boost 2 --border-width 0
says 'border width is 0, expected 1 to 1024' err
n=$((n + 1))
[ ! -e no ] || complain "a refused training left a file"

echo "$n checks, $bad complaints"
[ $bad = 0 ]
