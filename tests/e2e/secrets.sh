#!/bin/bash
# secrets.sh: a key's secret shows nowhere, whatever the provider does with it: not in results, on the
# screen, in logs or in the process's command line and environment.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

SECRET='sk-proj-Zx9/Qw+7_SecretPart.4711-tail'
MASK='sk-p****tail'
SHORT='tiny-Key/42'
rows 3 >in.jsonl

# no_secret FILE...: neither the secret nor what is left of it in other clothes.
no_secret() {
    local file
    for file; do
        [ -e "$file" ] || continue
        assert_not_contains "$file" 'SecretPart'
        assert_not_contains "$file" 'Zx9'
        assert_not_contains "$file" 'tiny-Key'
    done
}

# try NAME OPTIONS...: a run against a server that echoes the key in every way it can, looked over.
ANSWERS=()
try() {
    start_canned "${ANSWERS[@]}"
    run "$BATCH_RUN" in.jsonl --base-url "$CANNED_URL/v1" --provider openai --log-level debug --include-response \
        --summary summary.json --overwrite -o results.jsonl --max-retries 1 "$@"
    assert_true "the key reached the server" grep -qF -e "$SECRET" -e "$SHORT" "$CANNED_LOG"
    no_secret "$OUT" "$ERR" results.jsonl summary.json
    kill "$CANNED_PID"
}

closing_answer text.close "200 OK" "$(chat_body 'your key is @KEY@!')"
closing_answer error.close "400 Bad Request" '{"error":{"message":"Bad request with key @KEY@","type":"@KEY@","code":"@KEY@"}}'
closing_answer auth.close "401 Unauthorized" '{"error":{"message":"Incorrect API key provided: @KEY@. You can find it…","code":"invalid_api_key"}}'
closing_answer limit.close "429 Too Many Requests" '{"error":{"message":"Limit for @KEY@, try again in 10ms","code":"rate_limit_exceeded"}}'
closing_answer server.close "500 Internal Server Error" '<html>key=@KEY@</html>'
closing_answer header.close "400 @KEY@" '{"error":{"message":"no"}}' 'X-Key: @KEY@' 'Retry-After: @KEY@' 'x-request-id: @KEY@'
closing_answer redirect.close "302 Found" '' 'Location: http://127.0.0.1:9/@KEY@?k=@KEY@'
closing_answer model.close "200 OK" '{"id":"@KEY@","model":"@KEY@","choices":[{"message":{"content":"x","reasoning_content":"@KEY@","tool_calls":[{"id":"@KEY@"}]},"finish_reason":"@KEY@"}]}'
closing_answer malformed.close "200 OK" '{"choices": @KEY@'
printf 'HTTP/1.1 200 @KEY@\r\n@KEY@\r\n\r\n' >garbled.close
printf '@KEY@ @KEY@\r\n\r\n' >nonsense.close

umask 077
mkdir keys
printf '%s\n' "$SECRET" >keys/line
printf 'OPENAI_API_KEY=%s\n' "$SECRET" >keys/plain.env
printf "export OPENAI_API_KEY_7='%s'\n" "$SECRET" >keys/quoted.env
jq -nc --arg k "$SECRET" '{providers: {openai: {keys: [{key: $k, name: "team"}]}}}' >keys/pool.json

for answer in text error auth limit server header redirect model malformed garbled nonsense; do
    t "a server that says the key in its $answer answer"
    closing_answer good.close "200 OK" "$(chat_body fine)"
    ANSWERS=("$answer.close" good.close)
    if [ $answer = limit ]; then
        ANSWERS=("$answer.close" "$answer.close" good.close)
    fi
    try --keys keys/line
done

t "the mask stands in the secret's place"
ANSWERS=(text.close)
try --keys keys/line
assert_json results.jsonl 'map(.text) | unique' "[\"your key is $MASK!\"]"
assert_json summary.json '.[0].keys[0].masked' "\"$MASK\""
printf '%s\n' "$SHORT" >keys/short
try --keys keys/short
assert_json results.jsonl 'map(.text) | unique' '["your key is ****!"]'
assert_json summary.json '.[0].keys[0].masked' '"****"'

