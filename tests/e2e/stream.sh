#!/bin/bash
# stream.sh: --stream. The same results as without it on every wire, the time to the first token, and
# streams that fail, stall, break off or come in odd pieces.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

# -- streams for canned --

chunk() { # MEMBERS of an OpenAI chunk
    printf 'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","model":"canned-1",%s}\n\n' "$1"
}
delta() { # MEMBERS of a delta
    chunk '"choices":[{"index":0,"delta":{'"$1"'},"finish_reason":null}]'
}
ending() { # finish, usage and [DONE]
    chunk '"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]'
    chunk '"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}'
    printf 'data: [DONE]\n\n'
}
STREAM_HEAD='HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n'

# closing_stream FILE.close: events from stdin; the connection's end is theirs.
closing_stream() {
    {
        printf '%bConnection: close\r\n\r\n' "$STREAM_HEAD"
        cat
    } >"$1"
}
# open_stream FILE: the same in one chunk of HTTP, and no end.
open_stream() {
    cat >.events
    {
        printf '%bTransfer-Encoding: chunked\r\n\r\n%x\r\n' "$STREAM_HEAD" "$(wc -c <.events)"
        cat .events
        printf '\r\n'
    } >"$1"
}
good_stream() { # FILE.close TEXT
    {
        delta '"role":"assistant","content":""'
        delta '"content":"'"$2"'"'
        ending
    } | closing_stream "$1"
}

# ask EXIT OPTIONS...: the row of one.jsonl to canned, streaming; results in out.jsonl
ask() {
    local wanted=$1
    shift
    expect_exit "$wanted" "$BATCH_RUN" "${ROWS:-one.jsonl}" "${CANNED[@]}" --stream -o out.jsonl --overwrite --cooldown 10ms "$@"
}
result() { # FILTER WANTED
    assert_json out.jsonl "sort_by(.index) | .[-1] | $1" "$2"
}
echo '{"prompt":"x"}' >one.jsonl
# the last row fails by itself: the one before was served, so that it is no outage
printf '{"prompt":"served"}\n{"prompt":"x"}\n' >two.jsonl
good_stream good.close "so far"

# -- the wires, against the simulator --

cat >rows.jsonl <<'ROWS'
{"id":"prompt","prompt":"one \u0000 \ud83d\ude00 and a good many words more, so that there are pieces","system":"brief"}
{"id":"talk","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"two ä\n\"quoted\""}]}
{"id":"tools","messages":[{"role":"user","content":"three"}],"tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}]}
ROWS
seq 40 | sed 's/.*/{"id":"row &","prompt":"question & of several words, to be answered with several words"}/' >>rows.jsonl

# What has to be the same either way, in the order of the ids.
essence() {
    jq -c '[.id,.status,.text,.finish_reason,.usage,.model,(.tool_calls // [] | map([.type,.function]))]' "$1" |
        LC_ALL=C sort
}

check_wire() { # PROVIDER VARIABLE BASE
    local provider=$1 variable=$2 base=$3
    export "$variable=$(sed -n 's/^SIMULATE_API_KEY_[1-4]=//p' keys.env | paste -sd ,)"
    local send=(rows.jsonl --provider "$provider" --base-url "$SIM_URL$base" --slots-per-key 4)
    t "$provider: the same results as without --stream"
    run_ok "${send[@]}" -o plain.jsonl --overwrite --summary plain.json
    run_ok "${send[@]}" -o stream.jsonl --overwrite --summary stream.json --stream
    assert_lines stream.jsonl 43
    essence plain.jsonl >wanted
    essence stream.jsonl >got
    diff wanted got >diffs || fail "$(head -n 5 diffs)"
    assert_json stream.jsonl 'map(.usage.output_tokens > 0) | all' true
    assert_json stream.jsonl 'map(select(.id == "tools"))[0].tool_calls[0].function | [.name, (.arguments | fromjson)]' \
        '["look",{"text":"three"}]'

    t "$provider: the time to the first token, where there is one"
    assert_json stream.jsonl 'map(.ttft_ms > 0 and .ttft_ms < .latency_ms) | all' true
    assert_json stream.jsonl 'map(select(.id | startswith("row")) | .latency_ms >= 75) | all' true
    # it comes after a quarter of the time; single ones may be late on a busy machine
    assert_json stream.jsonl 'map(select(.id | startswith("row")) | .ttft_ms / .latency_ms) | sort | .[length / 2 | floor] < 0.8' true
    assert_json plain.jsonl 'map(has("ttft_ms")) | any' false
    assert_json stream.json '.[0].ttft_ms | keys_unsorted' '["p50","p90","p95","p99","max"]'
    assert_json stream.json '.[0] | .ttft_ms.p50 > 0 and .ttft_ms.max < .latency_ms.max' true
    assert_json plain.json '.[0] | has("ttft_ms")' false
    assert_match "$ERR" '^first token: p50 [0-9.]+ m?s, '

    t "$provider: what --include-response shows is in the provider's shape either way"
    run_ok "${send[@]}" -o plain.jsonl --overwrite --include-response
    run_ok "${send[@]}" -o stream.jsonl --overwrite --include-response --stream
    assert_json plain.jsonl 'map(.response | type) | unique' '["object"]'
    assert_json stream.jsonl 'map(.response | type) | unique' '["object"]'
    shape() {
        jq -c --arg p "$provider" '[.id, (.response | {
            openai: [.object?, .choices[0]?.message.content?, .choices[0]?.finish_reason?, .usage?.total_tokens?],
            anthropic: [.type?, .role?, .content?[0]?.text?, .stop_reason?, .usage?.output_tokens?],
            google: [.candidates?[0]?.content.parts[0].text?, .candidates?[0]?.finishReason?, .usageMetadata?.totalTokenCount?]
            }[$p])]' "$1" | LC_ALL=C sort
    }
    shape plain.jsonl >wanted
    shape stream.jsonl >got
    diff wanted got >diffs || fail "$(head -n 5 diffs)"
    unset "$variable"
}

