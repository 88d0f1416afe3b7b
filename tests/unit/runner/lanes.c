// lanes.c (test): who waits behind whom and which provider serves, over a pool that does as told.
// SPDX-License-Identifier: MIT
#include "runner/lanes.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "tests/unit/quiet.h"

#include <stdio.h>
#include <stdlib.h>

#define SEC INT64_C(1000000)

// The pool: a channel for each provider and model, answering as its provider was told to.
struct channel {
    const struct provider *provider;
    char model[40];
    int asked;
    struct need need;
};

static struct channel channels[400];
static size_t channel_count;
static struct {
    enum pool_answer answer;
    int64_t not_before;
} told[ROUTES_MAX];

struct channel *pool_channel(struct pool *pool, const struct provider *provider,
                             struct slice model) {
    (void)pool;
    for (size_t i = 0; i < channel_count; i++)
        if (channels[i].provider == provider && slice_is(model, channels[i].model))
            return &channels[i];
    struct channel *c = &channels[channel_count++];
    *c = (struct channel){.provider = provider};
    snprintf(c->model, sizeof c->model, "%.*s", SLICE_ARG(model));
    return c;
}

enum pool_answer pool_acquire(struct channel *c, const struct need *need, int64_t now,
                              struct lease *lease, int64_t *not_before) {
    (void)now;
    c->asked++;
    c->need = *need;
    *not_before = told[c->provider - catalogue].not_before;
    *lease = (struct lease){.channel = c};
    return told[c->provider - catalogue].answer;
}

// What the pool says of the rows with a system prompt of this length.
static enum pool_favourite favourites[10];
static uint64_t of_length[10];

enum pool_favourite pool_favourite(struct channel *channel, uint64_t affinity) {
    (void)channel;
    for (size_t n = 1; n < 10; n++)
        if (affinity && of_length[n] == affinity)
            return favourites[n];
    return FAVOURITE_NONE;
}

// zai and anthropic are the order of preference, groq is for rows that name it.
enum { ZAI, ANTHROPIC, GROQ, ROUTES };

struct fixture {
    struct config config;
    struct route routes[ROUTES];
    struct plan plan;
    struct lanes lanes;
    struct job *jobs[200];
    int count;
};

static void tell(const char *name, enum pool_answer answer, int64_t not_before) {
    const struct provider *provider = catalogue_find(slice_str(name));
    told[provider - catalogue].answer = answer;
    told[provider - catalogue].not_before = not_before;
}

static int open_lanes(void **state) {
    static const char *const names[] = {"zai", "anthropic", "groq"};
    struct fixture *f = mem_zero(1, sizeof *f);
    memset(told, 0, sizeof told); // POOL_LEASED
    memset(channels, 0, sizeof channels);
    channel_count = 0;
    f->config.fallback_after = 5 * SEC;
    for (int i = 0; i < ROUTES; i++)
        f->routes[i] = (struct route){.provider = catalogue_find(slice_str(names[i])),
                                      .defaults = {.model = SLICE("\"default\"")}};
    f->plan = (struct plan){
        .config = &f->config, .routes = f->routes, .route_count = ROUTES, .order_count = 2};
    lanes_init(&f->lanes, &f->plan, NULL);
    *state = f;
    return 0;
}

static int close_lanes(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < f->lanes.count; i++)
        while (list_pop(&f->lanes.list[i]->waiting))
            ;
    lanes_free(&f->lanes);
    for (int i = 0; i < f->count; i++)
        job_free(f->jobs[i]);
    free(f);
    return 0;
}

static struct job *row(struct fixture *f, struct request request) {
    struct job *job = job_new(1000, 1000);
    job->index = f->count;
    job->request = request;
    f->jobs[f->count++] = job;
    return job;
}

static struct job_lane *line_up(struct fixture *f, struct request request) {
    struct job *job = row(f, request);
    assert_true(lanes_add(&f->lanes, job));
    return lanes_for(&f->lanes, job);
}

static const struct request plain = {.prompt = {"\"x\"", 3}};

