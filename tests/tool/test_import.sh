#!/bin/sh
# greentea import toolparam: configurations of caffe_neural_tool become ours, mistakes in them are
# named by their line. SPDX-License-Identifier: BSD-2-Clause
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
    sed 's/^/  stdout: /' out 2>/dev/null | head -n 60
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
# LINE...: lines of `out`, each whole.
has()
{
    for line in "$@"; do
        n=$((n + 1))
        grep -qxF -- "$line" out || complain "no line '$line'"
    done
}
hasnt()
{
    n=$((n + 1))
    grep -qE -- "$1" out && complain "a line '$1'"
}
# TEXT SENTENCE: an old configuration that is refused, with this sentence.
refused()
{
    printf '%b' "$1" >bad.prototxt
    expect 3 import toolparam bad.prototxt
    n=$((n + 1))
    [ "$(cat err)" = "greentea: bad.prototxt, $2" ] || complain "'$1' was not refused with '$2'"
    [ ! -s out ] || complain "'$1' gave a configuration"
}

mkdir -p set net_sk_2out
cat >net_sk_2out/solver.prototxt <<'PROTO'
# what the nets of 2015 had
train_net: "../net_sk_2out/net.prototxt"
base_lr: 0.00005
momentum: 0.99
weight_decay: 0.000005
lr_policy: "inv"
gamma: 0.0001
power: 0.75
max_iter: 100000
snapshot: 2000
snapshot_prefix: "nets/sk_2out"
display: 50
PROTO
cat >set/old.prototxt <<'PROTO'
train {
  solver: "../net_sk_2out/solver.prototxt"
  solverstate: "sk_2out_iter_4000.solverstate"
  input: <
    padding_size: 102; patch_size: 128,
    channels: 3  labels: 2  batch_size: 4
    raw_images: 'train ' "raw\056d"  # two strings are one
    label_images: "train/labels"
    preprocessor {
      label_consolidate { label: 0 label: 0 # membrane
                          label: [ 1, 0 ] label: 1 }
      normalization: true rotation: true mirror: True
      clahe { clip: 3.5 }
      crop { imagecrop: 1 labelcrop: 0 }
      blur { mean: 0.0 std: 0.1 ksize: 5 }
      histeq { patch_prior: true masking: true label_boost: 1 label_boost: 2.5f border_boost: 3 }
      deform { std_x: 0.1 }
      surprise { inside: 1 }
    }
  >
  filter_output { output_filters: true output: "filters" }
}
train {
  solver: "nowhere/net_usk_9out/solver.prototxt"
  input { padding_size: 180 patch_size: 510 channels: 1 labels: 9 raw_images: "r" label_images: "l"
    preprocessor { rotation: false mirror: true histeq { masking: true } } }
}
process {
  process_net: "../net_sk_2out/net.prototxt"
  caffemodel: "sk_2out_iter_20000.caffemodel"
  input { padding_size: 102 patch_size: 128 channels: 3 labels: 2 raw_images: "in"
          preprocessor { normalization: true clahe { clip: 4.0 } } }
  output { output: "out" format: "tif" fp32_out: true }
  filter_output { output_filters: false output: "filters" }
}
benchmark { train_index: 0 process_index: 0 output: "times" warmup_runs: 2 bench_runs: 5 }
PROTO

# ---- a whole file ----
cd set || exit 1
"$tool" import toolparam old.prototxt --out ../new.yaml >../out 2>../err || complain "no new.yaml"
cd .. || exit 1
cp new.yaml out
has 'train:' '  net: sk' '  raw: "train raw.d"' '  labels: train/labels' \
    '  out: nets/sk_2out.safetensors' '  channels: 3' '  patch: 128' '  norm: minmax' \
    '  clahe: 3.5' '  augment: d4' '  equalise: both' '  label-boost: [1, 2.5]' \
    '  consolidate: [0, 0, 1, 0, 1]' '  solver: sgd' '  rate: 5.0e-05' '  policy: inv' \
    '  gamma: 0.0001' '  power: 0.75' '  momentum: 0.99' '  decay: 5.0e-06' '  clip: 0.0' \
    '  warmup: 0' '  iterations: 100000' '  snapshot: 2000' '  filter-output: filters'
has '  # batch_size 4: was ignored, 1 counted' \
    '  # deform: was never implemented by the original; see --elastic' \
    '  # input.preprocessor.surprise (line 18): not known, left out' \
    '  # solverstate sk_2out_iter_4000.solverstate: snapshots of Caffe cannot be continued' \
    '  # border-boost: 3'
has 'process:' '  model: nets/sk_2out.safetensors' '  in: in' '  out: out' \
    'benchmark:' '  mode: train' '  out-size: 128' '  layers: true' '  runs: 5' '  warmup: 2' \
    '  out: times'
n=$((n + 1))
[ "$(grep -c filter-output out)" = 1 ] || complain "filters that were switched off are on"
for command in train process benchmark; do
    expect 0 $command --config new.yaml --print-config
