// visible.c: text made safe for a terminal. Pure; any thread.
// SPDX-License-Identifier: MIT
#include "jobs/base/visible.h"

#include "jobs/base/utf8.h"

static const struct {
    uint32_t first, last;
} unseen[] = {
    {0x80, 0x9f},     {0x61c, 0x61c},   {0x180e, 0x180e}, {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

static bool is_unseen(uint32_t c) {
    for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
        if (c >= unseen[i].first && c <= unseen[i].last)
            return true;
    return false;
}

// The code point at p, of n bytes that begin with a valid sequence; *size: how many bytes it takes.
static uint32_t code_point(const unsigned char *p, size_t *size) {
    *size = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t c = p[0] & (0x7fu >> *size);
    for (size_t i = 1; i < *size; i++)
        c = c << 6 | (p[i] & 0x3fu);
    return c;
}

static void add_beyond(struct buf *out, struct slice rest, size_t *size) {
    const unsigned char *p = (const unsigned char *)rest.p;
    if (utf8_valid_prefix(slice_of(rest.p, rest.n < 4 ? rest.n : 4)) == 0) {
        *size = 1;
        buf_addf(out, "\\x%02x", p[0]);
        return;
    }
    uint32_t c = code_point(p, size);
    if (!is_unseen(c))
        buf_add(out, rest.p, *size);
    else if (c > 0xffff)
        buf_addf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((c - 0x10000) >> 10)),
                 (unsigned)(0xdc00 + (c & 0x3ff)));
    else
        buf_addf(out, "\\u%04x", (unsigned)c);
}

// How many bytes at the start of rest are a color of this program, or 0.
static size_t color_size(struct slice rest) {
    if (rest.n < 4 || rest.p[1] != '[')
        return 0;
    if (rest.p[3] == 'm')
        return strchr("012", rest.p[2]) ? 4 : 0;
    bool color = rest.p[2] == '3' && rest.p[3] >= '0' && rest.p[3] <= '7';
    return color && rest.n > 4 && rest.p[4] == 'm' ? 5 : 0;
}

static void add_control(struct buf *out, struct slice rest, unsigned keep, size_t *size) {
    char c = *rest.p;
    *size = 1;
    if ((keep & VISIBLE_LINES) && (c == '\n' || c == '\t')) {
        buf_add_char(out, c);
    } else if ((keep & VISIBLE_COLORS) && c == '\033' && color_size(rest)) {
        *size = color_size(rest);
        buf_add(out, rest.p, *size);
    } else if (c == '\n' || c == '\r' || c == '\t') {
        buf_add_char(out, '\\');
        buf_add_char(out, c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    } else {
        buf_addf(out, "\\x%02x", (unsigned char)c);
    }
}

// Of text behind "://": where the host begins, when credentials stand in front of it, else 0.
static size_t credentials_size(struct slice rest) {
    size_t n = 0, host = 0;
    for (; n < rest.n && (unsigned char)rest.p[n] > ' ' && !strchr("/?#\"'\\<>`", rest.p[n]); n++)
        if (rest.p[n] == '@')
            host = n;
    return host;
}

static bool is_address(struct slice text) {
    return text.n > 3 && memcmp(text.p, "://", 3) == 0 &&
           credentials_size(slice_of(text.p + 3, text.n - 3));
}

static size_t plain_prefix(struct slice text, unsigned keep) {
    size_t n = 0;
    while (n < text.n && (unsigned char)text.p[n] >= ' ' && (unsigned char)text.p[n] < 0x7f) {
        if (text.p[n] == ':' && !(keep & VISIBLE_CREDENTIALS) &&
            is_address(slice_of(text.p + n, text.n - n)))
            break;
        n++;
    }
    return n;
}

static size_t add_masked(struct buf *out, struct slice text) {
    buf_add_str(out, "://****");
    return 3 + credentials_size(slice_of(text.p + 3, text.n - 3));
}

void visible_add_address(struct buf *out, struct slice address) {
    size_t n = plain_prefix(address, 0);
    buf_add(out, address.p, n);
    address = slice_of(address.p + n, address.n - n);
    size_t size = address.n && is_address(address) ? add_masked(out, address) : 0;
    buf_add(out, address.p + size, address.n - size);
}

void visible_add(struct buf *out, struct slice text, unsigned keep) {
    while (text.n) {
        size_t size = plain_prefix(text, keep);
        if (size)
            buf_add(out, text.p, size);
        else if (*text.p == ':')
            size = add_masked(out, text);
        else if ((unsigned char)*text.p >= 0x80)
            add_beyond(out, text, &size);
        else
            add_control(out, text, keep, &size);
        text = slice_of(text.p + size, text.n - size);
    }
}
