// json.c: checks JSON once, then finds slices in it. Iterative: depth costs a bit, not a stack
// frame.
// SPDX-License-Identifier: MIT
#include "jobs/base/json.h"

#include "jobs/base/utf8.h"

#include <stdlib.h>

struct scan {
    const char *p;
    const char *end;
    const char *fault;
};

// Of no slice at all (a null pointer) not even the end may be computed.
static struct scan scan_of(struct slice text) {
    return text.p ? (struct scan){text.p, text.p + text.n, NULL} : (struct scan){"", "", NULL};
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static void skip_space(struct scan *s) {
    while (s->p < s->end && is_space(*s->p))
        s->p++;
}

static bool fail(struct scan *s, const char *what) {
    s->fault = what;
    return false;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The four hexadecimal digits at p as a number, or -1.
static int hex4(const char *p, const char *end) {
    int value = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static bool check_escape(struct scan *s) {
    if (s->p == s->end)
        return fail(s, "a string does not end");
    if (*s->p == 'u') {
        if (hex4(s->p + 1, s->end) < 0)
            return fail(s, "\\u needs four hexadecimal digits");
        s->p += 5;
        return true;
    }
    if (!memchr("\"\\/bfnrt", *s->p, 8))
        return fail(s, "unknown escape in a string");
    s->p++;
    return true;
}

// Each byte of a word, and the top bit of each byte.
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define TOPS       EACH(0x80)

// Some top bit is set when a byte of word is below bound (at most 0x80).
static uint64_t bytes_below(uint64_t word, unsigned char bound) {
    return (word - EACH(bound)) & ~word & TOPS;
}

// Past the bytes that mean nothing but themselves in a string, eight at a time.
static const char *skip_plain(const char *p, const char *end) {
    for (; end - p >= 8; p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        if (bytes_below(word, 0x20) | bytes_below(word ^ EACH('"'), 1) |
            bytes_below(word ^ EACH('\\'), 1))
            break;
    }
    return p;
}

static bool check_string(struct scan *s) {
    for (s->p++;;) {
        s->p = skip_plain(s->p, s->end);
        if (s->p == s->end)
            break;
        unsigned char c = (unsigned char)*s->p;
        if (c == '"') {
            s->p++;
            return true;
        }
        if (c < 0x20)
            return fail(s, "a control character stands unescaped in a string");
        s->p++;
        if (c == '\\' && !check_escape(s))
            return false;
    }
    return fail(s, "a string does not end");
}

static bool check_digits(struct scan *s) {
    const char *start = s->p;
    while (s->p < s->end && is_digit(*s->p))
        s->p++;
    return s->p > start || fail(s, "a number is incomplete");
}

static bool check_number(struct scan *s) {
    if (*s->p == '-')
        s->p++;
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (!check_digits(s))
        return false;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!check_digits(s))
            return false;
    }
    if (s->p < s->end && (*s->p | 0x20) == 'e') {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        return check_digits(s);
    }
    return true;
}

static bool check_word(struct scan *s, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return fail(s, "this is no JSON value");
    s->p += n;
    return true;
}

static bool check_scalar(struct scan *s) {
    switch (*s->p) {
    case '"': return check_string(s);
    case 't': return check_word(s, "true");
    case 'f': return check_word(s, "false");
    case 'n': return check_word(s, "null");
    default:
        if (*s->p == '-' || is_digit(*s->p))
            return check_number(s);
        return fail(s, "this is no JSON value");
    }
}

// A member's name and colon, after its opening brace or comma.
static bool check_name(struct scan *s) {
    skip_space(s);
    if (s->p == s->end || *s->p != '"')
        return fail(s, "a member's name is missing");
    if (!check_string(s))
        return false;
    skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return fail(s, "a colon is missing");
    s->p++;
    return true;
}

// The containers that are open, one bit each: set for an object.
struct nest {
    unsigned depth;
    unsigned char object[JSON_MAX_DEPTH / 8];
};

static bool nest_open(struct scan *s, struct nest *nest) {
    bool object = *s->p == '{';
    if (nest->depth == JSON_MAX_DEPTH)
        return fail(s, "nested too deeply");
    unsigned char bit = (unsigned char)(1u << (nest->depth % 8));
    if (object)
        nest->object[nest->depth / 8] |= bit;
    else
        nest->object[nest->depth / 8] &= (unsigned char)~bit;
    nest->depth++;
    s->p++;
    return true;
}

static bool in_object(const struct nest *nest) {
    unsigned top = nest->depth - 1;
    return nest->object[top / 8] >> (top % 8) & 1;
}

// After a value: closes what ends here and passes the comma. False at the end or on a fault.
static bool next_value(struct scan *s, struct nest *nest) {
    while (nest->depth) {
        skip_space(s);
        if (s->p == s->end)
            return fail(s, "the text ends too early");
        if (*s->p == ',') {
            s->p++;
            return !in_object(nest) || check_name(s);
        }
        if (*s->p != (in_object(nest) ? '}' : ']'))
            return fail(s, "a comma is missing");
        s->p++;
        nest->depth--;
    }
    return false;
}

static bool check_value(struct scan *s) {
    struct nest nest = {0};
    for (;;) {
        skip_space(s);
        if (s->p == s->end)
            return fail(s, "a value is missing");
        bool opens = *s->p == '{' || *s->p == '[';
        if (!opens) {
            if (!check_scalar(s))
                return false;
        } else {
            if (!nest_open(s, &nest))
                return false;
            skip_space(s);
            bool closes = s->p < s->end && *s->p == (in_object(&nest) ? '}' : ']');
            if (!closes) {
                if (in_object(&nest) && !check_name(s))
                    return false;
                continue;
            }
        }
        if (!next_value(s, &nest))
            return !s->fault;
    }
}

bool json_check(struct slice text, struct json_fault *fault) {
    struct scan s = scan_of(text);
    size_t good = utf8_valid_prefix(text);
    if (good < text.n) {
        s.p = text.p + good;
        s.fault = "invalid UTF-8";
    } else if (check_value(&s)) {
        skip_space(&s);
        if (s.p < s.end)
            s.fault = "something follows the value";
    }
    if (s.fault && fault)
        *fault = (struct json_fault){text.p ? (size_t)(s.p - text.p) : 0, s.fault};
    return !s.fault;
}

enum json_type json_type(struct slice token) {
    if (!token.n)
        return JSON_ABSENT;
    struct scan s = scan_of(token);
    skip_space(&s);
    if (s.p == s.end)
        return JSON_ABSENT;
    switch (*s.p) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 'n': return JSON_NULL;
    case 't':
    case 'f': return JSON_BOOL;
    default: return JSON_NUMBER;
    }
}

