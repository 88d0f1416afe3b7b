#!/bin/bash
# threads.sh: with several threads that carry requests everything is as with one: each row once, the
# books, the order of keys, copies, streams, stops and kills.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

ROWS=400
MODE_IS_TSAN=$([ "${MODE:-release}" = tsan ] && echo 1 || echo 0)
rows $ROWS >in.jsonl

# send OPTIONS...: all rows over three threads, to the simulator that runs
send() {
    run "$BATCH_RUN" in.jsonl --threads 3 --provider simulate --base-url "$SIM_URL/v1" -o results.jsonl \
        --overwrite --summary summary.json "$@"
}

# One line a row with its own answer, and the sums agree.
check_rows() {
    assert_lines results.jsonl $ROWS
    assert_json results.jsonl 'map(.index) | sort' "$(jq -nc "[range($ROWS)]")"
    assert_json results.jsonl 'map(select(.status == "ok") | .text == .input.prompt) | all' true
    assert_json results.jsonl 'map(.attempts) | add' "$(jq .attempts summary.json)"
    assert_json results.jsonl '[map(select(.status == "ok")), map(select(.status != "ok"))] | map(length)' \
        "$(jq -c '[.jobs.ok, .jobs.failed]' summary.json)"
}

t "few keys take turns as with one thread"
rows 1319 >turns.jsonl
start_simulator --keys 3
run_ok turns.jsonl --threads 3 --provider simulate --base-url "$SIM_URL/v1" -o turns.results.jsonl
assert_json turns.results.jsonl 'group_by(.key) | map(length) | sort' '[439,440,440]'
stop_simulator

t "the threads are there"
start_simulator --keys 3 --latency 40
background "$BATCH_RUN" in.jsonl --threads 3 --provider simulate --base-url "$SIM_URL/v1" -o results.jsonl \
    --summary summary.json
run_pid=$PID
# main, reader, loop, writer and two more
assert_true "six threads" wait_until 10 eval '[ "$(ls /proc/$run_pid/task | wc -l)" = 6 ]'
wait "$run_pid"
assert_eq 0 $? "exit code"
check_rows
assert_ledger summary.json
stop_simulator

for slots in 1 4 20; do
    t "whatever goes wrong, the books are right: $slots a key"
    start_simulator --seed "$slots" --latency uniform:0ms-4ms \
        --fault 429=6%,500=4%,503=3%,reset=4%,truncated=4%,malformed=4%,html=3%,empty=3%
    send --max-retries 1 --slots-per-key "$slots" --cooldown 20ms
    assert_true "exit code $STATUS" test "$STATUS" -le 1
    check_rows
    assert_ledger summary.json
    stop_simulator
done

t "streams, each put together where it came"
start_simulator --keys 3 --fault reset=5%,truncated=5% --seed 5
send --stream --slots-per-key 8 --max-retries 20
assert_eq 0 "$STATUS" "exit code"
check_rows
assert_json results.jsonl 'map(.ttft_ms > 0) | all' true
assert_ledger summary.json
stop_simulator

t "a key that hangs: the copy's answer is taken, the other request is broken off"
start_simulator --keys 6 --latency 20 --fault hang=100% --fault-key 2
send --simulate '--keys 6' --timeout 40s --hedge 5%
assert_eq 0 "$STATUS" "exit code"
check_rows
assert_json summary.json '.[0] | .elapsed_s < 20 and .hedge.won >= 1' true
assert_json results.jsonl 'map(.key != "simulate-2") | all' true
stop_simulator

t "copies of many, streamed"
start_simulator --keys 6 --latency lognormal:30ms,1.2 --seed 7
send --simulate '--keys 6' --slots-per-key 4 --hedge 100% --stream
assert_eq 0 "$STATUS" "exit code"
check_rows
wait_until 10 eval '[ "$(sim_stats .in_flight)" = 0 ]'
assert_eq "$(sim_stats '[.keys[] | {key, requests}] | sort_by(.key)')" \
    "$(jq -c '[.keys[] | {key, requests}] | sort_by(.key)' summary.json)" "requests of the keys"
assert_json summary.json '.[0].hedge.copies > 0' true
stop_simulator