t "the simulator starts"
start_simulator --keys 4 --write-keys keys.env --latency 80ms
check_wire openai OPENAI_API_KEY /v1
check_wire anthropic ANTHROPIC_API_KEY /v1
check_wire google GEMINI_API_KEY /v1beta
stop_simulator

t "faults of all kinds: every row gets its answer, and the counters agree"
rows 300 >many.jsonl
start_simulator --latency 4ms --fault truncated=4%,malformed=4%,reset=3%,500=3%,429=4%,html=2%,empty=2% --retry-after 10ms
run_ok many.jsonl --provider simulate --base-url "$SIM_URL/v1" -o faults.jsonl --stream --slots-per-key 8 --max-retries 30 --cooldown 10ms --summary summary.json
assert_json faults.jsonl 'map(.text == .input.prompt and .ttft_ms > 0) | all' true
assert_ledger summary.json
stop_simulator

t "an answer that drips takes its time and is whole"
start_simulator --fault slow=100%
run_ok one.jsonl --provider simulate --base-url "$SIM_URL/v1" -o out.jsonl --overwrite --stream --stall-timeout 2s
result '[.text, .latency_ms > 2500, .ttft_ms < 2000]' '["x",true,true]'
stop_simulator

t "non-2xx answers are read as they are without --stream"
http_answer 500.http "500 Internal Server Error" '{"error":{"message":"The server had an error","type":"server_error"}}'
start_canned served=good.close 500.http
ROWS=two.jsonl ask 1 --max-retries 0 --slots 1
result '[.error.class, .error.http_status, has("ttft_ms")]' '["server",500,false]'
result '.error.message | length > 10' true

# -- a server that lies --

t "a stream in odd pieces: byte by byte, CRLF, a BOM, comments, pings, other fields"
{
    printf '\xef\xbb\xbf: hello\r\n\r\nretry: 3\r\nid: 1\r\nevent: message\r\n'
    delta '"role":"assistant","content":""' | sed 's/$/\r/'
    printf ':\r\rdata:{"choices":[{"index":0,\rdata: "delta":{"content":"é\\n\xf0\x9f\x98\x80 "}}]}\r\r'
    delta '"content":"\ud83d\ude00"'
    printf 'data: {"choices":[{"index":1,"delta":{"content":"another choice"}}]}\n\n'
    ending
} | closing_stream odd.drip.close
start_canned odd.drip.close
ask 0
result '[.text, .finish_reason, .model, .usage.total_tokens]' '["é\n😀 😀","stop","canned-1",3]'
assert_match "$CANNED_LOG" '"stream":true,"stream_options":\{"include_usage":true\}'

