// Tests that an answer is the same however it comes: whole or as events, cut anyhow, in all wires.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/wire/built.h"
#include "tests/unit/pool/wire/whole.h"

#include <stdlib.h>

#define CHOICES 3
#define CALLS   3

// What is said, as string tokens; n is 0 where nothing is.
struct choice {
    struct buf text, reasoning, arguments[CALLS];
    int calls;
};

struct model {
    struct choice choices[CHOICES];
    int count;
    bool in_parts; // content as a list
};

static void fill(struct random *random, struct model *m, int most) {
    m->count = most == 1 ? 1 : 1 + (int)random_below(random, most);
    m->in_parts = random_below(random, 2);
    for (int i = 0; i < m->count; i++) {
        struct choice *c = &m->choices[i];
        *c = (struct choice){.text = BUF_INIT(MAX), .reasoning = BUF_INIT(MAX)};
        do
            random_text(random, &c->text);
        while (c->text.n < 3);
        if (random_below(random, 2))
            random_text(random, &c->reasoning);
        if (c->reasoning.n < 3)
            buf_clear(&c->reasoning);
        c->calls = (int)random_below(random, CALLS + 1);
        for (int n = 0; n < c->calls; n++) {
            c->arguments[n] = BUF_INIT(MAX);
            buf_addf(&c->arguments[n], "{\"n\":%d,\"t\":%s}", n + 1, buf_cstr(&c->text));
        }
    }
}

static void empty(struct model *m) {
    for (int i = 0; i < m->count; i++) {
        buf_free(&m->choices[i].text);
        buf_free(&m->choices[i].reasoning);
        for (int n = 0; n < m->choices[i].calls; n++)
            buf_free(&m->choices[i].arguments[n]);
    }
}

// -- a stream: what each event holds, in any order that keeps that of each list --

#define LISTS (CHOICES * (CALLS + 1))

struct lists {
    struct buf events[LISTS]; // one a line
    struct slice left[LISTS];
    int count;
};

static struct buf *list_of(struct lists *l, int n) {
    while (l->count <= n)
        l->events[l->count++] = BUF_INIT(MAX);
    return &l->events[n];
}

static bool take_line(struct slice *left, struct slice *line) {
    if (!left->n)
        return false;
    const char *end = memchr(left->p, '\n', left->n);
    *line = slice_of(left->p, (size_t)(end - left->p));
    *left = slice_of(end + 1, left->n - line->n - 1);
    return true;
}

// One event, with what servers put around it.
static void add_event(struct random *random, struct buf *out, struct slice data) {
    static const char *const ends[] = {"\n", "\r\n"};
    const char *end = ends[random_below(random, 2)];
    if (!random_below(random, 5))
        buf_addf(out, ": ping%s%s", end, random_below(random, 2) ? end : "");
    if (!random_below(random, 5))
        buf_addf(out, "event: message%sid: 7%s", end, end);
    buf_addf(out, "data:%s%.*s%s%s", random_below(random, 2) ? " " : "", SLICE_ARG(data), end, end);
}

static void merge(struct random *random, struct lists *l, struct buf *out) {
    int left = 0;
    for (int i = 0; i < l->count; i++) {
        l->left[i] = buf_slice(&l->events[i]);
        left += l->left[i].n > 0;
    }
    while (left) {
        struct slice line;
        int i = (int)random_below(random, l->count);
        if (take_line(&l->left[i], &line)) {
            add_event(random, out, line);
            left -= !l->left[i].n;
        }
    }
    for (int i = 0; i < l->count; i++)
        buf_free(&l->events[i]);
    l->count = 0;
}

// -- OpenAI --

#define USAGE                                                                                      \
    "{\"prompt_tokens\":9,\"completion_tokens\":8,\"total_tokens\":17,\"prompt_tokens_details\":{" \
    "\"cached_tokens\":4},\"completion_tokens_details\":{\"reasoning_tokens\":2}}"

static void openai_whole(const struct model *m, struct buf *out) {
    buf_add_str(out, "{\"id\":\"i\",\"model\":\"m\",\"choices\":[");
    for (int i = 0; i < m->count; i++) {
        const struct choice *c = &m->choices[i];
        struct slice text = buf_slice(&c->text), reasoning = buf_slice(&c->reasoning);
        buf_addf(out, "%s{\"index\":%d,\"message\":{\"content\":", i ? "," : "", i);
        if (m->in_parts && reasoning.n)
            buf_addf(out,
                     "[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":%.*s}]},"
                     "{\"type\":\"text\",\"text\":%.*s}]",
                     SLICE_ARG(reasoning), SLICE_ARG(text));
        else
            buf_addf(out, "%.*s,\"reasoning_content\":%.*s", SLICE_ARG(text),
                     SLICE_ARG(reasoning.n ? reasoning : SLICE("null")));
        buf_add_str(out, c->calls ? ",\"tool_calls\":[" : "");
        for (int n = 0; n < c->calls; n++) {
            buf_addf(out,
                     "%s{\"id\":\"c%d\",\"type\":\"function\",\"function\":{\"name\":\"f\","
                     "\"arguments\":\"",
                     n ? "," : "", n);
            json_add_escaped(out, buf_slice(&c->arguments[n]));
            buf_add_str(out, "\"}}");
        }
        buf_add_str(out, c->calls ? "]" : "");
        buf_add_str(out, "},\"finish_reason\":\"stop\"}");
    }
    buf_add_str(out, "],\"usage\":" USAGE "}");
}

