#!/bin/sh
# The tool from outside: numbers, exit codes, streams, and a whole round of training, stopping,
# continuing, labelling and judging on made sections. SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
tool=$BUILD/greentea
tmp=$(mktemp -d) || exit 1
child=
clean_up()
{
    [ -z "$child" ] || kill -9 "$child" 2>/dev/null
    rm -rf "$tmp"
}
trap clean_up EXIT
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
    if [ "$code" != "$want" ]; then
        complain "greentea $*: exit code $code, expected $want"
        return 1
    fi
    if [ "$want" -ge 2 ] && { [ -s out ] || ! grep -q '^greentea: ' err; }; then
        complain "greentea $*: an error is one sentence on stderr, nothing on stdout"
        return 1
    fi
}
# PATTERN FILE: a line that matches.
says()
{
    n=$((n + 1))
    grep -qE -- "$1" "$2" || complain "$2 does not say '$1'"
}
same()
{
    n=$((n + 1))
    cmp -s "$1" "$2" || complain "$1 and $2 differ: $3"
}
# KEY FILE: a number of a JSON object's top level.
number()
{
    sed -n "s/^  \"$1\": \\([-0-9.eE+]*\\),\\{0,1\\}\$/\\1/p" "$2" | head -n 1
}
# TEXT FILE: wait up to 30 s until the file is there.
wait_for()
{
    i=0
    while [ ! -s "$1" ] && [ $i -lt 600 ]; do
        sleep 0.05
        i=$((i + 1))
    done
    [ -s "$1" ]
}

# ---- networks: parameters and multiply-accumulates to the unit ----
while read -r net parameters macs; do
    expect 0 info --net "$net" --json
    says "^  \"parameters\": $parameters,\$" out
    says "^  \"macs\": $macs,\$" out
done <<TABLE
sk 20569858 347319205776
u 28942850 150802709248
usk 5512578 482003086080
usk9 3019209 151743310592
sw 20569858 471057408
TABLE
expect 0 info --net usk --out-size 256 --json
says '^  "macs": 135584836352,$' out
expect 0 info --net u --out-size 196 --json
says '^  "macs": 51373964032,$' out
expect 0 info --net sk --labels-count 9 --out-size 64 --json
says '^  "parameters": 20573449,$' out
says '^  "macs": 90666583952,$' out
expect 0 info --net u --labels-count 9 --json
says '^  "parameters": 28943305,$' out
says '^  "macs": 150870152960,$' out
expect 0 info --net usk9 --labels-count 3 --json
says '^  "parameters": 3018819,$' out
expect 0 info --net u
says '572 -> 388 pixels' out

# ---- usage ----
expect 2
expect 2 no-such-command
expect 2 info --no-such-flag
expect 2 info
expect 2 info --net u extra.safetensors
expect 2 info --net v
expect 2 info --net u --channels 2
expect 2 info --net u --width 0
expect 2 info --net u --out-size 400
says '4 modulo 16; nearest to 400: 388, 404' err
expect 2 info --net sw --out-size 2
expect 2 benchmark
expect 2 benchmark --net u --mode dream
expect 2 train
expect 2 process --model m
expect 2 evaluate
expect 0 --help
expect 0 --version
says '^greentea [0-9]+\.[0-9]+\.[0-9]+$' out
for command in train process evaluate benchmark info devices demo; do
    expect 0 "$command" --help
    [ -s out ] && [ ! -s err ] || complain "$command --help belongs on stdout"
    says '^Usage: |^usage: ' out
done
expect 0 devices
says 'cpu' out
expect 0 devices --json
says '"backend": "cpu"' out

# ---- data ----
expect 0 demo --data-only --out d --size 128 --sections 2 --seed 3
for name in train-raw train-labels unseen-raw unseen-labels; do
    [ -s d/$name.tif ] || complain "demo did not write $name.tif"
done
expect 0 demo --data-only --out e --size 128 --sections 2 --seed 3
same d/train-raw.tif e/train-raw.tif "equal seeds"
expect 5 demo --data-only --out missing/folder
expect 2 demo --data-only --out e --size 1

net='--net usk --width 0.05 --patch 32'
data='--raw d/train-raw.tif --labels d/train-labels.tif'

