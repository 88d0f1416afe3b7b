#!/bin/bash
# A run of 200 rows against the simulator inside the process, under valgrind: no leak, no error.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/e2e/lib.sh"
# shellcheck disable=SC2034 # read by lib.sh
SLOW=10

t "200 rows leave nothing behind"
rows 200 >rows.jsonl
expect_exit 0 valgrind --leak-check=full --show-leak-kinds=definite,indirect,possible \
    --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99 \
    --log-file=valgrind.log "$BATCH_RUN" rows.jsonl --provider simulate --progress off ||
    sed 's/^/# /' valgrind.log
assert_json rows.results.jsonl 'map(select(.status == "ok")) | length' 200
