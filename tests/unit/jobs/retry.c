// Tests jobs/retry.c: which outcomes are tried again, how often, and when.
// SPDX-License-Identifier: MIT
#include "jobs/retry.h"

#include "tests/unit/check.h"

#define SEC INT64_C(1000000)

static struct retry_decision decide(enum outcome outcome, int retries, int64_t hint) {
    struct random random = {7};
    struct retry_case c = {.outcome = outcome, .retries = retries, .hint = hint};
    return retry_decide(&RETRY_DEFAULT, &c, 1000 * SEC, &random);
}

static void every_outcome_has_its_answer(void **state) {
    (void)state;
    static const struct {
        enum outcome outcome;
        enum retry_answer fresh, exhausted;
    } table[] = {
        {OUTCOME_BAD_INPUT, RETRY_GIVE_UP, RETRY_GIVE_UP},
        {OUTCOME_INVALID_REQUEST, RETRY_GIVE_UP, RETRY_GIVE_UP},
        {OUTCOME_CONTENT_FILTER, RETRY_GIVE_UP, RETRY_GIVE_UP},
        {OUTCOME_AUTH, RETRY_OTHER, RETRY_OTHER},
        {OUTCOME_QUOTA, RETRY_OTHER, RETRY_OTHER},
        {OUTCOME_RATE_LIMITED, RETRY_OTHER, RETRY_OTHER},
        {OUTCOME_MODEL, RETRY_OTHER, RETRY_OTHER},
        {OUTCOME_SERVER, RETRY_LATER, RETRY_GIVE_UP},
        {OUTCOME_TIMEOUT, RETRY_LATER, RETRY_GIVE_UP},
        {OUTCOME_NETWORK, RETRY_LATER, RETRY_GIVE_UP},
        {OUTCOME_BAD_RESPONSE, RETRY_LATER, RETRY_GIVE_UP},
        {OUTCOME_TOO_LARGE, RETRY_GIVE_UP, RETRY_GIVE_UP},
        {OUTCOME_NO_KEY, RETRY_GIVE_UP, RETRY_GIVE_UP},
        {OUTCOME_DEADLINE, RETRY_GIVE_UP, RETRY_GIVE_UP},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_int_equal(decide(table[i].outcome, 0, -1).answer, table[i].fresh);
        assert_int_equal(decide(table[i].outcome, 4, -1).answer, table[i].fresh);
        assert_int_equal(decide(table[i].outcome, 5, -1).answer, table[i].exhausted);
        assert_int_equal(decide(table[i].outcome, 99, -1).answer, table[i].exhausted);
    }
}

static void the_pause_doubles_with_full_jitter(void **state) {
    (void)state;
    struct random random = {42};
    const struct retry_policy policy = {.max_retries = 100, .base = SEC / 2, .ceiling = 30 * SEC};
    for (int retries = 0; retries < 12; retries++) {
        int64_t most = (SEC / 2) << retries;
        if (most > 30 * SEC)
            most = 30 * SEC;
        int64_t least_seen = INT64_MAX, most_seen = 0;
        for (int i = 0; i < 2000; i++) {
            struct retry_case c = {.outcome = OUTCOME_SERVER, .retries = retries, .hint = -1};
            int64_t at = retry_decide(&policy, &c, 5 * SEC, &random).again_at;
            assert_in_range(at, 5 * SEC, 5 * SEC + most);
            least_seen = at - 5 * SEC < least_seen ? at - 5 * SEC : least_seen;
            most_seen = at - 5 * SEC > most_seen ? at - 5 * SEC : most_seen;
        }
        assert_true(least_seen < most / 50);       // the jitter is full: down to nothing …
        assert_true(most_seen > most - most / 50); // … and up to all of it
    }
}

static void a_hint_is_waited_for(void **state) {
    (void)state;
    assert_true(decide(OUTCOME_SERVER, 0, 7 * SEC).again_at == 1007 * SEC);
    assert_true(decide(OUTCOME_SERVER, 0, 90 * SEC).again_at == 1090 * SEC);
    assert_true(decide(OUTCOME_SERVER, 3, 0).again_at >= 1000 * SEC);
    assert_true(decide(OUTCOME_SERVER, 0, 99999999 * SEC).again_at == 1300 * SEC);
}

static void no_retries_means_one_attempt(void **state) {
    (void)state;
    struct random random = {1};
    const struct retry_policy none = {.max_retries = 0, .base = 1, .ceiling = 1};
    struct retry_case failed = {.outcome = OUTCOME_SERVER, .hint = -1};
    struct retry_case refused = {.outcome = OUTCOME_RATE_LIMITED, .hint = -1};
    assert_int_equal(retry_decide(&none, &failed, 0, &random).answer, RETRY_GIVE_UP);
    assert_int_equal(retry_decide(&none, &refused, 0, &random).answer, RETRY_OTHER);
}

// What failed while nobody was served uses up no retry, however often.
static void an_outage_uses_up_nothing(void **state) {
    (void)state;
    struct random random = {1};
    const struct retry_policy none = {.max_retries = 0, .base = SEC / 2, .ceiling = 30 * SEC};
    struct retry_case c = {.outcome = OUTCOME_NETWORK, .is_free = true, .hint = -1};
    for (int i = 0; i < 1000; i++) {
        struct retry_decision d = retry_decide(&none, &c, 0, &random);
        assert_int_equal(d.answer, RETRY_LATER);
        assert_in_range(d.again_at, 0, SEC / 2); // the breaker holds it back, if need be
    }
    c.hint = 250 * SEC;
    assert_true(retry_decide(&none, &c, 0, &random).again_at == RETRY_OUTAGE_HINT_MOST);
    c.outcome = OUTCOME_INVALID_REQUEST;
    assert_int_equal(retry_decide(&none, &c, 0, &random).answer, RETRY_GIVE_UP);
}

// Where requests fail by chance, waiting longer helps nobody.
static void chance_is_not_waited_for(void **state) {
    (void)state;
    struct random random = {42};
    static const int64_t most[] = {
        RETRY_CHANCE_PAUSE, RETRY_CHANCE_PAUSE, SEC / 2, SEC / 2, SEC, 2 * SEC};
    for (int retries = 0; retries < 6; retries++) {
        struct retry_case c = {.outcome = OUTCOME_SERVER,
                               .retries = retries,
                               .by_chance = 2,
                               .by_bad_luck = 3,
                               .hint = -1};
        const struct retry_policy policy = {.max_retries = 9, .base = SEC / 2, .ceiling = 30 * SEC};
        int64_t longest = 0;
        for (int i = 0; i < 1000; i++) {
            int64_t at = retry_decide(&policy, &c, 0, &random).again_at;
            longest = at > longest ? at : longest;
        }
        assert_in_range(longest, most[retries] * 9 / 10, most[retries]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_its_answer),
        cmocka_unit_test(the_pause_doubles_with_full_jitter),
        cmocka_unit_test(a_hint_is_waited_for),
        cmocka_unit_test(no_retries_means_one_attempt),
        cmocka_unit_test(an_outage_uses_up_nothing),
        cmocka_unit_test(chance_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
