#!/bin/bash
# screen.sh: what people and programs see while it runs, and that standard output holds results alone.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

rows 30 >in.jsonl

# only_results FILE N: JSON lines with ids, and nothing else.
only_results() {
    assert_lines "$1" "$2"
    assert_eq "$2" "$(grep -c '^{"id":".*}$' "$1")" "result lines"
}

t "standard output holds results alone, whatever the screen shows"
for progress in auto plain json off bar; do
    for level in error warn info debug; do
        run_ok in.jsonl --provider simulate --simulate '--fault 429=10%,500=5% --retry-after 10ms' --max-retries 9 -o - \
            --progress $progress --log-level $level
        only_results "$OUT" 30
    done
done

t "without a terminal no control characters"
for progress in auto plain json off; do
    run_ok in.jsonl --provider simulate -o r.jsonl --overwrite --progress $progress
    assert_true "$progress" eval '! grep -qP "[\x00-\x08\x0b-\x1f\x7f]" "$ERR"'
    assert_empty "$OUT"
done

t "--progress json: every line of it an object, the last one with all rows done"
# "event" comes first in each
run_ok in.jsonl --provider simulate -o r.jsonl --overwrite --progress json
grep '^{"event"' "$ERR" >events
assert_json events 'last | [.event, .done, .total, .ok, .failed, .in_flight]' '["end",30,30,30,0,0]'
assert_json events 'map(has("elapsed_s") and has("rate_limited") and has("jobs_per_s") and has("keys")) | all' true
start_simulator --latency 700
background "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o slow.jsonl --progress json
wait_until 20 grep -q '"event":"progress"' "$BG_ERR" || fail "no line while it runs"
grep '"event":"progress"' "$BG_ERR" | head -n 1 >events
assert_json events '.[0] | [.total, .in_flight <= 3, .keys.busy <= 3, .draining]' '[30,true,true,false]'
kill -INT "$PID"
wait_until 20 eval '! kill -0 $PID'
tail -n 30 "$BG_ERR" | grep '"event":"end"' >events
assert_json events '.[0].draining' true

# only_json FILE: every line is a JSON value, and the last one the summary.
only_json() {
    if ! jq -c . "$1" >/dev/null 2>.jq; then
        fail "a line is not JSON: $(cat .jq)"
        grep -v '^{' "$1" | head -n 3 | sed 's/^/#   /'
    fi
    assert_true "the last line is the summary: $(tail -n 1 "$1" | cut -c 1-80)" \
        eval 'tail -n 1 "$1" | jq -e "(.jobs.total >= 0) and (.keys | type == \"array\")"'
}

t "--progress json owns standard error: whatever happens, every line is JSON and the summary is the last"
for level in error warn info debug; do
    run "$BATCH_RUN" in.jsonl --provider simulate --simulate '--fault 429=10%,500=20%,400=5% --retry-after 10ms' \
        --progress json --log-level $level -o j.jsonl --overwrite
    only_json "$ERR"
done
expect_exit 3 "$BATCH_RUN" in.jsonl --provider simulate --max-requests 5 --progress json -o j.jsonl --overwrite
only_json "$ERR"
assert_match "$ERR" '"event":"log","level":"error","message":"--max-requests 5 is reached'
run timeout -s INT 1 "$BATCH_RUN" in.jsonl --provider simulate --simulate '--latency 700' --progress json -o j.jsonl --overwrite
only_json "$ERR"
assert_match "$ERR" '"event":"log","level":"warn","message":"stopping: waiting for'
OPENAI_API_KEY=abcdefgh,abcdefgh run "$BATCH_RUN" in.jsonl --provider openai --base-url http://127.0.0.1:9/v1 \
    --progress json -o j2.jsonl --max-retries 0 --max-requests 3
only_json "$ERR"
assert_match "$ERR" 'is used once'

t "--progress json: faults of usage are one JSON line too"
for bad in --nonsense "--timeout=never" "--model=" "--keys=nowhere.keys"; do
    expect_exit 2 "$BATCH_RUN" in.jsonl --progress json "$bad"
    assert_json "$ERR" 'map(.event, .level)' '["log","error"]'
done
expect_exit 2 "$BATCH_RUN" missing.jsonl --provider simulate --progress=json
assert_json "$ERR" 'map(.message | test("missing.jsonl"))' '[true]'
BATCH_RUN_PROGRESS=json expect_exit 2 "$BATCH_RUN" in.jsonl --nonsense
assert_json "$ERR" length 1
expect_exit 0 "$BATCH_RUN" in.jsonl --provider simulate --progress json --dry-run
assert_true "a dry run too" jq -c . "$ERR"

t "--progress plain: a line every few seconds"
background "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o plain.jsonl --overwrite
wait_until 20 grep -qE '^[0-9]+ of ~?[0-9]+ \([0-9]+%\) done, 0 failed' "$BG_ERR" || fail "no line while it runs: $(cat "$BG_ERR")"
kill -INT "$PID"
wait "$PID"
stop_simulator

