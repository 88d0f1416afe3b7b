#!/bin/bash
# formats.sh: results as lines of the providers' own batch services: whoever answered, plain or as a
# stream, resumed after kills, never mixed.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

FORMATS="openai anthropic gemini"

# What every format has, wherever it has it: [id, text, stop, output tokens, key]
read_lines() { # FORMAT FILE
    case $1 in
    openai) jq -c '.response.body as $b | [.custom_id, $b.choices[0].message.content, $b.choices[0].finish_reason, $b.usage.completion_tokens, .key]' "$2" ;;
    anthropic) jq -c '.result.message as $m | [.custom_id, ($m.content | map(select(.type == "text").text) | first), $m.stop_reason, $m.usage.output_tokens, .key]' "$2" ;;
    gemini) jq -c '.response.candidates[0] as $c | [.key, ($c.content.parts | map(.text // empty) | first), $c.finishReason, .response.usageMetadata.candidatesTokenCount, .api_key]' "$2" ;;
    esac | LC_ALL=C sort
}
members() { # FORMAT: of an answer's line
    case $1 in
    openai) echo '["id","custom_id","response","error","key"]' ;;
    anthropic) echo '["custom_id","result","key","input_hash"]' ;;
    gemini) echo '["key","response","api_key","input_hash"]' ;;
    esac
}
stop_word() {
    case $1 in openai) echo stop ;; anthropic) echo end_turn ;; gemini) echo STOP ;; esac
}
ids() {
    case $1 in gemini) echo .key ;; *) echo .custom_id ;; esac
}
failed() { # FORMAT: whether a line is of a failed row
    case $1 in openai) echo '.error != null' ;; anthropic) echo '.result.type == "errored"' ;; gemini) echo 'has("error")' ;; esac
}

seq 30 | sed 's/.*/{"id":"row &","prompt":"question & in so many words"}/' >in.jsonl
start_simulator --keys 3 --write-keys keys.env
OPENAI_API_KEY=$(sed -n 's/^SIMULATE_API_KEY_[1-3]=//p' keys.env | paste -sd ,)
export OPENAI_API_KEY ANTHROPIC_API_KEY=$OPENAI_API_KEY GEMINI_API_KEY=$OPENAI_API_KEY

for format in $FORMATS; do
    for provider in openai anthropic google; do
        base=/v1
        if [ $provider = google ]; then base=/v1beta; fi
        send=(in.jsonl --provider "$provider" --base-url "$SIM_URL$base" --overwrite --format "$format")
        t "$format lines from $provider, plain and as a stream"
        run_ok "${send[@]}" -o plain.jsonl
        run_ok "${send[@]}" -o stream.jsonl --stream
        for file in plain.jsonl stream.jsonl; do
            assert_lines $file 30
            assert_json $file 'map(keys_unsorted - ["settings", "run_settings"]) | unique' "[$(members "$format")]"
            read_lines "$format" $file >lines
            assert_eq 30 "$(jq -s "map(select(.[1] == \"question \" + (.[0][4:]) + \" in so many words\" and
                .[2] == \"$(stop_word "$format")\" and .[3] > 0 and (.[4] | startswith(\"$provider-\")))) | length" lines)" "good lines of $file"
        done
    done
done

t "a call of a tool is in the words of each format"
echo '{"id":"t","messages":[{"role":"user","content":"see"}],"tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}]}' >tool.jsonl
for stream in --stream=no --stream; do
    for provider in openai anthropic; do
        send=(tool.jsonl --provider "$provider" --base-url "$SIM_URL/v1" -o out.jsonl --overwrite "$stream" --format)
        run_ok "${send[@]}" openai
        assert_json out.jsonl '.[0].response.body.choices[0] | [.finish_reason, .message.tool_calls[0].function.name, (.message.tool_calls[0].function.arguments | fromjson)]' \
            '["tool_calls","look",{"text":"see"}]'
        run_ok "${send[@]}" anthropic
        assert_json out.jsonl '.[0].result.message | [.stop_reason, (.content[] | select(.type == "tool_use") | .name, .input)]' '["tool_use","look",{"text":"see"}]'
        run_ok "${send[@]}" gemini
        assert_json out.jsonl '.[0].response.candidates[0] | [.finishReason, .content.parts[0].functionCall.name, .content.parts[0].functionCall.args]' \
            '["STOP","look",{"text":"see"}]'
    done
done
stop_simulator

t "a provider's own words go in byte for byte"
export BATCH_RUN_QUIET=1
echo '{"prompt":"x"}' >one.jsonl
MESSAGE='{ "content" :[ {"type":"text","text":"a\u0000\/b"}],"usage":{"input_tokens":1.0},"big":12345678901234567890}'
CANDIDATE='{ "candidates" :[ {"content":{"parts":[{"text":"a\u0000\/b"}]},"finishReason":"STOP"}],"big":12345678901234567890}'
http_answer message.http "200 OK" "$MESSAGE"
http_answer candidate.http "200 OK" "$CANDIDATE"
http_answer refused.http "400 Bad Request" '{"type":"error","error":{"type":"invalid_request_error","message":"no"},"request_id":"req_1"}'
http_answer invalid.http "400 Bad Request" '{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT","details":[1.0]}}'
one() { # EXIT ANSWER PROVIDER FORMAT
    start_canned "$2"
    expect_exit "$1" "$BATCH_RUN" one.jsonl "${CANNED[@]}" --provider "$3" --format "$4" -o out.jsonl --overwrite
}
one 0 message.http anthropic anthropic
assert_eq "{\"custom_id\":\"1\",\"result\":{\"type\":\"succeeded\",\"message\":$MESSAGE},\"key\":\"anthropic-1\"}" "$(jq -rR 'sub(",\"input_hash\":\"[0-9a-f]{16}\""; "") | sub(",\"run_settings\":.*,\"settings\":\"[-0-9a-f.]+[+]?\"}$"; "}")' out.jsonl)"
one 0 candidate.http google gemini
assert_eq "{\"key\":\"1\",\"response\":$CANDIDATE,\"api_key\":\"google-1\"}" "$(jq -rR 'sub(",\"input_hash\":\"[0-9a-f]{16}\""; "") | sub(",\"run_settings\":.*,\"settings\":\"[-0-9a-f.]+[+]?\"}$"; "}")' out.jsonl)"
one 1 refused.http anthropic anthropic
assert_eq '{"custom_id":"1","result":{"type":"errored","error":{"type":"error","error":{"type":"invalid_request_error","message":"no"},"request_id":"req_1"}},"key":"anthropic-1"}' "$(jq -rR 'sub(",\"input_hash\":\"[0-9a-f]{16}\""; "") | sub(",\"run_settings\":.*,\"settings\":\"[-0-9a-f.]+[+]?\"}$"; "}")' out.jsonl)"
one 1 invalid.http google gemini
assert_eq '{"key":"1","error":{"code":400,"message":"no","status":"INVALID_ARGUMENT","details":[1.0]},"api_key":"google-1"}' "$(jq -rR 'sub(",\"input_hash\":\"[0-9a-f]{16}\""; "") | sub(",\"run_settings\":.*,\"settings\":\"[-0-9a-f.]+[+]?\"}$"; "}")' out.jsonl)"

