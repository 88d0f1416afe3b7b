#!/bin/bash
# resume.sh: whatever ends a run, the same command again goes on, and at the end every row has one line.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

# every_row_once FILE N
every_row_once() {
    assert_json "$1" "map(.index) | sort == [range($2)]" true
    assert_json "$1" 'map(select(.status == "ok") | .text == .input.prompt) | all' true
}

t "killed at any moment under load, again and again: every row once at the end"
ROWS=6000
rows $ROWS >in.jsonl
start_simulator --latency uniform:5ms-40ms --fault 429=3%,500=2%,reset=1% --retry-after 10ms
SEND=(in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o results.jsonl --slots-per-key 8 --cooldown 10ms --quiet)
RANDOM=4711
kill_often 12 $((ROWS * 3 / 4)) results.jsonl "$BATCH_RUN" "${SEND[@]}" # a slow machine gets further between two
assert_true "at least four kills came before the end ($KILLED, $LINES of $ROWS)" \
    test "$KILLED" -ge 4 -a "$LINES" -lt $ROWS
sleep 0.01
run_ok "${SEND[@]}" --max-retries 20
every_row_once results.jsonl $ROWS
assert_json results.jsonl 'map(.status) | unique' '["ok"]'
stop_simulator

t "a kill that tears the last line"
rows 40 >few.jsonl
run_ok few.jsonl --provider simulate -o torn.jsonl
cp torn.jsonl whole.jsonl
size=$(wc -c <whole.jsonl)
for cut in 1 2 17 $((size / 2)) $((size - 1)); do
    head -c $((size - cut)) whole.jsonl >torn.jsonl
    start_simulator
    whole=$(wc -l <torn.jsonl)
    run_ok few.jsonl --provider simulate --base-url "$SIM_URL/v1" -o torn.jsonl
    every_row_once torn.jsonl 40
    assert_eq $((40 - whole)) "$(sim_stats .requests)" "requests after a cut of $cut bytes"
    stop_simulator
done

t "failed rows are sent again, the others are not"
start_simulator --fault 500=40% --seed 2
SEND=(few.jsonl --provider simulate --base-url "$SIM_URL/v1" -o failed.jsonl)
expect_exit 1 "$BATCH_RUN" "${SEND[@]}" --max-retries 0
failed=$(jq -s 'map(select(.status == "error")) | length' failed.jsonl)
assert_true "some failed, some did not ($failed)" test "$failed" -gt 0 -a "$failed" -lt 40

t "--no-retry-failed keeps them"
made=$(sim_stats .requests)
cp failed.jsonl before
expect_exit 1 "$BATCH_RUN" "${SEND[@]}" --no-retry-failed
assert_same before failed.jsonl
assert_eq "$made" "$(sim_stats .requests)" "requests"

t "without it they get their answers"
run_ok "${SEND[@]}" --max-retries 20
every_row_once failed.jsonl 40
assert_json failed.jsonl 'map(.status) | unique' '["ok"]'

t "--overwrite starts afresh"
asked=$(sim_stats .requests)
run_ok "${SEND[@]}" --overwrite --max-retries 20
every_row_once failed.jsonl 40
assert_true "all rows were sent again" test "$(sim_stats .requests)" -ge $((asked + 40))
stop_simulator

t "rows added to the input are the only ones sent"
start_simulator
rows 45 >few.jsonl
run_ok few.jsonl --provider simulate --base-url "$SIM_URL/v1" -o failed.jsonl
every_row_once failed.jsonl 45
assert_eq 5 "$(sim_stats .requests)" "requests"

t "ids that look alike are not the same; bad rows are said again, once"
printf '%s\n' '{"id":"a","prompt":"1"}' '{"id":"a ","prompt":"2"}' '{"id":"A","prompt":"3"}' '{"id":"\u0061b","prompt":"4"}' 'bad' >alike.jsonl
for _ in 1 2 3; do
    expect_exit 1 "$BATCH_RUN" alike.jsonl --provider simulate --base-url "$SIM_URL/v1" -o alike.out
    assert_lines alike.out 5
    assert_json alike.out 'map(.error.class) | map(select(.)) ' '["bad_input"]'
