#!/bin/sh
# curl --parallel with its requests prebuilt in a config file; the replies go to /dev/null.
#   curl_parallel.sh prepare URL KEYS-FILE COUNT CONFIG     writes the file
#   curl_parallel.sh run OPEN CONFIG
# SPDX-License-Identifier: MIT
set -eu
case $1 in
prepare)
    body=$(awk 'BEGIN { while (n++ < 238) s = s "a"; print s }')
    sed -n 's/^[A-Z0-9_]*=//p' "$3" | awk -v url="$2" -v count="$4" -v body="$body" '
        { keys[n++] = $0 }
        END {
            for (i = 0; i < count; i++) {
                if (i) print "next"
                printf "url = \"%s\"\noutput = \"/dev/null\"\nsilent\nfail\n", url
                printf "header = \"Authorization: Bearer %s\"\n", keys[i % n]
                print "header = \"Content-Type: application/json\""
                printf "data-raw = \"{\\\"model\\\":\\\"simulate-1\\\",\\\"messages\\\":[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"%s\\\"}]}\"\n", body
            }
        }' >"$5"
    ;;
run) exec curl --disable --parallel --parallel-max "$2" --no-progress-meter --config "$3" ;;
esac
