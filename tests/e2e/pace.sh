#!/bin/bash
# pace.sh: how near a run comes to the shortest possible time, and at what cost in refused requests:
# against limits that are told, limits that are not, keys that are no good, outages, many keys.
# The figures are printed as tables.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/e2e/servers.bash"

KEYS=4 ROWS=400
start_simulator --keys $KEYS --write-keys keys.env
stop_simulator
mapfile -t SECRETS < <(sed -n 's/^SIMULATE_API_KEY_[0-9]*=//p' keys.env)
rows $ROWS >in.jsonl

# start_provider PROVIDER BASE OPTIONS...: a simulator that speaks as this provider, and SEND: the words
# of a run over its keys.
start_provider() {
    local provider=$1 base=$2
    shift 2
    start_simulator --keys $KEYS "$@"
    echo "${provider^^}_API_KEY=$(IFS=, && echo "${SECRETS[*]:0:KEYS}")" >provider.env
    SEND=(in.jsonl --provider "$provider" --env-file provider.env --base-url "$SIM_URL$base"
        --summary summary.json --overwrite -o out.jsonl)
}
start_own() { # OPTIONS...: the same as the provider simulate
    start_provider simulate /v1 "$@"
}
all_ok() { # N
    assert_lines out.jsonl "$1"
    assert_json out.jsonl 'map(select(.status == "ok" and .text == .input.prompt)) | length' "$1"
}
# compare IDEAL_S: REFUSED, the share of refused requests in percent, and TIMES, the elapsed time over
# the ideal one.
compare() {
    REFUSED=$(jq '100 * .rate_limited / .requests * 100 | round / 100' <<<"$(sim_stats .)")
    TIMES=$(jq --argjson ideal "$1" '.elapsed_s / $ideal * 100 | round / 100' summary.json)
}
# assert_within WHAT VALUE MOST
assert_within() {
    assert_true "$1: $2, more than $3" awk -v value="$2" -v most="$3" 'BEGIN { exit !(value != "" && value + 0 <= most + 0) }'
}
# assert_soon WHAT MOST: TIMES is within it. Sanitizers make the program itself slow: half as much again.
assert_soon() {
    assert_within "$1, time over ideal" "$TIMES" "$(awk -v most="$2" -v slow="$SLOW" \
        'BEGIN { print (slow > 1 ? most * 1.5 : most) }')"
}

# A busy machine only ever makes a run slower, so the best of three counts. retry_unless_soon MOST TRY:
# whether to run once more; the simulator is then stopped.
retry_unless_soon() {
    [ "$2" -lt 3 ] && ! awk -v value="$TIMES" -v most="$1" 'BEGIN { exit !(value + 0 <= most + 0) }' && stop_simulator
}

# Each key lets BURST through, then RPM a minute. Its share of the rows is through no sooner than the
# last of them is let in and answered.
RPM=1200 BURST=25 LATENCY_MS=20
IDEAL=$(jq -n "($ROWS / $KEYS - $BURST) * 60 / $RPM + $LATENCY_MS / 1000")
BUCKET=(--rpm "$RPM" --burst "$BURST" --latency "$LATENCY_MS")

t "limits that are told: at most 2 % refused, at most 1.10 of the ideal time"
echo "| $KEYS keys, $ROWS jobs, buckets of $BURST, then $RPM a minute: refused, time over the ideal $IDEAL s"
while read -r provider base; do
    for try in 1 2 3; do
        start_provider "$provider" "$base" --dialect "$provider" "${BUCKET[@]}"
        run_ok "${SEND[@]}" --max-retries 0
        all_ok $ROWS
        compare "$IDEAL"
        retry_unless_soon 1.10 "$try" || break
    done
    assert_within "$provider, refused in %" "$REFUSED" 2
    assert_soon "$provider" 1.10
    printf '|   %-24s %5s %%  %5s\n' "told by $provider" "$REFUSED" "$TIMES"
    stop_simulator
done <<'END'
openai /v1
anthropic /v1
mistral /v1
END
assert_json summary.json '.[0].keys | map(.state) | unique' '["healthy"]'