# ---- training: bad arguments, bad input, no place for the result ----
expect 2 train $data --out m --net v
expect 2 train $data --out m $net --iterations none
expect 2 train $data --out m $net --iterations 0
expect 2 train $data --out m $net --policy steep
says 'fixed, inv, step, poly, cosine' err
expect 2 train $data --out m $net --time-limit soon
expect 2 train $data --out m $net --patch 33
expect 2 train $data --out m --net u --width 0.05 --patch 30
says '4 modulo 16; nearest to 30: 20, 36' err
expect 2 train $data --out m $net --patch 512
expect 2 train $data --out m $net --threads -1
expect 3 train --raw d/none.tif --labels d/train-labels.tif --out m $net
expect 3 train --raw d/train-raw.tif --labels d/unseen-labels.tif --out m $net
echo "this is no image" >text.tif
head -c 2000 d/train-raw.tif >short.tif
: >empty.tif
for file in text.tif short.tif empty.tif; do
    expect 3 train --raw $file --labels $file --out m $net
done
expect 4 train $data --out m $net --device gpu7
expect 5 train $data --out missing/m $net --iterations 1 --quiet
[ ! -e m ] || complain "a failed start left a model"
expect 0 train $data --out m $net --dry-run
[ ! -e m ] || complain "--dry-run wrote a model"
# Bytes of values, prepared weights and state together, as the plan of a run (--dump) has them.
dumped()
{
    sed -n 's/.* arena \([0-9]*\) bytes, packed \([0-9]*\), kept \([0-9]*\),.*/\1 \2 \3/p' err |
        awk '{ print $1 + $2 + $3 }'
}
for loss in softmax softmax+malis; do
    expect 0 train $data --out m $net --loss $loss --dry-run --quiet
    peak=$(sed -n 's/^train on .*: peak \([0-9]*\) bytes.*/\1/p' out)
    [ -n "$peak" ] || complain "--dry-run names no peak"
    expect 0 train $data --out dumped $net --loss $loss --iterations 1 --overwrite --dump
    [ "$(dumped)" = "$peak" ] || complain "$loss: --dry-run says $peak, the run took $(dumped)"
done

# ---- training: same bits for any threads; overwriting ----
expect 0 train $data --out m $net --iterations 20 --quiet --threads 1
[ ! -s err ] || [ "$(wc -l <err)" -le 1 ] || complain "--quiet talks"
expect 0 train $data --out m3 $net --iterations 20 --quiet --threads 3
same m m3 "1 and 3 threads"
expect 2 train $data --out m $net --iterations 20 --quiet
says 'overwrite' err
same m m3 "a refused run changed the model"
expect 0 train $data --out m3 $net --iterations 20 --quiet --overwrite --seed 2
cmp -s m m3 && complain "another seed gives the same model"
expect 0 info m --json
says '^  "iteration": 20,$' out
says '^  "net": "usk",$' out
expect 6 train $data --out hot $net --iterations 200 --snapshot 1 --quiet --rate 1e6 --clip 0 \
    --policy fixed
says 'finite|NaN|not a number|infinit' err
expect 0 info hot

# ---- stopping and continuing: bit for bit the uninterrupted run, fixed or falling rate ----
expect 0 train $data --out whole $net --iterations 150 --quiet --snapshot 1000
"$tool" train $data --out part $net --iterations 150 --quiet --snapshot 1 >out 2>err &
child=$!
wait_for part || complain "no snapshot came"
kill -INT "$child"
wait "$child"
code=$?
child=
n=$((n + 1))
[ "$code" = 130 ] || complain "SIGINT: exit code $code, expected 130"
expect 0 info part --json
reached=$(number iteration out)
[ "${reached:-0}" -ge 1 ] && [ "${reached:-0}" -lt 150 ] || complain "stopped at iteration '$reached'"
expect 0 train $data --out part $net --iterations 150 --quiet --resume --snapshot 1000
same part whole "resumed after $reached of 150 iterations"
# timeout(1) signals the program and then its whole group: one stop, not a stop and an end at once
timeout -s INT 1 "$tool" train $data --out twice $net --iterations 100000 --quiet \
    --snapshot 1000000 >out 2>err
code=$?
n=$((n + 1))
[ "$code" = 124 ] || complain "timeout -s INT: exit code $code, expected 124"
expect 0 info twice
"$tool" train $data --out term $net --iterations 5000 --quiet --snapshot 1 >out 2>err &
child=$!
wait_for term || complain "no snapshot came"
kill -TERM "$child"
wait "$child"
code=$?
child=
[ "$code" = 143 ] || complain "SIGTERM: exit code $code, expected 143"
expect 0 info term
expect 0 train $data --out sgd $net --iterations 7 --quiet --solver sgd --rate 0.01 --policy inv
expect 0 train $data --out sgd $net --iterations 15 --quiet --solver sgd --rate 0.01 --policy inv --resume
expect 0 train $data --out sgd15 $net --iterations 15 --quiet --solver sgd --rate 0.01 --policy inv
same sgd sgd15 "sgd, 7 and 8 iterations"
# A damaged newest snapshot: the one before it counts.
expect 0 train $data --out back $net --iterations 6 --quiet --snapshot 5 --policy fixed
head -c 500 back >back.cut
mv back.cut back
cp back broken
cp back.prev broken.prev
expect 2 train $data --out broken $net --iterations 6 --quiet --resume --policy fixed \
    --skip-gradient blocked
