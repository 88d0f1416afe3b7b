// gemini.c: Gemini generateContent as the client speaks it: rows to requests. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/gemini.h"

#include "pool/wire/conversation.h"
#include "pool/wire/wire_params.h"

#include <strings.h>

// -- the path, which names the model --

static bool is_plain(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

static void add_encoded(struct buf *path, struct slice text) {
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (is_plain(c))
            buf_add_char(path, (char)c);
        else
            buf_add(path, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
    }
}

// "/models/gemini-x" for a model given as "gemini-x" or as "models/gemini-x"; tuned models keep the
// folder of theirs.
static void add_model(struct buf *path, struct slice name) {
    static const char *const folders[] = {"models/", "tunedModels/"};
    const char *folder = folders[0];
    for (size_t i = 0; i < COUNT(folders); i++)
        if (slice_starts(name, folders[i])) {
            folder = folders[i];
            name = slice_of(name.p + strlen(folder), name.n - strlen(folder));
            break;
        }
    buf_add_char(path, '/');
    buf_add_str(path, folder);
    add_encoded(path, name);
}

static void build_path(struct slice model, const char *method, struct buf *path) {
    struct buf name = BUF_INIT(model.n + 1);
    struct slice plain = wire_inside(model);
    if (memchr(plain.p, '\\', plain.n)) {
        json_string_decode(model, &name);
        plain = buf_slice(&name);
    }
    add_model(path, plain);
    buf_add_str(path, method);
    buf_free(&name);
}

// -- asking: a row becomes a request --

static void add_blob(struct buf *b, const struct part *part) {
    buf_add_str(b, "{\"inlineData\":{\"mimeType\":\"");
    buf_add_slice(b, part->mime);
    buf_add_str(b, "\",\"data\":\"");
    buf_add_slice(b, part->data);
    buf_add_str(b, "\"}}");
}

// The type that the end of a URL's path promises; NULL when it promises none.
static const char *type_of(struct slice url) {
    static const char *const ends[][2] = {
        {".png", "image/png"},   {".jpg", "image/jpeg"},      {".jpeg", "image/jpeg"},
        {".webp", "image/webp"}, {".heic", "image/heic"},     {".heif", "image/heif"},
        {".gif", "image/gif"},   {".pdf", "application/pdf"},
    };
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] == '?' || url.p[i] == '#')
            url.n = i;
    for (size_t i = 0; i < COUNT(ends); i++) {
        size_t n = strlen(ends[i][0]);
        if (url.n > n && strncasecmp(url.p + url.n - n, ends[i][0], n) == 0)
            return ends[i][1];
    }
    return NULL;
}

static void add_file(struct buf *b, const struct part *part) {
    const char *type = type_of(wire_inside(part->url));
    buf_add_str(b, "{\"fileData\":{");
    if (type) {
        json_add_name(b, "mimeType");
        json_add_string(b, slice_str(type));
    }
    wire_add_member(b, "fileUri", part->url);
    buf_add_str(b, "}}");
}

// From the third generation on the first call of a step must carry the signature of the thought it
// came from. For calls made elsewhere Google documents a word that stands in for one.
static struct slice signature_for(const struct part *part, const struct slice *model) {
    struct slice name = wire_inside(*model);
    if (slice_starts(name, "models/"))
        name = slice_of(name.p + 7, name.n - 7);
    if (part->signature.n || !part->first_call || !slice_starts(name, "gemini-") ||
        slice_starts(name, "gemini-1") || slice_starts(name, "gemini-2"))
        return part->signature;
    return SLICE("\"skip_thought_signature_validator\"");
}

static bool add_call(struct buf *b, const struct part *part, const struct slice *model,
                     const char **what) {
    buf_add_str(b, "{\"functionCall\":{\"id\":");
    buf_add_slice(b, part->id);
    buf_add_str(b, ",\"name\":");
    buf_add_slice(b, part->name);
    buf_add_str(b, ",\"args\":");
    if (!conversation_add_object(b, part->arguments)) {
        *what = "the arguments of a tool call in its messages are not the text of a JSON object";
        return false;
    }
    buf_add_char(b, '}');
    wire_add_member(b, "thoughtSignature", signature_for(part, model));
    buf_add_char(b, '}');
    return true;
}

