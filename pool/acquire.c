// acquire.c: finds the key that serves next, or says when there will be one. Loop thread.
// SPDX-License-Identifier: MIT
#include "pool/pool_parts.h"

#include "jobs/base/clock.h"

// A row that waits for another key than those that refused it is asked for again so soon.
#define ROW_AGAIN         (50 * USEC_PER_MS)
#define ROW_AGAIN_RESTING USEC_PER_SEC

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

// When the account's limits let this through.
static int64_t tab_ready_at(struct tab *tab, const struct spend *spend, const struct moment *m) {
    int64_t when = meter_ready_at(tab->account->meter, spend, m);
    if (tab->state == TAB_TRIAL) // the provider itself named the time
        return when;
    if (tab->learned)
        when = later(when, learned_ready_at(tab->learned, spend, m->now));
    return later(when, felt_ready_at(&tab->felt, m->now));
}

static void wait_for_limit(struct channel *channel, const struct spend *spend) {
    struct spend *most = &channel->parked_for;
    most->input_tokens = later(most->input_tokens, spend->input_tokens);
    most->output_tokens = later(most->output_tokens, spend->output_tokens);
}

// Whether an open seat can serve now. If not, it is moved to where it waits.
static bool admits(struct seat *seat, const struct spend *spend, const struct moment *m) {
    struct tab *tab = seat->tab;
    if (tab->state == TAB_COOLING || tab->state == TAB_PROBING) {
        seat_park(seat, TIME_NEVER);
        return false;
    }
    if (tab->account->most && tab->account->in_flight >= tab->account->most) {
        tab_set_crowded(tab, true);
        seat_park(seat, TIME_NEVER);
        return false;
    }
    int64_t when = meter_ready_at(seat->key->meter, spend, m);
    if (when > m->now) {
        wait_for_limit(tab->channel, spend);
        seat_rest(seat, when);
        return false;
    }
    when = tab_ready_at(tab, spend, m);
    if (when > m->now) {
        wait_for_limit(tab->channel, spend);
        seat_park(seat, when);
    }
    return when <= m->now;
}

static struct seat *favourite(struct channel *channel, uint64_t affinity) {
    size_t place =
        channel->affinity.cap ? affinity_find(&channel->affinity, affinity) : AFFINITY_NONE;
    return place != AFFINITY_NONE ? &channel->seats[place] : NULL;
}

enum pool_favourite pool_favourite(struct channel *channel, uint64_t affinity) {
    const struct seat *seat = favourite(channel, affinity);
    if (!seat || seat->place == SEAT_OUT)
        return FAVOURITE_NONE;
    return seat->place == SEAT_OPEN ? FAVOURITE_OPEN : FAVOURITE_BUSY;
}

// Every seat that is found unable leaves the order, so this ends, and what it costs is paid once per
// seat and wait.
static struct seat *choose(struct channel *channel, const struct need *need,
                           const struct spend *spend, const struct moment *m) {
    struct seat *seat = need->affinity ? favourite(channel, need->affinity) : NULL;
    if (seat && seat->place == SEAT_OPEN && admits(seat, spend, m))
        return seat;
    size_t place;
    while ((place = order_next(channel->order)) != ORDER_NONE)
        if (admits(&channel->seats[place], spend, m))
            return &channel->seats[place];
    return NULL;
}

static struct spend spend_of(const struct channel *channel, const struct need *need) {
    int64_t output = need->output_tokens >= 0 ? need->output_tokens : channel->output_estimate;
    return (struct spend){1, need->input_tokens, output};
}

static void charge(struct lease *lease, const struct moment *m) {
    struct tab *tab = lease->seat->tab;
    struct charge *charge = &lease->charge;
    meter_take(lease->key->meter, &charge->spend, m);
    meter_take(tab->account->meter, &charge->spend, m);
    pool_tell_use(lease, 1, charge->spend.input_tokens + charge->spend.output_tokens);
    lease->serial = felt_take(&tab->felt, m->now);
    if (tab->learned) {
        learned_take(tab->learned, charge);
    } else {
        charge->before = tab->taken;
        spend_add(&tab->taken, &charge->spend);
    }
}

