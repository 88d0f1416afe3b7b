// wire_params.c: parameters of a request, and what a wire can say of them. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/wire_params.h"

#include "pool/wire/parts.h"

// Two names of one parameter.
static const enum param twins[][2] = {
    {PARAM_MAX_TOKENS, PARAM_MAX_COMPLETION_TOKENS},
    {PARAM_TOOLS, PARAM_FUNCTIONS},
    {PARAM_TOOL_CHOICE, PARAM_FUNCTION_CALL},
};

void wire_params_merge(struct wire_params *params, const struct request *request,
                       const struct wire_defaults *defaults) {
    memcpy(params->of, request->params, sizeof params->of);
    if (!defaults->params)
        return;
    for (int i = 0; i < PARAM_COUNT; i++)
        if (!params->of[i].n)
            params->of[i] = defaults->params[i];
    for (size_t i = 0; i < COUNT(twins); i++)
        for (int side = 0; side < 2; side++)
            if (request->params[twins[i][side]].n && !request->params[twins[i][!side]].n)
                params->of[twins[i][!side]] = SLICE_NONE;
}

bool wire_words_say(const struct wire_words *words, const struct wire_params *params,
                    struct wire_refusal *refusal) {
    for (int i = 0; i < PARAM_COUNT; i++) {
        enum param param = (enum param)i;
        struct slice token = params->of[i];
        *refusal = (struct wire_refusal){param, NULL};
        if (!token.n || param == PARAM_EXTRA_BODY || param_is_default(param, token))
            continue;
        if (!words->has[i] || (words->values && !words->values(param, token, &refusal->why)))
            return false;
    }
    return true;
}

// -- extra_body --

static bool holds_settings(struct slice name) {
    return json_string_is(name, "generationConfig") || json_string_is(name, "output_config");
}

// The value of the member whose name means the same as this token.
static struct slice get_same(struct slice object, struct slice name) {
    struct buf text = BUF_INIT(name.n + 4);
    json_string_decode(name, &text);
    struct slice value =
        memchr(text.p ? text.p : "", 0, text.n) ? SLICE_NONE : json_get(object, buf_cstr(&text));
    buf_free(&text);
    return value;
}

static void add_member(struct buf *b, struct slice name, struct slice value) {
    if (b->n && b->p[b->n - 1] != '{')
        buf_add_char(b, ',');
    buf_add_slice(b, name);
    buf_add_char(b, ':');
    buf_add_slice(b, value);
}

static void add_merged(struct buf *b, struct slice base, struct slice extra, bool deeper);

static void add_base(struct buf *b, struct slice base, struct slice extra, bool deeper) {
    struct json_walk walk = json_walk(base);
    struct slice name, value;
    while (json_next_member(&walk, &name, &value)) {
        struct slice other = get_same(extra, name);
        if (!other.n) {
            add_member(b, name, value);
        } else if (deeper && holds_settings(name) && json_type(other) == JSON_OBJECT) {
            add_member(b, name, SLICE_NONE);
            add_merged(b, value, other, false);
        }
    }
}

static void add_merged(struct buf *b, struct slice base, struct slice extra, bool deeper) {
    struct json_walk walk = json_walk(extra);
    struct slice name, value;
    buf_add_char(b, '{');
    add_base(b, base, extra, deeper);
    while (json_next_member(&walk, &name, &value)) {
        bool last = get_same(extra, name).p == value.p;
        bool merged = deeper && holds_settings(name) && json_type(value) == JSON_OBJECT &&
                      get_same(base, name).n;
        if (last && !merged)
            add_member(b, name, value);
    }
    buf_add_char(b, '}');
}

void wire_merge_extra(struct buf *body, size_t start, struct slice extra) {
    if (!extra.n || wire_is_empty(extra) || body->failed)
        return;
    struct buf base = BUF_INIT(body->n + 1);
    buf_add(&base, body->p + start, body->n - start);
    body->n = start;
    add_merged(body, buf_slice(&base), extra, true);
    buf_free(&base);
}