says '^greentea: warning: broken: .*; going on from broken.prev$' err
says '^greentea: broken.prev holds network .* skip gradient flowing' err
expect 0 train $data --out back $net --iterations 6 --quiet --resume --policy fixed
expect 0 train $data --out back6 $net --iterations 6 --quiet --policy fixed
same back back6 "resumed from .prev"
expect 3 train $data --out text.tif $net --iterations 6 --quiet --resume
expect 2 train $data --out part --net usk --width 0.1 --patch 32 --quiet --resume ||
    says 'shape|network|width' err

expect 5 train $data --out missing/m $net --iterations 3 --snapshot 1 --quiet
says 'missing/m' err

# ---- processing ----
expect 0 process --model m --in d/unseen-raw.tif --out whole.tif --untiled --deterministic --quiet
expect 0 process --model m --in d/unseen-raw.tif --out tiled.tif --tile 36 --deterministic --quiet
same whole.tif tiled.tif "tiled and untiled"
expect 0 process --model m --in d/unseen-raw.tif --out limit.tif --memory-limit 6M --deterministic --quiet
same whole.tif limit.tif "a memory limit"
expect 0 process --model m --in d/unseen-raw.tif --out one.tif --threads 1 --quiet
expect 0 process --model m --in d/unseen-raw.tif --out three.tif --threads 3 --quiet
same one.tif three.tif "1 and 3 threads"
expect 0 process --model m --in d/unseen-raw.tif --out p8.png --quiet
expect 0 process --model m --in d/unseen-raw.tif --out p8.tif --format u8 --quiet
expect 0 process --model m --in d/unseen-raw.tif --out p16.tif --format u16 --quiet
expect 0 process --model m --in d/unseen-raw.tif --out p16.png --format u16 --quiet
expect 0 process --model m --in p8.png --out again.tif --quiet
expect 0 process --model m --in d/train-raw.tif --out folder --quiet
[ -s folder/train-raw.tif ] || complain "no file in the output folder"
expect 0 process --model m --in d/train-raw.tif --out label0.tif --label 0 --quiet
expect 0 process --model m --in d/unseen-raw.tif --out dry.tif --dry-run
says 'tiles of [0-9]+ x [0-9]+' out
arena=$(sed -n 's/.*(arena \([0-9]*\) bytes.*/\1/p' out)
[ ! -e dry.tif ] || complain "--dry-run wrote an image"
expect 0 process --model m --in d/unseen-raw.tif --out dumped.tif --dump
[ "$(sed -n 's/.* arena \([0-9]*\) bytes.*/\1/p' err)" = "$arena" ] ||
    complain "--dry-run says an arena of $arena bytes"
expect 2 process --model m --in d/unseen-raw.tif --out whole.tif --quiet
says 'overwrite' err
expect 0 process --model m --in d/unseen-raw.tif --out one.tif --overwrite --quiet
expect 2 process --model m --in d/unseen-raw.tif --out x.tif --label 2
expect 2 process --model m --in d/unseen-raw.tif --out x.tif --format f16
expect 2 process --model m --in d/unseen-raw.tif --out x.png --format f32
expect 2 process --model m --in d/unseen-raw.tif --out x.tif --memory-limit lots
expect 2 process --model m --in d/unseen-raw.tif --out x.tif --tile 33
expect 4 process --model m --in d/unseen-raw.tif --out x.tif --memory-limit 1K
expect 3 process --model none --in d/unseen-raw.tif --out x.tif
expect 3 process --model m --in none.tif --out x.tif
for file in text.tif short.tif empty.tif; do
    expect 3 process --model m --in $file --out x.tif
done
size=$(wc -c <m)
head -c $((size - 100)) m >cut
{ head -c $((size - 100)) m && printf 'x' && tail -c 99 m; } >bent
for file in cut bent empty.tif text.tif; do
    expect 3 process --model $file --in d/unseen-raw.tif --out x.tif
    expect 3 info $file
