#!/bin/sh
# Validation while training, the best model, early stop, the log and the report page, from outside.
# SPDX-License-Identifier: BSD-2-Clause
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
    [ "$want" != 2 ] || grep -q '^greentea: ' err || complain "greentea $*: no sentence"
}
# PATTERN FILE: a line that matches.
says()
{
    n=$((n + 1))
    grep -qE -- "$1" "$2" || complain "$2 does not say '$1'"
}
# COUNT PATTERN FILE: so many lines match.
counts()
{
    n=$((n + 1))
    found=$(grep -cE -- "$2" "$3")
    [ "$found" = "$1" ] || complain "$3: $found lines match '$2', expected $1"
}
same()
{
    n=$((n + 1))
    cmp -s "$1" "$2" || complain "$1 and $2 differ: $3"
}
# FILE: one self-contained page. A parser looks at it where there is one.
page()
{
    n=$((n + 1))
    if [ ! -s "$1" ]; then
        complain "$1 is missing"
        return
    fi
    [ "$(wc -c <"$1")" -le 2000000 ] || complain "$1 is larger than 2 MB"
    head -n 1 "$1" | grep -q '^<!DOCTYPE html>$' || complain "$1 is no HTML page"
    tail -n 1 "$1" | grep -q '^</html>$' || complain "$1 does not end"
    for tag in figure svg table section details main footer div p span; do
        opened=$(grep -oE "<$tag[ >]" "$1" | wc -l)
        closed=$(grep -oF "</$tag>" "$1" | wc -l)
        [ "$opened" = "$closed" ] || complain "$1: <$tag> opens $opened times, closes $closed"
    done
    grep -qE '<script|<link|@import|(src|href)="?(https?:|//)|url\([^#)]' "$1" &&
        complain "$1 needs something from outside"
    grep -qE '(nan|inf)[ "LM<]' "$1" && complain "$1 holds what is no number"
    grep -qE 'V_(Rand|Info)' "$1" && complain "$1 writes names of scores as files do"
    grep -qF '</th><td></td></tr>' "$1" && complain "$1 has rows without a value"
    if python3 -c 'import html5lib' 2>/dev/null; then
        python3 -c 'import html5lib, sys
html5lib.HTMLParser(strict=True).parse(open(sys.argv[1], encoding="utf-8").read())' "$1" ||
            complain "$1 is not valid"
    fi
}
# FILE: every line is a JSON object.
lines()
{
    n=$((n + 1))
    grep -vqE '^\{.*\}$' "$1" && complain "$1 holds what is no object"
    if command -v jq >/dev/null; then
        jq -e 'type == "object" and (.type | type == "string")' "$1" >/dev/null ||
            complain "$1 cannot be parsed"
    fi
}

"$tool" demo --data-only --out d --size 96 --sections 2 --seed 3 >out 2>&1 || complain "no data"
net='--net usk --width 0.05 --patch 32 --quiet'
data='--raw d/train-raw.tif --labels d/train-labels.tif'
val='--val-raw d/unseen-raw.tif --val-labels d/unseen-labels.tif'

# ---- flags ----
expect 2 train $data --out m $net --val-raw d/unseen-raw.tif
says 'val-raw and --val-labels' err
expect 2 train $data --out m $net --val-labels d/unseen-labels.tif
for flag in '--val-interval 5' '--val-every 5s' '--val-metric loss' '--patience 3'; do
    expect 2 train $data --out m $net $flag
    says "^greentea: ${flag% *} needs" err
done
expect 2 train $data --out m $net $val --val-interval -1
expect 2 train $data --out m $net $val --val-every soon
expect 2 train $data --out m $net $val --val-every 5s --val-interval 5
expect 2 train $data --out m $net $val --val-metric best
says 'v_rand, v_info, pixel, miou, loss' err
expect 2 train $data --out m $net $val --patience -1
expect 2 train $data --out m $net --log l.jsonl --log-interval 0
expect 2 train $data --out m $net --report m
expect 2 train $data --out m $net --report r.html --log r.html
expect 2 train $data --out m $net --report d
expect 5 train $data --out m $net --report missing/r.html
expect 5 train $data --out m $net --log missing/l.jsonl
expect 3 train $data --out m $net --val-raw none.tif --val-labels d/unseen-labels.tif
expect 3 train $data --out m $net --val-raw d/train-raw.tif --val-labels d/unseen-labels.tif
says '2 pages' err
"$tool" demo --data-only --out e --size 64 --sections 1 >out 2>&1
expect 3 train $data --out m $net --val-raw e/unseen-raw.tif --val-labels d/unseen-labels.tif
says '64 x 64' err
expect 3 train $data --out m $net --val-raw e/unseen-raw.tif --val-labels e/unseen-raw.tif
says 'no pixel of --val-labels|% of the pixels' err
[ ! -e m ] && [ ! -e r.html ] || complain "a failed start left a file"

