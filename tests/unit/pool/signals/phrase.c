// phrase.c: what a message says, denies, makes a condition and only quotes.
// SPDX-License-Identifier: MIT
#include "pool/signals/phrase.h"

#include "tests/unit/pool/test.h"

static const struct {
    const char *text, *phrase;
    bool said, said_of_input; // without and with quotes of the request's own words
} cases[] = {
    {"You have insufficient balance.", "insufficient balance", true, true},
    {"INSUFFICIENT Balance", "insufficient balance", true, true},
    {"Failed: insufficient balance", "insufficient balance", true, true},
    {"Request not allowed because insufficient balance", "insufficient balance", true, true},
    {"Request not allowed, insufficient balance", "insufficient balance", true, true},
    {"It was not caused by insufficient balance", "insufficient balance", false, false},
    {"This is not a rate limit. It is a policy.", "rate limit", false, false},
    {"This is not a policy. It is a rate limit.", "rate limit", true, true},
    {"This isn't a rate limit", "rate limit", false, false},
    {"You are never out of credits", "out of credits", false, false},
    {"Check whether your key is invalid", "key is invalid", false, false},
    {"If your API key is invalid, see the docs", "API key is invalid", false, false},
    {"an accurate limit", "rate limit", false, false},
    {"a pre-rate limit", "rate limit", true, true},
    {"API key not valid. Please pass a valid API key.", "API key not valid", true, true},
    {"outer\ninsufficient balance", "insufficient balance", true, true},
    {"not\ninsufficient balance", "insufficient balance", true, true},
    {"Invalid value: 'insufficient balance'", "insufficient balance", true, false},
    {"Invalid value: \"my insufficient balance\", see", "insufficient balance", true, false},
    {"\"x\" is bad: insufficient balance", "insufficient balance", true, true},
    {"Error - {\"message\":\"insufficient balance\"}", "insufficient balance", true, true},
    {"Error - {'message': 'insufficient balance'}", "insufficient balance", true, true},
    {"the user's insufficient balance", "insufficient balance", true, true},
    {"用户余额不足", "余额不足", true, true},
    {"并非余额不足", "余额不足", false, false},
    {"", "x", false, false},
    {"x", "", false, false},
};

static void tells_what_is_said(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int quotes = 0; quotes < 2; quotes++) {
            bool said = phrase_is_said(cases[i].text, cases[i].phrase, quotes);
            if (said != (quotes ? cases[i].said_of_input : cases[i].said))
                fail_msg("\"%s\" %s \"%s\" (%d)", cases[i].text, said ? "says" : "does not say",
                         cases[i].phrase, quotes);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_what_is_said)};
    RUN_TESTS(tests);
}