t "tool calls in pieces"
{
    delta '"content":null,"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"look","arguments":""}}]'
    delta '"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]'
    delta '"tool_calls":[{"index":1,"id":"c2","function":{"name":"see","arguments":"{}"}}]'
    delta '"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]'
    ending
} | closing_stream calls.close
start_canned calls.close
ask 0
result '[.text, (.tool_calls | map([.id, .function.name, .function.arguments]))]' \
    '[null,[["c1","look","{\"a\":1}"],["c2","see","{}"]]]'

t "a provider that ignores the wish is read as it answers"
chat_answer plain.http "no stream"
start_canned plain.http
ask 0 --summary summary.json
result '[.text, has("ttft_ms")]' '["no stream",false]'
assert_json summary.json '.[0].ttft_ms.p50' null

t "JSON that is called a stream: an answer, an error"
{
    printf '%bConnection: close\r\n\r\n' "$STREAM_HEAD"
    chat_body "still read"
} >called.close
{
    printf '%bConnection: close\r\n\r\n' "$STREAM_HEAD"
    printf '{"error":{"message":"the model is overloaded","type":"server_error"}}'
} >refused.close
start_canned refused.close called.close
ask 0
result '[.text, .attempts]' '["still read",2]'

t "a batch line that asks for a stream gets one without --stream, and is sent as it stands"
echo '{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}}' >native.jsonl
start_canned good.close
run_ok native.jsonl "${CANNED[@]}" -o out.jsonl --overwrite --summary summary.json
result '[.text, .ttft_ms > 0]' '["so far",true]'
assert_json summary.json '.[0].ttft_ms.p50 > 0' true
assert_eq '{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}' "$(canned_bodies)" "the body"
sed -i 's/"stream":true,//' native.jsonl
start_canned plain.http
run_ok native.jsonl "${CANNED[@]}" -o out.jsonl --overwrite --stream
result '[.text, has("ttft_ms")]' '["no stream",false]'
assert_eq '{"model":"m","messages":[{"role":"user","content":"x"}]}' "$(canned_bodies)" "the body"

t "Mistral is not asked for usage"
start_canned good.close
run_ok one.jsonl "${CANNED[@]}" --provider mistral --stream -o out.jsonl --overwrite
result .text '"so far"'
assert_match "$CANNED_LOG" '"stream":true\}$'
assert_not_contains "$CANNED_LOG" stream_options

t "an error in a stream, before and behind its first word, is a verdict like any other"
printf 'data: {"error":{"message":"The server is busy","type":"server_error"}}\n\n' | closing_stream busy.close
{
    delta '"content":"half"'
    printf 'data: {"error":{"message":"The server is busy","type":"server_error"}}\n\n'
} | closing_stream late.close
{
    delta '"content":"half"'
    printf 'event: error\ndata: {"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}\n\n'
} | closing_stream bad.close
start_canned busy.close late.close good.close
ask 0
result '[.text, .attempts]' '["so far",3]'
start_canned served=good.close late.close
ROWS=two.jsonl ask 1 --max-retries 0 --slots 1
result '[.error.class, .error.message, .error.http_status, .ttft_ms > 0]' '["server","The server is busy",200,true]'
start_canned bad.close good.close
ask 1
result '[.error.class, .error.code, .attempts]' '["invalid_request","context_length_exceeded",1]'

t "Anthropic's error event: the provider is overloaded, the key is not to blame"
{
    printf 'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"c","usage":{"input_tokens":3,"output_tokens":1}}}\n\n'
    printf 'event: ping\ndata: {"type":"ping"}\n\n'
    printf 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
} | closing_stream overloaded.close
start_canned overloaded.close
ask 3 --provider anthropic --max-retries 0 --summary summary.json --outage-patience 1s
assert_json summary.json '.[0] | [.stopped, .errors.server.message]' '["outage","Overloaded"]'
assert_json summary.json '.[0].keys | map(.state == "unavailable") | any' false

