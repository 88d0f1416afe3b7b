#!/bin/bash
# input.sh: input as people have it: parameters of rows, columns that are data, arrays, delimiters,
# encodings, packed files, and files that are something else.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

chat_answer good.http ok

# send INPUT [OPTION...]: runs it against a server that answers well; bodies, ids are what was sent.
send() {
    local input=$1
    shift
    start_canned good.http
    run "$BATCH_RUN" "$input" "${CANNED[@]}" --slots 1 --overwrite -o results.jsonl "$@"
    kill "$CANNED_PID"
    canned_bodies >bodies
}
# expect_prompts PROMPT...: these were sent, in this order.
expect_prompts() {
    jq -r '.messages[-1].content' bodies >prompts
    printf '%s\n' "$@" >wanted
    cmp -s wanted prompts || fail "sent: $(diff wanted prompts | head -n 6)"
}
# expect_refusal INPUT TEXT [OPTION...]: exit 2, nothing sent, and the message says this.
expect_refusal() {
    local input=$1 text=$2
    shift 2
    expect_exit 2 "$BATCH_RUN" "$input" -p simulate -o refused.jsonl --overwrite "$@"
    assert_contains "$ERR" "$text"
}

t "parameters of a row are sent by their own names, and those of the run to rows without"
printf '%s\n' '{"prompt":"q","max_completion_tokens":50,"reasoning_effort":"low","n":2}' '{"prompt":"r","temperature":1}' >in.jsonl
send in.jsonl --model m --temperature 0 --max-tokens 9 --param top_p=0.5 --param user=me
printf '%s\n' \
    '{"model":"m","messages":[{"role":"user","content":"q"}],"temperature":0,"top_p":0.5,"max_completion_tokens":50,"reasoning_effort":"low","n":2,"user":"me"}' \
    '{"model":"m","messages":[{"role":"user","content":"r"}],"temperature":1,"top_p":0.5,"max_tokens":9,"user":"me"}' >wanted
assert_same wanted bodies

t "extra_body goes over what is computed, and no name comes out twice"
printf '%s\n' '{"prompt":"q","temperature":1,"extra_body":{"temperature":2,"top_k":5,"top_k":6,"model":"x"}}' >in.jsonl
send in.jsonl --model m
echo '{"messages":[{"role":"user","content":"q"}],"temperature":2,"top_k":6,"model":"x"}' >wanted
assert_same wanted bodies

t "what is dry-run is what is sent"
printf '%s\n' '{"prompt":"q","stop":["a"],"seed":3}' >in.jsonl
send in.jsonl --model m
run "$BATCH_RUN" in.jsonl "${CANNED[@]}" --model m --dry-run
grep -o '{"model.*' "$ERR" >shown
assert_same bodies shown

t "a parameter that the wire cannot say fails its row before anything is sent; a field that is not known is named once"
printf '%s\n' '{"prompt":"q","logprobs":true}' '{"prompt":"q","colour":1}' '{"prompt":"q","colour":1}' >in.jsonl
run "$BATCH_RUN" in.jsonl -p anthropic --dry-run
assert_eq 1 "$STATUS" "exit code"
assert_contains "$ERR" 'anthropic has no word for the parameter "logprobs"'
assert_eq 1 "$(grep -c '"colour" is not a known parameter' "$ERR")" "times it is named"
expect_refusal in.jsonl '--param n: anthropic has no word for it' -p anthropic --dry-run --param n=2

t "columns of csv are data unless --fields names them; --dry-run says which"
printf 'prompt,model,temperature,stop\np,iPhone,warm,Main Street\n' >in.csv
send in.csv --model m
echo '{"model":"m","messages":[{"role":"user","content":"p"}]}' >wanted
assert_same wanted bodies
run "$BATCH_RUN" in.csv "${CANNED[@]}" --dry-run --fields model
assert_contains "$ERR" 'steers    model'
assert_contains "$ERR" 'data      temperature, stop'

t "a name in a template that no column has stops at once and lists the columns"
expect_refusal in.csv 'no column is named "color" (there is "prompt", "model"' --template '{{color}}'

