// answer.c: decides what the simulator says to a request. Runs on the simulator's thread.
// SPDX-License-Identifier: MIT
#include "runner/simulate/answer.h"

#include "jobs/base/clock.h"
#include "jobs/base/hash.h"
#include "jobs/base/json.h"
#include "jobs/base/utf8.h"
#include "runner/simulate/bucket.h"
#include "runner/simulate/route.h"
#include "runner/simulate/words.h"

#define KEYS_DEFAULT 3
#define KEYS_MAX     100000
#define SLOW_TIME    (3 * USEC_PER_SEC)

static const char json_type_name[] = "application/json";

// -- settings --

static bool parse_reply(const char *text, int64_t *words, struct error *err) {
    struct slice reply = slice_str(text);
    *words = 0;
    if (!reply.n || slice_is(reply, "echo"))
        return true;
    bool counted = slice_starts(reply, "words:");
    if (counted && json_int(slice_of(reply.p + 6, reply.n - 6), words) && *words >= 1 &&
        *words <= WORDS_MAX)
        return true;
    return error_set(err, ERROR_USAGE, "--reply %s: expected echo, or words:N with N from 1 to %d",
                     text, WORDS_MAX);
}

static bool check_limit(const char *option, int64_t value, struct error *err) {
    if (value >= 0 && value <= BUCKET_LIMIT_MAX)
        return true;
    return error_set(err, ERROR_USAGE, "--%s: expected a number from 0 (no limit) to 100G", option);
}

bool answerer_init(struct answerer *a, const struct simulate_options *o, int64_t now,
                   struct error *err) {
    *a = (struct answerer){.retry_after = o->retry_after, .seed = (uint64_t)o->seed};
    a->text = BUF_INIT(WORDS_MAX * 16);
    a->model = BUF_INIT(64 * 1024);
    struct ledger_limits limits = {o->keys ? o->keys : KEYS_DEFAULT, o->rpm, o->tpm,
                                   o->concurrency};
    if (limits.keys < 1 || limits.keys > KEYS_MAX)
        return error_set(err, ERROR_USAGE, "--keys: expected a number from 1 to %d", KEYS_MAX);
    if (!latency_parse(o->latency, &a->latency, err) ||
        !fault_rates_parse(o->fault, &a->faults, err) ||
        !key_ranges_parse(o->fault_key, "fault-key", &a->fault_keys, err) ||
        !key_ranges_parse(o->dead_key, "dead-key", &a->dead_keys, err) ||
        !parse_reply(o->reply, &a->words, err) || !check_limit("rpm", o->rpm, err) ||
        !check_limit("tpm", o->tpm, err) || !check_limit("concurrency", o->concurrency, err))
        return false;
    a->ledger = ledger_new(&limits, now);
    return true;
}

void answerer_free(struct answerer *a) {
    ledger_free(a->ledger);
    seen_free(&a->seen);
    buf_free(&a->text);
    buf_free(&a->model);
}

// -- refusals --

// One request on its way to an answer.
struct task {
    struct answerer *a;
    const struct ask *ask;
    int64_t now;
    struct answer *answer;
    struct buf *out;
    struct route route;
    struct slice secret; // of the client's key
    struct wire_request request;
    uint64_t body_hash;
};

static void say_problem(struct task *t, enum problem problem, const char *message) {
    buf_clear(t->out);
    t->answer->status = dialect_add_error(t->out, t->route.dialect, problem, slice_str(message));
}

static void say_bad_key(struct task *t) {
    buf_clear(t->out);
    t->answer->status = dialect_add_key_error(t->out, t->route.dialect, t->secret);
}

// A refusal is counted as such, with the time that helps, if any does.
static void say_refusal(struct task *t, const struct refusal *refusal) {
    t->answer->status = 429;
    t->answer->settlement.how = SETTLED_RATE_LIMITED;
    t->answer->settlement.retry_after = refusal->wait == BUCKET_NEVER ? -1 : refusal->wait;
    buf_clear(t->out);
    t->route.dialect->add_refusal(t->out, refusal, t->request.model);
}

// -- the answer --

// Tokens as they are counted here: a quarter of the bytes of text, rounded up.
static int64_t tokens_in(size_t bytes) {
    return (int64_t)((bytes + 3) / 4);
}

static void prepare_response(struct task *t, char id[WORDS_ID_SIZE], struct wire_response *r) {
    struct answerer *a = t->a;
    words_id(t->body_hash ^ a->seed, a->serial++, id);
    *r = (struct wire_response){
        .id = id,
        .model = t->request.model,
        .tool_name = t->request.tool_name,
        .finish_reason = "stop",
        .created = clock_wall() / USEC_PER_SEC,
        .input_tokens = tokens_in(t->request.prompt_bytes),
        .text = t->request.prompt,
    };
    if (a->words) {
        struct words_wish wish = {a->words, t->request.max_tokens, t->body_hash ^ a->seed};
        buf_clear(&a->text);
        if (!words_add_token(&a->text, &wish))
            r->finish_reason = "length";
        r->text = buf_slice(&a->text);
    }
    if (!r->text.n)
        r->text = SLICE("\"\"");
    if (r->tool_name.n)
        r->finish_reason = "tool_calls";
    r->output_tokens = tokens_in(r->text.n - 2);
}

