// simulate.c: `batch-run simulate`, the simulated provider as a process of its own. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/command.h"

#include "jobs/base/io.h"
#include "jobs/base/log.h"
#include "runner/simulate/dialect.h"
#include "runner/simulate/simulate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX   ((size_t)64 << 20)
#define FIRST_LINE "# Keys of `batch-run simulate`: they open nothing but that.\n"

#define AT(field) offsetof(struct simulate_options, field)

static const struct option options[] = {
    {"port", 'p', OPTION_COUNT, AT(port), "N", "0", 0, 65535, NULL, "Server",
     "Port on 127.0.0.1; 0 takes any free one. The first line on stdout says which"},
    {"keys", 0, OPTION_COUNT, AT(keys), "N", "3", 1, 100000, NULL, "Server",
     "Number of keys it accepts; any other is refused"},
    {"write-keys", 0, OPTION_TEXT, AT(write_keys), "FILE", NULL, 0, 0, NULL, "Server",
     "Write the keys to FILE in .env form (SIMULATE_API_KEY_1=…), for --env-file"},
    {"log", 0, OPTION_TEXT, AT(log), "FILE", NULL, 0, 0, NULL, "Server",
     "Add a line to FILE for each chat request: the key's name, a tab, the prompt as JSON"},
    {"quiet", 'q', OPTION_FLAG, AT(quiet), NULL, NULL, 0, 0, NULL, "Server",
     "Print no hints at the start and no table at the end"},
    {"reply", 0, OPTION_TEXT, AT(reply), "KIND", "echo", 0, 0, NULL, "Answers",
     "echo repeats the last user message whole, whatever max_tokens says; words:N answers with N "
     "words drawn from the seed, cut at max_tokens. Tokens are counted as a quarter of the bytes"},
    {"idempotency", 0, OPTION_FLAG, AT(idempotency), NULL, NULL, 0, 0, NULL, "Answers",
     "Heed Idempotency-Key: a request with the key of one that was answered, whether or not that "
     "answer arrived, is answered again and counted under replays, without tokens"},
    {"prompt-cache", 0, OPTION_FLAG, AT(prompt_cache), NULL, NULL, 0, 0, NULL, "Answers",
     "Each key remembers the system prompts it was asked with, and says of an input that begins "
     "with "
     "one of them how many tokens were cached"},
    {"latency", 0, OPTION_TEXT, AT(latency), "MS", "0", 0, 0, NULL, "Answers",
     "Time until the answer: 20 (milliseconds), 1.5s, uniform:10ms-50ms, or lognormal:200ms,0.5 "
     "(median, sigma). A stream starts after a quarter of it"},
    {"seed", 0, OPTION_COUNT, AT(seed), "N", "1", 0, 9e15, NULL, "Answers",
     "Seed of latencies, faults and words. What befalls a request is drawn from the seed, its "
     "body and how often that body was let through before: the k-th attempt of a row meets the "
     "same in every run, whatever the order and the key"},
    {"dialect", 0, OPTION_CHOICE, AT(dialect), "NAME", "path", 0, 0, dialect_choices, "Limits",
     "Whose rate-limit headers, refusals and error bodies: openai, anthropic, google, groq, "
     "mistral, nvidia, bigmodel, zai or k2think. path: OpenAI's, Anthropic's or Google's, as the "
     "request's path says. Groq's x-ratelimit-…-requests are those of --rpd; google, nvidia, "
     "bigmodel, zai and k2think send no such headers"},
    {"groups", 0, OPTION_COUNT, AT(groups), "N", "0", 0, 100000, NULL, "Limits",
     "Keys share the limits in N groups, as keys of one account do: key k is in group (k-1) mod "
     "N. 0: each key has limits of its own"},
    {"rpm", 0, OPTION_COUNT, AT(rpm), "N", "0", 0, 1e11, NULL, "Limits",
     "Requests a minute for each key or group, 0 for no limit: a bucket of N that refills "
     "evenly. Requests that fail count, refused ones do not"},
    {"burst", 0, OPTION_COUNT, AT(burst), "N", "0", 0, 1e11, NULL, "Limits",
     "How many of --rpm pass at once, the size of the bucket; 0: a minute's worth"},
    {"tpm", 0, OPTION_COUNT, AT(tpm), "N", "0", 0, 1e11, NULL, "Limits",
     "Tokens a minute for each key or group, 0 for no limit: input and output are taken when a "
     "request comes"},
    {"rpd", 0, OPTION_COUNT, AT(rpd), "N", "0", 0, 1e7, NULL, "Limits",
     "Requests a day for each key or group, 0 for no limit. The quota is whole again when the "
     "next day begins; with --dialect groq it comes back evenly"},
    {"day", 0, OPTION_DURATION, AT(day), "DURATION", "24h", 0.001, 604800, NULL, "Limits",
     "The length of a day for --rpd, counted from the start of the simulator"},
    {"concurrency", 0, OPTION_COUNT, AT(concurrency), "N", "0", 0, 1e6, NULL, "Limits",
     "Requests at once on each key or group, 0 for no limit"},
    {"silent", 0, OPTION_FLAG, AT(silent), NULL, NULL, 0, 0, NULL, "Limits",
     "Keep the limits without telling them: no rate-limit headers, no Retry-After, no numbers "
     "and no hint in a refusal"},
    {"fault", 0, OPTION_TEXT, AT(fault), "KIND=RATE,…", NULL, 0, 0, NULL, "Faults",
     "Faults and how often, 100% together at most: 429, day (its quota is used up), quota (no "
     "money), 401, forbidden (403), model (not on this account), 500, 503, 529, overloaded (in "
     "the dialect's own status), reset, truncated, slow (three seconds), malformed, html, empty, "
     "stream-error (an error in the middle of a stream; in place of a plain answer, with 200), "
     "stall (stops in the middle and stays open), hang (no answer); \"429=5%,reset=1%\""},
    {"fault-key", 0, OPTION_TEXT, AT(fault_key), "LIST", NULL, 0, 0, NULL, "Faults",
     "Only on these keys: 2, or 1,3,10-20. So --fault 429=1 --fault-key 2 makes key 2 answer 429 "
     "always"},
    {"outage", 0, OPTION_TEXT, AT(outage), "AFTER,DURATION[,KIND],…", NULL, 0, 0, NULL, "Faults",
     "Everything fails for a while, AFTER the first request: 2s,1s,503. KIND is a fault that "
     "needs no answer to break, else 503; further outages follow behind a comma"},
    {"retry-after", 0, OPTION_DURATION, AT(retry_after), "DURATION", "0", 0, 0, NULL, "Faults",
     "What a 429 or day fault tells to wait, in the dialect's way; 0: what --rpm or the day "
     "implies"},
    {"dead-key", 0, OPTION_TEXT, AT(dead_key), "LIST", NULL, 0, 0, NULL, "Faults",
     "Keys that are never accepted, in the dialect's way (mostly 401): 3, or 1,3,10-20"},
    OPTIONS_END,
};

