#!/bin/bash
# blame_accounts.sh: what one account refuses is asked of another, and what a refusal means for a key, a
# model or a row.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

chat_answer good.http ok
printf 'secret-one\nsecret-two\n' >two.keys
printf 'secret-one\n' >one.keys

# go ROWS KEYS OPTIONS...: a run of rows with the prompts q0# …
go() {
    seq 0 $(($1 - 1)) | sed 's/.*/{"id":"r&","prompt":"q&#"}/' >in.jsonl
    go_with "${@:2}"
}
go_with() {
    local keys=$1
    shift
    rm -f results.jsonl* summary.json
    LIMIT=25 run "$BATCH_RUN" in.jsonl --provider openai --base-url "$CANNED_URL/v1" -m m --keys "$keys" -o results.jsonl --summary summary.json "$@"
}
asked() {
    grep -c -- "$1" "$CANNED_LOG"
}
assert_served() { # ROWS
    assert_json results.jsonl 'map(select(.status == "ok")) | length' "$1"
}
assert_keys_good() {
    assert_json summary.json '.[0].keys | map(.state) | unique' '["healthy"]'
}

http_answer afford.http "402 Payment Required" '{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 64000 tokens, but can only afford 2666.","code":402}}'
http_answer nomodel.http "404 Not Found" '{"error":{"message":"The model `m` does not exist or you do not have access to it.","type":"invalid_request_error","code":"model_not_found"}}'
http_answer strange.http "400 Bad Request" '{"error":{"code":"Unpaid","message":"this is a riddle"}}'
http_answer page.http "400 Bad Request" '<html><title>no luck</title></html>'
http_answer known.http "400 Bad Request" '{"error":{"message":"some value is odd","type":"invalid_request_error","param":"x","code":null}}'
http_answer arrears.http "400 Bad Request" '{"error":{"code":"Arrearage","type":"Arrearage","message":"Access denied, please make sure your account is in good standing."}}'
http_answer denied.http "401 Unauthorized" '{"error":{"message":"key not allowed to access model.","type":"key_model_access_denied","code":"401"}}'
http_answer empty.http "200 OK" '{"id":"x","choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}'
http_answer uncharged.http "403 Forbidden" '{"error":{"message":"Not for you. No credits were charged."}}'
http_answer busy.http "429 Too Many Requests" '{"error":{"code":"1302","message":"High concurrency usage of this API"}}' "Retry-After: 3"
http_answer blocked.http "429 Too Many Requests" '{"error":{"message":"Your account is suspended due to insufficient balance, please recharge your account","type":"exceeded_current_quota_error"}}'

t "a row that one account cannot pay for is served by another"
start_canned 'secret-one+q3#=afford.http' good.http
go 20 two.keys
assert_eq 0 "$STATUS" "exit code"
assert_served 20
assert_keys_good

t "a row that no account can pay for fails by itself, after one request with each"
start_canned q3#=afford.http good.http
go 20 two.keys
assert_eq 1 "$STATUS" "exit code"
assert_json results.jsonl 'map(select(.status != "ok")) | map([.id, .error.class])' '[["r3","too_large"]]'
assert_eq 2 "$(asked q3#)" "requests for it"
assert_keys_good

t "a model that one account has not is asked for with the other"
start_canned secret-two=nomodel.http good.http
go 40 two.keys
assert_eq 0 "$STATUS" "exit code"
assert_served 40
assert_true "$(asked secret-two) requests with it" [ "$(asked secret-two)" -le 4 ]

t "a model that no account has fails its rows, in the provider's words"
start_canned nomodel.http
go 20 two.keys
assert_eq 1 "$STATUS" "exit code"
assert_json results.jsonl 'map(.error.class) | unique' '["model"]'
assert_json results.jsonl 'map(.error.message | contains("does not exist")) | any' true

for what in strange page; do
    t "a 400 that nobody understands, from one key: served by the other, and the key is out: $what"
    start_canned secret-one=$what.http good.http
    go 60 two.keys
    assert_eq 0 "$STATUS" "exit code"
    assert_served 60
    assert_json summary.json '.[0].keys | map(.state)' '["unavailable","healthy"]'
    assert_json summary.json '.[0].keys[0].reason | test("riddle|no luck")' true
    assert_true "$(asked secret-one) requests with it" [ "$(asked secret-one)" -le 40 ]

    t "the same for one row from all: it fails by itself: $what"
    start_canned q3#=$what.http good.http
    go 40 two.keys
    assert_eq 1 "$STATUS" "exit code"
    assert_json results.jsonl 'map(select(.status != "ok")) | map([.id, .error.class])' '[["r3","invalid_request"]]'
    assert_eq 2 "$(asked q3#)" "requests for it"
    assert_keys_good
done

t "a request error in known words, or with one account, is final at once"
start_canned q3#=known.http good.http
go 20 two.keys
assert_eq 1 "$(asked q3#)" "requests for it"
start_canned q3#=strange.http good.http
go 20 one.keys
assert_eq 1 "$(asked q3#)" "requests for it"
assert_served 19

for what in arrears empty blocked; do
    t "an account without money is out, the others serve its rows: $what"
    start_canned secret-one=$what.http good.http
    go 40 two.keys
    assert_eq 0 "$STATUS" "exit code"
    assert_served 40
    assert_json summary.json '.[0].keys | map(.state)' '["unavailable","healthy"]'
    assert_json summary.json '.[0].keys[0].reason | test("good standing|insufficient balance")' true
done

t "a model that a key may not use is out for that key, rows for others go on"
seq 0 29 | sed 's/.*/{"id":"r&","prompt":"q&#"}/' >in.jsonl
sed -i '4s/}$/,"model":"b"}/' in.jsonl
start_canned '"b"=denied.http' good.http
go_with two.keys
assert_eq 1 "$STATUS" "exit code"
assert_served 29
assert_json results.jsonl 'map(select(.status != "ok")) | map([.id, .error.class])' '[["r3","model"]]'

t "money that is only spoken of"
start_canned q3#=uncharged.http good.http
go 40 two.keys
assert_served 39
assert_keys_good

t "too many at once, with a wait: it is kept to, whoever is under way"
http_answer slow.http "200 OK" "$(chat_body ok)"
sed -i '1s/^/@PAUSE@/' slow.http
start_canned slow.http slow.http slow.http busy.http good.http
go 20 one.keys --slots-per-key 4
assert_served 20
# the log's fifth request is the first behind the refusal
waited=$(awk 'NR == 4 {from = $1} NR == 5 {print $1 - from}' "$CANNED_LOG")
assert_true "the next request came $waited ms later" [ "$waited" -ge 2900 ]

for status in 409 424 425; do
    t "a conflict passes: $status"
    http_answer passing.http "$status Passing" '{"error":{"message":"come again"}}'
    start_canned good.http good.http passing.http good.http
    go 20 one.keys --slots-per-key 1
    assert_eq 0 "$STATUS" "exit code"
    assert_served 20
done