// From the opening quote to behind the closing one.
static const char *string_end(const char *p, const char *end) {
    for (;;) {
        const char *quote = memchr(p + 1, '"', (size_t)(end - p - 1));
        if (!quote)
            return end;
        const char *back = quote;
        while (back[-1] == '\\' && back - 1 > p)
            back--;
        bool escaped = (quote - back) % 2 != 0;
        p = quote;
        if (!escaped)
            return quote + 1;
    }
}

static const char *container_end(const char *p, const char *end) {
    size_t depth = 0;
    while (p < end) {
        switch (*p) {
        case '"': p = string_end(p, end); continue;
        case '{':
        case '[': depth++; break;
        case '}':
        case ']':
            if (--depth == 0)
                return p + 1;
        }
        p++;
    }
    return end;
}

static const char *value_end(const char *p, const char *end) {
    if (*p == '"')
        return string_end(p, end);
    if (*p == '{' || *p == '[')
        return container_end(p, end);
    while (p < end && !is_space(*p) && *p != ',' && *p != '}' && *p != ']')
        p++;
    return p;
}

struct json_walk json_walk(struct slice container) {
    if (!container.n)
        return (struct json_walk){NULL, NULL};
    struct scan s = scan_of(container);
    skip_space(&s);
    if (s.p == s.end || (*s.p != '{' && *s.p != '['))
        return (struct json_walk){s.end, s.end};
    return (struct json_walk){s.p + 1, s.end};
}

// To the next token, past white space and a comma or colon; false at the closing bracket.
static bool walk_token(struct json_walk *w, struct slice *token) {
    while (w->p < w->end && (is_space(*w->p) || *w->p == ',' || *w->p == ':'))
        w->p++;
    if (w->p >= w->end || *w->p == '}' || *w->p == ']')
        return false;
    const char *stop = value_end(w->p, w->end);
    *token = slice_of(w->p, (size_t)(stop - w->p));
    w->p = stop;
    return true;
}

bool json_next_member(struct json_walk *w, struct slice *name, struct slice *value) {
    return walk_token(w, name) && walk_token(w, value);
}

bool json_next_element(struct json_walk *w, struct slice *value) {
    return walk_token(w, value);
}

// json_string_is() for a name without escapes, made to say no at the first byte.
static bool plain_name_is(struct slice name, const char *text) {
    size_t n = name.n - 2;
    if (n && text[0] != name.p[1])
        return false;
    return strncmp(text, name.p + 1, n) == 0 && text[n] == '\0';
}

static const struct json_field *find_field(struct slice name, const struct json_field *fields,
                                           size_t count) {
    bool plain = !memchr(name.p, '\\', name.n);
    for (size_t i = 0; i < count; i++)
        if (plain ? plain_name_is(name, fields[i].name) : json_string_is(name, fields[i].name))
            return fields + i;
    return NULL;
}

bool json_fields(struct slice object, const struct json_field *fields, size_t count) {
    for (size_t i = 0; i < count; i++)
        *fields[i].value = SLICE_NONE;
    if (json_type(object) != JSON_OBJECT)
        return false;
    struct json_walk w = json_walk(object);
    struct slice name, value;
    while (json_next_member(&w, &name, &value)) {
        const struct json_field *field = find_field(name, fields, count);
        if (field)
            *field->value = value;
    }
    return true;
}