# ---- the same bits with and without; files and what they say ----
expect 0 train $data --out plain $net --iterations 40
expect 0 train $data --out m.safetensors $net --iterations 40 $val --val-interval 15 \
    --report r.html --log-interval 4
same plain m.safetensors "validation changed the weights"
page r.html
lines r.jsonl
counts 10 '"type":"iteration"' r.jsonl
counts 3 '"type":"validation"' r.jsonl
counts 1 '"type":"start"' r.jsonl
counts 1 '"type":"end".*"status":"finished"' r.jsonl
says '"sha256":"[0-9a-f]{64}"' r.jsonl
says 'data:image/png;base64,' r.html
says "$(sha256sum m.safetensors | cut -c1-64)" r.html
for word in 'Curves' 'Held-out slices' 'Files' 'Environment' 'solver rate' 'finished' 'V<sub>Rand'; do
    says "$word" r.html
done
expect 0 info m.best.safetensors --json
says '"v_rand_threshold"' out
expect 0 info m.safetensors --json
counts 0 '"v_rand_threshold"' out
expect 0 process --model m.best.safetensors --in d/unseen-raw.tif --out p.tif --quiet
expect 0 evaluate --labels d/unseen-labels.tif --prob p.tif --json
# What the log says of the best model is what evaluating it anew says.
told=$(grep '"best":true' r.jsonl | tail -n 1 | sed 's/.*"v_rand":\([0-9.e-]*\),.*/\1/')
anew=$(sed -n 's/^  "v_rand": \([-0-9.e]*\),*$/\1/p' out | head -n 1)
n=$((n + 1))
echo "$told $anew" | awk '{ d = $1 - $2; exit !(NF == 2 && d * d < 1e-8) }' ||
    complain "the log says V_Rand $told, evaluate $anew"
expect 2 train $data --out other $net --iterations 2 --report r.html
says 'r.html exists' err
expect 2 train $data --out m $net --iterations 2 $val
says 'm.best.safetensors exists' err

# ---- early stop: a rate of nearly 0 betters nothing ----
expect 0 train $data --out early $net --iterations 500 --rate 1e-30 --warmup 0 $val --val-interval 2 \
    --patience 2 --val-metric loss --log early.jsonl
counts 3 '"type":"validation"' early.jsonl
counts 1 '"best":true' early.jsonl
counts 1 '"status":"early"' early.jsonl
expect 0 info early --json
says '"iteration": 6,' out

# ---- resuming: the history goes on, what the weights have not seen is cut ----
run="$net --policy fixed $val --val-interval 10 --log-interval 5"
expect 0 train $data --out whole $run --iterations 40 --log whole.jsonl
expect 0 train $data --out part $run --iterations 20 --log part.jsonl --report part.html
# Records that a crash left behind a snapshot: newer ones, and a line that was cut.
cp part.jsonl cut.jsonl
cat >>part.jsonl <<LINES
{"type":"iteration","iteration":25,"loss":9.0,"seconds":1.0}
{"type":"validation","iteration":30,"v_rand":0.99,"loss":0.0,"seconds":1.0}
LINES
printf '{"type":"iter' >>part.jsonl
expect 0 train $data --out part $run --iterations 40 --log part.jsonl --report part.html --resume
same whole part "20 and 20 iterations"
lines part.jsonl
page part.html
counts 8 '"type":"iteration"' part.jsonl
counts 4 '"type":"validation"' part.jsonl
counts 2 '"type":"start"' part.jsonl
counts 0 '"iteration":25,"loss":9' part.jsonl
counts 0 '"v_rand":0.99,' part.jsonl
scores()
{
    sed -n 's/.*"type":"validation","iteration":\([0-9]*\),.*"v_rand":\([0-9.e-]*\),.*/\1 \2/p' "$1"
}
scores whole.jsonl >a
scores part.jsonl >b
counts 4 . a
same a b "scores of both runs"
# The best score so far comes from the log.
expect 0 train $data --out kept $run --iterations 20 --log kept.jsonl
sed 's/"v_rand":[0-9.e-]*,"v_rand_threshold"/"v_rand":0.9999,"v_rand_threshold"/' kept.jsonl >bent
mv bent kept.jsonl
cp kept.best.safetensors former
expect 0 train $data --out kept $run --iterations 40 --log kept.jsonl --resume
same kept.best.safetensors former "the best model gave way to a worse one"
echo 'no json' >bent
expect 3 train $data --out kept $run --iterations 50 --log bent --resume
says 'bent: line 1' err

