#!/bin/sh
# The choice of devices from outside: names, errors, several at once, none at all.
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
POCL_DEVICES="pthread pthread" # the processor as two devices of one name
export POCL_DEVICES
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
    if [ "$want" -ge 2 ] && { [ -s out ] || [ "$(grep -c '^greentea: ' err)" != 1 ]; }; then
        complain "greentea $*: an error is one sentence on stderr, nothing on stdout"
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
silent()
{
    n=$((n + 1))
    [ ! -s err ] || complain "$1 is not silent"
}

bench='benchmark --net usk --width 0.05 --out-size 16 --runs 1'

# ---- one device ----
for name in cpu CPU 0 'CPU ('; do
    expect 0 $bench --device "$name"
    says '^greentea: computing on CPU \(' err
done
n=$((n + 1))
GREENTEA_DEVICE=cpu "$tool" $bench >out 2>err || complain "GREENTEA_DEVICE=cpu"
n=$((n + 1))
GREENTEA_DEVICE=nonsense "$tool" $bench --device cpu >out 2>err || complain "a flag goes before GREENTEA_DEVICE"
for name in nonsense 99 99.0 -1 0.99; do
    expect 4 $bench --device="$name"
    says "no device \"$name\"; there .* 0 CPU \\(" err
done
expect 2 $bench --device all
says 'several devices are for' err
expect 2 $bench --device 0,1

# ---- no platform, whatever is installed ----
mkdir no-drivers
OCL_ICD_VENDORS=$tmp/no-drivers
export OCL_ICD_VENDORS
expect 0 devices
says '^0 .*cpu' out
[ "$(wc -l <out)" = 1 ] || complain "devices without a driver"
says 'OpenCL' err
expect 0 devices --json
says '"platform": -1,' out
expect 0 $bench
expect 4 $bench --device gpu
says 'no device "gpu"; there is: 0 CPU' err
expect 4 $bench --device 0.0
unset OCL_ICD_VENDORS

# ---- several ----
expect 0 demo --data-only --out d --size 128 --sections 2 --seed 3
expect 0 train --raw d/train-raw.tif --labels d/train-labels.tif --out m --net usk --width 0.05 --patch 32 \
    --iterations 20 --quiet
grep -q "computing on" err && complain "train --quiet names the device"
process='process --model m --in d/unseen-raw.tif --overwrite --tile 36'
expect 0 $process --out one.tif --quiet --deterministic
silent "process --quiet"
expect 0 $process --out json.tif --progress json
n=$((n + 1))
grep -v '^{' err && complain "--progress json talks"
expect 0 $process --out said.tif
[ "$(grep -c 'computing on' err)" = 1 ] || complain "the device is to be said once"
expect 0 $process --out memory.tif --device-memory 100M
expect 2 $process --out x.tif --device-memory much
expect 2 $process --out x.tif --device 0,cpu
says 'device 0 twice' err
expect 4 $process --out x.tif --device 0,nonsense
expect 4 $process --out x.tif --device 0,
[ ! -e x.tif ] || complain "a wrong device leaves an output"
expect 4 $process --out x.tif --device 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,99

"$tool" devices >list 2>err
if ! grep -q ' ocl: ' list; then
    grep -q 'built without OpenCL' err || complain "no OpenCL device; the tests need one: PoCL will do"
    echo "$n checks, $bad complaints (built without OpenCL)"
    [ "$bad" = 0 ]
    exit
fi

# ---- OpenCL ----
says '^1  0\.0  ocl: .*compute units, .*GiB, driver ' list
expect 0 devices --json
for key in index name backend type platform device memory_bytes compute_units driver detail; do
    says "^    \"$key\": " out
done
expect 0 $process --out all.tif --device all --deterministic
says 'computing on CPU .*, ' err
expect 0 $process --out dry.tif --device all --dry-run
says 'tiles of 36 x 36' out
if grep -q '^2  0\.1  ocl: pthread' list; then
    expect 0 $process --out first.tif --device 1 --quiet
    expect 0 $process --out second.tif --device 0.1 --quiet
    expect 0 $process --out both.tif --device 1,2
    says 'computing on pthread[^,]*, pthread' err
    same first.tif second.tif "two devices of one name"
    same first.tif both.tif "one and two devices of one name"
    expect 0 $bench --device pthread
    says 'computing on pthread' err
    expect 4 $process --out x.tif --device a
    says 'is one of several: ' err
fi

echo "$n checks, $bad complaints"
[ "$bad" = 0 ]