t "limits that are not told: at most 15 % refused, at most 1.5 of the ideal time"
for try in 1 2 3; do
    start_own "${BUCKET[@]}" --silent
    run_ok "${SEND[@]}" --max-retries 0
    all_ok $ROWS
    assert_ledger summary.json
    compare "$IDEAL"
    retry_unless_soon 1.5 "$try" || break
done
assert_within "refused in %" "$REFUSED" 15
assert_soon "not told" 1.5
printf '|   %-24s %5s %%  %5s\n' "not told" "$REFUSED" "$TIMES"
stop_simulator

t "refusals by chance are no limit: at most twice the ideal time, no row fails"
for share in 0.1 0.3; do
    IDEAL=$(jq -n "$ROWS / $KEYS / (1 - $share) * 50 / 1000")
    for try in 1 2 3; do
        start_own --fault "429=$share" --silent --latency 50
        run_ok "${SEND[@]}" --max-retries 0
        all_ok $ROWS
        assert_ledger summary.json
        compare "$IDEAL"
        retry_unless_soon 2 "$try" || break
    done
    assert_soon "$share refused by chance" 2
    printf '|   %-24s %5s %%  %5s  of %s s\n' "refused by chance: $share" "$REFUSED" "$TIMES" "$IDEAL"
    stop_simulator
done

t "a hidden cap of three at once, --slots-per-key auto: at most twice the ideal time from cold"
IDEAL=$(jq -n "$ROWS / $KEYS / 3 | ceil * 50 / 1000")
for try in 1 2 3; do
    start_own --concurrency 3 --silent --latency 50
    run_ok "${SEND[@]}" --slots-per-key auto --max-retries 0
    all_ok $ROWS
    assert_ledger summary.json
    compare "$IDEAL"
    retry_unless_soon 2 "$try" || break
done
assert_soon "from cold" 2
assert_json .stats.json '.[0].keys | map(.in_flight_max >= 3) | all' true
printf '|   %-24s %5s %%  %5s  of %s s\n' "a hidden cap of three" "$REFUSED" "$TIMES" "$IDEAL"
stop_simulator

# asked_at KEY FILE: while it is there, notes when the simulator's count of this key's requests grows.
# In milliseconds, a tenth of a second late at most.
asked_at() {
    local before=0 now
    while [ -e "$2" ]; do
        now=$(sim_stats ".keys[$(($1 - 1))].requests") || return
        if [ "$now" != "$before" ]; then
            echo $((${EPOCHREALTIME/[.,]/} / 1000)) >>"$2"
            before=$now
        fi
        sleep 0.05
    done
}

t "one good key, one that always answers 429, one that is not accepted: every row is answered"
KEYS=3
start_own --fault 429=1 --fault-key 2 --dead-key 3 --silent --latency 30
: >asked
asked_at 2 asked &
watcher=$!
run_ok "${SEND[@]}" --limit 160 --max-retries 0 --log-level info
mv asked times
wait $watcher
all_ok 160
assert_ledger summary.json
assert_json summary.json '.[0].keys | map([.ok, .state])' \
    '[[160,"healthy"],[0,"rate_limited"],[0,"unavailable"]]'
assert_json summary.json '.[0].keys[2].requests' 1
# 160 rows of 30 ms take 4.8 s; pauses of 1 s and 2 s, each with a quarter of jitter, 3.75 s at most
gaps=$(awk 'NR > 1 { print $1 - last } { last = $1 }' times | paste -sd ' ')
assert_true "growing gaps: $gaps" awk '{ if (NF < 2) exit 1; for (i = 2; i <= NF; i++) if ($i < 1.4 * $(i - 1)) exit 1 }' \
    <<<"$gaps"
assert_contains "$ERR" 'simulate-2 cools for'
assert_contains "$ERR" 'simulate-3 is not accepted and taken out: invalid_api_key'
echo "| one good key, one refused, one dead: 160 of 160 rows; gaps of the refused one: $gaps ms"
stop_simulator
KEYS=4

rows 800 >in.jsonl

