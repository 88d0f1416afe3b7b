// Tests runner/simulate/route.c: paths to wires and dialects.
// SPDX-License-Identifier: MIT
#include "runner/simulate/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_routes(void **state) {
    (void)state;
    static const struct {
        const char *path;
        enum route_kind kind;
        const struct dialect *dialect;
        const struct wire *wire;
        const char *model;
        bool stream;
    } rows[] = {
        {"/v1/chat/completions", ROUTE_CHAT, &dialect_openai, &wire_openai, NULL, false},
        {"/chat/completions", ROUTE_CHAT, &dialect_openai, &wire_openai, NULL, false},
        {"/v1beta/openai/chat/completions", ROUTE_CHAT, &dialect_google_openai, &wire_openai, NULL,
         false},
        {"/openai/v1/chat/completions", ROUTE_CHAT, &dialect_openai, &wire_openai, NULL, false},
        {"/api/paas/v4/chat/completions", ROUTE_CHAT, &dialect_openai, &wire_openai, NULL, false},
        {"/api/coding/paas/v4/chat/completions", ROUTE_CHAT, &dialect_openai, &wire_openai, NULL,
         false},
        {"/api/chat/completions", ROUTE_CHAT, &dialect_openai, &wire_openai, NULL, false},
        {"/v1/messages", ROUTE_CHAT, &dialect_anthropic, &wire_anthropic, NULL, false},
        {"/v1beta/models/a:generateContent", ROUTE_CHAT, &dialect_google, &wire_gemini, "a", false},
        {"/v1/models/a:b/c:streamGenerateContent", ROUTE_CHAT, &dialect_google, &wire_gemini,
         "a:b/c", true},
        {"/models/a:generateContent", ROUTE_CHAT, &dialect_google, &wire_gemini, "a", false},
        {"/v1beta/models/a:countTokens", ROUTE_NOWHERE, &dialect_google, &wire_gemini, "a", false},
        {"/v1beta/models/:generateContent", ROUTE_NOWHERE, &dialect_google, NULL, NULL, false},
        {"/v1beta/models/a", ROUTE_NOWHERE, &dialect_google, NULL, NULL, false},
        {"/v1/models", ROUTE_MODELS, &dialect_openai, NULL, NULL, false},
        {"/stats", ROUTE_STATS, &dialect_openai, NULL, NULL, false},
        {"/stats/reset", ROUTE_RESET, &dialect_openai, NULL, NULL, false},
        {"/v12/messages", ROUTE_NOWHERE, &dialect_openai, NULL, NULL, false},
        {"/v1", ROUTE_NOWHERE, &dialect_openai, NULL, NULL, false},
        {"/v1/messages/", ROUTE_NOWHERE, &dialect_openai, NULL, NULL, false},
        {"/", ROUTE_NOWHERE, &dialect_openai, NULL, NULL, false},
        {"", ROUTE_NOWHERE, &dialect_openai, NULL, NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct route r = route_find(rows[i].path, NULL);
        assert_int_equal(r.kind, rows[i].kind);
        assert_ptr_equal(r.dialect, rows[i].dialect);
        assert_ptr_equal(r.wire, rows[i].wire);
        assert_true(slice_eq(r.model, slice_str(rows[i].model)));
        assert_int_equal(r.stream, rows[i].stream);
    }
}

// A dialect that was chosen is spoken everywhere; Google's has a form of its own on OpenAI's wire.
static void test_chosen(void **state) {
    (void)state;
    static const struct {
        const char *path;
        const struct dialect *chosen, *dialect;
    } rows[] = {
        {"/v1/chat/completions", &dialect_groq, &dialect_groq},
        {"/v1/messages", &dialect_groq, &dialect_groq},
        {"/v1beta/models/a:generateContent", &dialect_mistral, &dialect_mistral},
        {"/v1beta/openai/chat/completions", &dialect_zai, &dialect_zai},
        {"/nowhere", &dialect_k2think, &dialect_k2think},
        {"/v1/chat/completions", &dialect_google, &dialect_google_openai},
        {"/v1beta/models/a:generateContent", &dialect_google, &dialect_google},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_ptr_equal(route_find(rows[i].path, rows[i].chosen).dialect, rows[i].dialect);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_routes),
                                       cmocka_unit_test(test_chosen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
