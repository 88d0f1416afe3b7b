// envelope.c: which bodies with a good status are errors, and where the error stands in them.
// SPDX-License-Identifier: MIT
#include "pool/signals/signals.h"

#include "jobs/base/json.h"
#include "tests/unit/pool/test.h"

#include <string.h>

static void assert_error_body(const char *body, bool expected) {
    assert_true(json_check(slice_str(body), NULL));
    if (signals_is_error_body(slice_str(body)) != expected)
        fail_msg("%s is taken for %s", body, expected ? "an answer" : "an error");
}

static void all_are(bool errors, const char *const *bodies) {
    for (; *bodies; bodies++)
        assert_error_body(*bodies, errors);
}

#define ERRORS(...)  all_are(true, (const char *const[]){__VA_ARGS__, NULL})
#define ANSWERS(...) all_are(false, (const char *const[]){__VA_ARGS__, NULL})

static void tells_errors_from_answers(void **state) {
    (void)state;
    ERRORS("{\"error\":{\"message\":\"m\"}}", "{\"error\":\"m\"}",
           "{\"error\":{\"message\":\"m\"},\"choices\":[]}", "[{\"error\":{\"code\":429}}]",
           "{\"success\":false,\"code\":1001,\"msg\":\"m\"}", "{\"error\":{\"code\":500}}",
           "{\"error\":true,\"message\":\"m\"}");
    ANSWERS("{\"error\":null,\"choices\":[{}]}", "{\"error\":{},\"choices\":[{}]}",
            "{\"choices\":[{}]}", "{\"choices\":[]}", "{\"success\":true}",
            "{\"data\":[{\"embedding\":[1]}]}", "{}", "[]", "\"error\"", "12", "{\"error\":\"\"}",
            "{\"error\":false}", "{\"error\":{\"code\":0,\"message\":\"\"},\"id\":\"x\"}",
            "{\"error\":{\"code\":\"\",\"message\":\"\"},\"id\":\"x\"}");
}

static void knows_the_envelopes_of_many_servers(void **state) {
    (void)state;
    ERRORS( // MiniMax
        "{\"id\":\"x\",\"choices\":null,\"base_resp\":{\"status_code\":1008,\"status_msg\":\"m\"}}",
        "{\"base_resp\":{\"status_code\":1002}}",
        // SiliconFlow, DashScope, Spark, one-api
        "{\"code\":30001,\"message\":\"m\",\"data\":null}",
        "{\"code\":\"Arrearage\",\"message\":\"m\"}",
        "{\"code\":10007,\"message\":\"m\",\"sid\":\"s\"}",
        "{\"code\":1,\"msg\":\"m\",\"data\":[]}", "{\"error_code\":18,\"error_msg\":\"m\"}",
        "{\"header\":{\"code\":10013,\"message\":\"m\"}}",
        "{\"status\":\"error\",\"message\":\"m\"}", "{\"status\":\"449\",\"msg\":\"m\"}",
        "{\"status\":429,\"title\":\"Too Many Requests\"}",
        "{\"object\":\"error\",\"message\":\"m\",\"code\":40001}",
        // FastAPI
        "{\"detail\":\"m\"}", "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"m\"}]}",
        "{\"detail\":{\"error\":\"m\"}}",
        // Cloudflare, Tencent, Apigee, AWS
        "{\"success\":false,\"errors\":[{\"code\":10000,\"message\":\"m\"}]}",
        "{\"errors\":[{\"message\":\"m\"}]}",
        "{\"Response\":{\"Error\":{\"Code\":\"c\",\"Message\":\"m\"},\"RequestId\":\"r\"}}",
        "{\"fault\":{\"faultstring\":\"m\"}}", "{\"__type\":\"ThrottlingException\"}",
        "{\"message\":\"m\"}", "{\"msg\":\"m\"}",
        // inside an answer that is none
        "{\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\"}}}");
    ANSWERS("{\"choices\":[{}],\"base_resp\":{\"status_code\":0,\"status_msg\":\"\"}}",
            "{\"base_resp\":{\"status_code\":0,\"status_msg\":\"success\"}}",
            "{\"code\":0,\"message\":\"Success\",\"sid\":\"s\",\"choices\":[{}]}",
            "{\"code\":200,\"msg\":\"ok\",\"data\":[{}]}", "{\"code\":\"Success\",\"data\":[{}]}",
            "{\"code\":20000,\"status\":true,\"data\":[{}]}",
            "{\"object\":\"response\",\"status\":\"completed\",\"error\":null,\"output\":[{}]}",
            "{\"errors\":[],\"data\":[{}]}",
            "{\"message\":{\"role\":\"assistant\",\"content\":[]}}",
            "{\"Response\":{\"Choices\":[]}}", "{\"detail\":\"high\",\"data\":[{}]}");
}

static void assert_found(const char *body, const char *expected) {
    struct slice error;
    assert_true(json_check(slice_str(body), NULL));
    bool found = signals_find_error(slice_str(body), &error);
    assert_int_equal(found, expected != NULL);
    if (expected && !slice_is(error, expected))
        fail_msg("%s: found %.*s", body, SLICE_ARG(error));
}

#define GOOD_CHOICE "{\"index\":0,\"message\":{\"content\":\"hello\"}}"

static void finds_errors_beside_and_inside_an_answer(void **state) {
    (void)state;
    assert_found("{\"choices\":[" GOOD_CHOICE "],\"error\":{\"message\":\"m\"}}",
                 "{\"message\":\"m\"}");
    assert_error_body("{\"choices\":[" GOOD_CHOICE "],\"error\":{\"message\":\"m\"}}", false);
    assert_found("{\"choices\":[" GOOD_CHOICE ",{\"error\":{\"code\":502}}]}", "{\"code\":502}");
    assert_found("{\"choices\":[{\"index\":0,\"error\":\"m\"}]}", "\"m\"");
    assert_found("{\"choices\":[" GOOD_CHOICE "],\"base_resp\":{\"status_code\":1027}}",
                 "{\"status_code\":1027}");
    assert_found("{\"choices\":[" GOOD_CHOICE "],\"base_resp\":{\"status_code\":0}}", NULL);
    assert_found("{\"choices\":[" GOOD_CHOICE "],\"error\":null}", NULL);
    assert_found("{\"choices\":[{\"error\":null}],\"error\":{}}", NULL);
    assert_found("{\"choices\":[" GOOD_CHOICE "]}", NULL);
    assert_found("{\"detail\":\"m\"}", "{\"detail\":\"m\"}");
    assert_found("{\"message\":\"m\"}", NULL); // any path may answer so
    assert_found("[1]", NULL);
    assert_true(signals_find_error(SLICE("{\"error\":\"m\"}"), NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_errors_from_answers),
        cmocka_unit_test(knows_the_envelopes_of_many_servers),
        cmocka_unit_test(finds_errors_beside_and_inside_an_answer),
    };
    RUN_TESTS(tests);
}
