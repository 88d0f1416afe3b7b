// Tests pool/suspects.c and opinion.c on a virtual clock: whose a refusal is, the row's, the key's, the
// account's or the model's, whatever the order of rows and keys.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/play.h"

static void put_in_group(struct play *p) {
    static char group[] = "g";
    pool_free(p->f.pool);
    for (size_t i = 0; i < p->f.ring.count; i++)
        p->f.entries[i].group = group;
    p->f.pool = pool_new(&(struct pool_options){
        .keyring = &p->f.ring, .slots_per_key = 2, .feels_nothing = true, .seed = 5});
    p->f.home = pool_channel(p->f.pool, &here, SLICE("\"m\""));
}

static int count_state(const struct play *p, enum row_state state) {
    int count = 0;
    for (int i = 0; i < p->count; i++)
        count += p->rows[i].state == state;
    return count;
}

static bool is_in_use(const struct play *p, size_t key) {
    enum key_state state = key_state(pool_key(p->f.pool, key));
    return state == KEY_READY || state == KEY_FULL;
}

// -- rows --

enum { ROW_403, ROW_402, ROW_401, ROW_418, ROW_429, ROW_SIZE, ROW_400, ROW_MODEL, ROW_KINDS };

static const struct {
    enum outcome outcome, fails_as;
    enum cause cause;
    int status;
    bool about_size, final, by_status;
} kinds[] = {
    [ROW_403] = {OUTCOME_AUTH, OUTCOME_INVALID_REQUEST, BECAUSE_FORBIDDEN, 403, false, false, true},
    [ROW_402] = {OUTCOME_QUOTA, OUTCOME_TOO_LARGE, BECAUSE_MONEY, 402, true, false, false},
    [ROW_401] = {OUTCOME_AUTH, OUTCOME_INVALID_REQUEST, BECAUSE_KEY, 401, false, false, true},
    [ROW_418] = {OUTCOME_INVALID_REQUEST, OUTCOME_INVALID_REQUEST, BECAUSE_REQUEST, 418, false,
                 true, true},
    [ROW_429] = {OUTCOME_RATE_LIMITED, OUTCOME_RATE_LIMITED, BECAUSE_RATE, 429, false, false, true},
    [ROW_SIZE] = {OUTCOME_TOO_LARGE, OUTCOME_TOO_LARGE, BECAUSE_REQUEST, 402, true, true, false},
    [ROW_400] = {OUTCOME_INVALID_REQUEST, OUTCOME_INVALID_REQUEST, BECAUSE_REQUEST, 400, false,
                 true, true},
    [ROW_MODEL] = {OUTCOME_MODEL, OUTCOME_MODEL, BECAUSE_MODEL, 404, false, true, false},
};

static int kind;

static void say_kind(struct verdict *v) {
    refuse_with(v, kinds[kind].outcome, kinds[kind].cause, kinds[kind].status);
    v->about_size = kinds[kind].about_size;
    v->final = kinds[kind].final;
    v->by_status = kinds[kind].by_status;
}

static void one_row_is_refused(struct play *p, size_t key, int row, struct verdict *v) {
    (void)key;
    if (row == p->bad)
        say_kind(v);
}

// Wherever the row stands, with three accounts, two, one, and a group of keys: it alone fails, as what it
// is, and the keys are as before.
static void a_row_that_is_refused_by_all_fails_by_itself(void **state) {
    (void)state;
    static struct play p;
    const int places[] = {0, 17, 39};
    for (kind = 0; kind < ROW_KINDS; kind++)
        for (int form = 0; form < 12; form++) {
            int keys = 3 - form % 3;
            bool group = form == 9;
            if (form > 9)
                continue;
            open_play(&p, keys, 40, one_row_is_refused);
            if (group)
                put_in_group(&p);
            p.bad = places[form / 3 % 3];
            if (kind == ROW_401)
                p.bad = 17; // the key's, where it has not served or no other row waits
            play(&p, p.f.now + 300 * SEC);
            if (count_state(&p, SERVED) != 39 || p.rows[p.bad].failed_as != kinds[kind].fails_as)
                fail_msg("kind %d, %d keys, row %d, group %d: %d served, failed as %s", kind, keys,
                         p.bad, group, count_state(&p, SERVED),
                         outcome_name(p.rows[p.bad].failed_as));
            for (size_t i = 0; i < (size_t)keys; i++)
                if (!is_in_use(&p, i))
                    fail_msg("kind %d, %d keys, row %d: key %zu", kind, keys, p.bad, i);
            pool_free(p.f.pool);
        }
}

