// line_sent.c (test): which rows ask for the same, and which do not.
// SPDX-License-Identifier: MIT
#include "jobs/out/line_sent.h"

#include "tests/unit/quiet.h"

static uint64_t hash_with(const struct sent_options *options, const char *input) {
    struct sent *sent = sent_new(options);
    uint64_t hash = sent_hash(sent, slice_str(input));
    assert_true(hash == sent_hash(sent, slice_str(input)));
    sent_free(sent);
    return hash;
}

static void what_counts(void **state) {
    (void)state;
    static const struct sent_options plain = {0}, question = {.prompt_field = "q"},
                                     named = {.id_field = "model"},
                                     template = {.template = "{{who}}: {{prompt}}"};
    static const struct {
        const struct sent_options *options;
        const char *a, *b;
        bool same;
    } cases[] = {
        {&plain, "{\"prompt\":\"x\"}", "{\"prompt\":\"x\"}", true},
        {&plain, "{\"prompt\":\"x\"}", "{\"prompt\":\"y\"}", false},
        {&plain, "{\"prompt\":\"x\"}", "{ \"note\":7, \"prompt\" : \"x\", \"id\":\"1\" }", true},
        {&plain, "{\"prompt\":\"x\",\"id\":1}", "{\"prompt\":\"x\",\"id\":2}", true},
        {&plain, "{\"prompt\":\"x\"}", "{\"prompt\":\"x\",\"seed\":null}", true},
        {&plain, "{\"prompt\":\"x\"}", "{\"prompt\":\"x\",\"seed\":1}", false},
        {&plain, "{\"prompt\":\"x\",\"top_p\":1}", "{\"prompt\":\"x\",\"temperature\":1}", false},
        {&plain, "{\"prompt\":\"x\",\"model\":\"a\"}", "{\"prompt\":\"x\",\"model\":\"b\"}", false},
        {&plain, "{\"prompt\":\"x\",\"provider\":\"a\"}", "{\"prompt\":\"x\"}", false},
        {&plain, "{\"prompt\":\"x\"}", "{\"system\":\"x\"}", false},
        {&plain, "{\"messages\":[{}]}", "{\"messages\":[{},{}]}", false},
        {&plain, "{\"messages\":[\r\n{}]}", "{\"messages\":[  {}]}", true}, // as a line has it
        {&plain, "{\"custom_id\":\"1\",\"body\":{\"a\":1}}",
         "{\"custom_id\":\"1\",\"body\":{\"a\":2}}", false},
        {&plain, "{\"custom_id\":\"1\",\"params\":{}}", "{\"custom_id\":\"1\",\"body\":{}}", false},
        {&plain, "{\"url\":\"/v1/a\",\"body\":{}}", "{\"url\":\"/v1/b\",\"body\":{}}", false},
        {&plain, "{\"key\":\"1\",\"request\":{}}", "{\"key\":\"2\",\"request\":{}}", true},
        {&plain, "\"x\"", "\"x\"", true},
        {&plain, "\"x\"", "\"y\"", false},
        {&question, "{\"q\":\"x\",\"prompt\":\"1\"}", "{\"q\":\"x\",\"prompt\":\"2\"}", true},
        {&question, "{\"q\":\"x\"}", "{\"q\":\"y\"}", false},
        {&named, "{\"prompt\":\"x\",\"model\":\"1\"}", "{\"prompt\":\"x\",\"model\":\"2\"}", true},
        {&template, "{\"who\":\"a\",\"prompt\":\"x\"}", "{\"who\":\"b\",\"prompt\":\"x\"}", false},
        {&template, "{\"who\":\"a\",\"prompt\":\"x\"}", "{\"who\":\"a\",\"prompt\":\"y\"}", false},
        {&template, "{\"who\":\"a\",\"messages\":[1]}", "{\"who\":\"a\",\"messages\":[2]}", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t a = hash_with(cases[i].options, cases[i].a);
        uint64_t b = hash_with(cases[i].options, cases[i].b);
        assert_true(a && b);
        if ((a == b) != cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
}

static void it_is_the_same_in_every_run(void **state) {
    (void)state;
    assert_true(hash_with(&(struct sent_options){0}, "{\"prompt\":\"x\"}") ==
                UINT64_C(0x4b6a1c60bb54751d));
    assert_true(hash_with(&(struct sent_options){0}, NULL) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_counts),
        cmocka_unit_test(it_is_the_same_in_every_run),
    };
    QUIET_RUN(tests);
}
