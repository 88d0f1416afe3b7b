// manual.c: the prose of the manual, as tables of text. Constant.
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

const struct manual_section manual_sections[] = {
    {"INPUT",
     "INPUT is a path, or `-` for standard input. A file whose name is that of a command is given "
     "as "
     "./NAME. The name's ending says how it is read, or `--input-format` does:\n\n"
     "- jsonl (.jsonl, .ndjson, standard input): one JSON object per line, or a JSON string, which "
     "is "
     "the prompt.\n"
     "- csv, tsv: one record per row as in RFC 4180, with a header row. The column `prompt` holds "
     "the prompt.\n"
     "- txt: each line is a prompt.\n\n"
     "A JSON object holds `prompt` (a string) or `messages` (as OpenAI's chat completions take "
     "them), "
     "or it is a line made for a provider's own batch service:\n\n"
     "- OpenAI and BigModel: `custom_id`, `method`, `url`, `body`\n"
     "- Anthropic: `custom_id`, `params`\n"
     "- Gemini: `key`, `request`\n"
     "- Mistral: `custom_id`, `body`\n\n"
     "The body of such a line is sent as it stands; only a missing `model` is filled in. A line "
     "made "
     "for another kind of interface than the provider's is a failed row, not a translated one.\n\n"
     "Further fields of a row steer it alone: `id` (or `custom_id`), `system`, `model`, "
     "`temperature`, `top_p`, `max_tokens`, `stop`, `response_format`, `tools`, `tool_choice`, "
     "`seed`, `provider`.\n\n"
     "A row without an id is known by its number, counted from 1. An id seen before makes a bad "
     "row, "
     "unless `--allow-duplicate-ids` numbers them.\n\n"
     "In a template `{{name}}` stands for the row's field of that name, and `{{{{` for two braces. "
     "A "
     "name the row does not have makes it a bad row.\n\n"
     "A byte order mark, CRLF, blank lines and a missing last newline do no harm. Numbers, escapes "
     "and the order of keys are handed on as they came.\n\n"
     "A bad row stops nothing. It becomes a result of the class bad_input that names its line."},

    {"KEYS AND PROVIDERS",
     "The providers are bigmodel, zai, openai, anthropic, google, groq, mistral, nvidia, k2think "
     "and "
     "simulate. `batch-run providers` shows their addresses and default models. `--base-url` sends "
     "a "
     "provider's requests elsewhere: the first one's with an address alone, others' as "
     "NAME=URL.\n\n"
     "Keys are read from the file given with `--keys`, then the one given with `--env-file` (or "
     "./.env), then the environment. There is no option that takes a key itself: other users and "
     "the "
     "shell's history would see it.\n\n"
     "A variable `<NAME>_API_KEY` holds one key, or several separated by commas. "
     "`<NAME>_API_KEY_1`, `_2` and so on hold one more each; numbers may be missing. NAME is the "
     "provider's name in capitals. GEMINI_API_KEY counts for google.\n\n"
     "A file for `--keys` holds one key per line, or variables like a .env file, or JSON:\n\n"
     "    {\"strategy\": \"least-loaded\", \"order\": [\"zai\", \"groq\"],\n"
     "     \"providers\": {\"zai\": {\n"
     "       \"base_url\": \"https://gateway.example/v4\",\n"
     "       \"groups\": {\"acme\": {\"limits\": {\"rpm\": 500, \"tpm\": 100000}}},\n"
     "       \"keys\": [\n"
     "         {\"key\": \"...\", \"name\": \"team-a\", \"group\": \"acme\", \"enabled\": true,\n"
     "          \"priority\": 10, \"weight\": 1, \"tags\": [\"prod\"],\n"
     "          \"limits\": {\"rpm\": 50, \"tpm\": 40000, \"rpd\": 5000, \"tpd\": 0,\n"
     "                     \"concurrency\": 4}},\n"
     "         {\"key\": \"env:SPARE_KEY\"}]}}}\n\n"
     "Of all this only `providers`, `keys` and `key` must be there. `env:NAME` takes the key from "
     "a "
     "variable. `group` is the account a key belongs to; the limits of a group are those its keys "
     "share. `--tag` picks the keys that carry one of its tags. `--strategy` goes before the "
     "file's, `--provider` before its `order`, and the file's limits before those of `--rpm` and "
     "its kin. The older shape, with everything under `ApiKeyPool` and `rateLimit` with "
     "`requestsPerMinute`, `tokensPerMinute` and `requestsPerDay`, is read too.\n\n"
     "In everything that is printed or written a key goes by its name, such as openai-2: the "
     "provider and the key's place in the list or the number of its variable. A pool file can name "
     "it otherwise. Where a hint helps, the first and last four characters of a key are shown with "
     "**** between them. One key given twice counts once.\n\n"
     "Without `--provider` the only provider that has keys is used. With several, or none, the run "
     "stops and says what to do."},

    {"SEVERAL PROVIDERS",
     "`--provider` A,B,C is an order of preference. A row goes to A; B serves what A cannot serve "
     "now, because all its keys are out, or cooling for longer than `--fallback-after`; and so "
     "on. Keys that merely have their hands full are waited for. As soon as A can serve again, it "
     "does. The run ends early only when no provider of the order is left. A row with a "
     "`provider` of its own goes there and nowhere else. Each result names the provider, the key "
     "and the model that answered.\n\n"
     "`--model` NAME:MODEL,... gives each provider its model; one without a name is for all "
     "others. Since models may hold a colon (llama3:8b), only the name of a provider of the run "
     "counts as such: for the provider mistral, the model mistral:7b is written "
     "mistral:mistral:7b. A row's own `model` goes before all of these, whoever serves it.\n\n"
     "A line made for one provider's batch service skips the providers that do not speak its "
     "format; it is a bad row if none does.\n\n"
     "Rows wait in one line for each model and choice of providers, so none waits for the limits "
     "of another model. From the sixty-fifth model of the rows' own on, they share a line."},

    {"WHICH KEY, AND WHEN",
     "`--strategy`, or the pool file, says which of the keys that can serve is next:\n\n"
     "- round-robin: the next in order (the default).\n"
     "- least-used: the one with the fewest requests so far.\n"
     "- least-loaded: the one with the fewest requests and tokens in the last minute.\n"
     "- lru: the one whose last request is longest ago.\n"
     "- random: any.\n"
     "- weighted: in proportion to `weight`, else to `priority`, times health.\n"
     "- priority: the lowest `priority`; the others serve what it cannot.\n\n"
     "With `--affinity prefix` rows that begin alike (same model, same system prompt) go to the "
     "key that served the first of them. A key that becomes free takes, of the next 64 rows that "
     "wait, the first that it knows, or one that no key knows yet; only if there is none does it "
     "take "
     "one of another's. No row is passed over more than 64 times.\n\n"
     "Limits are kept before they bite. Those stated with `--rpm` and its kin or in the pool file "
     "count requests in flight and their estimated tokens. Those that a provider announces with "
     "its answers are learned and paced by. Limits that nobody tells are felt: a refusal lowers "
     "the "
     "pace, answers raise it again; with `--slots-per-key auto` the same goes for requests at "
     "once, "
     "which also give way when answers become slow.\n\n"
     "What a refusal means is read from its status, headers and body, for each provider in its "
     "own words:\n\n"
     "- too many requests: the key, or its group, cools as long as the provider says, else for 1s "
     "doubling to 60s. It comes back with a single request.\n"
     "- the day's quota is used up: it rests until the provider's day ends.\n"
     "- no money: it is left out and tried again rarely.\n"
     "- not accepted: it is taken out for this run.\n"
     "- not this model: it serves other models.\n"
     "- the provider fails: all its keys pause together and none is blamed; a single request shows "
     "whether it is back.\n"
     "- the request is at fault: the row fails, without another attempt.\n\n"
     "`--log-level info` says once why a key was taken out, cools or is back."},

    {"RESULTS",
     "One JSON object per line and row, in the order in which rows finish, or in that of the input "
     "with `--ordered`:\n\n"
     "    "
     "{\"id\":\"17\",\"index\":16,\"status\":\"ok\",\"provider\":\"openai\",\"key\":\"openai-2\",\n"
     "     \"model\":\"...\",\"text\":\"...\",\"finish_reason\":\"stop\",\n"
     "     \"usage\":{\"input_tokens\":12,\"output_tokens\":34,\"total_tokens\":46},\n"
     "     \"attempts\":1,\"http_status\":200,\"started_at\":\"2026-11-21T06:00:00.123Z\",\n"
     "     \"latency_ms\":812.4,\"wait_ms\":3.1,\"input\":{...}}\n\n"
     "- `id` and `index`: the row's id, and its number counted from 0.\n"
     "- `status`: ok or error.\n"
     "- `key`: the key of the last attempt; null when there was none.\n"
     "- `attempts`: requests made for this row, refused ones included.\n"
     "- `usage`: the tokens as the provider counted them, with `cached_tokens` and "
     "`reasoning_tokens` when it says so; null when it did not count.\n"
     "- `latency_ms`: how long the last attempt took. `wait_ms`: how long the row waited for a "
     "key.\n"
     "- `ttft_ms`: how long its first token took, when the reply came as a stream.\n"
     "- `tool_calls`, `reasoning`, `refusal`: when the reply has them.\n"
     "- `input`: the row as it came, unless `--no-input` is given; then `input_hash`, which tells "
     "whether a row has changed.\n"
     "- `response`: the provider's reply as it came, with `--include-response`. A reply that came "
     "as "
     "a stream is put together in the shape the provider gives a whole one.\n\n"
     "Instead of text, a failed row has `error` with `class`, `code`, `message` and `http_status`. "
     "The classes:\n\n"
     "- bad_input: the row itself is no good; nothing was sent. `line` says where.\n"
     "- invalid_request: the provider refuses what was asked.\n"
     "- content_filter: the provider's policy refuses the content.\n"
     "- auth: the key is not accepted.\n"
     "- quota: the account's money or plan is used up.\n"
     "- rate_limited: too many requests for now.\n"
     "- model: the model is unknown, or closed to this key.\n"
     "- server: the provider failed.\n"
     "- timeout: no whole reply in time.\n"
     "- network: no connection, or it broke.\n"
     "- bad_response: the reply cannot be read.\n"
     "- too_large: the reply is beyond `--max-reply-bytes`.\n"
     "- no_key: no key may serve this row.\n"
     "- deadline: the row's `--deadline` passed.\n\n"
     "With `--format` the lines are those of a provider's own batch service instead, with the "
     "key's "
     "name added:\n\n"
     "- openai: `id`, `custom_id`, `response` (`status_code`, `request_id`, `body`), `error`, "
     "`key`\n"
     "- anthropic: `custom_id`, `result` (`type` succeeded and `message`, or `type` errored and "
     "`error`), `key`\n"
     "- gemini: `key` (the row's id), `response` or `error`, and the key's name as `api_key`\n\n"
     "A reply from a provider that speaks the format goes in as it came; any other, and one that "
     "came as a stream, is put into the format's words. A file is gone on with in the format it "
     "was "
     "begun in."},

    {"RESUMING",
     "Run again, the same command skips rows with a good result and sends the failed ones once "
     "more. "
     "`--no-retry-failed` keeps failed results, `--overwrite` starts afresh. A file that holds "
     "something other than results is never touched.\n\n"
     "A row is known by its id and by what it asks for: its prompt, messages or batch body, and "
     "the "
     "fields that steer it. A row that asks for something else than when it was answered is sent "
     "again, with a warning, and its new result takes the place of the old one. Fields that are "
     "not "
     "sent may change, and so may options such as `--model`: they make no other row. A row that is "
     "now a bad one keeps its earlier answer. Results of rows that the input no longer has are "
     "counted and kept.\n\n"
     "Until the run ends, replaced results stay in the file, so that a kill loses nothing. At its "
     "end "
     "they are taken out: the file is written anew beside itself (its name with .rewrite), synced, "
     "and renamed.\n\n"
     "Only whole lines are written, and on a regular file they are synced within a second and at "
     "the "
     "end. `--sync` each does so after each write, none leaves it to the system. When results "
     "cannot "
     "be written (a full disk, a closed pipe), the run stops with exit code 4, says how many are "
     "not "
     "saved, and leaves whole lines; run again, it goes on from there. Two runs cannot write to "
     "one "
     "file.\n\n"
     "What was in flight when a run was killed or broken off is sent again by the next, and may be "
     "paid "
     "twice. A small file beside the results (their name with .inflight) remembers which rows were "
     "sent and whose answers are not in the results yet: the next run says how many there are, "
     "lists "
     "them with `--log-level` info, and keeps those it does not get to. A run that leaves none in "
     "doubt "
     "takes the file away, and so does `--overwrite`. It survives a kill as it stands and a power "
     "cut "
     "as far as it was synced, which it is with the results; it holds ids and names of keys, no "
     "secrets and no prompts. Where it cannot be made, the run warns and goes on without it. "
     "Results "
     "on a pipe have none.\n\n"
     "A request that is sent again because its first answer was lost carries the same "
     "Idempotency-Key as before, in the same run and in the next, so that a provider that takes "
     "such "
     "keys asks for money once; after any answer there is a new one. None of the built-in "
     "providers is "
     "known to take them but the simulator (with its --idempotency), so it is sent to that alone; "
     "`--idempotency-keys` always sends it to whoever is behind `--base-url`."},

    {"STRAGGLERS",
     "With `--hedge` 5% a request that takes long near the end of a run is sent a second time: "
     "when "
     "all rows are read, none waits, and at most 5% of them are left in flight, one that is out "
     "for "
     "longer than 95% of the answers took gets a copy, with a key of another account of the same "
     "provider. The first good answer counts and the other request is broken off; a failure waits "
     "for the other one. A row gets one copy at most, and there are no more copies than 5% of "
     "the "
     "rows.\n\n"
     "A request that is broken off may have to be paid. Both count in `attempts` and with their "
     "keys, the one that was broken off as failed there; the result names the key that answered. "
     "The summary tells how many copies were sent and how many of them answered first.\n\n"
     "There are no copies while anything is limited: an account cools, a key is out of money, the "
     "provider fails, or a request was refused for its rate within the last 10 seconds; nor before "
     "20 "
     "answers are there, nor beyond a budget. Keys without a `group` in the pool file count as "
     "accounts of their own."},
    {"ORDER",
     "With `--ordered` each result is written once those of all rows before it are, to a file as "
     "to "
     "a pipe, so that whoever follows the output sees the order of the input. Rows are sent as "
     "ever: a slow one holds up nobody, and memory stays the same however many results wait for "
     "it.\n\n"
     "What waits lies beside the results, in a file of the same name with .ahead added (and a "
     "second one, .ahead2, used in turn). They take as much room as the results that wait, and go "
     "at the end of the run. When a run is killed they stay: the next one, ordered or not, first "
     "adds what they hold to the results, and sends none of these rows again. `--overwrite` "
     "removes them. For standard output or a FIFO what waits lies in a temporary file without a "
     "name in `TMPDIR`, or /tmp, and is gone when the run is killed.\n\n"
     "An ordered run that goes on with a file adds to its end what may belong between earlier "
     "lines. When it ends, it puts the file in order: it is written anew beside itself, synced and "
     "renamed. That needs room for a second copy, and up to 32 bytes a row in `TMPDIR`. Results of "
     "rows that were not read in this run, because the input no longer has them or the run was "
     "stopped, come last, in the order they had. Rows that end without a result, because the run "
     "was stopped or nobody can serve them, leave gaps."},

    {"STREAMS",
     "With `--stream` replies are asked for as server-sent events and read as they come. The "
     "results are the same, with `ttft_ms` added, and the summary tells how that was spread. A "
     "provider that answers in one piece all the same is read as it answers.\n\n"
     "A stream that ends early is a bad_response, one that stalls for `--stall-timeout` a timeout, "
     "and an error within a stream is what it would be as a reply: all are retried as usual. "
     "The time until a reply begins is only bounded by `--timeout`; comments and pings in a stream "
     "count as signs of life.\n\n"
     "The body of a batch line is sent as it stands also with `--stream`: whether it asks for a "
     "stream is its own affair, and its reply is read as it comes. Only for Gemini, where the "
     "address says it, the option decides."},

    {"BUDGETS",
     "`--max-requests` and `--max-tokens-total` bound what one run spends; the next run has its "
     "own. "
     "What is in flight is reserved, so neither is overspent. Requests are all that are made: "
     "retries and refused ones too. Tokens are those that providers told, input and output "
     "together, and for requests in flight an estimate: what `max_tokens` allows, and a quarter of "
     "the bytes that are read. Until the first answer every byte counts as a token; an estimate "
     "that proves too low raises those that follow. A row without `max_tokens` is expected to get "
     "an "
     "answer twice as long as the longest so far: where the budget must hold to the token, rows "
     "set "
     "one. An answer that broke off may have been paid, and counts as estimated.\n\n"
     "When what is in flight may turn out to take less than was reserved, rows wait for it. A row "
     "that is too large for what is left is passed over; a hundred of them in a row end the "
     "run.\n\n"
     "`--stop-on-error-rate` 20%/500 stops the run when 100 of the last 500 rows failed. It is "
     "looked at from a fifth of them on (100 rows here, 20 without /N), never before 10. A row "
     "counts once, when it is done: 429s and attempts that are made again do not, nor do bad "
     "rows.\n\n"
     "A run that stops so lets what is in flight finish, says how much was spent and how many rows "
     "are left undone, and ends with exit code 3, unless all rows were done. The same command goes "
     "on from there."},

    {"SUMMARY",
     "A run ends with a table on standard error: a line for each key with its state, requests, "
     "good "
     "and failed ones, 429s, tokens, median and 95th percentile of the latency, and its share of "
     "the "
     "requests; then the totals.\n\n"
     "`--summary` writes the same as JSON: `jobs` (total, ok, failed, skipped), `attempts`, "
     "`rate_limited`, `elapsed_s`, `requests_per_s`, `tokens`, `latency_ms`, `ttft_ms` when "
     "replies "
     "are streams, `stopped`, `hedge` (copies, won) with `--hedge`, and `keys` with one object "
     "each. `stopped` is null, or why the run "
     "ended "
     "early: signal, no-key, max-requests, max-tokens-total, stop-on-error-rate, input or output. "
     "The `requests` of all keys add up to "
     "`attempts`. A key's `state` is healthy, degraded, rate_limited or unavailable, its `health` "
     "a score from 0 "
     "to 100 that failures of the provider lower and answers raise (degraded is below 70, and five "
     "minutes without a failure end it), and `reason` says why it is not healthy. "
     "`cached_tokens`, in `tokens` and for each key, is the part of the input that providers said "
     "they had in their cache."},

    {"ENVIRONMENT",
     "`<NAME>_API_KEY` and `<NAME>_API_KEY_1`, `_2` and so on hold keys, as described above.\n\n"
     "`HTTPS_PROXY`, `http_proxy` and `NO_PROXY` work as they do with curl. `NO_COLOR`, when set, "
     "keeps help free of bold type.\n\n"
     "The variables below set other defaults for options. The command line goes before them, and "
     "an "
     "empty variable counts as not set. For a flag, 1, true or yes sets it; 0, false or no does "
     "not. "
     "On the command line such a flag is taken back with `--NAME=no`. Options that decide about "
     "one "
     "call only have no variable."},

    {"FILES",
     "- ./.env: variables with keys, read when it is there and `--env-file` names no other.\n"
     "- INPUT with its ending replaced by .results.jsonl: the results, unless `-o` says "
     "otherwise.\n"
     "- The results' name with .ahead or .ahead2: results of `--ordered` that wait for their "
     "turn.\n"
     "- The results' name with .inflight: which rows were sent and are in doubt.\n"
     "- The results' name with .rewrite: the file that takes its place when a run ends.\n"
     "- `TMPDIR`, or /tmp: what `--ordered` keeps out of memory."},

    {"SIGNALS",
     "The first SIGINT (Ctrl-C) or SIGTERM stops the reading of rows and lets requests in flight "
     "finish. The second does not wait for them, the third not even for results to be written. "
     "What was finished is on disk either way, and the same command goes on from there. SIGHUP, "
     "which a terminal sends when it goes away, does the same, unless it is ignored (nohup).\n\n"
     "Time that the process is stopped (SIGSTOP, Ctrl-Z) or the machine sleeps does not count "
     "towards "
     "`--timeout`: answers that came meanwhile are read. It does count for everything else: the "
     "rests of "
     "keys, `--deadline`. A connection whose other end is silently gone is given up after about a "
     "minute."},

    {NULL, NULL},
};

const struct manual_exit_code manual_exit_codes[] = {
    {0, "every row has a good result"},
    {1, "the run finished, some rows failed"},
    {2, "a fault of usage, configuration or input; nothing was sent"},
    {3, "stopped early, no usable key is left or a budget is reached; run again to go on"},
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
