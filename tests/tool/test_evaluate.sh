#!/bin/sh
# greentea evaluate: all scores, slices, label maps, segmentations, and what it refuses.
# SPDX-License-Identifier: BSD-2-Clause
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
# PATTERN FILE: a line that matches; hides: none.
says()
{
    n=$((n + 1))
    grep -qE -- "$1" "$2" || complain "$2 does not say '$1'"
}
hides()
{
    n=$((n + 1))
    grep -qE -- "$1" "$2" && complain "$2 says '$1'"
}
# KEY VALUE: the first number of a key in out, to 1e-6.
holds()
{
    n=$((n + 1))
    got=$(sed -n "s/^ *\"$1\": \\([-0-9.eE+]*\\),\\{0,1\\}\$/\\1/p" out | head -n 1)
    echo "$got $2" | awk '{ d = $1 - $2; exit !(NF == 2 && d < 1e-6 && d > -1e-6) }' ||
        complain "$1 is '$got', expected $2"
}

# 16 cells of 16 x 16; the same cut apart by lines of 0; 3 labels by grey value, the same taken for
# others, as indices and as grey values.
base64 -d >cells.png <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAAAAACPAi4CAAAAOElEQVR42u3UIQ4AMAgEQWj4/5urm9QQDGLWnRl5mfHW3SeGAQCALUCVPwAAAP4AAAD4AwAA8O8CO1IAn4q7y68AAAAASUVORK5CYII=
PNG
base64 -d >lines.png <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAAAAACPAi4CAAAAaklEQVR42u2UOQqAQBAEZ71v/f8vVVRUPOKK10CWnqw6KAYa2szznDkGT0S+Y/KVkCPfDySQQIKPBOa/BymDMyMfOXkv1IIEEgS7ByWDrSKvNXlp1IIEEgS7By2DuSNPPXkc1IIEEvxT8AI/cgyd+GZ76wAAAABJRU5ErkJggg==
PNG
base64 -d >truth.png <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAAAgAAAAECAAAAACWpiEsAAAAFklEQVR42mNkYEhhmM3AwMjEAAWYDAAgeQEIdWGWPwAAAABJRU5ErkJggg==
PNG
base64 -d >map.png <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAAAgAAAAECAAAAACWpiEsAAAAFklEQVR42mNkYGRgYGT4x8DEAAWYDAAduwEIBOqHNQAAAABJRU5ErkJggg==
PNG
base64 -d >grey.png <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAAAgAAAAECAAAAACWpiEsAAAAFklEQVR4nGNkSGFgmM3AyMDEAAWYDAAg3gEIvC8z3AAAAABJRU5ErkJggg==
PNG

# ---- segmentations: the example of three implementations that disagree ----
expect 0 evaluate --labels cells.png --segmentation lines.png --json
holds v_rand 0.871936106 # 1620992 / 1859072
holds adapted_rand 0.128063894
holds adapted_rand_cremi 0.128364868 # singletons weigh 496/4096
holds voi_split 0.532496665
holds voi_merge 0.484375
expect 0 evaluate --labels cells.png --segmentation lines.png --per-slice
says '^volume  0\.8719 ' out
says '^1       0\.8719 ' out
expect 0 evaluate --labels cells.png --segmentation cells.png --json
holds v_rand 1
holds cremi_score 0
expect 0 evaluate --labels cells.png --segmentation lines.png --components both --json
hides '"volume"' out # all cells of the truth touch: one component
holds voi_split 4.048121665
expect 3 evaluate --labels cells.png --segmentation truth.png
says '64 x 64.* 8 x 4' err
expect 2 evaluate --labels cells.png --segmentation lines.png --components all
expect 2 evaluate --labels cells.png --segmentation lines.png --metrics voi
# Most lines are borders of the truth; those along the image are not.
expect 0 evaluate --labels cells.png --segmentation lines.png --ignore-border 0 --json
holds cremi_score 0.0966263577
expect 3 evaluate --labels cells.png --segmentation lines.png --ignore-border 20
expect 2 evaluate --labels cells.png --segmentation lines.png --ignore-border 2000
expect 2 evaluate --labels cells.png --prob lines.png --ignore-border 2
expect 3 evaluate --labels none.png --segmentation lines.png

