// foreign.c: the table of other tools' options. Constant.
// SPDX-License-Identifier: MIT
#include "runner/options/foreign.h"

#define NAME_MAX_BYTES 48

struct foreign {
    const char *names;   // between spaces
    const char *letters; // or ""
    const char *option;  // of ours: the row counts only for commands that have it
    const char *advice;
};

// The first row that fits and whose option the command has.
static const struct foreign table[] = {
    {" concurrency concurrent parallel parallelism max-parallel max-concurrency max-concurrent "
     "max-concurrent-requests concurrent-requests concurrency-limit num-concurrent workers "
     "num-workers max-workers jobs num-jobs n-jobs procs max-procs processes num-proc connections "
     "max-connections max-inflight inflight in-flight batch-size ",
     "jPc", "slots-per-key",
     "use --slots-per-key N for requests in flight per key, or --slots N for all keys together"},
    {" retries retry retry-count retry-max retry-limit retry-attempts num-retries "
     "n-retries tries max-tries attempts max-attempts ",
     "r", "max-retries", "use --max-retries N"},
    {" retry-delay retry-wait retry-after retry-interval backoff backoff-max max-backoff "
     "retry-max-time ",
     "", "cooldown",
     "a provider's own waiting time is kept by itself; --cooldown DURATION sets a fixed one"},
    {" base-url api-base api-url api-host url endpoint api-endpoint host server openai-api-base "
     "openai-base-url server-url ",
     "", "base-url", "use --base-url URL"},
    {" rate rate-limit ratelimit rps qps max-rps max-qps requests-per-second "
     "requests-per-minute max-requests-per-minute rpm-limit max-rpm throttle delay sleep interval "
     "request-delay ",
     "", "rpm", "use --rpm N for requests a minute of each key"},
    {" tokens-per-minute max-tokens-per-minute tpm-limit max-tpm ", "", "tpm",
     "use --tpm N for tokens a minute of each key"},
    {" verbose verbosity debug trace loglevel log ", "vd", "log-level",
     "use --log-level info or --log-level debug"},
    {" silent ", "s", "quiet", "use --quiet"},
    {" no-progress progress-bar no-progress-bar no-progress-meter disable-tqdm ", "", "progress",
     "use --progress off"},
    {" output-format out-format outputformat ", "", "format",
     "use --format for the shape of the results"},
    {" out outfile out-file output-file output-path output-filepath save-filepath save-path save "
     "results result-file results-file ",
     "O", "output", "use --output FILE"},
    {" input in infile in-file input-file input-path file filename data dataset requests-filepath "
     "prompts prompt-file prompts-file ",
     "if", "output", "the input file is given without an option: batch-run INPUT"},
    {" resume continue restart incremental skip-existing skip-completed checkpoint append ", "",
     "output",
     "resuming is automatic: the same command again sends only the rows that have no result yet"},
    {" force no-resume fresh clobber no-cache ", "F", "overwrite", "use --overwrite to start anew"},
    {" request-timeout max-time read-timeout timeout-seconds timeout-secs ", "", "timeout",
     "use --timeout DURATION"},
    {" temp ", "", "temperature", "use --temperature N"},
    {" max-output-tokens max-completion-tokens max-new-tokens num-predict n-predict max-length ",
     "", "max-tokens", "use --max-tokens N"},
    {" temperature temp top-p top-k max-tokens max-output-tokens max-completion-tokens seed stop n "
     "presence-penalty frequency-penalty logprobs reasoning-effort response-format tools "
     "tool-choice service-tier user extra-body parameters params generation-config ",
     "", "param", "use --param NAME=JSON"},
    {" temperature temp top-p top-k max-tokens max-output-tokens max-completion-tokens seed stop n "
     "response-format tools tool-choice ",
     "", "prompt-field", "it is a field of the row: {\"prompt\": …, \"temperature\": 0}"},
    {" system-prompt system-message sys instructions system-instruction ", "", "system",
     "use --system TEXT or --system @FILE"},
    {" prompt prompt-template user-prompt user-template format-string ", "", "template",
     "use --template 'TEXT with {{field}}'"},
    {" prompt-column column text-column text-field prompt-key input-field input-column field ", "",
     "prompt-field", "use --prompt-field NAME"},
    {" id-column id-key key-field custom-id ", "", "id-field", "use --id-field NAME"},
    {" model-name model-id engine deployment ", "", "model", "use --model MODEL"},
    {" backend vendor service api ", "", "provider", "use --provider NAME"},
    {" key-file keys-file keyfile api-key-file api-keys-file credentials-file ", "", "keys",
     "use --keys FILE"},
    {" env dotenv env-path ", "", "env-file", "use --env-file FILE"},
    {" insecure no-verify no-verify-ssl ca-bundle ca-cert cafile ca-file ssl-ca verify ", "",
     "cacert", "use --cacert FILE for the certificates to trust"},
    {" proxy https-proxy http-proxy ", "x", "cacert", "set the variable HTTPS_PROXY"},
    {" no-color no-colour color colour ", "", "progress", "set the variable NO_COLOR=1"},
    {" max-rows num-rows rows head num-samples num-examples max-samples max-examples count first ",
     "", "limit", "use --limit N"},
    {" max-cost budget max-budget cost-limit max-spend ", "", "max-cost", "use --max-cost AMOUNT"},
    {" max-cost budget max-budget cost-limit max-spend token-budget ", "", "max-tokens-total",
     "use --max-tokens-total N or --max-requests N"},
    {" max-errors fail-fast max-failures error-threshold exit-on-error bail ", "",
     "stop-on-error-rate", "use --stop-on-error-rate P%"},
    {" sep separator field-separator ", "", "delimiter", "use --delimiter"},
    {" charset ", "", "encoding", "use --encoding NAME"},
    {" csv tsv jsonl ndjson type file-format ", "", "input-format", "use --input-format FORMAT"},
    {" sort sorted keep-order preserve-order in-order order ", "", "ordered", "use --ordered"},
    {" dry dryrun plan estimate preview no-send what-if check-only ", "", "dry-run",
     "use --dry-run"},
    {" streaming sse ", "", "stream", "use --stream"},
    {" round-robin rotation rotation-strategy load-balance load-balancing balance balancer ", "",
     "strategy", "use --strategy HOW"},
    {" stats stats-file report-file metrics metrics-file ", "", "summary", "use --summary FILE"},
};

static bool has_option(const struct command *command, const char *name) {
    for (const struct option *o = command->options; o && o->name; o++)
        if (strcmp(o->name, name) == 0)
            return true;
    return false;
}

// " max-retry " of max_Retry: as it would stand in a row. False: no name is that long.
static bool spell(struct slice name, char text[NAME_MAX_BYTES]) {
    if (!name.n || name.n + 3 > NAME_MAX_BYTES)
        return false;
    text[0] = ' ';
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        text[i + 1] = (char)(c == '_' ? '-' : c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    memcpy(text + 1 + name.n, " ", 2);
    return true;
}

const char *foreign_advice(const struct command *command, struct slice name) {
    char text[NAME_MAX_BYTES];
    if (!spell(name, text))
        return NULL;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strstr(table[i].names, text) && has_option(command, table[i].option))
            return table[i].advice;
    return NULL;
}

const char *foreign_letter_advice(const struct command *command, char letter) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (letter && strchr(table[i].letters, letter) && has_option(command, table[i].option))
            return table[i].advice;
    return NULL;
}
