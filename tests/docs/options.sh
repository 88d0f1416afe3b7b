#!/bin/bash
# Help, manual and completion know the same options: those of the table, and no other. The words of
# each are taken from the program's own pages.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

# The long options in the first column of a command's help.
in_help() {
    "$BATCH_RUN" help "$1" | sed -nE 's/^  (-., |    )--([a-z0-9-]+).*/\2/p' | sort
}

# Those of a command in the manual: items below its subsections "command: Group".
in_manual() {
    "$BATCH_RUN" help manual | awk -v command="$1" '
        /^\.S[hs] / { inside = index($0, ".Ss " command ": ") == 1 }
        inside && /^\.It / { sub(/.*Fl \\-/, ""); sub(/ Ar .*/, ""); gsub(/\\/, ""); print }' | sort
}

# What bash offers after "batch-run COMMAND --".
in_completion() {
    "$BATCH_RUN" completion bash >script.bash
    bash -c '. ./script.bash
        COMP_WORDS=(batch-run "$1" --) COMP_CWORD=2
        _batch_run
        printf "%s\n" "${COMPREPLY[@]}"' bash "$1" | sed 's/^--//' | grep -vxE 'help|version' | sort
}

for command in run simulate providers help completion; do
    t "$command: help, manual and completion list the same options"
    in_help $command >help.txt
    in_manual $command >manual.txt
    in_completion $command >completion.txt
    assert_eq "$(cat help.txt)" "$(cat manual.txt)" "options in the manual"
    assert_eq "$(cat help.txt)" "$(cat completion.txt)" "options in the completion"
    assert_eq "" "$(uniq -d help.txt)" "options listed twice"
done

t "these are enough to be the real ones"
for option in input-format keys max-retries timeout output progress; do
    assert_true "--$option is missing" sh -c "'$BATCH_RUN' help run | grep -q -- '--$option '"
done

t "the parser takes every option of the help, and none that differs by a letter"
for command in run simulate; do
    while read -r option; do
        expect_exit 2 "$BATCH_RUN" $command "--${option}x=1"
        assert_contains "$ERR" "unknown option --${option}x"
        expect_exit 2 "$BATCH_RUN" $command "--$option" 1 --nonsense
        assert_no_match "$ERR" "unknown option --$option(;|\$)"
    done < <(in_help $command)
done

t "every variable of the manual is an option's"
"$BATCH_RUN" help manual | grep -o 'BATCH_RUN_[A-Z0-9_]*' | sort -u >variables.txt
assert_true "there are few variables" test "$(wc -l <variables.txt)" -gt 20
{
    in_help run | grep -vxE 'output|overwrite|dry-run' | sed 's/^/run /'
    in_help simulate | grep -vx 'write-keys' | sed 's/^/simulate /'
    in_help providers | sed 's/^/providers /'
} | while read -r command option; do
    prefix=$([ "$command" = run ] || echo "${command}_")
    echo "BATCH_RUN_$prefix$option" | tr 'a-z-' 'A-Z_'
done | sort -u >expected.txt
assert_eq "" "$(comm -3 expected.txt variables.txt)" "only in one: variables of options, of the manual"

t "every variable does something: a bad value is an error that names it"
numbers=0
while read -r variable; do
    command=run
    case $variable in
    BATCH_RUN_SIMULATE_*) command=simulate ;;
    BATCH_RUN_PROVIDERS_*) command=providers ;;
    esac
    # @nowhere is a bad number, flag, choice or file; only plain texts take it. --nonsense ends the
    # call before anything is done.
    expect_exit 2 env "$variable=@nowhere" "$BATCH_RUN" $command --nonsense
    if grep -q "^batch-run: $variable: " "$ERR"; then
        numbers=$((numbers + 1))
    else
        assert_contains "$ERR" --nonsense
    fi
done <variables.txt
assert_true "few variables were looked at" test $numbers -gt 15
