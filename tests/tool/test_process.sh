#!/bin/sh
# What `greentea process` writes: label maps, folders, hyperstacks, averages, blocks and their joining, also
# after kill -9. SPDX-License-Identifier: BSD-2-Clause
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
    [ "$code" = "$want" ] || complain "greentea $*: exit code $code, expected $want"
    if [ "$want" -ge 2 ] && { [ -s out ] || [ "$(grep -c '^greentea: ' err)" != 1 ]; }; then
        complain "greentea $*: an error is one sentence on stderr, nothing on stdout"
    fi
}
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
absent()
{
    n=$((n + 1))
    [ ! -e "$1" ] || complain "$1 is there"
}
number()
{
    sed -n "s/^  \"$1\": \\([-0-9.eE+]*\\),\\{0,1\\}\$/\\1/p" "$2" | head -n 1
}

expect 0 demo --data-only --out d --size 96 --sections 2 --seed 3
data='--raw d/train-raw.tif --labels d/train-labels.tif'
expect 0 train $data --out two --net usk --width 0.05 --patch 32 --iterations 30 --quiet
expect 0 train $data --out nine --net u --width 0.03 --patch 36 --iterations 2 --labels-count 9 --quiet
raw=d/train-raw.tif # two pages
base="process --in $raw --deterministic --quiet --threads 1"

# A page of two floats whose difference is none.
{
    printf 'II*\0\020\0\0\0\346\261\141\377\346\261\141\177'
    printf '\012\0'
    printf '\0\1\3\0\1\0\0\0\2\0\0\0'
    printf '\1\1\3\0\1\0\0\0\1\0\0\0'
    printf '\2\1\3\0\1\0\0\0\40\0\0\0'
    printf '\3\1\3\0\1\0\0\0\1\0\0\0'
    printf '\6\1\3\0\1\0\0\0\1\0\0\0'
    printf '\21\1\4\0\1\0\0\0\10\0\0\0'
    printf '\25\1\3\0\1\0\0\0\1\0\0\0'
    printf '\26\1\3\0\1\0\0\0\1\0\0\0'
    printf '\27\1\4\0\1\0\0\0\10\0\0\0'
    printf '\123\1\3\0\1\0\0\0\3\0\0\0'
    printf '\0\0\0\0'
} >far.tif
expect 3 process --in far.tif --model two --out far --quiet
says '^greentea: far.tif page 1: values from -3e.38 to 3e.38 cannot be normalised' err
absent far/far.tif

# ---- labels: one, all, in folders, in a hyperstack ----
expect 0 $base --model nine --out stack.tif
expect 0 $base --model nine --out folders --layout folders
for k in 0 1 8; do
    expect 0 $base --model nine --out one$k.tif --label $k
    same one$k.tif folders/$k/train-raw.tif "label $k in its folder"
done
absent folders/9
absent folders/train-raw.tif
expect 2 $base --model nine --out folders --layout folders
says 'folders/0/train-raw.tif exists' err
expect 0 $base --model two --out both.tif --all-labels
expect 0 $base --model two --out two-folders --all-labels --layout folders
expect 0 $base --model two --out second.tif
same second.tif two-folders/1/train-raw.tif "label 1 of 2"
expect 0 $base --model two --out plain-folder --layout folders # one label: no folders
same second.tif plain-folder/train-raw.tif "a single label in a folder"
expect 0 process --in d/unseen-raw.tif --model two --out pngs --file-type png --quiet
[ -s pngs/unseen-raw.png ] || complain "no PNG in the folder"
expect 0 process --in d/unseen-raw.tif --model two --out one.png --quiet
same one.png pngs/unseen-raw.png "PNG in a folder and alone"

# ---- label maps ----
expect 0 $base --model two --out map.tif --argmax index
expect 0 evaluate --labels map.tif --prob both.tif --json
echo "$(number pixel_wrong out)" | awk '{ exit !(NF == 1 && $1 == 0) }' ||
    complain "the map is not the most probable label"
expect 0 $base --model two --out grey.tif --argmax grey
expect 0 evaluate --labels grey.tif --prob second.tif --model two --json
echo "$(number pixel_wrong out)" | awk '{ exit !(NF == 1 && $1 == 0) }' ||
    complain "the grey map is not the most probable label"
expect 0 $base --model two --out plain.tif --argmax index --no-palette
expect 0 evaluate --labels map.tif --prob second.tif --json
cp out coloured
expect 0 evaluate --labels plain.tif --prob second.tif --json
same out coloured "labels with and without a palette"
expect 0 process --in d/unseen-raw.tif --model two --out map.png --argmax index --quiet
expect 0 process --in d/unseen-raw.tif --model two --out map1.tif --argmax index --quiet
expect 0 evaluate --labels map.png --prob d/unseen-labels.tif --json
cp out judged
expect 0 evaluate --labels map1.tif --prob d/unseen-labels.tif --json
same out judged "maps as PNG and TIFF"

