#!/bin/bash
# budget.sh: a run spends what it may and no more, says so, and goes on from there.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

# SEND ROWS OPTIONS...: to the simulator that runs, exit code in $STATUS
send() {
    local rows=$1
    shift
    run "$BATCH_RUN" "$rows" --provider simulate --base-url "$SIM_URL/v1" -o results.jsonl \
        --summary summary.json --cooldown 20ms --simulate "$KEYS" "$@"
}

KEYS=--keys=6 # of every simulator here, and of every run
rows 400 >in.jsonl

t "24 slots, refusals and failures: requests to the number"
start_simulator "$KEYS" --latency uniform:0ms-20ms --fault 429=15%,500=10%,reset=5% --seed 3
send in.jsonl --slots-per-key 4 --max-requests 150
assert_eq 3 "$STATUS" "exit code"
assert_eq 150 "$(sim_stats .requests)" "requests"
assert_ledger summary.json
assert_json summary.json '.[0].stopped' '"max-requests"'
assert_contains "$ERR" "--max-requests 150 is reached: 150 requests made; "
assert_match "$ERR" "[0-9]+ rows are left undone"

t "every result is whole, and the next run goes on with a budget of its own"
done_once=$(wc -l <results.jsonl)
assert_json results.jsonl 'map(select(.status == "ok") | .text == .input.prompt) | all' true
send in.jsonl --slots-per-key 4 --max-requests 100
assert_eq 3 "$STATUS" "exit code"
assert_eq 250 "$(sim_stats .requests)" "requests"
assert_true "more rows than before" [ "$(wc -l <results.jsonl)" -gt "$done_once" ]
send in.jsonl --slots-per-key 4 --max-retries 30
assert_eq 0 "$STATUS" "exit code"
assert_lines results.jsonl 400
assert_json results.jsonl 'map(.index) | sort' "$(jq -nc '[range(400)]')"
assert_json summary.json '.[0].stopped' null
stop_simulator

t "a budget that is just enough ends nothing early"
start_simulator "$KEYS"
send in.jsonl --overwrite --max-requests 400
assert_eq 0 "$STATUS" "exit code"
assert_lines results.jsonl 400
assert_not_contains "$ERR" "is reached"

t "one request"
send in.jsonl --overwrite --max-requests 1
assert_eq 3 "$STATUS" "exit code"
assert_lines results.jsonl 1
assert_eq 401 "$(sim_stats .requests)" "requests"
assert_contains "$ERR" "1 request made"
stop_simulator

# what the simulator took, input and output together
tokens_taken() {
    sim_stats '[.keys[] | .input_tokens + .output_tokens] | add'
}

for bound in '' ',"max_tokens":40'; do
    t "24 slots: tokens never above${bound:+, with bounded answers}"
    start_simulator "$KEYS" --latency uniform:0ms-20ms --fault 429=15%,500=10% --seed 4 --reply words:60
    seq 1 600 | sed "s/.*/{\"prompt\":\"question & of many\"$bound}/" >tokens.jsonl
    send tokens.jsonl --overwrite --slots-per-key 4 --max-tokens-total 10000
    assert_eq 3 "$STATUS" "exit code"
    assert_true "at most 10000 tokens: $(tokens_taken)" [ "$(tokens_taken)" -le 10000 ]
    assert_true "most of it used: $(tokens_taken)" [ "$(tokens_taken)" -ge 9000 ]
    assert_ledger summary.json
    assert_json summary.json '.[0].stopped' '"max-tokens-total"'
    assert_contains "$ERR" "--max-tokens-total 10000 is reached: $(tokens_taken) tokens taken"
    stop_simulator
done

t "a row too large for the whole budget does not keep the others from theirs"
start_simulator "$KEYS"
{
    printf '{"prompt":"%s"}\n' "$(head -c 100000 /dev/zero | tr '\0' x)"
    rows 5
} >mixed.jsonl
send mixed.jsonl --overwrite --max-tokens-total 5000
assert_eq 3 "$STATUS" "exit code"
assert_lines results.jsonl 5
assert_contains "$ERR" "; 1 row is left undone"
assert_json summary.json '.[0].stopped' '"max-tokens-total"'

t "a budget that no row fits into sends nothing"
send in.jsonl --overwrite --max-tokens-total 10
assert_eq 3 "$STATUS" "exit code"
assert_contains "$ERR" "too little to send a row"
assert_contains "$ERR" "run again with more to go on"
assert_eq 5 "$(sim_stats .requests)" "requests"
assert_empty results.jsonl
stop_simulator

t "too many failures stop the run"
start_simulator "$KEYS" --fault 500=30% --seed 5
send in.jsonl --overwrite --max-retries 0 --stop-on-error-rate 20%
assert_eq 3 "$STATUS" "exit code"
assert_true "soon" [ "$(wc -l <results.jsonl)" -lt 100 ]
assert_contains "$ERR" "--stop-on-error-rate 20% is reached: "
assert_json summary.json '.[0].stopped' '"stop-on-error-rate"'

t "fewer failures do not"
send in.jsonl --overwrite --max-retries 0 --stop-on-error-rate 60%
assert_eq 1 "$STATUS" "exit code"
assert_lines results.jsonl 400
stop_simulator

t "refusals for rate and bad rows are no failures"
start_simulator "$KEYS" --fault 429=40% --seed 6
{ rows 60; seq 1 60 | sed 's/.*/not JSON/'; } >bad.jsonl
send bad.jsonl --overwrite --stop-on-error-rate 5%
assert_eq 1 "$STATUS" "exit code"
assert_lines results.jsonl 120
stop_simulator

t "a run whose last rows were too many failures is a finished run"
http_answer never.http "400 Bad Request" '{"error":{"message":"never"}}'
start_canned never.http
rows 20 >twenty.jsonl
expect_exit 1 "$BATCH_RUN" twenty.jsonl "${CANNED[@]}" -o failed.jsonl --stop-on-error-rate 50%
assert_lines failed.jsonl 20

t "nonsense is named"
for value in 20 0% 120% 20%/0 soon; do
    expect_exit 2 "$BATCH_RUN" in.jsonl --provider simulate --stop-on-error-rate "$value"
    assert_contains "$ERR" "--stop-on-error-rate"
done
