# lib.sh: what end-to-end scripts share. A script begins with
#     . "$(dirname "$0")/lib.sh"
# and then names each test and asserts; a test fails with its first false assertion's reason:
#     t "a bad option is named"
#     expect_exit 2 "$BATCH_RUN" in.jsonl --nonsense
#     assert_contains "$ERR" "--nonsense"
# It runs in an empty directory of its own, without keys or settings of whoever calls it. Everything
# started is ended, and everything made removed, when the script ends.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
set -u

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BATCH_RUN=$(realpath "${BATCH_RUN:-$ROOT/batch-run}")
# shellcheck disable=SC2034 # for scripts that play with them: "$TOOLS/canned"
TOOLS=$(realpath -m "${TOOLS:-$ROOT/build/release/tools}")
SLOW=${SLOW:-1}          # by how much more patience than usual is due
LIMIT=${LIMIT:-60}       # seconds any one command may take, times SLOW
KEEP_WORK=${KEEP_WORK:-} # set: leave the directory behind and say where it is

for variable in $(compgen -e | grep -E '^BATCH_RUN_|_API_KEY|(_proxy|_PROXY)$'); do
    unset "$variable"
done
export BATCH_RUN_NO_MEMORY=1 # a run knows nothing of those before; memory.sh takes it back
# shellcheck disable=SC2034 # for a script that calls make
unset MAKEFLAGS MAKELEVEL MFLAGS

WORK=$(mktemp -d "${TMPDIR:-/tmp}/batch-run-test.XXXXXX") || exit 1
OUT=$WORK/.stdout # of the last expect_exit or run_ok
ERR=$WORK/.stderr
STATUS=0
cd "$WORK" || exit 1

_name=
_failed=0
_reasons=0
_background=()

# Ends the test before, begins the next.
t() {
    _finish_test
    _name=$1
    _reasons=0
}

_finish_test() {
    if [ -z "$_name" ]; then
        return
    fi
    if [ "$_reasons" = 0 ]; then
        echo "ok $_name"
    else
        echo "not ok $_name"
        _failed=1
    fi
    _name=
}

# Notes why the current test fails. Always false.
fail() {
    _reasons=$((_reasons + 1))
    printf '# %s: %s\n' "${_name:-before the first test}" "$*"
    if [ -z "$_name" ]; then
        _failed=1
    fi
    return 1
}

_cleanup() {
    local status=$? pid
    if [ $status != 0 ] && [ -n "$_name" ] && [ $_reasons = 0 ]; then
        fail "the script ended here with status $status"
    fi
    _finish_test
    for pid in "${_background[@]}"; do
        kill "$pid" 2>/dev/null
    done
    for pid in "${_background[@]}"; do
        wait "$pid" 2>/dev/null
    done
    if [ -n "$KEEP_WORK" ]; then
        echo "# kept: $WORK"
    else
        rm -rf "$WORK"
    fi
    if [ $status != 0 ] || [ $_failed != 0 ]; then
        exit 1
    fi
}
trap _cleanup EXIT

# Runs a command, stdout to $OUT, stderr to $ERR, exit code to $STATUS. A time-out is 124.
run() {
    timeout -k 5 $((LIMIT * SLOW)) "$@" >"$OUT" 2>"$ERR"
    STATUS=$?
}

_show() {
    local label=$1 file=$2
    head -c 2000 "$file" | head -n 20 | sed "s/^/#   $label: /"
}

# expect_exit N COMMAND...
expect_exit() {
    local wanted=$1
    shift
    run "$@"
    if [ "$STATUS" = "$wanted" ]; then
        return 0
    fi
    fail "exit code $STATUS instead of $wanted: $*"
    _show stderr "$ERR"
    _show stdout "$OUT"
    return 1
}

# run_ok OPTIONS...: batch-run with these words, exit code 0.
run_ok() {
    expect_exit 0 "$BATCH_RUN" "$@"
}

# run_on_disk SIZE SCRIPT: like run, for lines of sh that find an empty file system of that size at
# ./disk, gone when they end. False, with a word about it, where none can be mounted; lines that need to
# mount something themselves say so with exit code 77.
run_on_disk() {
    mkdir -p disk
    BATCH_RUN=$BATCH_RUN run unshare -rm sh -c "mount -t tmpfs -o size=$1 tmpfs disk || exit 77; $2"
    if [ "$STATUS" = 77 ] || ! unshare -rm true 2>/dev/null; then
        echo "| $_name: NOT tested: no file system may be mounted here"
        return 1
    fi
}

# assert_eq WANTED GOT [WHAT]
assert_eq() {
    if [ "$1" != "$2" ]; then
        fail "${3:-value}: '$2' instead of '$1'"
    fi
}

# assert_true WHAT COMMAND...
assert_true() {
    local what=$1
    shift
    "$@" >/dev/null 2>&1 || fail "$what"
}

# assert_contains FILE TEXT: literally, anywhere.
assert_contains() {
    if ! grep -qaF -- "$2" "$1"; then
        fail "'$2' is not in ${1##*/}"
        _show "${1##*/}" "$1"
        return 1
    fi
}

