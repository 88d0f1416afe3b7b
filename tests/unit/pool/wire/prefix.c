// prefix.c: which requests share a prefix and which do not.
// SPDX-License-Identifier: MIT
#include "pool/wire/prefix.h"

#include "tests/unit/check.h"
#include "tests/unit/quiet.h"

static const struct wire_defaults bare = {.model = {"\"m\"", 3}};

static uint64_t of_messages(const char *messages) {
    struct request r = {.shape = ROW_MESSAGES, .messages = slice_str(messages)};
    return prefix_of(&r, &bare);
}

static uint64_t of_body(enum row_shape shape, const char *body) {
    struct request r = {.shape = shape, .body = slice_str(body)};
    return prefix_of(&r, &bare);
}

static uint64_t of_prompt(const char *prompt, const char *system) {
    struct request r = {.prompt = slice_str(prompt), .system = slice_str(system)};
    return prefix_of(&r, &bare);
}

static void a_prompt_goes_by_its_system(void **state) {
    (void)state;
    assert_true(of_prompt("\"a\"", NULL) == 0);
    assert_true(of_prompt("\"a\"", "\"\"") == 0);
    assert_true(of_prompt("\"a\"", "\"be brief\"") != 0);
    assert_true(of_prompt("\"a\"", "\"be brief\"") == of_prompt("\"b\"", "\"be brief\""));
    assert_true(of_prompt("\"a\"", "\"be brief\"") != of_prompt("\"a\"", "\"be short\""));
}

static void the_model_counts(void **state) {
    (void)state;
    struct request r = {.system = SLICE("\"s\""), .model = SLICE("\"x\"")};
    struct wire_defaults other = {.model = SLICE("\"x\"")};
    uint64_t named = prefix_of(&r, &bare);
    r.model = SLICE_NONE;
    assert_true(named != prefix_of(&r, &bare));
    assert_true(named == prefix_of(&r, &other));
}

static void the_default_system_is_the_rows_unless_it_says_otherwise(void **state) {
    (void)state;
    struct wire_defaults with = {.model = bare.model, .system = SLICE("\"s\"")};
    struct request r = {.prompt = SLICE("\"p\"")};
    uint64_t inherited = prefix_of(&r, &with);
    r.system = SLICE("\"s\"");
    assert_true(inherited == prefix_of(&r, &bare));
    r.system = SLICE("\"\"");
    assert_true(prefix_of(&r, &with) == 0);
    struct request talk = {.shape = ROW_MESSAGES,
                           .messages = SLICE("[{\"role\":\"user\",\"content\":\"hi\"}]")};
    assert_true(prefix_of(&talk, &with) == inherited);
    talk.messages = SLICE("[{\"role\":\"system\",\"content\":\"own\"}]");
    assert_true(prefix_of(&talk, &with) == of_prompt("\"p\"", "\"own\""));
}

static void messages_go_by_the_first_if_it_is_systems(void **state) {
    (void)state;
    uint64_t be = of_messages("[{\"role\":\"system\",\"content\":\"be brief\"},"
                              "{\"role\":\"user\",\"content\":\"1\"}]");
    assert_true(be == of_prompt("\"x\"", "\"be brief\""));
    assert_true(be == of_messages(" [ {\"content\":\"be brief\" , \"role\":\"developer\"}]"));
    assert_true(of_messages("[{\"role\":\"user\",\"content\":\"be brief\"}]") == 0);
    assert_true(of_messages("[{\"role\":\"system\"}]") == 0);
    assert_true(of_messages("[]") == 0);
    assert_true(of_messages("{}") == 0);
    assert_true(of_messages("[7]") == 0);
}

static void batch_lines_go_by_their_own_words(void **state) {
    (void)state;
    static const struct {
        enum row_shape shape;
        const char *body, *system; // NULL: none
    } rows[] = {
        {ROW_BATCH_OPENAI, "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"}]}", "\"s\""},
        {ROW_BATCH_MISTRAL, "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"}]}", "\"s\""},
        {ROW_BATCH_OPENAI, "{\"instructions\":\"s\",\"input\":\"q\"}", "\"s\""},
        {ROW_BATCH_OPENAI, "{\"instructions\":null,\"input\":\"q\"}", NULL},
        {ROW_BATCH_OPENAI, "{\"input\":\"embed me\"}", NULL},
        {ROW_BATCH_ANTHROPIC, "{\"system\":\"s\",\"messages\":[]}", "\"s\""},
        {ROW_BATCH_ANTHROPIC, "{\"system\":[{\"type\":\"text\",\"text\":\"s\"}]}",
         "[{\"type\":\"text\",\"text\":\"s\"}]"},
        {ROW_BATCH_ANTHROPIC, "{\"system\":\"\",\"messages\":[]}", NULL},
        {ROW_BATCH_GEMINI, "{\"systemInstruction\":{\"parts\":[]}}", "{\"parts\":[]}"},
        {ROW_BATCH_GEMINI, "{\"system_instruction\":{\"parts\":[]}}", "{\"parts\":[]}"},
        {ROW_BATCH_GEMINI, "{\"contents\":[]}", NULL},
        {ROW_BATCH_GEMINI, "{}", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_true(of_body(rows[i].shape, rows[i].body) ==
                    (rows[i].system ? of_prompt("\"x\"", rows[i].system) : 0));
}

// The run's --system is not put into a batch line's body.
static void batch_lines_take_no_default(void **state) {
    (void)state;
    struct wire_defaults with = {.model = bare.model, .system = SLICE("\"s\"")};
    struct request r = {.shape = ROW_BATCH_OPENAI, .body = SLICE("{\"messages\":[]}")};
    assert_true(prefix_of(&r, &with) == 0);
}

static void of_long_ones_the_beginning_counts(void **state) {
    (void)state;
    static char text[100001];
    memset(text, 'x', sizeof text - 1);
    text[0] = text[sizeof text - 2] = '"';
    uint64_t hash = of_prompt("\"p\"", text);
    text[50000] = 'y';
    assert_true(of_prompt("\"p\"", text) == hash);
    text[sizeof text - 3] = '"', text[sizeof text - 2] = 0; // and the length
    assert_true(of_prompt("\"p\"", text) != hash);
    text[sizeof text - 3] = 'x', text[sizeof text - 2] = '"';
    assert_true(of_prompt("\"p\"", text) == hash);
    text[8000] = 'y';
    assert_true(of_prompt("\"p\"", text) != hash);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompt_goes_by_its_system),
        cmocka_unit_test(the_model_counts),
        cmocka_unit_test(the_default_system_is_the_rows_unless_it_says_otherwise),
        cmocka_unit_test(messages_go_by_the_first_if_it_is_systems),
        cmocka_unit_test(batch_lines_go_by_their_own_words),
        cmocka_unit_test(batch_lines_take_no_default),
        cmocka_unit_test(of_long_ones_the_beginning_counts),
    };
    QUIET_RUN(tests);
}