t "a secret with escapes of its own: JSON writes its slash in two ways"
closing_answer escaped.close "200 OK" "$(chat_body "${SECRET//\//\\/} and ${SECRET//\//\\u002f}")"
ANSWERS=(escaped.close)
try --keys keys/line
assert_json results.jsonl 'map(.text) | unique' "[\"$MASK and $MASK\"]"

t "from every source"
ANSWERS=(error.close)
try --keys keys/plain.env
try --keys keys/quoted.env
try --keys keys/pool.json
assert_json results.jsonl 'map(.key) | unique' '["team"]'
try --env-file keys/plain.env
try --env-file keys/quoted.env
assert_json results.jsonl 'map(.key) | unique' '["openai-7"]'
cp keys/plain.env .env
try
rm .env
OPENAI_API_KEY=" $SECRET , ,$SHORT" try
assert_json summary.json '.[0].keys | map(.key)' '["openai-1","openai-2"]'
OPENAI_API_KEY_3=$SECRET try
assert_json results.jsonl 'map(.key) | unique' '["openai-3"]'

t "one secret given twice is one key; the warning names both places, not the secret"
printf 'OPENAI_API_KEY=%s\n' "$SECRET" >keys/again.env
try --keys keys/line,keys/again.env
assert_json summary.json '.[0].keys | length' 1
assert_match "$ERR" 'keys/line:1'
assert_contains "$ERR" keys/again.env:1

t "GEMINI_API_KEY counts for google; gaps in the numbers; no provider named"
GEMINI_API_KEY=$SECRET run "$BATCH_RUN" in.jsonl --dry-run
assert_contains "$ERR" google
no_secret "$OUT" "$ERR"
ZAI_API_KEY_2=$SHORT ZAI_API_KEY_900=$SECRET run_ok in.jsonl --dry-run
assert_match "$ERR" 'zai-2.*zai-900'
no_secret "$OUT" "$ERR"

t "a dry run shows masks only"
run_ok in.jsonl --provider openai --keys keys/line --dry-run --log-level debug
assert_contains "$ERR" "$MASK"
no_secret "$OUT" "$ERR"

t "files of keys that are no good are named without their content"
for text in "$SECRET with spaces" "{\"providers\": {\"openai\": {\"keys\": [{\"key\": \"$SECRET\"" \
    "{\"providers\": {\"openai\": {\"keys\": [{\"kay\": \"$SECRET\"}]}}}" "{\"providers\":{\"openai\":{\"keys\":\"$SECRET\"}}}" \
    "OPENAI_API_KEY=\"$SECRET" "é$SECRET"; do
    printf '%s\n' "$text" >keys/bad
    run "$BATCH_RUN" in.jsonl --provider openai --keys keys/bad --base-url http://127.0.0.1:9 --dry-run --log-level debug
    no_secret "$OUT" "$ERR"
done
for option in --keys --base-url --model --provider --nonsense; do
    run "$BATCH_RUN" in.jsonl "$option" keys/line --provider openai --keys keys/line --dry-run --log-level debug
    no_secret "$OUT" "$ERR"
done

t "neither argv nor the environment of the running process holds it"
start_canned hang
OPENAI_API_KEY=$SECRET OPENAI_API_KEY_2=$SHORT background "$BATCH_RUN" in.jsonl --base-url "$CANNED_URL/v1" \
    -o hang.jsonl --log-level debug --progress json
RUN_PID=$PID RUN_ERR=$BG_ERR
wait_until 10 test -s "$CANNED_LOG" || fail "no request came"
tr '\0' '\n' <"/proc/$RUN_PID/cmdline" >cmdline
tr '\0' '\n' <"/proc/$RUN_PID/environ" >environ 2>/dev/null
assert_contains cmdline in.jsonl
no_secret cmdline environ
if [ "$(id -u)" = 0 ]; then
    assert_contains environ "OPENAI_API_KEY=" # so that the check above has looked at something
fi
kill -INT "$RUN_PID"
wait_until 5 grep -q stopping "$RUN_ERR"
sleep 0.6 # sooner is the same wish
kill -INT "$RUN_PID"
wait "$RUN_PID"
assert_eq 130 $? "exit code"
no_secret "$RUN_ERR" hang.jsonl

t "an openai-format result hides it too"
ANSWERS=(error.close)
try --keys keys/line --format openai
assert_contains results.jsonl "$MASK"

t "a proxy that cannot be reached, a provider that cannot: the message has no key"
run "$BATCH_RUN" in.jsonl --provider openai --keys keys/line --base-url http://127.0.0.1:9/v1 -o net.jsonl \
    --max-retries 0 --log-level debug --outage-patience 1s
assert_eq 3 "$STATUS" "exit code"
no_secret "$OUT" "$ERR" net.jsonl
