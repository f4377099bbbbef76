#!/bin/sh
# greentea benchmark: the files of layer timings, the paper's table, wrong flags.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
tool=${BUILD:-build}/greentea
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0

fail()
{
    echo "FAIL: $*"
    bad=1
}

# CODE WORDS COMMAND...: exit code and words of the message.
expect()
{
    code=$1
    words=$2
    shift 2
    "$@" >"$tmp/out" 2>"$tmp/err"
    got=$?
    [ $got = "$code" ] || fail "$* gave exit code $got, expected $code"
    grep -q -- "$words" "$tmp/err" || fail "$* does not say '$words': $(cat "$tmp/err")"
}

small="--net usk --out-size 4 --width 0.05 --runs 2 --warmup 1 --quiet"
"$tool" benchmark $small --layers --mode both --out "$tmp/b" >"$tmp/table" || fail "layers"
for name in train_forward_layers_timings train_backward_layers_timings process_forward_layers_timings; do
    [ "$(wc -l <"$tmp/b/$name.csv")" = 18 ] || fail "$name.csv has $(wc -l <"$tmp/b/$name.csv") lines"
    awk -F';' -v name=$name 'NF != 4 || $1 != NR - 1 || $3 !~ /^[0-9.e-]+$/ || $4 !~ /^[0-9]+$/ {
        print name ": " $0; bad = 1 } END { exit bad }' "$tmp/b/$name.csv" || fail "format of $name.csv"
done
# conv1: 27 products for each of 3 channels of 182 x 182 pixels.
grep -q "^0;conv1;[0-9.e-]*;$((53 * 3 * 182 * 182))$" "$tmp/b/process_forward_layers_timings.csv" ||
    fail "operations of conv1: $(head -n 1 "$tmp/b/process_forward_layers_timings.csv")"
grep -qv ';0$' "$tmp/b/train_backward_layers_timings.csv" && fail "operations in the backward file"
[ "$(cut -d';' -f1 "$tmp/b/train_total_timings.csv" | tr '\n' ' ')" = "Forward Backward " ] || fail "totals"
[ "$(cut -d';' -f1 "$tmp/b/process_total_timings.csv")" = Forward ] || fail "process totals"
head -n 1 "$tmp/b/process_memory_usage.csv" | grep -q '^Peak memory usage;[1-9][0-9]*$' || fail "peak"
grep -q "^data;$((3 * 184 * 184 * 4))$" "$tmp/b/process_memory_usage.csv" || fail "bytes of data"
grep -q "^prob;$((2 * 4 * 4 * 4))$" "$tmp/b/process_memory_usage.csv" || fail "bytes of prob"
grep -q "^label;$((4 * 4 * 4))$" "$tmp/b/train_memory_usage.csv" || fail "bytes of labels"
grep -q '"forward_ms"' "$tmp/b/benchmark.json" || fail "benchmark.json"
[ "$(find "$tmp/b" -name '*.tmp*' | wc -l)" = 0 ] || fail "something was left beside"
grep -q '^mergecrop1 ' "$tmp/table" || fail "the table has no mergecrop1"

# ---- memory limit: what info says before is what benchmark takes ----
net="--net u --width 0.1 --out-size 36"
# COMMAND...: must work.
works() { "$@" >"$tmp/out" 2>"$tmp/err" || fail "$* failed: $(cat "$tmp/err")"; }
# KEY: its number in the JSON of the last command.
number() { sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" "$tmp/out" | head -n 1; }
for mode in process train; do
    works "$tool" info $net --mode $mode --json
    free=$(number peak_bytes)
    expect 4 "smallest plan found takes [0-9]*$" "$tool" info $net --mode $mode --memory-limit 1K
    least=$(sed -n 's/.*takes \([0-9]*\)$/\1/p' "$tmp/err")
    [ "$least" -le "$free" ] || fail "$mode: least $least, unlimited $free"
    works "$tool" info $net --mode $mode --memory-limit "$least" --json
    [ "$(number peak_bytes)" = "$least" ] || fail "$mode: $(number peak_bytes) of $least planned"
    works "$tool" benchmark $net --mode $mode --memory-limit "$least" --runs 1 --quiet --json
    [ "$(number peak_bytes)" = "$least" ] || fail "$mode: $(number peak_bytes) of $least taken"
    works "$tool" benchmark $net --mode $mode --runs 1 --quiet --json
    [ "$(number peak_bytes)" = "$free" ] || fail "$mode: $(number peak_bytes) of $free taken"
    expect 4 "limit is $((least - 1)) bytes" \
        "$tool" benchmark $net --mode $mode --memory-limit "$((least - 1))" --runs 1 --quiet
done
expect 2 "--mode is 'run'" "$tool" info $net --mode run
expect 2 "--memory-limit is 'some'" "$tool" benchmark $net --memory-limit some

"$tool" benchmark --paper --train --width 0.02 --runs 1 --warmup 0 --quiet >"$tmp/paper" || fail "paper"
for net in sw sk u usk; do
    grep -q "^$net " "$tmp/paper" || fail "the paper's table has no $net"
done

expect 2 "leave out --net" "$tool" benchmark --paper --net u
expect 2 "goes with --layers" "$tool" benchmark --net u --out "$tmp/x"
expect 2 "goes with --paper" "$tool" benchmark --net u --train
expect 2 "expected process, train or both" "$tool" benchmark $small --layers --mode all
expect 2 "must be 1 or more" "$tool" benchmark --net u --layers --runs 0
: >"$tmp/file"
expect 5 "cannot be" "$tool" benchmark $small --layers --out "$tmp/file/b"
exit $bad
