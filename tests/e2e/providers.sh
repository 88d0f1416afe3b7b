#!/bin/bash
# providers.sh: providers that the user declares and local servers, what is sent to them, and where keys
# come from, from one end to the other.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/servers.bash
. "$ROOT/tests/e2e/servers.bash"

rows 3 >in.jsonl
# An answer that repeats the head of its request.
{
    printf 'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n@HEAD@'
} >head.close
chat_answer good.http "hello"

sends() { # OPTIONS...
    run_ok in.jsonl --overwrite -o out.jsonl --quiet --summary summary.json "$@"
    assert_json out.jsonl 'map(select(.status == "ok")) | length' 3
}
refused() { # WORDS OPTIONS...
    local words=$1
    shift
    rm -f refused.jsonl
    expect_exit 2 "$BATCH_RUN" in.jsonl -o refused.jsonl "$@"
    assert_contains "$ERR" "$words"
    assert_true "nothing was written" test ! -e refused.jsonl
}
keys_used() {
    jq -c '[.keys[] | select(.requests > 0).key] | sort' summary.json
}
# The request line of the last request: "POST /v1/chat/completions?x=y".
last_request() {
    tail -n 1 "$CANNED_LOG" | sed -E 's/^[0-9]+ [0-9]+ [^ ]+ ([A-Z]+ [^ ]+) HTTP.*/\1/'
}
start_canned good.http

t "a name with an address is a provider: -p acme=URL"
ACME_API_KEY=acme-secret-1 sends -p "acme=$CANNED_URL/v1" -m m1
assert_eq "POST /v1/chat/completions" "$(last_request)" "request"
assert_eq '["acme-1"]' "$(keys_used)" "keys"
assert_contains "$CANNED_LOG" " acme-secret-1 POST"
assert_json out.jsonl '.[0] | [.provider, .key]' '["acme","acme-1"]'
assert_contains "$CANNED_LOG" '"model":"m1"'

t "in a list of preference, and without a key"
OPENAI_API_KEY=o1 ACME_API_KEY=a1 sends -p "acme=$CANNED_URL/x/v1,openai" -m m1
assert_eq "POST /x/v1/chat/completions" "$(last_request)" "request"
refused "there is no key of acme: set ACME_API_KEY" -p "acme=$CANNED_URL/v1" -m m1
refused "acme is not known; -p NAME=https://ADDRESS/v1 declares one" -p acme
refused "must start with https:// or http://" -p acme=gateway.example
refused "a provider's name" -p "a/b=$CANNED_URL/v1"
refused "acme is named twice" -p "acme=$CANNED_URL/v1,acme=$CANNED_URL/v2"

t "a row that names no model fails by itself where there is no default"
ACME_API_KEY=a1 expect_exit 1 "$BATCH_RUN" in.jsonl --overwrite -o out.jsonl --quiet -p "acme=$CANNED_URL/v1"
assert_json out.jsonl 'map(.error.class) | unique' '["bad_input"]'
assert_json out.jsonl '.[0].error.message | test("no model is named, and acme has no default")' true
echo '{"prompt":"q","model":"own"}' >own.jsonl
ACME_API_KEY=a1 run_ok own.jsonl --overwrite -o out.jsonl --quiet -p "acme=$CANNED_URL/v1"

t "a pool file says address, headers, query, model, variables and the form of the key"
cat >pool.json <<END
{"providers": {"acme": {"base_url": "$CANNED_URL/base/", "model": "acme-large",
  "headers": {"X-Team": "7", "X-Secret": "env:TEAM_SECRET", "User-Agent": "mine/1"},
  "query": {"api-version": "2024-10-21", "x y": "a&b"},
  "auth": "header: Api-Key", "variables": ["ACME_KEY"]}}}
END
chmod 600 pool.json
ACME_KEY=key-of-acme TEAM_SECRET=team-secret-value sends --keys pool.json
assert_eq "POST /base/chat/completions?api-version=2024-10-21&x%20y=a%26b" "$(last_request)" "request"
assert_contains "$CANNED_LOG" '"model":"acme-large"'
kill "$CANNED_PID"
start_canned head.close
sed -i "s,http://127[^\"]*/base,$CANNED_URL/base," pool.json
export ACME_KEY=key-of-acme TEAM_SECRET=team-secret-value
"$BATCH_RUN" in.jsonl --limit 1 --overwrite -o out.jsonl --quiet --keys pool.json --log-level debug 2>"$ERR"
unset ACME_KEY TEAM_SECRET
for file in out.jsonl "$ERR"; do
    assert_not_contains "$file" "key-of-acme"
done
assert_contains out.jsonl "X-Team: 7"
assert_contains out.jsonl "mine/1"
assert_not_contains out.jsonl "Authorization"

