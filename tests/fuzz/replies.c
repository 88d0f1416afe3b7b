// replies.c: any JSON as a provider's answer: what is taken from it is whole, and so is the result
// line made of it. First character: the wire.
// SPDX-License-Identifier: MIT
#include "jobs/out/line.h"
#include "pool/signals/signals.h"
#include "pool/wire/stream.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/wires.h"

static void check_line(const struct job *job, struct line_options options) {
    struct buf line = BUF_INIT(FUZZ_MAX);
    struct line_facts facts;
    line_add(&line, job, &options);
    HOLDS(!line.failed && json_check(buf_slice(&line), NULL));
    HOLDS(memchr(line.p, '\n', line.n) == line.p + line.n - 1);
    HOLDS(line_read(buf_slice(&line), options.format, &facts) && facts.ok);
    HOLDS(line_may_begin_with(buf_slice(&line), options.format));
    buf_free(&line);
}

static struct slice reply_in(struct slice line, enum output_format format) {
    switch (format) {
    case OUTPUT_OPENAI: return json_get(json_get(line, "response"), "body");
    case OUTPUT_ANTHROPIC: return json_get(json_get(line, "result"), "message");
    default: return json_get(line, "response");
    }
}

// What is written for another provider's readers says to them what this one's said.
static void check_translated(const struct job *job, enum output_format format) {
    static const struct wire *const wires[] = {[OUTPUT_OPENAI] = &wire_openai,
                                               [OUTPUT_ANTHROPIC] = &wire_anthropic,
                                               [OUTPUT_GEMINI] = &wire_gemini};
    struct buf line = BUF_INIT(FUZZ_MAX), scratch = BUF_INIT(FUZZ_MAX);
    struct slice text = job->result.reply.text;
    struct reply reply = {.usage = USAGE_NONE};
    const char *what;
    line_add(&line, job, &(struct line_options){.format = format});
    struct slice body = reply_in(buf_slice(&line), format);
    HOLDS(body.p);
    bool good = wires[format]->read_reply(body, &scratch, &reply, &what) == WIRE_OK;
    bool mixed = job->result.reply.refusal.n > 2; // which others say in the text
    HOLDS(text.n <= 2 || mixed || (good && slice_eq(reply.text, text)));
    buf_free(&line);
    buf_free(&scratch);
}

// In every format, and with the reply itself.
static void check_lines(const struct job *job) {
    for (int format = 0; format < OUTPUT_FORMATS; format++)
        check_line(job, (struct line_options){.format = (enum output_format)format});
    check_line(job, (struct line_options){.include_response = true});
    for (int format = OUTPUT_OPENAI; format < OUTPUT_FORMATS; format++)
        check_translated(job, (enum output_format)format);
}

static struct slice first_of(struct slice array) {
    struct slice first = SLICE_NONE;
    struct json_walk walk = json_walk(array);
    return json_type(array) == JSON_ARRAY && json_next_element(&walk, &first) ? first : SLICE_NONE;
}

static struct slice string_in(struct slice object, const char *name) {
    struct slice token = json_get(object, name);
    return json_type(token) == JSON_STRING ? token : SLICE_NONE;
}

// What is read through all levels at once is what is found level by level.
static void check_levels(struct slice body, const struct reply *reply) {
    struct slice choice = first_of(json_get(body, "choices")), usage = json_get(body, "usage");
    struct slice message = json_get(choice, "message");
    struct slice text = string_in(json_type(message) == JSON_OBJECT ? message : choice,
                                  json_type(message) == JSON_OBJECT ? "content" : "text");
    struct slice refusal = string_in(message, "refusal");
    int64_t output;
    HOLDS(slice_eq(reply->model, string_in(body, "model")));
    struct slice reason = string_in(choice, "finish_reason");
    HOLDS(!reason.n || slice_eq(reply->finish_reason, reason));
    HOLDS(!text.n || slice_eq(reply->text, text));
    HOLDS(refusal.n > 2 ? slice_eq(reply->refusal, refusal) : !reply->refusal.n);
    if (json_type(usage) == JSON_OBJECT && json_get(usage, "completion_tokens").n)
        HOLDS(reply->usage.output_tokens < 0 ||
              (json_int(json_get(usage, "completion_tokens"), &output) &&
               output == reply->usage.output_tokens));
}

// As pool/answer.c does.
static enum wire_answer put_together(const struct wire *wire, struct slice body,
                                     struct buf *scratch, struct reply *reply) {
    struct wire_stream s;
    const char *what = "";
    wire_stream_init(&s, wire, FUZZ_MAX);
    wire_stream_take(&s, body);
    s.complete = true;
    enum stream_end end = wire_stream_finish(&s, scratch, &what);
    *reply = (struct reply){.usage = s.usage};
    HOLDS(end != STREAM_TOO_LARGE);
    if (end == STREAM_WHOLE)
        wire_stream_reply(&s, buf_slice(scratch), reply);
    wire_stream_free(&s);
    return end == STREAM_WHOLE ? WIRE_OK : WIRE_NOT_MINE;
}

static void check(const struct wire *wire, struct slice body) {
    struct job *job = job_new(1024, FUZZ_MAX);
    struct reply *reply = &job->result.reply;
    const char *what = NULL;
    buf_add_slice(&job->body, body);
    body = buf_slice(&job->body);
    *reply = (struct reply){.usage = USAGE_NONE};
    enum wire_answer answer = wire->read_reply(body, &job->scratch, reply, &what);
    bool in_parts = answer == WIRE_PARTS;
    HOLDS(answer == WIRE_OK || what);
    if (in_parts)
        answer = put_together(wire, body, &job->scratch, reply);
    HOLDS(answer != WIRE_NOT_JSON);
    if (answer != WIRE_NOT_MINE)
        fuzz_check_reply(reply, body, buf_slice(&job->scratch));
    if (answer == WIRE_OK && wire == &wire_openai && !in_parts)
        check_levels(body, reply);
    if (answer == WIRE_OK) {
        job->id = SLICE("1");
        job->result.outcome = OUTCOME_OK;
        job->result.shape = wire->reply;
        job->result.provider = wire->name;
        check_lines(job);
    }
    // so one that says something and shows no error need not be asked
    bool says = wire_says_something(reply) && !reply->error.n;
    HOLDS(!signals_is_error_body(body) || answer != WIRE_OK || !says || in_parts);
    job_free(job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct slice body = fuzz_input(data, size);
    const struct wire *wire = fuzz_wire(fuzz_choice(&body));
    struct buf scratch = BUF_INIT(FUZZ_MAX);
    struct reply reply;
    const char *what = NULL;
    if (json_check(body, NULL))
        check(wire, body);
    else
        HOLDS(wire->read_reply(body, &scratch, &reply, &what) == WIRE_NOT_JSON && what);
    buf_free(&scratch);
    return 0;
}
