#!/bin/bash
# samples.sh: everything in samples/ runs as its own words say, and so does every console example of
# the README.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
export BATCH_RUN # for article.sh

t "samples/first.jsonl: a prompt each"
run_ok "$ROOT/samples/first.jsonl" --provider simulate -o first.jsonl --summary summary.json
assert_lines first.jsonl 120
assert_json first.jsonl 'map(select(.status == "ok" and .text == .input.prompt and .id == .input.id)) | length' 120
assert_json summary.json '.[0].keys | map(.requests)' '[40,40,40]'

t "samples/first.csv: columns, quoted line breaks, an empty cell"
run_ok "$ROOT/samples/first.csv" --provider simulate -o csv.jsonl
assert_json csv.jsonl 'map(select(.status == "ok" and .text == .input.prompt)) | length' 12
assert_json csv.jsonl 'map(select(.id == "list"))[0].text' '"Sort these words:\r\npear\r\napple\r\nfig"'
assert_json csv.jsonl 'map(select(.id == "unicode"))[0].input.temperature' '""'

t "samples/openai-batch.jsonl: a batch file as it stands"
run_ok "$ROOT/samples/openai-batch.jsonl" --provider simulate -o batch.jsonl --format openai
assert_json batch.jsonl 'map(.custom_id) | sort' '["request-1","request-2","request-3","request-4","request-5","request-6"]'
assert_json batch.jsonl 'map(select(.custom_id == "request-1"))[0].response.body.choices[0].message.content' '"What is 17 * 23?"'

t "samples/keys.env: several keys, numbered with gaps and quoted"
run_ok "$ROOT/samples/first.jsonl" --limit 9 --provider simulate --env-file "$ROOT/samples/keys.env" -o keys.jsonl
assert_json keys.jsonl 'map(.key) | unique' '["simulate-1","simulate-10","simulate-2"]'
assert_not_contains "$ERR" warning

t "samples/article: an outline becomes an article, in order, over three keys"
expect_exit 0 "$ROOT/samples/article/article.sh" article.md
assert_contains "$OUT" "5 sections"
assert_eq "$(jq -r '"## " + .heading' "$ROOT/samples/article/outline.jsonl")" "$(grep '^## ' article.md)" "headings"
assert_eq 5 "$(grep -c '^Cover these points in this order: ' article.md)" "sections with their text"

# Every ```console block: lines that begin with "$ " are run in the tree, the others are what they
# print on stdout.
t "the README's console examples print what they say"
awk '/^```/ { inside = ($0 == "```console"); next } inside' "$ROOT/README.md" >examples
assert_true "the README has examples" test -s examples
grep -v '^\$ ' examples >wanted
(cd "$ROOT" && sed -n 's/^\$ //p' "$WORK/examples" | sed "s|\./batch-run|$BATCH_RUN|g" |
    timeout $((60 * SLOW)) bash) >got 2>"$ERR"
assert_same wanted got
