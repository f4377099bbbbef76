#!/bin/sh
# Whole networks, inference and training step, one line each: bench.sh BUILD [--table]
# SPDX-License-Identifier: BSD-2-Clause
#
# --table          the large networks as a table in Markdown, rivals beside us
# BENCH_TORCH=1    time the same networks in PyTorch as well, as users write them: dilated or cut into
#                  fragments, contiguous or channels last; the fastest stands for it
# BENCH_ORT=1      and in ONNX Runtime (inference)
# BENCH_NCNN=1     and U-Net in ncnn (inference)
# BENCH_THREADS=N  threads of all (default 2)
# BENCH_TURNS=N    turns of each side, in alternation (default 2; with --table 1)
# BENCH_RUNS=N     timed runs of each turn (default 3)
# BENCH_TORCH_DEVICE=cuda  PyTorch on the GPU (GREENTEA_DEVICE chooses ours)
# BENCH_LIST=FILE  other lines of "net out-size mode width"
# PYTHON           interpreters to look for these in (default python3)
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
tool=$build/greentea
table=0
[ "${2:-}" != --table ] || table=1
threads=${BENCH_THREADS:-2}
runs=${BENCH_RUNS:-3}
turns=${BENCH_TURNS:-$((2 - table))}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# offer MODULES NAME: the interpreters that have them, as lines "interpreter kind"
offer()
{
    found=0
    for python in ${PYTHON:-python3}; do
        if "$python" -c "import numpy, $1" 2>/dev/null; then
            echo "$python $2" >>"$tmp/rivals"
            found=1
        fi
    done
    [ $found = 1 ] || echo "no interpreter of '${PYTHON:-python3}' has $1: $2 is left out" >&2
}
: >"$tmp/rivals"
[ "${BENCH_TORCH:-0}" != 1 ] || offer torch torch
[ "${BENCH_ORT:-0}" != 1 ] || offer "onnx, onnxruntime" ort
[ "${BENCH_NCNN:-0}" != 1 ] || offer ncnn ncnn

# The forms of a rival for a network and mode. Training channels last is far slower than contiguous
# where kernels are dilated.
forms()
{
    case "$1 $2 $3" in
        torch*) [ "${BENCH_TORCH_DEVICE:-cpu}" = cpu ] || { echo torch-dilated; return; } ;;
    esac
    case "$1 $2 $3" in
        "torch u "*) echo torch-dilated torch-dilated-cl ;;
        torch*train) echo torch-dilated torch-fragments ;;
        torch*) echo torch-dilated torch-dilated-cl torch-fragments torch-fragments-cl ;;
        ort*process) echo ort ;;
        "ncnn u process") echo ncnn ;;
    esac
}

number()
{
    sed -n "s/^  \"$1\": \\([-0-9.eE+]*\\),\\{0,1\\}\$/\\1/p" "$2" | head -n 1
}

list()
{
    if [ -n "${BENCH_LIST:-}" ]; then
        cat "$BENCH_LIST"
    elif [ $table = 1 ]; then
        cat <<'LIST'
sk 128 process 1
u 388 process 1
usk 512 process 1
sk 128 train 1
u 388 train 1
usk 512 train 1
LIST
    else
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
    fi
}

# What the processor's multiply-add units can do, now, with two threads: a share above 1 means fewer
# real products than the direct algorithm.
peak=0
if [ "$threads" = 2 ] && [ "${GREENTEA_DEVICE:-cpu}" = cpu ]; then
    peak=$("$build/tests/ops/check_op" --bench --json --device cpu --kernel none --case 99999 2>/dev/null |
        sed -n 's/.*"fma_gflops": \([0-9.]*\),.*/\1/p')
fi

"$tool" devices >&2
[ "${peak:-0}" = 0 ] || echo "multiply-adds: $peak GFLOP/s" >&2
if [ $table = 1 ]; then
    echo "| network, output | what | ms | fastest rival | its ms | ratio | Mpixel/s | TFLOP/s | of the peak | plan MB | RSS MB |"
    echo "| --- | --- | --: | --- | --: | --: | --: | --: | --: | --: | --: |"
else
    printf '%-5s %5s %-7s %5s %11s %11s %9s %8s %6s %9s %9s' net out mode width "ms median" "ms min" \
        "Mpix/s" TFLOP/s peak "plan MB" "RSS MB"
    [ ! -s "$tmp/rivals" ] || printf ' %11s %6s %s' "rival ms" ratio rival
    echo
fi
bad=0
list >"$tmp/list"
while read -r net size mode width; do
    : >"$tmp/ours"
    : >"$tmp/theirs"
    # Ours and theirs by turns, so that a change of the machine's speed meets both.
    turn=0
    while [ $turn -lt "$turns" ]; do
        turn=$((turn + 1))
        if ! "$tool" benchmark --net "$net" --out-size "$size" --mode "$mode" --width "$width" \
            --runs "$runs" --warmup 3 --threads "$threads" --quiet --json >"$tmp/json"; then
            bad=1
            continue 2
        fi
        echo "$(number ms_median "$tmp/json") $(number ms_min "$tmp/json")" \
            "$(number mpix_per_s "$tmp/json") $(number tflops "$tmp/json")" \
            "$(number peak_bytes "$tmp/json") $(number rss_bytes "$tmp/json")" >>"$tmp/ours"
        while read -r python kind; do
            for form in $(forms "$kind" "$net" "$mode"); do
                ms=$("$python" tests/bench_rivals.py "$form" "$net" "$size" "$mode" "$width" "$runs" \
                    "$threads") || { bad=1; continue; }
                echo "$ms $form" >>"$tmp/theirs"
                echo "$net $size $mode: $form ($python) $ms ms" >&2
            done
        done <"$tmp/rivals"
        [ -s "$tmp/rivals" ] || break
    done
    # The turn with the smaller median stands for us, the fastest form of the fastest rival for them.
    sort -n "$tmp/ours" | head -n 1 |
        awk -v net="$net" -v size="$size" -v mode="$mode" -v width="$width" -v peak="${peak:-0}" \
            -v theirs="$(sort -n "$tmp/theirs" | head -n 1)" -v table=$table '{
            n = split(theirs, rival, " ")
            share = peak > 0 ? sprintf("%.2f", 1000 * $4 / peak) : "-"
            if (table) {
                printf "| `%s` %s | %s | %.0f | %s | %s | %s | %.4f | %.3f | %s | %.0f | %.0f |\n", net,
                    size, mode == "train" ? "training step" : "inference", $1, n ? rival[2] : "-",
                    n ? sprintf("%.0f", rival[1]) : "-", n ? sprintf("%.1f", rival[1] / $1) : "-", $3,
                    $4, share, $5 / 1e6, $6 / 1e6
                next
            }
            printf "%-5s %5d %-7s %5s %11.2f %11.2f %9.4f %8.4f %6s %9.1f %9.1f", net, size, mode, width,
                $1, $2, $3, $4, share, $5 / 1e6, $6 / 1e6
            if (n) printf " %11.2f %6.2f %s", rival[1], rival[1] / $1, rival[2]
            print ""
        }'
done <"$tmp/list"
[ ! -s "$tmp/rivals" ] || echo "ratio: the fastest rival's median over ours; above 1 we are faster" >&2
exit $bad
