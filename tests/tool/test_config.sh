#!/bin/sh
# Configuration files: keys, values and sections of --config, mistakes with their lines, what
# --print-config prints and models keep. SPDX-License-Identifier: BSD-2-Clause
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
    grep -qE -- "$1" "$2" || complain "$2 does not say '$1'"
}
# TEXT SENTENCE: a file that is refused, in one sentence with this at its end.
refused()
{
    printf '%b' "$1" >bad.yaml
    expect 2 train --config bad.yaml --print-config
    n=$((n + 1))
    [ "$(cat err)" = "greentea: bad.yaml, $2" ] || complain "'$1' was not refused with '$2'"
}

# ---- values, sections, what counts more ----
cat >a.yaml <<'YAML'
# for every command
device: cpu
threads: 3
rate: 0.5
train:
  raw: "dir with space/a \"b\".tif"
  labels: 'x.tif'
  iterations: 12
  time_limit: 90s          # an underscore will do
  rate: 1e-2
  width: 2
  overwrite: yes
  resume: false
  init:                    # as if it were not there
  net: [u, sk]
process:
  tile: [not, looked, at]
evaluate:
YAML
expect 0 train --config a.yaml --print-config
says '^train:$' out
says '^  raw: "dir with space/a \\"b\\".tif"  # ' out
says '^  labels: x.tif  # ' out
says '^  iterations: 12  # ' out
says '^  time-limit: "90s"  # ' out
says '^  rate: 0.01  # ' out
says '^  width: 2.0  # ' out
says '^  overwrite: true  # ' out
says '^  resume: false  # ' out
says '^  init: null  # ' out
says '^  net: u,sk  # ' out
says '^  device: cpu  # ' out
says '^  threads: 3  # ' out
says '^  seed: 1  # ' out
expect 0 train --rate 3e-7 --config=a.yaml --iterations 5 --print-config --resume -o m
says '^  rate: 3.0e-07  # ' out
says '^  iterations: 5  # ' out
says '^  threads: 3  # ' out
says '^  resume: true  # ' out
says '^  out: m  # ' out
# What is printed reads back as the same, and all of it is read: the defaults are not.
cp out printed.yaml
expect 0 train --config printed.yaml --print-config
n=$((n + 1))
cmp -s out printed.yaml || complain "a printed configuration does not read back"
for command in process evaluate benchmark tune; do
    expect 0 $command --print-config
    says "^$command:\$" out
    cp out printed.yaml
    expect 0 $command --config printed.yaml --print-config
    n=$((n + 1))
    cmp -s out printed.yaml || complain "a printed configuration of $command does not read back"
done
# Whatever a name holds, it comes back.
odd=$(printf 'a\tb\\"\302\233\303\251\357\273\277\342\202\254#: x\001\177')
expect 0 train --print-config --raw "$odd"
cp out printed.yaml
expect 0 train --config printed.yaml --print-config
n=$((n + 1))
cmp -s out printed.yaml || complain "odd characters do not read back"
says '"a\\u0009b\\\\\\"\\u009Bé\\uFEFF€#: x\\u0001\\u007F"' out
# What is not UTF-8 is no YAML.
expect 0 train --print-config --raw "$(printf 'a\377b')"
says "^greentea: warning: --raw is not UTF-8 and is noted as 'a\\?b'\$" err
says '^  raw: "a\?b"  # ' out
# Every long option that help lists is a key.
"$tool" train --help | sed -n 's/^ *\(-., \)\{0,1\} *--\([a-z0-9-]*\).*/\2/p' | grep -vxE 'help|config|print-config' |
    sort -u >listed
"$tool" train --print-config | sed -n 's/^  \([a-z0-9-]*\): .*/\1/p' | sort -u >keys
n=$((n + 1))
cmp -s listed keys || complain "keys differ from options: $(diff listed keys)"
expect 2 process --config a.yaml
says "^greentea: a.yaml, line 4: unknown key 'rate' for greentea process\$" err
: >empty.yaml
expect 0 train --config empty.yaml --print-config
printf '%s\n' '---' '# nothing' >empty.yaml
expect 0 train --config empty.yaml --print-config
expect 2 train --config empty.yaml
says '^greentea: --raw, --labels and --out are needed' err

