// Tests runner/simulate/answer_fault.c and outages: what befalls an answer, and what stands in its place.
// SPDX-License-Identifier: MIT
#include "runner/simulate/answer.h"

#include "jobs/base/json.h"
#include "tests/unit/runner/simulate/rig.h"

#define STREAMED(text)                                                                             \
    "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]" \
    "}"

static void test_kinds(void **state) {
    (void)state;
    static const struct {
        const char *fault;
        int status;
        enum manner manner;
        enum settled settled;
        bool json;
    } rows[] = {
        {"429=1", 429, SEND_WHOLE, SETTLED_RATE_LIMITED, true},
        {"500=1", 500, SEND_WHOLE, SETTLED_FAILED, true},
        {"503=1", 503, SEND_WHOLE, SETTLED_FAILED, true},
        {"529=1", 529, SEND_WHOLE, SETTLED_FAILED, true},
        {"401=1", 401, SEND_WHOLE, SETTLED_FAILED, true},
        {"reset=1", 200, SEND_RESET, SETTLED_FAILED, true},
        {"truncated=1", 200, SEND_TRUNCATED, SETTLED_FAILED, true},
        {"slow=1", 200, SEND_SLOWLY, SETTLED_OK, true},
        {"malformed=1", 200, SEND_WHOLE, SETTLED_FAILED, false},
        {"html=1", 200, SEND_WHOLE, SETTLED_FAILED, false},
        {"empty=1", 200, SEND_WHOLE, SETTLED_FAILED, false},
        {"quota=1", 429, SEND_WHOLE, SETTLED_FAILED, true},
        {"day=1", 429, SEND_WHOLE, SETTLED_RATE_LIMITED, true},
        {"overloaded=1", 503, SEND_WHOLE, SETTLED_FAILED, true},
        {"model=1", 403, SEND_WHOLE, SETTLED_FAILED, true},
        {"forbidden=1", 403, SEND_WHOLE, SETTLED_FAILED, true},
        {"stream-error=1", 200, SEND_WHOLE, SETTLED_FAILED, true},
        {"stall=1", 200, SEND_STALLED, SETTLED_FAILED, true},
        {"hang=1", 200, SEND_NOTHING, SETTLED_FAILED, true},
    };
    assert_int_equal(COUNT_OF(rows), FAULT_COUNT - 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rig rig;
        bool refused = rows[i].settled == SETTLED_RATE_LIMITED;
        rig_start(&rig, &(struct simulate_options){
                            .fault = rows[i].fault, .fault_key = "2", .retry_after = 2000000});
        assert_int_equal(chat(&rig, 1, CHAT("a")), 200); // spared
        assert_int_equal(rig.answer.settlement.how, SETTLED_OK);
        for (int n = 0; n < 3; n++) { // always, on its key
            assert_int_equal(chat(&rig, 2, CHAT("a")), rows[i].status);
            assert_int_equal(rig.answer.manner, rows[i].manner);
            assert_int_equal(rig.answer.settlement.how, rows[i].settled);
            assert_int_equal(rig.answer.settlement.retry_after, refused ? 2000000 : -1);
            assert_int_equal(json_check(buf_slice(&rig.out), NULL), rows[i].json);
        }
        rig_stop(&rig);
    }
}

// What stands in place of an answer is the dialect's, whichever wire asked.
static void test_dialects(void **state) {
    (void)state;
    static const struct {
        const char *dialect, *fault, *holds;
        int status;
    } rows[] = {
        {"groq", "quota=1", "blocked_api_access", 400},
        {"groq", "overloaded=1", "capacity_exceeded", 498},
        {"groq", "model=1", "The model `m` does not exist", 404},
        {"groq", "401=1", "Invalid API Key", 401},
        {"mistral", "429=1", "\"code\":\"1300\"", 429},
        {"mistral", "overloaded=1", "Service tier capacity exceeded", 429},
        {"nvidia", "429=1", "\"title\":\"Too Many Requests\"", 429},
        {"nvidia", "401=1", "Authorization failed", 403},
        {"nvidia", "model=1", "Function 'm': Not found for account", 404},
        {"zai", "quota=1", "\"1113\"", 429},
        {"zai", "overloaded=1", "\"1305\"", 429},
        {"bigmodel", "day=1", "\"1304\"", 429},
        {"bigmodel", "model=1", "\"1311\"", 429},
        {"k2think", "401=1", "\"detail\":\"Your session has expired", 401},
        {"google", "quota=1", "[{\"error\":{\"code\":429", 429},
        {"google", "day=1", "GenerateRequestsPerDayPerProjectPerModel", 429},
        {"google", "401=1", "API_KEY_INVALID", 400},
        {"google", "forbidden=1", "api_key:sim-key-1-", 403},
        {"anthropic", "quota=1", "credit balance is too low", 400},
        {"anthropic", "529=1", "overloaded_error", 529},
        {"openai", "quota=1", "insufficient_quota", 429},
        {"openai", "day=1", "requests per day (RPD): Limit 1000", 429},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rig rig;
        rig_start(&rig, &(struct simulate_options){.dialect = choice(rows[i].dialect),
                                                   .fault = rows[i].fault});
        int status = chat(&rig, 1, CHAT("a"));
        if (status != rows[i].status || !strstr(buf_cstr(&rig.out), rows[i].holds))
            fail_msg("%s %s: %d %s", rows[i].dialect, rows[i].fault, status, buf_cstr(&rig.out));
        rig_stop(&rig);
    }
}