# ---- a loss of two parts ----
expect 0 train $data --out parts $net --iterations 8 --log-interval 2 --loss softmax+malis \
    --malis-after 4 --equalise mask --report parts.html
counts 2 '"loss_softmax":[0-9.e-]*,"loss_malis":[0-9.e-]*' parts.jsonl
says 'MALIS part' parts.html
page parts.html

# ---- the page from the log ----
expect 0 report --log part.jsonl --out again.html
page again.html
says 'V<sub>Rand' again.html
counts 0 'data:image/png' again.html
expect 2 report --log part.jsonl --out again.html
expect 2 report --log part.jsonl
expect 3 report --log none.jsonl --out x.html
expect 3 report --log bent --out x.html
echo '{}' >bent
expect 3 report --log bent --out x.html
says 'no start record' err
expect 5 report --log part.jsonl --out missing/x.html
# Whatever a log holds, the page stays a page.
sed 's/"out":"[^"]*"/"out":"<b>\&\\"<script>"/; s/"loss":[0-9][0-9.]*/"loss":null/' part.jsonl >odd.jsonl
expect 0 report --log odd.jsonl --out odd.html
page odd.html
says '&lt;b&gt;&amp;' odd.html

# ---- three labels: mean IoU and a confusion matrix ----
echo iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAAAAACPAi4CAAAAMUlEQVR42u3MUQkAQAgFsBfWsBfLBIJwf7IFWDKopQgEAoFAIBAITgbvk0AgEAhOBQ3d/SFqVcXF5wAAAABJRU5ErkJggg== |
    base64 -d >three.png
three='--raw three.png --labels three.png --val-raw three.png --val-labels three.png'
expect 2 train $three --out three $net --iterations 2 --val-metric v_rand
says '2 labels, the data has 3' err
expect 0 train $three --out three $net --iterations 30 --report three.html --rate 0.01
page three.html
lines three.jsonl
says 'Confusion' three.html
says 'Mean IoU' three.html
counts 10 '"type":"validation".*"mean_iou":0\.[0-9]' three.jsonl

# ---- other ends: a signal, a loss that is no number, a disk that is full ----
"$tool" train $data --out term $net --iterations 100000 $val --val-interval 20 --report term.html \
    >out 2>err &
child=$!
i=0
while [ ! -s term.html ] && [ $i -lt 600 ]; do
    sleep 0.05
    i=$((i + 1))
done
says '>running<' term.html
kill -TERM "$child"
wait "$child"
code=$?
child=
[ "$code" = 143 ] || complain "SIGTERM: exit code $code, expected 143"
counts 1 '"status":"stopped"' term.jsonl
says 'stopped by the user' term.html
page term.html
expect 6 train $data --out hot $net --iterations 300 --rate 1e6 --clip 0 --policy fixed --warmup 0 \
    --report hot.html
says '"status":"failed".*"message":".*iteration' hot.jsonl
page hot.html
(
    trap '' XFSZ
    ulimit -f 32
    exec "$tool" train $data --out full $net --iterations 4 $val --report full.html
) >out 2>err
code=$?
n=$((n + 1))
[ "$code" = 5 ] || complain "a full disk: exit code $code, expected 5"
left=$(find . -name '*.tmp*')
[ -z "$left" ] || complain "failed runs left $left"

echo "$n checks, $bad complaints"
[ "$bad" = 0 ]
