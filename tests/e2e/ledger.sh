#!/bin/bash
# ledger.sh: whatever goes wrong, the summary says what the provider counted, and every row has one line.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

ROWS=400
rows $ROWS >in.jsonl

# check_run FILE: one line a row, and the lines agree with the summary.
check_run() {
    assert_lines "$1" $ROWS
    assert_json "$1" 'map(.index) | sort' "$(jq -nc "[range($ROWS)]")"
    assert_json "$1" 'map(.id == "\(.index + 1)") | all' true
    assert_json "$1" 'map(select(.status == "ok") | .text == .input.prompt) | all' true
    assert_json "$1" "map(.attempts) | add" "$(jq .attempts summary.json)"
    assert_json summary.json '.[0].jobs | .total == .ok + .failed + .skipped' true
    assert_json "$1" '[map(select(.status == "ok")), map(select(.status != "ok"))] | map(length)' \
        "$(jq -c '[.jobs.ok, .jobs.failed]' summary.json)"
    assert_json "$1" 'map(select(.status == "ok").usage.input_tokens) | add // 0' "$(jq .tokens.input summary.json)"
    assert_json "$1" 'map(select(.status == "ok").usage.output_tokens) | add // 0' "$(jq .tokens.output summary.json)"
    # a key's ok results are as many as it says
    assert_json "$1" 'map(select(.status == "ok")) | group_by(.key) | map("\(.[0].key) \(length)")' \
        "$(jq -c '[.keys | sort_by(.key)[] | select(.ok > 0) | "\(.key) \(.ok)"]' summary.json)"
}

# mix NAME RETRIES SLOTS SIMULATOR-OPTIONS...
mix() {
    local name=$1 retries=$2 slots=$3 code
    shift 3
    t "$name, $slots a key, --max-retries $retries"
    start_simulator "$@"
    run "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" --overwrite -o results.jsonl \
        --summary summary.json --max-retries "$retries" --slots-per-key "$slots" --timeout 20s --cooldown 20ms
    code=$([ "$(jq .jobs.failed summary.json)" = 0 ] && echo 0 || echo 1)
    assert_eq "$code" "$STATUS" "exit code"
    assert_ledger summary.json
    check_run results.jsonl
    stop_simulator
}

mix "no faults" 5 1
mix "no faults" 5 7
mix "refusals" 0 3 --fault 429=30% --retry-after 20ms --seed 2
mix "server errors" 1 2 --fault 500=10%,503=10% --seed 3
mix "broken connections" 1 5 --fault reset=15%,truncated=15% --seed 4
mix "bad answers" 0 4 --fault malformed=8%,html=8%,empty=8% --seed 5
for seed in 6 7 8; do
    mix "everything, seed $seed" 1 $((seed - 5)) --seed $seed --latency uniform:0ms-4ms \
        --fault 429=6%,500=4%,503=3%,reset=4%,truncated=4%,malformed=4%,html=3%,empty=3%
    mix "everything without retries, seed $seed" 0 20 --seed $seed --keys 3 \
        --fault 429=6%,500=4%,503=3%,reset=4%,truncated=4%,malformed=4%,html=3%,empty=3%
done
mix "a concurrency limit below the slots" 0 6 --concurrency 2 --latency 2
mix "a dead key" 2 2 --dead-key 3 --fault 500=5%
mix "slow answers" 0 20 --fault slow=0.5% --seed 9

t "an attempt that times out here is counted once on both sides"
start_simulator --latency 3s
rows 6 >few.jsonl
expect_exit 3 "$BATCH_RUN" few.jsonl --provider simulate --base-url "$SIM_URL/v1" -o few.results.jsonl \
    --summary summary.json --max-retries 0 --timeout 300ms --outage-patience 1s
assert_json summary.json '.[0].errors | keys' '["timeout"]'
wait_until 10 eval '[ "$(sim_stats .in_flight)" = 0 ]'
assert_ledger summary.json
stop_simulator

t "what is resumed is not counted again, and the sums of both runs are the simulator's"
start_simulator --fault 500=10% --seed 11
run "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o twice.jsonl --summary one.json --max-retries 0
assert_eq 1 "$STATUS" "exit code"
run "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o twice.jsonl --summary two.json --max-retries 9
assert_eq 0 "$STATUS" "exit code"
assert_lines twice.jsonl $ROWS
assert_eq "$(sim_stats .requests)" "$(jq -s 'map(.attempts) | add' one.json two.json)" "requests"
assert_eq "$(jq .jobs.ok one.json)" "$(jq .jobs.skipped two.json)" "skipped"
assert_eq $ROWS "$(jq .jobs.total two.json)" "total"

t "the embedded simulator's run adds up too"
run_ok in.jsonl --provider simulate --simulate '--fault 429=10%,500=5%,reset=5% --retry-after 10ms --seed 4' \
    --overwrite -o results.jsonl --summary summary.json --max-retries 9
check_run results.jsonl
assert_json summary.json '.[0] | .attempts == ([.keys[].requests] | add)' true

t "the latencies are what the requests took"
start_simulator --latency 80
run_ok few.jsonl --provider simulate --base-url "$SIM_URL/v1" -o latency.jsonl --summary summary.json
assert_json latency.jsonl 'map(.latency_ms >= 80 and .latency_ms < 5000) | all' true
assert_json summary.json '.[0].latency_ms | .p50 >= 79 and .max >= .p99 and .p99 >= .p95 and .p95 >= .p90 and .p90 >= .p50' true
assert_json latency.jsonl 'map(.started_at | test("^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z$")) | all' true

t "cached tokens add up over rows and keys"
http_answer cached.http "200 OK" "$(chat_body ok | sed 's/"total_tokens":3/"total_tokens":3,"prompt_tokens_details":{"cached_tokens":7}/')"
start_canned cached.http
rows 4 >four.jsonl
run_ok four.jsonl "${CANNED[@]}" -o cached.jsonl --summary summary.json
assert_json summary.json '.[0] | [.tokens.cached_tokens, (.keys | map(.cached_tokens) | add)]' '[28,28]'
assert_contains "$ERR" '28 cached'
