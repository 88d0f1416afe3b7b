#!/bin/bash
# openai_format.sh: results as OpenAI Batch output lines, resumed from, and never mixed with the others.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

jq -nc 'range(30) | {custom_id: "r\(.)", method: "POST", url: "/v1/chat/completions",
    body: {model: "simulate-1", messages: [{role: "user", content: "q\(.)"}]}}' >in.jsonl

t "the lines are those of a batch output file, with the key"
run_ok in.jsonl --provider simulate --format openai -o out.jsonl
assert_lines out.jsonl 30
assert_json out.jsonl 'map(keys_unsorted) | unique | .[0] - ["key", "settings", "run_settings"]' '["id","custom_id","response","error"]'
assert_json out.jsonl 'map(.custom_id) | unique | length' 30
assert_json out.jsonl 'map(.id | startswith("batch_req_")) | all' true
assert_json out.jsonl 'map(.id) | unique | length' 30
assert_json out.jsonl 'map(.error == null and .response.status_code == 200) | all' true
assert_json out.jsonl 'map(.response.request_id | type) | unique' '["string"]'
assert_json out.jsonl 'map(.response.body.choices[0].message.content == "q" + .custom_id[1:]) | all' true
assert_json out.jsonl 'map(.key) | unique' '["simulate-1","simulate-2","simulate-3"]'

t "failed rows: the error named, the provider's body kept"
http_answer 400.http "400 Bad Request" '{"error":{"message":"bad thing","type":"invalid_request_error","code":"bad_thing"}}'
start_canned 400.http
head -n 2 in.jsonl >two.jsonl
expect_exit 1 "$BATCH_RUN" two.jsonl "${CANNED[@]}" --format openai -o failed.jsonl
assert_json failed.jsonl 'map(.error.code)' '["bad_thing","bad_thing"]'
assert_json failed.jsonl 'map(.response.status_code)' '[400,400]'
assert_json failed.jsonl 'map(.response.body.error.message)' '["bad thing","bad thing"]'

t "a bad row is an error line without a response"
printf '{"nothing":1}\n' >bad.jsonl
expect_exit 1 "$BATCH_RUN" bad.jsonl --provider simulate --format openai -o bad.results.jsonl
assert_json bad.results.jsonl '.[0] | [.custom_id, .response, .error.code, .key]' '["1",null,"bad_input",null]'

t "resume works in this format: what is done is not sent, what failed is"
start_simulator --keys 3
SEND=(--provider simulate --base-url "$SIM_URL/v1" --format openai)
head -n 20 out.jsonl >part.jsonl
printf '{"id":"batch_req_00","custom_id":"torn' >>part.jsonl
run_ok in.jsonl "${SEND[@]}" -o part.jsonl
assert_lines part.jsonl 30
assert_json part.jsonl 'map(.custom_id) | unique | length' 30
assert_eq 10 "$(sim_stats .requests)" "requests"
run_ok two.jsonl "${SEND[@]}" -o failed.jsonl
assert_lines failed.jsonl 2
assert_json failed.jsonl 'map(.error)' '[null,null]'
assert_eq 12 "$(sim_stats .requests)" "requests"

t "the formats are not mixed"
cp out.jsonl before
expect_exit 2 "$BATCH_RUN" in.jsonl --provider simulate -o out.jsonl
assert_contains "$ERR" out.jsonl
assert_same before out.jsonl
run_ok in.jsonl --provider simulate -o native.jsonl
cp native.jsonl before
expect_exit 2 "$BATCH_RUN" in.jsonl --provider simulate --format openai -o native.jsonl
assert_contains "$ERR" native.jsonl
assert_same before native.jsonl
