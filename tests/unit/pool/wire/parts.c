// Tests pool/wire/parts.h: counts that are none, whichever wire they come over.
// SPDX-License-Identifier: MIT
#include "pool/wire/parts.h"

#include "tests/unit/check.h"
#include "tests/unit/quiet.h"

#define MOST "9223372036854775807"

static struct usage usage_of(const struct wire *wire, const char *body) {
    struct buf scratch = BUF_INIT(1024);
    struct reply reply = {.usage = USAGE_NONE};
    const char *what;
    assert_int_equal(wire->read_reply(slice_str(body), &scratch, &reply, &what), WIRE_OK);
    buf_free(&scratch);
    return reply.usage;
}

// What no answer can have used is not believed: it would make every sum it goes into worthless.
static void token_counts_beyond_belief(void **state) {
    (void)state;
    struct usage u =
        usage_of(&wire_openai, "{\"choices\":[{\"message\":{\"content\":\"t\"}}],\"usage\":{"
                               "\"prompt_tokens\":3,\"completion_tokens\":" MOST
                               ",\"total_tokens\":1000000000001}}");
    assert_int_equal(u.input_tokens, 3);
    assert_int_equal(u.output_tokens, -1);
    assert_int_equal(u.total_tokens, -1);
    u = usage_of(&wire_anthropic,
                 "{\"content\":[],\"usage\":{\"input_tokens\":3,"
                 "\"cache_read_input_tokens\":" MOST ",\"output_tokens\":" MOST "}}");
    assert_int_equal(u.input_tokens, 3);
    assert_int_equal(u.output_tokens, -1);
    assert_int_equal(u.cached_tokens, -1);
    assert_int_equal(u.total_tokens, -1);
    u = usage_of(
        &wire_gemini,
        "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"t\"}]}}],\"usageMetadata\":{"
        "\"promptTokenCount\":1000000000000,\"toolUsePromptTokenCount\":" MOST
        ",\"candidatesTokenCount\":" MOST ",\"thoughtsTokenCount\":7}}");
    assert_int_equal(u.input_tokens, 1000000000000);
    assert_int_equal(u.output_tokens, 7);
    assert_int_equal(u.reasoning_tokens, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_counts_beyond_belief),
    };
    QUIET_RUN(tests);
}
