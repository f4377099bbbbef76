#!/bin/sh
# The examples do what they say. SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail()
{
    echo "$*"
    cat "$tmp/out"
    exit 1
}

"$BUILD/examples/own_graph" >out 2>&1 || fail "own_graph: exit code $?"
grep -q '^loss ' out || fail "own_graph says nothing"

"$BUILD/examples/train_memory" model.safetensors >out 2>&1 || fail "train_memory: exit code $?"
grep -q '^iteration 30, loss' out || fail "train_memory: iterations are missing"
[ -s model.safetensors ] || fail "train_memory wrote no model"

"$BUILD/examples/label_memory" model.safetensors >out 2>&1 || fail "label_memory: exit code $?"
grep -qE '^320 x 200 pixels, 2 labels, mean probability of label 1: [01]\.[0-9]{4}$' out ||
    fail "label_memory says something else"

# An error is a message and an exit code.
"$BUILD/examples/label_memory" missing.safetensors >out 2>&1 && fail "a missing model gave success"
grep -q 'GT_EIO: .*missing.safetensors' out || fail "the message does not name the missing file"
head -c 300 model.safetensors >short.safetensors
"$BUILD/examples/label_memory" short.safetensors >out 2>&1 && fail "half a model gave success"
grep -q 'GT_EFORMAT: ' out || fail "half a model is no GT_EFORMAT"
exit 0
