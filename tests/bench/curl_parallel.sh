#!/bin/sh
# curl --parallel with its requests prebuilt in a config file; each reply has a file of its own, since on
# stdout they would mix.
#   curl_parallel.sh prepare URL KEYS-FILE COUNT CONFIG REPLIES     writes the file; REPLIES: a new folder
#   curl_parallel.sh run OPEN CONFIG
# SPDX-License-Identifier: MIT
set -eu
case $1 in
prepare)
    mkdir "$6"
    body=$(awk 'BEGIN { while (n++ < 238) s = s "a"; print s }')
    sed -n 's/^[A-Z0-9_]*=//p' "$3" | awk -v url="$2" -v count="$4" -v body="$body" -v replies="$6" '
        { keys[n++] = $0 }
        END {
            for (i = 0; i < count; i++) {
                if (i) print "next"
                printf "url = \"%s\"\noutput = \"%s/%d\"\nsilent\nfail\n", url, replies, i
                printf "header = \"Authorization: Bearer %s\"\n", keys[i % n]
                print "header = \"Content-Type: application/json\""
                printf "data-raw = \"{\\\"model\\\":\\\"simulate-1\\\",\\\"messages\\\":[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"%s\\\"}]}\"\n", body
            }
        }' >"$5"
    ;;
run) exec curl --disable --parallel --parallel-max "$2" --no-progress-meter --config "$3" ;;
esac
