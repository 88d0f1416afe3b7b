#!/bin/bash
# canary.sh: every key of the run, written in every way, at every place of a reply, whichever key served:
# none is in anything that the run leaves or says.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

KEYS=(sk-canary-one/Q7+w9x0123456789 sk-canary-two.Z~8v2y9876543210 0f1e2d3c4b5a69788796a5b4c3d2e1f0)
printf 'OPENAI_API_KEY=%s\n' "${KEYS[0]},${KEYS[1]},${KEYS[2]}" >keys.env
echo '{"id":"r","prompt":"q"}' >in.jsonl

base64_of() { printf %s "$1" | base64 -w 0; }

# What must not be found: any key in any of these ways.
needles() {
    local key before
    for key in "${KEYS[@]}"; do
        printf '%s\n' "$key" "${key//\//\\/}" "$(printf %s "$key" | jq -Rr @uri)" \
            "$(printf %s "$key" | jq -Rr @uri | sed 's/%2F/%2f/g; s/%2B/%2b/g; s/%7E/%7e/g')"
        printf %s "$key" | od -An -v -tx1 | tr -d ' \n'
        echo
        for before in "" u us; do # what depends on the key alone
            base64_of "$before$key" | sed "s/^.\{$((${#before} ? ${#before} + 1 : 0))\}//; s/.\{4\}$//"
            echo
        done
    done | tee >(tr '+/' '-_') >(tr '[:lower:]' '[:upper:]') | sort -u | grep -E '.{12}'
}
needles >needles.txt

# ways KEY: one way of writing it a line, fit for a JSON string
ways() {
    printf '%s\n' "$1" "${1//\//\\/}" "$(printf %s "$1" | jq -Rr @uri)" "$(printf %s "$1" | jq -Rr @uri | sed 's/%2F/%2f/g; s/%2B/%2b/g; s/%7E/%7e/g')"
    printf %s "$1" | od -An -v -tx1 | tr -d ' \n' && echo
    printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | tr '[:lower:]' '[:upper:]' && echo
    printf %s "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ /\\u00/g' && echo
    for before in "" u us user:; do
        base64_of "$before$1 and more" && echo
        base64_of "$before$1 and more" | tr '+/' '-_' && echo
    done
}
ALL=$(for key in "${KEYS[@]}"; do ways "$key"; done | paste -sd' ')
ALL_PLAIN=${ALL//\\/ }

# KIND: the bytes of a reply that has them all in that place
reply() {
    local body
    case $1 in
    text) body='{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"'$ALL'"},"finish_reason":"stop"}]}' ;;
    tool) body='{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"'$ALL'","type":"function","function":{"name":"f","arguments":"'$ALL'"}}]},"finish_reason":"tool_calls"}]}' ;;
    reason) body='{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"t"},"finish_reason":"'$ALL'"}]}' ;;
    names) body='{"id":"'$ALL'","model":"'$ALL'","choices":[{"index":0,"message":{"role":"assistant","content":"t"},"finish_reason":"stop"}]}' ;;
    error) body='{"error":{"message":"bad '$ALL'","type":"'${KEYS[1]}'","code":"'${KEYS[2]}'"}}' ;;
    html) body="<html><title>$ALL_PLAIN</title><p>$ALL_PLAIN</p></html>" ;;
    esac
    case $1 in
    error) printf 'HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' ${#body} "$body" ;;
    html) printf 'HTTP/1.1 403 No\r\nContent-Type: text/html\r\nX-Request-Id: %s\r\nContent-Length: %d\r\n\r\n%s' "${KEYS[1]}" ${#body} "$body" ;;
    *) printf 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: %s\r\nRetry-After: %s\r\nContent-Length: %d\r\n\r\n%s' "${KEYS[0]}" "${KEYS[1]}" ${#body} "$body" ;;
    esac
}

# Each key cut in two pieces of a stream.
stream_reply() {
    local key way half
    printf 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n'
    for key in "${KEYS[@]}"; do
        while read -r way; do
            half=$((${#way} / 2))
            [[ ${way:half-6:7} == *\\* ]] && continue # not in the middle of an escape
            printf 'data: {"id":"x","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' "${way:0:half}" "${way:half} "
        done < <(ways "$key")
    done
    printf 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
}

# check FILE...: none of them holds a needle
check() {
    local file
    for file in "$@"; do
        if [ -e "$file" ] && grep -aFf needles.txt "$file" >found; then
            fail "$file holds a key: $(grep -aoFf needles.txt "$file" | head -n 3 | paste -sd' ')"
        fi
    done
}

send_all() {
    local format
    for format in native openai anthropic gemini; do
        for progress in plain json; do
            rm -f out.jsonl
            run "$BATCH_RUN" in.jsonl -p openai --keys keys.env --base-url "$CANNED_URL/v1" -m m -o out.jsonl \
                --format $format --include-response --log-level debug --progress $progress --summary sum.json \
                --max-retries 0 --cooldown 10ms --outage-patience 1s "$@"
            check out.jsonl sum.json "$OUT" "$ERR"
        done
    done
}

for kind in text tool reason names error html; do
    t "in a reply's $kind"
    reply $kind >canary.http
    start_canned canary.http
    send_all
    [ $kind = html ] || assert_contains out.jsonl '****'
done

t "in a stream, cut in two"
stream_reply >canary.http
start_canned canary.http
send_all --stream
assert_contains out.jsonl '****'

t "the check finds what is there"
for key in "${KEYS[@]}"; do
    while read -r way; do
        echo "$way"
    done < <(ways "$key" | grep -v 'u00')
done >ways.txt
assert_eq "$(wc -l <ways.txt)" "$(grep -acFf needles.txt ways.txt)" "ways that are found"
