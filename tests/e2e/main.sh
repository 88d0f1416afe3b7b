#!/bin/bash
# main.sh: the main job on a real file of questions: every row answered with its own text, the keys in
# turn, never more in flight than was allowed.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

COUNT=1319
GSM8K=${GSM8K:-$ROOT/../shared/data/gsm8k_test.jsonl}

# Rows of the same shape: long texts with newlines, quotes, LaTeX, dollars, and what UTF-8 has.
made_up_rows() {
    jq -cn --argjson n $COUNT 'range($n) | {question: ("Ann has \(.) apples at $\(. * 3)/kg; she said \"take ½\".\nHow "
        + ("many " * (. % 40)) + "— \\frac{\(.)}{2} — are left? 🍎"),
        answer: "She has <<\(.)*2=\(. * 2)>>\(. * 2).\n#### \(. * 2)"}'
}

if [ -f "$GSM8K" ]; then
    cp "$GSM8K" gsm8k.jsonl
else
    echo "# $GSM8K is not there: the rows are made up"
    made_up_rows >gsm8k.jsonl
fi

# expect_results PROMPT: 1,319 results whose text is what jq makes of the row by PROMPT, in any order.
expect_results() {
    assert_lines results.jsonl $COUNT
    jq -r '[.index, (.text | @json)] | @tsv' results.jsonl | sort -n | cut -f 2- >got
    jq -r '[0, (.p | @json)] | @tsv' <(jq -c "{p: ($1)}" gsm8k.jsonl) | cut -f 2- >wanted
    assert_same wanted got
    jq -c . gsm8k.jsonl >rows
    jq -c '[.index, .input]' results.jsonl | sort -t'[' -k2n | sed -E 's/^\[[0-9]+,(.*)\]$/\1/' >inputs
    assert_same rows inputs
    assert_json results.jsonl 'map(select(.status == "ok" and .attempts == 1 and .http_status == 200
        and .finish_reason == "stop" and .provider == "simulate")) | length' $COUNT
    assert_json results.jsonl 'map(.id == "\(.index + 1)") | all' true
    assert_json results.jsonl 'group_by(.key) | map(length) | sort' '[439,440,440]'
}

expect_stats() {
    assert_ledger summary.json
    assert_json .stats.json '.[0].keys | map(.requests) | sort' '[439,440,440]'
    assert_json .stats.json '.[0].keys | map(.in_flight_max)' '[1,1,1]'
    assert_json .stats.json '.[0].in_flight_max' 3
    assert_json .stats.json '.[0].early' 0
}

start_simulator --latency 1
SEND=(gsm8k.jsonl --provider simulate --base-url "$SIM_URL/v1" -o results.jsonl --summary summary.json)

t "1,319 questions by --prompt-field"
assert_lines gsm8k.jsonl $COUNT
run_ok "${SEND[@]}" --prompt-field question
assert_empty "$OUT"
expect_results .question
expect_stats

t "the same again sends nothing"
cp results.jsonl before
run_ok "${SEND[@]}" --prompt-field question
assert_same before results.jsonl
assert_eq $COUNT "$(sim_stats .requests)" "requests"
assert_json summary.json '.[0].jobs' "{\"total\":$COUNT,\"ok\":0,\"failed\":0,\"skipped\":$COUNT}"

t "1,319 questions by a template over both fields"
curl -sS -X POST "$SIM_URL/stats/reset" >/dev/null
run_ok "${SEND[@]}" --overwrite --template 'Q: {{question}} / {{{{A}} = "{{answer}}"'
expect_results '"Q: " + .question + " / {{A}} = \"" + .answer + "\""'
expect_stats

t "a template from a file"
printf 'Check:\n{{answer}}\nagainst {{question}}\n' >check.txt
run_ok gsm8k.jsonl --provider simulate --base-url "$SIM_URL/v1" -o - --limit 50 --template @check.txt
jq -r '[.index, .text] | @json' "$OUT" | sort -t'[' -k2n >got
head -n 50 gsm8k.jsonl | jq -c '"Check:\n\(.answer)\nagainst \(.question)"' >wanted
jq -s -c '.[] | .[1] | rtrimstr("\n")' got >texts
assert_same wanted texts

t "the table says the same as the summary"
run_ok gsm8k.jsonl --provider simulate --base-url "$SIM_URL/v1" -o table.jsonl --limit 12 --prompt-field question
assert_match "$ERR" '^simulate-1 +healthy +4 +4 +0 +0 .*33\.3%'
assert_match "$ERR" '^simulate-3 +healthy +4 +4 +0 +0 .*33\.3%'
assert_contains "$ERR" 'jobs: 12 ok, 0 failed'

t "--slots holds for all keys together"
curl -sS -X POST "$SIM_URL/stats/reset" >/dev/null
run_ok "${SEND[@]}" --overwrite --prompt-field question --limit 60 --slots-per-key 4 --slots 2
assert_eq 2 "$(sim_stats .in_flight_max)" "in flight at once"
assert_eq '[20,20,20]' "$(sim_stats '[.keys[].requests]')" "requests by key"

t "--slots-per-key is kept to and used"
stop_simulator
start_simulator --latency 30
run_ok gsm8k.jsonl --provider simulate --base-url "$SIM_URL/v1" -o slots.jsonl --prompt-field question \
    --limit 120 --slots-per-key 4
assert_eq '[4,4,4]' "$(sim_stats '[.keys[].in_flight_max]')" "in flight by key"
assert_eq 12 "$(sim_stats .in_flight_max)" "in flight at once"
