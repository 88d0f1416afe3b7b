// line.c (test): every field of a result line, its bytes, and reading it back.
// SPDX-License-Identifier: MIT
#include "jobs/out/line.h"

#include "jobs/base/random.h"
#include "tests/unit/jobs/out/finished.h"

static const struct line_options native = {.format = OUTPUT_NATIVE};
static const struct line_options openai = {.format = OUTPUT_OPENAI};

static void an_answer_is_the_contracts_line(void **state) {
    (void)state;
    struct job *job = new_job("17");
    answer(job);
    job->input = SLICE("{\"prompt\":\"x\",\"n\":9007199254740993}");
    assert_string_equal(
        line_of(job, &native),
        "{\"id\":\"17\",\"index\":16,\"status\":\"ok\",\"provider\":\"bigmodel\",\"key\":"
        "\"bigmodel-2\","
        "\"model\":\"glm-4.5-flash\",\"text\":\"hi\",\"finish_reason\":\"stop\","
        "\"usage\":{\"input_tokens\":12,\"output_tokens\":34,\"total_tokens\":46},\"attempts\":1,"
        "\"http_status\":200,\"started_at\":\"2026-11-21T06:00:00.123Z\",\"latency_ms\":812.4,"
        "\"wait_ms\":3.1,\"input\":{\"prompt\":\"x\",\"n\":9007199254740993}}\n");
    job_free(job);
}

static void a_failure_is_the_contracts_line(void **state) {
    (void)state;
    struct job *job = new_job("18");
    answer(job);
    job_fail(job, OUTCOME_INVALID_REQUEST, "no \"model\"\n");
    memcpy(job->result.code, "1210", 5);
    job->result.http_status = 400;
    job->result.latency = 1000;
    job->result.wait = 0;
    assert_string_equal(
        line_of(job, &(struct line_options){.no_input = true}),
        "{\"id\":\"18\",\"index\":16,\"status\":\"error\",\"provider\":\"bigmodel\","
        "\"key\":\"bigmodel-2\",\"model\":\"glm-4.5\",\"error\":{\"class\":\"invalid_request\","
        "\"code\":\"1210\",\"message\":\"no \\\"model\\\"\\n\",\"http_status\":400},\"attempts\":1,"
        "\"http_status\":400,\"started_at\":\"2026-11-21T06:00:00.123Z\",\"latency_ms\":1,"
        "\"wait_ms\":0}\n");
    job_free(job);
}

static void a_bad_row_has_its_line_and_nulls(void **state) {
    (void)state;
    struct job *job = new_job("3");
    job_fail(job, OUTCOME_BAD_INPUT, "not JSON");
    assert_string_equal(
        line_of(job, &native),
        "{\"id\":\"3\",\"index\":16,\"status\":\"error\",\"provider\":null,\"key\":null,"
        "\"model\":null,\"error\":{\"class\":\"bad_input\",\"code\":null,"
        "\"message\":\"not JSON\",\"http_status\":null},\"line\":17,\"attempts\":0,"
        "\"http_status\":null,\"started_at\":null,\"latency_ms\":null,\"wait_ms\":0,"
        "\"input\":null}\n");
    job_free(job);
}

static void only_bad_rows_have_a_line_number(void **state) {
    (void)state;
    struct job *job = new_job("3");
    for (int outcome = OUTCOME_BAD_INPUT; outcome < OUTCOME_COUNT; outcome++) {
        struct line_facts facts;
        job_fail(job, (enum outcome)outcome, "x");
        const char *line = line_of(job, &native);
        assert_int_equal(json_get(slice_str(line), "line").n != 0, outcome == OUTCOME_BAD_INPUT);
        assert_true(line_read(slice_str(line), OUTPUT_NATIVE, &facts));
        assert_false(facts.ok);
        assert_int_equal(facts.bad_input, outcome == OUTCOME_BAD_INPUT);
        struct slice class = json_get(json_get(slice_str(line), "error"), "class");
        assert_true(json_string_is(class, outcome_name((enum outcome)outcome)));
    }
    job_free(job);
}

static void a_stream_tells_its_first_token(void **state) {
    (void)state;
    struct job *job = new_job("1");
    answer(job);
    job->result.ttft = 101500;
    assert_non_null(
        strstr(line_of(job, &native), "\"latency_ms\":812.4,\"ttft_ms\":101.5,\"wait_ms\""));
    job_fail(job, OUTCOME_TIMEOUT, "it stalled");
    assert_non_null(strstr(line_of(job, &native), "\"ttft_ms\":101.5,"));
    job->result.attempts = 0;
    assert_null(strstr(line_of(job, &native), "ttft_ms"));
    job_free(job);
}

