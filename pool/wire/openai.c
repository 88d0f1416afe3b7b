// openai.c: OpenAI chat completions as the client speaks them: rows to requests, replies read.
// Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/openai.h"

#include "pool/catalogue.h"

// -- asking: a row becomes a request --

static void add_member(struct buf *b, const char *name, struct slice token) {
    if (!token.n)
        return;
    json_add_name(b, name);
    buf_add_slice(b, token);
}

static void add_message(struct buf *b, struct slice start, struct slice content) {
    buf_add_slice(b, start);
    buf_add_slice(b, content);
    buf_add_char(b, '}');
}

static void add_system(struct buf *b, struct slice content) {
    add_message(b, SLICE("{\"role\":\"system\",\"content\":"), content);
}

static void add_user(struct buf *b, struct slice content) {
    add_message(b, SLICE("{\"role\":\"user\",\"content\":"), content);
}

// What the row says, else what the run says. A row that says "" wants none.
static struct slice system_of(const struct request *request, const struct wire_defaults *defaults) {
    struct slice system = request->system.n ? request->system : defaults->system;
    return system.n > 2 ? system : SLICE_NONE;
}

static bool has_system(struct slice messages) {
    struct json_walk walk = json_walk(messages);
    struct slice message;
    while (json_next_element(&walk, &message)) {
        struct slice role = json_get(message, "role");
        if (json_string_is(role, "system") || json_string_is(role, "developer"))
            return true;
    }
    return false;
}

// The bytes behind the opening bracket of a container token.
static struct slice behind_bracket(struct slice container) {
    return slice_trim(slice_of(container.p + 1, container.n - 1));
}

static void add_messages(struct buf *b, struct slice messages, struct slice system) {
    if (!system.n || json_type(messages) != JSON_ARRAY || has_system(messages)) {
        buf_add_slice(b, messages);
        return;
    }
    struct slice rest = behind_bracket(messages);
    buf_add_char(b, '[');
    add_system(b, system);
    if (rest.p[0] != ']')
        buf_add_char(b, ',');
    buf_add_slice(b, rest);
}

// OpenAI's reasoning models refuse max_tokens and want max_completion_tokens.
static bool is_reasoning_model(const struct provider *provider, struct slice model) {
    static const char *const starts[] = {"\"o1", "\"o3", "\"o4", "\"gpt-5"};
    if (strcmp(provider->name, "openai") != 0)
        return false;
    for (size_t i = 0; i < COUNT(starts); i++)
        if (slice_starts(model, starts[i]))
            return true;
    return false;
}

static void add_settings(struct buf *b, const struct request *request,
                         const struct provider *provider, struct slice model) {
    bool reasoning = is_reasoning_model(provider, model);
    bool mistral = strcmp(provider->name, "mistral") == 0;
    add_member(b, "temperature", request->temperature);
    add_member(b, "top_p", request->top_p);
    add_member(b, reasoning ? "max_completion_tokens" : "max_tokens", request->max_tokens);
    add_member(b, "stop", request->stop);
    add_member(b, "response_format", request->response_format);
    add_member(b, "tools", request->tools);
    add_member(b, "tool_choice", request->tool_choice);
    add_member(b, mistral ? "random_seed" : "seed", request->seed);
}

static void build_chat(const struct request *request, const struct provider *provider,
                       const struct wire_defaults *defaults, struct buf *body) {
    struct slice model = request->model.n ? request->model : defaults->model;
    struct slice system = system_of(request, defaults);
    buf_add_str(body, "{\"model\":");
    buf_add_slice(body, model);
    buf_add_str(body, ",\"messages\":");
    if (request->shape == ROW_MESSAGES) {
        add_messages(body, request->messages, system);
    } else {
        buf_add_char(body, '[');
        if (system.n) {
            add_system(body, system);
            buf_add_char(body, ',');
        }
        add_user(body, request->prompt);
        buf_add_char(body, ']');
    }
    add_settings(body, request, provider, model);
    buf_add_char(body, '}');
}