static bool add_result(struct buf *b, const struct part *part, const char **what);

static bool add_part(struct buf *b, const struct part *part, const void *model, const char **what) {
    switch (part->kind) {
    case PART_TEXT:
        buf_add_str(b, "{\"text\":");
        buf_add_slice(b, part->text);
        buf_add_char(b, '}');
        return true;
    case PART_URL: add_file(b, part); return true;
    case PART_DATA: add_blob(b, part); return true;
    case PART_CALL: return add_call(b, part, model, what);
    case PART_RESULT: return add_result(b, part, what);
    }
    return false;
}

static const struct tongue tongue = {
    .user = "{\"role\":\"user\",\"parts\":[",
    .assistant = "{\"role\":\"model\",\"parts\":[",
    .close = "]}",
    .add_part = add_part,
};

// What the tool said, as an object: its own if it is the text of one, else {"output": it}.
static void add_output(struct buf *b, struct slice content) {
    size_t start = b->n;
    if (content.n > 2 && conversation_add_object(b, content))
        return;
    if (!b->failed)
        b->n = start;
    buf_add_str(b, "{\"output\":");
    buf_add_slice(b, content);
    buf_add_char(b, '}');
}

// Several texts are one output; what is no text has no place in a function's response.
static bool add_outputs(struct buf *b, struct slice content, const char **what) {
    struct json_walk walk = json_walk(content);
    struct slice part;
    buf_add_str(b, "{\"output\":\"");
    while (json_next_element(&walk, &part)) {
        struct slice text = wire_only(json_get(part, "text"), JSON_STRING);
        if (!text.n) {
            *what = "a tool's result holds more than text, which has no form here";
            return false;
        }
        buf_add_slice(b, wire_inside(text));
    }
    buf_add_str(b, "\"}");
    return true;
}

static bool add_result(struct buf *b, const struct part *part, const char **what) {
    buf_add_str(b, "{\"functionResponse\":{\"id\":");
    buf_add_slice(b, part->id);
    buf_add_str(b, ",\"name\":");
    buf_add_slice(b, part->name);
    buf_add_str(b, ",\"response\":");
    if (json_type(part->content) == JSON_STRING)
        add_output(b, part->content);
    else if (!add_outputs(b, part->content, what))
        return false;
    buf_add_str(b, "}}");
    return true;
}

static void add_text_content(struct buf *b, const char *start, struct slice text) {
    buf_add_str(b, start);
    buf_add_str(b, "{\"text\":");
    buf_add_slice(b, text);
    buf_add_str(b, "}]}");
}

static void add_default_system(struct buf *b, struct slice system) {
    if (system.n)
        add_text_content(b, ",\"systemInstruction\":{\"parts\":[", system);
}

static void add_prompt(struct buf *b, struct slice prompt, struct slice system) {
    add_text_content(b, "\"contents\":[{\"role\":\"user\",\"parts\":[", prompt);
    buf_add_char(b, ']');
    add_default_system(b, system);
}

static bool add_messages(struct conversation *c, struct buf *b, struct slice messages,
                         struct slice system) {
    buf_add_str(b, "\"contents\":[");
    if (!conversation_add(c, messages, b))
        return false;
    buf_add_char(b, ']');
    size_t before = b->n;
    buf_add_str(b, ",\"systemInstruction\":{\"parts\":[");
    size_t start = b->n;
    if (!conversation_add_system(c, messages, b))
        return false;
    if (b->n > start) {
        buf_add_str(b, "]}");
    } else if (!b->failed) {
        b->n = before;
        add_default_system(b, system);
    }
    return true;
}

// Plain JSON Schema goes into fields of its own: the older ones know a part of it only.
static bool add_tools(struct buf *b, struct slice tools, const char **what) {
    struct json_walk walk = json_walk(tools);
    struct tool tool;
    *what = NULL;
    if (!tools.n || wire_is_empty(tools))
        return true;
    buf_add_str(b, ",\"tools\":[{\"functionDeclarations\":");
    for (char mark = '['; conversation_next_tool(&walk, &tool, what); mark = ',') {
        buf_add_char(b, mark);
        buf_add_char(b, '{');
        wire_add_member(b, "name", tool.name);
        wire_add_member(b, "description", tool.description);
        wire_add_member(b, "parametersJsonSchema", tool.parameters);
        buf_add_char(b, '}');
    }
    buf_add_str(b, "]}]");
    return !*what;
}

