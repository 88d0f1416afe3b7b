// catalogue.c: the table is whole and says what the contract says.
// SPDX-License-Identifier: MIT
#include "pool/catalogue.h"

#include "tests/unit/pool/test.h"

static void has_the_contracts_names_in_order(void **state) {
    (void)state;
    struct buf names = BUF_INIT(1024);
    size_t count = 0;
    for (const struct provider *p = catalogue; p->name; p++, count++)
        buf_addf(&names, "%s%s", count ? ", " : "", p->name);
    assert_int_equal(count, CATALOGUE_COUNT);
    assert_string_equal(buf_cstr(&names),
                        "bigmodel, zai, openai, anthropic, google, groq, mistral, "
                        "nvidia, k2think, simulate, openrouter, deepseek, xai, together, "
                        "fireworks, cerebras, moonshot, dashscope, siliconflow, minimax, cohere, "
                        "ollama, vllm, lmstudio, llamacpp, azure");
    buf_free(&names);
}

static void rows_are_whole(void **state) {
    (void)state;
    for (const struct provider *p = catalogue; p->name; p++) {
        char variable[64];
        snprintf(variable, sizeof variable, "%s_API_KEY", p->name);
        for (char *c = variable; *c; c++)
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
        assert_string_equal(p->variables[0], variable);
        assert_null(p->variables[2]);
        size_t n = p->base_url ? strlen(p->base_url) : 0;
        assert_true(n ? p->base_url[n - 1] != '/' : strcmp(p->name, "azure") == 0);
        // only what serves the user's own models has no default
        assert_true(p->default_model || p->key_is_optional || !p->base_url);
        assert_true(!p->key_is_optional || p->start_hint);
        assert_non_null(p->documentation);
        assert_true(p->batch_prefix[0] == '/');
        assert_non_null(p->wire);
        assert_string_equal(p->wire->name, p->wire_name);
    }
}

static void finds_by_name(void **state) {
    (void)state;
    for (const struct provider *p = catalogue; p->name; p++)
        assert_ptr_equal(catalogue_find(slice_str(p->name)), p);
    assert_null(catalogue_find(SLICE("OpenAI")));
    assert_null(catalogue_find(SLICE("open")));
    assert_null(catalogue_find(SLICE("openai ")));
    assert_null(catalogue_find(SLICE("")));
    assert_null(catalogue_find(SLICE_NONE));
    assert_string_equal(catalogue_find(SLICE("google"))->variables[1], "GEMINI_API_KEY");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_contracts_names_in_order),
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(finds_by_name),
    };
    RUN_TESTS(tests);
}