t "a stream that ends early is no answer, and is asked for again"
delta '"content":"half"' | closing_stream half.close
{
    delta '"content":"half"'
    printf 'data: {"choices":[{"index":0,"delta":{"content":"and'
} | closing_stream torn.close
: | closing_stream nothing.close
start_canned half.close torn.close nothing.close good.close
ask 0
result '[.text, .attempts]' '["so far",4]'
start_canned served=good.close half.close
ROWS=two.jsonl ask 1 --max-retries 0 --slots 1
result '[.error.class, .error.message]' '["bad_response","the stream is no answer: it ended before the answer was complete"]'

t "a refusal is a refusal, whatever type it is said to have"
good_stream 400.close "never mind"
sed -i '1s/200 OK/400 Bad Request/' 400.close
start_canned 400.close
ask 1
result '[.error.class, .error.http_status, .attempts]' '["invalid_request",400,2]'

t "a connection that breaks within a stream"
delta '"content":"half"' | open_stream broken.http.close
start_canned broken.http.close good.close
ask 0
result '[.text, .attempts]' '["so far",2]'
start_canned served=good.close broken.http.close
ROWS=two.jsonl ask 1 --max-retries 0 --slots 1
result .error.class '"network"'

t "a connection that breaks behind the answer does no harm"
{
    delta '"content":"all of it"'
    ending
} | open_stream complete.http.close
start_canned complete.http.close
ask 0
result '[.text, .attempts, .usage.total_tokens]' '["all of it",1,3]'

t "a stream that stalls is given up and asked for again"
delta '"content":"half"' | open_stream stalls.http
start_canned stalls.http good.close
ask 0 --stall-timeout 400ms
result '[.text, .attempts]' '["so far",2]'
start_canned served=good.close stalls.http
ROWS=two.jsonl ask 1 --stall-timeout 400ms --max-retries 0 --slots 1
result '[.error.class, .error.message]' '["timeout","the stream stalled: nothing came for 0.4 s"]'
result '.latency_ms >= 400 and .latency_ms < 1400' true

t "pings are signs of life, and the first byte may take its time"
{
    printf '%bConnection: close\r\n\r\n@PAUSE@@PAUSE@@PAUSE@' "$STREAM_HEAD"
    printf ': ping\n\n@PAUSE@: ping\n\n@PAUSE@: ping\n\n@PAUSE@: ping\n\n@PAUSE@'
    delta '"content":"slowly"'
    ending
} >slow.close
start_canned slow.close
ask 0 --stall-timeout 700ms
result '[.text, .attempts, .ttft_ms > 2000]' '["slowly",1,true]'

t "--timeout counts all the same"
start_canned served=good.close slow.close
ROWS=two.jsonl ask 1 --stall-timeout 700ms --timeout 1s --max-retries 0 --slots 1
result .error.class '"timeout"'

t "a server that says it is done and does not end is not waited for"
{
    delta '"content":"all of it"'
    ending
} | open_stream endless.http
start_canned endless.http
ask 0
result '[.text, .attempts, .latency_ms < 5000]' '["all of it",1,true]'

t "a stream beyond --max-reply-bytes"
{
    for _ in $(seq 400); do delta '"content":"0123456789"'; done
    ending
} | closing_stream long.close
start_canned long.close
ask 1 --max-reply-bytes 2000
result '[.error.class, .attempts]' '["too_large",1]'
ask 0 --max-reply-bytes 8000
result '.text | length' 4000

t "a key that comes back in pieces is masked"
{
    delta '"content":"your key: canned-secret-"'
    delta '"content":"number-one canned-secret-number-"'
    delta '"content":"two"'
    ending
} | closing_stream echo.close
start_canned echo.close
ask 0 --include-response
assert_no_match out.jsonl 'canned-secret-number-one.*canned-secret-number-two'
result '.text | test("cann\\*\\*\\*\\*")' true