// The body as it stands; a missing model goes right behind its brace, so that no other byte moves.
static void build_batch(const struct request *request, const struct wire_defaults *defaults,
                        struct buf *body) {
    if (request->model.n) {
        buf_add_slice(body, request->body);
        return;
    }
    bool empty = behind_bracket(request->body).p[0] == '}';
    buf_add_str(body, "{\"model\":");
    buf_add_slice(body, defaults->model);
    if (!empty)
        buf_add_char(body, ',');
    buf_add(body, request->body.p + 1, request->body.n - 1);
}

static bool has_prefix(struct slice url, const char *prefix) {
    size_t n = prefix ? strlen(prefix) : 0;
    return n && slice_starts(url, prefix) && (url.n == n || url.p[n] == '/');
}

// What of a batch line's url follows the base URL, which holds the version already. SLICE_NONE when
// it is no path of printable characters: it would name another host, or break the request line.
static struct slice path_of(struct slice url, const struct provider *provider) {
    if (!url.n)
        return SLICE("/chat/completions");
    if (url.p[0] != '/')
        return SLICE_NONE;
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] > '~')
            return SLICE_NONE;
    const char *const prefixes[] = {provider->batch_prefix, "/v1", "/v4"};
    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (has_prefix(url, prefixes[i])) {
            size_t n = strlen(prefixes[i]);
            return slice_of(url.p + n, url.n - n);
        }
    return url;
}

static enum wire_answer build_request(const struct request *request,
                                      const struct provider *provider,
                                      const struct wire_defaults *defaults, struct buf *path,
                                      struct buf *body, struct slice *model) {
    bool batch = request->shape == ROW_BATCH_OPENAI || request->shape == ROW_BATCH_MISTRAL;
    if (!batch && request->shape != ROW_PROMPT && request->shape != ROW_MESSAGES)
        return WIRE_NOT_MINE;
    struct slice rest = path_of(batch ? request->url : SLICE_NONE, provider);
    if (!rest.p)
        return WIRE_NOT_MINE;
    buf_add_slice(path, rest);
    *model = request->model.n ? request->model : defaults->model;
    if (batch)
        build_batch(request, defaults, body);
    else
        build_chat(request, provider, defaults, body);
    return WIRE_OK;
}

// -- the provider's reply --

static void read_usage(struct slice token, struct usage *usage) {
    struct slice input, output, total, input_details, output_details;
    const struct json_field fields[] = {
        {"prompt_tokens", &input},
        {"completion_tokens", &output},
        {"total_tokens", &total},
        {"prompt_tokens_details", &input_details},
        {"completion_tokens_details", &output_details},
    };
    json_fields(token, fields, COUNT(fields));
    usage->input_tokens = openai_count(input);
    usage->output_tokens = openai_count(output);
    usage->total_tokens = openai_count(total);
    usage->cached_tokens = openai_count(json_get(input_details, "cached_tokens"));
    usage->reasoning_tokens = openai_count(json_get(output_details, "reasoning_tokens"));
}

// Content in parts: the one text part's token, or several joined in scratch. String tokens are
// joined as they stand, without the quotes between them.
static struct slice join_parts(struct slice parts, struct buf *scratch) {
    struct json_walk walk = json_walk(parts);
    struct slice part, first = SLICE_NONE;
    buf_clear(scratch);
    while (json_next_element(&walk, &part)) {
        struct slice text = openai_part_text(part);
        if (!text.n)
            continue;
        if (!first.n) {
            first = text;
            continue;
        }
        if (!scratch->n)
            buf_add(scratch, first.p, first.n - 1);
        buf_add(scratch, text.p + 1, text.n - 2);
    }
    if (!scratch->n)
        return first;
    buf_add_char(scratch, '"');
    return scratch->failed ? SLICE_NONE : buf_slice(scratch);
}

