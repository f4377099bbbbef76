#!/bin/sh
# Whole networks, inference and training step, one line each: bench.sh BUILD [--table]
# SPDX-License-Identifier: BSD-2-Clause
#
# --table          the large networks as a table in Markdown, rivals beside us
# BENCH_TORCH=1    time the same networks in PyTorch as well, as users write them: dilated or cut into
#                  fragments, contiguous or channels last; the fastest stands for it
# BENCH_ORT=1      and in ONNX Runtime (inference)
# BENCH_NCNN=1     and in ncnn (inference)
# BENCH_THREADS=N  threads of all (default 2)
# BENCH_TURNS=N    turns of each side, in alternation (default 2)
# BENCH_WARMUP=N   runs of each turn before the clock runs (default 2), ours and the rivals'
# BENCH_RUNS=N     timed runs of each turn (default 3), ours and the rivals'; their median is the turn's time
# BENCH_LIMIT=N    seconds that one turn of one rival may take, all in all (default 300)
# BENCH_TRAIN_RIVALS=0  leave rivals out of training, where they take most of the time
# BENCH_TORCH_DEVICE=cuda  PyTorch on the GPU (GREENTEA_DEVICE chooses ours)
# BENCH_LIST=FILE  other lines of "net out-size mode width [beside]"; mode: process, bf16 (process in that
#                  precision) or train; beside: alone (no rivals) or self (ours on one thread instead)
# PYTHON           interpreters to look for these in (default python3)
set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
tool=$build/greentea
table=0
[ "${2:-}" != --table ] || table=1
threads=${BENCH_THREADS:-2}
warmup=${BENCH_WARMUP:-2}
runs=${BENCH_RUNS:-3}
turns=${BENCH_TURNS:-2}
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

# The forms of a rival for a network and mode. Training channels last is slower than contiguous: far
# where kernels are dilated, as fragments 12.4 s beside 11.3 (sk 128, PyTorch 2.15).
forms()
{
    [ "$3${BENCH_TRAIN_RIVALS:-1}" != train0 ] || return
    case "$1 $2 $3" in
        torch*) [ "${BENCH_TORCH_DEVICE:-cpu}" = cpu ] || { echo torch-dilated; return; } ;;
    esac
    case "$1 $2 $3" in
        "torch u "*) echo torch-dilated torch-dilated-cl ;;
        torch*train) echo torch-dilated torch-fragments ;;
        torch*) echo torch-dilated torch-dilated-cl torch-fragments torch-fragments-cl ;;
        ort*process) echo ort ;;
        ncnn*process | ncnn*bf16) echo ncnn ;;
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
sk 128 bf16 1
u 388 bf16 1
usk 512 bf16 1
u 1348 process 1 alone
usk 1024 process 1 alone
sk 128 process 1 self
u 388 process 1 self
usk 512 process 1 self
sk 128 train 1 self
u 388 train 1 self
usk 512 train 1 self
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
u 388 process 1 self
LIST
    fi
}

# The processor's ceilings now with so many threads: "threads GFLOP/s GB/s".
peak()
{
    case ${GREENTEA_DEVICE:-cpu} in
        cpu | 0) [ ! -x "$build/tests/ops/check_op" ] || "$build/tests/ops/check_op" --peak "$1" ;;
    esac
}

# A turn of ours on so many threads, as a line: ms, ms min, Mpixel/s, TFLOP/s, bytes planned, resident,
# GFLOP/s of the multiply-add units just before.
time_ours()
{
    case $3 in
        bf16) how="--mode process --precision bf16" ;;
        *) how="--mode $3" ;;
    esac
    now=$(peak "$5" | cut -d ' ' -f 2)
    "$tool" benchmark --net "$1" --out-size "$2" $how --width "$4" --runs "$runs" --warmup "$warmup" \
        --threads "$5" --quiet --json >"$tmp/json" </dev/null || return 1
    echo "$(number ms_median "$tmp/json") $(number ms_min "$tmp/json")" \
        "$(number mpix_per_s "$tmp/json") $(number tflops "$tmp/json")" \
        "$(number peak_bytes "$tmp/json") $(number rss_bytes "$tmp/json") ${now:-0}"
}

