// Tests the whole pool with everything at once: several models, accounts with limits of their own,
// every refusal, leases given back, stragglers, a wall clock that jumps. After every step its books
// are checked: each number against what it counts, each seat that waits against what it waits for.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/world.h"

#include "jobs/base/log.h"
#include "pool/pool_parts.h"

#define CHANNELS 4
#define FLIGHTS  256

struct sent {
    struct lease lease;
    int64_t done_at;
};

struct storm {
    struct world w; // its keyring and pool
    struct random random;
    uint64_t seed;
    struct channel *channels[CHANNELS];
    size_t channel_count;
    struct sent sent[FLIGHTS];
    size_t sent_count;
    int64_t wait_until[CHANNELS]; // as acquire said
    int64_t jobs;
    int64_t returned, calls;
    bool harsh; // keys get lost
};

static bool one_in(struct storm *s, int64_t n) {
    return random_below(&s->random, n) == 0;
}

// -- the books --

static void check_seat(const struct storm *s, const struct seat *seat) {
    const struct tab *tab = seat->tab;
    const struct key *key = seat->key;
    bool is_out = key->standing == STANDING_SUSPENDED || key->standing == STANDING_REMOVED;
    switch (seat->place) {
    case SEAT_OPEN:
        assert_true(order_is_open(tab->channel->order, key->place) && !is_out);
        assert_true(key->in_flight < key_width(key));
        break;
    case SEAT_FULL: assert_true(key->in_flight >= key_width(key) && !is_out); break;
    case SEAT_PARKED: assert_true(!list_is_empty(&tab->line)); break;
    case SEAT_RESTING: assert_true(heap_holds(&seat->timer)); break;
    case SEAT_OUT: assert_true(is_out); break;
    }
    if (seat->place != SEAT_OPEN)
        assert_false(order_is_open(tab->channel->order, key->place));
    (void)s;
}

static bool has_open_seat(const struct tab *tab) {
    for (size_t i = 0; i < tab->account->key_count; i++)
        if (tab->channel->seats[tab->account->keys[i]->place].place == SEAT_OPEN)
            return true;
    return false;
}

static bool has_in_flight(const struct storm *s, const struct tab *tab, bool trial) {
    for (size_t i = 0; i < s->sent_count; i++)
        if (s->sent[i].lease.seat->tab == tab && (!trial || s->sent[i].lease.is_trial))
            return true;
    return false;
}

// Whoever stands in a line is called some day: at a time, by an answer, or after the one who is
// open.
static void check_tab(const struct storm *s, const struct tab *tab) {
    if (tab->state == TAB_COOLING)
        assert_true(heap_holds(&tab->timer));
    if (tab->state == TAB_PROBING)
        assert_true(has_in_flight(s, tab, true));
    if (list_is_empty(&tab->line) || heap_holds(&tab->timer) || tab->state == TAB_PROBING ||
        has_open_seat(tab))
        return;
    assert_true(tab->account->most && tab->account->in_flight >= tab->account->most);
}

static void check_channel(const struct storm *s, const struct channel *channel) {
    const struct home *home = channel->home;
    size_t no_model = 0;
    for (size_t i = 0; i < home->count; i++)
        check_seat(s, &channel->seats[i]);
    for (size_t i = 0; i < home->account_count; i++) {
        no_model += channel->tabs[i].no_model;
        check_tab(s, &channel->tabs[i]);
    }
    assert_int_equal(channel->no_model, no_model);
}

static void check_keys(const struct storm *s, const struct home *home) {
    size_t out = 0;
    for (size_t i = 0; i < home->count; i++) {
        const struct key *key = home->keys[i];
        const struct key_counts *c = &key->counts;
        int64_t in_flight = 0;
        for (size_t j = 0; j < s->sent_count; j++)
            in_flight += s->sent[j].lease.key == key;
        assert_int_equal(key->in_flight, in_flight);
        assert_true(c->requests == c->ok + c->failed + c->rate_limited + in_flight);
        out += key->standing == STANDING_REMOVED ||
               (key->standing == STANDING_SUSPENDED && key->timer.due > s->w.now + 3600 * SEC);
    }
    assert_in_range(home->out, out, home->count);
}