# Two slots per key; the outage is from the first to the second second.
check_outage() { # KIND
    t "an outage of a second under load ($1): no key out, few requests burned, work soon goes on"
    local try burned resumed most=$((KEYS * 4 + KEYS * 2))
    for try in 1 2 3; do
        start_own --latency 20 --outage "1s,1s,$1"
        run_ok "${SEND[@]}" --slots-per-key 2
        all_ok 800
        assert_ledger summary.json
        assert_json summary.json '.[0].keys | map(.state) | unique' '["healthy"]'
        burned=$(jq .failed .stats.json)
        # the best of three: while the program stands still more go out than it hears of
        { [ "$burned" -gt "$most" ] && [ "$try" -lt 3 ]; } || break
        stop_simulator
    done
    assert_within "requests burned" "$burned" "$most"
    # the first to start well after the outage began and to be answered, after its end: the simulator's
    # clock starts with the first request's arrival, a little later than ours
    resumed=$(jq -s 'def at: (.[:19] + "Z" | fromdate) + (.[20:23] | tonumber / 1000);
        map(.started_at |= at) | (map(.started_at) | min) as $first
        | map(select(.started_at >= $first + 1.2).started_at) | min - $first - 2 | . * 1000 | round' out.jsonl)
    assert_true "it goes on at its end and within a second: after $resumed ms" \
        test "$resumed" -ge -50 -a "$resumed" -lt $((1000 * SLOW))
    echo "| an outage of a second ($1): $burned requests burned, work goes on $resumed ms after its end"
    stop_simulator
}
check_outage 503
check_outage reset

t "all keys dead: exit code 3 within two seconds, and why is said for each"
start_own --dead-key 1-4
began=${EPOCHREALTIME/[.,]/}
expect_exit 3 "$BATCH_RUN" "${SEND[@]}"
took=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
assert_true "within two seconds ($took ms)" test $took -lt $((2000 * SLOW))
assert_eq 4 "$(sim_stats .requests)" requests
assert_json summary.json '.[0].keys | map(.state == "unavailable" and .requests == 1
    and (.reason | startswith("invalid_api_key: "))) | all' true
for n in 1 2 3 4; do
    assert_match "$ERR" "^simulate-$n: unavailable: invalid_api_key: "
done
echo "| all keys dead: exit code 3 after $took ms"
stop_simulator

# pool STRATEGY MEMBERS...: a pool file of the four keys; members stand behind each one's secret.
pool() {
    local strategy=$1 i keys=
    shift
    for i in 0 1 2 3; do
        keys+="${keys:+,}{\"key\":\"${SECRETS[i]}\"${1:+,$1}}"
        shift
    done
    printf '{"strategy":"%s","providers":{"simulate":{"base_url":"%s/v1","keys":[%s]}}}\n' \
        "$strategy" "$SIM_URL" "$keys" >pool.json
    chmod 600 pool.json
}
shares() { # STRATEGY OPTIONS...: how many requests each key got
    pool "$1" '"weight":4,"priority":2' '"weight":3,"priority":1' '"weight":2,"priority":1' '"weight":1,"priority":3'
    run_ok in.jsonl --keys pool.json --overwrite -o out.jsonl --summary summary.json "${@:2}"
    SHARES=$(jq -c '[.keys[].requests]' summary.json)
    echo "|   $(printf '%-13s' "$1") $SHARES${2:+  ${*:2}}"
}

t "every strategy shares the rows as it says"
rows 200 >in.jsonl
start_simulator --keys 4
echo "| shares of 200 rows, weights 4 3 2 1, priorities 2 1 1 3:"
for strategy in round-robin least-used least-loaded lru; do
    shares $strategy --slots 1
    assert_eq '[50,50,50,50]' "$SHARES" "$strategy"
done
shares random --slots 1
assert_true "random: each has a share that chance allows: $SHARES" jq -e 'map(. > 20 and . < 80) | all' <<<"$SHARES"
assert_true "random: not in turns: $SHARES" test "$SHARES" != '[50,50,50,50]'
shares weighted --slots 1
assert_true "weighted: 80 60 40 20: $SHARES" jq -e '[., [80, 60, 40, 20]] | transpose | map(.[0] - .[1] | fabs < 3) | all' \
    <<<"$SHARES"
