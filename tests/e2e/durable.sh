#!/bin/bash
# durable.sh: nothing that was answered is lost, and nothing is paid twice without a word: full disks,
# rows that changed, kills while rows are sent again.
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
if run_on_disk 1m '
    "$BATCH_RUN" many.jsonl --provider simulate -o disk/out.jsonl --quiet
    status=$?
    cp disk/out.jsonl full.jsonl
    mount -o remount,size=64m disk || exit 77
    "$BATCH_RUN" many.jsonl --provider simulate -o disk/out.jsonl --quiet || exit 78
    cp disk/out.jsonl rest.jsonl
    exit $status'; then
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

# Sent to the simulator that runs: send INPUT OUTPUT OPTIONS...
send() {
    local input=$1 output=$2
    shift 2
    run "$BATCH_RUN" "$input" --provider simulate --base-url "$SIM_URL/v1" -o "$output" --progress off "$@"
}

# asked N: that many requests came since the last look.
asked() {
    local now
    now=$(sim_stats .requests)
    assert_eq "$1" $((now - before)) "requests"
    before=$now
}

t "a changed row runs again and takes its old place, an unchanged one does not, a removed one is kept"
start_simulator
before=0
jq -nc 'range(8) | {id: "r\(.)", prompt: "question \(.)", note: 1}' >rows.jsonl
for how in "" --no-input "--format openai"; do
    rm -f changed.out
    # shellcheck disable=SC2086 # an option and its value
    send rows.jsonl changed.out $how
    asked 8
    jq -c '.note = 2 | if .id == "r3" then .prompt = "another question" else . end | select(.id != "r5")' \
        rows.jsonl >edited.jsonl
    echo '{"id":"r9","prompt":"a new one"}' >>edited.jsonl
    # shellcheck disable=SC2086
    send edited.jsonl changed.out $how
    assert_eq 0 "$STATUS" "exit code"
    asked 2
    assert_match "$ERR" 'line 4: the row has changed'
    assert_match "$ERR" '1 result in changed.out belongs to a row that the input does not have: kept'
    assert_json changed.out 'map(.custom_id // .id) | sort' '["r0","r1","r2","r3","r4","r5","r6","r7","r9"]'
    assert_contains changed.out 'another question'
    assert_not_contains changed.out 'question 3'
    assert_contains changed.out 'question 5'
    # shellcheck disable=SC2086
    send edited.jsonl changed.out $how
    asked 0
done

t "the same in csv: a column that nobody asks for may change"
printf 'id,prompt,note\na,one,1\nb,"two, or more",1\nc,three,1\n' >rows.csv
send rows.csv csv.out
asked 3
printf 'note,id,prompt\n9,a,one\n9,b,"two, or more"\n9,c,four\n' >rows.csv
send rows.csv csv.out
asked 1
assert_json csv.out 'map(.text) | sort' '["four","one","two, or more"]'

t "a wrong option does not cost a file of answers"
cp changed.out copy
send edited.jsonl changed.out --format openai --prompt-field nonsense
assert_eq 2 "$STATUS" "exit code"
assert_match "$ERR" 'answered with other settings: template or prompt field "prompt" -> "nonsense"'
assert_same copy changed.out
send edited.jsonl changed.out --format openai --prompt-field nonsense --changed keep
assert_eq 1 "$STATUS" "exit code"
assert_match "$ERR" 'that result stays'
assert_same copy changed.out
asked 0

t "a row as deep as can be is read back"
awk 'BEGIN { printf "{\"id\":\"deep\",\"prompt\":\"x\",\"a\":"
    for (i = 0; i < 511; i++) printf "["; for (i = 0; i < 511; i++) printf "]"; print "}" }' >deep.jsonl
send deep.jsonl deep.out
asked 1
send deep.jsonl deep.out
assert_eq 0 "$STATUS" "exit code"
asked 0
stop_simulator

t "killed while failed rows are sent again: nothing that was answered is lost"
jq -nc 'range(400) | {prompt: "question \(.)"}' >again.jsonl
start_simulator --keys 3 --fault 500=50% --seed 3
send again.jsonl again.out --max-retries 0
answered=$(jq -c 'select(.status == "ok") | [.id, .started_at]' again.out | sort)
for _ in 1 2 3 4; do
    kill_after $((RANDOM % 90 + 10)) "$BATCH_RUN" again.jsonl --provider simulate --base-url "$SIM_URL/v1" -o again.out --max-retries 0 --quiet
    jq -c 'select(.status == "ok") | [.id, .started_at]' again.out | sort >now
    comm -23 <(echo "$answered") now >lost
    assert_empty lost
done
send again.jsonl again.out --max-retries 30
assert_json again.out 'map(.index) | sort == [range(400)]' true
assert_json again.out 'map(.status) | unique' '["ok"]'
assert_eq "" "$(ls again.out.* 2>/dev/null)" "what is left beside it"
stop_simulator

# Twelve rows that failed before are answered now, and the run waits for more. Sets FED.
start_fed() { # OUTPUT
    # shellcheck disable=SC2034 # eval uses it
    FED_OUT=$1
    seq 0 11 | sed 's/.*/{"id":"r&","index":&,"status":"error","provider":null,"key":null,"model":null,"error":{"class":"server","code":null,"message":"x","http_status":500},"attempts":1}/' >"$1"
    rm -f feed
    mkfifo feed
    "$BATCH_RUN" - --provider simulate -o "$1" --progress off --quiet <feed 2>fed.err &
    FED=$!
    exec 3>feed
    jq -nc 'range(12) | {id: "r\(.)", prompt: "question \(.)"}' >&3
    assert_true "the rows are answered" wait_until 20 eval '[ "$(grep -c "\"ok\"" "$FED_OUT")" = 12 ]'
}

end_fed() { # EXIT-CODE
    exec 3>&-
    wait $FED
    assert_eq "$1" $? "exit code"
}

t "a results file that is deleted meanwhile is written anew"
start_fed gone.out
rm gone.out
end_fed 4
assert_contains fed.err "gone.out: was deleted by another program"
assert_json gone.out 'map([.index, .status]) | sort == [range(12) | [., "ok"]]' true

t "if that cannot be, it is said"
mkdir folder
start_fed folder/gone.out
rm -r folder
end_fed 4
assert_contains fed.err "its results are lost"

t "one that takes the name of a results file is not written over"
start_fed taken.out
mv taken.out moved.out
echo "somebody's" >taken.out
end_fed 4
assert_contains fed.err "taken.out.rewrite"
assert_eq "somebody's" "$(cat taken.out)" "the other file"
assert_json taken.out.rewrite 'map([.index, .status]) | sort == [range(12) | [., "ok"]]' true
