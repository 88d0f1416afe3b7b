#!/bin/bash
# shapes.sh: every shape a row may have and every field that steers it reaches the wire; ids and
# templates.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

chat_answer good.http ok
# wire INPUT [OPTIONS]: the bodies in the order of the rows to `bodies`, the paths to `paths`.
wire() {
    local input=$1
    shift
    start_canned good.http
    run "$BATCH_RUN" "$input" "${CANNED[@]}" --slots 1 --overwrite -o results.jsonl "$@"
    kill "$CANNED_PID"
    canned_bodies >bodies
    cut -d ' ' -f 5 "$CANNED_LOG" >paths
}
# expect_wire: the bodies are what stands on standard input.
expect_wire() {
    cat >wanted
    cmp -s wanted bodies || fail "sent: $(diff wanted bodies | head -n 6)"
}

t "a prompt, with and without a system prompt"
printf '%s\n' '{"prompt":"p"}' '{"prompt":"p","system":"own"}' '{"prompt":"p","system":""}' '"bare"' >in.jsonl
wire in.jsonl --model m
expect_wire <<'END'
{"model":"m","messages":[{"role":"user","content":"p"}]}
{"model":"m","messages":[{"role":"system","content":"own"},{"role":"user","content":"p"}]}
{"model":"m","messages":[{"role":"user","content":"p"}]}
{"model":"m","messages":[{"role":"user","content":"bare"}]}
END
wire in.jsonl --model m --system 'Say "hi"'
expect_wire <<'END'
{"model":"m","messages":[{"role":"system","content":"Say \"hi\""},{"role":"user","content":"p"}]}
{"model":"m","messages":[{"role":"system","content":"own"},{"role":"user","content":"p"}]}
{"model":"m","messages":[{"role":"user","content":"p"}]}
{"model":"m","messages":[{"role":"system","content":"Say \"hi\""},{"role":"user","content":"bare"}]}
END
assert_eq /v1/chat/completions "$(sort -u paths)" "path"

t "--system @FILE"
printf 'two\nlines' >system.txt
head -n 1 in.jsonl >one.jsonl
wire one.jsonl --model m --system @system.txt
expect_wire <<'END'
{"model":"m","messages":[{"role":"system","content":"two\nlines"},{"role":"user","content":"p"}]}
END
expect_exit 2 "$BATCH_RUN" one.jsonl "${CANNED[@]}" --system @missing.txt
assert_contains "$ERR" missing.txt

t "every field that steers a row"
cat >in.jsonl <<'END'
{"prompt":"p","model":"own","temperature":0.70,"top_p":1e-1,"max_tokens":17,"stop":["a","\u0062"],"response_format":{"type":"json_object"},"tools":[{"type":"function","function":{"name":"f","parameters":{"z":1,"a":2}}}],"tool_choice":"auto","seed":12345678901234567890}
{"temperature":0,"prompt":"p","stop":"\n","seed":-1,"unknown":1,"tool_choice":{"type":"function","function":{"name":"f"}}}
{"prompt":"p","temperature":null,"model":null,"max_tokens":null}
END
wire in.jsonl --model m
assert_eq 0 "$STATUS" "exit code"
expect_wire <<'END'
{"model":"own","messages":[{"role":"user","content":"p"}],"temperature":0.70,"top_p":1e-1,"max_tokens":17,"stop":["a","\u0062"],"response_format":{"type":"json_object"},"tools":[{"type":"function","function":{"name":"f","parameters":{"z":1,"a":2}}}],"tool_choice":"auto","seed":12345678901234567890}
{"model":"m","messages":[{"role":"user","content":"p"}],"temperature":0,"stop":"\n","tool_choice":{"type":"function","function":{"name":"f"}},"seed":-1}
{"model":"m","messages":[{"role":"user","content":"p"}]}
END

