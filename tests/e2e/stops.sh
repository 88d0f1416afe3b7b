#!/bin/bash
# stops.sh: whatever stops a run from outside (a frozen process, a terminal or a pipe that is gone,
# signals), nothing is lost and nobody is blamed.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

# SEND: a run of in.jsonl, to the simulator that runs
send_to_simulator() {
    SEND=("$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o results.jsonl --overwrite
        --summary summary.json)
}

has_lines() {
    [ "$(wc -l <results.jsonl 2>/dev/null || echo 0)" -ge "$1" ]
}

in_flight() {
    [ "$(sim_stats .in_flight)" -ge "$1" ]
}

t "a process that is frozen for longer than --timeout blames nobody for it"
start_simulator --latency 1s
send_to_simulator
rows 9 >in.jsonl
background "${SEND[@]}" --timeout $((3 * SLOW))s --log-level info
run_pid=$PID
wait_until 10 has_lines 3
wait_until 10 in_flight 3
kill -STOP "$run_pid"
sleep $((4 * SLOW))
kill -CONT "$run_pid"
wait "$run_pid"
assert_eq 0 $? "exit code"
assert_lines results.jsonl 9
assert_json results.jsonl 'map(.attempts) | unique' '[1]'
assert_json summary.json '.[0] | .attempts == 9 and all(.keys[]; .state == "healthy" and .failed == 0)' true

t "what does not come afterwards is a time-out all the same"
stop_simulator
start_simulator --fault hang=100%
send_to_simulator
rows 1 >in.jsonl
background "${SEND[@]}" --timeout 2s --max-retries 0 --outage-patience 1s --summary late.json
run_pid=$PID
wait_until 10 eval '[ "$(sim_stats .requests)" = 1 ]'
kill -STOP "$run_pid"
sleep 3
kill -CONT "$run_pid"
wait "$run_pid"
assert_eq 3 $? "exit code" # nothing else was served: an outage
assert_json late.json '.[0] | [.stopped, .errors.timeout.attempts >= 1]' '["outage",true]'
stop_simulator

