// served.c: any JSON as a request that somebody sends to the simulator; what it answers, whole or as a
// stream, reads back as it was said. First character: the wire.
// SPDX-License-Identifier: MIT
#include "pool/wire/stream.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/wires.h"

static void check_said(const struct reply *reply, const struct wire_response *said) {
    HOLDS(said->tool_name.p || slice_eq(reply->text, said->text));
    HOLDS(!said->tool_name.p == !reply->tool_calls.p);
    HOLDS(reply->usage.input_tokens == 3 && reply->usage.output_tokens == 4);
    HOLDS(reply->finish_reason.p);
}

static void answer_whole(const struct wire *wire, const struct wire_response *said) {
    struct buf body = BUF_INIT(FUZZ_MAX), scratch = BUF_INIT(FUZZ_MAX);
    struct reply reply = {.usage = USAGE_NONE};
    const char *what = NULL;
    wire->build_reply(said, &body);
    HOLDS(!body.failed && json_check(buf_slice(&body), NULL));
    HOLDS(wire->read_reply(buf_slice(&body), &scratch, &reply, &what) == WIRE_OK);
    fuzz_check_reply(&reply, buf_slice(&body), buf_slice(&scratch));
    check_said(&reply, said);
    buf_free(&body);
    buf_free(&scratch);
}

static void answer_in_parts(const struct wire *wire, const struct wire_response *said) {
    struct buf body = BUF_INIT(FUZZ_MAX), scratch = BUF_INIT(FUZZ_MAX);
    struct wire_stream stream;
    struct reply reply;
    const char *what = NULL;
    wire->build_stream(said, true, &body);
    wire_stream_init(&stream, wire, FUZZ_MAX);
    wire_stream_feed(&stream, buf_slice(&body));
    HOLDS(wire_stream_finish(&stream, &scratch, &what) == STREAM_WHOLE);
    wire_stream_reply(&stream, buf_slice(&scratch), &reply);
    fuzz_check_reply(&reply, SLICE_NONE, buf_slice(&scratch));
    check_said(&reply, said);
    wire_stream_free(&stream);
    buf_free(&body);
    buf_free(&scratch);
}

static void check_request(const struct wire_request *r, struct slice body) {
    const struct slice strings[] = {r->model, r->prompt, r->tool_name};
    for (size_t i = 0; i < COUNT(strings); i++)
        HOLDS(!strings[i].p ||
              (fuzz_is_token(strings[i], JSON_STRING) && fuzz_is_within(strings[i], body)));
    HOLDS(r->max_tokens >= -1);
    HOLDS(r->prompt_bytes <= body.n);
}

static void serve(const struct wire *wire, struct slice body) {
    struct wire_request request;
    const char *what = NULL;
    enum wire_answer answer = wire->read_request(body, &request, &what);
    HOLDS(answer == WIRE_OK || what);
    if (answer != WIRE_OK)
        return;
    check_request(&request, body);
    struct wire_response said = {
        .id = "chatcmpl-1",
        .model = request.model.p ? request.model : SLICE("\"m\""),
        .text = request.prompt.p ? request.prompt : SLICE("\"\""),
        .finish_reason = request.tool_name.p ? "tool_calls" : "stop",
        .tool_name = request.tool_name,
        .input_tokens = 3,
        .output_tokens = 4,
        .created = 1700000000,
    };
    answer_whole(wire, &said);
    answer_in_parts(wire, &said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct slice body = fuzz_input(data, size);
    const struct wire *wire = fuzz_wire(fuzz_choice(&body));
    if (json_check(body, NULL))
        serve(wire, body);
    return 0;
}
