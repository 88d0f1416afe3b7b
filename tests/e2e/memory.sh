#!/bin/bash
# memory.sh: memory does not depend on the size of the input. Rows without ids: below 32 MB at 200,000
# rows, within 10 % of 20,000; ids of their own: at most 24 bytes a row.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

if [ "${MODE:-release}" != release ]; then
    echo "# sanitizers have a memory of their own: nothing to measure"
    t "memory is measured without sanitizers"
    exit 0
fi

make_rows() { # N FORMAT: FORMAT is printf's, given the row's number twice
    seq 1 "$1" | awk -v format="$2" '{ printf format "\n", $1, $1 }'
}

# peak_of FILE: runs it and sets PEAK to the most memory it had at once, in KiB.
peak_of() {
    rm -f out.jsonl
    # one thread: a machine that is busy enough would give the long run a second one
    "$TOOLS/peak" "$BATCH_RUN" "$1" --provider simulate --base-url "$SIM_URL/v1" --slots-per-key 21 \
        --threads 1 -o out.jsonl --quiet >"$OUT" 2>"$ERR" || fail "$1 failed: $(head -n 3 "$ERR")"
    PEAK=$(sed -n 's/^peak \([0-9]*\) KiB$/\1/p' "$OUT")
    assert_lines out.jsonl "$2"
}

start_simulator --quiet
TEXT="Row %d, a question of some length: what becomes of a batch when the rows keep coming?"
make_rows 20000 "{\"prompt\":\"$TEXT\"}" >small.jsonl
make_rows 200000 "{\"prompt\":\"$TEXT\"}" >large.jsonl
make_rows 20000 "{\"id\":\"customer-record-%09d\",\"prompt\":\"$TEXT\"}" >small-ids.jsonl
make_rows 200000 "{\"id\":\"customer-record-%09d\",\"prompt\":\"$TEXT\"}" >large-ids.jsonl

t "200,000 rows without ids stay below 32 MB, and within 10 % of 20,000"
peak_of small.jsonl 20000
small=$PEAK
peak_of large.jsonl 200000
large=$PEAK
echo "# $small KiB at 20,000 rows, $large KiB at 200,000"
assert_true "$large KiB are below 32 MB" test "$large" -lt 31250
assert_true "$large KiB are within 10 % of $small" test $((large * 10)) -le $((small * 11))

t "ids of their own add at most 24 bytes a row"
peak_of small-ids.jsonl 20000
small_ids=$PEAK
peak_of large-ids.jsonl 200000
echo "# $small_ids KiB at 20,000 rows, $PEAK KiB at 200,000: $(((PEAK - large) * 1024 / 200000)) bytes a row"
assert_true "$PEAK KiB are within 24 bytes a row of $large" \
    test $(((PEAK - large) * 1024)) -le $((24 * 200000 + large * 1024))
