#!/bin/bash
# ordered.sh: --ordered: results in the order of the input at every moment, however rows finish; what is
# early survives a kill, and one slow row holds up nobody and costs no memory.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

start_ordered() { # OPTIONS of the simulator: sets what `ordered` sends to
    start_simulator --quiet --keys 3 "$@"
    TO=(--provider simulate --base-url "$SIM_URL/v1" --slots-per-key 8 --quiet --ordered)
}

# ordered INPUT OUTPUT OPTIONS...: an ordered run over that simulator.
ordered() {
    local input=$1 output=$2
    shift 2
    run "$BATCH_RUN" "$input" -o "$output" "${TO[@]}" "$@"
}

# asked N: that many requests came since the last look.
asked() {
    local now
    now=$(sim_stats .requests)
    assert_eq "$1" $((now - before)) "requests"
    before=$now
}

nothing_beside() { # FILE: but the rows in doubt
    assert_eq "" "$(ls "$1".ahead* "$1".rewrite 2>/dev/null)" "what is left beside $1"
}

rows 3000 >in.jsonl
start_ordered --latency uniform:1ms-30ms --fault 500=5%
before=0

t "a file and a pipe are in order; nothing is left beside the file"
ordered in.jsonl out.jsonl
assert_eq 0 "$STATUS" "exit code"
assert_json out.jsonl "map(.index) == [range(3000)]" true
nothing_beside out.jsonl
ordered in.jsonl -
cp "$OUT" pipe.jsonl
assert_json pipe.jsonl "map(.index) == [range(3000)]" true

t "bad rows have their places too"
sed '1~7s/.*/nonsense/' in.jsonl >bad.jsonl
ordered bad.jsonl bad.out
assert_eq 1 "$STATUS" "exit code"
assert_json bad.out "map(.index) == [range(3000)]" true

t "a pipe gets each line as soon as all before it are there"
mkfifo feed
"$BATCH_RUN" - -o - "${TO[@]}" <feed >fed.jsonl &
pid=$!
exec 3>feed
for n in 1 2 3; do
    echo "{\"prompt\":\"question $n\"}" >&3
    assert_true "line $n has come" wait_until 20 grep -q "\"index\":$((n - 1))," fed.jsonl
done
exec 3>&-
wait $pid
assert_lines fed.jsonl 3

t "where early lines cannot be kept nothing is sent"
before=$(sim_stats .requests)
TMPDIR=/nonexistent ordered in.jsonl -
assert_eq 2 "$STATUS" "exit code"
assert_contains "$ERR" TMPDIR
mkdir locked
touch locked/out
chmod 555 locked
WITHOUT_POWERS=() # what permissions are not asked of
if [ "$(id -u)" = 0 ]; then
    WITHOUT_POWERS=(setpriv --bounding-set -all --inh-caps -all)
fi
run "${WITHOUT_POWERS[@]}" "$BATCH_RUN" in.jsonl -o locked/out "${TO[@]}"
assert_eq 2 "$STATUS" "exit code"
assert_contains "$ERR" "locked/out: its side file .ahead cannot be made"
asked 0

t "a pipe that is closed ends the run"
"$BATCH_RUN" in.jsonl -o - "${TO[@]}" 2>"$ERR" | head -n 5 >head.jsonl
assert_eq 4 "${PIPESTATUS[0]}" "exit code"
assert_match "$ERR" 'standard output: Broken pipe: [0-9]+ results? not saved'
assert_json head.jsonl "map(.index) == [range(5)]" true

t "what other runs left is put in order, in each format"
for format in native openai anthropic gemini; do
    rm -f later.out
    run "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o later.out --format $format \
        --slots-per-key 8 --limit 1000 --max-retries 0 --quiet
    ordered in.jsonl later.out --format $format --limit 1500 --max-retries 30
    assert_eq 0 "$STATUS" "exit code"
    assert_json later.out '[.[] | .custom_id // (.key | select(. != null and (startswith("simulate") | not))) // .id | tonumber] == [range(1; 1501)]' true
    nothing_beside later.out
done

t "rows that the input no longer has come last"
jq -nc 'range(8) | {id: "r\(.)", prompt: "question \(.)"}' >named.jsonl
ordered named.jsonl named.out
jq -c 'select(.id != "r2" and .id != "r5")' named.jsonl >fewer.jsonl
echo '{"id":"new","prompt":"another"}' >>fewer.jsonl
ordered fewer.jsonl named.out
assert_json named.out 'map(.id)' '["r0","r1","r3","r4","r6","r7","new","r2","r5"]'

t "killed at random moments: in order whenever it is killed, and nothing that arrived is sent again"
RANDOM=${SEED:-2026}
rows 6000 >kill.jsonl
for _ in 1 2 3 4; do
    rm -f kill.out*
    "$BATCH_RUN" kill.jsonl -o kill.out "${TO[@]}" 2>>kill.err &
    pid=$!
    assert_true "the run has begun" wait_until 20 test -s kill.out
    sleep "0.$((RANDOM % 40 + 10))"
    kill -9 $pid
    wait $pid 2>/dev/null
    sed '${/}$/!d}' kill.out >whole # a torn last line is none
    assert_json whole "map(.index) == [range(length)]" true
done

t "killed again and again: all there in order at the end, repeated only what was out"
rm -f kill.out*
before=$(sim_stats .requests)
failed=$(sim_stats .failed)
kills=0
for _ in $(seq "${KILLS:-6}"); do
    "$BATCH_RUN" kill.jsonl -o kill.out "${TO[@]}" --max-retries 30 2>>kill.err &
    pid=$!
    sleep "0.$((RANDOM % 40 + 10))"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    if [ $? = 137 ]; then
        kills=$((kills + 1))
    fi
