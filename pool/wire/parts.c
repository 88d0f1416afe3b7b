// parts.c: what all wires are made of: members, joined text, tool calls, pieces of text. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/parts.h"

#include "pool/signals/finish_reason.h"

// -- asking --

void wire_add_member(struct buf *b, const char *name, struct slice token) {
    if (!token.n)
        return;
    json_add_name(b, name);
    buf_add_slice(b, token);
}

struct slice wire_system(const struct request *request, const struct wire_defaults *defaults) {
    struct slice system = request->system.n ? request->system : defaults->system;
    return system.n > 2 ? system : SLICE_NONE;
}

void wire_add_body(struct buf *b, struct slice body, struct slice members) {
    if (!members.n) {
        buf_add_slice(b, body);
        return;
    }
    buf_add_char(b, '{');
    buf_add_slice(b, members);
    if (!wire_is_empty(body))
        buf_add_char(b, ',');
    buf_add(b, body.p + 1, body.n - 1);
}

// -- replies read --

enum wire_answer wire_no_object(struct slice body, const char **what) {
    struct json_fault fault;
    if (json_check(body, &fault))
        return wire_not_mine(what, "it is no JSON object");
    *what = fault.what;
    return WIRE_NOT_JSON;
}

// String tokens are joined as they stand, without the quotes between them.
void wire_join_add(struct wire_join *join, struct buf *scratch, struct slice token) {
    if (json_type(token) != JSON_STRING)
        return;
    if (!join->first.n) {
        join->first = token;
        return;
    }
    if (!join->end) {
        join->start = scratch->n;
        buf_add(scratch, join->first.p, join->first.n - 1);
    }
    buf_add_slice(scratch, wire_inside(token));
    join->end = scratch->n;
}

void wire_join_close(struct wire_join *join, struct buf *scratch) {
    if (!join->end)
        return;
    buf_add_char(scratch, '"');
    join->end = scratch->n;
}

struct slice wire_join_text(const struct wire_join *join, const struct buf *scratch) {
    if (!join->end)
        return join->first;
    return scratch->failed ? SLICE_NONE
                           : slice_of(scratch->p + join->start, join->end - join->start);
}

static void add_call_id(struct buf *b, const struct wire_call *call) {
    if (call->id.n) {
        buf_add_slice(b, call->id);
        return;
    }
    buf_add_str(b, "\"call_");
    buf_add_int(b, (int64_t)call->number);
    buf_add_char(b, '"');
}

void wire_add_call(struct buf *b, size_t start, const struct wire_call *call) {
    buf_add_str(b, b->n == start ? "[{\"id\":" : ",{\"id\":");
    add_call_id(b, call);
    buf_add_str(b, call->custom ? ",\"type\":\"custom\",\"custom\":{\"name\":"
                                : ",\"type\":\"function\",\"function\":{\"name\":");
    buf_add_slice(b, call->name);
    buf_add_str(b, call->custom ? ",\"input\":\"" : ",\"arguments\":\"");
    buf_add_slice(b, call->arguments);
    json_add_escaped(b, call->input);
    buf_add_str(b, "\"}");
    if (call->signature.n) { // where Google's own OpenAI endpoint puts it
        buf_add_str(b, ",\"extra_content\":{\"google\":{\"thought_signature\":");
        buf_add_slice(b, call->signature);
        buf_add_str(b, "}}");
    }
    buf_add_char(b, '}');
}

bool wire_says_something(const struct reply *reply) {
    return reply->text.n > 2 || reply->tool_calls.n || reply->reasoning.n || reply->refusal.n ||
           reply->audio.n || reply->choices.n;
}

bool wire_is_blocked(const struct reply *reply) {
    return reply->text.n <= 2 && !reply->tool_calls.n && !reply->refusal.n && !reply->audio.n &&
           !reply->choices.n && signals_finish_reason(reply->finish_reason) == FINISH_FILTERED;
}

struct slice wire_reason(struct slice token) {
    return wire_only(json_type(token) == JSON_OBJECT ? json_get(token, "type") : token,
                     JSON_STRING);
}

bool wire_is_error(struct slice token) {
    switch (json_type(token)) {
    case JSON_ABSENT:
    case JSON_NULL: return false;
    case JSON_BOOL: return slice_is(token, "true");
    case JSON_STRING: return token.n > 2;
    case JSON_NUMBER: return !slice_is(token, "0");
    default: return !wire_is_empty(token);
    }
}

static void keep_larger(int64_t *kept, int64_t now) {
    if (now > *kept)
        *kept = now;
}

void wire_usage_max(struct usage *kept, const struct usage *now) {
    keep_larger(&kept->input_tokens, now->input_tokens);
    keep_larger(&kept->output_tokens, now->output_tokens);
    keep_larger(&kept->total_tokens, now->total_tokens);
    keep_larger(&kept->cached_tokens, now->cached_tokens);
    keep_larger(&kept->reasoning_tokens, now->reasoning_tokens);
    keep_larger(&kept->cache_write_tokens, now->cache_write_tokens);
}

// -- answering --

void wire_add_id(struct buf *b, const char *prefix, const char *id) {
    const char *dash = strchr(id, '-');
    buf_add_char(b, '"');
    buf_add_str(b, prefix);
    json_add_escaped(b, slice_str(dash ? dash + 1 : id));
    buf_add_char(b, '"');
}

#define PIECE_WORDS 3
#define PIECE_BYTES 64

static bool is_surrogate(struct slice s, const char *leads) {
    return s.n >= 6 && s.p[0] == '\\' && s.p[1] == 'u' && (s.p[2] | 0x20) == 'd' && s.p[3] &&
           strchr(leads, s.p[3]);
}

// The bytes at the start of a string's inside that only mean something together: an escape, a
// surrogate pair, a UTF-8 sequence.
static size_t unit_size(struct slice s) {
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (c == '\\' && s.n > 1)
        n = s.p[1] == 'u' ? 6 : 2;
    if (is_surrogate(s, "89abAB") && is_surrogate(slice_of(s.p + 6, s.n - 6), "cdefCDEF"))
        n = 12;
    return n < s.n ? n : s.n;
}

struct slice wire_next_piece(struct slice *rest) {
    struct slice piece = slice_of(rest->p, 0);
    for (int words = 0; rest->n && words < PIECE_WORDS && piece.n < PIECE_BYTES;) {
        words += *rest->p == ' ';
        size_t n = unit_size(*rest);
        piece.n += n;
        *rest = slice_of(rest->p + n, rest->n - n);
    }
    return piece;
}