static const char *served(struct fixture *f, struct job_lane *lane, int64_t now) {
    struct grant grant;
    enum pool_answer answer = lane_acquire(&f->lanes, lane, lane_choose(lane), now, &grant);
    return answer == POOL_LEASED ? grant.route->provider->name : "nobody";
}

static void a_lane_for_each_model_and_provider(void **state) {
    struct fixture *f = *state;
    struct request model = plain, named = plain, batch = {.shape = ROW_BATCH_ANTHROPIC};
    model.model = SLICE("\"own\"");
    named.provider = SLICE("groq");
    batch.body = SLICE("{}");
    struct job_lane *lane = line_up(f, plain);
    assert_ptr_equal(line_up(f, plain), lane);
    assert_int_equal(lane->routes, 1u << ZAI | 1u << ANTHROPIC);
    assert_ptr_not_equal(line_up(f, model), lane);
    assert_int_equal(line_up(f, named)->routes, 1u << GROQ);
    // what only one format can say waits for its provider alone
    assert_int_equal(line_up(f, batch)->routes, 1u << ANTHROPIC);
    assert_int_equal(f->lanes.count, 4);
    named.provider = SLICE("openai");
    assert_null(lanes_for(&f->lanes, row(f, named)));
}

static void the_first_come_goes_first(void **state) {
    struct fixture *f = *state;
    struct request other = plain;
    other.model = SLICE("\"own\"");
    struct job_lane *a = line_up(f, plain), *b = line_up(f, other);
    line_up(f, other);
    line_up(f, plain);
    lanes_begin(&f->lanes);
    struct job_lane *order[4];
    for (int i = 0; i < 4; i++) {
        order[i] = lanes_next(&f->lanes);
        assert_int_equal(lane_first(order[i])->index, i);
        list_remove(&lane_first(order[i])->node);
    }
    assert_true(order[0] == a && order[1] == b && order[2] == b && order[3] == a);
    assert_null(lanes_next(&f->lanes));
    // a lane that cannot go on lets the others by, and what comes back stands where it stood
    lane_return(a, f->jobs[3]);
    lane_return(a, f->jobs[0]);
    lane_return(b, f->jobs[1]);
    a->answer = POOL_BUSY;
    assert_ptr_equal(lanes_next(&f->lanes), b);
    lanes_begin(&f->lanes);
    assert_ptr_equal(lane_first(lanes_next(&f->lanes)), f->jobs[0]);
}

static void thousands_of_models_share_a_lane(void **state) {
    struct fixture *f = *state;
    static char tokens[150][20];
    struct request request = plain;
    for (int i = 0; i < 150; i++) {
        snprintf(tokens[i], sizeof tokens[i], "\"m%d\"", i);
        request.model = slice_str(tokens[i]);
        line_up(f, request);
    }
    assert_int_equal(f->lanes.count, LANES_MAX + 1);
    line_up(f, plain); // those without a model of their own are not among them
    assert_int_equal(f->lanes.count, LANES_MAX + 2);
    // each is asked for under its own model all the same
    struct job_lane *mixed = f->lanes.list[LANES_MAX];
    assert_true(mixed->mixed);
    served(f, mixed, 0);
    assert_string_equal(channels[channel_count - 1].model, "\"m64\"");
    list_remove(&lane_first(mixed)->node);
    served(f, mixed, 0);
    assert_string_equal(channels[channel_count - 1].model, "\"m65\"");
}

static void falls_back_when_the_first_cannot_serve(void **state) {
    struct fixture *f = *state;
    struct job_lane *lane = line_up(f, plain);
    assert_string_equal(served(f, lane, 0), "zai");
    tell("zai", POOL_BUSY, TIME_NEVER);
    assert_string_equal(served(f, lane, 0), "nobody"); // busy is waited for
    tell("zai", POOL_LATER, 5 * SEC);
    assert_string_equal(served(f, lane, 0), "nobody"); // and so is a short pause
    tell("zai", POOL_LATER, 5 * SEC + 1);
    assert_string_equal(served(f, lane, 0), "anthropic");
    tell("zai", POOL_LATER, TIME_NEVER);
    assert_string_equal(served(f, lane, 0), "anthropic");
    tell("zai", POOL_NONE, TIME_NEVER);
    assert_string_equal(served(f, lane, 0), "anthropic");
    tell("zai", POOL_LEASED, 0);
    assert_string_equal(served(f, lane, 0), "zai");
}

