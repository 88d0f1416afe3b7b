#!/bin/bash
# The command line from outside: help, versions, which command is meant, what is refused and how.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# refuses TEXT COMMAND...: exit code 2, nothing on stdout, and stderr says so.
refuses() {
    local text=$1
    shift
    expect_exit 2 "$@"
    assert_empty "$OUT"
    assert_contains "$ERR" "batch-run: $text"
    assert_match "$ERR" "^try 'batch-run help"
}

t "no arguments: a short usage on stderr, exit code 2"
expect_exit 2 "$BATCH_RUN"
assert_empty "$OUT"
assert_match "$ERR" '^usage: batch-run INPUT'
assert_lines "$ERR" 3

t "help is what was asked for: on stdout, in 100 columns, without colours"
for words in --help -h help "help run" "help simulate" "help providers" "help help" \
    "help completion" "run --help" "simulate -h" "in.jsonl --help" "--provider x -h"; do
    # shellcheck disable=SC2086 # a list of words
    run_ok $words
    assert_empty "$ERR"
    assert_match "$OUT" 'Usage:'
    assert_true "lines of $words are too long" test "$(LC_ALL=C.UTF-8 wc -L <"$OUT")" -le 100
    assert_not_contains "$OUT" $'\033'
done

t "the overview names every command, every exit code and the environment"
run_ok --help
for word in run simulate providers help completion; do
    assert_match "$OUT" "^  $word( |\$)"
done
for code in 0 1 2 3 4 130; do
    assert_match "$OUT" "^ +$code  [a-z]"
done
assert_contains "$OUT" BATCH_RUN_
assert_contains "$OUT" "[600s]"

t "--help and 'help' are the same page"
cp "$OUT" help.txt
run_ok help
assert_same help.txt "$OUT"

t "the version names the program and its libraries"
for word in --version -V; do
    run_ok $word
    assert_match "$OUT" '^batch-run [0-9]+\.[0-9]+\.[0-9]+$'
    assert_match "$OUT" 'libcurl [0-9].*libmicrohttpd [0-9].*cJSON [0-9]'
    assert_empty "$ERR"
done

t "help that cannot be written is exit code 4"
expect_exit 4 sh -c '"$1" --help >/dev/full' sh "$BATCH_RUN"
assert_contains "$ERR" "cannot write to standard output: No space left on device"

t "a reader that leaves early is no drama"
# nobody reads any more when it begins; else the pipe would hold the whole of it
expect_exit 4 bash -c '{ sleep 0.2; "$1" help manual; } | true; exit "${PIPESTATUS[0]}"' bash "$BATCH_RUN"
assert_empty "$ERR"

t "names of later commands are kept free"
for word in keys serve bench; do
    refuses "'$word' is the name of a command of later versions" "$BATCH_RUN" $word
    assert_contains "$ERR" "./$word"
done

t "a misspelt command is not taken for a file"
refuses "there is neither a file nor a command 'simulat'; did you mean 'simulate'?" \
    "$BATCH_RUN" simulat

t "INPUT is needed, once"
refuses "INPUT is missing" "$BATCH_RUN" --quiet
refuses "INPUT is missing" "$BATCH_RUN" run
refuses "run takes one INPUT, but 2 words are no options" "$BATCH_RUN" a.jsonl b.jsonl
refuses "simulate takes options only" "$BATCH_RUN" simulate a.jsonl
refuses "bash|zsh|fish is missing" "$BATCH_RUN" completion
refuses "'tcsh' is none of the shells" "$BATCH_RUN" completion tcsh
refuses "there is no help on 'manul'; did you mean 'manual'?" "$BATCH_RUN" help manul

t "a misspelt option gets its nearest name"
refuses "unknown option --max-retry; did you mean --max-retries?" "$BATCH_RUN" in.jsonl --max-retry 3
assert_contains "$ERR" "try 'batch-run help run'"
refuses "unknown option --prot; did you mean --port?" "$BATCH_RUN" simulate --prot 3
assert_contains "$ERR" "try 'batch-run help simulate'"
refuses "unknown option -x" "$BATCH_RUN" in.jsonl -x

t "an option of another tool leads to ours"
refuses "unknown option --concurrency; use --slots-per-key N" "$BATCH_RUN" in.jsonl --concurrency 8
refuses "unknown option -j; use --slots-per-key N" "$BATCH_RUN" in.jsonl -j 8
refuses "unknown option --retries; use --max-retries N" "$BATCH_RUN" in.jsonl --retries 3
refuses "unknown option --base_url; use --base-url URL" "$BATCH_RUN" in.jsonl --base_url http://127.0.0.1:1
refuses "unknown option --resume; resuming is automatic" "$BATCH_RUN" in.jsonl --resume
for option in api-key api_key openai-key token; do
    refuses "an API key never goes on the command line" "$BATCH_RUN" in.jsonl "--$option" hunter2
    assert_not_contains "$ERR" hunter2
done

t "a bad value is named with what would be a good one"
refuses "--max-retries: 'many' is not a whole number" "$BATCH_RUN" in.jsonl --max-retries many
refuses "--timeout: '5 parsecs' is not a duration" "$BATCH_RUN" in.jsonl --timeout '5 parsecs'
refuses "--slots-per-key: '0' is not a whole number from 1 to" "$BATCH_RUN" in.jsonl --slots-per-key=0
refuses "--progress: 'ber' is none of auto, bar, plain, json, off; did you mean bar?" \
    "$BATCH_RUN" in.jsonl --progress ber
refuses "-o: its value is missing; it takes FILE" "$BATCH_RUN" in.jsonl -o
refuses "--system: cannot read the file 'none.txt': No such file or directory" \
    "$BATCH_RUN" in.jsonl --system @none.txt

t "an option that would take a key does not exist, and its value is never repeated"
for words in --key=hunter2 "--api-key hunter2" --openai-api-key=hunter2 "--token hunter2" \
    OPENAI_API_KEY=hunter2 "--provider sk-hunter2-abcdefghijklmnop"; do
    # shellcheck disable=SC2086 # a list of words
    refuses "an API key never goes on the command line" "$BATCH_RUN" in.jsonl $words
    assert_contains "$ERR" "--keys FILE"
    assert_not_contains "$ERR" hunter2
done

t "the environment sets defaults, and is named when it is wrong"
refuses "BATCH_RUN_MAX_RETRIES: 'many' is not a whole number" \
    env BATCH_RUN_MAX_RETRIES=many "$BATCH_RUN" in.jsonl
refuses "BATCH_RUN_QUIET: 'maybe' is neither yes" env BATCH_RUN_QUIET=maybe "$BATCH_RUN" in.jsonl
refuses "BATCH_RUN_SIMULATE_PORT: 'x' is not" env BATCH_RUN_SIMULATE_PORT=x "$BATCH_RUN" simulate
BATCH_RUN_MAX_RETRIES=many run_ok help run

t "options may stand before INPUT, and a file may be called like a command"
rows 2 >simulate
run_ok --provider simulate -q ./simulate --input-format jsonl -o out.jsonl
assert_json out.jsonl 'map(.status)' '["ok","ok"]'
run_ok run ./simulate --input-format=jsonl --provider=simulate -q --overwrite --progress off -oout.jsonl
assert_json out.jsonl 'map(.status)' '["ok","ok"]'

t "closed standard streams do no harm"
rows 1 >one.jsonl
expect_exit 0 bash -c '"$1" one.jsonl --provider simulate -q <&- >&- 2>&-' bash "$BATCH_RUN"
assert_json one.results.jsonl 'map(.id)' '["1"]'
