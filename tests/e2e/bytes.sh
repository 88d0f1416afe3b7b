#!/bin/bash
# bytes.sh: what is passed on and handed back keeps its bytes, whatever the input looks like; rows that
# are no good become results that name their line.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

# raw_field NAME LINE: the JSON text of a member as it stands in a result, by cutting between names.
# `input` is the last one, or `response` is.
raw_input() {
    sed -E 's/,"settings":"[^"]*"\}$/}/; s/,"run_settings":\{.*\}\}$/}/; s/^.*,"wait_ms":[0-9.]+,"input":(.*)\}$/\1/'
}
# send INPUT [OPTIONS]: the rows, one after the other, to a server that takes down what it was asked.
send() {
    local input=$1
    shift
    start_canned good.http
    run "$BATCH_RUN" "$input" "${CANNED[@]}" --slots 1 --overwrite -o results.jsonl "$@"
    kill "$CANNED_PID"
    canned_bodies >bodies
}
chat_answer good.http ok

t "a batch body is sent as it stands"
cat >batch.jsonl <<'END'
{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"zeta":1,"model":"m","n":12345678901234567890,"pi":3.140,"e":1E+2,"neg":-0.0,"messages":[{"role":"user","content":"\u0000 \u00e9 é \/ \ud83c\udf4e 🍎 \t"}],"alpha":null,"zeta":2}}
{"custom_id":"b","method":"POST","url":"/v1/chat/completions","body" : { "model" :	"m" , "messages" : [ { "role":"user" , "content":"spaces  stay" } ] , "x":[ ] , "big":9007199254740993 } }
{"custom_id":"c","body":{"messages":[{"role":"user","content":"no model"}],"top":9007199254740993.0}}
{"custom_id":"d","body":{}}
END
send batch.jsonl --model 'filled "in"'
assert_eq 0 "$STATUS" "exit code"
cat >wanted <<'END'
{"zeta":1,"model":"m","n":12345678901234567890,"pi":3.140,"e":1E+2,"neg":-0.0,"messages":[{"role":"user","content":"\u0000 \u00e9 é \/ \ud83c\udf4e 🍎 \t"}],"alpha":null,"zeta":2}
{ "model" :	"m" , "messages" : [ { "role":"user" , "content":"spaces  stay" } ] , "x":[ ] , "big":9007199254740993 }
{"model":"filled \"in\"","messages":[{"role":"user","content":"no model"}],"top":9007199254740993.0}
{"model":"filled \"in\""}
END
assert_same wanted bodies
raw_input <results.jsonl >inputs
assert_same batch.jsonl inputs

t "a prompt's escapes go out as they came in"
cat >prompts.jsonl <<'END'
{"prompt":"\u0000\u001f\"\\\/\b\f\n\r\t\u2028 \ud83d\ude00 😀 é","k":18446744073709551616,"z":0,"a":1.0}
{"k":1e400,"prompt":"plain"}
"a bare string with \u00e9 and \u0000"
{"prompt":""}
END
send prompts.jsonl
assert_eq 0 "$STATUS" "exit code"
sed -E 's/.*"content":("([^"\\]|\\.)*").*/\1/' bodies >got
cat >wanted <<'END'
"\u0000\u001f\"\\\/\b\f\n\r\t\u2028 \ud83d\ude00 😀 é"
"plain"
"a bare string with \u00e9 and \u0000"
""
END
assert_same wanted got
raw_input <results.jsonl >inputs
assert_same prompts.jsonl inputs

t "a reply's text, tool calls and body keep their bytes"
BODY='{ "x":9007199254740993,"model":"m\u0031","choices":[{"message":{"content":"\u0000\u00e9é\/ \ud83c\udf4e","tool_calls":[{"id":"1","function":{"arguments":"{\"n\":12345678901234567890}","name":"f"},"type":"function"}],"reasoning_content":"hm\u0020m","refusal":null},"finish_reason":"stop"}],"zz":1.10,"usage":{"prompt_tokens":7,"completion_tokens":8,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}}'
http_answer reply.http "200 OK" "$BODY"
start_canned reply.http
rows 1 >one.jsonl
run_ok one.jsonl "${CANNED[@]}" --include-response -o -
assert_contains "$OUT" '"text":"\u0000\u00e9é\/ \ud83c\udf4e"'
assert_contains "$OUT" '"tool_calls":[{"id":"1","function":{"arguments":"{\"n\":12345678901234567890}","name":"f"},"type":"function"}]'
assert_contains "$OUT" '"reasoning":"hm\u0020m"'
assert_contains "$OUT" '"model":"m\u0031"'
assert_contains "$OUT" "\"response\":$BODY,"
assert_contains "$OUT" '"usage":{"input_tokens":7,"output_tokens":8,"total_tokens":15,"cached_tokens":3,"reasoning_tokens":2}'
assert_match "$OUT" '^\{"id":"1","index":0,"status":"ok",'

