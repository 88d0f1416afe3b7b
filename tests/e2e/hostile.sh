#!/bin/bash
# hostile.sh: replies and rows that mean harm. Each has its class, is asked for again only where that can
# help, is bounded in memory and time, and the next row on the same key is served as if nothing had been.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

MOST=64 # MB at once, whatever comes

chat_answer good.http fine
printf '%s\n' '{"id":"first","prompt":"x"}' '{"id":"next","prompt":"y"}' >rows.jsonl
echo hostile-secret >one.key

# sanitizers have a memory of their own
within() { # MB-MOST
    assert_true "$PEAK MB are at most $1" test "${MODE:-release}" != release -o "$PEAK" -le "$1"
}

# measured COMMAND...: its exit code to STATUS, what it needed to PEAK (MB) and TOOK (seconds)
measured() {
    local from=$EPOCHREALTIME
    run "$TOOLS/peak" "$@"
    TOOK=$(awk -v from="$from" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }')
    PEAK=$(sed -n 's/^peak \([0-9]*\) KiB$/\1/p' "$OUT")
    PEAK=$((PEAK * 1024 / 1000000))
}

# reply NAME CLASS ATTEMPTS ANSWER OPTIONS...: a row that is answered with ANSWER ATTEMPTS times, and one
# that is answered well, over one key; the second goes while the first waits to be sent again
reply() {
    local name=$1 class=$2 attempts=$3 answer=$4 answers
    shift 4
    answers=("$answer" good.http)
    [ "$attempts" = 1 ] || answers+=("$answer")
    t "$name: $class after $attempts"
    start_canned "${answers[@]}"
    rm -f out.jsonl
    measured "$BATCH_RUN" rows.jsonl --provider openai --base-url "$CANNED_URL/v1" --keys one.key -o out.jsonl --no-input \
        --slots 1 --max-retries 1 --cooldown 10ms --timeout 1s --progress off "$@"
    kill "$CANNED_PID"
    assert_eq "$([ "$class" = ok ]; echo $?)" "$STATUS" "exit code"
    assert_eq "$class $attempts" "$(jq -r 'select(.id == "first") | "\(.error.class // .status) \(.attempts)"' out.jsonl)" "outcome"
    assert_json out.jsonl 'map(select(.id == "next") | [.status, .text, .attempts])' '[["ok","fine",1]]'
    # the last one ends a kept connection: it is sent again over a new one
    assert_eq $((attempts + 1 + ${AGAIN:-0})) "$(canned_requests)" "requests"
    assert_true "it has an explanation" jq -se 'all(.status == "ok" or (.error.message | length > 3))' out.jsonl
    within "${AT_MOST:-$MOST}"
    assert_true "$TOOK s are no long time" awk -v took="$TOOK" -v slow="$SLOW" 'BEGIN { exit !(took < 20 * slow) }'
    printf '| %-40s %-14s %8s %5s %6s\n' "$name" "$class" "$attempts" "$PEAK" "$TOOK"
}

headed() { # HEADERS... then the body on stdin
    local header
    printf 'HTTP/1.1 200 OK\r\n'
    for header; do
        printf '%s\r\n' "$header"
    done
    printf '\r\n'
    cat
}
nested() { # N
    head -c "$1" /dev/zero | tr '\0' '['
}
JSON='Content-Type: application/json'
EVENTS='Content-Type: text/event-stream'

printf '{"choices":[' | headed "$JSON" 'Content-Length: 5000' >truncated.close
printf '{"choices":[@AGAIN@ @PAUSE@' | headed "$JSON" 'Content-Length: 5000' >drip.http
http_answer html.http "200 OK" '<html><body>Just a moment...</body></html>'
http_answer empty.http "200 OK" ''
http_answer half.http "200 OK" '{"choices":[{"message":{"content":"half'
http_answer nothing.http "200 OK" '{}'
http_answer nochoices.http "200 OK" '{"choices":[]}'
http_answer types.http "200 OK" '{"choices":[{"message":{"content":17}}],"usage":"none","model":[]}'
http_answer types2.http "200 OK" '{"choices":{"message":"x"}}'
{ printf '{"choices":'; nested 200000; } | headed "$JSON" 'Connection: close' >deep.close
head -c 300000000 /dev/zero | gzip -1 | headed "$JSON" 'Content-Encoding: gzip' 'Connection: close' >bomb.close
{ printf '{"choices":[{"message":{"content":"@AGAIN@'; head -c 1000000 /dev/zero | tr '\0' x; } | headed "$JSON" 'Connection: close' >endless.close
chat_body $'bad \xff\xc0\x80\xed\xa0\x80 bytes' | headed "$JSON" 'Connection: close' >utf8.close
http_answer redirect.http "302 Found" '' 'Location: http://127.0.0.1:9/'
http_answer error.http "200 OK" '{"error":{"message":"in disguise","type":"server_error","code":"oops"}}'
chat_body hm >body
{ printf 'X-Long: '; head -c 8000000 /dev/zero | tr '\0' x; } >long
headed "$JSON" 'Connection: close' "$(cat long)" <body >longheader.close
{ printf 'HTTP/1.1 200 OK\r\nConnection: close\r\n'; seq 10000 | sed 's/.*/X-Header-&: some value or other\r/'; printf '\r\n'; cat body; } >headers.close
{ printf 'HTTP/1.1 200 OK\r\n@AGAIN@'; seq 1000 | sed 's/.*/X-Header-&: some value or other\r/'; } >endlessheaders.close
{ printf '@AGAIN@'; yes $'HTTP/1.1 100 Continue\r\n\r' | head -n 2000; } >continue.close
{ yes $'HTTP/1.1 100 Continue\r\n\r' | head -n 2000; cat good.http; } >continued.http
{ printf 'data: {"choices":[{"index":0,"delta":{"content":"@AGAIN@'; head -c 1000000 /dev/zero | tr '\0' x; } | headed "$EVENTS" 'Connection: close' >noline.close
{ printf '@AGAIN@'; yes 'data: {"choices":[{"index":0,"delta":{"content":"and so on and on"}}]}

' | head -n 9000; } | headed "$EVENTS" 'Connection: close' >events.close
{ printf '@AGAIN@'; yes $': ping\n' | head -n 9000; } | headed "$EVENTS" 'Connection: close' >pings.close
{
    printf 'data: {"choices":[{"index":0,"delta":{"content":"half"}}]}\n\n'
    printf 'data: {"error":{"message":"The server is busy","type":"server_error"}}\n\n'
} | headed "$EVENTS" 'Connection: close' >lateerror.close

printf '| %-40s %-14s %8s %5s %6s\n' reply class attempts MB s
AGAIN=1 reply "reset" network 2 reset
AGAIN=1 reply "closed without a word" network 2 close
reply "cut short" network 2 truncated.close
reply "a byte now and then" timeout 2 drip.http
reply "no answer" timeout 2 hang
reply "HTML" bad_response 2 html.http
reply "empty" bad_response 2 empty.http
reply "half of the JSON" bad_response 2 half.http
reply "200,000 levels deep" bad_response 2 deep.close
reply "an empty object" bad_response 2 nothing.http
reply "no choices" bad_response 2 nochoices.http
reply "wrong types" bad_response 2 types.http
reply "wrong types further up" bad_response 2 types2.http
reply "bad UTF-8" bad_response 2 utf8.close
reply "gzip that was not asked for, 300 MB" too_large 1 bomb.close --timeout $((20 * SLOW))s
reply "a body without end" too_large 1 endless.close --timeout $((20 * SLOW))s
reply "a redirect" bad_response 2 redirect.http
reply "an error that says 200" server 2 error.http
reply "a header of 8 MB" network 2 longheader.close --timeout $((20 * SLOW))s
reply "10,000 headers" network 2 headers.close --timeout $((20 * SLOW))s
reply "headers without end" network 2 endlessheaders.close
reply "100 Continue 2,000 times" ok 1 continued.http
reply "100 Continue without end" network 2 continue.close
reply "a stream without a line" too_large 1 noline.close --stream --timeout $((20 * SLOW))s --max-reply-bytes 16MiB
reply "a stream without end" too_large 1 events.close --stream --timeout $((20 * SLOW))s --max-reply-bytes 16MiB
reply "pings without end" too_large 1 pings.close --stream --timeout $((20 * SLOW))s --max-reply-bytes 128KiB
reply "pings faster than they are read" timeout 2 pings.close --stream --max-reply-bytes 1GiB
reply "a stream with an error in it" server 2 lateerror.close --stream

t "compressed answers are not asked for"
printf '@HEAD@' | headed 'Content-Type: text/plain' 'Connection: close' >head.close
start_canned '"x"=head.close' good.http
expect_exit 1 "$BATCH_RUN" rows.jsonl "${CANNED[@]}" -o - --max-retries 0 --include-response
assert_json "$OUT" 'map(select(.id == "first"))[0].response | [test("^POST /v1/chat/completions"), test("accept-encoding"; "i")]' '[true,false]'

# -- rows --

# row NAME CLASS LINE FILE OPTIONS...: three rows, of which the second is the one that means harm
row() {
    local name=$1 class=$2 line=$3 file=$4 code=1
    shift 4
    [ "$class" != ok ] || code=0
    t "a row: $name: $class"
    rm -f out.jsonl
    measured "$BATCH_RUN" "$file" --provider simulate --base-url "$SIM_URL/v1" -o out.jsonl --no-input --slots 1 \
        --progress off "$@"
    sed -i 's/\\u[dD][89a-fA-F]../half/g' out.jsonl # legal, but not to jq
    assert_eq "[\"$class\",$line]" "$(jq -c 'select(.index == 1) | [.error.class // .status, .line]' out.jsonl)" "outcome"
    assert_eq "$code" "$STATUS" "exit code"
    assert_json out.jsonl 'map(select(.index != 1) | [.status, .text])' '[["ok","before"],["ok","after"]]'
    assert_json out.jsonl 'all(.status == "ok" or (.error.message | length > 3))' true
    within "${AT_MOST:-$MOST}"
    printf '| %-40s %-14s %8s %5s %6s\n' "$name" "$class" "$line" "$PEAK" "$TOOK"
}
# refused NAME FILE: not a row of it is sent
refused() {
    t "a file: $1"
    rm -f out.jsonl
    measured "$BATCH_RUN" "$2" --provider simulate --base-url "$SIM_URL/v1" -o out.jsonl
    assert_eq 2 "$STATUS" "exit code"
    assert_contains "$ERR" "$2"
    within $MOST
    printf '| %-40s %-14s %8s %5s %6s\n' "$1" "exit 2" - "$PEAK" "$TOOK"
}
between() { # the hostile row, or several lines, on stdin
    echo '{"prompt":"before"}'
    cat
    echo '{"prompt":"after"}'
}
bytes() { # N
    head -c "$1" /dev/zero | tr '\0' x
}
LONG=$((60000000 / (SLOW * SLOW))) # sanitizers look at every byte
{ printf '{"prompt":"'; bytes $LONG; printf '"}\n'; } | between >long.jsonl
{ bytes $LONG; echo; } | between >garbage.jsonl
{ printf '{"prompt":"'; bytes 100000000; printf '"}\n'; } | between >toolong.jsonl
{ printf '{"prompt":"x","a":'; nested 200000; echo; } | between >deep.jsonl
{ printf '{"prompt":"x","a":'; nested 200000; nested 200000 | tr '[' ']'; echo '}'; } | between >closed.jsonl
{ seq 3000000 | gzip -1 | head -c 1000000 | tr '\n' ' '; echo; } | between >binary.jsonl
printf '{"prompt":"a\0b"}\n' | between >nul.jsonl
printf '{"prompt":"\\udc00 \\ud800"}\n' | between >lone.jsonl
printf '{"prompt":"\xc0\x80\xff"}\n' | between >utf8.jsonl
printf '{"prompt":"one","prompt":"two","prompt":3}\n' | between >twice.jsonl
{ printf '{"id":"'; bytes 1000000; printf '","prompt":"x"}\n'; } | between >id.jsonl
{ printf 'prompt\nbefore\n"'; bytes $LONG; printf '"\nafter\n'; } >long.csv
{ printf 'prompt\nbefore\n"'; bytes 100000000; printf '"\nafter\n'; } >toolong.csv
printf 'prompt\nbefore\n"open\nafter\n' >open.csv
{ printf prompt; seq 99999 | sed 's/^/,c/' | tr -d '\n'; echo; for cell in before x after; do
    printf %s $cell; bytes 99999 | tr x ,; echo; done; } >wide.csv
{ bytes 100000; echo; } | between | gzip >gzip.jsonl
{ printf '\xff\xfe'; printf '{"prompt":"x"}\n' | iconv -f UTF-8 -t UTF-16LE; } >utf16.jsonl
printf '{"prompt":"x"}\n' | iconv -f UTF-8 -t UTF-16LE >unmarked.jsonl

start_simulator --quiet
echo "| "
printf '| %-40s %-14s %8s %5s %6s\n' row class line MB s
# a long row is held as it was read, as it is sent and as it comes back: a few times --max-line-bytes
AT_MOST=210
row "60 MB in a line" ok null long.jsonl --max-reply-bytes 64MiB
AT_MOST=290 row "60 MB that are no JSON" bad_input 2 garbage.jsonl
row "100 MB in a line" bad_input 2 toolong.jsonl
AT_MOST=$MOST
row "200,000 levels deep" bad_input 2 deep.jsonl
row "200,000 levels deep, and back" bad_input 2 closed.jsonl
row "1 MB of binary" bad_input 2 binary.jsonl
row "a NUL byte" bad_input 2 nul.jsonl
row "halves of surrogate pairs" ok null lone.jsonl
row "bad UTF-8" bad_input 2 utf8.jsonl
row "a member three times" bad_input 2 twice.jsonl
row "an id of 1 MB" ok null id.jsonl
AT_MOST=400 row "a CSV cell of 60 MB" ok null long.csv --max-reply-bytes 64MiB
AT_MOST=100 row "a CSV cell of 100 MB" bad_input 3 toolong.csv
row "a quote that is never closed" bad_input 3 open.csv
row "gzip that is called jsonl" bad_input 2 gzip.jsonl
refused "100,000 columns" wide.csv
t "UTF-16 without a mark: its rows are no good"
expect_exit 1 "$BATCH_RUN" unmarked.jsonl --provider simulate --base-url "$SIM_URL/v1" -o out.jsonl --overwrite
assert_json out.jsonl 'map(.error.class) | unique' '["bad_input"]'
