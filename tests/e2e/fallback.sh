#!/bin/bash
# fallback.sh: providers in order of preference: who serves when, with which model, and every request
# counted at both ends.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# start A|B OPTIONS...: a simulator; A_URL and A_PID, or B's.
start() {
    local name=$1
    shift
    start_simulator "$@"
    eval "${name}_URL=\$SIM_URL ${name}_PID=\$SIM_PID"
}
stop() { # A|B
    local url=$1_URL pid=$1_PID
    SIM_URL=${!url} SIM_PID=${!pid}
    stop_simulator
}
stats() { # A|B FILTER
    local url=$1_URL
    curl -sS --max-time $((10 * SLOW)) "${!url}/stats" | jq -c "$2"
}
reset_stats() {
    curl -sS -X POST "$A_URL/stats/reset" >/dev/null
    curl -sS -X POST "$B_URL/stats/reset" >/dev/null
}
requests_of() { # PROVIDER: what the summary says of its keys
    jq "[.keys[] | select(.provider == \"$1\").requests] | add" summary.json
}
# groq is A, zai is B: what was sent, by the summary's account and by the simulators'.
assert_both_ledgers() {
    assert_eq "$(stats A .requests)" "$(requests_of groq)" "requests to groq"
    assert_eq "$(stats B .requests)" "$(requests_of zai)" "requests to zai"
    assert_json summary.json '.[0] | .attempts == ([.keys[].requests] | add)' true
    assert_eq "[0,0]" "[$(stats A .unknown_key),$(stats B .unknown_key)]" "strange keys"
}
all_ok() { # FILE N
    assert_lines "$1" "$2"
    assert_json "$1" 'map(select(.status == "ok")) | length' "$2"
    assert_json "$1" 'map(.text == "question \(.index + 1)") | all' true
}
who() { # FILE: rows by provider and model
    jq -s -c 'group_by(.provider) | map([.[0].provider, .[0].model, length])' "$1"
}
test_lines() { # FILE N: so many at least
    [ "$(wc -l <"$1")" -ge "$2" ]
}
# sends INPUT OUTPUT OPTIONS...: the options of a run over both.
sends() {
    SEND=("$1" -o "$2" --provider "groq,zai" --model "groq:quick,zai:ft:thorough:v2" --summary summary.json
        --base-url "groq=$A_URL/v1,zai=$B_URL/v1" "${@:3}")
}

start A --write-keys keys.env
GROQ_API_KEY=$(sed -n 's/^SIMULATE_API_KEY_[1-3]=//p' keys.env | paste -sd ,)
export GROQ_API_KEY ZAI_API_KEY=$GROQ_API_KEY
stop A
rows 60 >in.jsonl

t "all keys of the first are dead: the second serves everything"
start A --dead-key 1-3
start B
sends in.jsonl dead.jsonl
run_ok "${SEND[@]}"
all_ok dead.jsonl 60
assert_eq '[["zai","ft:thorough:v2",60]]' "$(who dead.jsonl)" "who served"
assert_json dead.jsonl 'map(.key | startswith("zai-")) | all' true
assert_eq 3 "$(stats A .requests)" "requests to the dead"
assert_both_ledgers
stop A

t "the first rests for long: the second serves meanwhile"
start A --fault 429=100% --retry-after 30s
reset_stats
sends in.jsonl rests.jsonl --max-retries 0
run_ok "${SEND[@]}"
all_ok rests.jsonl 60
assert_eq '[["zai","ft:thorough:v2",60]]' "$(who rests.jsonl)" "who served"
assert_eq 3 "$(stats A .rate_limited)" "refusals"
assert_json summary.json '.[0].elapsed_s < 20' true
assert_json summary.json '.[0].keys | map(select(.provider == "groq").state) | unique' '["rate_limited"]'
assert_json rests.jsonl 'map(.attempts) | add' 63
assert_both_ledgers

t "the first refuses again and again after short pauses: the second serves"
reset_stats
sends in.jsonl refuses.jsonl --cooldown 500ms --fallback-after 2s
run_ok "${SEND[@]}"
all_ok refuses.jsonl 60
assert_eq '[["zai","ft:thorough:v2",60]]' "$(who refuses.jsonl)" "who served"
assert_both_ledgers

t "with a longer --fallback-after the same pause is waited out"
start_slow() { # a pause of two seconds, once for each key
    stop A
    start A --rpm 60 --latency 5
    reset_stats
}
start_slow
rows 183 >more.jsonl # three more than the buckets of three keys hold
sends more.jsonl waits.jsonl --fallback-after 60s
run_ok "${SEND[@]}"
all_ok waits.jsonl 183
assert_eq '[["groq","quick",183]]' "$(who waits.jsonl)" "who served"
assert_eq 0 "$(stats B .requests)" "requests to the second"
assert_both_ledgers
start_slow
sends more.jsonl hurries.jsonl --fallback-after 0
run_ok "${SEND[@]}"
all_ok hurries.jsonl 183
assert_json hurries.jsonl 'map(select(.provider == "zai")) | length > 0' true
assert_both_ledgers

t "the first is merely busy: nothing goes to the second"
stop A
start A --latency 60
reset_stats
sends in.jsonl busy.jsonl
run_ok "${SEND[@]}"
all_ok busy.jsonl 60
assert_eq '[["groq","quick",60]]' "$(who busy.jsonl)" "who served"
assert_eq 0 "$(stats B .requests)" "requests to the second"
assert_both_ledgers