done
expect 5 process --model m --in d/unseen-raw.tif --out missing/x.tif --quiet
expect 5 process --model m --in d/unseen-raw.tif --out text.tif/x --quiet
# A disk that is full in the middle: files may grow to 16 KiB only, the float image needs 64.
(
    trap '' XFSZ
    ulimit -f 32
    exec "$tool" process --model m --in d/unseen-raw.tif --out x.tif --quiet
) >out 2>err
code=$?
[ "$code" = 5 ] || complain "a full disk: exit code $code, expected 5"
left=$(find . -name '*x.tif*')
[ -z "$left" ] || complain "failed runs left $left"

# ---- judging ----
expect 0 evaluate --labels d/unseen-labels.tif --prob whole.tif
says '^V_Rand ' out
expect 0 evaluate --labels d/unseen-labels.tif --prob whole.tif --json
for key in v_rand v_info pixel_error pixel_wrong slices; do
    [ -n "$(number $key out)" ] || complain "evaluate --json lacks $key"
done
exact=$(number pixel_error out)
for file in p8.png p8.tif p16.tif p16.png; do
    expect 0 evaluate --labels d/unseen-labels.tif --prob $file --json
    n=$((n + 1))
    echo "$exact $(number pixel_error out)" |
        awk '{ d = $1 - $2; exit !(NF == 2 && d * d < 4e-4) }' ||
        complain "$file is judged unlike the float image ($exact)"
done
# The truth judged by itself.
expect 0 evaluate --labels d/unseen-labels.tif --prob d/unseen-labels.tif --json
echo "$(number pixel_error out) $(number pixel_wrong out)" | awk '{ exit !(NF == 2 && $1 + $2 == 0) }' ||
    complain "the truth is not perfect"
expect 3 evaluate --labels none.tif --prob whole.tif
expect 3 evaluate --labels d/train-labels.tif --prob whole.tif
says 'train-labels.tif has 2 pages' err
expect 3 evaluate --labels text.tif --prob whole.tif
expect 2 evaluate --labels d/unseen-labels.tif --prob whole.tif --label 5

# A colour image is no probability; the truth's values are ranks; one channel of many needs a name.
echo iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGPg5GAHAAA2ABlutSoqAAAAAElFTkSuQmCC |
    base64 -d >rgb.png
expect 3 evaluate --labels rgb.png --prob rgb.png
expect 3 evaluate --labels d/unseen-labels.tif --prob rgb.png
expect 0 train $data --out nine --net usk9 --width 0.02 --patch 32 --iterations 1 --labels-count 9 --quiet
expect 0 process --model nine --in d/unseen-raw.tif --out nine.tif --quiet
expect 0 process --model nine --in d/unseen-raw.tif --out nine2.tif --label 2 --quiet
expect 2 evaluate --model nine --labels d/unseen-labels.tif --prob nine2.tif
says 'label tells which' err
expect 0 evaluate --model nine --labels d/unseen-labels.tif --prob nine2.tif --label 2
expect 0 evaluate --model nine --labels d/unseen-labels.tif --prob nine.tif --json
says '"mean_iou"' out
n=$((n + 1))
"$tool" info --net u >/dev/full 2>err
[ $? = 5 ] || complain "a full standard output is no output error"

# ---- outputs that would destroy something ----
mkdir same mixed
cp d/unseen-raw.tif same/a.tif
expect 2 process --model m --in same --out same --overwrite
expect 2 process --model m --in same/a.tif --out same/a.tif --overwrite
cp d/unseen-raw.tif mixed/a.tif
cp p8.png mixed/a.png
expect 2 process --model m --in mixed --out out-folder --overwrite
says 'two inputs' err
expect 2 process --model m --in d/unseen-raw.tif --out x.jpg
expect 2 train $data --out same $net --iterations 1 --overwrite --quiet
[ -d same ] || complain "a folder was replaced by a model"

# ---- timing ----
expect 0 benchmark --net usk --width 0.05 --out-size 16 --mode train --runs 2 --json
for key in threads input output batch ms_median ms_min gmacs tflops mpix_per_s peak_bytes; do
    [ -n "$(number $key out)" ] || complain "benchmark --json lacks $key"
done
says '"mode": "train"' out
expect 2 benchmark --net usk --out-size 15

# ---- environment ----
n=$((n + 1))
GREENTEA_THREADS=many "$tool" benchmark --net usk --width 0.05 --out-size 16 >out 2>err
[ $? = 2 ] || complain "GREENTEA_THREADS=many is no usage error"
GREENTEA_DEVICE=gpu7 "$tool" benchmark --net usk --width 0.05 --out-size 16 >out 2>err
[ $? = 4 ] || complain "GREENTEA_DEVICE=gpu7 is no device error"

echo "$n checks, $bad complaints"
[ "$bad" = 0 ]