t "a header's variable that is not set is named; one of another provider is not asked for"
refused 'pool.json: providers.acme.headers.X-Secret refers to a variable that is not set' --keys pool.json
kill "$CANNED_PID"
start_canned good.http
OPENAI_API_KEY=o1 sends --keys pool.json -p openai --base-url "$CANNED_URL/v1" -m m

t "what is wrong in a declaration is named by its path"
wrong() { # JSON WORDS
    printf '{"providers":{"acme":%s}}\n' "$1" >wrong.json
    refused "$2" --keys wrong.json
}
wrong '{"keys":[{"key":"k"}]}' 'providers.acme is not known, so it needs an address: "base_url"'
wrong '{"base_url":"ftp://x"}' 'providers.acme.base_url must start with https:// or http://'
wrong '{"base_url":"https://x/v1","wire":"grpc"}' 'providers.acme.wire must be "openai", "anthropic" or "gemini"'
wrong '{"base_url":"https://x/v1","auth":"basic"}' 'providers.acme.auth must be "bearer", "none" or "header: NAME"'
wrong '{"base_url":"https://x/v1","auth":"header: a b"}' 'providers.acme.auth must be'
wrong '{"base_url":"https://x/v1","headers":["x"]}' 'providers.acme.headers must be an object'
wrong '{"base_url":"https://x/v1","headers":{"a b":"1"}}' "providers.acme.headers.a b is not a header's name"
wrong '{"base_url":"https://x/v1","headers":{"x":"a\nb"}}' 'providers.acme.headers.x holds a control character'
wrong '{"base_url":"https://x/v1","headers":{"Host":"h"}}' 'providers.acme.headers.Host is a header that cannot be replaced'
wrong '{"base_url":"https://x/v1","variables":["A B"]}' 'providers.acme.variables must be the name of a variable'
wrong '{"base_url":"https://x/v1","model":""}' 'providers.acme.model is empty'

t "other wires, by their own paths and key headers"
for wire in anthropic gemini; do
    printf '{"providers":{"acme":{"base_url":"%s/w","wire":"%s","model":"m","keys":[{"key":"k1"}]}}}\n' \
        "$CANNED_URL" $wire >wire.json
    "$BATCH_RUN" in.jsonl --limit 1 --overwrite -o out.jsonl --quiet --keys wire.json --max-retries 0 2>"$ERR"
    case $wire in
    anthropic) assert_eq "POST /w/messages" "$(last_request)" "request" ;;
    gemini) assert_eq "POST /w/models/m:generateContent" "$(last_request)" "request" ;;
    esac
    assert_contains "$CANNED_LOG" " - POST" # no bearer token
done

t "azure: its address is asked for, the key goes into its own header, {model} and the query into the path"
export AZURE_API_KEY=azure-key-1
refused "azure has no address of its own: give that of your resource" -p azure -m m
sends -p "azure=$CANNED_URL/openai/deployments/{model}?api-version=2024-10-21" -m "my/model"
assert_eq "POST /openai/deployments/my%2Fmodel/chat/completions?api-version=2024-10-21" "$(last_request)" "request"
assert_not_contains "$CANNED_LOG" "azure-key-1"
expect_exit 0 "$BATCH_RUN" in.jsonl --dry-run -p azure=https://res.openai.azure.com -m m
assert_contains "$ERR" "https://res.openai.azure.com/openai/v1/chat/completions"
unset AZURE_API_KEY

t "built-in names that are new: a key in the usual variable is enough"
for name in openrouter deepseek xai together fireworks cerebras moonshot dashscope siliconflow minimax cohere; do
    variable=${name^^}_API_KEY
    (
        export "$variable=key-of-$name"
        run_ok in.jsonl --overwrite -o out.jsonl --quiet --base-url "$CANNED_URL/$name"
        assert_contains "$CANNED_LOG" " key-of-$name POST /$name/chat/completions"
        [ "$_reasons" = 0 ]
    ) || fail "$name"
done

t "a pool file's entry for a built-in name changes what it names and nothing else"
printf '{"providers":{"deepseek":{"base_url":"%s/gate","headers":{"x-team":"9"}}}}\n' "$CANNED_URL" >pool.json
DEEPSEEK_API_KEY=deep-1 sends --keys pool.json
assert_contains "$CANNED_LOG" " deep-1 POST /gate/chat/completions"
assert_contains "$CANNED_LOG" '"model":"deepseek-flash"'