done
assert_eq 9 "$(sim_stats .requests)" "requests"

t "files that are no results are refused and untouched"
printf 'dear diary\n' >f1
printf '{"some":"json"}\n' >f2
printf '{"id":"1","prompt":"an input"}\n' >f3
printf 'no newline' >f4
printf '\x00\x01binary\n' >f5
cp few.jsonl f6
{
    cat failed.jsonl
    echo oops
} >f7
asked=$(sim_stats .requests)
for file in f1 f2 f3 f4 f5 f6 f7; do
    cp $file copy
    expect_exit 2 "$BATCH_RUN" few.jsonl --provider simulate --base-url "$SIM_URL/v1" -o $file
    assert_contains "$ERR" $file
    assert_same copy $file
done
assert_eq "$asked" "$(sim_stats .requests)" "requests"

t "the output is the input"
cp few.jsonl copy
expect_exit 2 "$BATCH_RUN" few.jsonl --provider simulate --overwrite -o few.jsonl
assert_contains "$ERR" few.jsonl
assert_same copy few.jsonl
ln few.jsonl hard.jsonl
ln -s few.jsonl soft.jsonl
for link in hard.jsonl soft.jsonl ./few.jsonl; do
    expect_exit 2 "$BATCH_RUN" few.jsonl --provider simulate --overwrite -o $link
    assert_same copy few.jsonl
done

t "--overwrite loses nothing where it is refused"
cp failed.jsonl kept.jsonl
for beside in inflight ahead; do
    mkdir kept.jsonl.$beside
    expect_exit 2 "$BATCH_RUN" few.jsonl --provider simulate --overwrite -o kept.jsonl
    assert_contains "$ERR" kept.jsonl.$beside
    assert_same failed.jsonl kept.jsonl
    rmdir kept.jsonl.$beside
done

t "a second run on the same output is refused while the first goes on"
chat_answer good.http ok
start_canned good.http hang
background "$BATCH_RUN" few.jsonl "${CANNED[@]}" -o both.jsonl --quiet
first=$PID
wait_until 10 eval '[ "$(canned_requests)" -ge 3 ]'
expect_exit 2 "$BATCH_RUN" few.jsonl --provider simulate -o both.jsonl
assert_contains "$ERR" both.jsonl
expect_exit 2 "$BATCH_RUN" few.jsonl --provider simulate --overwrite -o both.jsonl
mv both.jsonl moved.jsonl
expect_exit 2 "$BATCH_RUN" few.jsonl --provider simulate -o both.jsonl
assert_contains "$ERR" "another run"
assert_true "it leaves no file" test ! -e both.jsonl
mv moved.jsonl both.jsonl
kill -9 "$first"
wait "$first" 2>/dev/null
run_ok few.jsonl --provider simulate --changed keep -o both.jsonl
assert_json both.jsonl 'map(.index) | sort == [range(45)]' true

t "a results file that is a link, or only readable by its owner, stays that"
mkdir -p elsewhere
head -n 20 failed.jsonl >elsewhere/real.jsonl
printf '{"id":"21","index":20,"status":"error","provider":null,"key":null,"model":null,"error":{"class":"server","code":null,"message":"x","http_status":500},"attempts":1}\n' >>elsewhere/real.jsonl
chmod 600 elsewhere/real.jsonl
ln -s elsewhere/real.jsonl link.jsonl
run_ok few.jsonl --provider simulate -o link.jsonl
assert_true "the link is one" test -L link.jsonl
assert_eq 600 "$(stat -c %a elsewhere/real.jsonl)" "mode"
every_row_once elsewhere/real.jsonl 45
assert_eq 1 "$(find elsewhere -type f | wc -l)" "files beside it"
