#!/bin/sh
# From an outline to an article: five sections expanded in parallel, polished in parallel, and joined
# again in order. Each stage reads what the one before it wrote.
#
#   samples/article/article.sh [OUTPUT.md]          against the simulator
#   PROVIDER=bigmodel samples/article/article.sh    with your own keys
# SPDX-License-Identifier: MIT
set -eu

here=$(cd "$(dirname "$0")" && pwd)
program=${BATCH_RUN:-$here/../../batch-run}
article=${1:-article.md}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

batch_run() {
    "$program" "$@" --provider "${PROVIDER:-simulate}" --quiet
}

# 1. Outline → drafts. The template puts each row's heading and points into the prompt.
batch_run "$here/outline.jsonl" --template "@$here/expand.txt" -o "$work/drafts.jsonl"

# 2. Drafts → polished sections. A result line is a row: its text is the next prompt, its id stays.
batch_run "$work/drafts.jsonl" --prompt-field text -o "$work/polished.jsonl" \
    --system "You are an editor. Return the text you are given, in plain words."

# 3. Polished sections → one file. Results come in the order they finish: the index brings back the
#    outline's. The outline's row has travelled along, as the input of the input.
jq -rs 'sort_by(.input.index)[] | "## \(.input.input.heading)\n\n\(.text)\n"' \
    "$work/polished.jsonl" > "$work/body.md"
{
    printf '# On queues\n\n'
    cat "$work/body.md"
} > "$article"

keys=$(jq -r .key "$work/polished.jsonl" | sort -u | wc -l)
echo "$article: $(grep -c '^## ' "$article") sections, written over $((keys)) keys"