# A turn of every rival, as lines: ms, MiB resident, name, version.
time_theirs()
{
    while read -r python kind; do
        for form in $(forms "$kind" "$1" "$3"); do
            line=$(OMP_NUM_THREADS=$threads timeout "${BENCH_LIMIT:-300}" "$python" tests/bench_rivals.py "$form" \
                "$1" "$2" "$3" "$4" "$warmup" "$runs" "$threads" </dev/null) || {
                echo "$1 $2 $3: $form ($python) gave no time, status $? (124: ${BENCH_LIMIT:-300} s were over)" >&2
                bad=1
                continue
            }
            echo "$line" | sed 's/\([^ ]*\)$/'"$form"' \1/'
            echo "$line" | awk -v what="$1 $2 $3: $form ($python)" '{
                printf "%s %s: %.2f ms, %d MiB resident\n", what, $3, $1, $2 }' >&2
        done
    done <"$tmp/rivals"
}

# A turn of what stands beside us.
time_beside()
{
    case $5 in
        alone) ;;
        self) time_ours "$1" "$2" "$3" "$4" 1 | awk '{ printf "%s %.0f ours 1-thread\n", $1, $6 / 1048576 }' ;;
        *) time_theirs "$1" "$2" "$3" "$4" ;;
    esac
}

"$tool" devices >&2
{ peak 1; [ "$threads" = 1 ] || peak "$threads"; } | awk '{
    printf "%d thread%s: multiply-adds %.1f GFLOP/s, triad %.1f GB/s\n", $1, ($1 > 1 ? "s" : ""), $2, $3
}' >&2
if [ $table = 1 ]; then
    echo "| network, output | what | ms | beside | its ms | ratio | Mpixel/s | TFLOP/s | of the peak |" \
        "plan MiB | RSS MiB | its RSS |"
    echo "| --- | --- | --: | --- | --: | --: | --: | --: | --: | --: | --: | --: |"
else
    printf '%-5s %5s %-7s %5s %11s %11s %9s %8s %6s %9s %9s' net out mode width "ms median" "ms min" \
        "Mpix/s" TFLOP/s peak "plan MiB" "RSS MiB"
    printf ' %11s %6s %s\n' "beside ms" ratio beside
fi
bad=0
list >"$tmp/list"
while read -r net size mode width beside; do
    : >"$tmp/ours"
    : >"$tmp/theirs"
    # Ours and theirs by turns, so that a change of the machine's speed meets both.
    turn=0
    while [ $turn -lt "$turns" ]; do
        turn=$((turn + 1))
        if ! time_ours "$net" "$size" "$mode" "$width" "$threads" >>"$tmp/ours"; then
            bad=1
            continue 2
        fi
        time_beside "$net" "$size" "$mode" "$width" "$beside" >>"$tmp/theirs"
    done
    # The turn with the smallest median stands for us, that of all forms of all rivals for them; the
    # highest peak of all turns for the processor.
    sort -n "$tmp/ours" |
        awk -v net="$net" -v size="$size" -v mode="$mode" -v width="$width" \
            -v theirs="$(sort -n "$tmp/theirs" | head -n 1)" -v table=$table '
        NR == 1 { ms = $1; least = $2; pixels = $3; tflops = $4; plan = $5 / 1048576; rss = $6 / 1048576 }
        $7 > peak { peak = $7 }
        END {
            n = split(theirs, rival, " ")
            share = peak > 0 ? sprintf("%.2f", 1000 * tflops / peak) : "-"
            if (table) {
                what = mode == "train" ? "training step" : "inference" (mode == "bf16" ? ", bf16" : "")
                printf "| `%s` %s | %s | %.0f | %s | %s | %s | %.4f | %.3f | %s | %.0f | %.0f | %s |\n", net,
                    size, what, ms, n ? rival[3] " " rival[4] : "-", n ? sprintf("%.0f", rival[1]) : "-",
                    n ? sprintf("%.2f", rival[1] / ms) : "-", pixels, tflops, share, plan, rss,
                    n ? rival[2] : "-"
                exit
            }
            printf "%-5s %5d %-7s %5s %11.2f %11.2f %9.4f %8.4f %6s %9.1f %9.1f", net, size, mode, width, ms,
                least, pixels, tflops, share, plan, rss
            if (n) printf " %11.2f %6.2f %s %s", rival[1], rival[1] / ms, rival[3], rival[4]
            print ""
        }'
done <"$tmp/list"
echo "peak: TFLOP/s over that of the multiply-adds, the highest measured beside it; Winograd and FFT need fewer operations than are" \
    "counted, so it may exceed 1" >&2
echo "beside: the fastest rival, or ours on one thread; ratio: its time over ours. Times: medians of $runs runs after" \
    "$warmup that do not count, the best of $turns turns" >&2
exit $bad