t "a local server needs no key, and gets one that is set"
before=$(canned_requests)
sends -p vllm --base-url "$CANNED_URL/v1" -m qwen
assert_eq '["vllm-1"]' "$(keys_used)" "keys"
assert_contains "$CANNED_LOG" " - POST /v1/chat/completions"
VLLM_API_KEY=local-key sends -p vllm --base-url "$CANNED_URL/v1" -m qwen
assert_contains "$CANNED_LOG" " local-key POST /v1/chat/completions"
assert_eq 6 $(($(canned_requests) - before)) "requests"
printf '{"providers":{"box":{"base_url":"%s/box","auth":"none","model":"m"}}}\n' "$CANNED_URL" >box.json
sends --keys box.json
assert_eq '["box-1"]' "$(keys_used)" "keys"
for name in ollama lmstudio llamacpp; do
    sends -p "$name=$CANNED_URL/$name" -m m
done
expect_exit 0 "$BATCH_RUN" in.jsonl --dry-run -p ollama -m m
assert_contains "$ERR" "ollama-1 (no key is needed)"

t "sources: the first that has keys of a provider, and that alone; --dry-run says which"
printf 'OPENAI_API_KEY=from-dotenv\nGROQ_API_KEY=groq-dotenv\n' >.env
printf 'OPENAI_API_KEY=from-file\n' >keys.env
chmod 600 .env keys.env
export OPENAI_API_KEY=from-environment
sends -p openai --base-url "$CANNED_URL/v1" -m m --keys keys.env
assert_json summary.json '.[0].keys | map(.key)' '["openai-1"]'
assert_contains "$CANNED_LOG" " from-file POST"
sends -p openai --base-url "$CANNED_URL/v1" -m m
assert_contains "$CANNED_LOG" " from-dotenv POST"
assert_not_contains "$CANNED_LOG" " from-environment POST"
expect_exit 0 "$BATCH_RUN" in.jsonl --dry-run -p openai,groq --keys keys.env -m m
assert_contains "$ERR" "openai: keys.env, groq: .env"
expect_exit 0 "$BATCH_RUN" in.jsonl --dry-run -p openai --keys keys.env,.env -m m
assert_contains "$ERR" "keys      2: openai-1"
rm .env
sends -p openai --base-url "$CANNED_URL/v1" -m m
assert_contains "$CANNED_LOG" " from-environment POST"
unset OPENAI_API_KEY

t "only keys of the run's providers are shown and counted"
printf 'OPENAI_API_KEY=o1,o2\nGROQ_API_KEY=g1,g2,g3\n' >keys.env
run_ok in.jsonl --overwrite -o out.jsonl --summary summary.json -p openai --base-url "$CANNED_URL/v1" -m m --keys keys.env
assert_not_contains "$ERR" "groq"
assert_json summary.json '.[0].keys | map(.key)' '["openai-1","openai-2"]'
expect_exit 0 "$BATCH_RUN" in.jsonl --dry-run -p openai --keys keys.env -m m
assert_contains "$ERR" "slots     2 requests"

t "values as tools leave them: quotes, JSON lists, references, UTF-16"
values() { # WANTED-KEYS TEXT: as .env
    printf "%b" "$2" >.env
    expect_exit 0 "$BATCH_RUN" in.jsonl --overwrite -o out.jsonl -p openai --base-url "$CANNED_URL/v1" -m m --quiet
    for key in $1; do
        assert_contains "$CANNED_LOG" " $key POST"
    done
}
(
    export OPENAI_API_KEY='"quoted-1"'
    run_ok in.jsonl --overwrite -o out.jsonl -p openai --base-url "$CANNED_URL/v1" -m m --quiet
    assert_contains "$ERR" "OPENAI_API_KEY: the quotes around the value are no part of the key"
    assert_contains "$CANNED_LOG" " quoted-1 POST"
    [ "$_reasons" = 0 ]
) || fail "quotes"
values "list-1 list-2" 'OPENAI_API_KEY=["list-1", "list-2"]\n'
values "real-1" 'OPENAI_API_KEY=${REAL}\nREAL=real-1\n'
values "real-2" 'REAL=real-2\nexport OPENAI_API_KEY="${REAL}"\r\n'
values "default-1" 'OPENAI_API_KEY=${NOT_SET:-default-1}\n'
OUTER=outer-1 values "outer-1-x" 'OPENAI_API_KEY=${OUTER}-x\n'
OPENAI_API_KEY=self-1 values "self-1" 'OPENAI_API_KEY=${OPENAI_API_KEY}\n'
printf 'OPENAI_API_KEY=utf16-1\r\n' | iconv -t UTF-16 >.env
run_ok in.jsonl --overwrite -o out.jsonl -p openai --base-url "$CANNED_URL/v1" -m m --quiet
assert_contains "$CANNED_LOG" " utf16-1 POST"
printf '\xef\xbb\xbfOPENAI_API_KEY=bom-1\n' >.env
run_ok in.jsonl --overwrite -o out.jsonl -p openai --base-url "$CANNED_URL/v1" -m m --quiet
assert_contains "$CANNED_LOG" " bom-1 POST"

