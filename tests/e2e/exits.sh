#!/bin/bash
# exits.sh: every exit code, and a message that names the file, line or option and what to do.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

rows 20 >in.jsonl
chat_answer good.http ok

# says WORD...: the last run's stderr is one message that holds these words, and stdout is empty.
says() {
    local word
    assert_empty "$OUT"
    assert_match "$ERR" '^(error|batch-run|usage): '
    for word; do
        assert_contains "$ERR" "$word"
    done
}
# refused WORD... -- OPTIONS...: exit code 2, these words, nothing sent and nothing written.
refused() {
    local words=()
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    shift
    expect_exit 2 "$BATCH_RUN" "$@"
    says "${words[@]}"
    assert_true "no results file" test ! -e in.results.jsonl
}

t "0: every job ok"
run_ok in.jsonl --provider simulate -o ok.jsonl

t "1: some jobs failed"
expect_exit 1 "$BATCH_RUN" in.jsonl --provider simulate --simulate '--fault 500=50%' --max-retries 0 -o failed.jsonl
assert_lines failed.jsonl 20
assert_match "$ERR" 'jobs: [0-9]+ ok, [1-9][0-9]* failed'

t "2: words that are none"
refused --nonsense -- in.jsonl --nonsense
refused --max-retries -- in.jsonl --max-retries
refused --max-retries many -- in.jsonl --max-retries many
refused --timeout -- in.jsonl --timeout 5parsecs
refused --format -- in.jsonl --format yaml
refused --cooldown -- in.jsonl --provider simulate --cooldown soon
refused --provider nobody -- in.jsonl --provider nobody
refused --base-url ftp -- in.jsonl --provider simulate --base-url ftp://x
refused INPUT --
refused INPUT -- in.jsonl more.jsonl --provider simulate
refused --template --prompt-field -- in.jsonl --provider simulate --template x --prompt-field y
BATCH_RUN_MAX_RETRIES=nine expect_exit 2 "$BATCH_RUN" in.jsonl --provider simulate
says BATCH_RUN_MAX_RETRIES nine

t "2: files that are none"
refused missing.jsonl -- missing.jsonl --provider simulate
refused directory -- . --provider simulate --input-format jsonl
printf 'x\n' >odd.name
refused odd.name --input-format -- odd.name --provider simulate
refused no-keys.txt -- in.jsonl --provider openai --keys no-keys.txt
refused no.env -- in.jsonl --provider openai --env-file no.env
refused folder/out.jsonl -o -- in.jsonl --provider simulate -o folder/out.jsonl
refused folder/s.json --summary -- in.jsonl --provider simulate --summary folder/s.json
echo some-key-of-mine >keys.txt
refused no-ca.pem --cacert -- in.jsonl --provider openai --keys keys.txt --cacert no-ca.pem

t "2: no key, and how to set one"
refused API_KEY simulate -- in.jsonl
refused OPENAI_API_KEY -- in.jsonl --provider openai
OPENAI_API_KEY=abcdefgh GROQ_API_KEY=ijklmnop expect_exit 2 "$BATCH_RUN" in.jsonl
says openai groq --provider

t "2: --strict finds a bad row before anything is sent"
start_simulator
{
    rows 3
    echo '{"prompt":5}'
} >strict.jsonl
expect_exit 2 "$BATCH_RUN" strict.jsonl --strict --provider simulate --base-url "$SIM_URL/v1" -o strict.out
says strict.jsonl:4 --strict
assert_eq 0 "$(sim_stats .requests)" "requests"
expect_exit 2 "$BATCH_RUN" - --strict --provider simulate --base-url "$SIM_URL/v1" -o strict.out <strict.jsonl
assert_contains "$ERR" ':4'
expect_exit 1 "$BATCH_RUN" strict.jsonl --provider simulate --base-url "$SIM_URL/v1" -o strict.out
stop_simulator

t "3: all keys dead ends the run at once and keeps the rest for later"
start_simulator --dead-key 1-3 --latency 5
rows 5000 >many.jsonl
began=$(date +%s%N)
expect_exit 3 "$BATCH_RUN" many.jsonl --provider simulate --base-url "$SIM_URL/v1" -o dead.jsonl --summary summary.json
took=$((($(date +%s%N) - began) / 1000000))
assert_true "within two seconds ($took ms)" test $took -lt $((2000 * SLOW))
assert_contains "$ERR" 'no usable key'
assert_json summary.json '.[0].keys | map(.state) | unique' '["unavailable"]'
assert_eq 3 "$(sim_stats .requests)" "requests"
assert_true "few lines" test "$(wc -l <dead.jsonl)" -le 3
assert_json summary.json '.[0].keys | map(.reason | length > 5) | all' true
stop_simulator
run_ok many.jsonl --provider simulate -o dead.jsonl
assert_lines dead.jsonl 5000
assert_json dead.jsonl 'map(select(.status == "ok")) | length' 5000