done
"$tool" train --config new.yaml --print-config >out
n=$((n + 1))
grep -q '^  rate: 5.0e-05 ' out && grep -q '^  consolidate: "*0,0,1,0,1"* ' out ||
    complain "train does not read what import wrote"
expect 2 import toolparam set/old.prototxt --out new.yaml
expect 0 import toolparam set/old.prototxt --out new.yaml --overwrite

sed 's/net.prototxt/net_malis.prototxt/' net_sk_2out/solver.prototxt >malis
mv malis net_sk_2out/solver.prototxt
expect 0 import toolparam set/old.prototxt
has '  loss: malis' '  malis-form: hinge'
cp out malis.yaml
expect 0 train --config malis.yaml --print-config

# ---- the second block; no solver file; another network; a size it cannot have ----
expect 0 import toolparam set/old.prototxt --index 1
has '  net: usk9' '  out: model.safetensors' '  norm: none' \
    '  # no normalization: grey values were 0 to 1, here they are 0 to 255' '  augment: flips' '  equalise: mask' \
    '  labels-count: 9' '  channels: 1' \
    "  # the solver's file was not found: its keys (rate, policy, ...) are missing"
hasnt '^  (patch|rate|clahe|blur|consolidate|filter-output):'
hasnt '^(process|benchmark):'
n=$((n + 1))
grep -q '^  # patch_size 510: .*508, 512$' out || complain "510 is not explained"
cp out second.yaml
expect 0 train --config second.yaml --print-config
# boosts without masking had no effect, and train refuses them
printf 'train { input { preprocessor { histeq { patch_prior: true label_boost: 2 } } } }' >prior.prototxt
expect 0 import toolparam prior.prototxt
has '  equalise: prior' '  # label_boost: only masking uses it'
hasnt '^  label-boost:'
expect 2 import toolparam set/old.prototxt --index 2
n=$((n + 1))
grep -q 'has no train, process or benchmark block number 2$' err || complain "block 2 is there"
expect 2 import toolparam set/old.prototxt --index -1
expect 2 import toolparam
expect 2 import
expect 2 import onnx
expect 0 import --help
expect 0 import toolparam --help
expect 3 import toolparam missing.prototxt
expect 3 import toolparam .
: >empty
expect 2 import toolparam empty

# ---- mistakes ----
refused 'train {\n  input {\n' 'line 3: the block of line 2 does not end'
refused 'train {\n  solver: "x\n}' 'line 2: the string does not end on its line'
refused 'train }' "line 1: expected ':' or '{', found '}'"
refused 'train { }\n}' "line 2: expected a name, found '}'"
refused 'train { solver }' "line 1: expected ':' or '{', found '}'"
refused 'train { solver: }' "line 1: expected a value, found '}'"
refused 'train { solver: [ "a" "b" ; ] }' "line 1: expected ',' or ']', found ';'"
refused 'train {\n\n input { patch_size: big } }' \
    "line 3: patch_size is 'big', expected an integer of 0 or more"
refused 'train { input { padding_size: -2 } }' \
    "line 1: padding_size is '-2', expected an integer of 0 or more"
refused 'train { input { preprocessor { rotation: maybe } } }' \
    "line 1: rotation is 'maybe', expected true or false"
refused 'train { input { preprocessor { clahe { clip: nan } } } }' \
    "line 1: clip is 'nan', expected a number"
refused 'train { input { raw_images { } } }' \
    'line 1: raw_images is a block, expected a text in UTF-8'
refused 'train { input { raw_images: "\\377" } }' "line 1: raw_images is '$(printf '\377')', expected a text in UTF-8"
refused 'train { solver: "a\\000" }' 'line 1: a string holds the character 0'
refused 'train { solver: "\\q" }' 'line 1: a backslash before byte 113 means nothing'
refused '\0377' 'line 1: expected a name, found byte 255'
i=0
deep=
while [ $i -lt 40 ]; do
    deep="${deep}a {"
    i=$((i + 1))
done
refused "$deep" 'line 1: more than 32 blocks in one another'
head -c 1100000 /dev/zero | tr '\0' ' ' >big
expect 3 import toolparam big
sed 's/^base_lr: .*/base_lr: slow/' net_sk_2out/solver.prototxt >damaged
cp damaged net_sk_2out/solver.prototxt
expect 3 import toolparam set/old.prototxt
n=$((n + 1))
grep -q "solver.prototxt, line 3: base_lr is 'slow', expected a number\$" err ||
    complain "an error of the solver's file does not name it"

# Damaged files end in a sentence, not in a signal.
i=0
size=$(wc -c <set/old.prototxt)
while [ $i -lt 60 ]; do
    at=$((i * 7919 % size))
    byte=$(printf '\\%03o' $(((i * 37 + 9) % 256)))
    { head -c $at set/old.prototxt; printf "$byte"; tail -c +$((at + 2)) set/old.prototxt; } >damaged
    "$tool" import toolparam damaged >out 2>err
    code=$?
    n=$((n + 1))
    case $code in 0 | 2 | 3) ;; *) complain "byte $at replaced by $byte: exit code $code" ;; esac
    i=$((i + 1))
done

echo "$n checks, $bad failed"
[ "$bad" = 0 ]