t "messages, with the fields beside them"
cat >in.jsonl <<'END'
{"messages":[{"role":"user","content":[{"type":"text","text":"t"},{"type":"image_url","image_url":{"url":"data:x"}}]}],"top_p":0.5}
{"messages":[{"role":"system","content":"has one"},{"role":"user","content":"u"}]}
{"messages":[ {"role":"user","content":"u"} ],"system":"own"}
END
wire in.jsonl --model m --system s
expect_wire <<'END'
{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"t"},{"type":"image_url","image_url":{"url":"data:x"}}]}],"top_p":0.5}
{"model":"m","messages":[{"role":"system","content":"has one"},{"role":"user","content":"u"}]}
{"model":"m","messages":[{"role":"system","content":"own"},{"role":"user","content":"u"} ]}
END

t "the providers' batch lines: body and path"
cat >in.jsonl <<'END'
{"custom_id":"openai","method":"POST","url":"/v1/chat/completions","body":{"model":"x","messages":[]}}
{"custom_id":"embed","method":"POST","url":"/v1/embeddings","body":{"model":"e","input":"x"}}
{"custom_id":"bigmodel","method":"POST","url":"/v4/chat/completions","body":{"model":"glm","messages":[]}}
{"custom_id":"mistral","body":{"messages":[]}}
END
wire in.jsonl --model m --system ignored
expect_wire <<'END'
{"model":"x","messages":[]}
{"model":"e","input":"x"}
{"model":"glm","messages":[]}
{"model":"m","messages":[]}
END
assert_eq "/v1/chat/completions /v1/embeddings /v1/chat/completions /v1/chat/completions " \
    "$(tr '\n' ' ' <paths)" "paths"
assert_json results.jsonl 'map(.id)' '["openai","embed","bigmodel","mistral"]'

t "batch lines of other formats are failed rows that say so, not translated ones"
cat >in.jsonl <<'END'
{"custom_id":"a","params":{"model":"claude","max_tokens":5,"messages":[{"role":"user","content":"x"}]}}
{"key":"g","request":{"contents":[{"parts":[{"text":"x"}]}]}}
END
wire in.jsonl
assert_eq 1 "$STATUS" "exit code"
assert_empty bodies
assert_json results.jsonl 'map([.id, .error.class, .line])' '[["a","bad_input",1],["g","bad_input",2]]'

t "csv columns that are named steer, numbers become numbers"
printf 'id,prompt,temperature,max_tokens,model,system,stop,seed\na,p,0.5,7,own,sys,END,3\nb,q,,,,,,\n' >in.csv
wire in.csv --model m --fields all
expect_wire <<'END'
{"model":"own","messages":[{"role":"system","content":"sys"},{"role":"user","content":"p"}],"temperature":0.5,"max_tokens":7,"stop":"END","seed":3}
{"model":"m","messages":[{"role":"user","content":"q"}]}
END

t "OpenAI's reasoning models get max_completion_tokens"
printf '%s\n' '{"prompt":"p","model":"o3-mini","max_tokens":5}' >in.jsonl
wire in.jsonl
expect_wire <<'END'
{"model":"o3-mini","messages":[{"role":"user","content":"p"}],"max_completion_tokens":5}
END

t "templates: fields of every kind, braces, what is missing"
cat >in.jsonl <<'END'
{"a":"x \"q\" \u00e9\n","b":7.10,"c":true,"d":null,"e":{"k":[1,2]},"naïve name":"n"}
{"a":"no b"}
END
wire in.jsonl --model m --template '{{a}}|{{b}}|{{c}}|{{e}}|{{naïve name}}|{{{{a}}|{ {}}'
assert_eq 1 "$STATUS" "exit code"
jq -r '.messages[0].content' bodies >got
printf '%s\n' 'x "q" é' '|7.10|true|{"k":[1,2]}|n|{{a}}|{ {}}' >wanted
assert_same wanted got
assert_json results.jsonl 'map(select(.status == "error")) | map([.index, .line, .error.class])' '[[1,2,"bad_input"]]'
assert_contains results.jsonl 'the template needs \"b\"'
expect_exit 2 "$BATCH_RUN" in.jsonl "${CANNED[@]}" --template 'open {{a'
assert_contains "$ERR" template

