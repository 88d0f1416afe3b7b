#!/bin/bash
# Every wire against the simulator: rows of all shapes, the provider's own refusals, the counters.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# Three of the simulator's keys as a list.
sim_keys() {
    sed -n 's/^SIMULATE_API_KEY_[1-3]=//p' keys.env | paste -sd ,
}

cat >rows.jsonl <<'ROWS'
{"id":"prompt","prompt":"one \u0000 \ud83d\ude00","system":"brief","max_tokens":50,"temperature":0.10}
{"id":"talk","messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"two"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}}]}]}
{"id":"tools","messages":[{"role":"user","content":"three"}],"tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}],"tool_choice":"auto"}
{"id":"result","messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"seen"},{"role":"user","content":"four"}]}
{"id":"bad","messages":[{"role":"robot","content":"x"}]}
ROWS
cp rows.jsonl anthropic.jsonl
echo '{"custom_id":"own","params":{"max_tokens":9,"messages":[{"role":"user","content":"five"}]}}' >>anthropic.jsonl
echo '{"key":"foreign","request":{"contents":[]}}' >>anthropic.jsonl
cp rows.jsonl google.jsonl
echo '{"key":"own","request":{"contents":[{"parts":[{"text":"five"}]}]}}' >>google.jsonl
echo '{"custom_id":"foreign","params":{}}' >>google.jsonl

# Result lines by id, with what is there to compare.
summary() {
    jq -c '[.id,.status,.provider,(.text // .error.class // .tool_calls[0].function.name),.finish_reason]' "$1" |
        LC_ALL=C sort
}

check_wire() { # PROVIDER VARIABLE BASE STOP TOOLS
    local provider=$1 variable=$2 base=$3 stop=$4 tools=$5
    t "$provider: rows of every shape come back as results"
    export "$variable=$(sim_keys)"
    expect_exit 1 "$BATCH_RUN" "$provider.jsonl" --provider "$provider" --base-url "$SIM_URL$base" -o out.jsonl
    summary out.jsonl >got
    cat >wanted <<WANTED
["bad","error",null,"bad_input",null]
["foreign","error",null,"bad_input",null]
["own","ok","$provider","five","$stop"]
["prompt","ok","$provider","one \u0000 😀","$stop"]
["result","ok","$provider","four","$stop"]
["talk","ok","$provider","two","$stop"]
["tools","ok","$provider","look","$tools"]
WANTED
    diff wanted got >diffs || fail "$(cat diffs)"
    assert_json out.jsonl 'map(select(.id=="bad"))[0].error.message | contains("role is not system")' true
    assert_json out.jsonl 'map(select(.status=="ok") | .usage.total_tokens > 0) | all' true
    assert_eq 5 "$(sim_stats '[.keys[].ok] | add')" "ok"
    assert_eq 5 "$(sim_stats .requests)" "requests"
    rm -f out.jsonl
    unset "$variable"
}

t "the simulator starts"
start_simulator --keys 4 --write-keys keys.env
check_wire anthropic ANTHROPIC_API_KEY /v1 end_turn tool_use
curl -sS -X POST "$SIM_URL/stats/reset" >"$OUT"
check_wire google GEMINI_API_KEY /v1beta STOP STOP

stop_simulator

t "a row that names another provider is put into its format"
export ANTHROPIC_API_KEY GOOGLE_API_KEY
ANTHROPIC_API_KEY=$(sim_keys) GOOGLE_API_KEY=$(sim_keys)
echo '{"prompt":"x","provider":"google"}' >row.jsonl
echo '{"prompt":"x","provider":"anthropic","response_format":{"type":"json_object"}}' >>row.jsonl
expect_exit 1 "$BATCH_RUN" row.jsonl --provider anthropic --dry-run
assert_contains "$ERR" '/v1beta/models/gemini-3.5-flash-lite:generateContent'
assert_contains "$ERR" '{"contents":[{"role":"user","parts":[{"text":"x"}]}]}'
assert_contains "$ERR" 'json_object has no counterpart'

t "refusals in each provider's own words"
start_simulator --keys 4 --dead-key 1 --rpm 60000
rm -f out.jsonl
rows 20 >many.jsonl
for provider in anthropic google; do
    base=/v1
    if [ $provider = google ]; then base=/v1beta; fi
    run_ok many.jsonl --provider $provider --base-url "$SIM_URL$base" -o out.jsonl --overwrite --summary summary.json
    assert_json out.jsonl 'map(select(.status=="ok")) | length' 20
    assert_json summary.json ".[0].keys | map(select(.key == \"$provider-1\"))[0] | [.state,.requests,.ok]" \
        '["unavailable",1,0]'
done
stop_simulator
