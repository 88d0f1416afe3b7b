// steering.c: parameters of rows: types, whole numbers, and what is a request's and what a record's.
// SPDX-License-Identifier: MIT
#include "tests/unit/jobs/in/feed.h"

static const char *const wrong[][2] = {
    {"\"max_completion_tokens\":true",
     "\"max_completion_tokens\" must be an integer, it is a boolean"},
    {"\"n\":\"2\"", "\"n\" must be an integer, it is a string"},
    {"\"n\":1.5", "\"n\" must be an integer"},
    {"\"n\":1e-2", "\"n\" must be an integer"},
    {"\"n\":1e400", "\"n\" must be an integer"},
    {"\"logprobs\":1", "\"logprobs\" must be true or false, it is a number"},
    {"\"reasoning_effort\":3", "\"reasoning_effort\" must be a string, it is a number"},
    {"\"logit_bias\":[]", "\"logit_bias\" must be an object, it is an array"},
    {"\"modalities\":[1]", "\"modalities\" must be an array of strings"},
    {"\"parallel_tool_calls\":\"no\"", "\"parallel_tool_calls\" must be true or false"},
    {"\"extra_body\":[]", "\"extra_body\" must be an object, it is an array"},
    {"\"extra_body\":{\"model\":1}",
     "\"model\" in \"extra_body\" must be a string, it is a number"},
};

static void wrong_types_are_named(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char row[200];
        int n = snprintf(row, sizeof row, "{\"prompt\":\"p\",%s}\n", wrong[i][0]);
        struct feed f = feed_jsonl(slice_of(row, (size_t)n));
        feed_bad(&f, wrong[i][1]);
        feed_ends(&f);
    }
}

static const char *const whole[][2] = {
    {"100.0", "100"},
    {"1e2", "100"},
    {"1.0E+2", "100"},
    {"100", "100"},
    {"-3.0", "-3"},
    {"12.50e1", "125"},
    {"1200e-2", "12"},
    {"0.0", "0"},
    {"-0", "-0"},
    {"5.000000000000000000000000000", "5"},
    {"18446744073709551617", "18446744073709551617"},
};

static void whole_numbers_written_as_fractions(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        char row[200], input[200];
        int n = snprintf(row, sizeof row, "{\"prompt\":\"p\",\"max_tokens\":%s,\"seed\":%s}",
                         whole[i][0], whole[i][0]);
        snprintf(input, sizeof input, "%s", row);
        struct feed f = feed_jsonl(slice_of(row, (size_t)n));
        const struct job *job = feed_good(&f);
        assert_true(slice_is(job->request.params[PARAM_MAX_TOKENS], whole[i][1]));
        assert_true(slice_is(job->request.params[PARAM_SEED], whole[i][1]));
        assert_true(slice_is(job->input, input)); // handed back as it came
        feed_ends(&f);
    }
}

// Each by its own name; null is as if it were not there.
static void every_parameter_of_a_request(void **state) {
    (void)state;
    static const char *const values[] = {"null", "1", "\"s\"", "true", "[\"text\"]", "{}"};
    for (int i = 0; i < PARAM_COUNT; i++)
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            char row[200];
            struct slice token = slice_str(values[v]);
            int n = snprintf(row, sizeof row, "{\"prompt\":\"p\",\"%s\":%s}\n", param_rules[i].name,
                             values[v]);
            struct feed f = feed_jsonl(slice_of(row, (size_t)n));
            if (v == 0) {
                assert_absent(feed_good(&f)->request.params[i]);
                assert_false(f.job->request.has_params);
            } else if (param_obeys((enum param)i, token)) {
                assert_true(slice_is(feed_good(&f)->request.params[i], values[v]));
                assert_true(f.job->request.has_params);
            } else {
                feed_bad(&f, param_rules[i].name);
            }
            feed_ends(&f);
        }
}

static void records_are_data(void **state) {
    (void)state;
    struct slice row = SLICE("{\"prompt\":\"p\",\"q\":\"Q\",\"model\":\"iPhone\",\"stop\":5,"
                             "\"n\":2,\"provider\":7,\"system\":{}}");
    static const struct source_options kinds[] = {
        {.wake_fd = -1, .format = INPUT_JSONL, .template = "{{q}}"},
        {.wake_fd = -1, .format = INPUT_JSONL, .prompt_field = "q"},
        {.wake_fd = -1, .format = INPUT_JSONL, .prompt_field = "prompt"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct feed f = feed_open(row, kinds[i]);
        const struct request *r = &feed_good(&f)->request;
        assert_absent(r->model);
        assert_absent(r->system);
        assert_absent(r->provider);
        assert_false(r->has_params);
        feed_ends(&f);
        struct source_options named = kinds[i];
        named.fields = "model, n";
        f = feed_open(row, named);
        r = &feed_good(&f)->request;
        assert_slice(r->model, "\"iPhone\"");
        assert_slice(r->params[PARAM_N], "2");
        assert_absent(r->params[PARAM_STOP]);
        feed_ends(&f);
        named.fields = "all";
        f = feed_open(row, named);
        feed_bad(&f, "\"provider\" must be a string");
        feed_ends(&f);
    }
}

static void the_model_of_extra_body_is_asked_for(void **state) {
    (void)state;
    struct feed f = feed_jsonl(
        SLICE("{\"prompt\":\"p\",\"model\":\"a\",\"extra_body\":{\"model\":\"b\",\"x\":1}}\n"));
    assert_slice(feed_good(&f)->request.model, "\"b\"");
    feed_ends(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_types_are_named),
        cmocka_unit_test(whole_numbers_written_as_fractions),
        cmocka_unit_test(every_parameter_of_a_request),
        cmocka_unit_test(records_are_data),
        cmocka_unit_test(the_model_of_extra_body_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