# ---- label maps: of 8 columns label 1 wins one from 0, and 0 one from 2 ----
for file in map.png grey.png; do
    expect 0 evaluate --labels truth.png --label-map $file --json
    holds recall 0.6666666667
    holds mean_iou 0.6111111111
    says '^ +"iou": 0\.6666' out
done
expect 0 evaluate --labels truth.png --label-map map.png
says '^    1   100 ' out
expect 3 evaluate --labels truth.png --label-map cells.png
says 'cells.png: page 1 holds 3, which is neither' err
expect 2 evaluate --labels truth.png --label-map map.png --prob map.png
says 'exclude' err
expect 2 evaluate --labels truth.png --label-map map.png --per-slice

# ---- probabilities ----
expect 0 demo --data-only --out d --size 128 --sections 3 --seed 3
expect 0 evaluate --labels d/train-labels.tif --prob d/train-labels.tif --per-slice --json
for key in pixel_error voi_split voi_merge adapted_rand adapted_rand_cremi cremi_score rand_error \
    warping_error warping_split_merge error; do
    holds $key 0
done
for key in v_rand v_info mean_iou; do
    holds $key 1
done
n=$((n + 1))
[ "$(grep -c '"slice":' out)" = 3 ] || complain "not 3 slices"
expect 0 evaluate --labels d/train-labels.tif --prob d/train-raw.tif --per-slice
for line in '^V_Rand \(thinned\)' '^V_Info' '^VOI ' '^adapted Rand err.*SNEMI3D' '^CREMI score' \
    '^Rand error' '^warping error' '^  splits, mergers ' '^pixel error' '^calibration error' '^ *slice ' '^        3 ' \
    '^mean IoU' '^0.933-1.000'; do
    says "$line" out
done
expect 0 evaluate --labels d/train-labels.tif --prob d/train-raw.tif --metrics warping,iou --json
says '"warping_error"' out
says '"mean_iou"' out
hides '"v_rand"|"rand_error"|"pixel_error"|"calibration"' out
expect 2 evaluate --labels d/train-labels.tif --prob d/train-raw.tif --metrics vrand,,pixel
expect 2 evaluate --labels d/train-labels.tif --prob d/train-raw.tif --metrics fast
says "'fast' is none of" err
expect 0 evaluate --labels d/train-labels.tif --prob d/train-raw.tif --progress json --metrics pixel
says '^\{"share": 1.0000, .*"slice": 3, "slices": 3\}$' err
expect 0 evaluate --labels d/train-labels.tif --prob d/train-raw.tif --metrics pixel --quiet
n=$((n + 1))
[ ! -s err ] || complain "--quiet is not quiet"
# A label that no pixel has: nothing to say about segments.
expect 0 evaluate --labels truth.png --prob map.png --label 1 --metrics vrand,pixel
expect 2 evaluate --labels truth.png --prob map.png

