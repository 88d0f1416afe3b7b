// show.c: numbers and foreign text as people read them. Pure; any thread.
// SPDX-License-Identifier: MIT
#include "runner/screen/show.h"

#include "jobs/base/clock.h"
#include "jobs/base/utf8.h"

#include <sys/ioctl.h>
#include <unistd.h>

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

void show_count(struct buf *out, int64_t n) {
    if (n < 0) {
        buf_add_char(out, '-');
        n = n == INT64_MIN ? INT64_MAX : -n;
    }
    if (n < 1000) {
        buf_add_int(out, n);
        return;
    }
    show_count(out, n / 1000);
    buf_addf(out, ",%03d", (int)(n % 1000));
}

static void two_units(struct buf *out, int64_t usec, int64_t large, int64_t small,
                      const char *names) {
    buf_addf(out, "%lld%c%02lld%c", (long long)(usec / large), names[0],
             (long long)(usec % large / small), names[1]);
}

void show_span(struct buf *out, int64_t usec) {
    if (usec < 0)
        usec = 0;
    if (usec < 10 * USEC_PER_SEC)
        buf_addf(out, "%.1fs", (double)(usec / (100 * USEC_PER_MS)) / 10);
    else if (usec < MINUTE)
        buf_addf(out, "%llds", (long long)(usec / USEC_PER_SEC));
    else if (usec < HOUR)
        two_units(out, usec, MINUTE, USEC_PER_SEC, "ms");
    else if (usec < DAY)
        two_units(out, usec, HOUR, MINUTE, "hm");
    else
        two_units(out, usec, DAY, HOUR, "dh");
}

void show_latency(struct buf *out, int64_t usec) {
    double ms = (double)usec / 1000;
    if (ms < 9.95)
        buf_addf(out, "%.1f ms", ms);
    else if (ms < 999.5)
        buf_addf(out, "%.0f ms", ms);
    else
        buf_addf(out, ms < 9995 ? "%.2f s" : "%.1f s", ms / 1000);
}

void show_rate(struct buf *out, double n) {
    buf_addf(out, n < 99.95 ? "%.1f" : "%.0f", n);
}

// C0 and C1 controls, DEL, and the bytes that are no UTF-8.
static size_t harmless(struct slice rest) {
    size_t good = utf8_valid_prefix(slice_of(rest.p, rest.n < 4 ? rest.n : 4));
    unsigned char first = (unsigned char)rest.p[0];
    if (!good || first < 0x20 || first == 0x7f)
        return 0;
    size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    bool is_c1 = first == 0xc2 && (unsigned char)rest.p[1] < 0xa0;
    return is_c1 ? 0 : n;
}

static size_t skip_harmful(struct slice rest) {
    bool is_c1 = rest.n >= 2 && (unsigned char)rest.p[0] == 0xc2 && utf8_valid_prefix(rest) >= 2;
    return is_c1 ? 2 : 1;
}

int show_plain(struct buf *out, const char *text, int most) {
    struct slice rest = slice_str(text);
    int shown = 0;
    for (; rest.n && shown < most; shown++) {
        size_t n = harmless(rest);
        if (n)
            buf_add(out, rest.p, n);
        else
            buf_add_char(out, '?');
        n = n ? n : skip_harmful(rest);
        rest.p += n, rest.n -= n;
    }
    return shown;
}

static int code_points(struct slice s) {
    int count = 0;
    for (size_t i = 0; i < s.n; i++)
        count += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return count;
}

// Up to the code point with this number.
static size_t bytes_to(struct slice s, int number) {
    size_t i = 0;
    for (int seen = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] & 0xc0) != 0x80 && seen++ == number)
            break;
    return i;
}

#define NAME_BYTES_MOST 4096

void show_middle(struct buf *out, const char *text, int most) {
    struct buf clean = BUF_INIT(4 * NAME_BYTES_MOST + 16);
    show_plain(&clean, text, NAME_BYTES_MOST);
    struct slice all = buf_slice(&clean);
    int count = code_points(all), left = most / 2, right = most - left - 1;
    if (count <= most || most < 1) {
        buf_add_slice(out, all);
    } else {
        size_t tail = bytes_to(all, count - right);
        buf_add(out, all.p, bytes_to(all, left));
        buf_add_str(out, "\xe2\x80\xa6");
        buf_add(out, all.p + tail, all.n - tail);
    }
    buf_free(&clean);
}

// Bytes of the next piece: up to the last space within the columns, else up to the first one beyond.
static size_t piece(struct slice rest, int columns) {
    size_t most = bytes_to(rest, columns);
    if (most >= rest.n)
        return rest.n;
    for (size_t i = most; i > 0; i--)
        if (rest.p[i] == ' ')
            return i;
    const char *space = memchr(rest.p + most, ' ', rest.n - most);
    return space ? (size_t)(space - rest.p) : rest.n;
}

static size_t leading_spaces(struct slice line) {
    size_t n = 0;
    while (n < line.n && line.p[n] == ' ')
        n++;
    return n;
}

void show_folded(struct buf *out, struct slice line, int width, int indent) {
    size_t start = leading_spaces(line);
    struct slice rest = slice_of(line.p + start, line.n - start);
    int columns = width ? width - (int)start : 0;
    buf_add(out, line.p, start);
    while (columns && rest.n) {
        size_t n = piece(rest, columns > 1 ? columns : 1);
        buf_add(out, rest.p, n);
        rest = slice_of(rest.p + n, rest.n - n);
        rest = slice_of(rest.p + leading_spaces(rest), rest.n - leading_spaces(rest));
        columns = width - indent;
        if (rest.n)
            buf_addf(out, "\n%*s", indent, "");
    }
    buf_add_slice(out, rest);
    buf_add_char(out, '\n');
}

int show_terminal_width(void) {
    struct winsize size;
    if (!isatty(STDERR_FILENO))
        return 0;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}
