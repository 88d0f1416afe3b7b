#!/bin/bash
# why.sh: what is said about failures: reasons by class in the provider's words, with advice that fits,
# and totals that are true.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

# requests N: rows r0 … with prompts q0# …, to in.jsonl
requests() {
    local i
    for ((i = 0; i < $1; i++)); do
        printf '{"id":"r%d","prompt":"q%d#"}\n' "$i" "$i"
    done >in.jsonl
}

# error_answer FILE "STATUS REASON" MESSAGE [CODE]
error_answer() {
    http_answer "$1" "$2" "{\"error\":{\"message\":\"$3\",\"code\":\"${4:-}\"}}"
}

chat_answer good.http ok

t "reasons by class, on the screen and in the summary, with what to do"
requests 12
error_answer 400.http "400 Bad Request" "max_tokens is too large: 64000"
error_answer 500.http "500 Internal Server Error" "the server is on fire"
start_canned 'q1#=400.http' 'q2#=400.http' 'q5#=500.http' good.http
expect_exit 1 "$BATCH_RUN" in.jsonl "${CANNED[@]}" -o r.jsonl --max-retries 1 --summary s.json
assert_json s.json '.[0].errors | [.invalid_request, .server] | map([.rows, .attempts, .message, (.example_id | sub("[12]"; "N"))])' \
    '[[2,4,"max_tokens is too large: 64000","rN"],[1,2,"the server is on fire","r5"]]'
assert_json s.json '.[0].errors | keys' '["invalid_request","server"]'
assert_match "$ERR" '^2 rows failed: invalid_request, for example row r[12]: max_tokens is too large: 64000$'
assert_match "$ERR" '^    the provider refuses the request itself: change the row'
assert_match "$ERR" '^1 row failed: server, row r5: the server is on fire$'
assert_eq 1 "$(grep -c 'run the same command again' "$ERR")" "said for the server's failure alone"
kill "$CANNED_PID"

t "only what the same command may mend is sent again"
requests 3
printf 'not json\n' >>in.jsonl
error_answer filter.http "400 Bad Request" "blocked by the content management policy" content_filter
start_canned 'q1#=400.http' 'q2#=filter.http' good.http
expect_exit 1 "$BATCH_RUN" in.jsonl "${CANNED[@]}" -o r.jsonl --overwrite --summary s.json
assert_json s.json '.[0].errors | map_values(.rows)' '{"bad_input":1,"invalid_request":1,"content_filter":1}'
assert_not_contains "$ERR" 'again to'
assert_no_match "$ERR" 'same command'
assert_contains "$ERR" 'correct these rows'
kill "$CANNED_PID"

t "failed attempts of rows that succeeded are counted too, and a run without failures has none"
requests 4
start_canned 500.http good.http
run_ok in.jsonl "${CANNED[@]}" -o r.jsonl --overwrite --summary s.json
assert_json s.json '.[0] | [.jobs.ok, .errors.server.rows, .errors.server.attempts]' '[4,0,1]'
assert_no_match "$ERR" 'failed: server'
rm r.jsonl
run_ok in.jsonl "${CANNED[@]}" -o r.jsonl --summary s.json
assert_json s.json '.[0].errors' '{}'
assert_json s.json '.[0] | (.rows_per_s > 0) and (.requests_per_s > 0)' true
kill "$CANNED_PID"

t "advice for a key that is not accepted names the key"
error_answer 401.http "401 Unauthorized" "Incorrect API key provided" invalid_api_key
start_canned 401.http
expect_exit 3 "$BATCH_RUN" in.jsonl "${CANNED[@]}" -o r401.jsonl --summary s.json
assert_match "$ERR" 'attempts? failed: auth, .*row r[0-9]: Incorrect API key provided'
assert_match "$ERR" 'check that the key is complete.*: openai-[12]$'
assert_contains "$ERR" 'once a key can be used again, the same command goes on'
kill "$CANNED_PID"

t "the totals are those of the whole input, also when the run stops early"
rows 20000 >many.jsonl
expect_exit 3 "$BATCH_RUN" many.jsonl --provider simulate --max-requests 10 -o many.out --summary s.json
assert_json s.json '.[0].jobs' '{"total":20000,"ok":10,"failed":0,"skipped":0}'
assert_contains "$ERR" 'jobs: 10 ok, 0 failed, 19,990 not done'
assert_contains "$ERR" '19990 rows are left undone'
expect_exit 3 "$BATCH_RUN" many.jsonl --provider simulate --max-requests 15 -o many.out --summary s.json
assert_json s.json '.[0].jobs' '{"total":20000,"ok":15,"failed":0,"skipped":10}'
assert_contains "$ERR" 'jobs: 15 ok, 0 failed, 10 done before, 19,975 not done'
expect_exit 3 "$BATCH_RUN" many.jsonl --provider simulate --max-requests 10 --limit 500 -o few.out --summary s.json
assert_json s.json '.[0].jobs.total' 500

t "a csv's records and a pipe that has ended are counted too"
{
    echo prompt
    seq 3000 | sed 's/.*/"one,\ntwo &"/'
} >many.csv
expect_exit 3 "$BATCH_RUN" many.csv --provider simulate --max-requests 10 -o csv.out --summary s.json
assert_json s.json '.[0].jobs.total' 3000
run bash -c 'cat many.jsonl | "$0" - --provider simulate --max-requests 10 -o pipe.out --summary s.json' "$BATCH_RUN"
assert_json s.json '.[0].jobs | [.total, .total_is]' '[20000,null]'

t "a pipe that goes on is not waited for: at least so many"
run bash -c '{ seq 300; exec sleep 5; } | timeout 4 "$0" - --input-format txt --provider simulate --max-requests 10 -o sleep.out --summary s.json' \
    "$BATCH_RUN"
assert_json s.json '.[0].jobs | [.total, .total_is]' '[300,"at_least"]'
assert_contains "$ERR" 'at least 290 not done'

t "percentiles are exact: those of the results"
run_ok many.jsonl --provider simulate --limit 400 --simulate '--latency lognormal:3ms,0.5' -o exact.jsonl --summary s.json
rank() { # PERCENT of 400
    jq -s -c "map(.latency_ms) | sort | .[$1 * 4 - 1]" exact.jsonl
}
assert_json s.json '.[0].latency_ms | [.p50, .p90, .p99]' "[$(rank 50),$(rank 90),$(rank 99)]"