static void tokens_keep_their_bytes(void **state) {
    (void)state;
    struct job *job = new_job("1");
    answer(job);
    struct slice text = SLICE("\"a\\u0000b\\/\\ud83d\\ude00\\ud800 \xc3\xa9 \\n\"");
    struct slice calls = SLICE("[{\"n\":12345678901234567890.10e+5,\"n\":1,\"a\":\"\\u0041\"}]");
    struct slice input = SLICE("{\"b\":1.0,\"a\":-0,\"b\":[1e400,\"\\u0000\"]}");
    job->result.reply.text = text;
    job->result.reply.tool_calls = calls;
    job->result.reply.reasoning = SLICE("\"\\u00e9\"");
    job->result.reply.refusal = SLICE("\"\\\"\"");
    job->input = input;
    struct slice line = slice_str(line_of(job, &native));
    assert_true(slice_eq(json_get(line, "text"), text));
    assert_true(slice_eq(json_get(line, "tool_calls"), calls));
    assert_true(slice_eq(json_get(line, "input"), input));
    assert_true(slice_is(json_get(line, "reasoning"), "\"\\u00e9\""));
    assert_true(slice_is(json_get(line, "refusal"), "\"\\\"\""));
    job_free(job);
}

static void what_a_reply_lacks(void **state) {
    (void)state;
    struct job *job = new_job("1");
    answer(job);
    struct reply *reply = &job->result.reply;
    reply->text = reply->finish_reason = reply->model = SLICE_NONE;
    reply->usage = USAGE_NONE;
    struct slice line = slice_str(line_of(job, &native));
    assert_true(slice_is(json_get(line, "text"), "null"));
    assert_true(slice_is(json_get(line, "finish_reason"), "null"));
    assert_true(slice_is(json_get(line, "usage"), "null"));
    assert_true(slice_is(json_get(line, "model"), "\"glm-4.5\""));
    assert_int_equal(json_get(line, "tool_calls").n, 0);
    assert_int_equal(json_get(line, "reasoning").n, 0);
    assert_int_equal(json_get(line, "refusal").n, 0);
    assert_int_equal(json_get(line, "response").n, 0);
    job->result.model_sent = SLICE_NONE;
    assert_true(slice_is(json_get(slice_str(line_of(job, &native)), "model"), "null"));
    job_free(job);
}

static void usage_holds_what_is_known(void **state) {
    (void)state;
    static const struct {
        struct usage usage;
        const char *shown;
    } cases[] = {
        {{1, 2, -1, -1, -1, -1}, "{\"input_tokens\":1,\"output_tokens\":2,\"total_tokens\":3}"},
        {{.input_tokens = 1,
          .output_tokens = 2,
          .total_tokens = 9,
          .cached_tokens = 4,
          .reasoning_tokens = 5,
          .cache_write_tokens = -1},
         "{\"input_tokens\":1,\"output_tokens\":2,\"total_tokens\":9,\"cached_tokens\":4,"
         "\"reasoning_tokens\":5}"},
        {{1, -1, -1, -1, -1, -1}, "{\"input_tokens\":1}"},
        {{-1, -1, -1, 0, -1, -1}, "{\"cached_tokens\":0}"},
        {{INT64_MAX, 1, -1, -1, -1, -1},
         "{\"input_tokens\":9223372036854775807,\"output_tokens\":1}"},
    };
    struct job *job = new_job("1");
    answer(job);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        job->result.reply.usage = cases[i].usage;
        struct slice usage = json_get(slice_str(line_of(job, &native)), "usage");
        assert_true(slice_is(usage, cases[i].shown));
    }
    job_free(job);
}

static void durations_have_no_exponent(void **state) {
    (void)state;
    static const struct {
        int64_t usec;
        const char *shown;
    } cases[] = {{0, "0"},       {1, "0.001"},   {10, "0.01"},
                 {999, "0.999"}, {1000, "1"},    {812400, "812.4"},
                 {-5, "0"},      {1050, "1.05"}, {INT64_C(86400000000123), "86400000000.123"}};
    struct job *job = new_job("1");
    answer(job);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        job->result.latency = job->result.wait = cases[i].usec;
        struct slice line = slice_str(line_of(job, &native));
        assert_true(slice_is(json_get(line, "latency_ms"), cases[i].shown));
        assert_true(slice_is(json_get(line, "wait_ms"), cases[i].shown));
    }
    job_free(job);
}

