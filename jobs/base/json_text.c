// json_text.c: JSON strings, read and written.
// SPDX-License-Identifier: MIT
#include "jobs/base/json_parts.h"

#include "jobs/base/utf8.h"

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
    const char *start = text.n ? text.p : "", *end = start + text.n;
    for (const char *p = start; (p = skip_plain(p, end)) < end; p++) {
        if (!needs_escape((unsigned char)*p))
            continue;
        buf_add(b, start, (size_t)(p - start));
        add_escape(b, (unsigned char)*p);
        start = p + 1;
    }
    buf_add(b, start, (size_t)(end - start));
}

void json_add_string(struct buf *b, struct slice text) {
    buf_add_char(b, '"');
    json_add_escaped(b, text);
    buf_add_char(b, '"');
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
