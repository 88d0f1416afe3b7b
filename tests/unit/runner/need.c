// need.c (test): tokens from bytes, and the bounds rows set.
// SPDX-License-Identifier: MIT
#include "runner/need.h"

#include "tests/unit/quiet.h"

static struct need need(struct request request, struct slice system) {
    struct wire_defaults defaults = {.model = SLICE("\"m\""), .system = system};
    return need_of(&request, &defaults);
}

static void counts_what_is_read(void **state) {
    (void)state;
    struct request r = {.prompt = SLICE("\"1234567\"")}; // nine bytes
    assert_int_equal(need(r, SLICE_NONE).input_tokens, 3);
    assert_int_equal(need(r, SLICE("\"12345\"")).input_tokens, 4);
    r.system = SLICE("\"\""); // its own goes before the run's
    assert_int_equal(need(r, SLICE("\"12345\"")).input_tokens, 3);
    r = (struct request){.shape = ROW_MESSAGES, .messages = SLICE("[12345678]")};
    assert_int_equal(need(r, SLICE_NONE).input_tokens, 3);
    r = (struct request){.shape = ROW_BATCH_OPENAI, .body = SLICE("{\"messages\":[]}")};
    assert_int_equal(need(r, SLICE("\"never sent with it\"")).input_tokens, 4);
}

static void finds_the_bound_of_the_answer(void **state) {
    (void)state;
    static const struct {
        const char *body;
        int64_t bound;
    } bodies[] = {
        {"{\"max_tokens\":50}", 50},
        {"{\"max_completion_tokens\":60}", 60},
        {"{\"generationConfig\":{\"maxOutputTokens\":70}}", 70},
        {"{\"generationConfig\":{}}", -1},
        {"{\"max_tokens\":null}", -1},
        {"{\"max_tokens\":-4}", -1},
        {"{\"max_tokens\":1e9}", -1},
        {"{\"max_tokens\":9223372036854775807}", NEED_MOST}, // sums of these must not overflow
        {"{}", -1},
    };
    struct request r = {.prompt = SLICE("\"\"")};
    assert_int_equal(need(r, SLICE_NONE).output_tokens, -1);
    r.params[PARAM_MAX_TOKENS] = SLICE("300");
    assert_int_equal(need(r, SLICE_NONE).output_tokens, 300);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        r = (struct request){.shape = ROW_BATCH_OPENAI, .body = slice_str(bodies[i].body)};
        assert_int_equal(need(r, SLICE_NONE).output_tokens, bodies[i].bound);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_what_is_read),
                                       cmocka_unit_test(finds_the_bound_of_the_answer)};
    QUIET_RUN(tests);
}
