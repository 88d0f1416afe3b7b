#!/bin/bash
# The providers' own client libraries (npm, versions in package.json) against the simulator, so that
# its shapes are not just our own idea of them. `make clients`; not part of `make test`.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

CLIENTS=$ROOT/tests/clients
FOLDER=${CLIENTS_FOLDER:-$ROOT/build/clients} # the libraries stay there between calls

for tool in node npm; do
    if ! command -v $tool >/dev/null; then
        echo "make clients needs $tool (Debian: apt-get install nodejs npm)" >&2
        exit 1
    fi
done
mkdir -p "$FOLDER" && cp "$CLIENTS"/package.json "$CLIENTS"/*.mjs "$FOLDER"/ || exit 1
if ! (cd "$FOLDER" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error) >npm.log 2>&1; then
    cat npm.log >&2
    exit 1
fi

t "the simulators start"
start_simulator --write-keys keys.env
export SIM_KEY SIM_URL SIM_LIMITED_KEY SIM_LIMITED_URL
SIM_KEY=$(sed -n 's/^SIMULATE_API_KEY_1=//p' keys.env)
open=$SIM_URL
start_simulator --rpm 1
SIM_LIMITED_URL=$SIM_URL
start_simulator --fault stream-error=1
export SIM_BROKEN_URL=$SIM_URL SIM_DIALECT_URLS=
for dialect in groq mistral nvidia bigmodel zai google k2think; do # all that OpenAI's library may meet
    start_simulator --rpm 1 --dialect $dialect
    SIM_DIALECT_URLS="$SIM_DIALECT_URLS $dialect=$SIM_URL"
done
SIM_URL=$open

number=0
for client in openai anthropic google; do
    number=$((number + 1)) # each has a key of its own to use up
    SIM_LIMITED_KEY=$(sed -n "s/^SIMULATE_API_KEY_$number=//p" keys.env)
    t "$client's library works against the simulator"
    timeout -k 5 $((LIMIT * SLOW)) node "$FOLDER/$client.mjs" >"$OUT" 2>"$ERR"
    status=$?
    cat "$OUT"
    if [ $status != 0 ]; then
        fail "exit code $status"
        head -n 20 "$ERR" | sed 's/^/# /'
    fi
done