// The words of an answer, and after them an error or nothing.
static void test_streams(void **state) {
    (void)state;
    struct rig rig;
    rig_start(&rig, &(struct simulate_options){.fault = "stream-error=1", .latency = "100ms"});
    assert_int_equal(chat(&rig, 1, STREAMED("one two three four five six seven eight")), 200);
    assert_int_equal(rig.answer.manner, SEND_STREAM);
    assert_int_equal(rig.answer.spread, 75000);
    assert_non_null(strstr(buf_cstr(&rig.out), "\"content\":\"one two three \""));
    assert_non_null(strstr(buf_cstr(&rig.out), "\n\ndata: {\"error\":"));
    assert_null(strstr(buf_cstr(&rig.out), "[DONE]"));
    rig_stop(&rig);
    rig_start(&rig, &(struct simulate_options){.fault = "stall=1"});
    chat(&rig, 1, STREAMED("one two three four five six seven eight"));
    assert_int_equal(rig.answer.manner, SEND_STALLED);
    assert_non_null(rig.answer.events);
    assert_non_null(strstr(buf_cstr(&rig.out), "\"content\":\"one two three \""));
    assert_null(strstr(buf_cstr(&rig.out), "\"finish_reason\":\"stop\""));
    rig_stop(&rig);
    rig_start(&rig, &(struct simulate_options){.fault = "hang=1", .latency = "100ms"});
    chat(&rig, 1, STREAMED("one"));
    assert_int_equal(rig.answer.manner, SEND_NOTHING); // no stream is begun
    assert_null(rig.answer.events);
    rig_stop(&rig);
}

static void test_plain_stream_error(void **state) {
    (void)state;
    struct rig rig;
    rig_start(&rig,
              &(struct simulate_options){.fault = "stream-error=1", .dialect = choice("zai")});
    assert_int_equal(chat(&rig, 1, CHAT("a")), 200);
    assert_non_null(strstr(buf_cstr(&rig.out), "{\"error\":{\"code\":\"1305\""));
    assert_int_equal(rig.answer.settlement.output_tokens, 1);
    assert_int_equal(rig.answer.settlement.how, SETTLED_FAILED);
    rig_stop(&rig);
}

static int64_t stat(struct rig *rig, const char *name) {
    int64_t value = -1;
    ask(rig, 1, "GET", "/stats", "");
    assert_true(json_int(json_get(buf_slice(&rig->out), name), &value));
    return value;
}

// Down means down: good keys, dead ones, strangers, and the list of models; limits are not touched.
static void test_outage(void **state) {
    (void)state;
    struct rig rig;
    rig_start(&rig,
              &(struct simulate_options){.outage = "2s,1s,4s,1s,model", .dead_key = "2", .rpm = 2});
    rig.now = 10000000; // the clock starts with the first request
    assert_int_equal(ask(&rig, 1, "GET", "/stats", ""), 200);
    rig.now = 50000000;
    assert_int_equal(chat(&rig, 1, CHAT("a")), 200);
    rig.now = 52000000;
    for (int key = 1; key <= 4; key++)
        assert_int_equal(chat(&rig, key, CHAT("a")), 503);
    assert_int_equal(chat(&rig, 1, "no JSON"), 503);
    assert_int_equal(ask(&rig, 1, "GET", "/v1/models", ""), 503);
    assert_int_equal(stat(&rig, "failed"), 4); // one of five was a stranger
    assert_int_equal(stat(&rig, "unknown_key"), 1);
    rig.now = 53000000;
    assert_int_equal(chat(&rig, 1, CHAT("a")), 200);
    assert_int_equal(chat(&rig, 2, CHAT("a")), 401);
    rig.now = 54000000;
    assert_int_equal(chat(&rig, 4, CHAT("a")), 403);
    assert_non_null(strstr(buf_cstr(&rig.out), "access to model `m`"));
    rig_stop(&rig);
}

static void test_outage_kinds(void **state) {
    (void)state;
    struct slice list = slice_str(fault_names(false)), item;
    while (fault_next_item(&list, &item)) {
        struct buf outage = BUF_INIT(100);
        struct rig rig;
        buf_addf(&outage, "0,1s,%.*s", SLICE_ARG(item));
        rig_start(&rig, &(struct simulate_options){.outage = buf_cstr(&outage)});
        for (int key = 1; key <= 4; key++) { // 4 is a stranger
            chat(&rig, key, STREAMED("a"));
            assert_int_not_equal(rig.answer.settlement.how, SETTLED_OK);
            assert_int_not_equal(rig.answer.manner, SEND_STREAM);
        }
        rig_stop(&rig);
        buf_free(&outage);
    }
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),   cmocka_unit_test(test_dialects),
        cmocka_unit_test(test_streams), cmocka_unit_test(test_plain_stream_error),
        cmocka_unit_test(test_outage),  cmocka_unit_test(test_outage_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
