#!/bin/sh
# Training with MALIS from outside: schedule, stop and resume across it, weights of another model,
# the flags in a file, refusals. SPDX-License-Identifier: BSD-2-Clause
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

# CODE ARGUMENTS...: run the tool, compare its exit code; err keeps what it said.
expect()
{
    want=$1
    shift
    n=$((n + 1))
    "$tool" "$@" >out 2>err
    code=$?
    [ "$code" = "$want" ] || {
        bad=$((bad + 1))
        echo "FAIL: greentea $*: exit code $code, expected $want"
        sed 's/^/  /' err
    }
}
# PATTERN FILE: a line that matches.
says()
{
    n=$((n + 1))
    grep -qE -- "$1" "$2" || {
        bad=$((bad + 1))
        echo "FAIL: $2 does not say '$1'"
        sed 's/^/  /' "$2"
    }
}

expect 0 demo --data-only --size 96 --sections 2 -o demo
raw=demo/train-raw.tif
labels=demo/train-labels.tif
base="--net u --width 0.05 --patch 36 --batch 2 -t 1 --raw $raw --labels $labels --progress json"

# shellcheck disable=SC2086 # words
{
    expect 0 train $base --iterations 4 --out softmax.gt
    says '"loss_malis": 0[,}]' err
    expect 0 train $base --iterations 6 --loss softmax+malis --malis-after 3 --out a.gt \
        --report a.html --log-interval 1
    n=$((n + 1))
    lines=$(grep -c '"type": *"iteration"' a.jsonl)/$(grep -c '"loss_malis"' a.jsonl)
    [ "$lines" = 6/3 ] || {
        bad=$((bad + 1))
        echo "FAIL: three of six iterations are with MALIS:"
        cat a.jsonl
    }
    # A line of the log over the change: the mean of the iterations with MALIS.
    expect 0 train $base --iterations 6 --loss softmax+malis --malis-after 3 --out l.gt \
        --log l.jsonl --log-interval 6
    n=$((n + 1))
    malis='s/.*"loss_malis": *\([0-9.e-]*\).*/\1/p'
    mean=$(sed -n "$malis" a.jsonl | awk '{ s += $1 } END { printf "%.5f", s / NR }')
    [ "$(sed -n "$malis" l.jsonl | awk '{ printf "%.5f", $1 }')" = "$mean" ] || {
        bad=$((bad + 1))
        echo "FAIL: the mean of MALIS is not $mean:"
        cat l.jsonl
    }
    # In two parts, the change in the second.
    expect 0 train $base --iterations 2 --policy fixed --loss softmax+malis --malis-after 3 \
        --malis-weight 2 --malis-form hinge --out b.gt
    expect 0 train $base --iterations 5 --policy fixed --loss softmax+malis --malis-after 3 \
        --malis-weight 2 --malis-form hinge --out b.gt --resume
    expect 0 train $base --iterations 5 --policy fixed --loss softmax+malis --malis-after 3 \
        --malis-weight 2 --malis-form hinge --out c.gt
    expect 0 info b.gt
    # The weights and all that was set, but for the way there: the same bits.
    n=$((n + 1))
    tail -c 4096 b.gt >b.end
    tail -c 4096 c.gt >c.end
    cmp -s b.end c.end || {
        bad=$((bad + 1))
        echo "FAIL: a training in two parts ends otherwise"
    }
    # Fine-tuning: starts from what softmax reached.
    expect 0 train $base --iterations 1 --loss malis --init-model softmax.gt --out d.gt
    expect 3 train $base --iterations 1 --init-model missing.gt --out e.gt
    says 'missing.gt' err
    expect 2 train $base --iterations 1 --malis-after 3 --out e.gt
    says '--malis-after needs --loss' err
    expect 2 train $base --iterations 1 --loss rand --out e.gt
    says "--loss is 'rand', expected one of softmax, malis, softmax\+malis" err
    expect 2 train $base --iterations 1 --loss malis --malis-form cubic --out e.gt
    expect 2 train $base --iterations 1 --loss malis --malis-weight -1 --out e.gt
    says 'MALIS weight -1' err
    printf 'loss: malis\nmalis-form: hinge\n' >c.yaml
    expect 0 train $base --iterations 1 --config c.yaml --out e.gt
    says '"loss_softmax": 0, "loss_malis": [0-9.]*[1-9]' err
}

[ $bad -eq 0 ] && echo "$n checks"
exit $bad