t "a JSON array, on one line or on several, also as JSON Lines or from a pipe"
printf '[\n {"prompt":"q0"},\n {"prompt":"q1 ]},\\"",\n  "id":"x"}\n]\n' >in.json
send in.json
expect_prompts q0 'q1 ]},"'
assert_json results.jsonl 'map(.id)' '["1","x"]'
assert_eq 2 "$(wc -l <results.jsonl)" "lines of the results"
cp in.json in.jsonl
send in.jsonl
expect_prompts q0 'q1 ]},"'
printf '["a", {"prompt":1}, {bad}, "b",\n]' >in.json
send in.json
expect_prompts a b
printf '{"prompt":"l1"}\n{"prompt":"l2"}\n' >in.json
send in.json
expect_prompts l1 l2
printf '{\n "prompt": "one"\n}\n' >in.json
send in.json
expect_prompts one
printf '[{"prompt":"a"},' >in.json
expect_refusal in.json 'the input ends inside of its array'

t "semicolons, tabs and bars, a byte order mark, Excel's sep= line, UTF-16"
printf '\xEF\xBB\xBFid;prompt\r\n1;Hallo, Welt\r\n' >in.csv
send in.csv
expect_prompts 'Hallo, Welt'
printf 'sep=|\r\nid|prompt\r\n1|a;b,c\r\n' >in.csv
send in.csv
expect_prompts 'a;b,c'
printf 'id\tprompt\n1\ttab\n' >in.csv
send in.csv
expect_prompts tab
printf 'id;a,prompt\n1;2,p\n' >in.csv
send in.csv --delimiter ,
expect_prompts p
printf 'id,prompt\n1,Größe\n' | iconv -f UTF-8 -t UTF-16 >in.csv
send in.csv
expect_prompts Größe

t "other encodings by --encoding; text that is not valid says so"
printf 'prompt\nGr\xf6\xdfe\n' >in.csv
send in.csv --encoding WINDOWS-1252
expect_prompts Größe
send in.csv
assert_contains results.jsonl '--encoding NAME'
expect_refusal in.csv "'nope' is no encoding" --encoding nope

t "packed files, of several members too, from a pipe too; one that was cut off is an error"
printf '{"prompt":"a"}\n{"prompt":"b"}\n' >plain
{ gzip -c plain; gzip -c plain; } >in.jsonl.gz
send in.jsonl.gz
expect_prompts a b a b
run "$BATCH_RUN" in.jsonl.gz -p simulate
assert_eq 4 "$(wc -l <in.results.jsonl)" "lines of in.results.jsonl"
gzip -c plain | "$BATCH_RUN" - -p simulate -q -o - >piped
assert_eq 2 "$(wc -l <piped)" "rows from a pipe"
head -c 30 in.jsonl.gz >cut.jsonl.gz
expect_refusal cut.jsonl.gz 'cut.jsonl.gz ends too early'

t "packed files in other encodings; a zstd window that needs too much memory"
printf 'id,prompt\n1,Größe\n' >plain.csv
iconv -f UTF-8 -t WINDOWS-1252 plain.csv | gzip -c >in.csv.gz
send in.csv.gz --encoding WINDOWS-1252
expect_prompts Größe
iconv -f UTF-8 -t UTF-16 plain.csv | gzip -c >in.csv.gz
send in.csv.gz
expect_prompts Größe
{
    printf 'prompt\n'
    seq 40000 | sed 's/$/ ö/'
} | iconv -f UTF-8 -t UTF-16 | gzip -c >in.csv.gz
expect_exit 0 "$BATCH_RUN" in.csv.gz -p simulate --dry-run
iconv -f UTF-8 -t UTF-16 plain.csv | gzip -c | head -c 30 >cut.csv.gz
expect_refusal cut.csv.gz 'ends too early'
if command -v zstd >/dev/null; then
    iconv -f UTF-8 -t GB18030 plain.csv | zstd -qc >in.csv.zst
    send in.csv.zst --encoding GB18030
    expect_prompts Größe
    zstd -qc --ultra --long=28 <plain >in.jsonl.zst
    expect_refusal in.jsonl.zst 'more than 128 MiB of memory'
fi

t "files that are something else are named for what they are"
printf 'PAR1xxxx' >in.parquet
expect_refusal in.parquet 'is a Parquet file'
printf 'PK\003\004xx' >in.xlsx
expect_refusal in.xlsx 'spreadsheet'
printf 'SQLite format 3\000' >in.db
expect_refusal in.db 'SQLite'

t "numbers and holes as pandas writes them"
printf '%s\n' '{"prompt":"p","max_tokens":100.0,"score":NaN}' '{"prompt":"q","temperature":NaN}' >in.jsonl
send in.jsonl --model m
echo '{"model":"m","messages":[{"role":"user","content":"p"}],"max_tokens":100}' >wanted
assert_same wanted bodies
assert_contains results.jsonl '\"temperature\" holds NaN or Infinity'
assert_contains "$ERR" 'kept as null'