t "3: keys that die on the way"
http_answer 401.http "401 Unauthorized" '{"error":{"message":"no","code":"invalid_api_key"}}'
start_canned good.http good.http good.http 401.http
expect_exit 3 "$BATCH_RUN" in.jsonl "${CANNED[@]}" -o dying.jsonl
assert_json dying.jsonl 'map(select(.status == "ok")) | length' 3
# one after the other is out at once; two that are refused alike get two more looks each
requests=$(canned_requests)
assert_true "5 to 9 requests, not $requests" test "$requests" -ge 5 -a "$requests" -le 9

t "4: a full device for the results"
expect_exit 4 "$BATCH_RUN" in.jsonl --provider simulate -o /dev/full
assert_contains "$ERR" /dev/full
assert_contains "$ERR" 'No space left'

t "4: a full device for the summary"
expect_exit 4 "$BATCH_RUN" in.jsonl --provider simulate -o full.jsonl --summary /dev/full
assert_contains "$ERR" /dev/full
assert_contains "$ERR" --summary
assert_lines full.jsonl 20

t "4: a file that must not grow; what is in it stays whole and is resumed"
rows 3000 >many.jsonl
(
    ulimit -f 64
    run "$BATCH_RUN" many.jsonl --provider simulate -o limited.jsonl
    exit "$STATUS"
)
assert_eq 4 $? "exit code"
assert_contains "$ERR" limited.jsonl
assert_true "whole lines only" jq -e . limited.jsonl
run_ok many.jsonl --provider simulate -o limited.jsonl
assert_json limited.jsonl 'map(.index) | sort == [range(3000)]' true

t "4: a closed pipe as standard output"
rows 20000 >many.jsonl
"$BATCH_RUN" many.jsonl --provider simulate -o - 2>"$ERR" | head -n 1 >/dev/null
assert_eq 4 "${PIPESTATUS[0]}" "exit code"
assert_contains "$ERR" 'standard output'

# A run that hangs in its requests: sets PID.
start_hanging() {
    start_canned good.http hang
    background "$BATCH_RUN" in.jsonl "${CANNED[@]}" -o "$1" --quiet
    wait_until 10 eval '[ "$(canned_requests)" -ge 3 ]' || fail "the requests do not come"
}

t "130: the first signal waits for what is in flight, the second does not"
for signal in INT TERM; do
    start_hanging stopped.$signal
    run_err=$BG_ERR
    kill -$signal "$PID"
    wait_until 5 grep -q 'stopping' "$run_err" || fail "$signal is not answered"
    sleep 0.6 # the same signal sooner is the same wish
    assert_true "still waiting" kill -0 "$PID"
    kill -$signal "$PID"
    wait "$PID"
    assert_eq 130 $? "exit code after $signal"
    assert_json stopped.$signal 'map(.status)' '["ok"]'
done

t "130: one signal is enough when what is in flight comes back; nothing new is sent"
start_simulator --latency 400
background "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o drained.jsonl --summary summary.json
run_pid=$PID
wait_until 10 eval '[ "$(sim_stats .in_flight)" = 3 ]'
kill -INT "$run_pid"
wait "$run_pid"
assert_eq 130 $? "exit code"
assert_ledger summary.json
assert_eq "$(sim_stats .ok)" "$(wc -l <drained.jsonl)" "results on disk"
assert_true "not all was sent" test "$(sim_stats .requests)" -lt 20
run_ok in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o drained.jsonl
assert_json drained.jsonl 'map(.index) | sort == [range(20)]' true
assert_eq 20 "$(sim_stats .requests)" "requests in both runs"
stop_simulator

t "130: while a slow pipe is read"
mkfifo pipe
exec 7<>pipe # both ends, so that neither opening waits for the other
"$BATCH_RUN" - --provider simulate -o piped.jsonl <pipe 2>"$ERR" &
run_pid=$!
_background+=("$run_pid")
rows 2 >&7
wait_until 10 eval '[ "$(wc -l <piped.jsonl)" = 2 ]' || fail "the rows are not answered"
kill -TERM "$run_pid"
wait "$run_pid"
assert_eq 130 $? "exit code"
exec 7>&-
assert_json piped.jsonl 'map(.status)' '["ok","ok"]'

t "130: while all keys are cooling"
http_answer 429.http "429 Too Many Requests" '{"error":{"message":"x","code":"rate_limit_exceeded"}}' 'Retry-After: 300'
start_canned 429.http
background "$BATCH_RUN" in.jsonl "${CANNED[@]}" -o cooling.jsonl
run_pid=$PID
wait_until 10 eval '[ "$(canned_requests)" = 2 ]'
kill -INT "$run_pid"
wait "$run_pid"
assert_eq 130 $? "exit code"
assert_empty cooling.jsonl
