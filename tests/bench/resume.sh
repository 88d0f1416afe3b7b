#!/bin/bash
# Resuming over a results file of ROWS rows (5 million): the time to read it back beside `wc -l` on the
# same file, the time of a whole run with nothing left to do, and the most memory each took.
#
#   tests/bench/resume.sh [ROWS]         rows without ids of their own, then with
#
# A hundred thousand rows are answered by the simulator; the others are these with other ids. Needs about
# 1.3 GB a million rows in TMPDIR (/tmp), and as much memory for the file to stay in the page cache.
# Each time is the best of three.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
make -s batch-run build/release/tools/peak
PROGRAM=$PWD/batch-run
PEAK=$PWD/build/release/tools/peak
ROWS=${1:-5000000}
ANSWERED=$((ROWS < 100000 ? ROWS : 100000))

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

awk -v n="$ANSWERED" 'BEGIN {
    for (i = 1; i <= n; i++)
        printf "{\"prompt\":\"Summarise in one sentence what customer %d wrote about their order.\"}\n", i
}' >some.jsonl
"$PROGRAM" some.jsonl --provider simulate --slots-per-key 50 --quiet -o some.results.jsonl

# ROWS lines made of these: `ID` becomes the id or the row, and INDEX the index.
multiply() { # FORMAT-OF-ID INPUT-OR-RESULTS
    awk -v rows="$ROWS" -v answered="$ANSWERED" -v form="$1" -v what="$2" '
    { line[NR] = $0 }
    END {
        for (row = 0; row < rows; row++) {
            text = line[row % answered + 1]
            round = row - row % answered
            if (what == "input") {
                id = form == "" ? "" : sprintf("\"id\":\"" form "\",", row + 1)
                print "{" id substr(text, 2)
                continue
            }
            number = substr(text, 8) + round
            id = sprintf(form == "" ? "%d" : form, number)
            text = substr(text, index(text, ",\"status\""))
            at = index(text, "\"input\":{") + 8
            if (form != "")
                text = substr(text, 1, at) "\"id\":\"" id "\"," substr(text, at + 1)
            printf "{\"id\":\"%s\",\"index\":%d%s\n", id, number - 1, text
        }
    }'
}

seconds() { # COMMAND...: the best of three
    local best=999999 start now
    for _ in 1 2 3; do
        start=$(date +%s%N)
        "$@" >/dev/null 2>err.txt || { cat err.txt >&2; exit 1; }
        now=$((($(date +%s%N) - start) / 1000000))
        best=$((now < best ? now : best))
    done
    echo "$best"
}

measure() { # WHAT FORMAT-OF-ID
    local lines back all peak_back peak_all
    multiply "$2" input <some.jsonl >in.jsonl
    multiply "$2" results <some.results.jsonl >r.jsonl
    : >none.jsonl
    lines=$(seconds wc -l r.jsonl)
    back=$(seconds "$PROGRAM" none.jsonl --provider simulate --quiet -o r.jsonl)
    all=$(seconds "$PROGRAM" in.jsonl --provider simulate --quiet -o r.jsonl)
    peak_back=$("$PEAK" "$PROGRAM" none.jsonl --provider simulate --quiet -o r.jsonl 2>err.txt)
    peak_all=$("$PEAK" "$PROGRAM" in.jsonl --provider simulate --quiet -o r.jsonl 2>err.txt)
    [ "$(wc -l <r.jsonl)" = "$ROWS" ] || { echo "rows were sent again" >&2; exit 1; }
    printf '%s: %d rows, %d MB\n' "$1" "$ROWS" $(($(stat -c %s r.jsonl) / 1000000))
    awk -v lines="$lines" -v back="$back" -v all="$all" -v a="$peak_back" -v b="$peak_all" 'BEGIN {
        split(a, x, " "); split(b, y, " ")
        printf "  wc -l              %6.2f s\n", lines / 1000
        printf "  read back          %6.2f s   %4.1f x   peak %5.1f MB\n", back / 1000, back / lines, x[2] * 1.024 / 1000
        printf "  whole run, all done%6.2f s   %4.1f x   peak %5.1f MB\n", all / 1000, all / lines, y[2] * 1.024 / 1000
    }'
}

measure "rows without ids" ""
measure "ids of their own" "customer-order-%08d"
