#!/bin/bash
# Runs test programs and scripts, two at a time: tests/run.sh FILE... One line per file, the output of
# those that fail, and at the end "N passed, N failed". A file passes through its lines "ok NAME" and
# "not ok NAME"; one that ends badly without saying so, or says nothing at all, is a failure too.
# Lines that begin with "| ", tables and what could not be tested, are shown in any case. At the end what
# failed is named again.
# SPDX-License-Identifier: MIT
set -u
cd "$(dirname "$0")/.." || exit 1

# A unit test's counts come from cmocka's XML file, whatever the program does with its output.
count_unit() { # XML-FILE OUTPUT
    local tests failures errors skipped
    read -r tests failures errors skipped < <(sed -nE 's/.*<testsuite .*tests="([0-9]+)" failures="([0-9]+)" errors="([0-9]+)" skipped="([0-9]+)".*/\1 \2 \3 \4/p' "$1" |
        awk '{ t += $1; f += $2; e += $3; s += $4 } END { print t + 0, f + 0, e + 0, s + 0 }')
    ok=$((tests - failures - errors - skipped))
    not_ok=$((failures + errors))
    if [ $not_ok != 0 ]; then
        awk '/<testcase / { name = $0 } /<failure|<error/ { print name; on = 1 } on
             /<\/failure|<\/error/ { on = 0 }' "$1" >>"$2"
    fi
}

# One file: its output and counts go to files in $RESULTS, one line to the screen.
run_one() {
    local file=$1 name output status planned=0 ok=0 not_ok=0
    name=$(sed -E 's,^(build/[^/]*/)?(tests/)?,,; s,\.sh$,,' <<<"$file")
    output=$RESULTS/${name//\//_}
    # into files: not every script looks at how each program that it started has ended
    if [ "${MODE:-release}" != release ]; then
        export ASAN_OPTIONS=$ASAN_OPTIONS:log_path=$output.finding
        export UBSAN_OPTIONS=$UBSAN_OPTIONS:log_path=$output.finding
        export TSAN_OPTIONS=$TSAN_OPTIONS:log_path=$output.finding
    fi
    CMOCKA_MESSAGE_OUTPUT=XML CMOCKA_XML_FILE=$output.xml \
        timeout -k 10 "${TEST_TIMEOUT:-300}" "$file" >"$output" 2>&1 </dev/null
    status=$?
    if [ -f "$output.xml" ]; then
        count_unit "$output.xml" "$output"
    else
        ok=$(grep -E '^ok( |$)' "$output" | grep -vc '# SKIP')
        not_ok=$(grep -cE '^not ok( |$)' "$output")
        planned=$(sed -nE 's/^1\.\.([0-9]+)$/\1/p' "$output" | awk '{ n += $1 } END { print n + 0 }')
    fi
    complain() {
        not_ok=$((not_ok + 1))
        echo "not ok $name: $1" >>"$output"
    }
    if compgen -G "$output.finding.*" >/dev/null; then
        cat "$output".finding.* >>"$output"
        complain "a sanitizer found something"
    fi
    if [ $status = 124 ] || [ $status = 137 ]; then
        complain "took longer than ${TEST_TIMEOUT:-300} seconds"
    elif [ $status != 0 ] && [ "$not_ok" = 0 ]; then
        complain "ended with status $status"
    elif [ $((ok + not_ok)) = 0 ]; then
        complain "said nothing about any test"
    fi
    if [ "$planned" -gt $((ok + not_ok)) ]; then
        complain "stopped after $((ok + not_ok)) of $planned tests"
    fi
    echo "$ok $not_ok" >"$output.count"
    if [ "$not_ok" = 0 ]; then
        { echo "ok      $name ($ok)"; sed -n 's/^| /    &/p' "$output"; } >"$output.shown"
    else
        { # what failed first, then everything
            echo "FAILED  $name"
            grep -aE '^(not ok|#)|^\[  FAILED  \]|: error: ' "$output" | head -n 30 | sed 's/^/  > /'
            sed 's/^/    /' "$output"
        } >"$output.shown"
    fi
    cat "$output.shown" # in one go: another one may be writing
}

if [ "${1:-}" = --one ]; then
    run_one "$2"
    exit 0
fi

RESULTS=$(mktemp -d) || exit 1
export RESULTS
trap 'rm -rf "$RESULTS"' EXIT
# Sanitizers slow everything down, and a finding must not pass as an ordinary failure.
if [ "${MODE:-release}" != release ]; then
    export SLOW=${SLOW:-5} TEST_TIMEOUT=${TEST_TIMEOUT:-1500}
    export ASAN_OPTIONS=detect_leaks=1:exitcode=99:${ASAN_OPTIONS:-}
    export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
    export TSAN_OPTIONS=exitcode=99:second_deadlock_stack=1:${TSAN_OPTIONS:-}
    if [ -f tests/tsan.supp ]; then
        TSAN_OPTIONS=suppressions=$PWD/tests/tsan.supp:$TSAN_OPTIONS
    fi
fi

if [ $# -gt 0 ]; then
    printf '%s\0' "$@" | xargs -0 -n 1 -P "${TEST_JOBS:-2}" "$0" --one
fi
grep -ahE '^(FAILED|  > )' "$RESULTS"/*.shown 2>/dev/null
cat "$RESULTS"/*.count 2>/dev/null | awk -v files=$# '
    { passed += $1; failed += $2; seen++ }
    END {
        if (seen < files) failed += files - seen
        printf "%d passed, %d failed\n", passed, failed
        exit !(passed > 0 && failed == 0)
    }'