static void say_answer(struct task *t, const struct wire_response *r) {
    if (!t->request.stream || t->request.stream_usage) { // what the client is told
        t->answer->settlement.input_tokens = r->input_tokens;
        t->answer->settlement.output_tokens = r->output_tokens;
    }
    t->answer->settlement.how = SETTLED_OK;
    if (t->request.stream) {
        t->answer->manner = SEND_STREAM;
        t->answer->content_type = "text/event-stream; charset=utf-8";
        t->route.wire->build_stream(r, t->request.stream_usage, t->out);
    } else {
        t->route.wire->build_reply(r, t->out);
    }
}

// -- faults --

static void fault_429(struct task *t) {
    struct refusal refusal = {LIMIT_REQUESTS, 60, 60, 1, t->a->retry_after};
    if (!refusal.wait)
        refusal.wait = ledger_wait(t->a->ledger, t->answer->key, t->now);
    t->answer->delay = 0;
    say_refusal(t, &refusal);
}

static void fault_500(struct task *t) {
    say_problem(t, PROBLEM_SERVER, NULL);
}

static void fault_503(struct task *t) {
    say_problem(t, PROBLEM_OVERLOADED, NULL);
}

static void fault_401(struct task *t) {
    t->answer->delay = 0;
    say_bad_key(t);
}

static void fault_reset(struct task *t) {
    t->answer->manner = SEND_RESET;
}

static void fault_truncated(struct task *t) {
    t->answer->manner = SEND_TRUNCATED;
}

static void fault_slow(struct task *t) {
    t->answer->settlement.how = SETTLED_OK;
    t->answer->spread = SLOW_TIME;
    if (t->answer->manner == SEND_WHOLE)
        t->answer->manner = SEND_SLOWLY;
}

static void fault_malformed(struct task *t) {
    t->out->n /= 2;
}

static void fault_html(struct task *t) {
    t->answer->content_type = "text/html; charset=utf-8";
    buf_clear(t->out);
    buf_add_str(t->out, "<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head>"
                        "<body><h1>Checking your browser</h1></body></html>\n");
}

static void fault_empty(struct task *t) {
    buf_clear(t->out);
}

static void (*const fault_does[FAULT_COUNT])(struct task *t) = {
    [FAULT_429] = fault_429,     [FAULT_500] = fault_500,
    [FAULT_503] = fault_503,     [FAULT_401] = fault_401,
    [FAULT_RESET] = fault_reset, [FAULT_TRUNCATED] = fault_truncated,
    [FAULT_SLOW] = fault_slow,   [FAULT_MALFORMED] = fault_malformed,
    [FAULT_HTML] = fault_html,   [FAULT_EMPTY] = fault_empty,
};

// A fault works on the good answer: it is counted as failed unless the fault says otherwise, and
// what is no longer an answer is sent whole.
static void make_fault(struct task *t, enum fault fault) {
    bool replaced = fault == FAULT_429 || fault == FAULT_500 || fault == FAULT_503 ||
                    fault == FAULT_401 || fault == FAULT_HTML || fault == FAULT_EMPTY;
    t->answer->settlement.how = SETTLED_FAILED;
    if (replaced) {
        t->answer->manner = SEND_WHOLE;
        t->answer->content_type = json_type_name;
        t->answer->delay += t->answer->spread;
        t->answer->spread = 0;
    }
    fault_does[fault](t);
}

// Draws what befalls an admitted request: its latency, then its fault.
static enum fault draw_fate(struct task *t) {
    struct answerer *a = t->a;
    bool random_latency = a->latency.kind != LATENCY_FIXED;
    struct random random = {t->body_hash ^ a->seed};
    if (random_latency || a->faults.any)
        random.state += seen_add(&a->seen, t->body_hash) * UINT64_C(0xd1342543de82ef95);
    t->answer->delay = latency_draw(&a->latency, &random);
    bool spared = a->fault_keys.count && !key_ranges_hold(&a->fault_keys, t->answer->key);
    enum fault fault = a->faults.any ? fault_draw(&a->faults, &random) : FAULT_NONE;
    return spared ? FAULT_NONE : fault;
}

// -- from request to answer --

static struct slice header(const struct task *t, const char *name) {
    return t->ask->header ? t->ask->header(t->ask->context, name) : SLICE_NONE;
}

static struct slice argument(const struct task *t, const char *name) {
    return t->ask->argument ? t->ask->argument(t->ask->context, name) : SLICE_NONE;
}

// What the path says belongs to the request as well.
static void add_route(struct task *t) {
    struct buf *model = &t->a->model, name = BUF_INIT(32 * 1024);
    t->request.stream |= t->route.stream;
    if (!t->route.model.n)
        return;
    utf8_add_repaired(&name, t->route.model);
    buf_clear(model);
    json_add_string(model, buf_slice(&name));
    t->request.model = buf_slice(model);
    buf_free(&name);
}