t "--quiet leaves warnings and errors"
run_ok in.jsonl --provider simulate -o q.jsonl --quiet
assert_empty "$ERR"
OPENAI_API_KEY=abcdefgh,abcdefgh run "$BATCH_RUN" in.jsonl --provider openai --base-url http://127.0.0.1:9/v1 --quiet \
    -o q2.jsonl --max-retries 0
assert_contains "$ERR" 'is used once'
assert_not_contains "$ERR" 'requests'
expect_exit 2 "$BATCH_RUN" missing.jsonl --provider simulate --quiet
assert_contains "$ERR" missing.jsonl

t "--log-level: what is said grows with it"
last=-1
for level in error warn info debug; do
    chat_answer good.http ok
    http_answer 429.http "429 Too Many Requests" '{"error":{"message":"busy","code":"rate_limit_exceeded"}}'
    start_canned 429.http good.http
    sed -i p .canned.keys # each key twice: a warning
    run "$BATCH_RUN" in.jsonl "${CANNED[@]}" -o - --quiet --log-level "$level" \
        --cooldown 20ms
    lines=$(wc -l <"$ERR")
    assert_true "$level says more ($last, then $lines)" test "$lines" -gt "$last"
    last=$lines
    kill "$CANNED_PID"
done
assert_match "$ERR" 'job 7 \(line 7\) openai-[123] try 1'

t "a table at the end, with a row a key and the totals"
run_ok in.jsonl --provider simulate -o t.jsonl
assert_match "$ERR" '^key +state +requests +ok +failed +429s'
assert_eq 3 "$(grep -cE '^simulate-[123] +healthy +10 +10 +0 +0' "$ERR")" "rows of keys"
assert_contains "$ERR" 'results: t.jsonl'

t "nothing is called healthy that is not known: a key that was never asked is unused"
head -n 1 in.jsonl >one.jsonl
run_ok one.jsonl --provider simulate -o u.jsonl --summary s.json
assert_json s.json '.[0].keys | map(.state) | sort' '["healthy","unused","unused"]'

t "a model that an account has not is shown as that"
chat_answer good.http ok
http_answer 403.http "403 Forbidden" \
    '{"error":{"message":"Project `p` does not have access to model `m`","code":"model_not_found"}}'
start_canned 'canned-secret-number-one=403.http' good.http
run_ok in.jsonl "${CANNED[@]}" --model m -o model.jsonl --summary s.json
assert_json s.json '.[0].keys | map([.state, .rate_limited, .reason != null])' '[["no_model",0,true],["healthy",0,false]]'
assert_match "$ERR" '^openai-1: no_model: .*does not have access to model'
kill "$CANNED_PID"

t "keys that were never limited and had one request each: more at once may be faster"
run_ok in.jsonl --provider simulate -o hint.jsonl
assert_contains "$ERR" '--slots-per-key auto may be faster'
run_ok in.jsonl --provider simulate -o hint.jsonl --overwrite --slots-per-key auto
assert_not_contains "$ERR" 'may be faster'
run_ok in.jsonl --provider simulate -o hint.jsonl --overwrite --simulate '--fault 429=20% --retry-after 10ms'
assert_not_contains "$ERR" 'may be faster'

t "why nothing moves: the provider, since when and the next try, and no ETA"
http_answer 503.http "503 Service Unavailable" '{"error":{"message":"overloaded just now"}}'
start_canned 503.http
background "$BATCH_RUN" in.jsonl "${CANNED[@]}" -o down.jsonl --progress json
wait_until 20 grep -qE '"waiting":"openai: HTTP 503 since [0-9]+ s, next try in [0-9]+ s \(overloaded just now\)"' "$BG_ERR" ||
    fail "the reason is not said: $(tail -n 2 "$BG_ERR")"
grep '"waiting"' "$BG_ERR" >events
assert_json events 'map(.eta_s) | unique' '[null]'
kill -INT "$PID"
wait "$PID"
kill "$CANNED_PID"
http_answer 429.http "429 Too Many Requests" '{"error":{"message":"daily quota","code":"rate_limit_exceeded"}}' 'Retry-After: 300'
start_canned 429.http
background "$BATCH_RUN" in.jsonl "${CANNED[@]}" -o down.jsonl --progress json
wait_until 20 grep -qE '"waiting":"all keys are rate limited until [0-9:]+ \(.*daily quota\)"' "$BG_ERR" ||
    fail "the reason is not said: $(tail -n 2 "$BG_ERR")"
kill -INT "$PID"
wait "$PID"
kill "$CANNED_PID"

