#!/bin/bash
# limits.sh: keys that are refused for their rate rest, jobs move on or wait, and nothing fails over it.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

rows 60 >in.jsonl
all_ok() { # FILE N
    assert_lines "$1" "$2"
    assert_json "$1" 'map(select(.status == "ok")) | length' "$2"
    assert_json "$1" 'map(.text == "question \(.index + 1)") | all' true
    assert_json "$1" '[.[].index] | unique | length' "$2"
}

t "one of three keys answers 429 with Retry-After: 2: nothing fails, it is left alone"
start_simulator --fault 429=100% --fault-key 2 --retry-after 2s --latency 100
SEND=(--provider simulate --base-url "$SIM_URL/v1" --summary summary.json)
rows 60 >in.jsonl
run_ok in.jsonl "${SEND[@]}" --max-retries 0 -o results.jsonl
all_ok results.jsonl 60
assert_json results.jsonl 'map(.key) | unique' '["simulate-1","simulate-3"]'
assert_ledger summary.json
assert_json .stats.json '.[0].early' 0
# 60 rows at 2 × 10/s take three seconds: it is asked at the start and after the two it asked for
assert_json .stats.json '.[0].keys[1] | .requests == .rate_limited and .requests >= 2 and .requests <= 3' true
assert_json summary.json '.[0].keys[1].state' '"rate_limited"'
assert_json summary.json '.[0].keys[1].cooling_until | type' '"string"'
assert_json summary.json '.[0].keys[1].reason | type' '"string"'
# each 429 belongs to a row that another key then answered: attempts count it
assert_json results.jsonl "map(.attempts) | add == $(jq .attempts summary.json)" true
assert_json results.jsonl 'map(select(.attempts > 1)) | length >= 2' true
stop_simulator

t "the key that is named is the one that answered"
chat_answer good.http '@KEY@'
{
    printf 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
    printf 'Connection: close\r\n\r\n'
    chat_body 'ok'
} >good.close
http_answer 429.http "429 Too Many Requests" '{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}' \
    "Retry-After: 1"
start_canned 429.http good.close
rows 4 >four.jsonl
run_ok four.jsonl "${CANNED[@]}" -o named.jsonl --summary summary.json --max-retries 0
assert_json named.jsonl 'map(select(.status == "ok")) | length' 4
# what the server saw: for each body, the token of its last request
jq -r '[.input.prompt, .key, .attempts] | @tsv' named.jsonl | sort >said
while read -r _ _ token _ _ _ body; do
    jq -r --arg t "$token" '[.messages[0].content, (if $t == "canned-secret-number-one" then "openai-1" else "openai-2" end)] | @tsv' <<<"$body"
done <"$CANNED_LOG" | awk -F '\t' '{ key[$1] = $2; n[$1]++ } END { for (p in key) print p "\t" key[p] "\t" n[p] }' | sort >seen
assert_same seen said
assert_json summary.json '.[0].rate_limited' 1

t "Retry-After is kept to, and no other wait stands in its place"
head -n 1 "$WORK/.canned.keys" >one.keys
start_canned 429.http good.close
run_ok four.jsonl "${CANNED[@]}" --keys one.keys -o waited.jsonl --max-retries 0
read -r first _ <"$CANNED_LOG"
again=$(sed -n '2s/ .*//p' "$CANNED_LOG")
assert_true "asked again after a second (first $first, then $again)" \
    test "$again" -ge $((first + 1000)) -a "$again" -lt $((first + 1000 + 1000 * SLOW))

t "a limit that is announced is kept before it bites"
# each key lets 40 through, then one every 1.5 s
start_simulator --rpm 40 --keys 3
rows 126 >in.jsonl
run_ok in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o kept.jsonl --summary summary.json \
    --max-retries 0
all_ok kept.jsonl 126
assert_ledger summary.json
assert_json .stats.json '.[0].rate_limited <= 2' true
stop_simulator

t "all keys limited at once: the run waits for the first to return"
start_simulator --rpm 40 --keys 3 --silent
rows 126 >in.jsonl
run_ok in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o limited.jsonl --summary summary.json \
    --max-retries 0
all_ok limited.jsonl 126
assert_ledger summary.json
assert_json .stats.json '.[0].early' 0
assert_json .stats.json '.[0].rate_limited >= 3' true
assert_json summary.json '.[0].keys | map(.ok >= 40) | all' true
stop_simulator

