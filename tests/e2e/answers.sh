#!/bin/bash
# answers.sh: what a 2xx answer means: answers that are none, and answers that come in odd forms.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

PROVIDER=openai

# events FILE TYPE DATA...: an event stream under this Content-Type ("" for none), closed at its end.
events() {
    local file=$1 type=$2 data
    shift 2
    {
        printf 'HTTP/1.1 200 OK\r\n%sConnection: close\r\n\r\n' "${type:+Content-Type: $type$'\r\n'}"
        for data; do
            printf 'data: %s\n\n' "$data"
        done
    } >"$file.close"
}

# ask [OPTIONS...] -- ANSWER...: one row to a server with these answers; the result goes to results.jsonl.
ask() {
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    [ -f in.jsonl ] || echo '{"id":"r0","prompt":"q0#"}' >in.jsonl
    start_canned "$@"
    run "$BATCH_RUN" in.jsonl "${CANNED[@]}" -p "$PROVIDER" -m m --no-input --overwrite -o results.jsonl "${options[@]}"
    kill "$CANNED_PID"
    ASKED=$(canned_requests)
}

# expect FILTER WANTED: of the one result.
expect() {
    assert_json results.jsonl ".[0]|$1" "$2"
}

chat_answer good.http good
START='{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"streamed"}}]}'
STOP='{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}'

t "finish reasons that are failures are retried, whatever text came with them"
for reason in network_error error abort insufficient_system_resource; do
    http_answer bad.http "200 OK" '{"choices":[{"index":0,"message":{"role":"assistant","content":"half"},"finish_reason":"'$reason'"}]}'
    events bad "text/event-stream" "$START" "${STOP/\"stop\"/\"$reason\"}" '[DONE]'
    ask -- bad.http good.http
    expect '[.status,.text,.attempts]' '["ok","good",2]'
    ask --stream -- bad.close good.http
    expect '[.status,.text,.attempts]' '["ok","good",2]'
done

t "an error beside choices or inside one fails or is retried by its words"
for error in '"choices":[{"index":0,"message":{"role":"assistant","content":"half"},"error":{"code":502,"message":"upstream failed"}}]' \
    '"error":{"code":502,"message":"upstream failed"},"choices":[{"index":0,"message":{"role":"assistant","content":"half"},"finish_reason":"stop"}]'; do
    http_answer bad.http "200 OK" "{$error}"
    ask -- bad.http good.http
    expect '[.status,.text,.attempts]' '["ok","good",2]'
done
http_answer same.http "200 OK" '{"error":null,"choices":[{"index":0,"message":{"content":"fine"},"finish_reason":"stop","error":{}}]}'
ask -- same.http
expect '[.status,.text,.attempts]' '["ok","fine",1]'

t "an empty answer of which nothing was counted is asked for again"
http_answer empty.http "200 OK" '{"choices":[{"index":0,"message":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":0}}'
ask -- empty.http good.http
expect '[.text,.attempts]' '["good",2]'
http_answer thought.http "200 OK" '{"choices":[{"index":0,"message":{"content":""},"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":9}}'
ask -- thought.http
expect '[.status,.text,.finish_reason,.attempts]' '["ok","","length",1]'

t "what policy kept back is content_filter, once"
http_answer filtered.http "200 OK" '{"choices":[{"index":0,"finish_reason":"content_filter","message":{"role":"assistant"}}]}'
ask -- filtered.http good.http
expect '[.error.class,.attempts]' '["content_filter",1]'
PROVIDER=zai
http_answer filtered.http "200 OK" '{"choices":[{"index":0,"finish_reason":"sensitive","message":{"role":"assistant","content":""}}]}'
ask -- filtered.http good.http
expect '[.error.class,.attempts]' '["content_filter",1]'
PROVIDER=openai

t "calls are told apart by id"
events calls "text/event-stream" \
    '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]}}]}' \
    '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"b","type":"function","function":{"name":"f","arguments":"{\"y\""}}]}}]}' \
    '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":2}"}}]},"finish_reason":"tool_calls"}]}' '[DONE]'
ask --stream -- calls.close
expect '[.tool_calls[]|[.id,.function.arguments]]' '[["a","{\"x\":1}"],["b","{\"y\":2}"]]'

t "events are known by their bytes, whatever type is named"
for type in "" application/json text/plain application/octet-stream; do
    events odd "$type" "$START" "$STOP" '[DONE]'
    ask --stream -- odd.close
    expect '[.status,.text,.usage.output_tokens,.attempts]' '["ok","streamed",2,1]'
    ask -- odd.close
    expect '[.status,.text,.attempts]' '["ok","streamed",1]'
