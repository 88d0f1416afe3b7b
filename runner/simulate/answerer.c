// answerer.c: what the simulator's options come to. Main thread, at start; owns the ledger.
// SPDX-License-Identifier: MIT
#include "runner/simulate/answer.h"

#include "jobs/base/clock.h"
#include "jobs/base/json.h"
#include "runner/simulate/bucket.h"
#include "runner/simulate/words.h"

#include <errno.h>

#define KEYS_DEFAULT 3
#define KEYS_MAX     100000
#define DAY_MAX      (INT64_C(7) * 24 * 3600 * USEC_PER_SEC)
#define RPD_MAX      INT64_C(10000000) // with DAY_MAX, what a bucket's arithmetic holds

static bool parse_reply(const char *text, int64_t *words, struct error *err) {
    struct slice reply = slice_str(text);
    *words = 0;
    if (!reply.n || slice_is(reply, "echo"))
        return true;
    bool counted = slice_starts(reply, "words:");
    if (counted && json_int(slice_of(reply.p + 6, reply.n - 6), words) && *words >= 1 &&
        *words <= WORDS_MAX)
        return true;
    return error_set(err, ERROR_USAGE, "--reply %s: expected echo, or words:N with N from 1 to %d",
                     text, WORDS_MAX);
}

static bool check_limit(const char *option, int64_t value, struct error *err) {
    if (value >= 0 && value <= BUCKET_LIMIT_MAX)
        return true;
    return error_set(err, ERROR_USAGE, "--%s: expected a number from 0 (no limit) to 100G", option);
}

static bool check_range(const char *option, int64_t value, int64_t max, struct error *err) {
    if (value >= 0 && value <= max)
        return true;
    return error_set(err, ERROR_USAGE, "--%s: expected 0 to %lld", option, (long long)max);
}

static bool check_limits(const struct ledger_limits *l, struct error *err) {
    if (l->keys < 1 || l->keys > KEYS_MAX)
        return error_set(err, ERROR_USAGE, "--keys: expected a number from 1 to %d", KEYS_MAX);
    if (l->groups > l->keys)
        return error_set(err, ERROR_USAGE, "--groups: there are more groups than keys");
    if (l->burst && !l->rpm)
        return error_set(err, ERROR_USAGE,
                         "--burst: it says how --rpm is filled, which is not set");
    return check_range("groups", l->groups, KEYS_MAX, err) && check_limit("rpm", l->rpm, err) &&
           check_limit("tpm", l->tpm, err) && check_limit("burst", l->burst, err) &&
           check_limit("concurrency", l->concurrency, err) &&
           check_range("rpd", l->rpd, RPD_MAX, err) && check_range("day", l->day, DAY_MAX, err);
}

static bool parse_texts(struct answerer *a, const struct simulate_options *o, struct error *err) {
    return latency_parse(o->latency, &a->latency, err) &&
           fault_rates_parse(o->fault, &a->faults, err) &&
           key_ranges_parse(o->fault_key, "fault-key", &a->fault_keys, err) &&
           key_ranges_parse(o->dead_key, "dead-key", &a->dead_keys, err) &&
           outages_parse(o->outage, &a->outages, err) && parse_reply(o->reply, &a->words, err);
}

bool answerer_init(struct answerer *a, const struct simulate_options *o, int64_t now,
                   struct error *err) {
    *a = (struct answerer){.retry_after = o->retry_after,
                           .seed = (uint64_t)o->seed,
                           .dialect = dialect_chosen(o->dialect),
                           .silent = o->silent,
                           .prompt_cache = o->prompt_cache,
                           .idempotency = o->idempotency,
                           .first_request = -1};
    a->text = BUF_INIT(WORDS_MAX * 16);
    a->model = BUF_INIT(64 * 1024);
    a->limits = (struct ledger_limits){
        .keys = o->keys ? o->keys : KEYS_DEFAULT,
        .groups = o->groups,
        .rpm = o->rpm,
        .tpm = o->tpm,
        .rpd = o->rpd,
        .concurrency = o->concurrency,
        .burst = o->burst,
        .day = o->day,
        .day_refills = a->dialect && a->dialect->day_refills,
    };
    if (!check_limits(&a->limits, err) || !parse_texts(a, o, err))
        return false;
    if (o->log && !(a->log = fopen(o->log, "ae")))
        return error_set(err, ERROR_USAGE, "--log %s: %s", o->log, strerror(errno));
    a->ledger = ledger_new(&a->limits, now);
    return true;
}

void answerer_free(struct answerer *a) {
    ledger_free(a->ledger);
    seen_free(&a->seen);
    seen_free(&a->prompts);
    seen_free(&a->answered);
    if (a->log)
        fclose(a->log);
    buf_free(&a->text);
    buf_free(&a->model);
}