shares priority --slots 1
assert_eq '[0,100,100,0]' "$SHARES" "priority"
assert_eq '[0,1,1,0]' "$(shares priority --slots 2 --limit 2 >/dev/null && echo "$SHARES")" "priority"
stop_simulator
start_simulator --keys 4 --latency 20 # with all slots the others serve while the first have their hands full
shares priority
assert_true "priority: the others serve what the first cannot: $SHARES" jq -e 'map(. > 30) | all' <<<"$SHARES"
stop_simulator

t "--affinity prefix: rows with the same system prompt go to the same key, whose cache knows it"
# forty system prompts of 4,000 bytes, five rows each, in no order: at most 80 % can be cached
seq 0 199 | jq -c '{id: "\(.)", prompt: "question \(. + 1)",
    system: ("You are expert \(. % 40). " + "Be brief and exact. " * 200)[:4000]}' |
    shuf --random-source=<(yes) >in.jsonl
# cached_share PROVIDER BASE OPTIONS...: CACHED, percent of the input
cached_share() {
    start_provider "$1" "$2" --dialect "$1" --prompt-cache --latency 2
    run_ok "${SEND[@]}" "${@:3}"
    all_ok 200
    CACHED=$(jq '.tokens.cached_tokens / .tokens.input * 100 | round' summary.json)
    assert_json summary.json '.[0] | .tokens.cached_tokens == ([.keys[].cached_tokens] | add)' true
    assert_contains "$ERR" ' cached'
    stop_simulator
}
while read -r provider base; do
    cached_share "$provider" "$base" --slots 1
    without=$CACHED
    cached_share "$provider" "$base" --slots 1 --affinity prefix
    assert_true "$CACHED % cached, $without % without" test "$CACHED" -ge 79 -a "$CACHED" -gt "$without"
    assert_json out.jsonl 'group_by(.input.system) | map(map(.key) | unique | length) | max' 1
    echo "| 40 system prompts, $provider: $without % of the input cached, with --affinity prefix $CACHED %"
done <<'END'
openai /v1
anthropic /v1
google /v1beta
END
# with all keys busy the one that becomes free takes, of the rows that wait, one that it knows
cached_share openai /v1
without=$CACHED
cached_share openai /v1 --affinity prefix
assert_true "$CACHED % cached, $without % without" test "$CACHED" -ge 65
echo "|   the same with every key busy: $without %, with --affinity prefix $CACHED %"

t "keys of one account share its limit"
rows 200 >in.jsonl
start_simulator --keys 4 --groups 2 --rpm 900 --burst 25 --latency 20
pool least-used '"group":"a"' '"group":"b"' '"group":"a"' '"group":"b"'
run_ok in.jsonl --keys pool.json --overwrite -o out.jsonl --summary summary.json --max-retries 0
all_ok 200
compare "$(jq -n '(200 / 2 - 25) * 60 / 900 + 0.02')"
assert_within "refused in %" "$REFUSED" 2
assert_soon "two accounts" 1.10
printf '| 4 keys of two accounts, told: %s %% refused, %s of the ideal time\n' "$REFUSED" "$TIMES"
stop_simulator

t "a hundred thousand keys: the first request goes within two seconds"
start_simulator --keys 100000 --write-keys many.env
rows 5 >in.jsonl
for form in numbered list; do
    if [ $form = list ]; then
        { printf 'SIMULATE_API_KEY=' && sed -n 's/^SIMULATE_API_KEY_[0-9]*=//p' many.env | paste -sd ,; } >list.env
        mv list.env many.env
    fi
    began=${EPOCHREALTIME/[.,]/}
    run_ok in.jsonl --provider simulate --env-file many.env --base-url "$SIM_URL/v1" --overwrite -o out.jsonl --quiet
    took=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
    all_ok 5
    assert_true "within two seconds ($took ms)" test $took -lt $((2000 * SLOW))
    echo "| 100,000 keys ($form): five rows, from start to end, in $took ms"
done
stop_simulator