// The only row there is: no other tells. It ends soon, and the run does not hang.
static void a_row_that_is_alone_ends(void **state) {
    (void)state;
    static struct play p;
    for (kind = 0; kind < ROW_KINDS; kind++)
        for (int keys = 1; keys <= 3; keys++) {
            if (kind == ROW_429 || kind == ROW_401)
                continue; // waited for; the key's
            open_play(&p, keys, 1, one_row_is_refused);
            p.bad = 0;
            play(&p, p.f.now + 60 * SEC);
            if (p.rows[0].state != FAILED || p.rows[0].failed_as != kinds[kind].fails_as)
                fail_msg("kind %d, %d keys: %s", kind, keys, outcome_name(p.rows[0].failed_as));
            pool_free(p.f.pool);
        }
}

// What one account says once and for all is asked of one more, if there is one, and of no more.
static void a_second_account_is_asked_once(void **state) {
    (void)state;
    static struct play p;
    const int judged[] = {ROW_SIZE, ROW_400};
    for (size_t k = 0; k < 2; k++)
        for (int keys = 1; keys <= 4; keys++) {
            kind = judged[k];
            open_play(&p, keys, 40, one_row_is_refused);
            p.bad = 20;
            play(&p, p.f.now + 60 * SEC);
            assert_int_equal(p.rows[20].calls, keys > 1 ? 2 : 1);
            pool_free(p.f.pool);
        }
}

// -- keys --

static void the_first_key_refuses_all(struct play *p, size_t key, int row, struct verdict *v) {
    (void)p;
    (void)row;
    if (key == 0)
        say_kind(v);
}

// All rows are served by the others; the key is out soon, or the model is for its account.
static void a_key_that_refuses_all_is_out(void **state) {
    (void)state;
    static struct play p;
    const int of_keys[] = {ROW_403, ROW_401, ROW_418, ROW_400, ROW_MODEL};
    for (size_t k = 0; k < sizeof of_keys / sizeof *of_keys; k++)
        for (int keys = 2; keys <= 3; keys++) {
            kind = of_keys[k];
            open_play(&p, keys, 200, the_first_key_refuses_all);
            play(&p, p.f.now + 60 * SEC);
            if (count_state(&p, SERVED) != 200)
                fail_msg("kind %d, %d keys: %d served", kind, keys, count_state(&p, SERVED));
            if (is_in_use(&p, 0) || p.key_calls[0] > 8)
                fail_msg("kind %d, %d keys: %d calls, state %d", kind, keys, (int)p.key_calls[0],
                         (int)key_state(pool_key(p.f.pool, 0)));
            assert_string_equal(pool_key(p.f.pool, 0)->reason, kind == ROW_MODEL ? "words 404"
                                                               : kind == ROW_403 ? "words 403"
                                                               : kind == ROW_401 ? "words 401"
                                                               : kind == ROW_418 ? "words 418"
                                                                                 : "words 400");
            pool_free(p.f.pool);
        }
}

// Many rows are wrong, and refused by whoever is asked: that is no key's fault.
static void every_third_row_is_wrong(struct play *p, size_t key, int row, struct verdict *v) {
    (void)p;
    (void)key;
    if (row % 3 == 0)
        say_kind(v);
}

