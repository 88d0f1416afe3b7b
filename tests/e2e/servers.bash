# servers.bash: servers that end-to-end tests ask besides the simulator, and what they answer. After
# lib.sh:
#     . "$ROOT/tests/e2e/servers.bash"
#     chat_answer good.http "the text"
#     start_canned good.http
#     run_ok in.jsonl "${CANNED[@]}"
# SPDX-License-Identifier: MIT
# shellcheck shell=bash

TOOLS=$(realpath "${TOOLS:-$ROOT/build/release/tools}")

# http_answer FILE "STATUS REASON" BODY [HEADER...]: an answer with its length announced.
http_answer() {
    local file=$1 status=$2 body=$3 header
    shift 3
    {
        printf 'HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n' \
            "$status" "$(printf %s "$body" | wc -c)"
        for header; do
            printf '%s\r\n' "$header"
        done
        printf '\r\n%s' "$body"
    } >"$file"
}

# closing_answer FILE.close "STATUS REASON" BODY [HEADER...]: one that ends with the connection, so
# that @KEY@ may stand in it.
closing_answer() {
    local file=$1 status=$2 body=$3 header
    shift 3
    {
        printf 'HTTP/1.1 %s\r\nContent-Type: application/json\r\nConnection: close\r\n' "$status"
        for header; do
            printf '%s\r\n' "$header"
        done
        printf '\r\n%s' "$body"
    } >"$file"
}

# chat_body CONTENT: a chat completion; CONTENT goes between the quotes as it stands.
chat_body() {
    printf '{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"canned-1","choices":['
    printf '{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}],' "$1"
    printf '"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}'
}

chat_answer() { # FILE CONTENT
    http_answer "$1" "200 OK" "$(chat_body "$2")"
}

# wait_for_url FILE: what a server printed as its address.
wait_for_url() {
    if ! wait_until 10 grep -q '^listening on ' "$1"; then
        fail "a server does not listen: $(cat "$1")"
        exit 1
    fi
    sed -n 's/^listening on //p;q' "$1"
}

# start_canned ANSWER...: see tests/tools/canned.c. Sets CANNED_URL, CANNED_LOG, CANNED_PID, and
# CANNED: the options that send a run there, with two keys.
start_canned() {
    CANNED_LOG=$WORK/.canned.${#_background[@]}.log
    background "$TOOLS/canned" "$CANNED_LOG" "$@"
    CANNED_PID=$PID
    CANNED_URL=$(wait_for_url "$BG_OUT") || exit 1
    printf 'canned-secret-number-one\ncanned-secret-number-two\n' >"$WORK/.canned.keys"
    # shellcheck disable=SC2034
    CANNED=(--provider openai --base-url "$CANNED_URL/v1" --keys "$WORK/.canned.keys")
}

# What canned was asked, each with " VERSION BODY" behind "POST PATH".
canned_requests() {
    wc -l <"$CANNED_LOG"
}

# The bodies, one a line, in the order they came.
canned_bodies() {
    sed -E 's/^[0-9]+ [0-9]+ [^ ]+ [A-Z]+ [^ ]+ HTTP\/[0-9.]+ //' "$CANNED_LOG"
}

# assert_ledger SUMMARY: the summary's keys say what the simulator's own counters say, and the sums
# hold. Keys that were never asked are in both with zeros.
assert_ledger() {
    local names='{key,requests,ok,failed,rate_limited,input_tokens,output_tokens}'
    sim_stats . >"$WORK/.stats.json"
    # a request on a kept connection that ended is a failed one for the simulator, and none for the run
    local received=".keys[] | .requests += (.sent_again // 0) | .failed += (.sent_again // 0)"
    assert_eq "$(jq -c "[.keys[]|$names]|sort_by(.key)" "$WORK/.stats.json")" \
        "$(jq -c "[$received|$names]|sort_by(.key)" "$1")" "the keys' counts"
    assert_json "$1" '.[0]|.attempts == ([.keys[].requests]|add)
        and .rate_limited == ([.keys[].rate_limited]|add)
        and .tokens.input == ([.keys[].input_tokens]|add)
        and .tokens.output == ([.keys[].output_tokens]|add)
        and all(.keys[]; .requests == .ok + .failed + .rate_limited)
        and .jobs.total >= .jobs.ok + .jobs.failed + .jobs.skipped' true
    assert_json "$WORK/.stats.json" '.[0]|.in_flight == 0 and .unknown_key == 0
        and .requests == .ok + .failed + .rate_limited
        and .requests == ([.keys[].requests]|add)' true
}
