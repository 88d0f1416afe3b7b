#!/bin/bash
# unreachable.sh: providers that cannot be reached, and outages: rows wait, nothing is written of them,
# and the run stops with the reason. The waits are shortened with --outage-patience, but for one.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

seq 0 299 | sed 's/.*/{"id":"r&","prompt":"q&#"}/' >in.jsonl
printf 'secret-key-number-%s\n' one two three >three.keys
chat_answer good.http fine
http_answer 404.http "404 Not Found" '{"detail":"Not Found"}'
http_answer 404page.http "404 Not Found" '<html><title>404 Not Found</title></html>'
http_answer 405.http "405 Method Not Allowed" ''
http_answer moved.http "301 Moved Permanently" '' 'Location: https://elsewhere.example/v1'
http_answer plain.http "400 Bad Request" '<title>400 The plain HTTP request was sent to HTTPS port</title>'
http_answer page.http "200 OK" '<html>welcome</html>'
for status in 500 502 503 504 529; do
    http_answer $status.http "$status Gone wrong" '<html>gone wrong</html>'
done
printf 'nonsense\r\n\r\n' >nonsense.close

# dead NAME WORDS OPTIONS...: begins 300 rows to an address that serves nobody; dead_ends looks at what came.
DEAD=()
dead() {
    local name=$1
    DEAD+=("$name|$2")
    shift 2
    background timeout $((LIMIT * SLOW)) "$BATCH_RUN" in.jsonl -p openai --keys three.keys -m m -o "$name.jsonl" \
        --summary "$name.json" --progress off --outage-patience 6s "$@"
    eval "pid_$name=$PID err_$name=$BG_ERR"
}

