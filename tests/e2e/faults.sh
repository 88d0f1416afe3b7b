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

# What each run begins with: two rows answered, one failed, one torn. They go to the same simulator.
start_simulator --keys 3 --write-keys keys.env
COMMAND=("$BATCH_RUN" ../rows.jsonl --provider simulate --env-file ../keys.env --base-url "$SIM_URL/v1"
    -o out.jsonl --summary summary.json --slots 2 --max-retries 0 --progress off)
seq $ROWS | sed 's/.*/{"id":"r&","prompt":"question & of the torture"}/' >rows.jsonl
sed 's/^[^=]*=//' keys.env >secrets
mkdir first
t "the start"
(cd first && expect_exit 0 "${COMMAND[@]}" --limit 4 --slots 1)
{
    sed -n 1,2p first/out.jsonl
    sed -n 3p first/out.jsonl | jq -c '.status = "error" | del(.text, .finish_reason) |
        .error = {class: "server", code: null, message: "it was out", http_status: 500}'
    sed -n 4p first/out.jsonl | head -c 70
} >start.jsonl
assert_lines start.jsonl 3
_finish_test

# torture FAMILY HOW [STRIDE]
torture() {
    "$TOOLS/torture" "$TOOLS/faults.so" "$WORK" "$1" "$2" "${3:-1}" -- "${COMMAND[@]}" "${OPTIONS[@]}" || _failed=1
}

OPTIONS=()
printf '| %-14s %-8s %6s %6s %6s %6s %6s %6s %6s\n' calls error tried 'exit 0' 1 2 3 4 wrong
if [ -z "${TORTURE:-}" ]; then
    torture sync EIO
    torture files EIO
    torture open EMFILE
    torture thread EAGAIN
    torture write ENOSPC
    exit 0
fi

torture sync EIO
torture files EIO
torture open EMFILE
torture open EINTR
torture thread EAGAIN
for error in ENOSPC EIO EINTR EAGAIN short ENOSPC+; do
    torture write $error
done
for error in EIO EINTR EAGAIN short EIO+; do
    torture read $error
done
torture net EMFILE
torture net ENOMEM
torture wait EINTR
torture wait ENOMEM
torture memory ENOMEM
torture library-memory ENOMEM ${STRIDE:-1}