struct slice json_get(struct slice object, const char *name) {
    struct slice value;
    json_fields(object, &(struct json_field){name, &value}, 1);
    return value;
}

bool json_string_is(struct slice token, const char *text) {
    size_t n = strlen(text);
    if (token.n < 2 || token.p[0] != '"')
        return false;
    if (token.n == n + 2 && memcmp(token.p + 1, text, n) == 0)
        return !memchr(text, '\\', n);
    if (token.n < n + 2 || !memchr(token.p, '\\', token.n))
        return false;
    struct buf decoded = BUF_INIT(token.n);
    bool same = json_string_decode(token, &decoded) && slice_is(buf_slice(&decoded), text);
    buf_free(&decoded);
    return same;
}

static char simple_escape(char c) {
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c; // " \ /
    }
}

// Reads \uXXXX (and its other half) with p behind the u; returns where it ends.
static const char *decode_unicode(const char *p, const char *end, struct buf *out, bool *good) {
    int c = hex4(p, end);
    p += 4;
    bool high = c >= 0xd800 && c <= 0xdbff;
    if (high && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        int low = hex4(p + 2, end);
        if (low >= 0xdc00 && low <= 0xdfff) {
            utf8_add(out, 0x10000 + ((uint32_t)(c - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
            return p + 6;
        }
    }
    bool half = c >= 0xd800 && c <= 0xdfff;
    if (half)
        *good = false;
    utf8_add(out, half ? 0xfffd : (uint32_t)c);
    return p;
}

bool json_string_decode(struct slice token, struct buf *out) {
    if (token.n < 2 || token.p[0] != '"')
        return false;
    const char *p = token.p + 1, *end = token.p + token.n - 1;
    bool good = true;
    while (p < end) {
        const char *back = memchr(p, '\\', (size_t)(end - p));
        buf_add(out, p, (size_t)((back ? back : end) - p));
        if (!back)
            break;
        if (back[1] == 'u') {
            p = decode_unicode(back + 2, end, out, &good);
        } else {
            buf_add_char(out, simple_escape(back[1]));
            p = back + 2;
        }
    }
    return good;
}

static bool needs_escape(unsigned char c) {
    return c < 0x20 || c == '"' || c == '\\';
}

static void add_escape(struct buf *b, unsigned char c) {
    static const char hex[] = "0123456789abcdef";
    const char *found = memchr("\bb\ff\nn\rr\tt", c, 10);
    if (c == '"' || c == '\\')
        buf_add(b, (char[]){'\\', (char)c}, 2);
    else if (found)
        buf_add(b, (char[]){'\\', found[1]}, 2);
    else
        buf_add(b, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

void json_add_escaped(struct buf *b, struct slice text) {
    size_t start = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (!needs_escape((unsigned char)text.p[i]))
            continue;
        buf_add(b, text.p + start, i - start);
        add_escape(b, (unsigned char)text.p[i]);
        start = i + 1;
    }
    if (text.n > start)
        buf_add(b, text.p + start, text.n - start);
}

void json_add_string(struct buf *b, struct slice text) {
    buf_add_char(b, '"');
    json_add_escaped(b, text);
    buf_add_char(b, '"');
}

void json_add_name(struct buf *b, const char *name) {
    char last = b->n ? b->p[b->n - 1] : '{';
    if (last != '{' && last != '[')
        buf_add_char(b, ',');
    buf_add_char(b, '"');
    buf_add_str(b, name);
    buf_add(b, "\":", 2);
}

void json_add_thousandths(struct buf *b, int64_t value) {
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[4] = {'.', (char)('0' + rest / 100 % 10), (char)('0' + rest / 10 % 10),
                      (char)('0' + rest % 10)};
    size_t n = 4;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (value < 0)
        buf_add_char(b, '-');
    buf_add_int(b, (int64_t)(rest / 1000));
    buf_add(b, digits, n > 1 ? n : 0);
}

bool json_int(struct slice token, int64_t *value) {
    bool negative = token.n && token.p[0] == '-';
    size_t i = negative ? 1 : 0;
    uint64_t total = 0, limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (i == token.n)
        return false;
    for (; i < token.n; i++) {
        if (!is_digit(token.p[i]))
            return false;
        unsigned digit = (unsigned)(token.p[i] - '0');
        if (total > (limit - digit) / 10)
            return false;
        total = total * 10 + digit;
    }
    *value = negative ? (int64_t)(0 - total) : (int64_t)total;
    return true;
}

bool json_double(struct slice token, double *value) {
    char copy[64];
    if (json_type(token) != JSON_NUMBER || token.n >= sizeof copy)
        return false;
    memcpy(copy, token.p, token.n);
    copy[token.n] = '\0';
    char *end;
    *value = strtod(copy, &end);
    return *end == '\0';
}