static void check_accounts(const struct home *home) {
    for (size_t i = 0; i < home->account_count; i++) {
        const struct account *account = &home->accounts[i];
        int64_t in_flight = 0;
        for (size_t k = 0; k < account->key_count; k++)
            in_flight += account->keys[k]->in_flight;
        assert_true(account->in_flight == in_flight);
        assert_true(!account->most || in_flight <= account->most);
    }
}

static void check(const struct storm *s) {
    const struct home *home = s->channels[0]->home;
    check_keys(s, home);
    check_accounts(home);
    for (size_t i = 0; i < home->channel_count; i++)
        check_channel(s, home->channels[i]);
}

// -- a refusal to lease: it must be true --

// When this seat may go, as far as anybody knows, or with an answer (TIME_NEVER).
static int64_t seat_waits_until(const struct storm *s, const struct seat *seat) {
    const struct tab *tab = seat->tab;
    switch (seat->place) {
    case SEAT_OPEN: return 0;
    case SEAT_FULL: return TIME_NEVER;
    case SEAT_RESTING: return seat->timer.due;
    case SEAT_OUT:
        return seat->key->standing == STANDING_SUSPENDED ? seat->key->timer.due : TIME_NEVER;
    case SEAT_PARKED: break;
    }
    (void)s;
    return heap_holds(&tab->timer) ? tab->timer.due : TIME_NEVER;
}

static void check_refusal(const struct storm *s, const struct channel *channel,
                          enum pool_answer answer, int64_t not_before) {
    int64_t now = s->w.now;
    if (answer == POOL_NONE || answer == POOL_NO_MODEL)
        return;
    assert_true(not_before > now);
    assert_true(not_before == TIME_NEVER || not_before <= now + 26 * 3600 * SEC + 2 * SEC);
    if (not_before == TIME_NEVER || answer == POOL_BUSY) // with the next release: there must be one
        assert_true(s->sent_count > 0);
    if (channel->breaker.state != BREAKER_CLOSED)
        return;
    for (size_t i = 0; i < channel->home->count; i++) {
        int64_t until = seat_waits_until(s, &channel->seats[i]);
        assert_true(until > now && until >= not_before);
    }
}

// -- traffic --

static struct need any_need(struct storm *s) {
    static const int64_t outputs[] = {-1, 0, 100, 4000, INT32_MAX};
    struct need need = {.input_tokens = random_below(&s->random, 3000),
                        .output_tokens = outputs[random_below(&s->random, COUNT_OF(outputs))],
                        .affinity = (uint64_t)random_below(&s->random, 5)};
    return need;
}

static int64_t any_latency(struct storm *s) {
    if (one_in(s, 40))
        return random_below(&s->random, 600 * SEC);
    return random_below(&s->random, one_in(s, 3) ? 10 * SEC : SEC);
}

static void ask(struct storm *s, size_t i) {
    struct need need = any_need(s);
    struct lease lease;
    struct channel *channel = s->channels[i];
    int64_t not_before = TIME_NEVER;
    enum pool_answer answer = pool_acquire(channel, &need, s->w.now, &lease, &not_before);
    s->wait_until[i] = not_before;
    if (answer == POOL_LEASED) {
        s->wait_until[i] = 0;
        if (one_in(s, 20)) {
            s->returned++;
            pool_return(&lease, s->w.now);
        } else {
            s->calls++;
            s->sent[s->sent_count++] = (struct sent){lease, s->w.now + any_latency(s)};
        }
    } else {
        check_refusal(s, channel, answer, not_before);
    }
    if (answer == POOL_NO_MODEL) { // that job fails, the next is asked for
        s->wait_until[i] = 0;
        s->jobs--;
    }
    if (answer == POOL_NONE)
        s->w.stopped = POOL_NONE;
}

struct odds {
    enum outcome outcome;
    enum cause cause;
    int64_t share;
};