t "the only key limited: its rows wait for it"
start_simulator --keys 1 --fault 429=50% --retry-after 1s --seed 3
rows 4 >in.jsonl
curl -s -X POST "$SIM_URL/stats/reset" >/dev/null
"$BATCH_RUN" simulate --keys 1 --write-keys one.env --port 0 --quiet >/dev/null &
writer=$!
wait_until 10 test -s one.env
kill $writer
wait $writer 2>/dev/null
run_ok in.jsonl --provider simulate --env-file one.env --base-url "$SIM_URL/v1" -o one.jsonl --summary summary.json --max-retries 0
all_ok one.jsonl 4
assert_ledger summary.json
assert_json .stats.json '.[0].early' 0
assert_json .stats.json '.[0].rate_limited >= 1' true
stop_simulator

t "a fixed --cooldown goes before the hint"
http_answer 429long.http "429 Too Many Requests" '{"error":{"message":"slow down","code":"rate_limit_exceeded"}}' \
    "Retry-After: 3600"
chat_answer good.http ok
start_canned 429long.http 429long.http good.http
rows 3 >in.jsonl
run_ok in.jsonl "${CANNED[@]}" -o cool.jsonl --summary summary.json --cooldown 700ms
assert_json cool.jsonl 'map(select(.status == "ok")) | length' 3
assert_eq 5 "$(canned_requests)" "requests"
# the third request may come no sooner than 700 ms after the first or second, and did not wait an hour
assert_true "the third request came after the pause: $(cut -d' ' -f1 "$CANNED_LOG" | tr '\n' ' ')" \
    awk 'NR == 1 { first = $1 } NR == 3 { exit !($1 >= first + 700) }' "$CANNED_LOG"

t "a 429 without a hint is waited out too"
http_answer 429bare.http "429 Too Many Requests" '{"error":{"message":"busy"}}'
# a first one may be its row's own; when another row is refused too, the key rests
start_canned 429bare.http 429bare.http 429bare.http 429bare.http good.http
run_ok in.jsonl "${CANNED[@]}" -o bare.jsonl --max-retries 0
assert_json bare.jsonl 'map(select(.status == "ok")) | length' 3
assert_true "at least a second passed" \
    awk 'NR == 1 { first = $1 } NR == 6 { exit !($1 >= first + 700) }' "$CANNED_LOG"

t "a long rest of all keys is said, and costs no CPU"
start_simulator --keys 3 --fault 429=100% --retry-after 2h
rows 4 >resting.jsonl
background "$BATCH_RUN" resting.jsonl --provider simulate --base-url "$SIM_URL/v1" -o rest.jsonl --progress off
run=$PID
wait_until 10 grep -q 'all keys are rate limited until 20' "$BG_ERR"
before=$(cut -d' ' -f14,15 "/proc/$run/stat" | tr ' ' +)
sleep 1
after=$(cut -d' ' -f14,15 "/proc/$run/stat" | tr ' ' +)
assert_true "no CPU while all rest" test $((after - before)) -le 1
kill "$run"
wait "$run"
assert_eq 130 $? "exit code"
assert_eq 1 "$(grep -c 'all keys are rate limited until.*the run waits' "$BG_ERR")" "said once"
stop_simulator

t "rows of fifty models behind a key that rests: nobody is asked again and again"
start_simulator --keys 1 --latency 200ms
seq 50 | sed 's/.*/{"prompt":"p","model":"m&"}/' >models.jsonl
background "$BATCH_RUN" models.jsonl --provider simulate --base-url "$SIM_URL/v1" --slots-per-key 64 --rpm 12 \
    -o models.results.jsonl --quiet
run=$PID
sleep 1
before=$(cut -d' ' -f14,15 "/proc/$run/stat" | tr ' ' +)
sleep 2
after=$(cut -d' ' -f14,15 "/proc/$run/stat" | tr ' ' +)
assert_true "$((after - before)) ticks of CPU in 2 s" test $((after - before)) -le 20
kill -INT "$run"
wait "$run"
assert_eq 130 $? "exit code"
stop_simulator

t "--deadline ends the wait for a key"
start_canned 429long.http
expect_exit 1 "$BATCH_RUN" in.jsonl "${CANNED[@]}" -o late.jsonl --deadline 1s
assert_json late.jsonl 'map(.error.class) | unique' '["deadline"]'
assert_lines late.jsonl 3

t "a request that --deadline breaks off is nobody's failure"
start_simulator --latency 2s
rows 18 >in.jsonl
expect_exit 1 "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o cut.jsonl \
    --summary summary.json --deadline 500ms --log-level info
assert_json cut.jsonl 'map(.error.class) | unique' '["deadline"]'
assert_not_contains "$ERR" "keys pause"
assert_json summary.json '[.[0].keys[].health] | unique' '[100]'
stop_simulator
rows 3 >in.jsonl
