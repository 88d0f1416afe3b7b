#!/bin/bash
# tls.sh: certificates are verified, those that are asked for are trusted, and HTTP/2 is spoken.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

unset SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE
rows 1 >one.jsonl
echo tls-test-secret-key >keys

# certificate NAME SUBJECT_ALT_NAME: NAME.pem and NAME.key, signed by ca.pem.
certificate() {
    openssl req -new -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2>/dev/null &&
        openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$1.pem" \
            -extfile <(printf 'subjectAltName=%s' "$2") 2>/dev/null
}
start_https() { # NAME
    HTTPS_LOG=$WORK/$1.log
    background "$TOOLS/https" "$1.pem" "$1.key" "$HTTPS_LOG"
    HTTPS_URL=$(wait_for_url "$BG_OUT") || exit 1
    SEND=(one.jsonl --provider openai --keys keys --base-url "$HTTPS_URL/v1" -o -)
}

t "certificates of our own can be made"
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj '/CN=A test authority' 2>/dev/null ||
    fail "openssl makes no authority"
certificate right IP:127.0.0.1,DNS:localhost || fail "openssl makes no certificate"
certificate wrong DNS:other.example || fail "openssl makes no certificate"

t "an authority nobody trusts is refused, clearly, once, and gets no key"
start_https right
expect_exit 3 "$BATCH_RUN" "${SEND[@]}" --outage-patience 1s --summary summary.json
assert_empty "$OUT"
assert_json summary.json '.[0].errors.network.message | test("certificate"; "i") and test("--cacert")' true
assert_empty "$HTTPS_LOG"

t "--cacert trusts it"
run_ok "${SEND[@]}" --cacert ca.pem
assert_json "$OUT" 'map(.text)' '["over TLS"]'
assert_eq "POST /v1/chat/completions Bearer tls-test-secret-key" "$(cat "$HTTPS_LOG")" "the request"

t "SSL_CERT_FILE, CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE and SSL_CERT_DIR do"
SSL_CERT_FILE=ca.pem run_ok "${SEND[@]}"
CURL_CA_BUNDLE=ca.pem run_ok "${SEND[@]}"
REQUESTS_CA_BUNDLE=ca.pem run_ok "${SEND[@]}"
SSL_CERT_FILE=ca.pem CURL_CA_BUNDLE=/dev/null REQUESTS_CA_BUNDLE=/dev/null run_ok "${SEND[@]}"
mkdir trusted
cp ca.pem trusted/
openssl rehash trusted
SSL_CERT_DIR=trusted run_ok "${SEND[@]}"
assert_lines "$HTTPS_LOG" 6

t "a file that is no certificate, or is not there"
expect_exit 2 "$BATCH_RUN" "${SEND[@]}" --cacert missing.pem
assert_contains "$ERR" --cacert
assert_contains "$ERR" missing.pem
echo "no certificate" >empty.pem
run "$BATCH_RUN" "${SEND[@]}" --cacert empty.pem --outage-patience 1s
assert_true "exit code $STATUS is 2 or 3" test "$STATUS" = 2 -o "$STATUS" = 3
assert_lines "$HTTPS_LOG" 6

t "many rows over one connection for each key"
rows 60 >many.jsonl
run_ok many.jsonl --provider openai --keys keys --base-url "$HTTPS_URL/v1" -o - --cacert ca.pem --slots-per-key 4
assert_json "$OUT" 'map(select(.text == "over TLS")) | length' 60

t "a certificate for another host is refused"
start_https wrong
expect_exit 3 "$BATCH_RUN" "${SEND[@]}" --cacert ca.pem --outage-patience 1s --summary summary.json
assert_empty "$OUT"
assert_json summary.json '.[0].errors.network.message | test("certificate|host|127.0.0.1|subject"; "i")' true
assert_empty "$HTTPS_LOG"

t "plain HTTP where TLS is expected"
start_simulator --keys 3
expect_exit 3 "$BATCH_RUN" one.jsonl --provider openai --keys keys --base-url "${SIM_URL/http/https}/v1" -o - \
    --cacert ca.pem --max-retries 0 --outage-patience 1s
assert_contains "$ERR" "does not speak TLS"
assert_eq 0 "$(sim_stats '.requests + .unknown_key')" "requests"

if command -v nghttpd >/dev/null; then
    t "HTTP/2: all requests over one connection, as many at once as there are slots"
    mkdir -p www/v1/chat
    chat_body "over HTTP/2" >www/v1/chat/completions
    for port in $(shuf -i 20000-60000 -n 5); do
        background nghttpd -v -d www --address 127.0.0.1 "$port" right.key right.pem
        if wait_until 2 curl -sS --cacert ca.pem "https://127.0.0.1:$port/"; then
            break
        fi
    done
    log=$BG_OUT
    run_ok many.jsonl --provider openai --keys keys --base-url "https://127.0.0.1:$port/v1" -o - --cacert ca.pem \
        --slots-per-key 8
    assert_json "$OUT" 'map(select(.text == "over HTTP/2")) | length' 60
    wait_until 10 eval '[ $(grep -c ":method: POST" "$log") -ge 60 ]' || fail "the requests are not in its log"
    # a line begins with the number of its connection: [id=3] [ 0.123] recv (stream_id=13) :method: POST
    assert_eq 1 "$(grep ':method: POST' "$log" | sed -E 's/^(\[id=[0-9]+\]).*/\1/' | sort -u | wc -l)" "connections"

    t "--http 2 is content with it; --http 1.1 asks for no other"
    over=(--provider openai --keys keys --base-url "https://127.0.0.1:$port/v1" -o - --cacert ca.pem --max-retries 0 --limit 2)
    run_ok many.jsonl "${over[@]}" --http 2 --quiet
    assert_empty "$ERR"
    expect_exit 3 "$BATCH_RUN" many.jsonl "${over[@]}" --http 1.1 --outage-patience 1s # which this server does not speak
    assert_empty "$OUT"
else
    echo "| HTTP/2 was NOT tested: it needs nghttpd (Debian: nghttp2-server)"
fi

t "--http 2 where there is none: a warning, once, and an error without TLS"
start_https right
run_ok many.jsonl --provider openai --keys keys --base-url "$HTTPS_URL/v1" -o - --cacert ca.pem --http 2 --quiet
assert_eq 1 "$(grep -c 'offers no HTTP/2' "$ERR")" "warnings"
expect_exit 2 "$BATCH_RUN" many.jsonl --provider simulate -o - --http 2
assert_contains "$ERR" 'no https address'
