#!/bin/bash
# network.sh: servers that refuse, break off and dawdle; proxies; and that nothing is sent twice. Those
# that lie are in hostile.sh.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

rows 1 >one.jsonl
rows 2 >two.jsonl
rows 6 >in.jsonl
chat_answer good.http ok
printf 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"choices":[' >truncated.close
http_answer limit200.http "200 OK" '{"error":{"message":"slow down","code":"rate_limit_exceeded"}}'
printf 'complete nonsense\r\n\r\n' >nonsense.close
http_answer 400.http "400 Bad Request" '{"error":{"message":"never","code":"bad"}}'
http_answer 502.http "502 Bad Gateway" '<html>bad gateway</html>'
http_answer 503.http "503 Service Unavailable" '{"error":{"message":"soon"}}' 'Retry-After: 1'

# fails CLASS ANSWER: a row that gets it each time, while another is served, fails as CLASS after two
# attempts; followed by a good answer it is retried.
fails() {
    local class=$1 answer=$2
    shift 2
    start_canned "question 1=$answer" good.http
    expect_exit 1 "$BATCH_RUN" two.jsonl "${CANNED[@]}" -o - --max-retries 1 "$@"
    assert_json "$OUT" 'map(select(.id == "1") | [.error.class, .attempts])' "[[\"$class\",2]]"
    assert_json "$OUT" 'map(select(.id == "1"))[0].error.message | length > 3' true
    assert_true "requests with $answer" test "$(canned_requests)" -ge 3 # one more where a kept connection ended
    start_canned "$answer" good.http
    run_ok one.jsonl "${CANNED[@]}" -o - --max-retries 1 "$@"
    assert_json "$OUT" 'map([.text, .attempts])' '[["ok",2]]'
    assert_eq 2 "$(canned_requests)" "requests with $answer and a good one"
}

t "answers that are broken off, garbled or late are retried and named"
fails network reset
fails network close
fails network truncated.close
fails bad_response nonsense.close
fails server 502.http
fails timeout hang --timeout 300ms

t "a refusal inside of 200 cools the key and uses up no retry"
start_canned limit200.http limit200.http good.http
run_ok one.jsonl "${CANNED[@]}" -o - --max-retries 0 --cooldown 50ms
assert_json "$OUT" 'map([.text, .attempts])' '[["ok",3]]'

t "Retry-After of a 503 is kept to"
start_canned 503.http good.http
run_ok one.jsonl "${CANNED[@]}" -o -
assert_true "a second passed" awk 'NR == 1 { a = $1 } NR == 2 { exit !($1 >= a + 1000) }' "$CANNED_LOG"

t "what no retry can help is sent once to each of two accounts, where its words do not say whose fault it is"
start_canned 400.http
expect_exit 1 "$BATCH_RUN" in.jsonl "${CANNED[@]}" -o -
assert_json "$OUT" 'map([.error.class, .error.code, .attempts, .http_status]) | unique' '[["invalid_request","bad",2,400]]'
assert_eq 12 "$(canned_requests)" "requests"

t "nobody listens"
start_canned good.http
url=$CANNED_URL
kill "$CANNED_PID"
wait "$CANNED_PID" 2>/dev/null
expect_exit 3 "$BATCH_RUN" one.jsonl "${CANNED[@]}" -o - --max-retries 1 --outage-patience 1s --summary summary.json
assert_empty "$OUT"
assert_contains "$ERR" "connection refused by 127.0.0.1 port ${url#http://127.0.0.1:}"
assert_json summary.json '.[0].stopped' '"outage"'

t "a name that is none"
expect_exit 3 "$BATCH_RUN" one.jsonl --provider openai --keys .canned.keys --base-url http://nowhere.invalid/v1 -o - \
    --outage-patience 1s
assert_empty "$OUT"
assert_contains "$ERR" nowhere.invalid

t "a connection that is never made: --connect-timeout"
background "$TOOLS/deaf"
url=$(wait_for_url "$BG_OUT")
from=$EPOCHREALTIME
expect_exit 3 "$BATCH_RUN" one.jsonl --provider openai --keys .canned.keys --base-url "$url/v1" -o - --outage-patience 1s \
    --connect-timeout 300ms --timeout 50s
assert_match "$ERR" '^error: .*(timed out|Timeout)'
assert_true "it does not wait for --timeout" awk -v a="$from" -v b="$EPOCHREALTIME" 'BEGIN { exit !(b - a < 20) }'

t "a redirect is not followed: its target gets nothing"
start_canned good.http
target_log=$CANNED_LOG target_url=$CANNED_URL
for status in 301 302 307 308; do
    http_answer redirect.http "$status Moved" '' "Location: $target_url/v1/chat/completions"
    start_canned redirect.http
    expect_exit 3 "$BATCH_RUN" one.jsonl "${CANNED[@]}" -o - --outage-patience 1s
    assert_empty "$OUT"
    assert_contains "$ERR" "HTTP $status: redirected to"
    start_canned "question 1=redirect.http" good.http
    expect_exit 1 "$BATCH_RUN" two.jsonl "${CANNED[@]}" -o - --slots 1 --max-retries 3
    assert_json "$OUT" 'map(select(.id == "1") | [.error.class, .http_status])' "[[\"bad_response\",$status]]"
done
assert_empty "$target_log"

t "an answer over --max-reply-bytes"
chat_answer long.http "$(head -c 60000 /dev/zero | tr '\0' x)"
start_canned long.http
expect_exit 1 "$BATCH_RUN" one.jsonl "${CANNED[@]}" -o - --max-reply-bytes 50000 --max-retries 3
assert_json "$OUT" 'map([.error.class, .attempts])' '[["too_large",1]]'
assert_contains "$OUT" --max-reply-bytes
run_ok one.jsonl "${CANNED[@]}" -o - --max-reply-bytes 70000

t "answers that are slow but come are waited for"
start_simulator --fault slow=100%
run_ok one.jsonl --provider simulate --base-url "$SIM_URL/v1" -o - --timeout 20s
assert_json "$OUT" 'map([.text, .attempts])' '[["question 1",1]]'
stop_simulator

t "a connection that breaks while it is reused: sent again, and counted apart"
start_canned good.http close good.http close close good.http reset good.http
run_ok in.jsonl "${CANNED[@]}" -o - --slots 1 --summary summary.json
assert_eq "$(canned_requests)" "$(jq '.attempts + .sent_again' summary.json)" "counted, requests received"
assert_json "$OUT" 'map(.status) | unique' '["ok"]'
start_canned good.http close
expect_exit 3 "$BATCH_RUN" in.jsonl "${CANNED[@]}" -o - --slots 1 --outage-patience 1s --summary summary.json
assert_eq "$(canned_requests)" "$(jq '.attempts + .sent_again' summary.json)" "attempts counted, requests received"

t "connections are kept and used again"
start_canned good.http
rows 40 >forty.jsonl
run_ok forty.jsonl "${CANNED[@]}" -o -
assert_eq 40 "$(canned_requests)" "requests"
assert_true "at most one connection a slot: $(cut -d ' ' -f 2 "$CANNED_LOG" | sort -u | wc -l)" \
    test "$(cut -d ' ' -f 2 "$CANNED_LOG" | sort -u | wc -l)" -le 2

t "a server that closes after each answer is served all the same"
closing_answer good.close "200 OK" "$(chat_body ok)"
start_canned good.close
run_ok forty.jsonl "${CANNED[@]}" -o - --max-retries 0 --summary summary.json
assert_eq 40 "$(canned_requests)" "requests"
assert_eq 40 "$(jq .attempts summary.json)" "attempts"

t "http_proxy, as curl has it"
start_canned good.http
PROXY_ARGS=(--provider openai --keys .canned.keys -o - --outage-patience 1s)
http_proxy=$CANNED_URL run_ok one.jsonl "${PROXY_ARGS[@]}" --base-url http://provider.invalid/v1
assert_contains "$CANNED_LOG" 'POST http://provider.invalid/v1/chat/completions'
asked=$(canned_requests)
# curl reads the lower-case name alone for http
HTTP_PROXY=$CANNED_URL run "$BATCH_RUN" one.jsonl "${PROXY_ARGS[@]}" --base-url http://provider.invalid/v1
assert_eq 3 "$STATUS" "exit code with HTTP_PROXY"
assert_eq "$asked" "$(canned_requests)" "requests"

t "HTTPS_PROXY: a tunnel is asked for, and the proxy never sees the key"
http_answer 403.http "403 Forbidden" 'no tunnel'
start_canned 403.http
for name in HTTPS_PROXY https_proxy ALL_PROXY; do
    before=$(canned_requests)
    env "$name=$CANNED_URL" "$BATCH_RUN" one.jsonl "${PROXY_ARGS[@]}" --base-url https://provider.invalid/v1 >out 2>err
    assert_eq 3 $? "exit code with $name"
    assert_empty out
    assert_true "$name is used" test "$(canned_requests)" -gt "$before"
done
assert_contains "$CANNED_LOG" 'CONNECT provider.invalid:443'
assert_not_contains "$CANNED_LOG" canned-secret

t "NO_PROXY and the embedded simulator go past the proxy"
start_canned 403.http
proxy_log=$CANNED_LOG proxy=$CANNED_URL
start_canned good.http
http_proxy=$proxy NO_PROXY=127.0.0.1 run_ok one.jsonl "${CANNED[@]}" -o -
http_proxy=$proxy no_proxy='*' run_ok one.jsonl "${CANNED[@]}" -o -
http_proxy=$proxy ALL_PROXY=$proxy run_ok one.jsonl --provider simulate -o -
assert_empty "$proxy_log"

t "two addresses: the connections to both are kept"
start_simulator --latency 10 --keys 1 --write-keys keys.env
a_pid=$SIM_PID a_url=$SIM_URL
start_simulator --latency 10 --keys 1
key=$(sed -n 's/^SIMULATE_API_KEY_*1*=//p' keys.env)
seq 800 | awk 'BEGIN { srand(1) } { printf "{\"prompt\":\"p\",\"provider\":\"%s\"}\n", rand() < 0.5 ? "groq" : "zai" }' >two.jsonl
GROQ_API_KEY=$key ZAI_API_KEY=$key run_ok two.jsonl --provider groq,zai --model zai:m,groq:m --slots 8 \
    --slots-per-key 8 --base-url "groq=$a_url/v1,zai=$SIM_URL/v1" -o two.results.jsonl
b_url=$SIM_URL
for SIM_URL in "$a_url" "$b_url"; do
    assert_true "$(sim_stats .connections) connections to $SIM_URL" test "$(sim_stats .connections)" -le 12
done
kill "$a_pid"
stop_simulator

t "few descriptors: fewer requests at once, and none fails for want of one"
start_simulator --keys 300 --latency 20
rows 1200 >many.jsonl
with_files() { # LIMIT...: of ulimit
    (
        ulimit "$@" || exit 1
        exec timeout $((LIMIT * SLOW)) "$BATCH_RUN" many.jsonl --provider simulate --simulate "--keys 300" \
            --base-url "$SIM_URL/v1" --slots-per-key 4 --max-retries 0 -o many.results.jsonl --overwrite \
            --quiet 2>"$ERR"
    )
    assert_eq 0 $? "exit code with $*"
    assert_json many.results.jsonl 'map(.status) | unique' '["ok"]'
}
with_files -n 256
assert_contains "$ERR" "ulimit -n"

t "a soft limit of descriptors is raised"
if [ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -gt 4096 ]; then
    with_files -Sn 256
    assert_not_contains "$ERR" "ulimit -n"
fi
stop_simulator

t "--timeout is kept to however busy the thread is"
background "$TOOLS/canned" deaf.log hang
deaf_url=$(wait_for_url "$BG_OUT")
start_simulator --keys 200 --reply words:300 --quiet
(
    echo '{"id":"deaf","prompt":"p","provider":"openai"}'
    yes '{"prompt":"p","provider":"simulate"}' | head -n 500000
) >flood.jsonl
background env OPENAI_API_KEY=a nice -n 10 "$BATCH_RUN" flood.jsonl --provider simulate,openai --simulate "--keys 200" \
    --base-url "simulate=$SIM_URL/v1,openai=$deaf_url/v1" --stream --timeout 2s --max-retries 0 --slots-per-key 4 \
    -o flood.results.jsonl --no-input --progress off
flood=$PID
assert_true "the silent one is over while others go on" wait_until 20 grep -q "no answer within 2 s" "$BG_ERR"
assert_true "they do" kill -INT "$flood"
sleep 0.6 # sooner is the same wish
kill -INT "$flood" 2>/dev/null
wait "$flood"
stop_simulator

t "a proxy that wants a user and password says so, for http and through a tunnel"
http_answer proxy.http "407 Proxy Authentication Required" '' 'Proxy-Authenticate: Basic realm="x"' "Connection: close"
mv proxy.http proxy.close
start_canned proxy.close
printf '{"prompt":"a"}\n' >one.jsonl
for scheme in http https; do
    OPENAI_API_KEY=k http_proxy=$CANNED_URL https_proxy=$CANNED_URL run timeout -s INT 2 "$BATCH_RUN" one.jsonl \
        --overwrite -o proxy.jsonl --quiet -p openai --base-url $scheme://provider.invalid/v1 --max-retries 0 --log-level debug
    assert_contains "$ERR" "the proxy wants a user and password; put them into http_proxy or HTTPS_PROXY"
done
