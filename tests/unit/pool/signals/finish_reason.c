// finish_reason.c: what the reasons to end of all wires say about an answer.
// SPDX-License-Identifier: MIT
#include "pool/signals/finish_reason.h"

#include "tests/unit/pool/test.h"

static void all_mean(enum finish finish, const char *const *tokens) {
    for (; *tokens; tokens++)
        if (signals_finish_reason(slice_str(*tokens)) != finish)
            fail_msg("%s is read as %d, not %d", *tokens, signals_finish_reason(slice_str(*tokens)),
                     finish);
}

#define ALL_MEAN(finish, ...) all_mean(finish, (const char *const[]){__VA_ARGS__, NULL})

static void tells_whole_answers_from_failures(void **state) {
    (void)state;
    ALL_MEAN(FINISH_GOOD, "\"stop\"", "\"tool_calls\"", "\"function_call\"", "\"end_turn\"",
             "\"stop_sequence\"", "\"tool_use\"", "\"pause_turn\"", "\"STOP\"", "\"COMPLETE\"",
             "\"eos\"", "\"eos_token\"", "null", "\"\"", "\"something new\"", "12", "{}", "[]");
    ALL_MEAN(FINISH_LENGTH, "\"length\"", "\"max_output_tokens\"", "\"max_tokens\"",
             "\"MAX_TOKENS\"", "\"model_length\"", "\"model_context_window_exceeded\"",
             "\"ERROR_LIMIT\"", "\"repetition\"");
    ALL_MEAN(FINISH_FILTERED, "\"content_filter\"", "\"refusal\"", "\"guardrail_intervened\"",
             "\"content_filtered\"", "\"SAFETY\"", "\"safety\"", "\"RECITATION\"", "\"LANGUAGE\"",
             "\"BLOCKLIST\"", "\"PROHIBITED_CONTENT\"", "\"SPII\"", "\"MODEL_ARMOR\"",
             "\"JAILBREAK\"", "\"IMAGE_SAFETY\"", "\"IMAGE_PROHIBITED_CONTENT\"",
             "\"IMAGE_RECITATION\"", "\"sensitive\"", "\"ERROR_TOXIC\"");
    ALL_MEAN(FINISH_FAILED, "\"error\"", "\"ERROR\"", "\"network_error\"",
             "\"insufficient_system_resource\"", "\"abort\"", "\"aborted\"",
             "{\"type\":\"abort\",\"message\":\"m\"}", "\"USER_CANCEL\"", "\"TIMEOUT\"", "\"load\"",
             "\"unload\"", "\"cancelled\"", "\"canceled\"", "\"server_error\"",
             "\"internal_error\"", "\"upstream_error\"", "\"connection_error\"", "\"overloaded\"",
             "\"failed\"");
    ALL_MEAN(FINISH_UNUSABLE, "\"MALFORMED_FUNCTION_CALL\"", "\"malformed_function_call\"",
             "\"UNEXPECTED_TOOL_CALL\"", "\"TOO_MANY_TOOL_CALLS\"", "\"MISSING_THOUGHT_SIGNATURE\"",
             "\"MALFORMED_RESPONSE\"", "\"NO_IMAGE\"", "\"IMAGE_OTHER\"", "\"OTHER\"",
             "\"malformed_model_output\"", "\"malformed_tool_use\"");
    assert_int_equal(signals_finish_reason(SLICE_NONE), FINISH_GOOD);
}

static void every_reason_to_block_is_policy(void **state) {
    (void)state;
    assert_int_equal(signals_block_reason(SLICE("\"OTHER\"")), FINISH_FILTERED);
    assert_int_equal(signals_block_reason(SLICE("\"SAFETY\"")), FINISH_FILTERED);
    assert_int_equal(signals_block_reason(SLICE("\"something new\"")), FINISH_FILTERED);
    assert_int_equal(signals_block_reason(SLICE("null")), FINISH_GOOD);
    assert_int_equal(signals_block_reason(SLICE_NONE), FINISH_GOOD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_whole_answers_from_failures),
        cmocka_unit_test(every_reason_to_block_is_policy),
    };
    RUN_TESTS(tests);
}
