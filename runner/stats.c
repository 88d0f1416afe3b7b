// stats.c: adds up the threads' counters and checks that they fit together. Any thread.
// SPDX-License-Identifier: MIT
#include "runner/stats.h"

static void add_known(stats_counter *counter, int64_t n) {
    if (n > 0)
        stats_add(counter, n);
}

void stats_add_usage(struct stats *stats, const struct usage *usage) {
    add_known(&stats->input_tokens, usage->input_tokens);
    add_known(&stats->output_tokens, usage->output_tokens);
    add_known(&stats->cached_tokens, usage->cached_tokens);
}

void stats_free(struct stats *stats) {
    histogram_free(&stats->latency);
    histogram_free(&stats->ttft);
}

void stats_sum(struct totals *totals, const struct stats *stats) {
    totals->rows += stats_get(&stats->rows);
    totals->skipped += stats_get(&stats->skipped);
    totals->bad_rows += stats_get(&stats->bad_rows);
    totals->accepted += stats_get(&stats->accepted);
    totals->ok += stats_get(&stats->ok);
    totals->failed += stats_get(&stats->failed);
    totals->attempts += stats_get(&stats->attempts);
    totals->rate_limited += stats_get(&stats->rate_limited);
    totals->retried += stats_get(&stats->retried);
    totals->sent_again += stats_get(&stats->sent_again);
    totals->copies += stats_get(&stats->copies);
    totals->copies_won += stats_get(&stats->copies_won);
    totals->in_flight += stats_get(&stats->in_flight);
    totals->input_tokens += stats_get(&stats->input_tokens);
    totals->output_tokens += stats_get(&stats->output_tokens);
    totals->cached_tokens += stats_get(&stats->cached_tokens);
}

const char *stats_fault(const struct totals *t) {
    if (t->skipped + t->bad_rows + t->accepted > t->rows)
        return "rows contain skipped, bad and accepted ones";
    if (t->ok + t->failed > t->accepted)
        return "accepted jobs contain finished ones";
    if (t->in_flight != 0)
        return "nothing is in flight at the end";
    if (t->rate_limited + t->retried > t->attempts)
        return "attempts contain refused and retried ones";
    if (t->copies_won > t->copies || t->copies > t->attempts)
        return "attempts contain copies, and those that won";
    return t->ok > t->attempts ? "an ok job had an attempt" : NULL;
}
