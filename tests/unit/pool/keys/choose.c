// choose.c: which providers a run uses, and what is said when that is not clear.
// SPDX-License-Identifier: MIT
#include "pool/keys/choose.h"

#include "tests/unit/pool/keys/load.h"

static const struct registry built_in;

// keys: "zai,-openai": one key of each, disabled behind a '-'. expected: the chosen ones, or the
// beginning of the error behind a '!'.
static void assert_chosen(const char *keys, const char *wanted, const char *expected) {
    struct keyring ring = {0};
    struct error err = {0};
    const struct provider *chosen[PROVIDERS_MAX];
    size_t count = 99;
    struct buf b = BUF_INIT(4096);
    for (const char *p = keys; p && *p;) {
        size_t n = strcspn(p, ",");
        bool disabled = *p == '-';
        const struct provider *provider = catalogue_find(slice_of(p + disabled, n - disabled));
        assert_non_null(provider);
        keyring_add(&ring, provider, SLICE("secret"), 1);
        ring.entries[ring.count - 1].enabled = !disabled;
        p += n + (p[n] == ',');
    }
    struct heard h = hear();
    bool good = choose_providers(&ring, wanted, keys != NULL, chosen, &count, &err);
    heard(&h);
    if (good)
        for (size_t i = 0; i < count; i++)
            buf_addf(&b, "%s%s", i ? "," : "", chosen[i]->name);
    else
        buf_addf(&b, "!%s", err.text);
    if (good ? strcmp(buf_cstr(&b), expected) != 0
             : !strstr(buf_cstr(&b), expected + 1) || *expected != '!')
        fail_msg("%s --provider %s: \"%s\", expected \"%s\"", keys ? keys : "no keys needed",
                 wanted ? wanted : "(none)", buf_cstr(&b), expected);
    if (!good)
        assert_int_equal(error_exit_code(&err), 2);
    buf_free(&h.text);
    buf_free(&b);
    keyring_free(&ring);
}

static void takes_the_only_one(void **state) {
    (void)state;
    assert_chosen("zai", NULL, "zai");
    assert_chosen("zai,zai,-openai", NULL, "zai");
    assert_chosen("zai,openai,groq", NULL, "!several providers (zai, openai, groq)");
    assert_chosen("", NULL, "!no API key found: set OPENAI_API_KEY");
    assert_chosen("", NULL, "!--provider simulate needs none");
    assert_chosen("-zai", NULL, "!no API key found");
    assert_chosen(NULL, NULL, "!no API key found");
}

static void takes_what_is_wanted(void **state) {
    (void)state;
    assert_chosen("zai,openai", "openai", "openai");
    assert_chosen("zai,openai,groq", "groq,zai", "groq,zai");
    assert_chosen("zai,openai", " zai , ,openai,", "zai,openai");
    assert_chosen("zai", "openai", "!there is no key of openai: set OPENAI_API_KEY");
    assert_chosen("-zai,-zai", "zai", "!all 2 keys of zai are disabled");
    assert_chosen("zai", "openai,zai", "zai"); // with a warning
    assert_chosen("zai", "openai,groq", "!there is no key of openai");
    assert_chosen("zai", "acme",
                  "!--provider: acme is not known; -p NAME=https://ADDRESS/v1 declares");
    assert_chosen("zai", "zai,ZAI", "!ZAI is not known");
    assert_chosen("zai", "sk-proj-0123456789-0123456789", "!--provider: this is not known");
    assert_chosen("zai", "zai,zai", "!zai is named twice");
    assert_chosen("zai", "", "!a name is missing");
    assert_chosen("zai", " , ", "!a name is missing");
}

static void needs_no_key_to_simulate_or_to_look(void **state) {
    (void)state;
    assert_chosen("", "simulate", "simulate");
    assert_chosen("zai", "simulate", "simulate");
    assert_chosen(NULL, "openai,groq", "openai,groq");
}

static void knows_who_was_wanted(void **state) {
    (void)state;
    assert_true(choose_names("zai, groq", catalogue_find(SLICE("groq"))));
    assert_false(choose_names("zai,groq", catalogue_find(SLICE("openai"))));
    assert_false(choose_names(NULL, catalogue_find(SLICE("openai"))));
}

static void knows_a_single_name(void **state) {
    (void)state;
    assert_ptr_equal(choose_single(&built_in, " zai "), catalogue_find(SLICE("zai")));
    assert_null(choose_single(&built_in, "zai,openai"));
    assert_null(choose_single(&built_in, "acme"));
    assert_null(choose_single(&built_in, ""));
    assert_null(choose_single(&built_in, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_only_one),
        cmocka_unit_test(takes_what_is_wanted),
        cmocka_unit_test(needs_no_key_to_simulate_or_to_look),
        cmocka_unit_test(knows_who_was_wanted),
        cmocka_unit_test(knows_a_single_name),
    };
    RUN_TESTS(tests);
}
