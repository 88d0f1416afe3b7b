// manual_lists.c: the manual's first words, exit codes and examples. Constant.
// SPDX-License-Identifier: MIT
#include "runner/pages/manual.h"

#include <stddef.h>

const char manual_purpose[] = "sends a file of prompts to language models over a pool of API keys";

const char manual_description[] =
    "`batch-run` reads one prompt per row from INPUT, sends each to a provider of language models, "
    "and writes one line of JSON per row. The keys it is given share the load. A key that is "
    "refused for its rate rests, and its row goes to another key or waits: a refusal of that kind "
    "never fails a row.\n\n"
    "Results are appended as they come. Running the same command again sends only what has no good "
    "result yet.\n\n"
    "Results alone go to standard output, and only with `-o -`. Everything meant for people goes "
    "to "
    "standard error.\n\n"
    "To see it work without any key:\n\n"
    "    batch-run prompts.jsonl --provider simulate";

const struct manual_exit_code manual_exit_codes[] = {
    {0, "every row has a good result"},
    {1, "the run finished, some rows failed"},
    {2, "a fault of usage, configuration or input, or changed settings; nothing was sent"},
    {3, "stopped early: no usable key, provider not reachable, or budget reached; run again"},
    {4, "output could not be written"},
    {130, "stopped by a signal"},
    {0, NULL},
};

const struct manual_example manual_examples[] = {
    {"batch-run prompts.jsonl --provider simulate", "Try it without any key."},
    {"batch-run questions.csv --prompt-field question --keys keys.txt -p openai",
     "One answer per record, over all keys in the file."},
    {"batch-run rows.jsonl --template 'Translate into {{language}}: {{text}}'",
     "Put each prompt together from the fields of its row."},
    {"jq -c '{prompt: .title}' books.json | batch-run - -o - | jq -r .text",
     "Between other programs."},
    {"batch-run rows.jsonl -p zai,groq -m zai:glm-4.5-flash,groq:llama-3.1-8b-instant",
     "Two providers, the second for what the first cannot serve now."},
    {"batch-run rows.jsonl --dry-run", "Show what would be sent."},
    {"batch-run help manual | man -l -", "Read the manual where it is not installed."},
    {NULL, NULL},
};