static struct slice response_of(struct job *job, struct slice body) {
    static const struct line_options options = {.include_response = true};
    set_body(job, body);
    return json_get(slice_str(line_of(job, &options)), "response");
}

static void a_response_keeps_its_bytes_but_line_breaks(void **state) {
    (void)state;
    struct job *job = new_job("1");
    answer(job);
    assert_true(
        slice_is(response_of(job, SLICE("{\r\n  \"a\": [1,\n\t2],\r\"b\\n\":\"\\r\\u0000\"\n}")),
                 "{    \"a\": [1, \t2], \"b\\n\":\"\\r\\u0000\" }"));
    assert_true(slice_is(response_of(job, SLICE("[]\n")), "[]"));
    assert_true(slice_is(response_of(job, SLICE("17")), "17"));
    assert_true(slice_is(response_of(job, SLICE("<html>\r\n\"\x01</html>")),
                         "\"<html>\\r\\n\\\"\\u0001</html>\""));
    assert_true(slice_is(response_of(job, SLICE("{\"a\":\"\xff\xc3\"}")),
                         "\"{\\\"a\\\":\\\"\xef\xbf\xbd\xef\xbf\xbd\\\"}\""));
    assert_true(slice_is(response_of(job, SLICE("{\"torn\":")), "\"{\\\"torn\\\":\""));
    assert_true(slice_is(response_of(job, slice_of("a\0b", 3)), "\"a\\u0000b\""));
    assert_true(slice_is(response_of(job, SLICE("")), "\"\""));
    job_fail(job, OUTCOME_NETWORK, "no connection");
    job->result.http_status = 0;
    assert_true(slice_is(response_of(job, SLICE("")), "null"));
    job_free(job);
}

static void a_streams_response_is_in_the_providers_shape(void **state) {
    (void)state;
    struct job *job = new_job("1");
    answer(job);
    job->result.assembled = true;
    job->result.shape = REPLY_ANTHROPIC;
    struct slice response = response_of(job, SLICE("{\"text\":\"hi\"}"));
    assert_true(slice_is(json_get(response, "type"), "\"message\""));
    assert_true(slice_is(json_get(response, "content"), "[{\"type\":\"text\",\"text\":\"hi\"}]"));
    job_free(job);
}

static void tool_calls_of_a_pretty_body_fit_one_line(void **state) {
    (void)state;
    struct job *job = new_job("1");
    answer(job);
    job->result.reply.tool_calls = SLICE("[\r\n {\n  \"id\": 1\r}\n]");
    assert_true(slice_is(json_get(slice_str(line_of(job, &native)), "tool_calls"),
                         "[   {   \"id\": 1 } ]"));
    job_free(job);
}

static void an_openai_line_with_an_answer(void **state) {
    (void)state;
    struct job *job = new_job("request-1");
    answer(job);
    set_body(job, SLICE("{\n\"id\": \"x\",\"n\":9007199254740993}"));
    struct slice line = slice_str(line_of(job, &openai));
    assert_true(slice_starts(line, "{\"id\":\"batch_req_"));
    assert_true(slice_is(json_get(line, "custom_id"), "\"request-1\""));
    assert_true(slice_is(json_get(line, "response"),
                         "{\"status_code\":200,\"request_id\":\"chatcmpl-1\",\"body\":"
                         "{ \"id\": \"x\",\"n\":9007199254740993}}"));
    assert_true(slice_is(json_get(line, "error"), "null"));
    assert_true(slice_is(json_get(line, "key"), "\"bigmodel-2\""));
    job_free(job);
}

// Its own line breaks are escaped, those around it are not.
static void a_body_that_is_a_string_fits_one_line(void **state) {
    (void)state;
    struct job *job = new_job("1");
    answer(job);
    set_body(job, SLICE("\"a\\nb\"\r\n"));
    struct slice line = slice_str(line_of(job, &(struct line_options){.include_response = true}));
    assert_null(memchr(line.p, '\n', line.n - 1));
    assert_true(slice_is(json_get(line, "response"), "\"a\\nb\""));
    job_free(job);
}