static enum wire_answer read_message(struct slice message, struct buf *scratch, struct reply *reply,
                                     const char **what) {
    struct slice content, tool_calls, reasoning, other_reasoning, refusal;
    const struct json_field fields[] = {
        {"content", &content}, {"tool_calls", &tool_calls},     {"reasoning_content", &reasoning},
        {"refusal", &refusal}, {"reasoning", &other_reasoning},
    };
    if (!json_fields(message, fields, COUNT(fields)))
        return openai_not_mine(what, "its first choice holds no message");
    reply->tool_calls = openai_only(tool_calls, JSON_ARRAY);
    if (reply->tool_calls.n && behind_bracket(reply->tool_calls).p[0] == ']')
        reply->tool_calls = SLICE_NONE;
    reply->reasoning = openai_only(reasoning, JSON_STRING);
    if (!reply->reasoning.n)
        reply->reasoning = openai_only(other_reasoning, JSON_STRING);
    reply->refusal = openai_only(refusal, JSON_STRING);
    switch (json_type(content)) {
    case JSON_STRING: reply->text = content; break;
    case JSON_ARRAY: reply->text = join_parts(content, scratch); break;
    case JSON_NULL: break;
    case JSON_ABSENT:
        if (reply->tool_calls.n || reply->reasoning.n || reply->refusal.n)
            break;
        return openai_not_mine(what, "its message has no content");
    default: return openai_not_mine(what, "its message's content is no text");
    }
    if (scratch->failed)
        return openai_not_mine(what, "its text is too large");
    return WIRE_OK;
}

static enum wire_answer read_choice(struct slice choices, struct buf *scratch, struct reply *reply,
                                    const char **what) {
    struct json_walk walk = json_walk(openai_only(choices, JSON_ARRAY));
    struct slice choice = SLICE_NONE, message, finish_reason, text;
    const struct json_field fields[] = {
        {"message", &message}, {"finish_reason", &finish_reason}, {"text", &text}};
    if (!json_next_element(&walk, &choice) || !json_fields(choice, fields, COUNT(fields)))
        return openai_not_mine(what, "it holds no choice");
    reply->finish_reason = openai_only(finish_reason, JSON_STRING);
    if (json_type(message) != JSON_OBJECT && json_type(text) == JSON_STRING) {
        reply->text = text; // the older /completions
        return WIRE_OK;
    }
    return read_message(message, scratch, reply, what);
}

static enum wire_answer read_reply(struct slice body, struct buf *scratch, struct reply *reply,
                                   const char **what) {
    struct slice choices, usage, model, id, object;
    const struct json_field fields[] = {
        {"choices", &choices}, {"usage", &usage},   {"model", &model},
        {"id", &id},           {"object", &object},
    };
    *reply = (struct reply){.usage = USAGE_NONE};
    buf_clear(scratch);
    if (!json_fields(body, fields, COUNT(fields)))
        return openai_not_mine(what, "it is no JSON object");
    reply->model = openai_only(model, JSON_STRING);
    reply->request_id = openai_only(id, JSON_STRING);
    read_usage(usage, &reply->usage);
    if (json_type(choices) == JSON_ARRAY)
        return read_choice(choices, scratch, reply, what);
    if (json_string_is(object, "list")) // embeddings
        return WIRE_OK;
    return openai_not_mine(what, "it has no choices");
}

static const char *const headers[] = {"Content-Type: application/json", NULL};

const struct wire wire_openai = {
    .name = "openai",
    .auth_prefix = "Authorization: Bearer ",
    .headers = headers,
    .shapes = WIRE_TAKES(ROW_PROMPT) | WIRE_TAKES(ROW_MESSAGES) | WIRE_TAKES(ROW_BATCH_OPENAI) |
              WIRE_TAKES(ROW_BATCH_MISTRAL),
    .build_request = build_request,
    .read_reply = read_reply,
    .read_request = openai_read_request,
    .build_reply = openai_build_reply,
    .build_stream = openai_build_stream,
};