static bool add_tool_choice(struct buf *b, struct slice tool_choice, const char **what) {
    static const char *const modes[] = {[CHOICE_AUTO] = "AUTO",
                                        [CHOICE_NONE] = "NONE",
                                        [CHOICE_REQUIRED] = "ANY",
                                        [CHOICE_TOOL] = "ANY"};
    struct slice name;
    enum choice choice = conversation_choice(tool_choice, &name);
    if (choice == CHOICE_NOT_GIVEN)
        return true;
    if (choice == CHOICE_OTHER) {
        *what = "its tool_choice has no counterpart in this format";
        return false;
    }
    buf_add_str(b, ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"");
    buf_add_str(b, modes[choice]);
    buf_add_char(b, '"');
    if (choice == CHOICE_TOOL) {
        buf_add_str(b, ",\"allowedFunctionNames\":[");
        buf_add_slice(b, name);
        buf_add_char(b, ']');
    }
    buf_add_str(b, "}}");
    return true;
}

static bool build_contents(const struct request *request, const struct wire_defaults *defaults,
                           struct wire_out *out) {
    struct conversation c = {.tongue = &tongue, .context = &out->model};
    struct slice system = wire_system(request, defaults);
    struct buf *b = out->body;
    struct wire_params params;
    wire_params_merge(&params, request, defaults);
    const char *tier = gemini_tier(params.of[PARAM_SERVICE_TIER]);
    buf_add_char(b, '{');
    if (request->shape == ROW_PROMPT) {
        add_prompt(b, request->prompt, system);
    } else if (!add_messages(&c, b, request->messages, system)) {
        out->what = c.what;
        return false;
    }
    if (!gemini_add_config(b, &params, out->model, &out->what) ||
        !add_tools(b, params.of[PARAM_TOOLS], &out->what) ||
        !add_tool_choice(b, params.of[PARAM_TOOL_CHOICE], &out->what))
        return false;
    if (tier)
        wire_add_member(b, "service_tier", slice_str(tier));
    buf_add_char(b, '}');
    wire_merge_extra(b, 0, params.of[PARAM_EXTRA_BODY]);
    return true;
}

// Batches of embeddings hold one `content` a line, others `contents`.
static bool is_embedding(const struct request *request) {
    return request->shape == ROW_BATCH_GEMINI && json_get(request->body, "content").n &&
           !json_get(request->body, "contents").n;
}

static const char *method_of(const struct request *request, const struct wire_defaults *defaults) {
    if (is_embedding(request))
        return ":embedContent";
    return defaults->stream ? ":streamGenerateContent?alt=sse" : ":generateContent";
}

static enum wire_answer build_request(const struct request *request,
                                      const struct provider *provider,
                                      const struct wire_defaults *defaults, struct wire_out *out) {
    (void)provider;
    out->model = request->model.n ? request->model : defaults->model;
    out->other_path = is_embedding(request);
    build_path(out->model, method_of(request, defaults), out->path);
    switch (request->shape) {
    case ROW_PROMPT:
    case ROW_MESSAGES: return build_contents(request, defaults, out) ? WIRE_OK : WIRE_NOT_MINE;
    case ROW_BATCH_GEMINI: // the path says whether it is to come as a stream, not the body
        buf_add_slice(out->body, request->body);
        return WIRE_OK;
    default: return wire_not_mine(&out->what, "it is a batch line in another provider's format");
    }
}

static const char *const headers[] = {"Content-Type: application/json", NULL};

const struct wire wire_gemini = {
    .name = "gemini",
    .auth_prefix = "x-goog-api-key: ",
    .headers = headers,
    .reply = REPLY_GEMINI,
    .shapes = WIRE_TAKES(ROW_PROMPT) | WIRE_TAKES(ROW_MESSAGES) | WIRE_TAKES(ROW_BATCH_GEMINI),
    .says = gemini_says,
    .build_request = build_request,
    .read_reply = gemini_read_reply,
    .read_event = gemini_read_event,
    .read_request = gemini_read_request,
    .build_reply = gemini_build_reply,
    .build_stream = gemini_build_stream,
};
