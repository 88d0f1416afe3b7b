// Tests that room is never overlooked: whatever settles lower than it was estimated, whoever then asks gets a
// key if any key's limits allow it. On a virtual clock, against a model that asks every key.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/world.h"

#include "jobs/base/log.h"
#include "pool/pool_parts.h"

#define CHANNELS 3
#define OUT_MOST 64

struct out {
    struct lease lease;
    struct need need;
};

struct scene {
    struct world w;
    struct random random;
    struct channel *channels[CHANNELS];
    struct out out[OUT_MOST];
    size_t count;
    int64_t leased, refused;
};

static int64_t below(struct scene *s, int64_t n) {
    return random_below(&s->random, n);
}

static struct need any_need(struct scene *s) {
    struct need need = {.input_tokens = below(s, 400)};
    need.output_tokens = below(s, 2) ? -1 : below(s, 400);
    return need;
}

// -- the model: every key is asked --

static struct spend model_spend(const struct channel *channel, const struct need *need) {
    return (struct spend){1, need->input_tokens,
                          need->output_tokens >= 0 ? need->output_tokens
                                                   : channel->output_estimate};
}

static bool model_admits(struct scene *s, struct seat *seat, const struct need *need) {
    struct tab *tab = seat->tab;
    struct key *key = seat->key;
    struct account *account = tab->account;
    struct spend spend = model_spend(tab->channel, need);
    struct moment m = pool_moment(tab->channel->home, s->w.now);
    return key->in_flight < key_width(key) && tab->state == TAB_OPEN &&
           !(account->most && account->in_flight >= account->most) &&
           meter_ready_at(key->meter, &spend, &m) <= s->w.now &&
           meter_ready_at(account->meter, &spend, &m) <= s->w.now &&
           (!tab->learned || learned_ready_at(tab->learned, &spend, s->w.now) <= s->w.now);
}

static bool model_serves(struct scene *s, struct channel *channel, const struct need *need) {
    for (size_t i = 0; i < channel->home->count; i++)
        if (model_admits(s, &channel->seats[i], need))
            return true;
    return false;
}

static void ask(struct scene *s) {
    struct channel *channel = s->channels[below(s, CHANNELS)];
    struct need need = any_need(s);
    struct lease lease;
    int64_t not_before;
    bool serves = model_serves(s, channel, &need);
    if (s->count == OUT_MOST)
        return;
    enum pool_answer answer = pool_acquire(channel, &need, s->w.now, &lease, &not_before);
    assert_int_equal(answer == POOL_LEASED, serves);
    s->leased += serves;
    s->refused += !serves;
    if (serves)
        s->out[s->count++] = (struct out){lease, need};
}

static void settle(struct scene *s) {
    static const struct verdict ok = {.outcome = OUTCOME_OK, .hint = -1};
    static const struct verdict lost = {
        .outcome = OUTCOME_INVALID_REQUEST, .cause = BECAUSE_REQUEST, .hint = -1};
    static const struct announced_limit none = {-1, -1, -1};
    struct announced announced = {none, none, none, none, none, none};
    if (!s->count)
        return;
    size_t i = (size_t)below(s, (int64_t)s->count);
    struct out out = s->out[i];
    s->out[i] = s->out[--s->count];
    if (below(s, 10) == 0) {
        pool_return(&out.lease, s->w.now);
        return;
    }
    struct pool_report report = {.verdict = below(s, 10) ? &ok : &lost,
                                 .usage = {below(s, 20), below(s, 20), -1, -1, -1, -1},
                                 .end = (enum request_end)below(s, 4),
                                 .latency = SEC};
    announced.tokens_minute = (struct announced_limit){3000, below(s, 3001), -1};
    if (out.lease.key->place % 3 == 2)
        report.announced = &announced;
    pool_release(&out.lease, &report, s->w.now);
}

static void open_scene(struct scene *s, uint64_t seed) {
    *s = (struct scene){.random = {seed}};
    static char name[] = "group 0";
    struct key_group group = {.name = name, .limits = {.tpm = 1500, .concurrency = 5}};
    struct world_options o = {.keys = 1 + (size_t)below(s, 6),
                              .slots = 1 + (int)below(s, 4),
                              .groups = (size_t)below(s, 4),
                              .strategy = (enum strategy)below(s, STRATEGY_COUNT),
                              .limits = {.tpm = below(s, 2) ? 1000 : 0},
                              .seed = seed,
                              .deaf = true};
    o.keys += o.groups;
    group.provider = &world_provider;
    o.group = o.groups && below(s, 2) ? &group : NULL;
    world_open(&s->w, &o);
    for (int i = 0; i < CHANNELS; i++) {
        char model[8];
        snprintf(model, sizeof model, "\"m%d\"", i);
        s->channels[i] = pool_channel(s->w.pool, s->w.provider, slice_str(model));
    }
}

static void close_scene(struct scene *s) {
    s->w.ring.groups = NULL;
    world_close(&s->w);
}

static void room_is_never_overlooked(void **state) {
    (void)state;
    int64_t leased = 0, refused = 0;
    log_set_level(LOG_ERROR);
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct scene s;
        open_scene(&s, seed);
        for (int step = 0; step < 1500; step++) {
            pool_tell_time(s.w.pool, s.w.now, s.w.now + s.w.wall_offset);
            if (below(&s, 3))
                ask(&s);
            else
                settle(&s);
            if (below(&s, 20) == 0)
                s.w.now += below(&s, 3 * SEC);
        }
        leased += s.leased;
        refused += s.refused;
        while (s.count)
            settle(&s);
        close_scene(&s);
    }
    print_message("| %lld leased, %lld rightly refused\n", (long long)leased, (long long)refused);
    assert_true(leased > 10000 && refused > 10000);
}

// --tpm 1000, four at once, 5 tokens taken where 250 were estimated: close to 200 a minute.
static void answers_five_tokens(struct world *w, size_t key, struct said *said) {
    (void)w, (void)key;
    said_ok(said, SEC / 5);
    said->usage = (struct usage){2, 3, 5, -1, -1, -1};
}

static int64_t served_in_a_minute(int64_t bound) {
    struct world w;
    world_open(
        &w, &(struct world_options){.keys = 1, .slots = 4, .limits = {.tpm = 1000}, .deaf = true});
    w.answers = answers_five_tokens;
    w.need = (struct need){.input_tokens = 2, .output_tokens = bound};
    w.jobs = 1000;
    world_run_until(&w, w.now + 59 * SEC);
    int64_t served = 1000 - w.jobs;
    print_message("| bound %lld: %lld of 200 in the first minute\n", (long long)bound,
                  (long long)served);
    world_close(&w);
    return served;
}

// With a bound that a row states itself, room for it is kept until the end.
static void estimates_in_flight_rest_nobody(void **state) {
    (void)state;
    assert_in_range(served_in_a_minute(-1), 185, 200);
    assert_in_range(served_in_a_minute(248), 145, 152);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_is_never_overlooked),
        cmocka_unit_test(estimates_in_flight_rest_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
