#!/bin/bash
# poolfile.sh: JSON pool files from one end to the other: which keys, which order, what is said about
# mistakes, and a hundred thousand keys.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

start_simulator --keys 4 --write-keys keys.env
mapfile -t KEYS < <(sed -n 's/^SIMULATE_API_KEY_[0-9]*=//p' keys.env)
rows 12 >in.jsonl

pool() { # JSON; KEY1 … KEY4 stand for the simulator's keys, URL for its address
    local text=$1 i
    for i in 1 2 3 4; do
        text=${text//KEY$i/${KEYS[i - 1]}}
    done
    printf '%s\n' "${text//URL/$SIM_URL/v1}" >pool.json
    chmod 600 pool.json
}
used() { # keys that were asked, of the last run
    jq -c '[.keys[] | select(.requests > 0).key] | sort' summary.json
}
sends() {
    run_ok in.jsonl --keys pool.json --overwrite -o out.jsonl --summary summary.json --quiet "$@"
    assert_json out.jsonl 'map(select(.status == "ok")) | length' 12
}
refused() { # WORDS OPTIONS...
    local words=$1
    shift
    expect_exit 2 "$BATCH_RUN" in.jsonl --keys pool.json -o refused.jsonl "$@"
    assert_contains "$ERR" "$words"
    assert_true "nothing was written" test ! -e refused.jsonl
    assert_not_contains "$ERR" "${KEYS[0]}"
}

t "keys with names, tags, one that is disabled, one from a variable"
pool '{"providers":{"groq":{"base_url":"URL","keys":[
  {"key":"KEY1","name":"main","tags":["prod","eu"]},
  {"key":"KEY2","tags":["test"]},
  {"key":"KEY3","enabled":false,"tags":["prod"]},
  {"key":"env:FOURTH","name":"fourth","tags":["prod"]}]}}}'
export FOURTH=${KEYS[3]}
sends
assert_eq '["fourth","groq-2","main"]' "$(used)" "keys"
sends --tag prod
assert_eq '["fourth","main"]' "$(used)" "keys"
sends --tag eu,test
assert_eq '["groq-2","main"]' "$(used)" "keys"
refused '--tag staging: no enabled key carries it' --tag staging
refused 'no enabled key of zai carries a tag of --tag prod' --tag prod --provider zai
expect_exit 0 "$BATCH_RUN" in.jsonl --keys pool.json --dry-run --tag prod
assert_contains "$ERR" 'keys      2: main'

t "the older shape, as it stands"
pool '{"ApiKeyPool":{"enabled":true,"strategy":"round-robin","providers":{"mistral":{"base_url":"URL","keys":[
  {"key":"KEY1","rateLimit":{"requestsPerMinute":50000,"tokensPerMinute":40000000,"requestsPerDay":1000000},
   "priority":1,"enabled":true,"tags":["primary"]},
  {"key":"KEY2","priority":2,"enabled":true}]}}}}'
sends
assert_eq '["mistral-1","mistral-2"]' "$(used)" "keys"
pool '{"ApiKeyPool":{"enabled":false,"providers":{"mistral":{"keys":[{"key":"KEY1"}]}}}}'
refused 'all 1 keys of mistral are disabled' --provider mistral

t "an order of providers in the file; --provider goes before it"
pool '{"order":["mistral","groq"],"providers":{
  "groq":{"base_url":"URL","keys":[{"key":"KEY1"}]},
  "mistral":{"base_url":"URL","keys":[{"key":"KEY2"}]}}}'
sends
assert_eq '["mistral-1"]' "$(used)" "keys"
sends --provider groq
assert_eq '["groq-1"]' "$(used)" "keys"

t "groups share limits, and a group nobody is in is named"
pool '{"providers":{"groq":{"base_url":"URL","groups":{"acme":{"limits":{"rpm":100000}},"typo":{}},"keys":[
  {"key":"KEY1","group":"acme"},{"key":"KEY2","group":"acme"}]}}}'
sends
assert_contains "$ERR" 'pool.json: providers.groq.groups.typo: no key is in this group'

