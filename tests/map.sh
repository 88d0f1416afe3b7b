#!/bin/sh
# Prints the first sentence of every source file: the table of contents of the program.
# SPDX-License-Identifier: MIT
cd "$(dirname "$0")/.." || exit 1
find jobs pool runner -name '*.c' | LC_ALL=C sort | while IFS= read -r file; do
    # "// name.c: what it is for." to the end of its comment's first sentence
    awk -v file="$file" '
        !/^\/\/ / || /SPDX/ { exit }
        { sub(/^\/\/ /, ""); text = text (NR > 1 ? " " : "") $0 }
        END {
            sub(/^[^:]*: /, "", text)
            if (match(text, /\. [A-Z]/)) text = substr(text, 1, RSTART)
            printf "%-36s %s\n", file, text
        }' "$file"
done