static void an_openai_line_with_a_failure(void **state) {
    (void)state;
    struct job *job = new_job("request-2");
    answer(job);
    job_fail(job, OUTCOME_AUTH, "who?");
    job->result.http_status = 401;
    set_body(job, SLICE("{\"error\":{}}"));
    struct slice line = slice_str(line_of(job, &openai));
    assert_true(slice_is(json_get(line, "response"),
                         "{\"status_code\":401,\"request_id\":null,\"body\":{\"error\":{}}}"));
    assert_true(slice_is(json_get(line, "error"), "{\"code\":\"auth\",\"message\":\"who?\"}"));
    set_body(job, SLICE("<html>"));
    memcpy(job->result.code, "1001", 5);
    line = slice_str(line_of(job, &openai));
    assert_true(slice_is(json_get(line, "response"), "null"));
    assert_true(slice_is(json_get(line, "error"), "{\"code\":\"1001\",\"message\":\"who?\"}"));
    job_free(job);
}

static void an_openai_id_is_the_same_again_and_nobody_elses(void **state) {
    (void)state;
    struct job *a = new_job("a"), *b = new_job("b");
    char first[200];
    answer(a);
    answer(b);
    snprintf(first, sizeof first, "%.*s",
             SLICE_ARG(json_get(slice_str(line_of(a, &openai)), "id")));
    a->index = 99;
    assert_true(slice_is(json_get(slice_str(line_of(a, &openai)), "id"), first));
    assert_false(slice_is(json_get(slice_str(line_of(b, &openai)), "id"), first));
    job_free(a);
    job_free(b);
}

// Random ids, outcomes and bodies: each line is one line of valid JSON whose facts are the job's.
static void any_job_is_read_back(void **state) {
    (void)state;
    struct random random = {1};
    for (int i = 0; i < 4000; i++) {
        char id[24], body[64];
        size_t id_n = (size_t)random_below(&random, sizeof id);
        size_t body_n = (size_t)random_below(&random, sizeof body);
        for (size_t k = 0; k < id_n; k++)
            id[k] = (char)random_below(&random, 128);
        for (size_t k = 0; k < body_n; k++)
            body[k] = (char)random_next(&random);
        struct job *job = new_job("");
        job->id = slice_of(id, id_n);
        answer(job);
        enum outcome outcome = (enum outcome)(1 + random_below(&random, OUTCOME_COUNT - 1));
        if (outcome != OUTCOME_OK)
            job_fail(job, outcome, "%.*s", (int)body_n, body);
        if (outcome == OUTCOME_BAD_INPUT)
            job->result.http_status = 0, job->result.key = NULL, body_n = 0;
        set_body(job, slice_of(body, body_n));
        job->result.shape = (enum reply_shape)random_below(&random, 3);
        for (int f = 0; f < OUTPUT_FORMATS; f++) {
            struct line_options options = {.format = (enum output_format)f,
                                           .include_response = i % 2};
            struct line_facts facts;
            struct buf decoded = BUF_INIT(1024);
            struct slice line = slice_str(line_of(job, &options));
            assert_true(line_read(line, options.format, &facts));
            assert_int_equal(facts.ok, outcome == OUTCOME_OK);
            assert_int_equal(facts.bad_input, outcome == OUTCOME_BAD_INPUT);
            assert_true(json_string_decode(facts.id_token, &decoded));
            assert_true(slice_eq(buf_slice(&decoded), job->id));
            for (int other = 0; other < OUTPUT_FORMATS; other++)
                assert_int_equal(line_read(line, (enum output_format)other, &facts), other == f);
            buf_free(&decoded);
        }
        job_free(job);
    }
}

#define NULLS "\"provider\":null,\"key\":null,\"model\":null"

