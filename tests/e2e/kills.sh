#!/bin/bash
# kills.sh: killed at random moments with 24 in flight, until all is done: each row once, none lost,
# sent again only what was out, and the next run said so. KILLS says how often; `make torture` 200 times.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

KILLS=${KILLS:-12}
ROWS=$((KILLS * 70 * SLOW + 200)) # more than can be done before the last kill
LIMIT=$((LIMIT + KILLS))
RANDOM=${SEED:-2026}

t "killed at random moments with 24 in flight"
rows $ROWS >in.jsonl
start_simulator --keys 3 --latency uniform:60ms-240ms --idempotency --log asked
SEND=("$BATCH_RUN" in.jsonl --provider simulate --base-url "$SIM_URL/v1" -o out.jsonl --slots-per-key 8
    --quiet --log-level info)
killed=0
for _ in $(seq "$KILLS"); do
    if kill_after $((RANDOM % 380 + 20)) "${SEND[@]}"; then
        killed=$((killed + 1))
    fi
done
cp "$ERR" said
assert_true "most runs were killed ($killed of $KILLS)" test $((killed * 2)) -gt "$KILLS"
expect_exit 0 "${SEND[@]}" --slots-per-key 24
cat "$ERR" >>said
sim_stats . >stats

t "each row once, none lost, and nothing in doubt at the end"
assert_json out.jsonl "map(.index) | sort == [range($ROWS)]" true
assert_json out.jsonl 'map(.status == "ok" and .text == .input.prompt) | all' true
assert_true "no file is left beside it" test ! -e out.jsonl.inflight

t "no more calls are repeated than were in flight"
repeated=$(($(jq .requests stats) - ROWS))
echo "| $killed kills with 24 in flight: $repeated calls repeated of at most $((killed * 24))"
assert_true "$repeated calls were repeated after $killed kills" test $repeated -gt 0 -a $repeated -le $((killed * 24))

t "each of them was told by the run after the kill"
sed -nE 's/^info: row "([0-9]+)" .*/\1/p' said | sort | uniq -c >told
sed -E 's/.*\t"question ([0-9]+)"$/\1/' asked | sort | uniq -c >sent
awk 'FILENAME == "told" { told[$2] = $1 } FILENAME == "sent" && $1 > 1 + told[$2]' told sent >untold
assert_empty untold
assert_eq "$repeated" "$(awk '{ n += $1 - 1 } END { print n + 0 }' sent)" "repeated calls in the simulator's log"

t "who heeds idempotency keys is paid once"
assert_json stats '.[0] | [.answers, .replays]' "[$ROWS,$repeated]"