dead_ends() {
    local one name words pid err
    for one in "${DEAD[@]}"; do
        name=${one%%|*} words=${one#*|}
        eval "pid=\$pid_$name err=\$err_$name"
        t "$name: exit 3, the reason, nothing failed"
        wait "$pid"
        assert_eq 3 $? "exit code"
        assert_empty "$name.jsonl"
        assert_contains "$err" "$words"
        assert_match "$err" '^error: openai at http.*, since [0-9]+s'
        assert_contains "$err" '0 failed'
        assert_json "$name.json" '.[0] | [.stopped, .jobs.ok, .jobs.failed]' '["outage",0,0]'
        assert_true "few requests: $(jq .attempts "$name.json")" jq -e '.attempts <= 30' "$name.json"
    done
    DEAD=()
}

# served_by NAME ANSWER WORDS OPTIONS...
served_by() {
    local name=$1 answer=$2 words=$3
    shift 3
    start_canned "$answer"
    dead "$name" "$words" --base-url "$CANNED_URL/v1" "$@"
}

# the default patience, for the one that matters most; it goes on beside the others
began=$EPOCHREALTIME
background timeout $((LIMIT * SLOW)) "$BATCH_RUN" in.jsonl -p openai --keys three.keys -m m -o default.jsonl \
    --base-url http://127.0.0.1:9/v1 --progress off
default_pid=$PID default_err=$BG_ERR

dead refused "connection refused by 127.0.0.1 port 9" --base-url http://127.0.0.1:9/v1
dead unknown "nowhere.invalid" --base-url http://nowhere.invalid/v1
http_proxy=http://127.0.0.1:9 dead proxy "connection refused by the proxy 127.0.0.1 port 9" --base-url http://some.example/v1
https_proxy=http://127.0.0.1:9 dead tunnel "connection refused by the proxy 127.0.0.1 port 9" --base-url https://some.example/v1
served_by path 404.http "HTTP 404"
served_by page 404page.http "HTTP 404"
served_by method 405.http "HTTP 405"
served_by moved moved.http "HTTP 301"
served_by plain plain.http "use https://"
served_by website page.http "not JSON"
for status in 500 502 503 504 529; do
    served_by "http$status" $status.http "HTTP $status"
done
served_by reset reset "reset"
served_by closes close "Empty reply"
served_by nonsense nonsense.close "not HTTP"
served_by hangs hang "no answer within 1 s" --timeout 1s
start_simulator
dead tls "use http:// instead of https://" --base-url "${SIM_URL/http:/https:}/v1"
dead_ends
stop_simulator

t "without --outage-patience it stops within 30 s"
wait "$default_pid"
assert_eq 3 $? "exit code"
assert_empty default.jsonl
assert_contains "$default_err" "is --base-url right?"
assert_true "it stops in time" awk -v a="$began" -v b="$EPOCHREALTIME" -v slow="$SLOW" 'BEGIN { exit !(b - a < 31 + 10 * (slow - 1)) }'

t "the same command finishes once the server is there"
start_canned good.http
port=${CANNED_URL##*:}
run_ok in.jsonl -p openai --keys three.keys -m m -o refused.jsonl --base-url "http://127.0.0.1:$port/v1" --progress off
assert_json refused.jsonl 'map(select(.status == "ok")) | length' 300

t "a provider that comes late is waited for, and no row fails"
start_simulator --quiet
stop_simulator
"$BATCH_RUN" in.jsonl -p simulate -o late.jsonl --base-url "$SIM_URL/v1" --progress off 2>late.err &
late=$!
sleep 2
background "$BATCH_RUN" simulate --port "${SIM_URL##*:}" --quiet
wait $late
assert_eq 0 $? "exit code"
assert_json late.jsonl 'map(select(.status == "ok")) | length' 300

t "an outage in mid-run: rows wait, whatever --max-retries, and go on after it"
start_simulator --keys 3 --latency 100ms
"$BATCH_RUN" in.jsonl -p simulate --base-url "$SIM_URL/v1" -o mid.jsonl --max-retries 0 --progress off --summary mid.json 2>mid.err &
mid=$!
wait_until 10 test -s mid.jsonl
stop_simulator
sleep 5
background "$BATCH_RUN" simulate --port "${SIM_URL##*:}" --keys 3 --latency 20ms --quiet
SIM_PID=$PID
wait $mid
code=$?
assert_true "at most what was in flight is lost ($code)" test "$code" -le 1
assert_json mid.jsonl 'map(select(.status != "ok")) | length <= 1' true
assert_contains mid.err "its rows wait"
stop_simulator

t "an outage in mid-run that lasts: exit 3 after --outage-patience, and the next run finishes"
start_simulator --keys 3 --latency 100ms
"$BATCH_RUN" in.jsonl -p simulate --base-url "$SIM_URL/v1" -o lasts.jsonl --progress off --outage-patience 3s 2>lasts.err &
lasts=$!
wait_until 10 test -s lasts.jsonl
stop_simulator
wait $lasts
assert_eq 3 $? "exit code"
assert_json lasts.jsonl 'map(select(.status != "ok")) | length' 0
assert_match lasts.err '^error: simulate at .*refused'
start_simulator --keys 3 --quiet
run_ok in.jsonl -p simulate --base-url "$SIM_URL/v1" -o lasts.jsonl --progress off
assert_json lasts.jsonl 'map(select(.status == "ok")) | length' 300
stop_simulator

http_answer boom.http "500 Internal Server Error" '{"error":{"message":"boom"}}'
# poisoned ROW OPTIONS...
poisoned() {
    local row=$1
    shift
    t "row $row that alone makes the server fail, fails alone: $*"
    start_canned "q$row#=boom.http" good.http
    expect_exit 1 "$BATCH_RUN" in.jsonl "${CANNED[@]}" -m m -o "poison$row.jsonl" --overwrite --progress off --max-retries 2 "$@"
    assert_json "poison$row.jsonl" 'map(select(.status != "ok") | [.id, .error.message])' "[[\"r$row\",\"boom\"]]"
    assert_json "poison$row.jsonl" 'map(select(.status == "ok")) | length' 299
    assert_true "it was tried a few times" jq -se 'map(select(.status != "ok"))[0].attempts | . >= 3 and . <= 5' "poison$row.jsonl"
}
poisoned 1
poisoned 299
poisoned 150 --slots 1

t "rows whose deadline comes first end by it"
expect_exit 1 "$BATCH_RUN" in.jsonl --limit 5 -p openai --keys three.keys -m m -o deadline.jsonl --base-url http://127.0.0.1:9/v1 --deadline 1s --progress off
assert_json deadline.jsonl 'map(.error.class)' '["deadline","deadline","deadline","deadline","deadline"]'

t "an outage is not an error rate"
expect_exit 3 "$BATCH_RUN" in.jsonl -p openai --keys three.keys -m m -o rate.jsonl --base-url http://127.0.0.1:9/v1 --outage-patience 2s \
    --stop-on-error-rate 10% --summary rate.json --progress off
assert_json rate.json '.[0].stopped' '"outage"'

t "the next provider serves what it can; what only the dead one may serve stays undone"
start_canned good.http
{ cat in.jsonl; echo '{"id":"own","prompt":"x","provider":"openai"}'; } >both.jsonl
printf 'OPENAI_API_KEY=secret-one\nGROQ_API_KEY=secret-two\n' >both.env
expect_exit 3 "$BATCH_RUN" both.jsonl -p openai,groq --env-file both.env -o both.out.jsonl --outage-patience 3s --fallback-after 500ms \
    --base-url "openai=http://127.0.0.1:9/v1,groq=$CANNED_URL/v1" --progress off
assert_json both.out.jsonl 'map(select(.status == "ok" and .provider == "groq")) | length' 300
assert_lines both.out.jsonl 300
assert_contains "$ERR" "openai at http://127.0.0.1:9/v1: connection refused"