expect 0 evaluate --labels grey.tif --label-map map.tif --json
says '"mean_iou": 1.0' out

# ---- what ImageJ noted is kept: channels of the input, and those of the output within them ----
expect 0 process --model two --in stack.tif --out again.tif --quiet
n=$((n + 1))
grep -qa '^images=18$' again.tif && grep -qa '^channels=9$' again.tif && grep -qa '^slices=2$' again.tif ||
    complain "the hyperstack is not kept"
expect 0 process --model two --in stack.tif --out twice.tif --all-labels --quiet
n=$((n + 1))
grep -qa '^channels=18$' twice.tif && grep -qa '^slices=2$' twice.tif || complain "the hyperstack is not widened"

# ---- averages ----
for o in 4 8; do
    expect 0 $base --model nine --out o$o.tif --orientations $o
    expect 0 $base --model nine --out t$o.tif --orientations $o --tile 52
    same o$o.tif t$o.tif "tiles with $o orientations"
done
n=$((n + 1))
cmp -s o8.tif stack.tif && complain "8 orientations change nothing"

# ---- blocks: fewer and more than pages, in any order, with averages ----
# NAME N OPTIONS...: all blocks, the last one first; joined by the last finisher.
blocks()
{
    name=$1
    count=$2
    shift 2
    i=$((count - 1))
    while [ $i -ge 0 ]; do
        expect 0 $base "$@" --out $name --block $i/$count --merge
        [ $i = 0 ] || absent $name
        i=$((i - 1))
    done
    absent $name.parts
}
blocks b2.tif 2 --model nine
same b2.tif stack.tif "2 blocks"
blocks b7.tif 7 --model nine
same b7.tif stack.tif "7 blocks"
blocks b4o8.tif 4 --model nine --orientations 8
same b4o8.tif o8.tif "4 blocks of averages"
blocks b5map.tif 5 --model two --argmax index
same b5map.tif map.tif "5 blocks of a map"
blocks bfolders 3 --model nine --layout folders
for k in 0 8; do
    same bfolders/$k/train-raw.tif folders/$k/train-raw.tif "3 blocks in folders"
done
blocks b20.tif 20 --model nine # some without rows: blocks start at multiples of 16
same b20.tif stack.tif "20 blocks"
expect 0 $base --model two --out p8.tif --format u8
blocks b8.tif 3 --model two --format u8
same b8.tif p8.tif "blocks of bytes"

mkdir many
cp d/unseen-raw.tif many/a.tif
cp $raw many/b.tif
cp one.png many/c.png
expect 0 process --in many --deterministic --quiet --model two --out many-whole
for i in 0 1 2 3 4 5; do
    expect 0 process --in many --deterministic --quiet --model two --out many-blocks --block $i/6 --merge
done
for file in a b c; do
    same many-whole/$file.tif many-blocks/$file.tif "6 blocks of several files"
done
absent many-blocks.parts
expect 0 $base --model two --out x.tif --block 3/4 --dry-run
says '^block 3 of 4: page 1, rows 48 to 95$' out

# Joining on request; missing blocks; another job; what is done is not done again.
expect 0 $base --model two --out j.tif --block 0/3
expect 3 $base --model two --out j.tif --merge
says '2 of 3 blocks of j.tif are not done, the first is 1' err
expect 2 $base --model two --out j.tif --block 0/4
says "'blocks 3', this one 'blocks 4'" err
expect 2 $base --model nine --out j.tif --block 1/3
says 'belongs to another job' err
part=$(find j.tif.parts -name 'page*' | head -n 1)
cp -p "$part" keep
expect 0 process --in $raw --deterministic --model two --out j.tif --block 0/3
says 'block 0 of 3 is done already' err
[ "$part" -nt keep ] && complain "a finished block was computed again"
rm j.tif.parts/block-000000.done # as if killed between the part and the mark
expect 0 $base --model two --out j.tif --block 0/3
[ "$part" -nt keep ] && complain "a finished part was computed again"
expect 0 $base --model two --out j.tif --block 1/3
expect 0 $base --model two --out j.tif --block 2/3
absent j.tif
expect 0 $base --model two --out j.tif --merge --dry-run
says '^3 of 3 blocks of j.tif are done$' out
absent j.tif
expect 0 $base --model two --out j.tif --merge
same j.tif second.tif "joined on request"
expect 2 $base --model two --out j.tif --block 0/3
says 'j.tif exists' err
expect 2 $base --model two --out none.tif --merge
says 'no blocks were computed' err