static const struct odds chances[] = {
    {OUTCOME_OK, BECAUSE_NOTHING, 600},           {OUTCOME_INVALID_REQUEST, BECAUSE_REQUEST, 50},
    {OUTCOME_RATE_LIMITED, BECAUSE_RATE, 120},    {OUTCOME_RATE_LIMITED, BECAUSE_CONCURRENCY, 50},
    {OUTCOME_RATE_LIMITED, BECAUSE_UPSTREAM, 30}, {OUTCOME_SERVER, BECAUSE_UPSTREAM, 80},
    {OUTCOME_MODEL, BECAUSE_MODEL, 20},           {OUTCOME_QUOTA, BECAUSE_DAY, 10},
    {OUTCOME_QUOTA, BECAUSE_MONEY, 10},           {OUTCOME_AUTH, BECAUSE_KEY, 20},
    {OUTCOME_AUTH, BECAUSE_FORBIDDEN, 10},
};
#define HARMLESS 950

static void say_anything(struct storm *s, struct verdict *v) {
    int64_t draw = random_below(&s->random, s->harsh ? 1000 : HARMLESS);
    const struct odds *c = chances;
    while (draw >= c->share)
        draw -= c++->share;
    *v = (struct verdict){.outcome = c->outcome, .cause = c->cause, .hint = -1};
    v->scope = one_in(s, 2) ? SCOPE_GROUP : SCOPE_KEY;
    if (c->outcome != OUTCOME_OK && one_in(s, 2))
        v->hint = random_below(&s->random, one_in(s, 10) ? 40 * 3600 * SEC : 20 * SEC);
    if (c->cause == BECAUSE_MODEL)
        v->final = one_in(s, 3);
    snprintf(v->code, sizeof v->code, "no");
}

static bool announce_anything(struct storm *s, struct announced *a) {
    static const struct announced_limit none = {-1, -1, -1};
    if (!one_in(s, 4))
        return false;
    *a = (struct announced){none, none, none, none, none, none};
    a->requests_minute =
        (struct announced_limit){10 + random_below(&s->random, 2), random_below(&s->random, 11),
                                 random_below(&s->random, 60 * SEC)};
    if (one_in(s, 2))
        a->tokens_minute = (struct announced_limit){10000, random_below(&s->random, 10001), -1};
    return true;
}

static void answer(struct storm *s, size_t i) {
    struct sent sent = s->sent[i];
    struct verdict verdict;
    struct announced announced;
    struct pool_report report = {
        .verdict = &verdict, .usage = USAGE_NONE, .latency = any_latency(s)};
    s->sent[i] = s->sent[--s->sent_count];
    say_anything(s, &verdict);
    report.announced = announce_anything(s, &announced) ? &announced : NULL;
    if (verdict.outcome == OUTCOME_OK && one_in(s, 2))
        report.usage = (struct usage){
            random_below(&s->random, 5000), random_below(&s->random, 5000), 0, -1, -1, -1};
    s->jobs -= verdict.outcome == OUTCOME_OK || verdict.cause == BECAUSE_REQUEST;
    pool_release(&sent.lease, &report, s->w.now);
}

static void answer_due(struct storm *s) {
    for (size_t i = 0; i < s->sent_count;)
        if (s->sent[i].done_at <= s->w.now) {
            answer(s, i);
            check(s);
        } else {
            i++;
        }
}

static void start_all(struct storm *s) {
    for (size_t i = 0; i < s->channel_count; i++)
        s->wait_until[i] = 0;
    for (size_t i = 0; i < s->channel_count && s->w.stopped == POOL_LEASED; i++)
        while (s->wait_until[i] == 0 && s->sent_count < FLIGHTS && s->jobs > 0 &&
               s->w.stopped == POOL_LEASED) {
            ask(s, i);
            check(s);
        }
}