static void wrong_rows_suspend_no_key(void **state) {
    (void)state;
    static struct play p;
    const int judged[] = {ROW_SIZE, ROW_400};
    for (size_t k = 0; k < 2; k++)
        for (int keys = 1; keys <= 4; keys++) {
            kind = judged[k];
            open_play(&p, keys, 300, every_third_row_is_wrong);
            play(&p, p.f.now + 60 * SEC);
            assert_int_equal(count_state(&p, SERVED), 200);
            assert_int_equal(count_state(&p, FAILED), 100);
            for (size_t i = 0; i < (size_t)keys; i++)
                assert_true(is_in_use(&p, i));
            pool_free(p.f.pool);
        }
}

// A model that nobody has: each account is asked, and the rows fail.
static void all_rows_are_refused(struct play *p, size_t key, int row, struct verdict *v) {
    (void)p;
    (void)key;
    (void)row;
    say_kind(v);
}

static void a_model_that_nobody_has_fails_its_rows(void **state) {
    (void)state;
    static struct play p;
    kind = ROW_MODEL;
    for (int keys = 1; keys <= 3; keys++) {
        open_play(&p, keys, 50, all_rows_are_refused);
        play(&p, p.f.now + 60 * SEC);
        for (int i = 0; i < 50; i++)
            assert_int_equal(p.rows[i].failed_as, OUTCOME_MODEL);
        if (keys > 1)
            assert_true(p.key_calls[0] + p.key_calls[1] + p.key_calls[2] <= 2 * keys);
        pool_free(p.f.pool);
    }
}

// One account has the model, the other has not; a row that both refuse is neither's fault.
static void the_second_key_has_no_model(struct play *p, size_t key, int row, struct verdict *v) {
    if (key == 1 || row == p->bad)
        say_kind(v);
}

static void a_model_that_one_account_has_is_asked_for_there(void **state) {
    (void)state;
    static struct play p;
    kind = ROW_MODEL;
    for (int bad = -1; bad < 60; bad += 7) {
        open_play(&p, 2, 60, the_second_key_has_no_model);
        p.bad = bad;
        play(&p, p.f.now + 60 * SEC);
        assert_int_equal(count_state(&p, SERVED), bad < 0 ? 60 : 59);
        assert_true(bad < 0 || p.rows[bad].failed_as == OUTCOME_MODEL);
        assert_true(is_in_use(&p, 0));
        assert_in_range(p.key_calls[1], 1, 6);
        pool_free(p.f.pool);
    }
}

// The cool-down's trial is another row's than the one that was refused.
static void a_trial_never_carries_the_row_that_cooled_the_key(void **state) {
    (void)state;
    static struct play p;
    struct row_refusals refused = {0};
    struct lease lease;
    int64_t not_before;
    open_play(&p, 1, 0, NULL);
    struct need need = {.output_tokens = -1, .row = 7, .others_wait = true};
    assert_int_equal(pool_acquire(p.f.home, &need, p.f.now, &lease, &not_before), POOL_LEASED);
    struct verdict v = {
        .outcome = OUTCOME_RATE_LIMITED, .cause = BECAUSE_RATE, .status = 429, .hint = 2 * SEC};
    struct pool_report report = {
        .verdict = &v, .usage = USAGE_NONE, .end = REQUEST_REFUSED, .refused = &refused};
    report.others_wait = true;
    pool_release(&lease, &report, p.f.now);
    p.f.now += 2 * SEC;
    need.refused = &refused;
    assert_int_equal(pool_acquire(p.f.home, &need, p.f.now, &lease, &not_before), POOL_ROW_LATER);
    need = (struct need){.output_tokens = -1, .row = 8, .others_wait = true};
    assert_int_equal(pool_acquire(p.f.home, &need, p.f.now, &lease, &not_before), POOL_LEASED);
    answer(&p.f, &lease);
    pool_free(p.f.pool);
}

// -- a 429 that never passes --

static void the_first_key_is_blocked(struct play *p, size_t key, int row, struct verdict *v) {
    (void)p;
    (void)row;
    if (key == 0)
        refuse_with(v, OUTCOME_RATE_LIMITED, BECAUSE_RATE, 429);
}