# The last block is finished while another process, under the lock, looks for it: one of them joins.
cat >slow.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>
int access(const char *path, int mode)
{
    int (*real)(const char *, int) = (int (*)(const char *, int))dlsym(RTLD_NEXT, "access");
    int result = real(path, mode);
    if (result != 0 && strstr(path, "block-000001.done")) {
        sleep(1);
    }
    return result;
}
END
if ! nm "$tool" | grep -qE '__(asan|tsan)_init' && ${CC:-cc} -shared -fPIC -o slow.so slow.c -ldl; then
    LD_PRELOAD=$PWD/slow.so "$tool" $base --model two --out l.tif --block 0/2 --merge >looker 2>&1 &
    child=$!
    for i in 0 1 2 3 4 5 6 7 8 9; do
        [ -e l.tif.parts/block-000000.done ] || sleep 0.1
    done
    sleep 0.3
    expect 0 $base --model two --out l.tif --block 1/2 --merge
    wait $child || complain "the process that looked: exit code $?"
    child=
    same l.tif second.tif "finished while another looked"
fi

# Killed at any time: what is left is nothing or a whole part.
for delay in 0.02 0.05 0.1 0.2; do
    "$tool" $base --model nine --orientations 8 --out k.tif --block 0/2 >out 2>err &
    child=$!
    sleep $delay
    kill -9 $child 2>/dev/null
    wait $child 2>/dev/null
    child=
done
expect 0 $base --model nine --orientations 8 --out k.tif --block 0/2
expect 0 $base --model nine --orientations 8 --out k.tif --block 1/2 --merge
same k.tif o8.tif "blocks after kill -9"
absent k.tif.parts

# ---- pictures of all blobs ----
files()
{
    find "$1" -name '*.png' | wc -l
}
expect 0 process --in $raw --model two --filter-output f --filter-page 1 --filter-tile 1,0 --tile 40
says 'f/train-raw_1_0_1' err
n=$((n + 1))
[ "$(files f)" = "$(files f/train-raw_1_0_1)" ] || complain "pictures elsewhere"
for name in data_0_0 conv1_0_0 pool1_0_0 ip1_0_1 prob_0_1; do
    [ -s f/train-raw_1_0_1/$name.png ] || complain "no $name.png"
done
absent f/train-raw_1_0_1/conv1_0_0_diff.png
expect 0 train $data --out look --net usk --width 0.05 --patch 32 --iterations 30 --quiet --filter-output g
same two look "a model that was looked at"
for name in data_0_0 label_0_0 conv1_0_0 conv1_0_0_diff ip1_0_1 ip1_0_1_diff; do
    [ -s g/train_0_0_0/$name.png ] || complain "no $name.png of training"
done
absent g/train_0_0_0/data_0_0_diff.png
expect 0 process --in $raw --model two --out with.tif --filter-output h --deterministic --threads 1 --quiet
same with.tif second.tif "pictures beside labelling"
expect 2 process --in $raw --model two --filter-output h --filter-page 2 --quiet
says '0 to 1' err
expect 2 process --in $raw --model two --filter-output h --filter-tile 9,9 --quiet
says 'tile 9,9' err
expect 2 process --in $raw --model two --filter-output h --filter-tile 1 --quiet
expect 5 process --in $raw --model two --filter-output missing/h --quiet

# ---- mistakes ----
for block in 3/3 -1/3 1 1/0 x/2 1/2/3 ''; do
    expect 2 $base --model two --out x.tif --block "$block"
    says "expected I/N" err
done
expect 2 $base --model two --out x.tif --orientations 3
says '3 orientations, expected 1, 4 or 8' err
expect 2 $base --model two --out x.tif --argmax most
expect 2 $base --model two --out x.tif --argmax index --label 0
says 'exclude each other' err
expect 2 $base --model nine --out x.tif --argmax grey
says 'grey value' err
expect 2 $base --model two --out x.tif --argmax grey --format u7
expect 2 $base --model two --out x.tif --layout folders
expect 2 $base --model two --out x.tif --file-type png
expect 2 $base --model two --out x-folder --file-type png --format f32
expect 2 $base --model two --out x.png
says 'x.png would hold 2 pages, PNG holds one' err
expect 2 $base --model nine --in d/unseen-raw.tif --out x.png
says 'PNG holds one; choose .tif or --layout folders' err
left=$(find . -name 'x*')
n=$((n + 1))
[ -z "$left" ] || complain "mistakes left $left"

echo "$n checks, $bad complaints"
[ "$bad" = 0 ]