t "a connection that is silently gone is noticed while an answer is waited for"
start_simulator --latency 3s
send_to_simulator
rows 1 >in.jsonl
background "${SEND[@]}"
run_pid=$PID
wait_until 10 in_flight 1
# of the run's end of the connection: the kind of its timer (2: keep-alive) and when it is due, in
# hundredths of a second
port=$(printf '%04X' "${SIM_URL##*:}")
timer=$(awk -v port=":$port" 'substr($3, 9) == port && $4 == "01" { print $6; exit }' /proc/net/tcp)
assert_eq 02 "${timer%%:*}" "timer of the connection"
assert_true "probes after 20 seconds: $timer" [ $((16#${timer##*:})) -le 2000 ]
wait "$run_pid"
assert_eq 0 $? "exit code"
stop_simulator

t "a first signal drains, a second breaks off, a third ends it where it stands"
mkfifo stuck
exec 8<>stuck # open, and nobody reads
seq 1 40 | sed "s/.*/{\"prompt\":\"& $(head -c 8000 /dev/zero | tr '\0' x)\"}/" >long.jsonl
# it waits for none of its threads then, and should not
TSAN_OPTIONS=${TSAN_OPTIONS:-}:report_thread_leaks=0 \
    "$BATCH_RUN" long.jsonl --provider simulate --simulate '--latency 5' -o - >stuck 2>stuck.err &
run_pid=$!
_background+=("$run_pid")
sleep 1 # until the pipe is full
kill -INT "$run_pid"
wait_until 5 grep -q 'stopping: waiting' stuck.err || fail "the first is not answered"
sleep 0.6 # the same signal sooner is the same wish
kill -INT "$run_pid"
wait_until 5 grep -q 'stopping now' stuck.err || fail "the second is not answered"
assert_true "the writer is stuck" kill -0 "$run_pid"
sleep 0.6
kill -INT "$run_pid"
wait "$run_pid"
assert_eq 130 $? "exit code"
exec 8>&-

t "a signal that is delivered twice counts once: never an abort"
start_simulator --latency 700
send_to_simulator
rows 30 >in.jsonl
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -f results.jsonl
    run timeout -s INT 1 "${SEND[@]}"
    assert_true "exit code $STATUS" [ "$STATUS" = 124 ]
    assert_not_contains "$ERR" 'stopping now'
    # what was in flight has been answered and written
    assert_json summary.json '.[0] | [.stopped, .attempts == .jobs.ok]' '["signal",true]'
done
stop_simulator

t "one of another kind, or half a second later, goes one step further"
start_simulator --latency 20s
send_to_simulator
for signals in "INT TERM" "INT 0.7 INT" "TERM 0.7 TERM"; do
    background "${SEND[@]}"
    run_pid=$PID
    wait_until 10 in_flight 3
    for signal in $signals; do
        case $signal in
        0*) sleep "$signal" ;;
        *) kill "-$signal" "$run_pid" ;;
        esac
    done
    wait "$run_pid"
    assert_eq 130 $? "exit code after $signals"
    assert_contains "$BG_ERR" 'stopping now'
    wait_until 10 eval '[ "$(sim_stats .in_flight)" = 0 ]'
done
stop_simulator

t "a signal before anything is sent ends it: exit code 130 too"
mkfifo slow.keys # whoever opens it for writing waits until it is read
for signal in INT TERM HUP; do
    background "$BATCH_RUN" long.jsonl --provider openai --keys slow.keys -o none.jsonl
    run_pid=$PID
    timeout $((10 * SLOW)) sh -c "exec 9>slow.keys; kill -$signal $run_pid; sleep 0.2"
    wait "$run_pid"
    assert_eq 130 $? "exit code after SIG$signal"
done
assert_true "no results" test ! -e none.jsonl

t "a hang-up drains"
start_simulator --latency 1s
send_to_simulator
rows 30 >in.jsonl
background "${SEND[@]}"
run_pid=$PID
wait_until 10 in_flight 3
kill -HUP "$run_pid"
wait "$run_pid"
assert_eq 130 $? "exit code"
assert_eq "$(sim_stats .ok)" "$(wc -l <results.jsonl)" "results on disk"
assert_json summary.json '.[0].stopped' '"signal"'

t "nohup: a hang-up ends nothing"
rows 6 >in.jsonl
background nohup "${SEND[@]}"
run_pid=$PID
wait_until 10 in_flight 3
kill -HUP "$run_pid"
wait "$run_pid"
assert_eq 0 $? "exit code"
assert_lines results.jsonl 6

# on_dying_terminal COMMAND...: starts it on a terminal of its own, and takes that away once requests
# are in flight. Its process is $run_pid.
on_dying_terminal() {
    rm -f pid results.jsonl
    printf '%q ' "$@" >command.sh
    TERM=xterm background script -qec "echo \$\$ >pid; exec $(cat command.sh)" /dev/null
    wait_until 10 test -s pid
    run_pid=$(cat pid)
    wait_until 10 in_flight 3
    { kill -KILL "$PID" && wait "$PID"; } 2>/dev/null
}

cpu_ticks() {
    awk '{ print $14 + $15 }' "/proc/$run_pid/stat"
}

if command -v script >/dev/null; then
    t "a terminal that is gone: what is in flight finishes"
    before=$(sim_stats .ok)
    rows 30 >in.jsonl
    on_dying_terminal "${SEND[@]}"
    wait_until 20 eval '! kill -0 $run_pid'
    assert_lines results.jsonl $(($(sim_stats .ok) - before))
    assert_true "some were answered" has_lines 3
    assert_true "not all were sent" [ "$(wc -l <results.jsonl)" -lt 30 ]

    t "a terminal that is gone under nohup: the run goes on, and does not spin"
    rows 12 >in.jsonl
    on_dying_terminal bash -c 'trap "" HUP; exec "$@"' run "${SEND[@]}"
    wait_until 20 has_lines 6
    assert_true "little work: $(cpu_ticks) ticks" [ "$(cpu_ticks)" -lt $((50 * SLOW)) ]
    wait_until 30 eval '! kill -0 $run_pid'
    assert_lines results.jsonl 12
else
    echo "| terminals that are gone were NOT tested: it needs script (Debian: bsdutils)"
fi
stop_simulator

# from_pipe TEXT...: rows from a pipe whose writer dies behind them
from_pipe() {
    run bash -c 'set -o pipefail; { printf "$@"; kill -KILL $BASHPID; } 2>/dev/null |
        "$0" - --provider simulate -o results.jsonl --overwrite; exit ${PIPESTATUS[1]}' "$BATCH_RUN" "$@"
}

t "a writer that is killed in the middle of a line: the rest of it is a bad row"
from_pipe '{"prompt":"one"}\n{"prompt":"tw'
assert_eq 1 "$STATUS" "exit code"
assert_json results.jsonl 'sort_by(.index) | map([.status, .error.class])' '[["ok",null],["error","bad_input"]]'

t "a writer that is killed before the newline: the row is a row"
from_pipe '{"prompt":"one"}\n{"prompt":"two"}'
assert_eq 0 "$STATUS" "exit code"
assert_json results.jsonl 'map(.text) | sort' '["one","two"]'
