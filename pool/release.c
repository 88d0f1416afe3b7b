// release.c: takes a lease back with what came of it: counts, settles what was estimated, reopens.
// Loop thread.
// SPDX-License-Identifier: MIT
#include "pool/pool_parts.h"

#include "jobs/base/die.h"

#define AVERAGE_OVER 16 // answers

// The estimate follows the average when it is off by this part of it: whenever it falls, all who wait for
// a limit are asked again.
#define ESTIMATE_STEP 64

static void count_report(struct key *key, const struct pool_report *report) {
    struct key_counts *counts = &key->counts;
    const struct usage *usage = &report->usage;
    if (report->is_unprocessed) {
        counts->requests--;
        counts->sent_again++;
        return;
    }
    if (report->verdict->outcome == OUTCOME_OK) {
        counts->ok++;
        if (!key->latency)
            key->latency = mem_zero(1, sizeof *key->latency);
        histogram_add(key->latency, report->latency);
    } else if (report->verdict->outcome == OUTCOME_RATE_LIMITED) {
        counts->rate_limited++;
    } else {
        counts->failed++;
    }
    counts->input_tokens += usage->input_tokens > 0 ? usage->input_tokens : 0;
    counts->output_tokens += usage->output_tokens > 0 ? usage->output_tokens : 0;
    counts->cached_tokens += usage->cached_tokens > 0 ? usage->cached_tokens : 0;
}

static void learn_output(struct channel *channel, int64_t tokens) {
    channel->output_tokens += ((double)tokens - channel->output_tokens) / AVERAGE_OVER;
    double off = channel->output_tokens - (double)channel->output_estimate;
    if (off * ESTIMATE_STEP > channel->output_tokens ||
        -off * ESTIMATE_STEP > channel->output_tokens)
        channel->output_estimate = (int64_t)channel->output_tokens;
}

// What the provider cannot have counted.
static void return_limits(struct lease *lease, int64_t now) {
    struct tab *tab = lease->seat->tab;
    felt_return(&tab->felt, lease->serial);
    if (tab->learned)
        learned_return(tab->learned, &lease->charge, now);
}

static void settle_spend(struct lease *lease, const struct pool_report *report, int64_t now) {
    struct tab *tab = lease->seat->tab;
    struct channel *channel = lease->channel;
    struct moment m = pool_moment(channel->home, now);
    const struct spend *expected = &lease->charge.spend;
    struct spend real = cost_of(expected, &report->usage, report->end);
    meter_settle(lease->key->meter, &lease->charge, &real, &m);
    meter_settle(tab->account->meter, &lease->charge, &real, &m);
    if (report->end == REQUEST_UNSENT)
        return_limits(lease, now);
    else if (tab->learned)
        learned_settle(tab->learned, &lease->charge, &real, now);
    int64_t difference =
        real.input_tokens + real.output_tokens - expected->input_tokens - expected->output_tokens;
    pool_tell_use(lease, real.requests - expected->requests, difference);
    order_settle(channel->order, lease->key->place, difference, lease->charge.at);
    if (report->verdict->outcome == OUTCOME_OK && report->usage.output_tokens >= 0)
        learn_output(channel, real.output_tokens);
}

static void observe(struct lease *lease, const struct announced *announced, int64_t now) {
    struct tab *tab = lease->seat->tab;
    if (!tab->learned) {
        tab->learned = mem_zero(1, sizeof *tab->learned);
        tab->learned->taken = tab->taken;
    }
    learned_observe(tab->learned, announced, &lease->charge, now);
}

static void leave(struct lease *lease) {
    BUG_IF(!lease->key || lease->key->in_flight <= 0);
    lease->key->in_flight--;
    lease->key->account->in_flight--;
    lease->seat->tab->in_flight--;
    lease->channel->home->in_flight--;
}

static void reopen(struct lease *lease) {
    key_reopen(lease->key);
    key_show(lease->key, lease->channel);
    account_ask_again(lease->key->account);
    lease->key = NULL;
}

static enum pool_blame blame(const struct pool_report *report, int refusals) {
    const struct row_refusals *refused = report->refused;
    if (!refused || refused->count == refusals)
        return BLAME_VERDICT;
    return pool_blames_row(refused, report->others_wait) ? BLAME_ROW : BLAME_OPEN;
}

enum pool_blame pool_release(struct lease *lease, const struct pool_report *report, int64_t now) {
    int refusals = report->refused ? report->refused->count : 0;
    leave(lease);
    count_report(lease->key, report);
    settle_spend(lease, report, now);
    if (report->announced)
        observe(lease, report->announced, now);
    follow(lease, report, now);
    reopen(lease);
    return blame(report, refusals);
}

void pool_return(struct lease *lease, int64_t now) {
    struct tab *tab = lease->seat->tab;
    struct moment m = pool_moment(lease->channel->home, now);
    leave(lease);
    lease->key->counts.requests--;
    meter_return(lease->key->meter, &lease->charge, &m);
    meter_return(tab->account->meter, &lease->charge, &m);
    pool_tell_use(lease, -1, -lease->charge.spend.input_tokens - lease->charge.spend.output_tokens);
    return_limits(lease, now);
    breaker_left(&lease->channel->breaker, lease->charge.at);
    order_settle(lease->channel->order, lease->key->place,
                 -lease->charge.spend.input_tokens - lease->charge.spend.output_tokens,
                 lease->charge.at);
    if (lease->is_trial && tab->state == TAB_PROBING)
        tab_set_state(tab, TAB_TRIAL);
    reopen(lease);
}
