#!/bin/bash
# Line coverage after a run of the suite: tests/coverage.sh BUILD FLOOR. A row per folder and one for
# the whole of jobs/ and pool/, which must reach FLOOR percent; the files that are furthest from it.
# SPDX-License-Identifier: MIT
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1 floor=$2

# "jobs/base/buf.c 95.12 40": percent of so many lines, for every source that was compiled.
measure() {
    local notes
    while IFS= read -r notes; do
        gcov -n -o "$(dirname "$notes")" "$notes" 2>/dev/null
    done < <(find "$build/jobs" "$build/pool" -name '*.gcno' 2>/dev/null) |
        awk -F "'" '
            /^File/ { file = $2 }
            /^Lines executed/ && file ~ /^(jobs|pool)\/.*\.c$/ {
                split($0, part, /[:% ]+/)
                print file, part[3], part[5]
                file = "" # what follows may be the sum of several
            }'
}

lines=$(mktemp) || exit 1
trap 'rm -f "$lines"' EXIT
measure | LC_ALL=C sort >"$lines"
if [ ! -s "$lines" ]; then
    echo "coverage: nothing was measured in $build" >&2
    exit 1
fi
echo
echo "Least covered:"
LC_ALL=C sort -k 2,2n "$lines" | head -n 8 | awk '{ printf "  %-32s %5.1f %%\n", $1, $2 }'
echo
awk -v floor="$floor" '
    function add(room) { all[room] += $3; hit[room] += $2 * $3 / 100 }
    function show(room) { printf "  %-32s %5.1f %% of %d lines\n", room, 100 * hit[room] / all[room], all[room] }
    {
        room = $1
        sub("/[^/]*$", "", room)
        if (!(room in all)) order[++rooms] = room
        add(room)
        add("all of jobs/ and pool/")
    }
    END {
        for (i = 1; i <= rooms; i++) show(order[i])
        show("all of jobs/ and pool/")
        all_hit = 100 * hit["all of jobs/ and pool/"] / all["all of jobs/ and pool/"]
        if (all_hit < floor) {
            printf "coverage: %.1f %% is below the floor of %s %%\n", all_hit, floor > "/dev/stderr"
            exit 1
        }
    }' "$lines"
