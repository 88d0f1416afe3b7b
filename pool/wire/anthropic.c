// anthropic.c: Anthropic Messages as the client speaks them: rows to requests. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/anthropic.h"

#include "pool/wire/conversation.h"
#include "pool/wire/wire_params.h"

// -- asking: a row becomes a request --

static void add_source(struct buf *b, const char *kind, const struct part *part) {
    buf_add_str(b, "{\"type\":\"");
    buf_add_str(b, kind);
    if (part->kind == PART_URL) {
        buf_add_str(b, "\",\"source\":{\"type\":\"url\",\"url\":");
        buf_add_slice(b, part->url);
        buf_add_str(b, "}}");
        return;
    }
    buf_add_str(b, "\",\"source\":{\"type\":\"base64\",\"media_type\":\"");
    buf_add_slice(b, part->mime);
    buf_add_str(b, "\",\"data\":\"");
    buf_add_slice(b, part->data);
    buf_add_str(b, "\"}}");
}

static bool add_text(struct buf *b, const struct part *part) {
    buf_add_str(b, "{\"type\":\"text\",\"text\":");
    buf_add_slice(b, part->text);
    buf_add_char(b, '}');
    return true;
}

static bool add_url(struct buf *b, const struct part *part, const char **what) {
    struct slice url = wire_inside(part->url);
    if (slice_starts(url, "http:") || slice_starts(url, "https:")) {
        add_source(b, "image", part);
        return true;
    }
    *what = "an image's url is neither http(s) nor a data URI";
    return false;
}

// "image/" in JSON, where the slash may be escaped.
static bool is_image(struct slice mime) {
    return slice_starts(mime, "image/") || slice_starts(mime, "image\\/");
}

static bool is_pdf(struct slice mime) {
    return slice_is(mime, "application/pdf") || slice_is(mime, "application\\/pdf");
}

static bool add_data(struct buf *b, const struct part *part, const char **what) {
    if (!is_image(part->mime) && !is_pdf(part->mime)) {
        *what = "of data in messages only images and PDF have a form in this format";
        return false;
    }
    add_source(b, is_image(part->mime) ? "image" : "document", part);
    return true;
}

static bool add_call(struct buf *b, const struct part *part, const char **what) {
    buf_add_str(b, "{\"type\":\"tool_use\",\"id\":");
    buf_add_slice(b, part->id);
    buf_add_str(b, ",\"name\":");
    buf_add_slice(b, part->name);
    buf_add_str(b, ",\"input\":");
    if (!conversation_add_object(b, part->arguments)) {
        *what = "the arguments of a tool call in its messages are not the text of a JSON object";
        return false;
    }
    buf_add_char(b, '}');
    return true;
}

static bool add_result(struct buf *b, const struct part *part, const char **what);

static bool add_part(struct buf *b, const struct part *part, const void *context,
                     const char **what) {
    (void)context;
    switch (part->kind) {
    case PART_TEXT: return add_text(b, part);
    case PART_URL: return add_url(b, part, what);
    case PART_DATA: return add_data(b, part, what);
    case PART_CALL: return add_call(b, part, what);
    case PART_RESULT: return add_result(b, part, what);
    }
    return false;
}

static const struct tongue tongue = {
    .user = "{\"role\":\"user\",\"content\":[",
    .assistant = "{\"role\":\"assistant\",\"content\":[",
    .close = "]}",
    .add_part = add_part,
};

static bool add_result(struct buf *b, const struct part *part, const char **what) {
    struct conversation inner = {.tongue = &tongue};
    bool plain = json_type(part->content) == JSON_STRING;
    buf_add_str(b, "{\"type\":\"tool_result\",\"tool_use_id\":");
    buf_add_slice(b, part->id);
    buf_add_str(b, plain ? ",\"content\":" : ",\"content\":[");
    if (plain)
        buf_add_slice(b, part->content);
    else if (!conversation_add_content(&inner, part->content, b)) {
        *what = inner.what;
        return false;
    }
    buf_add_str(b, plain ? "}" : "]}");
    return true;
}

static void add_default_system(struct buf *b, struct slice system) {
    wire_add_member(b, "system", system);
}

// The system's words stand beside the conversation, wherever a row has them.
static bool add_messages(struct conversation *c, struct buf *b, struct slice messages,
                         struct slice system) {
    size_t before = b->n;
    buf_add_str(b, ",\"system\":[");
    size_t start = b->n;
    if (!conversation_add_system(c, messages, b))
        return false;
    if (b->n > start) {
        buf_add_char(b, ']');
    } else if (!b->failed) {
        b->n = before;
        add_default_system(b, system);
    }
    buf_add_str(b, ",\"messages\":[");
    if (!conversation_add(c, messages, b))
        return false;
    buf_add_char(b, ']');
    return true;
}

static void add_prompt(struct buf *b, struct slice prompt, struct slice system) {
    add_default_system(b, system);
    buf_add_str(b, ",\"messages\":[{\"role\":\"user\",\"content\":");
    buf_add_slice(b, prompt);
    buf_add_str(b, "}]");
}

static bool build_messages(const struct request *request, const struct wire_defaults *defaults,
                           struct wire_out *out) {
    struct conversation c = {.tongue = &tongue};
    struct slice system = wire_system(request, defaults);
    struct buf *b = out->body;
    struct wire_params params;
    const char *effort;
    wire_params_merge(&params, request, defaults);
    buf_add_char(b, '{');
    wire_add_member(b, "model", out->model);
    if (!anthropic_add_bound(b, &params, out->model, &effort, &out->what))
        return false;
    if (request->shape == ROW_PROMPT) {
        add_prompt(b, request->prompt, system);
    } else if (!add_messages(&c, b, request->messages, system)) {
        out->what = c.what;
        return false;
    }
    if (!anthropic_add_settings(b, &params, effort, &out->what))
        return false;
    if (defaults->stream)
        wire_add_member(b, "stream", SLICE("true"));
    buf_add_char(b, '}');
    wire_merge_extra(b, 0, params.of[PARAM_EXTRA_BODY]);
    return true;
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

static enum wire_answer build_request(const struct request *request,
                                      const struct provider *provider,
                                      const struct wire_defaults *defaults, struct wire_out *out) {
    (void)provider;
    buf_add_str(out->path, "/messages");
    out->model = request->model.n ? request->model : defaults->model;
    switch (request->shape) {
    case ROW_PROMPT:
    case ROW_MESSAGES: return build_messages(request, defaults, out) ? WIRE_OK : WIRE_NOT_MINE;
    case ROW_BATCH_ANTHROPIC: build_batch(request, defaults, out); return WIRE_OK;
    default: return wire_not_mine(&out->what, "it is a batch line in another provider's format");
    }
}

static const char *const headers[] = {"Content-Type: application/json",
                                      "anthropic-version: 2023-06-01", NULL};

const struct wire wire_anthropic = {
    .name = "anthropic",
    .auth_prefix = "x-api-key: ",
    .headers = headers,
    .reply = REPLY_ANTHROPIC,
    .shapes = WIRE_TAKES(ROW_PROMPT) | WIRE_TAKES(ROW_MESSAGES) | WIRE_TAKES(ROW_BATCH_ANTHROPIC),
    .says = anthropic_says,
    .build_request = build_request,
    .read_reply = anthropic_read_reply,
    .read_event = anthropic_read_event,
    .read_request = anthropic_read_request,
    .build_reply = anthropic_build_reply,
    .build_stream = anthropic_build_stream,
};