# on_terminal COMMAND: what the terminal is sent, to `typed`. TERMINAL: its kind. COLUMNS_WIDE: how wide.
on_terminal() {
    export TERM=${TERMINAL:-xterm}
    timeout $((LIMIT * SLOW)) script -qec "stty cols ${COLUMNS_WIDE:-100}; $1" /dev/null </dev/null >typed 2>&1
    STATUS=$?
}

if command -v script >/dev/null; then
    t "a live line on a terminal, redrawn in place and gone at the end"
    on_terminal "'$BATCH_RUN' in.jsonl --provider simulate --simulate '--latency 60' -o live.jsonl"
    assert_eq 0 "$STATUS" "exit code"
    assert_contains typed 'in flight'
    assert_contains typed '/30'
    assert_contains typed $'\r'
    tr '\r' '\n' <typed | sed 's/\x1b\[[0-9;]*[A-Za-z]//g' >plain
    assert_match plain '^key +state +requests'
    assert_lines live.jsonl 30
    assert_true "the line is emptied before the table" grep -qaP '\r\x1b\[Kkey +state' typed
    sed -n '/^key /,$p' plain >after
    assert_not_contains after 'in flight'

    t "results on the terminal and a live line do not mix"
    on_terminal "'$BATCH_RUN' in.jsonl --provider simulate --simulate '--latency 60' -o -"
    assert_eq 0 "$STATUS" "exit code"
    tr '\r' '\n' <typed | sed 's/\x1b\[[0-9;]*[A-Za-z]//g' >plain
    assert_eq 30 "$(grep -c '^{"id":".*}$' plain)" "lines that are results and nothing else"
    assert_match plain '^key +state +requests'
    on_terminal "'$BATCH_RUN' in.jsonl --provider simulate --simulate '--latency 60' -o - | cat >piped"
    only_results piped 30
    assert_contains typed 'in flight'

    t "--progress off and --quiet draw nothing"
    on_terminal "'$BATCH_RUN' in.jsonl --provider simulate -o off.jsonl --progress off --simulate '--latency 30'"
    assert_not_contains typed 'in flight'
    on_terminal "'$BATCH_RUN' in.jsonl --provider simulate -o quiet.jsonl --quiet --simulate '--latency 30'"
    assert_empty typed

    t "NO_COLOR, and a terminal that cannot redraw a line"
    NO_COLOR=1 on_terminal "'$BATCH_RUN' --help"
    assert_true "no colours" eval '! grep -qP "\x1b\[[0-9;]*m" typed'
    NO_COLOR=1 on_terminal "'$BATCH_RUN' in.jsonl --provider simulate -o nc.jsonl --simulate '--latency 30'"
    assert_true "no colours" eval '! grep -qP "\x1b\[[0-9;]*m" typed'
    assert_contains typed 'in flight'
    TERMINAL=dumb on_terminal "'$BATCH_RUN' in.jsonl --provider simulate -o dumb.jsonl --simulate '--latency 60'"
    assert_not_contains typed 'in flight'
    assert_match typed '^key +state +requests'

    t "a terminal of 60 columns, and of 40: no line is wider, with colours and without"
    rows 1000 >thousand.jsonl
    for COLUMNS_WIDE in 60 40; do
        for NO_COLOR in "" 1; do
            export NO_COLOR
            on_terminal "'$BATCH_RUN' thousand.jsonl --provider simulate -o wide.jsonl --overwrite --slots-per-key 50 --max-retries 0 --simulate '--latency 15 --fault 500=20%'"
            tr '\r' '\n' <typed | sed 's/\x1b\[[0-9;]*[A-Za-z]//g' >plain
            assert_eq "" "$(awk -v most=$COLUMNS_WIDE 'length($0) > most' plain | head -n 1)" "a line that is too wide"
            assert_match plain '^key +state +'
            assert_match plain '^simulate-3 +(healthy|degraded)'
            assert_no_match plain 'share$'
            assert_match plain 'rows failed: server'
        done
    done
    unset COLUMNS_WIDE NO_COLOR

    t "a signal on a terminal leaves the cursor on a line of its own"
    on_terminal "'$BATCH_RUN' in.jsonl --provider simulate --simulate '--latency 300' -o sig.jsonl & sleep 1; kill -INT \$!; wait \$!"
    assert_eq 130 "$STATUS" "exit code"
    assert_true "the line is emptied before the warning" grep -qaP '\r\x1b\[Kwarning: stopping' typed
    assert_contains typed 'run the same command again'
else
    echo "| the live line was NOT tested: it needs script (Debian: bsdutils)"
fi

t "the live line costs no results: a closed stderr"
"$BATCH_RUN" in.jsonl --provider simulate -o closed.jsonl 2>&-
assert_eq 0 $? "exit code"
only_results closed.jsonl 30
"$BATCH_RUN" in.jsonl --provider simulate -o full.jsonl 2>/dev/full
assert_eq 0 $? "exit code"
only_results full.jsonl 30
