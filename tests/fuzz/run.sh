#!/bin/bash
# Runs fuzz targets, two at a time: tests/fuzz/run.sh SECONDS TARGET-PROGRAM... Starts from the corpus
# in the tree and from what earlier runs found worth keeping (build/fuzz/corpus). Ends with a table;
# an input that breaks something is kept in build/fuzz/findings and is a failure.
# SPDX-License-Identifier: MIT
set -u
cd "$(dirname "$0")/../.." || exit 1

OUT=build/fuzz

# Where a target starts from, beside what it found before.
seeds() { # TARGET
    echo "tests/fuzz/corpus/$1"
    [ "$1" != refusals ] || echo tests/data/signals
}

max_len() { # TARGET
    case $1 in
    waits) echo 200 ;;
    scrub | templates) echo 1024 ;;
    *) echo 4096 ;;
    esac
}

run_one() { # SECONDS PROGRAM
    local seconds=$1 program=$2 name log status
    name=$(basename "$program")
    log=$OUT/logs/$name
    mkdir -p "$OUT/corpus/$name"
    # shellcheck disable=SC2046 # names without spaces
    timeout -k 10 $((seconds + 120)) "$program" -max_total_time="$seconds" -rss_limit_mb=1024 \
        -malloc_limit_mb=256 -timeout=10 -max_len="$(max_len "$name")" -dict=tests/fuzz/json.dict \
        -artifact_prefix="$OUT/findings/$name-" -print_final_stats=1 \
        "$OUT/corpus/$name" $(seeds "$name") >"$log" 2>&1 </dev/null
    status=$?
    if [ $status = 0 ] && grep -q '^stat::number_of_executed_units: [1-9]' "$log"; then
        echo ok >"$log.status"
        return
    fi
    echo "ended with status $status" | tee "$log.status" >>"$log"
    { echo "FAILED  $name"; grep -v '^#[0-9]' "$log" | tail -n 60 | sed 's/^/    /'; } >"$log.shown"
    cat "$log.shown" # in one go: another one may be writing
}

# A row per target: how often it ran, how much of the program and of its behaviour it has seen.
table() { # PROGRAM...
    local program name log
    printf '%-12s %12s %9s %8s %9s  %s\n' target executions a-second edges features result
    for program in "$@"; do
        name=$(basename "$program")
        log=$OUT/logs/$name
        awk -v name="$name" -v status="$(cat "$log.status" 2>/dev/null)" '
            /^#[0-9]+.* cov: / {
                for (i = 1; i < NF; i++) {
                    if ($i == "cov:") edges = $(i + 1)
                    if ($i == "ft:") features = $(i + 1)
                }
            }
            /^stat::number_of_executed_units:/ { runs = $2 }
            /^stat::average_exec_per_sec:/ { speed = $2 }
            END {
                result = status == "ok" ? "no finding" : "FAILED, see build/fuzz/logs/" name
                printf "%-12s %12d %9d %8d %9d  %s\n", name, runs, speed, edges, features, result
            }' "$log"
    done
}

if [ "${1:-}" = --one ]; then
    run_one "$2" "$3"
    exit 0
fi

if [ $# -lt 2 ]; then
    echo "usage: tests/fuzz/run.sh SECONDS TARGET-PROGRAM..." >&2
    exit 2
fi
seconds=$1
shift
mkdir -p $OUT/corpus $OUT/findings $OUT/logs
rm -f $OUT/logs/*
# Freed memory is kept aside for a while only: fresh pages are what a run of a millisecond pays for.
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=8:${ASAN_OPTIONS:-}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
printf '%s\0' "$@" | xargs -0 -n 1 -P "${FUZZ_JOBS:-2}" "$0" --one "$seconds"
table "$@"
failed=$(($# - $(cat $OUT/logs/*.status | grep -c '^ok$')))
echo "$# targets, $failed with a finding"
[ "$failed" = 0 ]