t "mistakes are named by their JSON path, and no key is shown"
pool '{"providers":{"zai":{"keys":[{"key":"KEY1","limits":{"rpm":"fifty"}}]}}}'
refused 'pool.json: providers.zai.keys[0].limits.rpm must be a number'
pool '{"ApiKeyPool":{"strategy":"fastest","providers":{"zai":{"keys":[{"key":"KEY1"}]}}}}'
refused 'pool.json: ApiKeyPool.strategy is "fastest", which is none of round-robin'
pool '{"providers":{"zai":{"groups":{"acme":{"limits":{"tpm":-1}}},"keys":[{"key":"KEY1"}]}}}'
refused 'pool.json: providers.zai.groups.acme.limits.tpm must be a whole number'
pool '{"providers":{"zai":{"keys":[{"key":"KEY1","key":"KEY2"}]}}}'
refused 'pool.json: providers.zai.keys[0].key is given twice'
pool '{"providers":{"zai":{"keys":[{"KEY1":"key"}]}}}'
refused 'pool.json: providers.zai.keys[0].key is missing'
pool '{"providers":{"KEY1":{}}}'
refused 'is not known, so it needs an address'
pool '{"strategy":"KEY1","providers":{"zai":{"keys":[]}}}'
refused 'pool.json: strategy is'
pool '{"providers":{"zai":{"groups":{"KEY1":5},"keys":[]}}}'
refused 'must be an object'
pool '{"providers":{"groq":{"base_url":"URL","keys":[{"key":"KEY1","wieght":3},{"key":"KEY1"}]}}}'
sends
assert_contains "$ERR" 'pool.json: providers.groq.keys[0].wieght is not known'
assert_contains "$ERR" 'providers.groq.keys[1] gives the same key as'

t "a hundred thousand keys are read in two seconds"
jq -nc '{providers: {zai: {
    keys: [range(100000) | {key: "secret-of-a-key-\(. + 10000000)", group: "g\(. % 1000)", tags: ["a", "b"],
                            weight: 2, limits: {rpm: 50, tpm: 40000}}],
    groups: ([range(1000) | {key: "g\(.)", value: {limits: {rpm: 500}}}] | from_entries)}}}' >pool.json
chmod 600 pool.json
began=$(date +%s%N)
run_ok in.jsonl --keys pool.json --tag b --dry-run --slots 5
took=$((($(date +%s%N) - began) / 1000000))
assert_contains "$ERR" 'keys      100000:'
assert_true "within two seconds ($took ms)" test $took -lt $((2000 * SLOW))

t "so many requests in any window, by our name and by the guides'"
for limit in '"limits":{"requests":4,"window_ms":1500}' '"limits":{"rateLimitPerAccount":4,"rateLimitWindowMs":1500}'; do
    pool '{"providers":{"groq":{"base_url":"URL","keys":[{"key":"KEY1",'"$limit"'}]}}}'
    began=$(date +%s%N)
    sends
    took=$((($(date +%s%N) - began) / 1000000))
    assert_true "12 requests take two windows ($took ms)" test $took -ge 3000
done
pool '{"ApiKeyPool":{"rateLimitPerAccount":4,"rateLimitWindowMs":1500,"healthCheckInterval":60000,
  "providers":{"groq":{"base_url":"URL","keys":[{"key":"KEY1"}]}}}}'
began=$(date +%s%N)
sends
took=$((($(date +%s%N) - began) / 1000000))
assert_true "12 requests take two windows ($took ms)" test $took -ge 3000
assert_not_contains "$ERR" "is not known"
pool '{"providers":{"groq":{"keys":[{"key":"KEY1","limits":{"window_ms":1500}}]}}}'
refused 'providers.groq.keys[0].limits has window_ms without requests'

t "weighted: requests follow the weights"
rows 400 >many.jsonl
pool '{"strategy":"weighted","providers":{"groq":{"base_url":"URL","keys":[
  {"key":"KEY1","weight":3},{"key":"KEY2","weight":1}]}}}'
run_ok many.jsonl --keys pool.json --overwrite -o out.jsonl --summary summary.json --quiet --slots-per-key 4
assert_json summary.json '.[0].keys | map(.requests) | .[0] > 280 and .[0] < 320' true
