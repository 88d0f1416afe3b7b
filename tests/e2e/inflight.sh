#!/bin/bash
# inflight.sh: what was out when a run ended is told by the next one, and sent again under its old
# idempotency key.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

rows 60 >in.jsonl

# Starts a run whose 24 requests are not answered, as RUN, and waits until they are out.
start_stuck() {
    background "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o out.jsonl --slots-per-key 8 \
        --log-level info --progress off
    RUN=$PID RUN_ERR=$BG_ERR
    wait_until 20 eval '[ "$(sim_stats .in_flight)" = 24 ]' || fail "24 requests do not get there"
}

# Whoever has gone is no longer counted as in flight.
forget_stuck() {
    stop_simulator
    start_simulator --latency 600s
}

start_simulator --latency 600s --idempotency

t "killed with 24 in flight: the file remembers them, without a secret, for nobody else"
start_stuck
kill_9 "$RUN"
assert_true "there is a file" test -f out.jsonl.inflight
assert_eq 600 "$(stat -c %a out.jsonl.inflight)" "mode"
assert_not_contains out.jsonl.inflight sim-key
assert_not_contains out.jsonl.inflight question

t "the next run says so, and a second crash forgets nothing"
forget_stuck
start_stuck
assert_match "$RUN_ERR" '^warning: out.jsonl: 24 rows may be paid twice: .*--log-level info lists them'
assert_eq 24 "$(grep -c '^info: row' "$RUN_ERR")" "rows listed"
assert_match "$RUN_ERR" '^info: row "17" \(line 17\): sent 20[0-9-]+T[0-9:.]+Z with the key simulate-[1-3] and an idempotency key, 1 attempt unanswered'
kill_9 "$RUN"

t "so is what a second signal breaks off"
forget_stuck
start_stuck
assert_match "$RUN_ERR" '^info: row "17" .* 2 attempts unanswered'
kill -INT "$RUN"
wait_until 10 grep -q 'waiting for 24' "$RUN_ERR"
sleep 0.6 # sooner is the same wish
kill -INT "$RUN"
wait "$RUN"
assert_eq 130 $? "exit code"
stop_simulator
start_simulator
SEND=(in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o out.jsonl --log-level info --quiet)
run_ok "${SEND[@]}" --limit 10
assert_match "$ERR" '24 rows may be paid twice'
assert_match "$ERR" '^info: row "17" .* 3 attempts unanswered'

t "what was answered since is told no more; at the end there is no file"
run_ok "${SEND[@]}"
assert_match "$ERR" '14 rows may be paid twice'
assert_lines out.jsonl 60
assert_true "no file is left" test ! -e out.jsonl.inflight
run_ok "${SEND[@]}"
assert_not_contains "$ERR" "paid twice"
assert_true "no file is left" test ! -e out.jsonl.inflight
stop_simulator

t "a row that the input no longer has is told once"
start_simulator --latency 600s
rm out.jsonl
start_stuck
kill_9 "$RUN"
stop_simulator
head -n 3 in.jsonl >few.jsonl
run_ok few.jsonl --provider simulate -o out.jsonl --quiet
assert_match "$ERR" '24 rows may be paid twice'
assert_true "no file is left" test ! -e out.jsonl.inflight

t "--overwrite forgets"
start_simulator --latency 600s
rm out.jsonl
start_stuck
kill_9 "$RUN"
stop_simulator
run_ok in.jsonl --provider simulate -o out.jsonl --quiet --overwrite
assert_not_contains "$ERR" "paid twice"
assert_true "no file is left" test ! -e out.jsonl.inflight

t "the first signal leaves nothing in doubt"
start_simulator --latency 1s
background "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o drained.jsonl --progress off
wait_until 10 eval '[ "$(sim_stats .in_flight)" = 3 ]'
kill -INT "$PID"
wait "$PID"
assert_eq 130 $? "exit code"
assert_true "no file is left" test ! -e drained.jsonl.inflight
stop_simulator

t "a file of that name that is none is left alone"
echo "dear diary" >diary.jsonl.inflight
cp diary.jsonl.inflight before
expect_exit 2 "$BATCH_RUN" in.jsonl --provider simulate -o diary.jsonl
assert_contains "$ERR" "diary.jsonl.inflight"
expect_exit 2 "$BATCH_RUN" in.jsonl --provider simulate -o diary.jsonl --overwrite
assert_same before diary.jsonl.inflight

t "without room for it the run goes on, with a warning"
if run_on_disk 32k '
    head -c 20000 /dev/zero >disk/filler
    "$BATCH_RUN" few.jsonl --provider simulate -o disk/out.jsonl --no-input --quiet
    status=$?
    cp disk/out.jsonl roomless.jsonl
    test -e disk/out.jsonl.inflight && exit 78
    exit $status'; then
    assert_eq 0 "$STATUS" "exit code"
    assert_match "$ERR" 'out.jsonl.inflight: no room: .*rows in flight are not remembered'
    assert_lines roomless.jsonl 3
fi

t "results on a pipe have no such file"
start_simulator --latency 600s
background "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o - --quiet
wait_until 10 eval '[ "$(sim_stats .in_flight)" = 3 ]' || fail "three are not in flight"
kill_9 "$PID"
stop_simulator
assert_eq "" "$(find . -name '*inflight' -newer few.jsonl ! -name 'diary*')" "files"

t "an answer keeps its slot until it is written, so that no more than the slots can be repeated"
start_simulator --latency 60ms
printf '{"prompt":"%0100000d"}\n' 0 >long.jsonl
for _ in 1 2 3 4 5; do cat long.jsonl long.jsonl; done >longer.jsonl
mkfifo pipe
exec 9<>pipe # takes part of one line, and no more
background "$BATCH_RUN" longer.jsonl --provider simulate --base-url "$SIM_URL/v1" -o pipe --quiet
wait_until 10 eval '[ "$(sim_stats .ok)" = 3 ]'
sleep 0.5
assert_eq 3 "$(sim_stats .requests)" "requests with 3 slots"
kill_9 "$PID"
exec 9>&-
stop_simulator

t "a connection that breaks: the same key again, so that one answer is paid"
rows 200 >many.jsonl
keyed() { # PROVIDER OPTION...
    start_simulator --idempotency --fault reset=30% --write-keys keys.env
    OPENAI_API_KEY=$(sed -n 's/^SIMULATE_API_KEY_[1-3]=//p' keys.env | paste -sd ,) \
        run "$BATCH_RUN" many.jsonl --provider "$1" --base-url "$SIM_URL/v1" -o keyed.jsonl --overwrite \
        --max-retries 20 --slots-per-key 8 --quiet "${@:2}"
    assert_eq 0 "$STATUS" "exit code"
    assert_json keyed.jsonl 'map(.text == .input.prompt) | all' true
    sim_stats . >stats
    stop_simulator
}
keyed simulate
assert_json stats '.[0] | .answers == 200 and .replays > 20' true

t "a refusal is no answer to keep: the next attempt has another key"
start_simulator --idempotency --fault 500=30%
run_ok many.jsonl --provider simulate --base-url "$SIM_URL/v1" -o refused.jsonl --max-retries 20 --slots-per-key 8 --quiet
assert_json <(sim_stats .) '.[0] | [.answers, .replays]' '[200,0]'
stop_simulator

t "providers that are not known to take a key get none, unless asked for"
keyed openai
assert_json stats '.[0] | .answers > 220 and .replays == 0' true
keyed openai --idempotency-keys always
assert_json stats '.[0] | .answers == 200 and .replays > 20' true
keyed simulate --idempotency-keys never
assert_json stats '.[0] | .answers > 220 and .replays == 0' true
