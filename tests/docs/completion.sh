#!/bin/bash
# The completion scripts: each shell that is installed takes its own, and bash completes.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

for shell in bash zsh fish; do
    run_ok completion $shell
    cp "$OUT" script.$shell
done
touch prompts.jsonl "with space.csv" keys.env
mkdir folder

# complete WORD...: what bash offers for the last word, sorted, in one line. As readline does, = parts.
complete_words() {
    bash -c '. ./script.bash
        COMP_WORDS=(batch-run "$@") COMP_CWORD=$#
        _batch_run
        ((${#COMPREPLY[@]})) && printf "%s\n" "${COMPREPLY[@]}"' bash "$@" 2>&1 |
        grep -v 'currently executing completion' | sort | tr '\n' ',' | sed 's/,$//'
}

assert_offers() { # WANTED WORD...
    local wanted=$1
    shift
    assert_eq "$wanted" "$(complete_words "$@")" "batch-run $*"
}

t "bash reads its script"
assert_true "bash -n" bash -n script.bash

t "bash completes commands and files"
assert_offers simulate sim
assert_offers prompts.jsonl,providers pro
assert_offers "with space.csv" run w
assert_offers "" simulate ""
assert_offers "completion,help,manual,providers,run,simulate" help ""
assert_offers "bash,fish,zsh" completion ""
assert_offers zsh completion z

t "bash completes options of the command that is meant"
assert_offers --max-line-bytes,--max-reply-bytes,--max-requests,--max-retries,--max-tokens,--max-tokens-total prompts.jsonl --max
assert_offers --max-line-bytes,--max-reply-bytes,--max-requests,--max-retries,--max-tokens,--max-tokens-total run --max
assert_offers --port simulate --po
assert_offers "" providers --po

t "bash completes values"
assert_offers bar prompts.jsonl --progress b
assert_offers auto,bar,json,off,plain prompts.jsonl --progress ""
assert_offers auto,bar,json,off,plain prompts.jsonl --progress =
assert_offers plain prompts.jsonl --progress = p
assert_offers keys.env --keys k
assert_offers keys.env --keys = k
assert_offers @keys.env prompts.jsonl --system @k
assert_offers "" prompts.jsonl --system k
assert_offers "" prompts.jsonl --timeout ""
assert_offers simulate prompts.jsonl --provider sim
assert_offers simulate -p sim
assert_offers bigmodel -p big

# What zsh offers, asked in a terminal of its own.
complete_in_zsh() {
    timeout $((20 * SLOW)) zsh -f -c '
        zmodload zsh/zpty
        zpty terminal "TERM=dumb PS1=READY LISTMAX=1000 zsh -f -i"
        zpty -w terminal "setopt no_beep; autoload -U compinit; compinit -u -d $PWD/.dump; . ./script.zsh"
        zpty -w terminal "PS1=DONE; echo LOADED"
        zpty -r -m terminal line "*LOADED*LOADED*"
        zpty -w -n terminal "batch-run $1"$'\''\t\t'\''
        sleep 1
        zpty -w terminal ""
        zpty -w terminal "exit"
        while zpty -r terminal line; do print -r -- $line; done' zsh "$1"
}

if command -v zsh >/dev/null; then
    t "zsh reads its script and completes"
    assert_true "zsh -n" zsh -n script.zsh
    complete_in_zsh "prompts.jsonl --max-ret" >shown.txt 2>&1
    assert_contains shown.txt "--max-retries"
    complete_in_zsh "prompts.jsonl --progress=" >shown.txt 2>&1
    assert_contains shown.txt plain
    complete_in_zsh "simulate --" >shown.txt 2>&1
    assert_contains shown.txt "--port"
    assert_not_contains shown.txt "--max-retries"
else
    echo "| completion in zsh was NOT tested: there is none"
fi

if command -v fish >/dev/null; then
    t "fish reads its script and completes"
    assert_true "fish -n" fish -n script.fish
    assert_true "commands" fish -c 'source script.fish; complete -C "batch-run simul" | grep -q ^simulate'
    assert_true "options" fish -c 'source script.fish; complete -C "batch-run x --max-ret" | grep -q -- --max-retries'
    assert_true "values" fish -c 'source script.fish; complete -C "batch-run x --progress " | grep -q plain'
    assert_true "own options only" fish -c \
        'source script.fish; not complete -C "batch-run simulate --" | grep -q -- --max-retries'
else
    echo "| completion in fish was NOT tested: there is none"
fi