// Limits that pass: all keys alike, for ten minutes; or one key, whose fourth trial each is served.
static void all_are_limited_for_long(struct play *p, size_t key, int row, struct verdict *v) {
    (void)key;
    (void)row;
    if (p->f.now < 1000 * SEC + 600 * SEC)
        refuse_with(v, OUTCOME_RATE_LIMITED, BECAUSE_RATE, 429);
}

static void the_first_key_passes_now_and_then(struct play *p, size_t key, int row,
                                              struct verdict *v) {
    (void)row;
    if (key == 0 && p->key_calls[0] % 4)
        refuse_with(v, OUTCOME_RATE_LIMITED, BECAUSE_RATE, 429);
}

static void the_first_key_is_limited_by_name(struct play *p, size_t key, int row,
                                             struct verdict *v) {
    the_first_key_is_blocked(p, key, row, v);
    v->by_status = false;
}

static void a_key_whose_429_never_passes_is_left_alone(void **state) {
    (void)state;
    static struct play p;
    open_play(&p, 2, 400, the_first_key_is_blocked);
    p.latency = 5 * SEC; // 1000 s with one key
    play(&p, p.f.now + 7200 * SEC);
    assert_int_equal(count_state(&p, SERVED), 400);
    assert_int_equal(key_state(pool_key(p.f.pool, 0)), KEY_SUSPENDED);
    assert_string_equal(pool_key(p.f.pool, 0)->reason, "words 429");
    assert_in_range(p.key_calls[0], 5, 16);
    assert_true(pool_key(p.f.pool, 0)->rests_until - p.f.now > COOLDOWN_MONEY_PROBE / 2);
    pool_free(p.f.pool);
}

static void a_limit_that_passes_is_waited_for(void **state) {
    (void)state;
    static const player limits[] = {all_are_limited_for_long, the_first_key_passes_now_and_then,
                                    the_first_key_is_limited_by_name};
    static struct play p;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        open_play(&p, 2, 400, limits[i]);
        p.latency = 5 * SEC;
        play(&p, p.f.now + 7200 * SEC);
        assert_int_equal(count_state(&p, SERVED), 400);
        assert_true(key_state(pool_key(p.f.pool, 0)) != KEY_SUSPENDED);
        pool_free(p.f.pool);
    }
}

// Where the others are out in the end, nobody is left, and that is said at once.
static void the_others_are_out_in_the_end(struct play *p, size_t key, int row, struct verdict *v) {
    the_first_key_is_blocked(p, key, row, v);
    if (key > 0 && p->f.now > 2000 * SEC) {
        refuse_with(v, OUTCOME_QUOTA, BECAUSE_MONEY, 402);
        v->by_status = false;
        v->scope = SCOPE_GROUP;
    }
}

static void a_run_whose_keys_never_pass_ends(void **state) {
    (void)state;
    static struct play p;
    open_play(&p, 2, 400, the_others_are_out_in_the_end);
    p.latency = 10 * SEC;
    play(&p, p.f.now + 7200 * SEC);
    assert_true(p.is_stopped && p.f.now < 2100 * SEC);
    pool_free(p.f.pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_is_refused_by_all_fails_by_itself),
        cmocka_unit_test(a_row_that_is_alone_ends),
        cmocka_unit_test(a_second_account_is_asked_once),
        cmocka_unit_test(a_key_that_refuses_all_is_out),
        cmocka_unit_test(wrong_rows_suspend_no_key),
        cmocka_unit_test(a_model_that_nobody_has_fails_its_rows),
        cmocka_unit_test(a_model_that_one_account_has_is_asked_for_there),
        cmocka_unit_test(a_trial_never_carries_the_row_that_cooled_the_key),
        cmocka_unit_test(a_key_whose_429_never_passes_is_left_alone),
        cmocka_unit_test(a_limit_that_passes_is_waited_for),
        cmocka_unit_test(a_run_whose_keys_never_pass_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