t "a reply over several lines becomes one line and stays the same JSON"
http_answer pretty.http "200 OK" "$(jq -nc "$BODY" | jq --indent 7 .)"
start_canned pretty.http
run_ok one.jsonl "${CANNED[@]}" --include-response -o -
assert_lines "$OUT" 1
assert_json "$OUT" ".[0].response == $BODY" true

t "a reply without usage says null; --no-input leaves the row out"
http_answer bare.http "200 OK" '{"choices":[{"message":{"content":"x"}}]}'
start_canned bare.http
run_ok one.jsonl "${CANNED[@]}" --no-input -o -
assert_json "$OUT" '.[0] | [.usage, has("input"), has("response"), .text, .finish_reason, has("tool_calls")]' \
    '[null,false,false,"x",null,false]'

# The same rows in every guise give the same prompts.
wanted_prompts() {
    printf '%s\n' '"first"' '"second, with \"quotes\""' '"third é 🍎"' '"fourth"' >wanted
}
expect_prompts() {
    assert_eq 0 "$STATUS" "exit code"
    jq -c '.messages[0].content' bodies >got
    assert_same wanted got
}

wanted_prompts
for ends in '\n' '\r\n'; do
    for bom in '' '\xef\xbb\xbf'; do
        for last in '' "$ends"; do
            t "jsonl, csv, tsv, txt with line ends '$ends', BOM '$bom', last '$last'"
            # shellcheck disable=SC2059
            {
                printf "$bom"'{"prompt":"first"}'"$ends$ends"'{"prompt":"second, with \\"quotes\\""}'"$ends  $ends"
                printf '{"prompt":"third é 🍎"}'"$ends"'{"prompt":"fourth"}'"$last"
            } >g.jsonl
            send g.jsonl
            expect_prompts
            # shellcheck disable=SC2059
            {
                printf "$bom"'n,prompt'"$ends"'1,first'"$ends$ends"'2,"second, with ""quotes"""'"$ends"
                printf '3,third é 🍎'"$ends"'4,"fourth"'"$last"
            } >g.csv
            send g.csv
            expect_prompts
            assert_json results.jsonl 'map(.input.n)' '["1","2","3","4"]'
            # shellcheck disable=SC2059
            {
                printf "$bom"'prompt\tn'"$ends"'first\t1'"$ends"'"second, with ""quotes"""\t2'"$ends"
                printf 'third é 🍎\t3'"$ends$ends"'fourth\t4'"$last"
            } >g.tsv
            send g.tsv
            expect_prompts
            # shellcheck disable=SC2059
            {
                printf "$bom"'first'"$ends$ends"'second, with "quotes"'"$ends"'third é 🍎'"$ends"
                printf 'fourth'"$last"
            } >g.txt
            send g.txt
            expect_prompts
        done
    done
done

t "newlines, commas and quotes inside of CSV cells"
printf 'id,prompt,note\r\nx,"one\r\ntwo\n\nthree","a ""b"" c"\r\n y ,"  , ",""\r\nz,"""",tail' >q.csv
send q.csv
assert_eq 0 "$STATUS" "exit code"
jq -c '.messages[0].content' bodies >got
printf '%s\n' '"one\r\ntwo\n\nthree"' '"  , "' '"\""' >wanted
assert_same wanted got
assert_json results.jsonl 'map(.input) | .[0]' '{"id":"x","prompt":"one\r\ntwo\n\nthree","note":"a \"b\" c"}'
assert_json results.jsonl 'map(.index)' '[0,1,2]'

t "the kind of standard input is told by --input-format"
start_canned good.http
expect_exit 0 "$BATCH_RUN" - "${CANNED[@]}" --slots 1 --input-format csv <<<$'prompt\n"from\nstdin"'
canned_bodies | jq -c '.messages[0].content' >got
assert_eq '"from\nstdin"' "$(cat got)" "prompt"
assert_json "$OUT" 'map(.status)' '["ok"]'