// What a request lacks before its body matters; NULL when nothing.
static const char *what_is_missing(const struct task *t) {
    if (t->route.wire == &wire_anthropic && t->ask->header && !header(t, "anthropic-version").n)
        return "anthropic-version: header is required";
    if (t->route.stream && !slice_is(argument(t, "alt"), "sse"))
        return "This simulator streams server-sent events only: add ?alt=sse.";
    return NULL;
}

// False when it has been refused.
static bool read_chat(struct task *t) {
    const char *what = what_is_missing(t);
    if (!what && !json_check(t->ask->body, NULL)) {
        say_problem(t, PROBLEM_JSON, NULL);
        return false;
    }
    if (what || t->route.wire->read_request(t->ask->body, &t->request, &what) != WIRE_OK) {
        say_problem(t, PROBLEM_REQUEST, what);
        return false;
    }
    add_route(t);
    return true;
}

static void answer_chat(struct task *t) {
    static const uint64_t hash_key[2] = {UINT64_C(0x73696d756c617465),
                                         UINT64_C(0x626174636872756e)};
    struct wire_response response;
    struct refusal refusal;
    char id[WORDS_ID_SIZE];
    if (!read_chat(t))
        return;
    t->body_hash = hash_bytes(t->ask->body, hash_key).low;
    prepare_response(t, id, &response);
    t->answer->limits_shown = true;
    if (!ledger_admit(t->a->ledger, t->answer->key, response.input_tokens + response.output_tokens,
                      t->now, &refusal)) {
        say_refusal(t, &refusal);
        return;
    }
    enum fault fault = draw_fate(t);
    if (t->request.stream && t->answer->delay) { // the first event comes after a quarter of it
        t->answer->spread = t->answer->delay - t->answer->delay / 4;
        t->answer->delay /= 4;
    }
    say_answer(t, &response);
    if (t->out->failed)
        fault = FAULT_500; // larger than is held
    if (fault)
        make_fault(t, fault);
}

static void answer_post(struct task *t) {
    if (key_ranges_hold(&t->a->dead_keys, t->answer->key))
        fault_401(t);
    else if (t->route.kind != ROUTE_CHAT)
        say_problem(t, PROBLEM_URL, NULL);
    else if (t->ask->too_large)
        say_problem(t, PROBLEM_TOO_LARGE, NULL);
    else
        answer_chat(t);
}

static void answer_get(struct task *t) {
    t->answer->status = 200;
    if (t->route.kind == ROUTE_MODELS)
        buf_add_str(t->out, "{\"object\":\"list\",\"data\":[{\"id\":\"simulate-1\",\"object\":"
                            "\"model\",\"created\":1735689600,\"owned_by\":\"batch-run\"}]}");
    else
        say_problem(t, t->route.kind == ROUTE_CHAT ? PROBLEM_METHOD : PROBLEM_URL, NULL);
}

// What is about the simulator itself needs no key. False when this is something else.
static bool answer_about_itself(struct task *t, bool post) {
    if (t->route.kind != (post ? ROUTE_RESET : ROUTE_STATS))
        return false;
    if (post) {
        ledger_reset(t->a->ledger);
        seen_free(&t->a->seen);
    }
    t->answer->status = 200;
    ledger_stats(t->a->ledger, t->out);
    return true;
}

static struct slice bearer(struct slice authorization) {
    struct slice prefix = SLICE("Bearer ");
    if (authorization.n <= prefix.n || strncasecmp(authorization.p, prefix.p, prefix.n) != 0)
        return SLICE_NONE;
    return slice_of(authorization.p + prefix.n, authorization.n - prefix.n);
}

// The client's key, wherever it is that its provider wants it.
static struct slice find_secret(const struct task *t) {
    struct slice secret = bearer(t->ask->authorization);
    if (!secret.n)
        secret = header(t, "x-api-key");
    if (!secret.n)
        secret = header(t, "x-goog-api-key");
    return secret.n ? secret : argument(t, "key");
}

void answer_make(struct answerer *a, const struct ask *ask, int64_t now, struct answer *answer,
                 struct buf *out) {
    struct task task = {.a = a, .ask = ask, .now = now, .answer = answer, .out = out};
    bool post = strcmp(ask->method, "POST") == 0;
    task.route = route_find(ask->path);
    *answer = (struct answer){.content_type = json_type_name,
                              .dialect = task.route.dialect,
                              .settlement = {SETTLED_FAILED, 0, 0, -1}};
    buf_clear(out);
    if (answer_about_itself(&task, post))
        return;
    task.secret = find_secret(&task);
    int64_t key = ledger_find(a->ledger, task.secret);
    if (!key) {
        if (post)
            ledger_arrive_nowhere(a->ledger);
        say_bad_key(&task);
    } else if (!post) {
        answer_get(&task);
    } else {
        answer->key = key;
        answer->status = 200;
        ledger_arrive(a->ledger, key, ask->last_key != key, now);
        answer_post(&task);
    }
}