done
{ printf 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\xef\xbb\xbf: hello\r\nevent: x\r\ndata: %s\r\n\r\ndata: %s\r\n\r\n' "$START" "$STOP"; } >mark.drip.close
ask -- mark.drip.close
expect '[.status,.text]' '["ok","streamed"]'
{ printf 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s\n%s\n' "$START" "$STOP"; } >lines.close
ask --stream -- lines.close
expect '[.status,.text]' '["ok","streamed"]'
{ printf 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n%s' "$(chat_body whole)"; } >whole.close
ask --stream -- whole.close
expect '[.status,.text]' '["ok","whole"]'

t "usage is read wherever it stands in a stream"
events usage "text/event-stream" "$START" \
    '{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":7,"completion_tokens":3,"cached_tokens":2}}]}' '[DONE]'
ask --stream -- usage.close
expect '.usage' '{"input_tokens":7,"output_tokens":3,"total_tokens":10,"cached_tokens":2}'

t "content in parts: text and thoughts"
http_answer parts.http "200 OK" '{"choices":[{"index":0,"message":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"T1"}]},{"type":"text","text":"a"},{"type":"output_text","text":"b"}]},"finish_reason":"stop"}]}'
ask -- parts.http
expect '[.text,.reasoning]' '["ab","T1"]'

t "several choices, a function call of the older form, sound"
http_answer two.http "200 OK" '{"choices":[{"index":0,"message":{"content":"one"},"finish_reason":"stop"},{"index":1,"message":{"content":"t\u0077o"},"finish_reason":"length"}]}'
ask -- two.http
expect '[.text,.choices]' '["one",[{"index":0,"text":"one","finish_reason":"stop"},{"index":1,"text":"two","finish_reason":"length"}]]'
assert_contains results.jsonl '"t\u0077o"'
events two "text/event-stream" '{"choices":[{"index":1,"delta":{"content":"two"}},{"index":0,"delta":{"content":"one"}}]}' \
    '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"},{"index":1,"delta":{},"finish_reason":"length"}]}' '[DONE]'
ask --stream -- two.close
expect '[.text,.choices]' '["one",[{"index":0,"text":"one","finish_reason":"stop"},{"index":1,"text":"two","finish_reason":"length"}]]'
http_answer function.http "200 OK" '{"choices":[{"index":0,"message":{"content":null,"function_call":{"name":"f","arguments":"{}"}},"finish_reason":"function_call"}]}'
ask -- function.http
expect '[.status,.tool_calls[0].function]' '["ok",{"name":"f","arguments":"{}"}]'
http_answer sound.http "200 OK" '{"choices":[{"index":0,"message":{"content":null,"audio":{"id":"s","data":"AAAA","transcript":"hi"}},"finish_reason":"stop"}]}'
ask -- sound.http
expect '[.status,.audio.transcript]' '["ok","hi"]'

t "a byte order mark, numbers that JSON does not have, and packed answers"
mark=$'\xef\xbb\xbf'
http_answer bom.http "200 OK" "$mark$(chat_body marked)"
ask --include-response -- bom.http
expect '[.text,.attempts,.response.model]' '["marked",1,"canned-1"]'
http_answer nan.http "200 OK" '{"choices":[{"index":0,"message":{"content":"NaN -Infinity"},"logprobs":{"content":[{"logprob":-Infinity},{"logprob":NaN}]},"finish_reason":"stop"}]}'
ask --include-response -- nan.http
expect '[.text,.attempts,(.response.choices[0].logprobs.content|map(.logprob))]' '["NaN -Infinity",1,[null,null]]'
events nan "text/event-stream" '{"choices":[{"index":0,"delta":{"content":"a"},"logprobs":[-Infinity],"finish_reason":"stop"}]}' '[DONE]'
ask --stream -- nan.close
expect '[.text,.attempts]' '["a",1]'
for named in 'Content-Encoding: gzip' 'X-Other: none'; do
    { printf 'HTTP/1.1 200 OK\r\n%s\r\nConnection: close\r\n\r\n' "$named"; chat_body packed | gzip; } >packed.close
    ask -- packed.close
    expect '[.text,.attempts]' '["packed",1]'
    { printf 'HTTP/1.1 200 OK\r\n%s\r\nConnection: close\r\n\r\n' "$named"; printf 'data: %s\n\ndata: %s\n\n' "$START" "$STOP" | gzip; } >packed.drip.close
    ask --stream -- packed.drip.close
    expect '[.text,.attempts]' '["streamed",1]'
done
{ printf 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'; head -c 200000000 /dev/zero | gzip -1; } >bomb.close
ask --max-reply-bytes 100000 -- bomb.close
expect '[.error.class,.attempts]' '["too_large",1]'

t "an answer promised with 202 is fetched with the same key, and not asked for again"
http_answer later.http "202 Accepted" '' 'NVCF-REQID: 1234-abcd' 'NVCF-STATUS: pending-evaluation'
ask -- later.http later.http good.http
expect '[.status,.text,.attempts,.http_status]' '["ok","good",1,200]'
assert_eq 3 "$ASKED" requests
assert_eq "GET /v1/status/1234-abcd" "$(sed -n 3p "$CANNED_LOG" | cut -d ' ' -f 4,5)" "the last request"
assert_eq 1 "$(cut -d ' ' -f 3 "$CANNED_LOG" | sort -u | wc -l)" keys
ask --timeout 1s --outage-patience 1s --summary summary.json -- later.http
assert_json summary.json '.[0] | [.stopped, (.errors | keys)]' '["outage",["timeout"]]'

# batch URL BODY ANSWER [OPTIONS...]: a batch line for this path.
batch() {
    printf '{"custom_id":"a","method":"POST","url":"%s","body":%s}\n' "$1" "$2" >in.jsonl
    http_answer answer.http "200 OK" "$3"
    shift 3
    ask "$@" -- answer.http
}

t "batch lines for any path"
RESPONSE='{"id":"resp_1","object":"response","status":"completed","error":null,"model":"m","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"why"}]},{"type":"message","content":[{"type":"output_text","text":"hello"}]},{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"}],"usage":{"input_tokens":5,"output_tokens":6,"total_tokens":11,"input_tokens_details":{"cached_tokens":1}}}'
batch /v1/responses '{"model":"m","input":"x"}' "$RESPONSE"
expect '[.status,.text,.reasoning,.tool_calls[0].id,.usage.input_tokens,.usage.cached_tokens,.attempts]' '["ok","hello","why","c1",5,1,1]'
assert_contains "$CANNED_LOG" "POST /v1/responses "
events response "text/event-stream" '{"type":"response.created","response":{"id":"resp_1","output":[]}}' \
    '{"type":"response.output_text.delta","delta":"hel"}' '{"type":"response.completed","response":'"$RESPONSE"'}'
ask --format openai -- response.close
expect '[.response.body.object,.response.body.output[1].content[0].text]' '["response","hello"]'
batch /v1/responses '{"model":"m","input":"x"}' '{"object":"response","status":"failed","error":{"code":"server_error","message":"it broke"},"output":[]}' --outage-patience 1s --summary summary.json
assert_json summary.json '.[0] | [.stopped, .errors.server.message]' '["outage","it broke"]'
batch /v1/embeddings '{"model":"m","input":"x"}' '{"object":"list","data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":5,"completion_tokens":0,"total_tokens":5}}'
expect '[.status,.text,.usage.input_tokens,.attempts]' '["ok",null,5,1]'
batch /v1/completions '{"model":"m","prompt":"x"}' '{"choices":[{"index":0,"text":"old","finish_reason":"stop"}]}'
expect '[.status,.text]' '["ok","old"]'
batch /v1/moderations '{"input":"x"}' '{"id":"modr","results":[{"flagged":false}]}' --include-response
expect '[.status,.text,.response.results[0].flagged]' '["ok",null,false]'
batch /v1/images/generations '{"prompt":"x"}' '{"created":1,"data":[{"b64_json":"AA"}]}' --format anthropic
expect '.result.message.data[0].b64_json' '"AA"'

t "what cannot be served is refused before anything is sent"
batch /v1/files '{"x":1}' '{}'
expect '[.error.class,.attempts]' '["bad_input",0]'
assert_eq 0 "$ASKED" requests
PROVIDER=anthropic
batch /v1/responses '{"model":"m","input":"x"}' '{}'
expect '[.error.class,.attempts]' '["bad_input",0]'

t "the same in Anthropic's and Google's words"
echo '{"id":"r0","prompt":"q0#"}' >in.jsonl
http_answer good.http "200 OK" '{"content":[{"type":"text","text":"good"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2,"cache_creation_input_tokens":3}}'
http_answer bad.http "200 OK" '{"content":[],"stop_reason":"refusal","usage":{"input_tokens":1,"output_tokens":0}}'
ask -- bad.http
expect '[.error.class,.attempts]' '["content_filter",1]'
ask -- good.http
expect '[.text,.usage.input_tokens,.usage.cache_write_tokens]' '["good",4,3]'
events calls "" '{"type":"message_start","message":{"id":"m1","model":"m"}}' \
    '{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}' \
    '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"b","name":"g","input":{}}}' \
    '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"y\":2}"}}' \
    '{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"x\":1}"}}' \
    '{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":5}}' '{"type":"message_stop"}'
ask --stream -- calls.close
expect '[.tool_calls[]|[.id,.function.arguments]]' '[["a","{\"x\":1}"],["b","{\"y\":2}"]]'
PROVIDER=google
http_answer good.http "200 OK" '{"candidates":[{"content":{"parts":[{"text":"one"}]},"finishReason":"STOP"},{"index":1,"content":{"parts":[{"text":"two"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2,"cachedContentTokenCount":1,"thoughtsTokenCount":3}}'
for reason in MALFORMED_FUNCTION_CALL OTHER; do
    http_answer bad.http "200 OK" '{"candidates":[{"content":{"parts":[{"text":"half"}]},"finishReason":"'$reason'"}]}'
    ask -- bad.http good.http
    expect '[.text,(.choices|map(.text)),.attempts,.usage.output_tokens]' '["one",["one","two"],2,5]'
done
http_answer bad.http "200 OK" '{"promptFeedback":{"blockReason":"OTHER"}}'
ask -- bad.http good.http
expect '[.error.class,.attempts]' '["content_filter",1]'
http_answer array.http "200 OK" '[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},
{"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}]}]'
ask -- array.http
expect '[.status,.text]' '["ok","ab"]'
