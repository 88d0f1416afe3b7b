// openai.c: OpenAI chat completions as the client speaks them: rows to requests. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/openai.h"

#include "pool/catalogue.h"
#include "pool/wire/wire_params.h"

// -- asking: a row becomes a request --

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

static void add_messages(struct buf *b, struct slice messages, struct slice system) {
    if (!system.n || json_type(messages) != JSON_ARRAY || has_system(messages)) {
        buf_add_slice(b, messages);
        return;
    }
    struct slice rest = wire_behind_bracket(messages);
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

// Where a provider of this wire departs from OpenAI's names. No name: it refuses the parameter, or
// takes no notice of it.
// Sources: Mistral's OpenAPI description of ChatCompletionRequest (unknown fields are a 422); the API
// references of BigModel, Z.AI and DeepSeek, which bound an answer by max_tokens alone.
static const struct dialect {
    const char *provider;
    enum param param;
    const char *name;
} dialects[] = {
    {"mistral", PARAM_SEED, "random_seed"},
    {"mistral", PARAM_MAX_COMPLETION_TOKENS, "max_tokens"},
    {"mistral", PARAM_VERBOSITY, NULL},
    {"mistral", PARAM_LOGPROBS, NULL},
    {"mistral", PARAM_TOP_LOGPROBS, NULL},
    {"mistral", PARAM_LOGIT_BIAS, NULL},
    {"mistral", PARAM_FUNCTIONS, NULL},
    {"mistral", PARAM_FUNCTION_CALL, NULL},
    {"mistral", PARAM_SERVICE_TIER, NULL},
    {"mistral", PARAM_USER, NULL},
    {"mistral", PARAM_SAFETY_IDENTIFIER, NULL},
    {"mistral", PARAM_PROMPT_CACHE_RETENTION, NULL},
    {"mistral", PARAM_STORE, NULL},
    {"mistral", PARAM_MODALITIES, NULL},
    {"mistral", PARAM_AUDIO, NULL},
    {"mistral", PARAM_WEB_SEARCH_OPTIONS, NULL},
    {"mistral", PARAM_MODERATION, NULL},
    {"bigmodel", PARAM_MAX_COMPLETION_TOKENS, "max_tokens"},
    {"zai", PARAM_MAX_COMPLETION_TOKENS, "max_tokens"},
    {"deepseek", PARAM_MAX_COMPLETION_TOKENS, "max_tokens"},
};

static const struct dialect *dialect_of(const struct provider *provider, enum param param) {
    for (size_t i = 0; i < COUNT(dialects); i++)
        if (dialects[i].param == param && strcmp(dialects[i].provider, provider->name) == 0)
            return dialects + i;
    return NULL;
}

static bool says(const struct request *request, const struct provider *provider,
                 const struct wire_defaults *defaults, struct wire_refusal *refusal) {
    struct wire_words words;
    struct wire_params params;
    for (int i = 0; i < PARAM_COUNT; i++) {
        const struct dialect *dialect = dialect_of(provider, (enum param)i);
        words.has[i] = !dialect || dialect->name;
    }
    words.values = NULL;
    wire_params_merge(&params, request, defaults);
    return wire_words_say(&words, &params, refusal);
}

// The name under which it is sent; NULL: it is not (a value that says() let pass asks for nothing).
static const char *name_of(enum param param, const struct provider *provider, bool reasoning) {
    if (param == PARAM_EXTRA_BODY)
        return NULL;
    if (param == PARAM_MAX_TOKENS && reasoning)
        return "max_completion_tokens";
    const struct dialect *dialect = dialect_of(provider, param);
    return dialect ? dialect->name : param_rules[param].name;
}

// Each as it stands, by its own name. Two that come out under one name are one: the newer.
static void add_settings(struct buf *b, const struct wire_params *params,
                         const struct provider *provider, struct slice model) {
    bool reasoning = is_reasoning_model(provider, model);
    const char *newer = name_of(PARAM_MAX_COMPLETION_TOKENS, provider, reasoning);
    for (int i = 0; i < PARAM_COUNT; i++) {
        const char *name = params->of[i].n ? name_of((enum param)i, provider, reasoning) : NULL;
        bool doubled = name && i == PARAM_MAX_TOKENS && strcmp(name, newer) == 0 &&
                       params->of[PARAM_MAX_COMPLETION_TOKENS].n;
        if (name && !doubled)
            wire_add_member(b, name, params->of[i]);
    }
}

// Mistral refuses the option and sends usage in the last event without it.
static void add_stream(struct buf *b, const struct provider *provider) {
    wire_add_member(b, "stream", SLICE("true"));
    if (strcmp(provider->name, "mistral") != 0)
        wire_add_member(b, "stream_options", SLICE("{\"include_usage\":true}"));
}

static void build_chat(const struct request *request, const struct provider *provider,
                       const struct wire_defaults *defaults, struct buf *body) {
    struct slice model = request->model.n ? request->model : defaults->model;
    struct slice system = wire_system(request, defaults);
    struct wire_params params;
    wire_params_merge(&params, request, defaults);
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
    add_settings(body, &params, provider, model);
    if (defaults->stream)
        add_stream(body, provider);
    buf_add_char(body, '}');
    wire_merge_extra(body, 0, params.of[PARAM_EXTRA_BODY]);
}

// The body as it stands, its wish for a stream included; a missing model is put in front.
static void build_batch(const struct request *request, const struct wire_defaults *defaults,
                        struct wire_out *out) {
    struct buf members = BUF_INIT(defaults->model.n + 100);
    if (!request->model.n)
        wire_add_member(&members, "model", defaults->model);
    wire_add_body(out->body, request->body, buf_slice(&members));
    buf_free(&members);
}

static bool has_prefix(struct slice url, const char *prefix) {
    size_t n = prefix ? strlen(prefix) : 0;
    return n && slice_starts(url, prefix) && (url.n == n || url.p[n] == '/');
}

// A line without a url says by its body what it is: Mistral's jobs name the endpoint for all of them.
static struct slice path_of_body(struct slice body) {
    struct slice messages, input, prompt;
    const struct json_field fields[] = {
        {"messages", &messages}, {"input", &input}, {"prompt", &prompt}};
    json_fields(body, fields, COUNT(fields));
    if (!messages.n && input.n)
        return SLICE("/embeddings");
    return !messages.n && prompt.n ? SLICE("/completions") : SLICE("/chat/completions");
}

// What of a batch line's url follows the base URL, which holds the version already. SLICE_NONE when
// it is no path of printable characters: it would name another host, or break the request line.
static struct slice path_of(const struct request *request, const struct provider *provider) {
    struct slice url = request->url;
    if (!url.n)
        return path_of_body(request->body);
    if (url.p[0] != '/' || memchr(url.p, '#', url.n) || memmem(url.p, url.n, "/..", 3))
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

static bool is_batch(const struct request *request) {
    return request->shape == ROW_BATCH_OPENAI || request->shape == ROW_BATCH_MISTRAL;
}

// Paths that take something else than one JSON request for one JSON answer.
static const char *refuses(const struct request *request, const struct provider *provider) {
    static const struct {
        const char *path, *what;
    } unserved[] = {
        {"/files", "is about files, not a request to a model"},
        {"/uploads", "is about files, not a request to a model"},
        {"/batches", "is about batches, not a request to a model"},
        {"/fine_tuning", "is about training, not a request to a model"},
        {"/models", "has the url of another provider's API, or of the list of models"},
        {"/messages", "has the url of another provider's API (Anthropic's)"},
        {"/assistants", "is about assistants, not a request to a model"},
        {"/threads", "is about assistants, not a request to a model"},
        {"/vector_stores", "is about files, not a request to a model"},
        {"/audio/transcriptions", "sends sound as a form, and batch lines are JSON"},
        {"/audio/translations", "sends sound as a form, and batch lines are JSON"},
        {"/audio/speech", "is answered with sound, and answers are JSON here"},
        {"/images/variations", "sends pictures as a form, and batch lines are JSON"},
    };
    if (!is_batch(request))
        return NULL;
    struct slice path = path_of(request, provider);
    if (!path.n)
        return "has a url that is no path of printable characters";
    for (size_t i = 0; i < COUNT(unserved); i++)
        if (has_prefix(path, unserved[i].path))
            return unserved[i].what;
    return NULL;
}

static enum wire_answer build_request(const struct request *request,
                                      const struct provider *provider,
                                      const struct wire_defaults *defaults, struct wire_out *out) {
    bool batch = is_batch(request);
    if (!batch && request->shape != ROW_PROMPT && request->shape != ROW_MESSAGES)
        return wire_not_mine(&out->what, "it is a batch line in another provider's format");
    struct slice rest = batch ? path_of(request, provider) : SLICE("/chat/completions");
    if (!rest.p)
        return wire_not_mine(&out->what, "its url is no path of printable characters");
    buf_add_slice(out->path, rest);
    out->other_path = !slice_is(rest, "/chat/completions");
    out->model = request->model.n ? request->model : defaults->model;
    if (batch)
        build_batch(request, defaults, out);
    else
        build_chat(request, provider, defaults, out->body);
    return WIRE_OK;
}

static const char *const headers[] = {"Content-Type: application/json", NULL};

const struct wire wire_openai = {
    .name = "openai",
    .auth_prefix = "Authorization: Bearer ",
    .headers = headers,
    .reply = REPLY_OPENAI,
    .shapes = WIRE_TAKES(ROW_PROMPT) | WIRE_TAKES(ROW_MESSAGES) | WIRE_TAKES(ROW_BATCH_OPENAI) |
              WIRE_TAKES(ROW_BATCH_MISTRAL),
    .says = says,
    .build_request = build_request,
    .refuses = refuses,
    .read_reply = openai_read_reply,
    .read_event = openai_read_event,
    .read_request = openai_read_request,
    .build_reply = openai_build_reply,
    .build_stream = openai_build_stream,
};
