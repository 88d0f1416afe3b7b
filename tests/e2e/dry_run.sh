#!/bin/bash
# dry_run.sh: what --dry-run says is what a run would send, and nothing is sent or written.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

rows 30 >in.jsonl

t "rows that are done are not counted, and the first requests are those that are left"
expect_exit 3 "$BATCH_RUN" in.jsonl --provider simulate --max-requests 10 -o r.jsonl --quiet
cp r.jsonl before.jsonl
run_ok in.jsonl --provider simulate -o r.jsonl --dry-run
assert_match "$ERR" '^  rows +20 to send, 10 done before$'
assert_empty "$OUT"
assert_same r.jsonl before.jsonl
assert_eq "in.jsonl r.jsonl before.jsonl" "$(echo in.jsonl r.jsonl* before.jsonl)" "no other file is made"
first=$(grep -o '"prompt":"[^"]*"' in.jsonl | sed -n 11p | cut -d'"' -f4)
assert_match "$ERR" "^row 11 "
assert_contains "$ERR" "\"content\":\"$first\""
run_ok in.jsonl --provider simulate -o r.jsonl --dry-run --overwrite
assert_match "$ERR" '^  rows +30 to send$'

t "--dry-run=json: an estimate on standard output, the plan on standard error"
run_ok in.jsonl --provider simulate -o r.jsonl --dry-run=json --rpm 10 --model m
assert_lines "$OUT" 1
assert_json "$OUT" '.[0] | [.rows_left, .seconds, .cost, (.models | map([.provider, .model, .rows])), (.first | length)]' \
    '[20,40,{"usd":null,"unpriced":20},[["simulate","m",20]],3]'
assert_json "$OUT" '.[0].first[0] | [.line, .provider, .body.model]' '[11,"simulate","m"]'
assert_json "$OUT" '.[0].tokens | (.input > 0) and (.output == 20 * 256)' true
assert_contains "$ERR" 'dry run: nothing is sent'
run_ok in.jsonl --provider simulate -o r.jsonl --dry-run=json
assert_json "$OUT" '.[0].seconds' null

t "the first requests are those of the wire"
chat_answer good.http ok
start_canned good.http
run_ok in.jsonl "${CANNED[@]}" --model m -o wire.jsonl --dry-run=json
jq -c '.first[].body' "$OUT" >dry.bodies
run_ok in.jsonl "${CANNED[@]}" --model m -o wire.jsonl --limit 3 --slots 1
canned_bodies | sort >wire.bodies
sort -o dry.bodies dry.bodies
assert_same dry.bodies wire.bodies
kill "$CANNED_PID"

t "rows that are not valid are counted: exit code 1, as the run would have"
{
    rows 9
    echo 'not json'
} >bad.jsonl
expect_exit 1 "$BATCH_RUN" bad.jsonl --provider simulate --dry-run=json
assert_json "$OUT" '.[0] | [.rows_left, .rows_bad]' '[9,1]'
assert_match "$ERR" '^  rows +9 to send, 1 not valid$'

t "a day's quota, and the tokens of a minute"
run_ok in.jsonl --provider simulate --dry-run=json --rpd 5 -o none.jsonl
assert_json "$OUT" '.[0].seconds' 86400
run_ok in.jsonl --provider simulate --dry-run=json --tpm 1000 -o none.jsonl
assert_json "$OUT" '.[0] | (.seconds - (.tokens.input + .tokens.output) / 3000 * 60 | fabs) < 1' true

t "a word that it does not take, and other formats"
expect_exit 2 "$BATCH_RUN" in.jsonl --provider simulate --dry-run=yaml
assert_contains "$ERR" "'yaml'"
run_ok in.jsonl --provider simulate --dry-run=no -o no.jsonl --quiet
assert_lines no.jsonl 30
