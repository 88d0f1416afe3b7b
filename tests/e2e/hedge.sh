#!/bin/bash
# hedge.sh: near the end the slowest requests are sent twice, the first answer counts, and the books
# are right.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

rows 200 >in.jsonl
KEYS=--keys=6

# send OPTIONS...: all rows, to the simulator that runs
send() {
    run "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" --simulate "$KEYS" \
        -o results.jsonl --overwrite --summary summary.json "$@"
}

# One line a row with its own answer, and as many requests as the provider counted for each key.
check_books() {
    wait_until 10 eval '[ "$(sim_stats .in_flight)" = 0 ]'
    assert_lines results.jsonl 200
    assert_json results.jsonl 'map(.index) | sort' "$(jq -nc '[range(200)]')"
    assert_json results.jsonl 'map(select(.status == "ok") | .text == .input.prompt) | all' true
    assert_json results.jsonl 'map(.attempts) | add' "$(jq .attempts summary.json)"
    assert_eq "$(sim_stats '[.keys[] | {key, requests}] | sort_by(.key)')" \
        "$(jq -c '[.keys[] | {key, requests: (.requests + .sent_again)}] | sort_by(.key)' summary.json)" "requests of the keys"
    assert_json summary.json '.[0] | .attempts == ([.keys[].requests] | add)' true
}

t "a key that hangs holds nothing up"
start_simulator "$KEYS" --latency 20 --fault hang=100% --fault-key 2
send --timeout 40s --hedge 5%
assert_eq 0 "$STATUS" "exit code"
check_books
assert_json summary.json '.[0] | .elapsed_s < 20' true
# one hangs; on a busy machine others may seem slow too
assert_json summary.json '.[0] | .hedge.copies >= 1 and .hedge.won >= 1 and .attempts == 200 + .hedge.copies' true
assert_eq "$(jq .hedge.copies summary.json)" "$(jq -s 'map(select(.attempts == 2)) | length' results.jsonl)" "copied rows"
assert_json results.jsonl 'map(.key != "simulate-2") | all' true
assert_json results.jsonl 'map(.latency_ms < 20000) | all' true
assert_json summary.json '.[0].jobs.ok == ([.[0].keys[].ok] | add)' true
assert_match "$ERR" "[0-9]+ cop(y|ies) \([0-9]+ answered first\)"
stop_simulator

t "without --hedge nothing is sent twice"
start_simulator "$KEYS" --latency 20 --fault slow=100% --fault-key 2
send
assert_eq 0 "$STATUS" "exit code"
assert_json summary.json '.[0] | .attempts == 200 and (has("hedge") | not)' true

t "the slow one may still be the first: both are counted"
send --hedge 5%
assert_eq 0 "$STATUS" "exit code"
assert_json summary.json '.[0] | .hedge.copies >= 1 and .attempts == 200 + .hedge.copies' true
stop_simulator

t "a long tail: copies stay within the share, and the lines are whole"
start_simulator "$KEYS" --latency lognormal:30ms,1.2 --seed 7
for share in 3% 10% 100%; do
    curl -sS -X POST --max-time 10 "$SIM_URL/stats/reset" >/dev/null
    send --slots-per-key 4 --hedge "$share" --stream
    assert_eq 0 "$STATUS" "exit code"
    check_books
    assert_json summary.json ".[0].hedge | .copies <= ${share%\%} * 2 and .won <= .copies" true
done
assert_json summary.json '.[0].hedge.copies > 0' true
stop_simulator

t "copies that fail do not fail the row, and none gets two"
start_simulator "$KEYS" --latency lognormal:30ms,1.2 --fault 500=20%,reset=5% --seed 8
send --slots-per-key 4 --hedge 100% --max-retries 30
assert_eq 0 "$STATUS" "exit code"
check_books
stop_simulator

t "nobody else to ask: keys of one account get no copies"
start_simulator "$KEYS" --latency 20 --fault slow=100% --fault-key 2
printf '{"providers":{"simulate":{"keys":[' >pool.json
"$BATCH_RUN" simulate --port 0 "$KEYS" --write-keys keys.env --quiet >.other &
other=$!
wait_until 10 test -s keys.env
kill "$other"
sed -n 's/^[A-Z_0-9]*=//p' keys.env | tr ',' '\n' |
    sed 's/.*/{"key":"&","group":"one"}/' | paste -sd, >>pool.json
printf ']}}}' >>pool.json
run "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" --keys pool.json -o results.jsonl \
    --overwrite --summary summary.json --hedge 5%
assert_eq 0 "$STATUS" "exit code"
assert_json summary.json '.[0].hedge.copies' 0
stop_simulator

t "off while a key cools"
start_simulator "$KEYS" --latency lognormal:30ms,1.2 --seed 7 --fault 429=100% --fault-key 3 --retry-after 60s
send --slots-per-key 4 --hedge 100%
assert_eq 0 "$STATUS" "exit code"
assert_json summary.json '.[0].hedge.copies' 0
stop_simulator

t "copies keep to the budget"
start_simulator "$KEYS" --latency 20 --fault slow=100% --fault-key 2
send --hedge 5% --max-requests 200
assert_eq 0 "$STATUS" "exit code"
assert_eq 200 "$(sim_stats .requests)" "requests"
assert_json summary.json '.[0].hedge.copies' 0
stop_simulator