// Rows alike stay with their key, until that is out.
static void remember(struct channel *channel, uint64_t affinity, size_t place) {
    size_t home = affinity ? affinity_find(&channel->affinity, affinity) : place;
    if (home == AFFINITY_NONE || channel->seats[home].place == SEAT_OUT)
        affinity_set(&channel->affinity, affinity, place);
}

static void take(struct seat *seat, const struct need *need, const struct moment *m,
                 struct lease *lease) {
    struct key *key = seat->key;
    struct tab *tab = seat->tab;
    struct channel *channel = tab->channel;
    *lease = (struct lease){.channel = channel,
                            .key = key,
                            .seat = seat,
                            .charge = {.at = m->now, .spend = spend_of(channel, need)},
                            .is_trial = tab->state == TAB_TRIAL};
    breaker_took(&channel->breaker, m->now);
    lease->in_flight = ++key->in_flight;
    lease->row = need->row;
    channel->home->in_flight++;
    key->counts.requests++;
    tab->account->in_flight++;
    tab->in_flight++;
    charge(lease, m);
    const struct spend *spend = &lease->charge.spend;
    order_took(channel->order, key->place, spend->input_tokens + spend->output_tokens, m->now);
    remember(channel, need->affinity, key->place);
    if (tab->state == TAB_TRIAL)
        tab_set_state(tab, TAB_PROBING);
    key_settle(key);
    key_show(key, channel);
    tab_pass(tab);
}

// What is under way may still be served.
static bool is_without_model(const struct channel *channel) {
    const struct home *home = channel->home;
    for (size_t i = 0; i < home->count; i++) {
        const struct seat *seat = &channel->seats[i];
        bool lacks = seat->tab->no_model && seat->tab->state == TAB_COOLING;
        if (seat->tab->in_flight > 0 || (seat->place != SEAT_OUT && !lacks))
            return false;
    }
    return true;
}

static enum pool_answer none_now(const struct channel *channel, int64_t *not_before) {
    const struct heap *heaps[] = {&channel->resting_tabs, &channel->resting_seats,
                                  &channel->home->suspended};
    if (home_is_spent(channel->home))
        return POOL_NONE;
    if (channel->no_model && is_without_model(channel))
        return POOL_NO_MODEL;
    *not_before = TIME_NEVER;
    for (size_t i = 0; i < 3; i++) {
        struct heap_node *first = heap_first(heaps[i]);
        if (first && first->due < *not_before)
            *not_before = first->due;
    }
    return channel->full ? POOL_BUSY : POOL_LATER;
}

// The provider itself is down, or just back.
static enum pool_answer held_back(const struct channel *channel) {
    if (home_is_spent(channel->home) || channel->breaker.given_up)
        return POOL_NONE;
    return channel->breaker.state == BREAKER_RAMP ? POOL_BUSY : POOL_LATER;
}

// Than those did on whom seats wait for a limit: there may be room for this one.
static bool asks_for_less(const struct channel *channel, const struct spend *spend) {
    return spend->input_tokens < channel->parked_for.input_tokens ||
           spend->output_tokens < channel->parked_for.output_tokens;
}

// -- a row that was refused --

// Those that refused it are passed over for a while, and for as long as they are looked at: another row tells
// more there.
static bool is_for_another(const struct seat *seat, const struct need *need, bool waits) {
    const struct account *account = seat->tab->account;
    bool is_trial = seat->tab->state == TAB_TRIAL || seat->key->standing == STANDING_TRIAL;
    if (!waits && !(is_trial && need->others_wait))
        return false;
    return suspects_refused_by(need->refused, account);
}

static struct seat *choose_elsewhere(struct channel *channel, const struct need *need,
                                     const struct spend *spend, const struct moment *m) {
    struct seat *best = NULL;
    bool waits = m->now < suspects_wait_until(need->refused);
    for (size_t i = 0; i < channel->home->count; i++) {
        struct seat *seat = &channel->seats[i];
        if (seat->place == SEAT_OPEN && !is_for_another(seat, need, waits) &&
            (!best || seat->key->in_flight < best->key->in_flight) && admits(seat, spend, m))
            best = seat;
    }
    return best;
}

