#!/bin/bash
# replaced.sh: another program at the results file while the run goes on is noticed; make is content with
# a run that has nothing to do.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

# Rows go in one by one through a pipe: start OUT; then feed N; then finish CODE.
start() {
    rm -f fifo
    mkfifo fifo
    "$BATCH_RUN" fifo --input-format jsonl --provider simulate -o "$1" --quiet 2>run.err &
    RUN=$!
    exec 7>fifo
    FED=0
    feed 3
    wait_until 10 eval "[ \$(wc -l <$1) = 3 ]" || fail "the first rows have no results"
}

feed() {
    local n
    for ((n = 0; n < $1; n++)); do
        echo "{\"id\":\"r$FED\",\"prompt\":\"question $FED\"}" >&7 2>/dev/null
        FED=$((FED + 1))
    done
}

finish() {
    feed 3
    sleep 0.5 # it is looked at four times a second, after a write
    feed 3
    exec 7>&-
    wait "$RUN"
    assert_eq "$1" $? "exit code"
}

t "nobody touches it: nothing is said"
start calm.out
finish 0
assert_lines calm.out 9
assert_eq "" "$(cat run.err)" "stderr"

t "cut short"
start short.out
: >short.out
finish 4
assert_contains run.err "short.out: was cut short by another program"

t "cut short in the middle, only noticed at the end"
start middle.out
truncate -s -20 middle.out
exec 7>&-
wait "$RUN"
assert_eq 4 $? "exit code"
assert_contains run.err "middle.out: was cut short"

t "written to"
start more.out
echo '{"not":"ours"}' >>more.out
finish 4
assert_contains run.err "more.out: was written to by another program"

t "moved away: what was answered is in both"
start moved.out
mv moved.out elsewhere.out
finish 4
assert_contains run.err "moved.out: was moved away by another program"
for file in moved.out elsewhere.out; do
    assert_json $file 'map(.id) | .[:3]' '["r0","r1","r2"]'
done

t "replaced by rename: the other file stays, the results are beside it"
start taken.out
echo other >other
mv other taken.out
finish 4
assert_contains run.err taken.out.rewrite
assert_eq other "$(cat taken.out)" "the other file"
assert_json taken.out.rewrite 'map(.id) | .[:3]' '["r0","r1","r2"]'

t "deleted"
start gone.out
rm gone.out
finish 4
assert_contains run.err "gone.out: was deleted by another program"
assert_json gone.out 'map(.id) | .[:3]' '["r0","r1","r2"]'

t "the same command goes on afterwards"
rows 12 >in.jsonl
run_ok in.jsonl --provider simulate -o gone.out
assert_json gone.out 'length >= 12' true

t "what is not a file is let be"
for target in /dev/null -; do
    run_ok in.jsonl --provider simulate -o $target
done
mkfifo pipe
cat pipe >piped &
run_ok in.jsonl --provider simulate -o pipe
wait $!
assert_lines piped 12

t "make runs it when the input is newer, and then no more"
cat >Makefile <<MAKE
in.results.jsonl: in.jsonl
	@echo ran >>count
	@$BATCH_RUN in.jsonl --provider simulate --quiet
MAKE
for times in 1 1; do
    make -s
    assert_lines count $times
done
sleep 0.01
touch in.jsonl
for times in 2 2; do
    make -s || fail "make failed"
    assert_lines count $times
done
