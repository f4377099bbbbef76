#!/bin/sh
# Build, prove and time everything on a machine with an OpenCL GPU: gpu.sh [BUILD].
# SPDX-License-Identifier: BSD-2-Clause
#
# GREENTEA_DEVICE  the device (default gpu)
# GPU_PARTS        what to do: of "tests bench layers" (default all)
# BENCH_TORCH=1    time PyTorch beside us on the GPU
# A BUILD that holds the programs already is used as it is (for machines without a compiler).
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
parts=${GPU_PARTS:-tests bench layers}
GREENTEA_DEVICE=${GREENTEA_DEVICE:-gpu}
BENCH_TORCH_DEVICE=cuda
BENCH_RUNS=${BENCH_RUNS:-20}
BENCH_WARMUP=${BENCH_WARMUP:-3}
export GREENTEA_DEVICE BENCH_TORCH_DEVICE BENCH_RUNS BENCH_WARMUP
failed=0
BENCH_LIST=$(mktemp) || exit 1
export BENCH_LIST
trap 'rm -f "$BENCH_LIST"' EXIT
trap 'exit 130' INT TERM
cat >"$BENCH_LIST" <<'LIST'
sk 128 process 1
u 388 process 1
u 1348 process 1
usk 512 process 1
sk 128 train 1
u 388 train 1
u 1348 train 1
usk 512 train 1
LIST

wants()
{
    case " $parts " in *" $1 "*) return 0 ;; esac
    return 1
}

[ -x "$build/greentea" ] || make -j"$(nproc)" BUILD="$build" all tests || exit 1

if wants tests; then
    for program in tests/ops/check_op tests/models/test_networks_ocl tests/api/test_train_ocl; do
        echo "== $program"
        "$build/$program" || failed=1
    done
fi
if wants bench; then
    echo "== networks"
    sh tests/bench.sh "$build" || failed=1
fi
if wants layers; then
    echo "== layers"
    while read -r net size mode width; do
        "$build/greentea" benchmark --net "$net" --out-size "$size" --mode "$mode" --width "$width" \
            --runs 3 --warmup 2 --dump || failed=1
    done <"$BENCH_LIST"
fi
exit $failed