t "it comes back: the first serves again as soon as it can"
stop A
start A --fault 429=100% --retry-after 1s
reset_stats
rows 400 >long.jsonl
stop B
start B --latency 100
sends long.jsonl back.jsonl --fallback-after 100ms
background "$BATCH_RUN" "${SEND[@]}" --quiet
run_pid=$PID
wait_until 20 grep -q '"provider":"zai"' back.jsonl
port=${A_URL##*:}
stop A
background timeout $((LIMIT * SLOW * 5)) "$BATCH_RUN" simulate --port "$port" --quiet
# shellcheck disable=SC2034 # stop A reads it
A_PID=$PID
wait "$run_pid"
assert_eq 0 $? "exit code"
all_ok back.jsonl 400
assert_json back.jsonl 'map(select(.provider == "groq")) | length > 0' true
assert_json back.jsonl 'map(select(.provider == "zai")) | length > 0' true
stop B
start B

t "a row that names its provider goes there and nowhere else"
stop A
start A --dead-key 1-3
reset_stats
{
    rows 10
    rows 5 | jq -c '.provider = "groq"'
    rows 5 | jq -c '.provider = "zai" | .model = "own"'
} >named.jsonl
sends named.jsonl named.out
expect_exit 3 "$BATCH_RUN" "${SEND[@]}"
assert_contains "$ERR" 'no usable key is left for groq'
assert_lines named.out 15
assert_eq '[["zai","ft:thorough:v2",10],["zai","own",5]]' \
    "$(jq -s -c 'group_by(.model) | map([.[0].provider, .[0].model, length])' named.out)" "who served"
assert_both_ledgers
stop A
start A
reset_stats
sends named.jsonl named.out
run_ok "${SEND[@]}"
assert_lines named.out 20
assert_eq 5 "$(stats A .requests)" "requests to groq, which was left out before"
assert_eq 0 "$(stats B .requests)" "requests for rows that were done"

t "nobody of the order is left: exit code 3, and the same command goes on later"
stop A
stop B
start A --dead-key 1-3
start B --dead-key 1-3
reset_stats
sends long.jsonl none.jsonl
began=$(date +%s%N)
expect_exit 3 "$BATCH_RUN" "${SEND[@]}"
took=$((($(date +%s%N) - began) / 1000000))
assert_true "within two seconds ($took ms)" test $took -lt $((2000 * SLOW))
assert_contains "$ERR" 'no usable key is left for groq, zai'
assert_eq '[3,3]' "[$(stats A .requests),$(stats B .requests)]" "requests"
assert_both_ledgers
stop A
stop B
start A --dead-key 1-3
start B
sends long.jsonl none.jsonl
run_ok "${SEND[@]}"
all_ok none.jsonl 400

t "a line in one provider's own format skips those that cannot say it"
export ANTHROPIC_API_KEY=$GROQ_API_KEY
{
    echo '{"custom_id":"own","params":{"max_tokens":9,"messages":[{"role":"user","content":"five"}]}}'
    echo '{"id":"any","prompt":"six"}'
    echo '{"key":"foreign","request":{"contents":[]}}'
} >shapes.jsonl
expect_exit 1 "$BATCH_RUN" shapes.jsonl -o shapes.out --provider zai,anthropic \
    --base-url "zai=$B_URL/v1,anthropic=$B_URL/v1" --model anthropic:claude-x
assert_eq '[["any","zai",null],["foreign",null,"bad_input"],["own","anthropic",null]]' \
    "$(jq -s -c 'sort_by(.id) | map([.id, .provider, .error.class])' shapes.out)" "who served"
assert_json shapes.out 'map(select(.id == "own"))[0].model' '"claude-x"'

t "rows of a provider that rests do not keep others from their own"
stop A
start A --fault 429=100% --retry-after 20s
reset_stats
{ # more than there are credits, all for the one that rests
    rows 300 | jq -c '.provider = "groq"'
    rows 30 | jq -c '.id = "z" + .prompt[9:] | .provider = "zai"'
} >stuck.jsonl
background "$BATCH_RUN" stuck.jsonl -o stuck.out --provider groq,zai --base-url "groq=$A_URL/v1,zai=$B_URL/v1" --quiet
run_pid=$PID
assert_true "the others were answered while it rested" wait_until 8 \
    test_lines stuck.out 30
kill -INT "$run_pid"
wait "$run_pid"
assert_eq 130 $? "exit code"
assert_json stuck.out 'map(.provider) | unique' '["zai"]'
assert_lines stuck.out 30

t "stopped and started again over two providers: every row once"
stop A
stop B
start A --rpm 600 --latency 20
start B --latency 20
reset_stats
sends long.jsonl again.jsonl --fallback-after 0
background "$BATCH_RUN" "${SEND[@]}" --quiet
run_pid=$PID
wait_until 10 test_lines again.jsonl 20
kill -INT "$run_pid"
wait "$run_pid"
assert_eq 130 $? "exit code"
done_before=$(wc -l <again.jsonl)
assert_true "stopped on the way ($done_before)" test "$done_before" -lt 400
sent=$(($(stats A .requests) + $(stats B .requests)))
assert_eq "$sent" "$(jq .attempts summary.json)" "attempts of the first part"
run_ok "${SEND[@]}"
all_ok again.jsonl 400
assert_eq $(($(stats A .requests) + $(stats B .requests) - sent)) "$(jq .attempts summary.json)" \
    "attempts of the second part"
assert_eq 400 $(($(stats A .ok) + $(stats B .ok))) "answers"
