#!/bin/bash
# identity.sh: a row is known by what it asks for. When what all rows have in common changed, nothing is
# sent before somebody decided.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

start_simulator --latency 1ms
before=0
# send OPTIONS...
send() {
    run "$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o out.jsonl --quiet "$@"
}
# ended CODE REQUESTS
ended() {
    local now
    now=$(sim_stats .requests)
    assert_eq "$1" "$STATUS" "exit code"
    assert_eq "$2" $((now - before)) "requests"
    before=$now
}

jq -nc 'range(6) | {id: "r\(.)", prompt: "p\(.)", q: "q\(.)", note: 1}' >in.jsonl
FIRST=(--prompt-field q --system one --model m1 --temperature 0)

# NAME OPTIONS-OF-ANOTHER-RUN, as the message says it
changes() {
    local said=$1 format=$2
    shift 2
    rm -f out.jsonl
    send --format "$format" "${FIRST[@]}"
    ended 0 6
    send --format "$format" "${FIRST[@]}"
    ended 0 0
    cp out.jsonl copy
    send --format "$format" "${FIRST[@]}" "$@"
    ended 2 0
    assert_contains "$ERR" "6 rows were answered with other settings: $said;"
    assert_same copy out.jsonl
    send --format "$format" "${FIRST[@]}" "$@" --changed keep
    ended 0 0
    assert_same copy out.jsonl
    send --format "$format" "${FIRST[@]}" "$@" --changed resend
    ended 0 6
    assert_lines out.jsonl 6
    send --format "$format" "${FIRST[@]}" "$@"
    ended 0 0
}

for format in native openai anthropic gemini; do
    t "another system prompt, model, prompt field or parameter: $format"
    changes 'system prompt "one" -> "two"' $format --system two
    changes 'model "m1" -> "m2"' $format --model m2
    changes 'template or prompt field "q" -> "prompt"' $format --prompt-field prompt
    changes 'parameters "temperature=0" -> "temperature=1"' $format --temperature 1
    changes 'system prompt "one" -> "two", model "m1" -> "m2"' $format --system two --model m2
done

t "another template; one that is long is cut in the message"
rm -f out.jsonl
long=$(printf '%0300d' 0)
send --template "A {{q}} $long"
ended 0 6
send --template "B {{prompt}} $long"
ended 2 0
assert_contains "$ERR" 'template or prompt field "A {{q}} 000'
assert_contains "$ERR" '…" -> "B {{prompt}}'
send --template "B {{prompt}} $long" --no-input --changed keep
ended 0 0

t "without input in the results too"
rm -f out.jsonl
send --no-input --model m1
ended 0 6
send --no-input --model m2
ended 2 0

t "a row that says it itself is not concerned"
rm -f out.jsonl
jq -nc 'range(4) | {id: "r\(.)", prompt: "p", system: "own", model: "own"}' >in.jsonl
send --system one --model m1
ended 0 4
send --system two --model m2
ended 0 0
jq -nc '{id: "r9", prompt: "p"}' >>in.jsonl
send --system two --model m2
ended 0 1
send --system three --model m2
ended 2 0
assert_contains "$ERR" '1 row was answered with other settings: system prompt "two" -> "three"'

t "a row that changed is sent again, alone; a field that is not sent may change"
jq -c 'if .id == "r1" then .prompt = "other" else .note = 2 end' in.jsonl >edited && mv edited in.jsonl
send --system two --model m2
ended 0 1
assert_lines out.jsonl 5

t "results without recorded settings go on as before"
jq -c 'del(.settings, .run_settings)' out.jsonl >old && mv old out.jsonl
send --system four --model m4
ended 0 0

t "a kill in the middle of sending again: the rest is sent by the next run that is told so"
rm -f out.jsonl
jq -nc 'range(6) | {id: "r\(.)", prompt: "p\(.)"}' >in.jsonl
send --model m1
ended 0 6
cp out.jsonl first
send --model m2 --changed resend --max-requests 3
ended 3 3
send --model m2
ended 2 0
assert_contains "$ERR" '3 rows were answered with other settings'
send --model m2 --changed resend
ended 0 3
cat first out.jsonl >both && mv both out.jsonl
send --model m2
ended 0 0

t "a failed row is sent again whatever changed"
rm -f out.jsonl
send --model m1
ended 0 6
jq -c '.status = "error" | .error = {class: "server", code: null, message: "x", http_status: 500}' out.jsonl >failed
mv failed out.jsonl
send --model m2
ended 0 6
stop_simulator