assert_no_match() { # FILE REGEX
    if grep -qaE -- "$2" "$1"; then
        fail "a line of ${1##*/} matches $2"
    fi
}

assert_not_contains() {
    if grep -qaF -- "$2" "$1"; then
        fail "'$2' is in ${1##*/}"
    fi
}

# assert_match FILE REGEX: a line that matches (grep -E).
assert_match() {
    if ! grep -qaE -- "$2" "$1"; then
        fail "no line of ${1##*/} matches $2"
        _show "${1##*/}" "$1"
        return 1
    fi
}

assert_lines() { # FILE N
    assert_eq "$2" "$(wc -l <"$1")" "lines of ${1##*/}"
}

assert_empty() { # FILE: a regular one, since of a pipe nobody can say
    if [ ! -f "$1" ]; then
        fail "$1 is no file"
        return 1
    fi
    if [ -s "$1" ]; then
        fail "${1##*/} is not empty"
        _show "${1##*/}" "$1"
        return 1
    fi
}

assert_same() { # FILE FILE
    cmp -s -- "$1" "$2" || fail "$1 and $2 differ"
}

# assert_json FILE FILTER WANTED: what jq -c makes of all values in FILE (as one array) by FILTER.
#     assert_json results.jsonl 'map(select(.status=="ok")) | length' 100
assert_json() {
    local got
    if ! got=$(jq -s -c "$2" "$1" 2>&1); then
        fail "jq '$2' ${1##*/}: $got"
        return 1
    fi
    assert_eq "$3" "$got" "$2"
}

# Waits until a command succeeds, at most SECONDS times SLOW: wait_until 10 test -s FILE
wait_until() {
    local left=$(($1 * SLOW * 20))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        if [ $left -le 0 ]; then
            return 1
        fi
        sleep 0.05
    done
}

# Starts a command in the background, ended with the script. Sets PID. stdout, stderr: $WORK/.bg.N.out, .err
background() {
    local n=${#_background[@]}
    BG_OUT=$WORK/.bg.$n.out
    BG_ERR=$WORK/.bg.$n.err
    "$@" >"$BG_OUT" 2>"$BG_ERR" &
    PID=$!
    _background+=("$PID")
}

# start_simulator OPTIONS...: sets SIM_URL (http://127.0.0.1:PORT), SIM_PID, SIM_OUT and SIM_ERR.
start_simulator() {
    background timeout -k 5 $((LIMIT * SLOW * 5)) "$BATCH_RUN" simulate --port 0 "$@"
    SIM_PID=$PID SIM_OUT=$BG_OUT SIM_ERR=$BG_ERR
    if ! wait_until 10 grep -q '^listening on ' "$SIM_OUT"; then
        fail "the simulator does not listen: $(head -n 3 "$SIM_ERR")"
        exit 1
    fi
    SIM_URL=$(sed -n 's/^listening on //p;q' "$SIM_OUT")
}

stop_simulator() {
    kill "$SIM_PID" 2>/dev/null
    wait "$SIM_PID" 2>/dev/null
}

# Ends a process of this script with kill -9; true if it was still running.
kill_9() {
    kill -9 "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    [ $? = 137 ]
}

# kill_after MS COMMAND...: kill -9 after so many milliseconds, times SLOW; true if it was still running.
# What it says on stderr goes behind what is in $ERR.
kill_after() {
    local ms=$(($1 * SLOW))
    shift
    "$@" 2>>"$ERR" &
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
    kill_9 $!
}

# kill_often TIMES ENOUGH FILE COMMAND...: runs it so often, with a kill -9 at no particular moment after
# FILE has grown, but no more once FILE has more than ENOUGH lines. No line may get lost. Sets KILLED
# (how often) and LINES.
kill_often() {
    local times=$1 enough=$2 file=$3 pid now
    shift 3
    KILLED=0 LINES=0
    while [ "$KILLED" -lt "$times" ] && [ "$LINES" -le "$enough" ]; do
        "$@" 2>>"$ERR" &
        pid=$!
        wait_until 20 eval '[ "$(wc -l <"$file")" -gt $LINES ] || ! kill -0 $pid' || fail "kill $KILLED: nothing comes"
        sleep "0.0$((RANDOM % 90 + 10))"
        kill_9 $pid || break
        KILLED=$((KILLED + 1))
        now=$(wc -l <"$file")
        assert_true "kill $KILLED: nothing is lost ($LINES lines, then $now)" test "$now" -ge "$LINES"
        LINES=$now
    done
}

# What the simulator counted, as JSON on stdout; or one value of it: sim_stats .requests
sim_stats() {
    curl -sS --max-time $((10 * SLOW)) "$SIM_URL/stats" | jq -c "${1:-.}"
}

# rows N: N rows of JSONL on stdout, each with a prompt of its own.
rows() {
    seq 1 "$1" | sed 's/.*/{"prompt":"question &"}/'
}