done
ordered kill.jsonl kill.out --max-retries 30
assert_eq 0 "$STATUS" "exit code"
assert_json kill.out "map(.index) == [range(6000)]" true
nothing_beside kill.out
repeated=$(($(sim_stats .requests) - before - 6000 - $(sim_stats .failed) + failed))
echo "# $kills kills, $repeated calls repeated; $((kills * 24)) were in flight"
assert_true "$repeated calls were repeated after $kills kills" test $repeated -le $((kills * (24 + 2)))
stop_simulator

# One row goes to a provider that does not answer, all others to one that does.
start_simulator --quiet --latency 600s --write-keys slow.env
SLOW_PID=$SIM_PID SLOW_URL=$SIM_URL
key=$(sed -n 's/^SIMULATE_API_KEY_1=//p' slow.env)
start_simulator --quiet --keys 3
BESIDE=(--provider "simulate,openai" --base-url "simulate=$SIM_URL/v1,openai=$SLOW_URL/v1")
slow_was_asked() { # TIMES
    [ "$(curl -s "$SLOW_URL/stats" | jq .requests)" = "$1" ]
}
start_behind_slow() { # INPUT OUTPUT OPTIONS...: sets PID
    local input=$1 output=$2
    shift 2
    background env OPENAI_API_KEY="$key" "$TOOLS/peak" sh -c 'echo $$ >pid; exec "$@"' sh "$BATCH_RUN" "$input" \
        "${BESIDE[@]}" -o "$output" --ordered --progress off --slots-per-key 8 --max-retries 0 "$@"
}

served() { # N: that many requests were answered by the quick one
    test "$(sim_stats .ok)" -ge "$1"
}

lines_ahead() { # FILE N
    test "$(cat "$1".ahead* | wc -l)" -ge "$2"
}

t "everything behind a slow row is on disk, and the next run does not send it again"
{ echo '{"prompt":"question 1","provider":"openai"}' && rows 4000 | tail -n +2; } >behind.jsonl
before=0
start_behind_slow behind.jsonl behind.out
assert_true "all others are answered" wait_until 60 lines_ahead behind.out 3999
kill -9 "$(cat pid)"
wait "$PID" 2>/dev/null
assert_empty behind.out
asked 3999
start_behind_slow behind.jsonl behind.out --progress json
assert_true "they are taken over" wait_until 60 eval '[ -s behind.out ] && [ ! -s behind.out.ahead ]'
assert_true "the slow one is asked again" wait_until 60 slow_was_asked 2
# rows that were not read have no place in the order yet
assert_true "all rows are read" wait_until 60 grep -q '"total_is_estimate":false' "$BG_ERR"
kill -INT "$(cat pid)"
sleep 0.6 # sooner is the same wish
kill -INT "$(cat pid)"
wait "$PID"
asked 0
assert_json behind.out "map(.index) == [range(1; 4000)]" true

t "the first signal waits for the slow row, the second does not: the rest is written without it"
rm -f behind.out
start_behind_slow behind.jsonl behind.out
assert_true "all others are answered" wait_until 60 lines_ahead behind.out 3999
kill -INT "$(cat pid)"
sleep 0.6 # sooner is the same wish
assert_empty behind.out
kill -INT "$(cat pid)"
wait "$PID"
assert_eq 130 $? "exit code"
assert_json behind.out "map(.index) == [range(1; 4000)]" true
assert_eq behind.out.inflight "$(echo behind.out.*)" "beside it: the slow row, which may have been paid"

t "100,000 rows behind a slow one take no memory"
if [ "${MODE:-release}" = release ]; then
    { echo '{"prompt":"question 1","provider":"openai"}' && rows 100000 | tail -n +2; } >many.jsonl
    start_behind_slow many.jsonl many.out --outage-patience 1s
    many_err=$BG_OUT
    assert_true "all others are answered" wait_until 120 lines_ahead many.out 99999
    kill "$SLOW_PID"
    wait "$PID"
    assert_eq 3 $? "exit code" # the slow one is gone, and its row is not done
    assert_json many.out "map(.index) == [range(1; 100000)]" true
    nothing_beside many.out
    peak=$(sed -n 's/^peak \([0-9]*\) KiB$/\1/p' "$many_err")
    echo "# $peak KiB"
    assert_true "$peak KiB are below 32 MB" test "$peak" -lt 31250
else
    echo "# sanitizers have a memory of their own: nothing to measure"
fi
stop_simulator

t "a full disk: exit 4, what is on it is whole, the rest comes once there is room"
rows 4000 >full.jsonl
if run_on_disk 1m '
    "$BATCH_RUN" full.jsonl --provider simulate --simulate "--latency uniform:1ms-9ms" --slots-per-key 8 \
        -o disk/out.jsonl --ordered --quiet
    status=$?
    cat disk/out.jsonl disk/out.jsonl.ahead* >full.out
    mount -o remount,size=64m disk || exit 77
    "$BATCH_RUN" full.jsonl --provider simulate -o disk/out.jsonl --ordered --quiet || exit 78
    cp disk/out.jsonl* .
    exit $status'; then
    assert_eq 4 "$STATUS" "exit code"
    assert_match "$ERR" 'No space left on device: [0-9]+ results? not saved'
    assert_true "whole lines" jq -e . full.out
    assert_json out.jsonl "map(.index) == [range(4000)]" true
    nothing_beside out.jsonl
fi