t "ids: the row's own, its number, --id-field"
cat >in.jsonl <<'END'
{"prompt":"p","id":"own é \"q\""}
{"prompt":"p"}
{"prompt":"p","custom_id":"custom"}
{"prompt":"p","id":12345678901234567890}
{"prompt":"p","key":"not an id here"}
END
wire in.jsonl
assert_json results.jsonl 'map(.id)' '["own é \"q\"","2","custom","12345678901234567890","5"]'
printf 'nr,prompt\nz9,p\nz8,q\n' >in.csv
wire in.csv --id-field nr
assert_json results.jsonl 'map(.id)' '["z9","z8"]'

t "a second row with an id already seen names the first one's line"
printf '%s\n' '{"prompt":"1","id":"x"}' '' '{"prompt":"2","id":"y"}' '{"prompt":"3","id":"x"}' '{"prompt":"4","id":"x"}' >in.jsonl
wire in.jsonl
assert_eq 1 "$STATUS" "exit code"
assert_json results.jsonl 'map(select(.status == "error")) | map([.index, .line, .error.class])' \
    '[[2,4,"bad_input"],[3,5,"bad_input"]]'
assert_json results.jsonl 'map(select(.status == "error")) | map(.error.message | test("line 1\\b")) | all' true
wire in.jsonl --allow-duplicate-ids
assert_eq 0 "$STATUS" "exit code"
assert_json results.jsonl 'map([.id, .text])' '[["x","ok"],["y","ok"],["x#2","ok"],["x#3","ok"]]'

t "a number that another row has as its id is a duplicate as well"
printf '%s\n' '{"prompt":"1","id":"2"}' '{"prompt":"2"}' >in.jsonl
wire in.jsonl
assert_lines results.jsonl 2
assert_json results.jsonl 'sort_by(.index) | map(.status)' '["ok","error"]'
assert_json results.jsonl 'sort_by(.index) | .[1] | [.id, .line, .error.class]' '["2#2",2,"bad_input"]'

t "a row names its provider"
printf '%s\n' '{"prompt":"1","provider":"openai"}' '{"prompt":"2","provider":"groq"}' '{"prompt":"3","provider":"nobody"}' >in.jsonl
wire in.jsonl
assert_eq 1 "$STATUS" "exit code"
assert_json results.jsonl 'sort_by(.index) | map(.error.class)' '[null,"no_key","no_key"]'

t "standard input is jsonl, results go to standard output"
rows 30 >in.jsonl
"$BATCH_RUN" - --provider simulate <in.jsonl >out.jsonl 2>err
assert_eq 0 $? "exit code"
assert_lines out.jsonl 30
assert_json out.jsonl 'map(.text == "question \(.id)") | all' true

t "a slow pipe is answered as it comes, row by row"
mkfifo pipe
"$BATCH_RUN" - --provider simulate --quiet <pipe >out.jsonl 2>err &
reader=$!
exec 7>pipe
for i in 1 2 3; do
    rows 1 >&7
    wait_until 10 test -s out.jsonl
    wait_until 10 eval "[ \$(wc -l <out.jsonl) = $i ]" || fail "no result for row $i while the pipe is open"
done
exec 7>&-
wait $reader
assert_eq 0 $? "exit code"

t "a row that comes while another one hangs is not kept waiting"
start_canned hang good.http
mkfifo slow
"$BATCH_RUN" slow --input-format jsonl "${CANNED[@]}" -o late.jsonl --quiet --timeout 30s --max-retries 0 &
_background+=($!)
exec 7>slow
rows 1 >&7
wait_until 10 test -s "$CANNED_LOG"
rows 1 >&7
wait_until 10 test -s late.jsonl || fail "the second row waits for the first one's answer"
exec 7>&-

t "a named pipe as INPUT"
rows 5 >pipe &
run_ok pipe --input-format jsonl --provider simulate -o -
assert_lines "$OUT" 5

t "--limit takes the first rows"
rows 50 >in.jsonl
run_ok in.jsonl --provider simulate --limit 7 --overwrite -o limited.jsonl
assert_json limited.jsonl 'map(.index) | sort' '[0,1,2,3,4,5,6]'