static void a_long_pause_is_long_to_its_end(void **state) {
    struct fixture *f = *state;
    struct job_lane *lane = line_up(f, plain);
    tell("zai", POOL_LATER, 30 * SEC);
    assert_string_equal(served(f, lane, 0), "anthropic");
    assert_string_equal(served(f, lane, 29 * SEC), "anthropic");
    tell("zai", POOL_LEASED, 0);
    assert_string_equal(served(f, lane, 30 * SEC), "zai");
    tell("zai", POOL_LATER, 32 * SEC);
    assert_string_equal(served(f, lane, 30 * SEC), "nobody"); // a new pause, a short one
}

static void who_only_refuses_is_not_waited_for(void **state) {
    struct fixture *f = *state;
    struct job_lane *lane = line_up(f, plain);
    const struct job *job = lane_first(lane);
    int64_t now = 10 * SEC;
    for (; now <= 15 * SEC; now += SEC) { // a second's pause, again and again
        tell("zai", POOL_LATER, now + SEC);
        assert_string_equal(served(f, lane, now), "nobody");
        lanes_heard(&f->lanes, job, &f->routes[ZAI], OUTCOME_RATE_LIMITED, now);
    }
    tell("zai", POOL_LATER, now + SEC);
    assert_string_equal(served(f, lane, now), "anthropic");
    tell("zai", POOL_LEASED, 0); // it is asked in between, and answers at last
    assert_string_equal(served(f, lane, now), "zai");
    lanes_heard(&f->lanes, job, &f->routes[ZAI], OUTCOME_OK, now);
    tell("zai", POOL_LATER, now + SEC);
    assert_string_equal(served(f, lane, now), "nobody");
}

static void says_when_to_come_again(void **state) {
    struct fixture *f = *state;
    struct job_lane *lane = line_up(f, plain);
    struct grant grant;
    tell("zai", POOL_LATER, 60 * SEC);
    tell("anthropic", POOL_LATER, 20 * SEC);
    assert_int_equal(lane_acquire(&f->lanes, lane, lane_first(lane), 0, &grant), POOL_LATER);
    assert_int_equal(grant.not_before, 20 * SEC);
    tell("anthropic", POOL_BUSY, TIME_NEVER);
    assert_int_equal(lane_acquire(&f->lanes, lane, lane_first(lane), 0, &grant), POOL_BUSY);
    assert_int_equal(grant.not_before, 60 * SEC);
    tell("anthropic", POOL_NONE, 0);
    assert_int_equal(lane_acquire(&f->lanes, lane, lane_first(lane), 0, &grant), POOL_LATER);
    assert_int_equal(grant.not_before, 60 * SEC);
    tell("zai", POOL_NONE, 0);
    assert_int_equal(lane_acquire(&f->lanes, lane, lane_first(lane), 0, &grant), POOL_NONE);
}

static void a_row_that_names_its_provider_stays_with_it(void **state) {
    struct fixture *f = *state;
    struct request named = plain;
    named.provider = SLICE("zai");
    struct job_lane *lane = line_up(f, named);
    tell("zai", POOL_LATER, 3600 * SEC);
    assert_string_equal(served(f, lane, 0), "nobody");
    tell("zai", POOL_NONE, 0);
    assert_string_equal(served(f, lane, 0), "nobody");
}

