#!/bin/bash
# unsent.sh: requests that a server did not process are sent again and cost nothing: no attempt, no retry, no
# pause. HTTP/2 says so itself; over HTTP/1.1 a kept connection ends before a byte of the answer.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

unset SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE
rows 60 >in.jsonl
echo h2-test-secret-key >keys
openssl req -x509 -newkey rsa:2048 -nodes -keyout own.key -out own.pem -days 2 -subj '/CN=localhost' \
    -addext subjectAltName=IP:127.0.0.1 2>/dev/null

start_h2() { # MODE N
    background "$TOOLS/h2" own.pem own.key h2.log "$1" "$2"
    SEND=(in.jsonl --provider openai --keys keys --base-url "$(wait_for_url "$BG_OUT")/v1" -m m --cacert own.pem
        --overwrite -o out.jsonl --summary summary.json --max-retries 0)
}

# All rows are answered at the first attempt, and none is paid twice.
all_at_once() {
    assert_json out.jsonl 'map(select(.status == "ok" and .attempts == 1)) | length' 60
    assert_json summary.json '.[0] | [.attempts, .keys[0].requests, .keys[0].failed, .keys[0].state]' "$1"
    assert_eq 60 "$(grep -c answered h2.log)" "answers"
    assert_json summary.json '.[0].sent_again' "$2"
    assert_true "some were refused" grep -q refused h2.log
}

t "HTTP/2: every other stream is refused unprocessed (REFUSED_STREAM)"
start_h2 refuse 2
run_ok "${SEND[@]}" --slots-per-key 4
all_at_once '[60,60,0,"healthy"]' 0

t "HTTP/2: a server that is going away leaves requests out (GOAWAY)"
start_h2 goaway 7
run_ok "${SEND[@]}"
all_at_once '[60,60,0,"healthy"]' 0

t "HTTP/2: a kept connection ends before a byte of the answer"
start_h2 drop 7
run_ok "${SEND[@]}"
all_at_once '[60,60,0,"healthy"]' "$(grep -c refused h2.log)"

t "HTTP/1.1: the same"
chat_answer good.http fine
answers=()
for _ in 1 2 3 4 5; do answers+=(good.http good.http close); done
start_canned "${answers[@]}" good.http
run_ok in.jsonl "${CANNED[@]}" -m m --slots 1 --max-retries 0 -o out.jsonl --overwrite --summary summary.json
assert_json out.jsonl 'map(select(.status == "ok" and .attempts == 1)) | length' 60
assert_json summary.json '.[0] | [.attempts, .sent_again, .keys[0].sent_again + .keys[1].sent_again]' '[60,5,5]'
assert_eq 65 "$(canned_requests)" "requests that arrived"

t "a new connection that ends without a byte is a failure as before"
start_canned close close good.http
run_ok in.jsonl "${CANNED[@]}" -m m --slots 1 --limit 1 -o out.jsonl --overwrite --summary summary.json
assert_json out.jsonl 'map([.status, .attempts])' '[["ok",3]]'

t "an end that comes late may have been paid: it is not sent again unseen"
printf '@PAUSE@@PAUSE@@PAUSE@@PAUSE@@PAUSE@@PAUSE@@PAUSE@@PAUSE@' >late.close
start_canned good.http late.close good.http
run_ok in.jsonl "${CANNED[@]}" -m m --slots 1 --limit 2 -o out.jsonl --overwrite --summary summary.json
assert_json out.jsonl 'map([.status, .attempts]) | sort' '[["ok",1],["ok",2]]'
assert_eq 3 "$(canned_requests)" "requests that arrived"
