// body_kind.c: looks at the first bytes of an answer's body. Pure.
// SPDX-License-Identifier: MIT
#include "pool/transfer/body_kind.h"

#include <strings.h>

static struct slice skip(struct slice s, size_t n) {
    return slice_of(s.p + n, s.n - n);
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Whether s begins with the text, or is the beginning of it.
static bool begins(struct slice s, const char *text, bool *whole) {
    size_t n = strlen(text);
    *whole = s.n >= n;
    return memcmp(s.p, text, s.n < n ? s.n : n) == 0;
}

static enum body_kind kind_by_field(struct slice start) {
    static const char *const fields[] = {"data:", "event:", "id:", "retry:", ":"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        bool whole;
        if (begins(start, fields[i], &whole))
            return whole ? BODY_EVENTS : BODY_UNKNOWN;
    }
    return BODY_PLAIN;
}

enum body_kind body_kind_of(struct slice start, bool named_events) {
    static const char mark[] = "\xef\xbb\xbf";
    bool whole;
    if (start.n && start.p[0] == mark[0] && begins(start, mark, &whole)) {
        if (!whole)
            return BODY_UNKNOWN;
        start = skip(start, 3);
    }
    while (start.n && is_space(start.p[0]))
        start = skip(start, 1);
    if (!start.n)
        return BODY_UNKNOWN;
    if (start.p[0] == '{' || start.p[0] == '[')
        return BODY_PLAIN;
    return named_events ? BODY_EVENTS : kind_by_field(start);
}

static bool names(struct slice encoding, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i + n <= encoding.n; i++)
        if (strncasecmp(encoding.p + i, name, n) == 0)
            return true;
    return false;
}

enum packing body_packing(struct slice start, struct slice encoding) {
    unsigned char first = start.n ? (unsigned char)start.p[0] : 0;
    unsigned char second = start.n > 1 ? (unsigned char)start.p[1] : 0;
    if (first == 0x1f)
        return PACKING_ZLIB;
    if ((first & 0x8f) == 8 && start.n > 1 && (first << 8 | second) % 31 == 0)
        return PACKING_ZLIB;
    // what text may begin with is text, whatever the header says
    if (!names(encoding, "deflate") || !start.n || memchr("{[\"<:deir \t\r\n\xef", first, 14))
        return PACKING_NONE;
    return start.n == 1 && (first & 0x8f) == 8 ? PACKING_ZLIB : PACKING_RAW;
}
