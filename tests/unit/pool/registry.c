// registry.c: built-in providers stay as they are until they are changed, declared ones join them.
// SPDX-License-Identifier: MIT
#include "pool/registry.h"

#include "pool/wire/wire.h"
#include "tests/unit/pool/test.h"

static void starts_with_the_built_in_ones(void **state) {
    (void)state;
    struct registry r = {0};
    assert_int_equal(registry_count(&r), CATALOGUE_COUNT);
    for (size_t i = 0; i < CATALOGUE_COUNT; i++) {
        assert_ptr_equal(registry_at(&r, i), &catalogue[i]);
        assert_ptr_equal(registry_find(&r, slice_str(catalogue[i].name)), &catalogue[i]);
        assert_int_equal(provider_place(&catalogue[i]), i);
        assert_false(provider_has_own_address(&catalogue[i]));
    }
    assert_null(registry_find(&r, SLICE("acme")));
    registry_free(&r);
}

static void declares_new_ones(void **state) {
    (void)state;
    struct registry r = {0};
    const char *what = NULL;
    struct provider *acme = registry_declare(&r, SLICE("my-acme.ai"), &what);
    assert_non_null(acme);
    assert_ptr_equal(registry_declare(&r, SLICE("my-acme.ai"), &what), acme);
    assert_ptr_equal(registry_find(&r, SLICE("my-acme.ai")), acme);
    assert_int_equal(provider_place(acme), CATALOGUE_COUNT);
    assert_int_equal(registry_count(&r), CATALOGUE_COUNT + 1);
    assert_string_equal(acme->variables[0], "MY_ACME_AI_API_KEY");
    assert_ptr_equal(acme->wire, &wire_openai);
    assert_null(acme->default_model);
    assert_true(registry_set_address(&r, acme, SLICE("https://a.example/v1//?x=1&y=2"), &what));
    assert_string_equal(acme->base_url, "https://a.example/v1");
    assert_string_equal(acme->query, "x=1&y=2");
    assert_true(registry_add_query(&r, acme, SLICE("api version"), SLICE("a/b"), &what));
    assert_string_equal(acme->query, "x=1&y=2&api%20version=a%2Fb");
    assert_true(registry_set_wire(acme, SLICE("anthropic"), &what));
    assert_string_equal(acme->family, "anthropic");
    assert_true(registry_set_auth(&r, acme, SLICE("header:  X-Key"), &what));
    assert_string_equal(acme->auth_prefix, "X-Key: ");
    assert_true(registry_add_variable(&r, acme, SLICE("ACME_KEY"), &what));
    assert_string_equal(acme->variables[0], "ACME_KEY");
    assert_string_equal(acme->variables[1], "MY_ACME_AI_API_KEY");
    registry_free(&r);
}

static void changes_a_copy_of_a_built_in_one(void **state) {
    (void)state;
    struct registry r = {0};
    const char *what = NULL;
    struct provider *zai = registry_declare(&r, SLICE("zai"), &what);
    assert_ptr_not_equal(zai, catalogue_find(SLICE("zai")));
    assert_int_equal(provider_place(zai), provider_place(catalogue_find(SLICE("zai"))));
    assert_false(provider_has_own_address(zai));
    assert_true(registry_set_address(&r, zai, SLICE("http://gateway/v4/"), &what));
    assert_true(provider_has_own_address(zai));
    assert_string_equal(zai->default_model, catalogue_find(SLICE("zai"))->default_model);
    assert_string_equal(catalogue_find(SLICE("zai"))->base_url, "https://api.z.ai/api/paas/v4");
    assert_int_equal(registry_count(&r), CATALOGUE_COUNT);
    registry_free(&r);
}

static void replaces_headers_by_name(void **state) {
    (void)state;
    struct registry r = {0};
    const char *what = NULL;
    struct provider *acme = registry_declare(&r, SLICE("acme"), &what);
    assert_true(registry_add_header(&r, acme, SLICE("X-Team"), SLICE("1"), &what));
    assert_true(registry_add_header(&r, acme, SLICE("x-other"), SLICE("2"), &what));
    assert_true(registry_add_header(&r, acme, SLICE("x-team"), SLICE("3"), &what));
    assert_string_equal(acme->headers[0].name, "x-other");
    assert_string_equal(acme->headers[1].name, "x-team");
    assert_null(acme->headers[2].name);
    assert_false(registry_add_header(&r, acme, SLICE("a b"), SLICE("1"), &what));
    assert_false(registry_add_header(&r, acme, SLICE("x"), SLICE("a\r\nb: c"), &what));
    assert_false(registry_add_header(&r, acme, SLICE("Content-Length"), SLICE("1"), &what));
    registry_free(&r);
}

static void says_what_makes_no_sense(void **state) {
    (void)state;
    struct registry r = {0};
    const char *what = NULL, *const names[] = {"", "-a", "a b", "a/b", "a=b", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_null(registry_declare(&r, slice_str(names[i]), &what));
        assert_non_null(strstr(what, "a provider's name"));
    }
    struct provider *acme = registry_declare(&r, SLICE("acme"), &what);
    const char *const urls[] = {"",           "https://",    "ftp://x",
                                "gateway/v1", "https://a b", "https://\x01"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        assert_false(registry_set_address(&r, acme, slice_str(urls[i]), &what));
    assert_false(registry_set_wire(acme, SLICE("grpc"), &what));
    assert_false(registry_set_auth(&r, acme, SLICE("basic"), &what));
    assert_false(registry_set_auth(&r, acme, SLICE("header:"), &what));
    assert_false(registry_add_variable(&r, acme, SLICE("1A"), &what));
    assert_null(acme->base_url);
    registry_free(&r);
}

static void has_an_end(void **state) {
    (void)state;
    struct registry r = {0};
    const char *what = NULL;
    char name[16];
    for (size_t i = 0; i < PROVIDERS_MAX - CATALOGUE_COUNT; i++) {
        snprintf(name, sizeof name, "acme%zu", i);
        assert_non_null(registry_declare(&r, slice_str(name), &what));
    }
    assert_null(registry_declare(&r, SLICE("one-more"), &what));
    assert_non_null(strstr(what, "too many providers"));
    assert_non_null(registry_declare(&r, SLICE("zai"), &what)); // it has its place already
    registry_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_with_the_built_in_ones),
        cmocka_unit_test(declares_new_ones),
        cmocka_unit_test(changes_a_copy_of_a_built_in_one),
        cmocka_unit_test(replaces_headers_by_name),
        cmocka_unit_test(says_what_makes_no_sense),
        cmocka_unit_test(has_an_end),
    };
    RUN_TESTS(tests);
}
