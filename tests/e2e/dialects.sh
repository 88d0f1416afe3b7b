#!/bin/bash
# dialects.sh: every provider of the catalogue, against the simulator that speaks its dialect: limits,
# dead keys, refusals and outages, and both sides count the same.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# Each on the path that its provider has.
PROVIDERS='openai /v1
anthropic /v1
google /v1beta
groq /openai/v1
mistral /v1
nvidia /v1
bigmodel /api/paas/v4
zai /api/paas/v4
k2think /api'

rows 60 >rows60.jsonl
rows 6 >rows6.jsonl

# start_provider PROVIDER BASE OPTIONS...: a simulator with three keys, and SEND: the words that send a
# run to it as to that provider.
start_provider() {
    local provider=$1 base=$2 variable=${1^^}_API_KEY
    shift 2
    start_simulator --dialect "$provider" --write-keys sim.env "$@"
    echo "$variable=$(sed -n 's/^SIMULATE_API_KEY_[1-3]=//p' sim.env | paste -sd ,)" >provider.env
    SEND=(--provider "$provider" --env-file provider.env --base-url "$SIM_URL$base" --overwrite -o out.jsonl
        --summary summary.json)
}

# Every row has its own answer, from the provider that was asked.
assert_all_ok() { # PROVIDER N
    assert_lines out.jsonl "$2"
    assert_json out.jsonl 'map(select(.status == "ok" and .text == .input.prompt)) | length' "$2"
    assert_json out.jsonl 'map(.provider) | unique' "[\"$1\"]"
    assert_json out.jsonl '[.[].index] | unique | length' "$2"
}

# The summary counts the requests that the simulator counted, for each key.
assert_counts() {
    sim_stats . >stats.json
    assert_eq "$(jq .requests stats.json)" "$(jq '.attempts + .sent_again' summary.json)" "attempts"
    assert_eq "$(jq -c '[.keys[].requests]' stats.json)" "$(jq -c '[.keys[] | .requests + .sent_again]' summary.json)" "requests"
    assert_json out.jsonl "(map(.attempts) | add) == $(jq .attempts summary.json)" true
    assert_json stats.json '.[0] | .requests == .ok + .failed + .rate_limited and .in_flight == 0' true
}

check_limits() { # PROVIDER BASE
    t "$1: one good key, one dead, one that always answers 429: every row is answered"
    start_provider "$1" "$2" --rpm 3000 --burst 30 --dead-key 2 --fault 429=1 --fault-key 3 --retry-after 400ms
    run_ok rows60.jsonl "${SEND[@]}" --max-retries 0
    assert_all_ok "$1" 60
    assert_counts
    assert_json summary.json '.[0].keys | map(.ok)' '[60,0,0]'
    assert_json summary.json '.[0].keys[1] | [.requests <= 2, .state, (.reason | type)]' '[true,"unavailable","string"]'
    assert_json stats.json '.[0].keys[2] | .requests >= 1 and .requests == .rate_limited' true
    stop_simulator
}

check_faults() { # PROVIDER BASE
    t "$1: keys that share a limit, failures and broken connections"
    start_provider "$1" "$2" --groups 1 --rpm 6000 --burst 40 --seed 7 --latency uniform:1ms-5ms \
        --fault 500=4%,503=3%,reset=3%,truncated=2%
    run_ok rows60.jsonl "${SEND[@]}" --max-retries 9
    assert_all_ok "$1" 60
    assert_counts
    assert_json summary.json '.[0].keys | map(.state != "unavailable") | all' true
    assert_json stats.json '.[0].groups | map([.group, .ok])' '[[1,60]]'
    stop_simulator
}

check_classes() { # PROVIDER BASE
    t "$1: failures of a row have their class"
    case $1 in
    anthropic) echo '{"custom_id":"bad","params":{"max_tokens":5,"messages":[]}}' ;;
    google) echo '{"key":"bad","request":{"contents":[]}}' ;;
    *) echo '{"custom_id":"bad","body":{"messages":[]}}' ;;
    esac >bad.jsonl
    start_provider "$1" "$2"
    expect_exit 1 "$BATCH_RUN" bad.jsonl "${SEND[@]}"
    assert_json out.jsonl 'map([.id, .provider, .error.class])' "[[\"bad\",\"$1\",\"invalid_request\"]]"
    # other accounts are asked where the words do not say that it is the request
    assert_json out.jsonl 'map(.attempts <= 3)' '[true]'
    assert_json out.jsonl 'map(.error.http_status == 400 or .error.http_status == 422)' '[true]'
    stop_simulator
    start_provider "$1" "$2" --fault 500=50% --seed 3
    expect_exit 1 "$BATCH_RUN" rows60.jsonl "${SEND[@]}" --max-retries 0
    assert_json out.jsonl 'map(select(.status == "error") | [.provider, .attempts >= 1, .error.class, .error.http_status]) | unique' \
        "[[\"$1\",true,\"server\",500]]"
    assert_counts
    stop_simulator
}

check_dead() { # PROVIDER BASE
    t "$1: when no key is accepted the run ends and says why"
    start_provider "$1" "$2" --dead-key 1-3
    expect_exit 3 "$BATCH_RUN" rows60.jsonl "${SEND[@]}"
    # a 403 whose words do not name the key is believed when another row is refused too
    assert_json summary.json '.[0].keys | map(.state == "unavailable" and .requests <= 2 and .ok == 0
        and (.reason | type) == "string") | all' true
    assert_eq "$([ "$1" = nvidia ] && echo 6 || echo 3)" "$(sim_stats .requests)" "requests"
    stop_simulator
}

while read -r provider base; do
    check_limits "$provider" "$base"
    check_faults "$provider" "$base"
    check_classes "$provider" "$base"
    check_dead "$provider" "$base"
done <<<"$PROVIDERS"

# A moment in which nothing works costs no key and no row.
check_outage() { # PROVIDER BASE KIND
    t "$1: an outage ($3) passes"
    start_provider "$1" "$2" --latency 20 --outage "50ms,200ms,$3"
    run_ok rows60.jsonl "${SEND[@]}"
    assert_all_ok "$1" 60
    assert_counts
    assert_json stats.json '.[0].failed >= 1' true
    assert_json summary.json '.[0].keys | map(.state != "unavailable") | all' true
    stop_simulator
}

check_outage openai /v1 503
check_outage anthropic /v1 overloaded
check_outage google /v1beta 500
check_outage groq /openai/v1 reset

t "limits that nobody tells are kept all the same"
start_provider openai /v1 --silent --rpm 3000 --burst 10
run_ok rows60.jsonl "${SEND[@]}" --max-retries 0 --cooldown 100ms
assert_all_ok openai 60
assert_counts
assert_json stats.json '.[0].early' 0
stop_simulator

t "a day's quota ends and the next begins"
start_provider groq /openai/v1 --rpd 10 --day 5s
run_ok rows60.jsonl --limit 36 "${SEND[@]}" --max-retries 0
assert_all_ok groq 36
assert_counts
assert_json stats.json '.[0].rate_limited <= 3' true
stop_simulator

t "what makes no sense is refused before anything listens"
for words in "--dialect cohere" "--groups 4" "--burst 5" "--rpd x" "--outage 2s" "--outage 1s,1s,stall" "--fault odd=1"; do
    # shellcheck disable=SC2086 # words
    expect_exit 2 "$BATCH_RUN" simulate --port 0 $words
    assert_contains "$ERR" "${words%% *}"
    assert_empty "$OUT"
done