t "a failure in another provider's words is told in the format's own"
http_answer 400.http "400 Bad Request" '{"error":{"message":"bad thing","type":"invalid_request_error","code":"bad_thing"}}'
one 1 400.http openai anthropic
assert_json out.jsonl '.[0].result' '{"type":"errored","error":{"type":"error","error":{"type":"invalid_request_error","message":"bad thing","code":"bad_thing"}}}'
one 1 400.http openai gemini
assert_json out.jsonl '.[0].error | [.code, .status, .message, .details[0].reason]' '[400,"INVALID_ARGUMENT","bad thing","bad_thing"]'
unset BATCH_RUN_QUIET

for format in $FORMATS; do
    t "$format: killed at any moment, again and again: every row once at the end"
    rows 2500 >many.jsonl
    start_simulator --latency uniform:5ms-40ms --fault 429=3%,500=2%,reset=1% --retry-after 10ms
    SEND=(many.jsonl --provider simulate --base-url "$SIM_URL/v1" -o "$format.jsonl" --format "$format" --slots-per-key 8 --cooldown 10ms --max-retries 20 --quiet)
    kill_often 8 1800 "$format.jsonl" "$BATCH_RUN" "${SEND[@]}"
    assert_true "a kill came before the end ($LINES)" test "$KILLED" -gt 0 -a "$LINES" -lt 2500
    head -c -7 "$format.jsonl" >torn && mv torn "$format.jsonl"
    run_ok "${SEND[@]}"
    assert_json "$format.jsonl" "map($(ids "$format") | tonumber) | sort == [range(1; 2501)]" true
    read_lines "$format" "$format.jsonl" >lines
    assert_json lines 'map(.[1] == "question " + .[0]) | all' true
    asked=$(sim_stats .requests)
    run_ok "${SEND[@]}"
    assert_eq "$asked" "$(sim_stats .requests)" "requests, when all is done"
    stop_simulator

    t "$format: failed rows are sent again, kept ones are not, bad ones are said again once"
    rows 40 >few.jsonl
    echo '{"nothing":1}' >>few.jsonl
    start_simulator --fault 500=40% --seed 2
    SEND=(few.jsonl --provider simulate --base-url "$SIM_URL/v1" -o few.out --format "$format")
    rm -f few.out
    expect_exit 1 "$BATCH_RUN" "${SEND[@]}" --max-retries 0
    count=$(jq -s "map(select($(failed "$format"))) | length" few.out)
    assert_true "some failed, some did not ($count)" test "$count" -gt 1 -a "$count" -lt 40
    LC_ALL=C sort few.out >before
    made=$(sim_stats .requests)
    expect_exit 1 "$BATCH_RUN" "${SEND[@]}" --no-retry-failed
    LC_ALL=C sort few.out >after
    assert_same before after
    assert_eq "$made" "$(sim_stats .requests)" "requests"
    expect_exit 1 "$BATCH_RUN" "${SEND[@]}" --max-retries 30
    assert_lines few.out 41
    assert_json few.out "map(select($(failed "$format"))) | length" 1
    assert_json few.out "map($(ids "$format")) | unique | length" 41
    stop_simulator
done

t "the formats are not mixed"
run_ok in.jsonl --provider simulate -o native.jsonl
for format in native $FORMATS; do
    for other in native $FORMATS; do
        if [ "$format" = "$other" ]; then continue; fi
        cp "$format.jsonl" before
        expect_exit 2 "$BATCH_RUN" in.jsonl --provider simulate -o "$format.jsonl" --format "$other"
        assert_contains "$ERR" "another --format"
        assert_same before "$format.jsonl"
    done
done

t "an input of one line without its end is not taken for a result cut short"
for row in '{"custom_id":"1","params":{"messages":[]}}' '{"key":"1","request":{"contents":[]}}' '{"id":"1","prompt":"x"}'; do
    printf %s "$row" >mine
    cp mine before
    for format in native $FORMATS; do
        expect_exit 2 "$BATCH_RUN" in.jsonl --provider simulate -o mine --format "$format"
        assert_same before mine
    done
done