# ---- small, damaged and odd images ----
base64 -d >nan.tif <<'DATA'
SUkqAAgAAAAOAAABBAABAAAAAgAAAAEBBAABAAAAAQAAAAIBAwABAAAAIAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAA4AAAABUBAwABAAAAAQAAABYBBAABAAAAAQAAABcBBAABAAAACAAAABoBBQABAAAAtgAAABsBBQABAAAAvgAAACgBAwABAAAAAQAAADEBAgAMAAAAxgAAAFMBAwABAAAAAwAAAAAAAAABAAAAAQAAAAEAAAABAAAAdGlmZmZpbGUucHkAAAAAAAAAAAAAAAAAAAAAAMB/AACAPw==
DATA
base64 -d >large.tif <<'DATA'
SUkqAAgAAAANAAABBAABAAAAAgAAAAEBBAABAAAAAQAAAAIBAwABAAAAIAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAA0AAAABUBAwABAAAAAQAAABYBBAABAAAAAQAAABcBBAABAAAACAAAABoBBQABAAAAqgAAABsBBQABAAAAsgAAACgBAwABAAAAAQAAADEBAgAMAAAAugAAAAAAAAABAAAAAQAAAAEAAAABAAAAdGlmZmZpbGUucHkAAAAAAAAAAAAAAAEAAAEBAAAA
DATA
base64 -d >half.tif <<'DATA'
SUkqAAgAAAAOAAABBAABAAAAAgAAAAEBBAABAAAAAQAAAAIBAwABAAAAIAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAA4AAAABUBAwABAAAAAQAAABYBBAABAAAAAQAAABcBBAABAAAACAAAABoBBQABAAAAtgAAABsBBQABAAAAvgAAACgBAwABAAAAAQAAADEBAgAMAAAAxgAAAFMBAwABAAAAAwAAAAAAAAABAAAAAQAAAAEAAAABAAAAdGlmZmZpbGUucHkAAAAAAAAAAAAAAAAAAAAAAAA/AACAPw==
DATA
base64 -d >two.png <<'DATA'
iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAAAAADRSSBWAAAAC0lEQVR4nGNg+A8AAQIBAEK+vGgAAAAASUVORK5CYII=
DATA
base64 -d >pixel.png <<'DATA'
iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg==
DATA
base64 -d >black.png <<'DATA'
iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==
DATA
for file in pixel.png black.png; do
    expect 0 evaluate --labels pixel.png --prob $file --json --per-slice
    holds v_rand 1 # one pixel is one segment, whatever is predicted
    expect 0 evaluate --labels pixel.png --segmentation $file --json --per-slice
    holds voi_split 0
done
expect 0 evaluate --labels black.png --prob pixel.png
says 'no pixel has this label' out
hides '^V_Rand|^Rand' out
expect 0 evaluate --labels black.png --prob pixel.png --json --per-slice
holds pixel_wrong 1
expect 3 evaluate --labels black.png --segmentation pixel.png
says 'black.png: no pixel of the truth is in a segment' err
expect 3 evaluate --labels two.png --prob nan.tif
says 'nan' err
expect 3 evaluate --labels two.png --segmentation nan.tif
expect 3 evaluate --labels two.png --segmentation large.tif
says 'large.tif: page 1 holds 16777216, .* below 16777216 only' err
expect 3 evaluate --labels two.png --segmentation half.tif
says 'segment 0.5 at x 0, y 0 is not a whole number' err
expect 3 evaluate --labels two.png --label-map half.tif
says 'half.tif: page 1 holds 0.5' err
expect 3 evaluate --labels two.png --prob pixel.png
says '2 x 1.* 1 x 1' err
expect 3 evaluate --labels d/train-labels.tif --segmentation two.png
says '3 pages, two.png 1' err

# ---- an argmax that process wrote is judged as its probabilities are ----
expect 0 train --raw d/train-raw.tif --labels d/train-labels.tif --out nine --net usk9 --width 0.02 \
    --patch 32 --iterations 1 --labels-count 9 --quiet
expect 0 process --model nine --in d/unseen-raw.tif --out prob.tif --quiet
expect 0 process --model nine --in d/unseen-raw.tif --out argmax.tif --argmax index --quiet
expect 0 evaluate --model nine --labels d/unseen-labels.tif --prob prob.tif --metrics confusion --json
sed -n '/"labels"/,$p' out >from-prob
expect 0 evaluate --model nine --labels d/unseen-labels.tif --label-map argmax.tif --json
sed -n '/"labels"/,$p' out >from-map
n=$((n + 1))
{ [ -s from-map ] && cmp -s from-prob from-map; } || complain "map and probabilities differ"

echo "$n checks, $bad complaints"
[ $bad = 0 ]