// Another row may go meanwhile; this one comes again soon, since keys are freed by answers too.
static enum pool_answer refused_later(const struct channel *channel, const struct need *need,
                                      int64_t now, int64_t *not_before) {
    enum pool_answer answer = none_now(channel, not_before);
    int64_t until = suspects_wait_until(need->refused);
    int64_t soon = now + (answer == POOL_BUSY ? ROW_AGAIN : ROW_AGAIN_RESTING);
    bool any_open = order_open_count(channel->order) > 0; // for another row
    bool all_rest = answer == POOL_LATER && !any_open;
    if (answer == POOL_NONE || answer == POOL_NO_MODEL || all_rest ||
        (until <= now && !need->others_wait))
        return answer;
    if (until > now && until < *not_before)
        *not_before = until;
    if (*not_before > soon && (any_open || channel->home->in_flight || *not_before == TIME_NEVER))
        *not_before = soon;
    return POOL_ROW_LATER;
}

static enum pool_answer acquire_elsewhere(struct channel *channel, const struct need *need,
                                          const struct moment *m, struct lease *lease,
                                          int64_t *not_before) {
    struct spend spend = spend_of(channel, need);
    struct seat *seat = choose_elsewhere(channel, need, &spend, m);
    if (!seat && asks_for_less(channel, &spend)) {
        channel_ask_again(channel);
        seat = choose_elsewhere(channel, need, &spend, m);
    }
    if (!seat)
        return refused_later(channel, need, m->now, not_before);
    take(seat, need, m, lease);
    return POOL_LEASED;
}

enum pool_answer pool_acquire(struct channel *channel, const struct need *need, int64_t now,
                              struct lease *lease, int64_t *not_before) {
    struct moment m = pool_moment(channel->home, now);
    struct spend spend = spend_of(channel, need);
    home_wake(channel->home, now);
    channel_wake(channel, now);
    if (!breaker_admits(&channel->breaker, now, not_before))
        return held_back(channel);
    if (need->refused && need->refused->count)
        return acquire_elsewhere(channel, need, &m, lease, not_before);
    struct seat *seat = choose(channel, need, &spend, &m);
    if (!seat && asks_for_less(channel, &spend)) {
        channel_ask_again(channel);
        seat = choose(channel, need, &spend, &m);
    }
    if (!seat)
        return none_now(channel, not_before);
    take(seat, need, &m, lease);
    return POOL_LEASED;
}

// Whether nothing holds anybody back, keys that are out for good apart.
static bool is_calm(const struct channel *channel) {
    const struct home *home = channel->home;
    if (channel->breaker.state != BREAKER_CLOSED)
        return false;
    for (size_t i = 0; i < home->account_count; i++)
        if (channel->tabs[i].state != TAB_OPEN)
            return false;
    for (size_t i = 0; i < home->count; i++)
        if (home->keys[i]->standing != STANDING_GOOD && home->keys[i]->standing != STANDING_REMOVED)
            return false;
    return true;
}

bool pool_acquire_other(const struct lease *first, const struct need *need, int64_t now,
                        struct lease *lease) {
    struct channel *channel = first->channel;
    struct moment m = pool_moment(channel->home, now);
    struct spend spend = spend_of(channel, need);
    struct seat *best = NULL;
    home_wake(channel->home, now);
    channel_wake(channel, now);
    if (!is_calm(channel))
        return false;
    for (size_t i = 0; i < channel->home->count; i++) {
        struct seat *seat = &channel->seats[i];
        bool other = seat->tab != first->seat->tab;
        if (other && seat->place == SEAT_OPEN && admits(seat, &spend, &m) &&
            (!best || seat->key->in_flight < best->key->in_flight))
            best = seat;
    }
    if (best)
        take(best, need, &m, lease);
    return best != NULL;
}