static void passes_the_need_of_the_first_row_on(void **state) {
    struct fixture *f = *state;
    struct request request = plain;
    request.params[PARAM_MAX_TOKENS] = SLICE("77");
    struct job_lane *lane = line_up(f, request);
    request.params[PARAM_MAX_TOKENS] = SLICE("88");
    line_up(f, request);
    served(f, lane, 0);
    assert_int_equal(channels[0].need.output_tokens, 77);
    assert_int_equal(channels[0].need.input_tokens, 1);
    list_remove(&lane_first(lane)->node);
    served(f, lane, 0);
    assert_int_equal(channels[0].need.output_tokens, 88);
}

// A row whose system prompt has so many bytes.
static struct job_lane *line_up_alike(struct fixture *f, size_t bytes) {
    struct request request = plain;
    request.system = slice_of("\"1234567890", bytes);
    struct job_lane *lane = line_up(f, request);
    of_length[bytes] = f->jobs[f->count - 1]->affinity;
    return lane;
}

// Serves the next one: which row that was.
static int64_t next_served(struct job_lane *lane) {
    struct job *job = lane_choose(lane);
    lane_take(lane, job);
    return job->index;
}

static void rows_alike_go_to_the_key_that_knows_them(void **state) {
    struct fixture *f = *state;
    struct job_lane *lane = NULL;
    static const size_t rows[] = {3, 4, 5, 3, 5, 6};
    f->config.affinity = AFFINITY_BY_PREFIX;
    memset(favourites, 0, sizeof favourites);
    for (size_t i = 0; i < 6; i++)
        lane = line_up_alike(f, rows[i]);
    assert_true(f->jobs[0]->affinity && f->jobs[0]->affinity == f->jobs[3]->affinity);
    assert_true(f->jobs[0]->affinity != f->jobs[1]->affinity);
    favourites[3] = FAVOURITE_BUSY;
    favourites[4] = FAVOURITE_BUSY;
    favourites[5] = FAVOURITE_OPEN;
    assert_int_equal(next_served(lane), 2); // the first whose key is free
    assert_int_equal(next_served(lane), 4);
    assert_int_equal(next_served(lane), 5); // whom nobody knows takes any
    assert_int_equal(next_served(lane), 0); // no better one: the first, by another key
    favourites[3] = FAVOURITE_OPEN;
    assert_int_equal(next_served(lane), 3);
    assert_int_equal(next_served(lane), 1);
}

static void nobody_is_passed_over_for_ever(void **state) {
    struct fixture *f = *state;
    f->config.affinity = AFFINITY_BY_PREFIX;
    favourites[3] = FAVOURITE_BUSY;
    favourites[5] = FAVOURITE_OPEN;
    struct job_lane *lane = line_up_alike(f, 3);
    for (int i = 1; i < 100; i++)
        line_up_alike(f, 5);
    for (int i = 1; i <= LANE_LOOK_AHEAD; i++)
        assert_int_equal(next_served(lane), i);
    assert_int_equal(next_served(lane), 0);
    assert_int_equal(next_served(lane), LANE_LOOK_AHEAD + 1);
}

static void without_affinity_the_first_is_next(void **state) {
    struct fixture *f = *state;
    favourites[3] = FAVOURITE_BUSY;
    favourites[5] = FAVOURITE_OPEN;
    line_up_alike(f, 3);
    struct job_lane *lane = line_up_alike(f, 5);
    assert_int_equal(f->jobs[0]->affinity, 0);
    assert_int_equal(next_served(lane), 0);
    assert_int_equal(next_served(lane), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_lanes, close_lanes)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_lane_for_each_model_and_provider),
        TEST(the_first_come_goes_first),
        TEST(thousands_of_models_share_a_lane),
        TEST(falls_back_when_the_first_cannot_serve),
        TEST(a_long_pause_is_long_to_its_end),
        TEST(who_only_refuses_is_not_waited_for),
        TEST(says_when_to_come_again),
        TEST(a_row_that_names_its_provider_stays_with_it),
        TEST(passes_the_need_of_the_first_row_on),
        TEST(rows_alike_go_to_the_key_that_knows_them),
        TEST(nobody_is_passed_over_for_ever),
        TEST(without_affinity_the_first_is_next),
    };
    QUIET_RUN(tests);
}