static void openai_delta(struct buf *list, int choice, const char *before, struct slice inside,
                         const char *after) {
    buf_addf(list,
             "{\"id\":\"i\",\"model\":\"m\",\"choices\":[{\"index\":%d,\"delta\":{%s%.*s%s}}],"
             "\"usage\":null}\n",
             choice, before, SLICE_ARG(inside), after);
}

static void openai_calls(struct lists *l, const struct choice *c, int choice, bool one_place) {
    for (int n = 0; n < c->calls; n++) {
        // with one place for all, calls come one after the other
        struct buf *list = list_of(l, choice * (CALLS + 1) + (one_place ? 0 : 1 + n));
        struct buf escaped = BUF_INIT(MAX);
        char before[200];
        int place = one_place ? 0 : n;
        snprintf(before, sizeof before,
                 "\"tool_calls\":[{\"index\":%d,\"id\":\"c%d\",\"function\":{\"name\":\"f\","
                 "\"arguments\":\"",
                 place, n);
        openai_delta(list, choice, before, SLICE(""), "\"}}]");
        snprintf(before, sizeof before,
                 "\"tool_calls\":[{\"index\":%d,\"function\":{\"arguments\":\"", place);
        json_add_escaped(&escaped, buf_slice(&c->arguments[n]));
        for (struct slice rest = buf_slice(&escaped); rest.n;)
            openai_delta(list, choice, before, wire_next_piece(&rest), "\"}}]");
        buf_free(&escaped);
    }
}

static void openai_stream(struct random *random, const struct model *m, struct buf *out) {
    struct lists l = {0};
    for (int i = 0; i < m->count; i++) {
        const struct choice *c = &m->choices[i];
        struct buf *list = list_of(&l, i * (CALLS + 1));
        for (struct slice rest = wire_inside(buf_slice(&c->reasoning)); rest.n;)
            if (m->in_parts)
                openai_delta(list, i,
                             "\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\","
                             "\"text\":\"",
                             wire_next_piece(&rest), "\"}]}]");
            else
                openai_delta(list, i, "\"content\":\"\",\"reasoning\":\"", wire_next_piece(&rest),
                             "\"");
        for (struct slice rest = wire_inside(buf_slice(&c->text)); rest.n;)
            openai_delta(list, i, "\"content\":\"", wire_next_piece(&rest), "\"");
        openai_calls(&l, c, i, random_below(random, 2));
    }
    merge(random, &l, out);
    for (int i = 0; i < m->count; i++)
        buf_addf(list_of(&l, i),
                 "{\"choices\":[{\"index\":%d,\"delta\":{},\"finish_reason\":\"stop\""
                 "%s}]}\n",
                 i, random_below(random, 2) ? ",\"usage\":" USAGE : "");
    merge(random, &l, out);
    add_event(random, out, SLICE("{\"choices\":[],\"usage\":" USAGE "}"));
    if (random_below(random, 2))
        add_event(random, out, SLICE("[DONE]"));
}

// -- Anthropic --

static void anthropic_whole(const struct model *m, struct buf *out) {
    const struct choice *c = &m->choices[0];
    buf_add_str(out, "{\"id\":\"i\",\"model\":\"m\",\"content\":[");
    if (c->reasoning.n)
        buf_addf(out, "{\"type\":\"thinking\",\"thinking\":%.*s},",
                 SLICE_ARG(buf_slice(&c->reasoning)));
    buf_addf(out, "{\"type\":\"text\",\"text\":%.*s}", SLICE_ARG(buf_slice(&c->text)));
    for (int n = 0; n < c->calls; n++)
        buf_addf(out, ",{\"type\":\"tool_use\",\"id\":\"c%d\",\"name\":\"f\",\"input\":%.*s}", n,
                 SLICE_ARG(buf_slice(&c->arguments[n])));
    buf_add_str(out, "],\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":5,"
                     "\"cache_read_input_tokens\":3,\"cache_creation_input_tokens\":1,"
                     "\"output_tokens\":8}}");
}

