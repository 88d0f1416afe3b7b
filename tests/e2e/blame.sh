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

printf 'secret-one\nsecret-two\nsecret-three\n' >three.keys
head -n 1 three.keys >one.keys
cat >group.json <<'EOF'
{"providers": {"openai": {"keys": [{"key": "secret-one", "group": "g"}, {"key": "secret-two", "group": "g"}]}}}
EOF

# blame KEYS OPTIONS...: the run that is judged, within 20 s
blame() {
    local keys=$1
    shift
    rm -f results.jsonl* summary.json
    began=$(date +%s%N)
    LIMIT=20 run "$BATCH_RUN" in.jsonl --provider openai --base-url "$CANNED_URL/v1" -m m --keys "$keys" -o results.jsonl --summary summary.json "$@"
    took=$((($(date +%s%N) - began) / 1000000))
}

# assert_blamed ROWS ID CLASS WORDS: all but one are ok, it fails by itself, and the keys are as they were
assert_blamed() {
    assert_eq 1 "$STATUS" "exit code"
    assert_json results.jsonl 'map(select(.status == "ok")) | length' $(($1 - 1))
    assert_json results.jsonl "map(select(.status != \"ok\")) | map([.id, .error.class])" "[[\"$2\",\"$3\"]]"
    assert_json results.jsonl "map(select(.id == \"$2\"))[0].error.message | contains(\"$4\")" true
    assert_json summary.json '.[0].keys | map(.state != "healthy" or .reason != null) | any' false
}

# asked TEXT: requests that held it
asked() {
    grep -c -- "$1" "$CANNED_LOG"
}

# -- rows that are refused whoever asks --

http_answer tpm.http "429 Too Many Requests" '{"error":{"message":"This request would exceed the rate limit of 30,000 input tokens per minute"}}'
http_answer waf.http "403 Forbidden" '<html><head><title>Attention Required! | Cloudflare</title></head></html>'
http_answer afford.http "402 Payment Required" '{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 64000 tokens, but can only afford 2666.","code":402}}'
http_answer odd.http "418 I am a teapot" '{"error":{"message":"not for you"}}'
http_answer plain429.http "429 Too Many Requests" '{"error":{"message":"no"}}'
http_answer no.http "401 Unauthorized" '{"error":{"message":"no entry"}}'
good=good.http

for keys in three.keys one.keys group.json; do
    t "a 429 for one row holds up nobody, and is that row's: $keys"
    start_canned q1#=tpm.http $good
    ask 60
    blame $keys
    assert_blamed 60 r1 too_large "30,000 input tokens"
    assert_true "it took $took ms" [ $took -lt $((8000 * SLOW)) ]
    assert_true "$(asked q1#) requests for it" [ "$(asked q1#)" -le 6 ]

    t "a 403 page for one row is that row's: $keys"
    start_canned q1#=waf.http $good
    ask 100
    blame $keys
    assert_blamed 100 r1 invalid_request "Attention Required"
    assert_true "it took $took ms" [ $took -lt $((4000 * SLOW)) ]
    assert_true "$(asked q1#) requests for it" [ "$(asked q1#)" -le 4 ]

    t "a 402 that is about this row's size is that row's: $keys"
    start_canned q1#=afford.http $good
    ask 30
    sed -i '2s/}$/,"max_tokens":64000}/' in.jsonl
    blame $keys
    assert_blamed 30 r1 too_large "can only afford"

    t "an unknown 4xx for one row is that row's: $keys"
    start_canned q1#=odd.http $good
    ask 30
    blame $keys
    assert_blamed 30 r1 invalid_request "not for you"

    t "a 401 for one row is that row's, when others are served: $keys"
    start_canned q9#=no.http $good
    ask 100
    blame $keys --slots-per-key 2
    assert_blamed 100 r9 invalid_request "no entry"
done

t "a bare 429 for one row, and a row larger than any other"
start_canned q1#=plain429.http $good
ask 60
blame three.keys
assert_blamed 60 r1 rate_limited no
ask 60
head -c 40000 /dev/zero | tr '\0' x >long
sed -i "2s/q1#/q1# $(cat long)/" in.jsonl
start_canned q1#=tpm.http $good
blame three.keys
assert_blamed 60 r1 too_large "30,000 input tokens"

t "the first row and the last one, one after the other"
start_canned q0#=waf.http q29#=waf.http $good
ask 30
blame three.keys --slots 1
assert_eq 1 "$STATUS" "exit code"
assert_json results.jsonl 'map(select(.status != "ok").id) | sort' '["r0","r29"]'
assert_json summary.json '.[0].keys | map(.state) | unique' '["healthy"]'

t "one row in all"
start_canned waf.http
ask 1
blame three.keys
assert_eq 1 "$STATUS" "exit code"
assert_json results.jsonl 'map(.error.class)' '["invalid_request"]'

# -- keys that are refused whatever they ask --

for status in waf no odd; do
    t "a key that is refused with every row is out soon: $status"
    start_canned secret-two=$status.http $good
    ask 60
    blame three.keys
    assert_eq 0 "$STATUS" "exit code"
    assert_json results.jsonl 'map(select(.status == "ok")) | length' 60
    assert_json summary.json '.[0].keys | map(.state)' '["healthy","unavailable","healthy"]'
    assert_json summary.json '.[0].keys[1].reason != null' true
    assert_true "$(asked secret-two) requests with it" [ "$(asked secret-two)" -le 8 ]
done

t "all rows refused with all keys: the keys are out, with the reason, and few rows are burnt"
for keys in three.keys one.keys; do
    start_canned waf.http
    ask 60
    blame $keys
    assert_eq 3 "$STATUS" "exit code"
    assert_contains "$ERR" "Attention Required"
    assert_true "$(wc -l <results.jsonl) rows failed" [ "$(wc -l <results.jsonl)" -le 1 ]
    assert_true "$(canned_requests) requests" [ "$(canned_requests)" -le 30 ]
done

t "a key of another account, of another provider: the row goes there before the same key is asked again"
start_canned waf.http
FIRST=$CANNED_URL
start_canned $good
ask 1
printf '{"providers":{"openai":{"keys":[{"key":"secret-one"}]},"groq":{"keys":[{"key":"secret-two"}]}}}' >two.json
expect_exit 0 "$BATCH_RUN" in.jsonl --provider openai,groq --base-url "openai=$FIRST/v1,groq=$CANNED_URL/v1" -m m --keys two.json -o results.jsonl
assert_json results.jsonl 'map(.provider)' '["groq"]'

# -- what was spent --

t "usage told with an answer that does not count is charged: --tpm 1000, 500 tokens each, content_filter"
http_answer filtered.http "200 OK" '{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null},"finish_reason":"content_filter"}],"usage":{"prompt_tokens":100,"completion_tokens":400,"total_tokens":500}}'
start_canned filtered.http
ask 20
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