# ---- mistakes ----
refused '\n\nrat: 1' "line 3: unknown key 'rat' for greentea train, did you mean 'rate'?"
refused 'train:\n  time-limt: 1' "line 2: unknown key 'time-limt' for greentea train, did you mean 'time-limit'?"
refused 'something: 1' "line 1: unknown key 'something' for greentea train"
refused 'config: a.yaml' "line 1: unknown key 'config' for greentea train"
refused 'trian:\n  rate: 1' "line 1: unknown section 'trian', did you mean 'train'?"
refused 'rate: fast' "line 1: rate is 'fast', expected a number"
refused 'rate: .nan' "line 1: rate is '.nan', expected a number"
refused 'rate: nan' "line 1: rate is 'nan', expected a number"
refused 'rate: 1e39' "line 1: rate is '1e39', expected a smaller number"
refused 'rate: [1, 2]' "line 1: rate is a list, '1,2', expected one value"
refused 'patch: 1.5' "line 1: patch is '1.5', expected an integer"
refused 'patch: 1e3' "line 1: patch is '1e3', expected an integer"
refused 'patch: 5000000000' "line 1: patch is '5000000000', expected a smaller number"
refused 'seed: 99999999999999999999' "line 1: seed is '99999999999999999999', expected a smaller number"
refused 'overwrite: maybe' "line 1: overwrite is 'maybe', expected true or false"
refused 'overwrite: 1' "line 1: overwrite is '1', expected true or false"
refused 'rate: 1\n# x\nrate: 2' "line 3: 'rate' is given twice, first on line 1"
refused 'time-limit: 1\ntime_limit: 2' "line 2: 'time-limit' is given twice, first on line 1"
refused 'train:\n  rate: 1\ntrain:\n  rate: 2' "line 3: 'train' is given twice, first on line 1"
refused 'process:\n  tile: 1\n  tile: 1' "line 3: 'tile' is given twice, first on line 2"
refused 'train:\n  rate:\n    x: 1' "line 3: 'rate' has keys of its own; expected a value or a list"
refused 'net: []' "line 1: the list of 'net' is empty"
refused 'net: [[a]]' "line 1: 'net' is a list; expected up to 1000 words or numbers in it"
refused '[1, 2]' "line 1: expected lines 'key: value'"
refused 'rate' "line 1: expected lines 'key: value'"
refused '? [a, b]\n: 1' "line 1: a key must be a word"
refused 'net: &x u\nraw: *x' 'line 1: anchors (&) and aliases (*) are not accepted'
refused '\nraw: *x' 'line 2: anchors (&) and aliases (*) are not accepted'
refused 'rate: !!float 1' 'line 1: tags (!) are not accepted'
refused 'rate: 1\n---\nrate: 2' 'line 2: a second document begins; one is expected'
refused 'net: "a\\0b"' 'line 1: a value holds the character 0'
refused 'net: a\nraw: "\0377"' 'line 2: invalid leading UTF-8 octet'
refused 'train:\n\trate: 1' 'line 2: found character that cannot start any token, while scanning for the next token'
n=$((n + 1))
head -c 1100000 /dev/zero | tr '\0' '#' >big.yaml
expect 2 train --config big.yaml
says '^greentea: big.yaml has more than 1048576 bytes' err
expect 3 train --config missing.yaml
says '^greentea: missing.yaml cannot be read: ' err
expect 3 train --config .
i=0
while [ $i -lt 1100 ]; do
    echo "k$i: 1"
    i=$((i + 1))
done >many.yaml
expect 2 train --config many.yaml
says 'line 1001: more than 1000 keys$' err
head -c 200000 /dev/zero | tr '\0' '[' >deep.yaml
expect 2 train --config deep.yaml

# Damaged files end in a sentence, not in a signal.
i=0
size=$(wc -c <a.yaml)
while [ $i -lt 60 ]; do
    at=$((i * 7919 % size))
    byte=$(printf '\\%03o' $(((i * 37 + 9) % 256)))
    { head -c $at a.yaml; printf "$byte"; tail -c +$((at + 2)) a.yaml; } >damaged.yaml
    "$tool" train --config damaged.yaml --print-config >out 2>err
    code=$?
    n=$((n + 1))
    case $code in 0 | 2) ;; *) complain "byte $at replaced by $byte: exit code $code" ;; esac
    i=$((i + 1))
done

# ---- what models keep ----
expect 0 demo --data-only --out d --size 64 --sections 1 --quiet
cat >t.yaml <<'YAML'
train:
  raw: d/train-raw.tif
  labels: d/train-labels.tif
  out: m
  net: usk
  width: 0.05
  patch: 16
  iterations: 3
  rate: 0.002
  quiet: true
YAML
expect 0 train --config t.yaml
expect 0 info m
says '^# trained by greentea [0-9.]* with$' out
says '^  rate: 0.002$' out
expect 0 info m --json
says '^ *"rate": 0.002[0-9]*,$' out
expect 0 info m --config
n=$((n + 1))
grep -qE '^  (out|threads|device|quiet):' out && complain "a model keeps what has no influence"
cp out kept.yaml
expect 0 train --config kept.yaml --out m2 --quiet --threads 2
n=$((n + 1))
cmp -s m m2 || complain "the configuration of a model does not give the same model"
expect 0 train --config t.yaml --resume --iterations 5
n=$((n + 1))
[ ! -s err ] || grep -q warning err && complain "a warning about what may change"
expect 0 train --config t.yaml --resume --iterations 6 --rate 0.25
says '^greentea: warning: m was trained with --rate 0.002, it goes on with 0.25$' err
expect 2 train --config t.yaml --resume --iterations 7 --seed 3
says '^greentea: m was trained with --seed 1; --resume goes on with its random' err
for flag in rate border-boost beta2 norm-low momentum; do
    expect 2 train --config t.yaml --overwrite --$flag nan
    says "^greentea: --$flag is .?nan'?, expected a number" err
done
expect 2 train --config t.yaml --overwrite --momentum -1
says '^greentea: .*beta1 -1' err
expect 3 info --net u --config
says '^greentea: u does not say how it was trained$' err

echo "$n checks, $bad failed"
[ "$bad" = 0 ]