// To the next event; false when there is none.
static bool move_on(struct storm *s) {
    int64_t next = TIME_NEVER;
    for (size_t i = 0; i < s->channel_count; i++)
        if (s->wait_until[i] && s->wait_until[i] < next)
            next = s->wait_until[i];
    for (size_t i = 0; i < s->sent_count; i++)
        if (s->sent[i].done_at < next)
            next = s->sent[i].done_at;
    if (next == TIME_NEVER)
        return false;
    s->w.now = next > s->w.now ? next : s->w.now + 1;
    if (one_in(s, 200))
        s->w.wall_offset += random_below(&s->random, 96 * 3600 * SEC) - 48 * 3600 * SEC;
    return true;
}

static void give_limits_to_groups(struct storm *s, size_t groups) {
    struct keyring *ring = &s->w.ring;
    ring->groups = mem_zero(groups, sizeof *ring->groups);
    for (size_t i = 0; i < groups; i++) {
        struct key_group *group = &ring->groups[ring->group_count++];
        group->provider = s->w.provider;
        group->name = ring->entries[i].group;
        group->limits.concurrency = random_below(&s->random, 4);
        if (one_in(s, 3))
            group->limits.rpm = random_below(&s->random, 60) + 1;
        if (one_in(s, 5))
            group->limits.rpd = random_below(&s->random, 500) + 1;
    }
}

static void open_storm(struct storm *s, uint64_t seed) {
    *s = (struct storm){.random = {seed}, .seed = seed, .jobs = 300};
    struct world_options o = {.slots = (int)random_below(&s->random, 5),
                              .groups = (size_t)random_below(&s->random, 4),
                              .strategy = (enum strategy)random_below(&s->random, STRATEGY_COUNT),
                              .seed = seed};
    o.keys = o.groups + (size_t)random_below(&s->random, 9) + 1;
    if (one_in(s, 3))
        o.limits = (struct key_limits){.rpm = random_below(&s->random, 100) + 1,
                                       .tpm = random_below(&s->random, 10000) + 1};
    if (one_in(s, 8))
        o.limits.rpd = random_below(&s->random, 200) + 1;
    if (one_in(s, 8))
        o.cooldown = SEC;
    world_open(&s->w, &o);
    if (o.groups && one_in(s, 2)) {
        pool_free(s->w.pool);
        give_limits_to_groups(s, o.groups);
        s->w.pool = pool_new(&(struct pool_options){.keyring = &s->w.ring,
                                                    .strategy = o.strategy,
                                                    .slots_per_key = o.slots,
                                                    .limits = o.limits,
                                                    .cooldown = o.cooldown,
                                                    .seed = seed});
    }
    s->harsh = one_in(s, 2);
    s->channel_count = (size_t)random_below(&s->random, CHANNELS) + 1;
    for (size_t i = 0; i < s->channel_count; i++) {
        char model[32];
        snprintf(model, sizeof model, "\"m%zu\"", i);
        s->channels[i] = pool_channel(s->w.pool, s->w.provider, slice_str(model));
    }
}

static void close_storm(struct storm *s) {
    free(s->w.ring.groups);
    world_close(&s->w);
}

static void run_storm(uint64_t seed) {
    struct storm s;
    int64_t steps = 0;
    open_storm(&s, seed);
    while (s.jobs > 0 && s.w.stopped == POOL_LEASED) {
        pool_tell_time(s.w.pool, s.w.now, s.w.now + s.w.wall_offset);
        start_all(&s);
        if (!move_on(&s) && s.w.stopped == POOL_LEASED && s.jobs > 0)
            fail_msg("seed %d: nobody goes on", (int)seed);
        if (++steps > 200000)
            fail_msg("seed %d: does not come to an end", (int)seed);
        answer_due(&s);
    }
    while (s.sent_count)
        answer(&s, 0);
    check(&s);
    close_storm(&s);
}

// STORM_FROM and STORM_COUNT: other seeds and more of them.
static uint64_t number_of(const char *variable, uint64_t otherwise) {
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void the_books_are_right_in_any_storm(void **state) {
    (void)state;
    uint64_t first = number_of("STORM_FROM", 1), count = number_of("STORM_COUNT", 400);
    log_set_level(LOG_ERROR);
    for (uint64_t seed = first; seed < first + count; seed++)
        run_storm(seed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_books_are_right_in_any_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
