// Tests the pool over days of virtual time: quotas end at midnight, whatever the wall clock does.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/world.h"

struct day_server {
    int64_t quota, used, day_began;
};

static const struct provider google = {.name = "google"}, zai = {.name = "zai"};

// A quota a day that starts anew at the provider's midnight; the signals name that time.
static void answers_so_many_a_day(struct world *w, size_t key, struct said *said) {
    struct day_server *s = w->server;
    int64_t wall = w->now + w->wall_offset;
    (void)key;
    if (day_end(w->provider, wall) != s->day_began) {
        s->day_began = day_end(w->provider, wall);
        s->used = 0;
    }
    if (s->used >= s->quota) {
        said_no(said, OUTCOME_QUOTA, BECAUSE_DAY);
        said->verdict.scope = SCOPE_GROUP;
        said->verdict.hint = s->day_began - wall;
        return;
    }
    s->used++;
    said_ok(said, SEC);
}

static void days_end_at_the_providers_midnight(void **state) {
    (void)state;
    const struct provider *providers[] = {&google, &zai, &world_provider};
    for (size_t i = 0; i < COUNT_OF(providers); i++) {
        struct world w;
        struct day_server s = {.quota = 1000};
        world_open(&w, &(struct world_options){
                           .keys = 2, .slots = 1, .groups = 1, .provider = providers[i]});
        w.answers = answers_so_many_a_day;
        w.server = &s;
        world_run(&w, 3500);
        assert_int_equal(w.jobs, 0);
        print_message("| %s: 3500 jobs at 1000 a day in %.2f days with %d calls too many\n",
                      providers[i]->name, (double)(w.ended - w.begun) / 86400 / SEC,
                      (int)(w.calls - 3500));
        assert_in_range(w.ended - w.begun, 2 * 86400 * SEC, 4 * 86400 * SEC);
        assert_true(w.calls - 3500 <= 4 * 3);
        world_close(&w);
    }
}

static void stated_days_are_never_exceeded(void **state) {
    (void)state;
    struct world w;
    struct day_server s = {.quota = 500};
    world_open(&w, &(struct world_options){
                       .keys = 1, .slots = 3, .provider = &google, .limits = {.rpd = 500}});
    w.answers = answers_so_many_a_day;
    w.server = &s;
    world_run(&w, 1800);
    assert_int_equal(w.jobs, 0);
    assert_int_equal(w.calls, 1800); // not one refused
    world_close(&w);
}

static void a_wall_clock_that_jumps_moves_the_days(void **state) {
    (void)state;
    struct world w;
    struct day_server s = {.quota = 10};
    world_open(&w, &(struct world_options){.keys = 1, .slots = 1, .provider = &zai});
    w.answers = answers_so_many_a_day;
    w.server = &s;
    w.jobs = 15;
    world_run_until(&w, w.now + 60 * SEC);
    assert_int_equal(w.jobs, 5);
    w.wall_offset += 24 * 3600 * SEC; // a laptop that slept: the monotonic clock stood still
    world_run_until(&w, w.now + 60 * SEC);
    assert_int_equal(w.jobs, 0);
    w.jobs = 15;
    world_run_until(&w, w.now + 60 * SEC);
    assert_int_equal(w.jobs, 10);
    w.wall_offset -= 3 * 3600 * SEC; // set back: the day is three hours longer
    world_run_until(&w, w.now + 60 * SEC);
    assert_int_equal(w.jobs, 10);
    world_run_until(&w, w.now + 27 * 3600 * SEC);
    assert_int_equal(w.jobs, 0);
    world_close(&w);
}

// A laptop that slept over midnight: a quota that is stated is whole again, too.
static void a_jump_over_midnight_renews_stated_days(void **state) {
    (void)state;
    for (size_t groups = 0; groups <= 1; groups++) {
        struct world w;
        struct day_server s = {.quota = 1000};
        char name[] = "group 0";
        struct key_group group = {&world_provider, name, {.rpd = 10}};
        struct world_options o = {.keys = 1, .slots = 1, .groups = groups};
        if (groups)
            o.group = &group;
        else
            o.limits.rpd = 10;
        world_open(&w, &o);
        w.answers = answers_so_many_a_day;
        w.server = &s;
        w.jobs = 15;
        world_run_until(&w, w.now + 60 * SEC);
        assert_int_equal(w.jobs, 5);
        w.wall_offset += 24 * 3600 * SEC;
        world_run_until(&w, w.now + 60 * SEC);
        assert_int_equal(w.jobs, 0);
        world_close(&w);
    }
}

// Set back by days: midnight was never further away than a day.
static void no_bench_outlasts_a_day_whatever_the_wall_clock_does(void **state) {
    (void)state;
    struct world w;
    struct day_server s = {.quota = 10};
    world_open(&w, &(struct world_options){.keys = 1, .slots = 1});
    w.answers = answers_so_many_a_day;
    w.server = &s;
    w.jobs = 15;
    world_run_until(&w, w.now + 60 * SEC);
    assert_int_equal(w.jobs, 5);
    w.wall_offset -= 10 * 24 * 3600 * SEC;
    world_run_until(&w, w.now + 27 * 3600 * SEC);
    assert_int_equal(w.jobs, 0);
    world_close(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_end_at_the_providers_midnight),
        cmocka_unit_test(stated_days_are_never_exceeded),
        cmocka_unit_test(a_wall_clock_that_jumps_moves_the_days),
        cmocka_unit_test(a_jump_over_midnight_renews_stated_days),
        cmocka_unit_test(no_bench_outlasts_a_day_whatever_the_wall_clock_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