static void anthropic_block(struct buf *list, int index, const char *kind, const char *delta,
                            struct slice rest) {
    buf_addf(list,
             "{\"type\":\"content_block_start\",\"index\":%d,\"content_block\":{\"type\":\"%s\"}}"
             "\n",
             index, kind);
    while (rest.n) {
        struct slice piece = wire_next_piece(&rest);
        buf_addf(list,
                 "{\"type\":\"content_block_delta\",\"index\":%d,\"delta\":{\"type\":\"%s_delta\","
                 "\"%s\":\"%.*s\"}}\n",
                 index, delta, delta, SLICE_ARG(piece));
    }
}

static void anthropic_call(struct buf *list, int index, int n, struct slice arguments) {
    struct buf escaped = BUF_INIT(MAX);
    json_add_escaped(&escaped, arguments);
    buf_addf(list,
             "{\"type\":\"content_block_start\",\"index\":%d,\"content_block\":{\"type\":"
             "\"tool_use\",\"id\":\"c%d\",\"name\":\"f\",\"input\":{}}}\n",
             index, n);
    for (struct slice rest = buf_slice(&escaped); rest.n;) {
        struct slice piece = wire_next_piece(&rest);
        buf_addf(list,
                 "{\"type\":\"content_block_delta\",\"index\":%d,\"delta\":{\"type\":"
                 "\"input_json_delta\",\"partial_json\":\"%.*s\"}}\n",
                 index, SLICE_ARG(piece));
    }
    buf_free(&escaped);
}

static void anthropic_stream(struct random *random, const struct model *m, struct buf *out) {
    const struct choice *c = &m->choices[0];
    struct lists l = {0};
    add_event(
        random, out,
        SLICE("{\"type\":\"message_start\",\"message\":{\"id\":\"i\",\"model\":\"m\",\"usage\""
              ":{\"input_tokens\":5,\"cache_read_input_tokens\":3,"
              "\"cache_creation_input_tokens\":1,\"output_tokens\":1}}}"));
    if (c->reasoning.n)
        anthropic_block(list_of(&l, 0), 0, "thinking", "thinking",
                        wire_inside(buf_slice(&c->reasoning)));
    anthropic_block(list_of(&l, 0), 1, "text", "text", wire_inside(buf_slice(&c->text)));
    for (int n = 0; n < c->calls; n++)
        anthropic_call(list_of(&l, 1 + n), 2 + n, n, buf_slice(&c->arguments[n]));
    merge(random, &l, out);
    add_event(random, out,
              SLICE("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"
                    "\"usage\":{\"output_tokens\":8}}"));
    add_event(random, out, SLICE("{\"type\":\"message_stop\"}"));
}

// -- Gemini --

#define GOOGLE_USAGE                                                                               \
    "\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":6,\"thoughtsTokenCount\":" \
    "2,\"totalTokenCount\":17,\"cachedContentTokenCount\":4}"

static void gemini_call(struct buf *out, const struct choice *c, int n) {
    buf_addf(out, "{\"functionCall\":{\"id\":\"c%d\",\"name\":\"f\",\"args\":%.*s}}", n,
             SLICE_ARG(buf_slice(&c->arguments[n])));
}

static void gemini_whole(const struct model *m, struct buf *out) {
    buf_add_str(out,
                "{\"modelVersion\":\"m\",\"responseId\":\"i\"," GOOGLE_USAGE ",\"candidates\":[");
    for (int i = 0; i < m->count; i++) {
        const struct choice *c = &m->choices[i];
        buf_addf(out, "%s{\"index\":%d,\"finishReason\":\"STOP\",\"content\":{\"parts\":[",
                 i ? "," : "", i);
        if (c->reasoning.n)
            buf_addf(out, "{\"thought\":true,\"text\":%.*s},", SLICE_ARG(buf_slice(&c->reasoning)));
        buf_addf(out, "{\"text\":%.*s}", SLICE_ARG(buf_slice(&c->text)));
        for (int n = 0; n < c->calls; n++) {
            buf_add_str(out, ",");
            gemini_call(out, c, n);
        }
        buf_add_str(out, "]}}");
    }
    buf_add_str(out, "]}");
}

static void gemini_part(struct buf *list, int choice, const char *before, struct slice inside) {
    buf_addf(list,
             "{\"modelVersion\":\"m\",\"responseId\":\"i\",\"candidates\":[{\"index\":%d,"
             "\"content\":{\"parts\":[{%s\"text\":\"%.*s\"}]}}]}\n",
             choice, before, SLICE_ARG(inside));
}

