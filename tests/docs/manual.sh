#!/bin/bash
# The manual page: well-formed, complete, and true about the examples it gives.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

run_ok help manual
cp "$OUT" batch-run.1

t "mandoc has nothing to say about it"
mandoc -T lint -W style batch-run.1 2>&1 | grep -v 'outdated mandoc.db' >lint.txt
assert_empty lint.txt

t "all sections are there"
mandoc -T utf8 -O width=100 batch-run.1 | sed $'s/.\b//g' >text.txt
for title in NAME SYNOPSIS DESCRIPTION COMMANDS OPTIONS INPUT "KEYS AND PROVIDERS" "WHICH KEY, AND WHEN" RESULTS SUMMARY \
    ENVIRONMENT FILES SIGNALS "EXIT STATUS" EXAMPLES "SEE ALSO"; do
    assert_match text.txt "^$title\$"
done

t "every exit code and every class of failure is explained"
for code in 0 1 2 3 4 130; do
    assert_match text.txt "^ +$code +[a-z]"
done
for class in bad_input invalid_request content_filter auth quota rate_limited model server timeout \
    network bad_response too_large no_key deadline; do
    assert_match text.txt "$class: "
done

t "every provider it names is in the catalogue, and the reverse"
run_ok providers
for provider in bigmodel zai openai anthropic google groq mistral nvidia k2think simulate; do
    assert_match "$OUT" "(^|[^a-z0-9])$provider([^a-z0-9]|\$)"
    assert_match text.txt "(^|[^a-z0-9])$provider([^a-z0-9]|\$)"
done

if command -v groff >/dev/null && groff -man -T utf8 </dev/null >/dev/null 2>&1; then
    t "groff reads it too"
    groff -mandoc -T utf8 -Kutf8 -ww batch-run.1 >/dev/null 2>groff.txt
    assert_empty groff.txt
else
    echo "| groff was NOT tested: there is none, or not the whole of it"
fi

t "its examples use options that exist"
# The literal lines below EXAMPLES, each with --dry-run and a file of its own in place of its input.
awk '/^\.Sh EXAMPLES/ { on = 1 } /^\.Sh SEE/ { on = 0 } on && /^batch/' batch-run.1 >examples.txt
sed -i 's/\\(aq/'\''/g; s/\\-/-/g; s/\\(dq/"/g' examples.txt
assert_true "no examples" test -s examples.txt
while read -r line; do
    case $line in *" help "*) continue ;; esac
    expect_exit 2 bash -c "${line/#batch-run/\"\$1\"} --nonsense" bash "$BATCH_RUN"
    assert_contains "$ERR" "unknown option --nonsense"
done <examples.txt