t "a row that cannot be sent costs no request"
printf '%s\n' '{"custom_id":"bad","url":"/v1/chat completions","body":{"messages":[{"role":"user","content":"x"}]}}' \
    '{"prompt":"good"}' >odd.jsonl
start_simulator --keys 3
expect_exit 1 "$BATCH_RUN" odd.jsonl --threads 3 --provider simulate --base-url "$SIM_URL/v1" -o - --summary odd.json
assert_json "$OUT" 'sort_by(.index) | map([.error.class, .attempts, .key == null])' \
    '[["bad_input",0,true],[null,1,false]]'
assert_eq 1 "$(sim_stats .requests)" "requests"
assert_json odd.json '.[0].attempts' 1

t "no more threads than slots, and requests keep to a budget"
send --threads 16 --slots 2 --max-requests 100
assert_eq 3 "$STATUS" "exit code"
assert_eq 101 "$(sim_stats .requests)" "requests"
assert_lines results.jsonl 100
stop_simulator

t "nobody asks for threads: one, as long as that is enough"
start_simulator --keys 3 --latency 10
background "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o results.jsonl --overwrite \
    --summary summary.json
run_pid=$PID
most=0
while now=$(find "/proc/$run_pid/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l) && [ "$now" != 0 ]; do
    [ "$now" -gt "$most" ] && most=$now
    sleep 0.1
done
wait "$run_pid"
assert_eq 0 $? "exit code"
# ThreadSanitizer has one of its own
assert_eq $((MODE_IS_TSAN + 4)) "$most" "main, reader, loop and writer"
check_rows
assert_ledger summary.json
stop_simulator

t "the first signal waits for what is in flight, the second breaks it off on all threads"
start_simulator --keys 3 --latency 2s
background "$BATCH_RUN" in.jsonl --threads 3 --provider simulate --base-url "$SIM_URL/v1" -o stopped.jsonl \
    --slots-per-key 10 --summary stopped.json
run_pid=$PID
wait_until 10 eval '[ "$(sim_stats .in_flight)" -ge 30 ]'
kill -INT "$run_pid"
wait_until 10 grep -q stopping "$BG_ERR"
sleep 0.6 # sooner is the same wish
kill -INT "$run_pid"
wait "$run_pid"
assert_eq 130 $? "exit code"
assert_json stopped.jsonl 'length < 400' true
assert_json stopped.json '.[0] | .attempts == ([.keys[].requests] | add)' true
stop_simulator

t "killed often, each row is there once"
start_simulator --keys 3 --latency uniform:60ms-100ms
: >results.jsonl
rm -f results.jsonl.inflight
kill_often 5 300 results.jsonl "$BATCH_RUN" in.jsonl --threads 3 --provider simulate --base-url "$SIM_URL/v1" \
    -o results.jsonl --slots-per-key 4 --quiet
assert_true "it was killed" test "$KILLED" -ge 1
run_ok in.jsonl --threads 3 --provider simulate --base-url "$SIM_URL/v1" -o results.jsonl
assert_lines results.jsonl $ROWS
assert_json results.jsonl 'map(.index) | sort' "$(jq -nc "[range($ROWS)]")"
assert_json results.jsonl 'map(.status == "ok" and .text == .input.prompt) | all' true
repeated=$(($(sim_stats .requests) - ROWS))
assert_true "$repeated calls were repeated after $KILLED kills" test $repeated -le $((KILLED * 12))
stop_simulator

t "over TLS"
openssl req -x509 -newkey rsa:2048 -nodes -keyout own.key -out own.pem -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 2>/dev/null || fail "openssl makes no certificate"
background "$TOOLS/https" own.pem own.key https.log
url=$(wait_for_url "$BG_OUT") || exit 1
echo tls-test-secret-key >keys
rows 60 >many.jsonl
run_ok many.jsonl --threads 3 --provider openai --keys keys --base-url "$url/v1" -o - --cacert own.pem --slots-per-key 6
assert_json "$OUT" 'map(select(.text == "over TLS")) | length' 60

t "a number of threads that is none"
for number in 0 17 many; do
    expect_exit 2 "$BATCH_RUN" in.jsonl --threads $number --provider simulate
    assert_contains "$ERR" --threads
done