static bool fail_file(struct error *err, const char *path, const char *what) {
    return error_set(err, ERROR_USAGE, "--write-keys %s: %s", path, what);
}

// Whether path may be replaced: only what this command wrote itself.
static bool may_replace(const char *path, struct error *err) {
    char start[sizeof FIRST_LINE - 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || fail_file(err, path, strerror(errno));
    ssize_t n = io_read(fd, start, sizeof start);
    close(fd);
    if (n == (ssize_t)sizeof start && memcmp(start, FIRST_LINE, sizeof start) == 0)
        return true;
    return n == 0 || fail_file(err, path, "the file holds something else; name another one");
}

static void list_keys(int64_t count, struct buf *out) {
    buf_add_str(out, FIRST_LINE);
    for (int64_t n = 1; n <= count; n++) {
        buf_addf(out, "SIMULATE_API_KEY_%" PRId64 "=", n);
        simulate_key((int)n, out);
        buf_add_char(out, '\n');
    }
}

static bool write_keys(const char *path, int64_t count, struct error *err) {
    struct buf text = BUF_INIT(TEXT_MAX);
    if (!path)
        return true;
    if (!may_replace(path, err))
        return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_file(err, path, strerror(errno));
    list_keys(count, &text);
    bool written = io_write_all(fd, buf_slice(&text), NULL);
    if (!written)
        fail_file(err, path, strerror(errno));
    buf_free(&text);
    close(fd);
    return written;
}

// The line that scripts wait for.
static bool announce(int port, struct error *err) {
    struct buf line = BUF_INIT(100);
    buf_addf(&line, "listening on http://127.0.0.1:%d\n", port);
    bool written = io_write_all(STDOUT_FILENO, buf_slice(&line), NULL);
    buf_free(&line);
    return written || error_set(err, ERROR_OUTPUT, "standard output: %s", strerror(errno));
}

static void explain(const struct simulate_options *o, int port) {
    struct buf text = BUF_INIT(4000);
    buf_addf(
        &text,
        "Send it work:   batch-run INPUT --provider simulate --base-url http://127.0.0.1:%d/v1\n",
        port);
    if (o->write_keys)
        buf_addf(&text, "Its keys are in %s, for --env-file or another client.\n", o->write_keys);
    buf_addf(&text, "Its counters:   curl http://127.0.0.1:%d/stats\nCtrl-C ends it.\n", port);
    log_text(buf_slice(&text));
    buf_free(&text);
}

static void wait_for_signal(const sigset_t *signals) {
    int which;
    while (sigwait(signals, &which) != 0)
        ;
}

static void show_table(struct simulator *simulator) {
    struct buf table = BUF_INIT(TEXT_MAX);
    simulate_table(simulator, &table);
    log_text(buf_slice(&table));
    buf_free(&table);
}

static bool run(const struct simulate_options *o, struct error *err) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (!write_keys(o->write_keys, o->keys, err))
        return false;
    struct simulator *simulator = simulate_start(o, err);
    if (!simulator)
        return false;
    int port = simulate_port(simulator);
    bool announced = announce(port, err);
    if (announced) {
        if (!o->quiet)
            explain(o, port);
        wait_for_signal(&signals);
        if (!o->quiet)
            show_table(simulator);
    }
    simulate_stop(simulator);
    return announced;
}

