// assign.c (test): values for providers by name, and names that are none.
// SPDX-License-Identifier: MIT
#include "runner/assign.h"

#include "jobs/base/buf.h"
#include "tests/unit/quiet.h"

static const struct registry built_in;

// What was assigned, as "common|zai=value,groq=value", or the error behind a '!'.
static void assert_assigned(bool good, const struct assigned *a, const struct error *err,
                            const char *text, const char *expected) {
    struct buf b = BUF_INIT(4096);
    if (!good)
        buf_addf(&b, "!%s", err->text);
    else
        buf_addf(&b, "%.*s|", SLICE_ARG(a->common));
    for (const struct provider *p = catalogue; good && p->name; p++) {
        struct slice own = a->of[p - catalogue];
        if (own.n)
            buf_addf(&b, "%s%s=%.*s", b.p[b.n - 1] == '|' ? "" : ";", p->name, SLICE_ARG(own));
    }
    if (strcmp(buf_cstr(&b), expected) != 0)
        fail_msg("%s: \"%s\", expected \"%s\"", text, buf_cstr(&b), expected);
    buf_free(&b);
}

// The run's providers are zai, openai and groq.
static void assert_models(const char *text, const char *expected) {
    struct assigned a;
    struct error err = {0};
    provider_set in_run = PROVIDER_BIT(catalogue_find(SLICE("zai")) - catalogue) |
                          PROVIDER_BIT(catalogue_find(SLICE("openai")) - catalogue) |
                          PROVIDER_BIT(catalogue_find(SLICE("groq")) - catalogue);
    assert_assigned(assign_models(&built_in, text, in_run, &a, &err), &a, &err, text, expected);
}

static void assert_addresses(const char *text, const char *expected) {
    struct assigned a;
    struct error err = {0};
    assert_assigned(assign_addresses(&built_in, text, &a, &err), &a, &err, text, expected);
}

static void models(void **state) {
    (void)state;
    assert_models(NULL, "|");
    assert_models("glm-4.5-flash", "glm-4.5-flash|");
    assert_models("zai:glm-4.5-flash,groq:llama-3.1-8b-instant",
                  "|zai=glm-4.5-flash;groq=llama-3.1-8b-instant");
    assert_models(" zai : glm , gpt-6 ", "gpt-6|zai=glm");
    // names with a colon of their own
    assert_models("llama3:8b", "llama3:8b|");
    assert_models("ft:gpt-4o:org", "ft:gpt-4o:org|");
    assert_models("openai:ft:gpt-4o:org,zai:llama3:8b", "|zai=llama3:8b;openai=ft:gpt-4o:org");
    assert_models("openai/gpt-oss-20b", "openai/gpt-oss-20b|");
    // a provider's name that is none of the run's: part of the model, but in a list surely a slip
    assert_models("mistral:7b", "mistral:7b|");
    assert_models("zai:glm,mistral:7b",
                  "!--model: mistral is none of the run's providers (--provider)");
    assert_models("zai:a,zai:b", "!--model: two values for zai");
    assert_models("a,b", "!--model: two values for all");
    assert_models("zai:", "!--model: the value for zai is missing");
    assert_models("zai:a,", "!--model: the value for all is missing");
    assert_models("", "!--model: the value for all is missing");
}

static void addresses(void **state) {
    (void)state;
    assert_addresses(NULL, "|");
    assert_addresses("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1|");
    assert_addresses("zai=http://a:1/v4,groq=https://b/x", "|zai=http://a:1/v4;groq=https://b/x");
    assert_addresses("http://a,openai=http://b", "http://a|openai=http://b");
    // commas and '=' that belong to an address
    assert_addresses("http://a/x,y=1/,z", "http://a/x,y=1/,z|");
    assert_addresses("groq=http://a/x,y=1/,z,zai=http://b", "|zai=http://b;groq=http://a/x,y=1/,z");
    assert_addresses("acme=http://a", "acme=http://a|"); // refused as an address later
    assert_addresses("zai=http://a,zai=http://b", "!--base-url: two values for zai");
    assert_addresses("zai=", "!--base-url: the value for zai is missing");
    assert_addresses(",zai=http://a", "!--base-url: the value for all is missing");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(models), cmocka_unit_test(addresses)};
    QUIET_RUN(tests);
}
