#!/bin/bash
# faults.sh: every read, write, sync, allocation and thread start fails in turn, and nothing is lost: the
# exit code is one of the contract's, the results file whole, what was answered still there, and the same
# command finishes once nothing fails. With TORTURE=1 (`make torture`) all of them in several ways, else
# those that touch the results. The tests' names: the error, the kind of call, which one, who made it.
# SPDX-License-Identifier: MIT
# What is synced here need not survive anything: in memory it takes a third of the time.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then
    export TMPDIR=/dev/shm
fi
. "$(dirname "$0")/lib.sh"

if [ "${MODE:-release}" != release ]; then
    echo "# sanitizers stand between the program and libc themselves"
    t "faults are tried without sanitizers"
    exit 0
fi
ROWS=12
STRIDE=${STRIDE:-1} # between the faults of the longest families; a prime, if not 1

# What each run begins with: two rows answered, one failed, one torn.
t "the start"
start_simulator --keys 3 --write-keys keys.env
seq $ROWS | sed 's/.*/{"id":"r&","prompt":"question & of the torture"}/' >rows.jsonl
sed -n 's/^SIMULATE_API_KEY_[0-9]*=//p' keys.env >secrets
jq -R -s '{providers: {simulate: {keys: (split("\n") | map(select(. != "") | {key: .}))}}}' secrets >pool.json
ALWAYS=("$BATCH_RUN" "$WORK/rows.jsonl" --provider simulate -o out.jsonl --summary summary.json --progress off)
mkdir first
cd first || exit 1
run_ok "${ALWAYS[@]:1}" --keys ../pool.json --base-url "$SIM_URL/v1" --limit 4 --slots 1
cd ..
{
    sed -n 1,2p first/out.jsonl
    sed -n 3p first/out.jsonl | jq -c '.status = "error" | del(.text, .finish_reason) |
        .error = {class: "server", code: null, message: "it was out", http_status: 500}'
    sed -n 4p first/out.jsonl | head -c 70
} >start.jsonl
assert_lines start.jsonl 3
if [ "$_reasons" != 0 ]; then
    exit 1
fi
_finish_test

# torture FAMILY HOW [STRIDE]: what OPTIONS make of the command
torture() {
    "$TOOLS/torture" "$TOOLS/faults.so" "$WORK" "$1" "$2" "${3:-1}" -- "${ALWAYS[@]}" "${OPTIONS[@]}" || _failed=1
}
head_of() {
    echo "| $1"
    printf '| %-14s %-8s %6s %6s %6s %6s %6s %6s %6s\n' calls error tried 'exit 0' 1 2 3 4 wrong
}

PLAIN=(--env-file ../keys.env --base-url "$SIM_URL/v1" --slots 2 --max-retries 0)
OPTIONS=("${PLAIN[@]}")
if [ -z "${TORTURE:-}" ]; then
    head_of "some of the faults; all of them: make torture"
    for fault in 'sync EIO' 'files EIO' 'open EMFILE' 'thread EAGAIN' 'write ENOSPC' 'write short' 'read EIO'; do
        # shellcheck disable=SC2086 # two words
        torture $fault
    done
    exit 0
fi

# every_fault: in all the ways that the calls fail for real
every_fault() {
    local family how
    while read -r family how; do
        for how in $how; do
            [[ "$family $how" == "${EXCEPT:-}" ]] || torture "$family" "$how"
        done
    done <<'END'
sync EIO ENOSPC EIO+
files EIO EINTR
open EMFILE EINTR ENOSPC
thread EAGAIN
write ENOSPC EIO EINTR EAGAIN short ENOSPC+
read EIO EINTR EAGAIN short EIO+
net EMFILE ENOMEM
wait EINTR ENOMEM
END
    torture memory ENOMEM
    torture library-memory ENOMEM "$STRIDE"
}

head_of "plain, from a file of variables"
every_fault
start_simulator --keys 3 --fault 429=20% --retry-after 5ms
head_of "--stream --sync each, from a pool file, with refusals"
OPTIONS=(--keys ../pool.json --base-url "$SIM_URL/v1" --slots 1 --max-retries 0 --cooldown 5ms --stream --sync each)
every_fault
head_of "the simulator in the same process"
EXCEPT="read EAGAIN" # no system says that to libmicrohttpd: it reads until then after each edge
OPTIONS=(--slots 1 --max-retries 0)
every_fault