static void what_is_no_result(void **state) {
    (void)state;
    static const char *const lines[] = {
        "",
        "\n",
        "null",
        "{}",
        "[]",
        "\"id\"",
        "{\"id\":\"1\",\"prompt\":\"hello\"}",
        "{\"id\":\"1\",\"index\":0,\"status\":\"ok\"}",
        "{\"id\":1,\"index\":0,\"status\":\"ok\"," NULLS "}",
        "{\"id\":\"1\",\"index\":-1,\"status\":\"ok\"," NULLS "}",
        "{\"id\":\"1\",\"index\":\"0\",\"status\":\"ok\"," NULLS "}",
        "{\"id\":\"1\",\"index\":0,\"status\":\"done\"," NULLS "}",
        "{\"id\":\"1\",\"index\":0,\"status\":\"error\"," NULLS "}",
        "{\"id\":\"1\",\"index\":0,\"status\":\"ok\"," NULLS,
        "{\"id\":\"1\",\"index\":0,\"status\":\"ok\"," NULLS ",\"x\":\"\xff\"}",
        "{\"id\":\"1\",\"index\":0,\"status\":\"ok\"," NULLS "} {}",
        "{\"custom_id\":\"1\",\"method\":\"POST\",\"url\":\"/v1/x\",\"body\":{}}",
        "{\"id\":\"batch_req_1\",\"custom_id\":\"1\",\"response\":{},\"error\":null}",
        "{\"id\":\"b\",\"custom_id\":\"1\",\"response\":null,\"error\":null,\"key\":null}",
        "{\"custom_id\":\"1\",\"params\":{}}",
        "{\"custom_id\":\"1\",\"result\":{\"type\":\"succeeded\",\"message\":{}}}",
        "{\"custom_id\":\"1\",\"result\":{\"type\":\"succeeded\"},\"key\":null}",
        "{\"custom_id\":\"1\",\"result\":{\"type\":\"errored\"},\"key\":null}",
        "{\"custom_id\":1,\"result\":{\"type\":\"errored\",\"error\":{}},\"key\":null}",
        "{\"key\":\"1\",\"request\":{}}",
        "{\"key\":\"1\",\"response\":{}}",
        "{\"key\":\"1\",\"response\":{},\"error\":{},\"api_key\":null}",
        "{\"key\":\"1\",\"api_key\":null}",
        "{\"key\":1,\"response\":{},\"api_key\":null}",
    };
    struct line_facts facts;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        for (int f = 0; f < OUTPUT_FORMATS; f++)
            assert_false(line_read(slice_str(lines[i]), (enum output_format)f, &facts));
    }
}

static void what_a_cut_line_looks_like(void **state) {
    (void)state;
    struct job *job = new_job("a \"b\"");
    answer(job);
    set_body(job, SLICE("{}"));
    for (int f = 0; f < OUTPUT_FORMATS; f++) {
        struct line_options options = {.format = (enum output_format)f};
        struct slice line = slice_trim(slice_str(line_of(job, &options)));
        for (size_t n = 1; n <= line.n; n++)
            assert_true(line_may_begin_with(slice_of(line.p, n), options.format));
        assert_false(line_may_begin_with(SLICE("my notes"), options.format));
        assert_false(line_may_begin_with(SLICE("[1"), options.format));
        // somebody's input of one line: whole, but no result
        assert_false(line_may_begin_with(SLICE("{\"id\":\"1\",\"prompt\":\"p\"}"), options.format));
        assert_false(
            line_may_begin_with(SLICE("{\"custom_id\":\"1\",\"params\":{}}"), options.format));
        assert_false(line_may_begin_with(SLICE("{\"key\":\"1\",\"request\":{}}"), options.format));
    }
    job_free(job);
}

static void other_order_and_spaces_are_read_too(void **state) {
    (void)state;
    struct line_facts facts;
    assert_true(
        line_read(SLICE("{ \"key\": null, \"index\" : 3,\"model\":\"m\", \"status\": \"ok\","
                        "\"provider\":\"p\", \"\\u0069d\": \"x\" }\r\n"),
                  OUTPUT_NATIVE, &facts));
    assert_true(facts.ok);
    assert_true(slice_is(facts.id_token, "\"x\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_the_contracts_line),
        cmocka_unit_test(a_failure_is_the_contracts_line),
        cmocka_unit_test(a_bad_row_has_its_line_and_nulls),
        cmocka_unit_test(only_bad_rows_have_a_line_number),
        cmocka_unit_test(tokens_keep_their_bytes),
        cmocka_unit_test(what_a_reply_lacks),
        cmocka_unit_test(usage_holds_what_is_known),
        cmocka_unit_test(durations_have_no_exponent),
        cmocka_unit_test(a_response_keeps_its_bytes_but_line_breaks),
        cmocka_unit_test(a_streams_response_is_in_the_providers_shape),
        cmocka_unit_test(tool_calls_of_a_pretty_body_fit_one_line),
        cmocka_unit_test(an_openai_line_with_an_answer),
        cmocka_unit_test(a_body_that_is_a_string_fits_one_line),
        cmocka_unit_test(an_openai_line_with_a_failure),
        cmocka_unit_test(an_openai_id_is_the_same_again_and_nobody_elses),
        cmocka_unit_test(any_job_is_read_back),
        cmocka_unit_test(what_is_no_result),
        cmocka_unit_test(what_a_cut_line_looks_like),
        cmocka_unit_test(a_stream_tells_its_first_token),
        cmocka_unit_test(other_order_and_spaces_are_read_too),
    };
    QUIET_RUN(tests);
}
