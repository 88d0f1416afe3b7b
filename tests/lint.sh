#!/bin/bash
# The rules of the house that a machine can check. Prints file:line: what is wrong; silent when all is
# well. A tool that is not installed, or formats differently, is named and left out.
# SPDX-License-Identifier: MIT
set -u
cd "${LINT_ROOT:-$(dirname "$0")/..}" || exit 1

findings=$(mktemp) || exit 1
trap 'rm -f "$findings"' EXIT

found() { # reads lines "file:line: text"
    cat >>"$findings"
}

sources() { # NAME-PATTERN... over the program's folders
    find jobs pool runner "$@" 2>/dev/null | LC_ALL=C sort
}

# Includes point runner -> pool -> jobs -> jobs/base, never back.
check_includes() {
    local folder forbidden
    while read -r folder forbidden; do
        find "$folder" -name '*.[ch]' -print0 2>/dev/null |
            xargs -0r grep -nE "^#include \"($forbidden)/" /dev/null |
            sed "s,\$,: $folder/ must not know this,"
    done <<'RULES'
jobs/base jobs/[a-z]+\.h|jobs/in|jobs/out|pool|runner
jobs pool|runner
pool runner
RULES
    find jobs/base -name '*.[ch]' -print0 2>/dev/null |
        xargs -0r grep -nE '^#include "jobs/[a-z_]+\.h"' /dev/null |
        sed 's,$,: jobs/base/ must not know this,'
}

# The first line says what the file is for; then the licence; its own header comes first.
check_heads() {
    local file base own first
    while read -r file; do
        base=$(basename "$file")
        first=$(head -n 1 "$file")
        case $file in
        *.c) [[ $first == "// $base: "?* ]] ||
            echo "$file:1: the first line is not '// $base: one sentence of what it is for'" ;;
        *.h) [[ $first == "// "?* ]] || echo "$file:1: the header does not begin with what it promises" ;;
        esac
        head -n 40 "$file" | grep -q '^// SPDX-License-Identifier: MIT$' ||
            echo "$file:1: the line '// SPDX-License-Identifier: MIT' is missing"
        own=${file%.c}.h
        if [[ $file == *.c && -f $own ]] && [ "$(grep -m 1 '^#include' "$file")" != "#include \"$own\"" ]; then
            echo "$file:1: its own header \"$own\" is not the first include"
        fi
    done < <(sources -name '*.[ch]')
}

# Only key_set_state writes a key's state, only job_set_state a job's. Functions are at most 70 lines.
check_functions() {
    sources -name '*.c' | xargs -r awk '
        FNR == 1 { name = "" ; start = 0 }
        /^[A-Za-z_].*\(/ && !/;[ \t]*$/ && !/^#/ {
            head = $0
            sub(/\(.*/, "", head)
            sub(/.*[ *]/, "", head)
            name = head
            start = FNR
        }
        /^}/ {
            if (start && FNR - start + 1 > 70)
                printf "%s:%d: %s has %d lines, more than 70\n", FILENAME, start, name, FNR - start + 1
            start = 0
            name = ""
        }
        /(^|[^A-Za-z_])(job|key)->state[ \t]*=[^=]/ && name != "job_set_state" && name != "key_set_state" {
            printf "%s:%d: only job_set_state() and key_set_state() write a state\n", FILENAME, FNR
        }'
}

check_lengths() {
    find jobs pool runner tests -name '*.c' -print0 2>/dev/null | xargs -0r awk '
        FNR == 500 { printf "%s:500: the file has 500 lines or more\n", FILENAME }'
}

check_leftovers() {
    grep -rnwE 'TODO|FIXME|XXX' --include='*.[ch]' --include='*.sh' --include=Makefile \
        jobs pool runner tests Makefile 2>/dev/null |
        grep -v '^tests/lint.sh:\|^tests/project/lint.sh:' |
        sed 's,$,  (nothing is left half done),'
}

# What a visitor sees first is kept few. Only what git knows, where there is git.
check_top_level() {
    local listed name
    listed=$(git ls-files --cached --others --exclude-standard 2>/dev/null | cut -d / -f 1 | sort -u)
    [ -n "$listed" ] || listed=$(find . -maxdepth 1 -mindepth 1 -printf '%f\n' | grep -v '^build$\|^batch-run$')
    for name in $listed; do
        case $name in
        .* | runner | jobs | pool | samples | tests | Makefile | README.md | LICENSE) ;;
        *.results.jsonl | *.lock) ;;
        *) echo "$name:1: has no place at the top level" ;;
        esac
    done
}

# Versions lay code out differently: the tree is laid out with this one.
check_format() {
    local wanted=14 version
    version=$(clang-format --version 2>/dev/null | sed -nE 's/.*version ([0-9]+)\..*/\1/p')
    if [ "$version" != $wanted ]; then
        echo "lint: layout not checked: clang-format $wanted is ${version:+not }installed${version:+, but $version is}" |
            sed "s/is installed$/is not installed/" >&2
        return
    fi
    find jobs pool runner tests -name '*.[ch]' -print0 2>/dev/null |
        xargs -0r clang-format --dry-run 2>&1 | grep -E '^[^ ].*: warning' |
        sed -E 's/:[0-9]+: warning:.*/: not laid out as clang-format does (make format)/' |
        sort -t : -u -k 1,1
}

check_scripts() {
    if ! command -v shellcheck >/dev/null; then
        echo "lint: scripts not checked: shellcheck is not installed" >&2
        return
    fi
    find tests .ci samples -name '*.sh' -print0 2>/dev/null |
        xargs -0r shellcheck -x -P SCRIPTDIR -P tests/e2e -e SC1091,SC2016 -f gcc | awk 1
}

for check in includes heads functions lengths leftovers top_level format scripts; do
    "check_$check" | found
done
if [ -s "$findings" ]; then
    cat "$findings"
    echo "lint: $(wc -l <"$findings") findings" >&2
    exit 1
fi
