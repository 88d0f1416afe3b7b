#!/bin/bash
# blame.sh: refusals are charged to whom they belong (row, key, account, model), and limits with what was
# used.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

# ask N: N rows with the prompts q0# … into in.jsonl
ask() {
    seq 0 $(($1 - 1)) | sed 's/.*/{"id":"r&","prompt":"q&#"}/' >in.jsonl
    rm -f results.jsonl* summary.json
}
chat_answer good.http ok

# -- what was spent --

t "usage told with an answer that does not count is charged: --tpm 1000, 500 tokens each, content_filter"
http_answer filtered.http "200 OK" '{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null},"finish_reason":"content_filter"}],"usage":{"prompt_tokens":100,"completion_tokens":400,"total_tokens":500}}'
start_canned filtered.http
ask 20
head -n 1 .canned.keys >one.keys
run timeout -s INT 4 "$BATCH_RUN" in.jsonl "${CANNED[@]}" --keys one.keys --tpm 1000 --max-retries 0 -o results.jsonl
assert_true "$(canned_requests) requests of 500 tokens at 1000 a minute" [ "$(canned_requests)" -le 3 ]

t "an error that tells its usage is charged with it"
http_answer told.http "500 Internal Server Error" '{"error":{"message":"no"},"usage":{"prompt_tokens":100,"completion_tokens":400,"total_tokens":500}}'
start_canned told.http
ask 20
run timeout -s INT 4 "$BATCH_RUN" in.jsonl "${CANNED[@]}" --keys one.keys --tpm 1000 --max-retries 0 -o results.jsonl
assert_true "$(canned_requests) requests of 500 tokens at 1000 a minute" [ "$(canned_requests)" -le 3 ]

t "--max-tokens-total counts them too"
start_canned filtered.http
ask 20
run "$BATCH_RUN" in.jsonl "${CANNED[@]}" --keys one.keys --slots 1 --max-tokens-total 3000 -o results.jsonl --summary summary.json
assert_eq 3 "$STATUS" "exit code"
assert_true "$(canned_requests) requests of 500 tokens in 3000" [ "$(canned_requests)" -le 6 ]

t "an estimate in flight rests no key to the end of the minute: 5 tokens taken, more than 250 estimated"
chat_body ok | sed 's/"prompt_tokens":1,"completion_tokens":2,"total_tokens":3/"prompt_tokens":2,"completion_tokens":3,"total_tokens":5/' >five.json
http_answer five.http "200 OK" "$(cat five.json)"
start_canned five.http
ask 190
LIMIT=20 expect_exit 0 "$BATCH_RUN" in.jsonl "${CANNED[@]}" --keys one.keys --tpm 1000 --slots 4 -o results.jsonl
assert_lines results.jsonl 190