static void gemini_stream(struct random *random, const struct model *m, struct buf *out) {
    struct lists l = {0};
    for (int i = 0; i < m->count; i++) {
        const struct choice *c = &m->choices[i];
        struct buf *list = list_of(&l, i);
        for (struct slice rest = wire_inside(buf_slice(&c->reasoning)); rest.n;)
            gemini_part(list, i, "\"thought\":true,", wire_next_piece(&rest));
        for (struct slice rest = wire_inside(buf_slice(&c->text)); rest.n;)
            gemini_part(list, i, "", wire_next_piece(&rest));
        for (int n = 0; n < c->calls; n++) {
            buf_addf(list, "{\"candidates\":[{\"index\":%d,\"content\":{\"parts\":[", i);
            gemini_call(list, c, n);
            buf_add_str(list, "]}}]}\n");
        }
        buf_addf(list, "{\"candidates\":[{\"index\":%d,\"finishReason\":\"STOP\"}]}\n", i);
    }
    merge(random, &l, out);
    add_event(random, out, SLICE("{" GOOGLE_USAGE "}"));
}

// -- the property --

static struct reply read_stream(struct random *random, const struct wire *wire, struct slice bytes,
                                struct buf *scratch) {
    struct wire_stream s;
    struct reply reply = {0};
    const char *what = "";
    wire_stream_init(&s, wire, MAX);
    while (bytes.n) {
        size_t n = 1 + (size_t)random_below(random, random_below(random, 2) ? 5 : 500);
        n = n < bytes.n ? n : bytes.n;
        char *own = malloc(n);
        memcpy(own, bytes.p, n);
        wire_stream_feed(&s, slice_of(own, n));
        free(own);
        bytes = slice_of(bytes.p + n, bytes.n - n);
    }
    assert_int_equal(wire_stream_finish(&s, scratch, &what), STREAM_WHOLE);
    wire_stream_reply(&s, buf_slice(scratch), &reply);
    wire_stream_free(&s);
    return reply;
}

static void expect_same(const char *what, struct slice one, struct slice other) {
    if (!slice_eq(one, other))
        fail_msg("%s: whole %.*s, streamed %.*s", what, SLICE_ARG(one), SLICE_ARG(other));
}

static void expect_same_reply(const struct reply *a, const struct reply *b) {
    expect_same("text", a->text, b->text);
    expect_same("reasoning", a->reasoning, b->reasoning);
    expect_same("refusal", a->refusal, b->refusal);
    expect_same("tool_calls", a->tool_calls, b->tool_calls);
    expect_same("choices", a->choices, b->choices);
    expect_same("finish_reason", a->finish_reason, b->finish_reason);
    expect_same("model", a->model, b->model);
    expect_same("id", a->request_id, b->request_id);
    assert_int_equal(a->usage.input_tokens, b->usage.input_tokens);
    assert_int_equal(a->usage.output_tokens, b->usage.output_tokens);
    assert_int_equal(a->usage.total_tokens, b->usage.total_tokens);
    assert_int_equal(a->usage.cached_tokens, b->usage.cached_tokens);
    assert_int_equal(a->usage.reasoning_tokens, b->usage.reasoning_tokens);
    assert_int_equal(a->usage.cache_write_tokens, b->usage.cache_write_tokens);
    assert_true(a->usage.output_tokens > 0 && a->text.n > 2);
}

static void streamed_is_whole(void **state) {
    (void)state;
    static const struct {
        const struct wire *wire;
        int choices;
        void (*whole)(const struct model *m, struct buf *out);
        void (*stream)(struct random *random, const struct model *m, struct buf *out);
    } kinds[] = {
        {&wire_openai, CHOICES, openai_whole, openai_stream},
        {&wire_anthropic, 1, anthropic_whole, anthropic_stream},
        {&wire_gemini, CHOICES, gemini_whole, gemini_stream},
    };
    struct random random = {11};
    for (int round = 0; round < 1500; round++) {
        struct model m = {0};
        struct buf body = BUF_INIT(MAX), stream = BUF_INIT(MAX), a = BUF_INIT(MAX),
                   b = BUF_INIT(MAX);
        struct reply whole, streamed;
        const char *what = NULL;
        size_t k = (size_t)round % COUNT(kinds);
        fill(&random, &m, kinds[k].choices);
        kinds[k].whole(&m, &body);
        buf_add_str(&stream, random_below(&random, 3) ? "" : "\xef\xbb\xbf");
        kinds[k].stream(&random, &m, &stream);
        assert_true(json_check(buf_slice(&body), NULL));
        assert_int_equal(read_whole(kinds[k].wire, buf_slice(&body), &a, &whole, &what), WIRE_OK);
        streamed = read_stream(&random, kinds[k].wire, buf_slice(&stream), &b);
        expect_same_reply(&whole, &streamed);
        empty(&m);
        buf_free(&body);
        buf_free(&stream);
        buf_free(&a);
        buf_free(&b);
    }
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {cmocka_unit_test(streamed_is_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
