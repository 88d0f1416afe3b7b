// report.c: gathers what pool and counters say at the end of a run. Main thread, the others have ended.
// SPDX-License-Identifier: MIT
#include "runner/report.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "runner/screen/summary.h"

#include <stdlib.h>

static void fill_key(struct summary_key *row, const struct key *key, char *mask) {
    int64_t now = clock_now();
    const struct key_counts *counts = &key->counts;
    secret_mask(key->entry->secret, mask);
    *row = (struct summary_key){.name = key->entry->name,
                                .provider = key->entry->provider->name,
                                .masked = mask,
                                .state = key_state_name(key, now),
                                .health = key_health(key, now),
                                .requests = counts->requests,
                                .ok = counts->ok,
                                .failed = counts->failed,
                                .rate_limited = counts->rate_limited,
                                .sent_again = counts->sent_again,
                                .input_tokens = counts->input_tokens,
                                .output_tokens = counts->output_tokens,
                                .cached_tokens = counts->cached_tokens,
                                .last_used = counts->last_used_at};
    enum key_state state = key_state(key);
    if (state != KEY_READY && state != KEY_FULL) // else it is about another model, or old
        row->reason = key->reason;
    if ((state == KEY_COOLING || state == KEY_NO_MODEL || state == KEY_SUSPENDED) &&
        key->rests_until > now)
        row->cooling_until = clock_wall() + (key->rests_until - now);
    if (key->latency) {
        row->p50 = histogram_at(key->latency, 0.50);
        row->p95 = histogram_at(key->latency, 0.95);
    }
}

static struct summary_times times_of(const struct histogram *h) {
    return (struct summary_times){.p50 = histogram_at(h, 0.50),
                                  .p90 = histogram_at(h, 0.90),
                                  .p95 = histogram_at(h, 0.95),
                                  .p99 = histogram_at(h, 0.99),
                                  .max = h->max};
}

static const char *stopped_by(const struct pipeline *p, int exit_code) {
    if (exit_code <= 1)
        return NULL;
    switch ((enum stop_cause)atomic_load(&p->cause)) {
    case CAUSE_NONE: return NULL;
    case CAUSE_SIGNAL: return "signal";
    case CAUSE_NO_KEY: return "no-key";
    case CAUSE_OUTAGE: return "outage";
    case CAUSE_BUDGET: return run_budget_name(p->budget.reached);
    case CAUSE_INPUT: return "input";
    case CAUSE_OUTPUT: return "output";
    }
    return NULL;
}

static void fill_totals(struct summary *s, const struct pipeline *p, int exit_code) {
    struct totals sum = {0};
    stats_sum(&sum, &p->stats);
    *s = (struct summary){.total = sum.rows,
                          .ok = sum.ok,
                          .failed = sum.failed + sum.bad_rows,
                          .skipped = sum.skipped,
                          .bad_rows = sum.bad_rows,
                          .attempts = sum.attempts,
                          .rate_limited = sum.rate_limited,
                          .sent_again = sum.sent_again,
                          .copies = sum.copies,
                          .copies_won = sum.copies_won,
                          .elapsed = p->elapsed,
                          .input_tokens = sum.input_tokens,
                          .output_tokens = sum.output_tokens,
                          .latency = times_of(&p->stats.latency),
                          .ttft = times_of(&p->stats.ttft),
                          .streaming = p->plan->config->stream || p->stats.ttft.total,
                          .cached_tokens = sum.cached_tokens,
                          .hedging = p->plan->config->hedge > 0,
                          .at_least = !atomic_load(&p->input_ended),
                          .output = p->plan->output,
                          .stopped = exit_code > 1,
                          .stopped_by = stopped_by(p, exit_code)};
}

// A key that only rows which name its provider could have used is of no interest if none did.
static bool is_shown(const struct key *key) {
    return !key->entry->beside || key->counts.requests;
}

// Only classes that were seen, in the order of their enum.
static size_t fill_errors(struct summary_error *list, const struct reasons *reasons) {
    size_t count = 0;
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        const struct reason *reason = &reasons->of[i];
        if (reason->rows || reason->attempts)
            list[count++] = (struct summary_error){.class = outcome_name((enum outcome)i),
                                                   .rows = reason->rows,
                                                   .attempts = reason->attempts,
                                                   .message = reason->message,
                                                   .example_id = reason->example_id,
                                                   .key = reason->key};
    }
    return count;
}

// What the loop waited for when the run was stopped.
static const char *describe_wait(struct pipeline *p, struct buf *out) {
    struct why_note note = why_get(&p->why);
    why_describe(&note, clock_now(), clock_wall(), true, out);
    return out->n ? buf_cstr(out) : NULL;
}

static bool states_limits(const struct key_limits *limits) {
    return limits->rpm || limits->tpm || limits->rpd || limits->tpd || limits->concurrency;
}

// Each key had one request in flight, was kept busy by enough rows, and nothing limited it.
#define ROWS_A_KEY_ENOUGH 4

static bool may_be_faster(const struct pipeline *p, const struct summary *s) {
    const struct plan *plan = p->plan;
    if (plan->config->slots_per_key != 1 || plan->config->slots || s->rate_limited || s->stopped ||
        s->ok < ROWS_A_KEY_ENOUGH * (int64_t)s->key_count || states_limits(&plan->pool.limits))
        return false;
    for (size_t i = 0; i < plan->keyring.count; i++)
        if (states_limits(&plan->keyring.entries[i].limits))
            return false;
    return s->key_count > 0;
}

bool report_run(struct pipeline *p, int exit_code, struct error *err) {
    const struct config *config = p->plan->config;
    size_t count = pool_key_count(p->pool);
    struct buf waited = BUF_INIT(4096);
    struct summary_key *rows = mem_zero(count, sizeof *rows);
    char(*masks)[SECRET_MASK_SIZE] = mem_zero(count, sizeof *masks);
    struct summary summary;
    fill_totals(&summary, p, exit_code);
    size_t shown = 0;
    for (size_t i = 0; i < count; i++)
        if (is_shown(pool_key(p->pool, i))) {
            fill_key(&rows[shown], pool_key(p->pool, i), masks[shown]);
            shown++;
        }
    summary.keys = rows;
    summary.key_count = shown;
    struct reasons reasons = p->reasons;
    struct summary_error errors[OUTCOME_COUNT];
    reasons_merge(&reasons, &p->bad_rows);
    summary.waited_for = describe_wait(p, &waited);
    summary.may_be_faster = may_be_faster(p, &summary);
    summary.errors = errors;
    summary.error_count = fill_errors(errors, &reasons);
    bool as_json = config->progress == PROGRESS_JSON;
    if (!config->quiet && !as_json)
        summary_print(&summary);
    bool good = !config->summary || summary_write(&summary, config->summary, err);
    if (as_json) {
        log_finish(); // the summary is the last line
        summary_print_json(&summary);
    }
    free(rows);
    free(masks);
    buf_free(&waited);
    return good;
}