static int simulate_run(const void *config, int count, char **operands) {
    struct error err = {0};
    (void)count, (void)operands;
    if (run(config, &err))
        return 0;
    log_error("%s", err.text);
    return error_exit_code(&err);
}

const struct command simulate_command = {
    .name = "simulate",
    .operands = "",
    .summary = "A simulated provider on loopback, for demonstrations, tests and benchmarks",
    .description =
        "Serves OpenAI chat completions, Anthropic Messages and Gemini generateContent on "
        "127.0.0.1, each on the path its provider has, plain and streamed, to keys of its own. "
        "Keeps rate, concurrency and daily limits honestly, per key or for groups of keys, with "
        "the headers and error bodies of the provider that --dialect names, makes faults at given "
        "rates and outages at given times, and counts per key what it was asked and what it "
        "answered.\n\n"
        "Rate-limit headers say what is left at the moment a request is admitted, in the very "
        "buckets that refuse.\n\n"
        "GET /stats tells the counts as JSON, POST /stats/reset starts them again. Every POST with "
        "a known key is one request and ends as ok, failed or rate_limited; a reset or broken-off "
        "answer has failed; tokens are those reported in ok answers.\n\n"
        "`batch-run INPUT --provider simulate` starts one inside the process; with --base-url it "
        "uses one that runs already, with the same keys. With one of those keys in "
        "ANTHROPIC_API_KEY, --provider anthropic --base-url http://127.0.0.1:PORT/v1 speaks to it "
        "as to Anthropic; with GOOGLE_API_KEY, --provider google --base-url "
        "http://127.0.0.1:PORT/v1beta as to Google.",
    .options = options,
    .config_size = sizeof(struct simulate_options),
    .run = simulate_run,
};
