#!/bin/bash
# memory.sh: what a run knows of its keys is there for the next one: use of stated limits, cool-downs, keys that
# are out; also after a kill, and between runs at the same time.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

unset BATCH_RUN_NO_MEMORY
export XDG_STATE_HOME=$WORK/state
POOL=$WORK/state/batch-run/pool.json
rows 60 >in.jsonl
chat_answer good.http fine
http_answer 401.http "401 Unauthorized" '{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}'
http_answer 429.http "429 Too Many Requests" '{"error":{"message":"Rate limit reached, please wait","type":"requests","code":"rate_limit_exceeded"}}' "Retry-After: 3600"
ONE=canned-secret-number-one

# until_quiet OPTIONS...: a run that is stopped once no request has come for a second.
until_quiet() {
    "$BATCH_RUN" in.jsonl "${CANNED[@]}" -m m --quiet -o out.jsonl "$@" 2>>quiet.err &
    local pid=$! before=-1
    while [ "$before" != "$(canned_requests)" ]; do
        before=$(canned_requests)
        sleep 1
    done
    kill -INT $pid 2>/dev/null
    wait $pid
}
forget() {
    rm -rf "$WORK/state" out.jsonl
}

t "what was used today counts for the next run"
start_canned good.http
until_quiet --rpd 5
assert_eq 10 "$(canned_requests)" "requests of the first run"
until_quiet --rpd 5
assert_eq 10 "$(canned_requests)" "requests of both"
until_quiet --rpd 7
assert_eq 14 "$(canned_requests)" "requests with a higher limit"
until_quiet --rpd 5 --no-memory
assert_eq 24 "$(canned_requests)" "requests without memory"

t "tokens too, as they were told"
forget
start_canned good.http
until_quiet --tpd 9 --max-tokens 1
first=$(canned_requests)
until_quiet --tpd 9 --max-tokens 1
assert_eq "$first" "$(canned_requests)" "requests"

t "and what was used in the last minute"
forget
start_canned good.http
until_quiet --rpm 6
until_quiet --rpm 6
assert_eq 12 "$(canned_requests)" "requests of both"

t "a group's limit is kept by the use of its keys"
forget
start_canned good.http
cat >pool.json <<END
{"providers": {"openai": {"base_url": "$CANNED_URL/v1",
  "groups": {"team": {"limits": {"rpd": 6}}},
  "keys": [{"key": "$ONE", "group": "team"}, {"key": "canned-secret-number-two", "group": "team"}]}}}
END
CANNED=(--provider openai --keys pool.json)
until_quiet
assert_eq 6 "$(canned_requests)" "requests of the first run"
until_quiet
assert_eq 6 "$(canned_requests)" "requests of both"

t "kill -9 in each of three runs, faults mixed in: never more than is stated"
forget
http_answer 500.http "500 Internal Server Error" '{"error":{"message":"oops"}}'
start_canned 'canned%20=500.http' 'canned%10=reset' good.http
for after in 0.05 0.1 0.2; do
    "$BATCH_RUN" in.jsonl "${CANNED[@]}" -m m --quiet -o out.jsonl --rpm 12 --rpd 15 --max-retries 50 &
    pid=$!
    sleep $after
    kill -9 $pid
    wait $pid 2>/dev/null
done
assert_true "a run was killed with a journal" compgen -G "$WORK/state/batch-run/use-*.log"
until_quiet --rpm 12 --rpd 15
assert_true "at most 12 for each key: $(canned_requests)" test "$(canned_requests)" -le 24
assert_true "nearly all that is stated: $(canned_requests)" test "$(canned_requests)" -ge 16
assert_true "no journal is left" eval '! compgen -G "$WORK/state/batch-run/use-*.log"'

t "two runs at the same time share what is stated"
forget
start_canned good.http
"$BATCH_RUN" in.jsonl "${CANNED[@]}" -m m --quiet -o other.jsonl --rpd 10 --slots 1 &
pid=$!
wait_until 10 eval '[ "$(canned_requests)" -ge 20 ]'
until_quiet --rpd 10
kill -INT $pid
wait $pid
assert_eq 20 "$(canned_requests)" "requests of both"

t "a key that rests is not asked by the next run"
forget
start_canned "$ONE=429.http" good.http
run_ok in.jsonl "${CANNED[@]}" -m m --limit 10 -o out.jsonl
asked=$(grep -c "$ONE" "$CANNED_LOG")
run_ok in.jsonl "${CANNED[@]}" -m m -o out.jsonl --summary summary.json
assert_eq "$asked" "$(grep -c "$ONE" "$CANNED_LOG")" "requests with the key that rests"
assert_json summary.json '.[0].keys[0] | [.requests, .state, (.reason | test("Rate limit reached"))]' '[0,"rate_limited",true]'
assert_json summary.json '.[0].keys[0].cooling_until | fromdateiso8601? // (.[0:19] + "Z" | fromdateiso8601) | . - now > 3000' true

t "it rests for that model only"
run_ok in.jsonl "${CANNED[@]}" -m another --limit 10 -o another.jsonl
assert_true "it was asked for another model" test "$(grep -c "$ONE" "$CANNED_LOG")" -gt "$asked"

t "a key that is not accepted stays out, and why is said"
forget
start_canned "$ONE=401.http" good.http
run_ok in.jsonl "${CANNED[@]}" -m m --limit 10 -o out.jsonl
asked=$(grep -c "$ONE" "$CANNED_LOG")
run_ok in.jsonl "${CANNED[@]}" -m m -o out.jsonl --summary summary.json --log-level info
assert_eq "$asked" "$(grep -c "$ONE" "$CANNED_LOG")" "requests with the key that is out"
assert_contains "$ERR" "stays out since an earlier run"
assert_json summary.json '.[0].keys[0] | [.requests, .state, (.reason | test("Incorrect API key"))]' '[0,"unavailable",true]'

t "at another address it is asked"
start_canned "$ONE=401.http" good.http
run_ok in.jsonl "${CANNED[@]}" -m m -o out.jsonl --overwrite
assert_true "it was asked" grep -q "$ONE" "$CANNED_LOG"

t "where all keys are out they are asked once more: the user may have mended something"
forget
start_canned 401.http 401.http good.http
expect_exit 3 "$BATCH_RUN" in.jsonl "${CANNED[@]}" -m m -o out.jsonl
run_ok in.jsonl "${CANNED[@]}" -m m -o out.jsonl
assert_lines out.jsonl 60

t "no secret is in the files, and nobody else may read them"
assert_eq 0 "$(grep -rc canned-secret "$WORK/state" | awk -F: '{ n += $2 } END { print n + 0 }')" "secrets"
assert_eq 600 "$(stat -c %a "$POOL")" "mode"

t "a damaged file begins anew; one that cannot be written is a warning, once"
echo '{"version":1,"keys":{"x":[' >"$POOL"
run_ok in.jsonl "${CANNED[@]}" -m m -o out.jsonl --overwrite
assert_eq 1 "$(jq .version "$POOL")" "version"
rm -rf "$WORK/state"
: >"$WORK/state"
run_ok in.jsonl "${CANNED[@]}" -m m -o out.jsonl --overwrite
assert_eq 1 "$(grep -c 'is not remembered' "$ERR")" "warnings"