t "values that cannot be keys stop with file and line, and are not shown"
stops() { # WORDS TEXT: as .env
    printf "%b" "$2" >.env
    refused "$1" -p openai -m m
    assert_not_contains "$ERR" "hush"
}
stops '.env:2: the value refers to a variable that is not set: NOT_SET' '# x\nOPENAI_API_KEY=hush${NOT_SET}\n'
stops '.env:1: the value refers to itself, by way of: B' 'OPENAI_API_KEY=${B}\nB=${C}\nC=${B}hush\n'
stops '.env:1: the value holds a ${ that is not closed' 'OPENAI_API_KEY=hush${NOT\n'
stops '.env:1: a ${ in single quotes is not replaced' "OPENAI_API_KEY='\${REAL}'\nREAL=hush\n"
stops '.env:1: the key holds a space' 'OPENAI_API_KEY=hush hush\n'
stops '.env:1: the key holds a control character' 'OPENAI_API_KEY="hush\\thush"\n'
stops '.env:1: a colon follows the name' 'OPENAI_API_KEY: hush\n'
stops '.env:1: the value looks like a list in JSON but is not one' 'OPENAI_API_KEY=[hush, hush]\n'
stops 'holds a placeholder and not a key' 'OPENAI_API_KEY=your-api-key-here\n'
printf 'OPENAI_API_KEY=good-1\nZAI_API_KEY=your-api-key-here\nGROQ_API_KEY=sk-...\n' >.env
run_ok in.jsonl --overwrite -o out.jsonl --base-url "$CANNED_URL/v1" -m m --quiet
assert_contains "$ERR" ".env:2 holds a placeholder and not a key; it is left out"
rm .env

t "near misses are named, with what to do"
near() { # WORDS VARIABLE=VALUE OPTIONS...
    local words=$1 setting=$2
    shift 2
    (
        export "${setting?}"
        refused "$words" "$@"
        assert_not_contains "$ERR" hush
        [ "$_reasons" = 0 ]
    ) || fail "$setting"
}
near 'Not read: OPENAI_API_KEYS in the environment (for openai write OPENAI_API_KEY=key1,key2)' OPENAI_API_KEYS=hush
near 'OPENAI_API_KEY1 in the environment (for openai' OPENAI_API_KEY1=hush -p openai
near 'OPENAI_KEY in the environment (for openai' OPENAI_KEY=hush
near 'openai_api_key in the environment (for openai' openai_api_key=hush
near 'MY_GROQ_API_KEY in the environment (for groq' MY_GROQ_API_KEY=hush
near 'CLAUDE_API_KEY in the environment (for anthropic' CLAUDE_API_KEY=hush
near 'ACME_API_KEY in the environment (no provider acme is known: -p acme=https://ADDRESS/v1 declares one)' ACME_API_KEY=hush
printf '# x\nMISTRAL_API_KEYS=hush\n' >.env
refused 'MISTRAL_API_KEYS in .env:2 (for mistral write MISTRAL_API_KEY=key1,key2)'
refused '.env gives no key; it may hold variables such as OPENAI_API_KEY' --keys .env
assert_contains "$ERR" 'MISTRAL_API_KEYS in .env:2'
rm .env

t "nothing listens at a local server's address: what to do is said"
expect_exit 3 "$BATCH_RUN" in.jsonl --limit 1 --overwrite -o out.jsonl --quiet -p "ollama=http://127.0.0.1:9/v1" -m m \
    --outage-patience 1s
# shellcheck disable=SC2016
assert_contains "$ERR" 'start it with `ollama serve`'

t "an address with a user and password is shown without them"
expect_exit 0 "$BATCH_RUN" in.jsonl --dry-run -p "ollama=http://me:hush@127.0.0.1:9/v1?key=hush" -m m
assert_contains "$ERR" "http://****@127.0.0.1:9/v1"
assert_not_contains "$ERR" "hush"

t "batch-run providers lists what a pool file declares"
printf '{"providers":{"acme":{"base_url":"https://acme.example/v1","auth":"header: api-key","keys":[{"key":"env:NOT_SET"}]}}}\n' >pool.json
run_ok providers --keys pool.json
assert_match "$OUT" '^acme +https://acme.example/v1 +ACME_API_KEY +header: api-key +openai +\(none: --model\)'
run_ok providers --keys pool.json --json
assert_json "$OUT" '.[0] | map(select(.name == "acme"))[0].auth' '"header: api-key"'
