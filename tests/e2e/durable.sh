#!/bin/bash
# durable.sh: nothing that was answered is lost, and nothing is paid twice without a word: full disks,
# rows that changed, kills under load.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

# whole_and_resumes FILE N: after space returned, every row has its line.
whole_and_resumes() {
    local kept
    assert_true "$1 ends with a whole line" test -z "$(tail -c 1 "$1" | tr -d '\n')"
    assert_true "$1 holds whole lines" jq -e . "$1"
    kept=$(wc -l <"$1")
    assert_true "some of the rows are in it ($kept of $2)" test "$kept" -gt 0 -a "$kept" -lt "$2"
}

t "a file system of 1 MB: exit 4, the file whole, what is missing counted; the rest once there is room"
rows 4000 >many.jsonl
mkdir disk
cat >on_small_disk.sh <<'SCRIPT'
mount -t tmpfs -o size=1m tmpfs disk || exit 77
"$1" many.jsonl --provider simulate -o disk/out.jsonl --quiet
status=$?
cp disk/out.jsonl full.jsonl
mount -o remount,size=64m disk || exit 77
"$1" many.jsonl --provider simulate -o disk/out.jsonl --quiet || exit 78
cp disk/out.jsonl rest.jsonl
umount disk
exit $status
SCRIPT
run unshare -rm sh on_small_disk.sh "$BATCH_RUN"
if [ "$STATUS" = 77 ] || ! unshare -rm true 2>/dev/null; then
    echo "# no file system may be mounted here: left out"
else
    assert_eq 4 "$STATUS" "exit code"
    assert_match "$ERR" 'out.jsonl: No space left on device: [0-9]+ results? not saved'
    whole_and_resumes full.jsonl 4000
    assert_json rest.jsonl 'map(.index) | sort == [range(4000)]' true
fi

t "a quota"
(
    ulimit -f 512
    run "$BATCH_RUN" many.jsonl --provider simulate -o limited.jsonl --quiet
    exit "$STATUS"
)
assert_eq 4 $? "exit code"
assert_match "$ERR" 'limited.jsonl: File too large: [0-9]+ results? not saved'
whole_and_resumes limited.jsonl 4000
run_ok many.jsonl --provider simulate -o limited.jsonl
assert_json limited.jsonl 'map(.index) | sort == [range(4000)]' true

t "a pipe that is closed"
"$BATCH_RUN" many.jsonl --provider simulate -o - --quiet 2>"$ERR" | head -n 1 >/dev/null
assert_eq 4 "${PIPESTATUS[0]}" "exit code"
assert_match "$ERR" 'standard output: Broken pipe: [0-9]+ results? not saved'

t "--sync says when; another word is refused"
for when in none interval each; do
    run_ok many.jsonl --provider simulate -o sync.$when.jsonl --sync $when --limit 200
    assert_lines sync.$when.jsonl 200
done
expect_exit 2 "$BATCH_RUN" many.jsonl --provider simulate --sync never
assert_contains "$ERR" --sync