t "bad rows of every kind become bad_input with their line; the others go on"
{
    printf '{"prompt":"good 1"}\n'
    printf '{"prompt":"torn\n'
    printf '\n'
    printf 'not json\n'
    printf '{"prompt":17}\n'
    printf '{"text":"no prompt"}\n'
    printf '{"prompt":"bad \xff utf8"}\n'
    printf '[1,2]\n'
    printf '{"prompt":"a","messages":[]}\n'
    printf '{"messages":[]}\n'
    printf '{"messages":"x"}\n'
    printf '{"prompt":"x","temperature":"hot"}\n'
    printf '{"prompt":"x","max_tokens":[]}\n'
    printf '{"prompt":"two"}{"prompt":"on a line"}\n'
    printf 'null\n'
    printf '{"custom_id":"q","body":[]}\n'
    printf '{"custom_id":"r","method":"GET","url":"/v1/x","body":{}}\n'
    printf '{"prompt":"x","id":{"a":1}}\n'
    printf '{"prompt":"x" "y":1}\n'
    printf '{"prompt":"nul \x00 byte"}\n'
    printf '{"prompt":"good 2"}\n'
} >bad.jsonl
send bad.jsonl --summary summary.json
assert_eq 1 "$STATUS" "exit code"
assert_lines results.jsonl 20
assert_json results.jsonl 'map(select(.status == "error")) | map(.error.class) | unique' '["bad_input"]'
assert_json results.jsonl 'map(select(.status == "error")) | map(.attempts) | unique' '[0]'
assert_json results.jsonl 'map(select(.status == "error")) | map([.key, .http_status]) | unique' '[[null,null]]'
assert_json results.jsonl 'map(select(.status == "error")) | map(.error.message | length > 5) | all' true
jq -r 'select(.status == "error") | .line' results.jsonl | sort -n | tr '\n' ' ' >lines
assert_eq "2 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 " "$(cat lines)" "lines"
assert_json results.jsonl 'map(.index) | sort == [range(20)]' true
assert_eq "2" "$(wc -l <bodies)" "requests"
assert_json summary.json '.[0].jobs' '{"total":20,"ok":2,"failed":18,"skipped":0}'
assert_true "each line is JSON on its own" jq -e . results.jsonl

t "a bad CSV record names the line it begins on"
printf 'id,prompt\na,fine\nb,"two\nlines"\nc\nd,"x"y\ne,too,many\nf,\ng,good\n' >bad.csv
send bad.csv
assert_eq 1 "$STATUS" "exit code"
assert_lines results.jsonl 7
jq -r 'select(.status == "error") | "\(.line)"' results.jsonl | sort -n | tr '\n' ' ' >lines
assert_match lines '^5 '
assert_json results.jsonl 'map(select(.id == "g" and .status == "ok")) | length' 1
assert_json results.jsonl 'map(select((.input | objects | .prompt) == "two\nlines" and .status == "ok")) | length' 1

t "half a surrogate pair in a prompt goes through as JSON has it"
printf '{"prompt":"\\ud800 half","x":1}\n' >half.jsonl
send half.jsonl
assert_eq 0 "$STATUS" "exit code"
assert_contains bodies '"content":"\ud800 half"'
assert_contains results.jsonl '"input":{"prompt":"\ud800 half","x":1},'

t "a row over --max-line-bytes is one bad row"
{
    rows 1
    printf '{"prompt":"%s"}\n' "$(head -c 5000 /dev/zero | tr '\0' x)"
    rows 1
} >long.jsonl
send long.jsonl --max-line-bytes 2000
assert_eq 1 "$STATUS" "exit code"
assert_json results.jsonl 'map([.index, .status, .line, .error.class]) | sort' \
    '[[0,"ok",null,null],[1,"error",2,"bad_input"],[2,"ok",null,null]]'
assert_contains results.jsonl "--max-line-bytes"

t "a long row comes through whole"
head -c 3000000 /dev/urandom | base64 -w 0 >text
{
    printf '{"prompt":"'
    cat text
    printf '"}\n'
} >long.jsonl
run_ok long.jsonl --provider simulate -o long.results.jsonl --no-input
jq -r .text long.results.jsonl | tr -d '\n' >got
assert_same text got

t "CSV without the column, an empty file, a header alone"
printf 'a,b\n1,2\n' >none.csv
run "$BATCH_RUN" none.csv --provider simulate -o none.results.jsonl
assert_true "exit code $STATUS is 1 or 2" test "$STATUS" = 1 -o "$STATUS" = 2
cat none.results.jsonl "$ERR" >said 2>/dev/null
assert_contains said prompt
: >empty.jsonl
run_ok empty.jsonl --provider simulate -o empty.results.jsonl
assert_empty empty.results.jsonl
printf 'prompt\n' >header.csv
run_ok header.csv --provider simulate -o header.results.jsonl
assert_empty header.results.jsonl

t "no body waits for the server's leave, however large"
closing_answer head.close "400 Bad Request" '@HEAD@'
{
    echo '{"prompt":"small"}'
    printf '{"prompt":"%s"}\n' "$(head -c 1500000 /dev/zero | tr '\0' a)"
} >sizes.jsonl
for keys in never always; do
    start_canned head.close
    expect_exit 1 "$BATCH_RUN" sizes.jsonl "${CANNED[@]}" --idempotency-keys $keys --include-response \
        --no-input -o -
    assert_json "$OUT" 'map(.response | test("\r\ncontent-length: [0-9]+\r\n"; "i"))' '[true,true]'
    assert_json "$OUT" 'map(.response | test("\r\nidempotency-key: "; "i")) | unique' \
        "[$([ $keys = always ] && echo true || echo false)]"
    assert_json "$OUT" 'map(.response | test("expect"; "i"))' '[false,false]'
done
