#!/bin/sh
# Whole networks, forward and training step, one line each: bench.sh BUILD. SPDX-License-Identifier: BSD-2-Clause
#
# BENCH_TORCH=1    time the same networks in PyTorch as well, in alternation, and print the ratio
# BENCH_THREADS=N  threads of both (default 2)
# BENCH_TURNS=N    turns of each side (default 2)
# BENCH_RUNS=N     timed runs of each turn (default 3)
# BENCH_TORCH_DEVICE=cuda  PyTorch on the GPU (GREENTEA_DEVICE chooses ours)
# BENCH_LIST=FILE  other lines of "net out-size mode width"
# PYTHON           the interpreter with PyTorch (default python3)
set -u
cd "$(dirname "$0")/.." || exit 1
tool=${1:-build}/greentea
threads=${BENCH_THREADS:-2}
runs=${BENCH_RUNS:-3}
turns=${BENCH_TURNS:-2}
python=${PYTHON:-python3}
torch=0
if [ "${BENCH_TORCH:-0}" = 1 ]; then
    if "$python" -c 'import torch' 2>/dev/null; then
        torch=1
    else
        echo "$python cannot import torch: PyTorch is left out" >&2
    fi
fi
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

number()
{
    sed -n "s/^  \"$1\": \\([-0-9.eE+]*\\),\\{0,1\\}\$/\\1/p" "$2" | head -n 1
}

list()
{
    if [ -n "${BENCH_LIST:-}" ]; then
        cat "$BENCH_LIST"
        return
    fi
    cat <<'LIST'
sk 32 process 1
u 132 process 1
usk 64 process 1
usk9 64 process 1
sk 32 train 1
u 132 train 1
usk 64 train 1
usk9 64 train 1
sk 128 process 1
u 388 process 1
usk 256 process 1
usk9 256 process 1
u 196 train 0.25
LIST
}

echo
"$tool" devices
printf '%-5s %5s %-7s %5s %11s %11s %9s %8s %9s' net out mode width "ms median" "ms min" "Mpix/s" \
    TFLOP/s MiB
[ $torch = 0 ] || printf ' %11s %6s' "torch ms" ratio
echo
bad=0
list >"$tmp/list"
while read -r net size mode width; do
    : >"$tmp/ours"
    : >"$tmp/torch"
    # Ours and theirs by turns, so that a change of the machine's speed meets both.
    turn=0
    while [ $turn -lt "$turns" ]; do
        turn=$((turn + 1))
        if ! "$tool" benchmark --net "$net" --out-size "$size" --mode "$mode" --width "$width" \
            --runs "$runs" --warmup 3 --threads "$threads" --json >"$tmp/json"; then
            bad=1
            continue 2
        fi
        echo "$(number ms_median "$tmp/json") $(number ms_min "$tmp/json")" \
            "$(number mpix_per_s "$tmp/json") $(number tflops "$tmp/json")" \
            "$(number peak_bytes "$tmp/json")" >>"$tmp/ours"
        [ $torch = 1 ] || break
        "$python" tests/bench_torch.py "$net" "$size" "$mode" "$width" "$runs" "$threads" >>"$tmp/torch" ||
            bad=1
    done
    # The turn with the smaller median stands for each side.
    sort -n "$tmp/ours" | head -n 1 |
        awk -v net="$net" -v size="$size" -v mode="$mode" -v width="$width" \
            -v theirs="$(sort -n "$tmp/torch" | head -n 1)" '{
            printf "%-5s %5d %-7s %5s %11.2f %11.2f %9.4f %8.4f %9.1f", net, size, mode, width, $1, $2,
                $3, $4, $5 / 1048576
            if (theirs != "") printf " %11.2f %6.2f", theirs, theirs / $1
            print ""
        }'
done <"$tmp/list"
[ $torch = 0 ] || echo "ratio: PyTorch's median over ours; above 1 we are faster"
exit $bad
