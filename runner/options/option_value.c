// option_value.c: reads one option's value by its type. Main thread; owns nothing itself.
// SPDX-License-Identifier: MIT
#include "runner/options/option_value.h"

#include "jobs/base/buf.h"
#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/io.h"
#include "jobs/base/utf8.h"
#include "runner/options/suggest.h"
#include "runner/options/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define READ_BYTES 65536

// What a reader of one type is given.
struct value {
    const struct option *option;
    const char *source;
    const char *text;
    void *field;
};

struct unit {
    const char *suffix;
    int64_t factor;
};

static const struct unit count_units[] = {{"", 1},        {"k", 1000},       {"K", 1000},
                                          {"M", 1000000}, {"G", 1000000000}, {NULL, 0}};

static const struct unit byte_units[] = {{"", 1},          {"B", 1},           {"K", 1 << 10},
                                         {"KiB", 1 << 10}, {"M", 1 << 20},     {"MiB", 1 << 20},
                                         {"G", 1LL << 30}, {"GiB", 1LL << 30}, {NULL, 0}};

// Digits and a unit, without overflow. False when text is something else.
static bool read_integer(const char *text, const struct unit *units, int64_t *result) {
    int64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *p - '0', &value))
            return false;
    if (p == text)
        return false;
    for (; units->suffix; units++)
        if (strcmp(p, units->suffix) == 0)
            return !__builtin_mul_overflow(value, units->factor, result);
    return false;
}

static bool in_range(const struct option *option, double value) {
    return value >= option->min && (option->max <= 0 || value <= option->max);
}

// "30 (1.5 KiB)" would help nobody: the ends of a range as an option's table wrote them.
static void add_bound(struct buf *b, const struct option *option, double bound) {
    int64_t whole = (int64_t)bound;
    int unit = 0;
    if (option->type == OPTION_DURATION) {
        duration_add(b, (int64_t)(bound * (double)USEC_PER_SEC));
        return;
    }
    if (option->type == OPTION_BYTES)
        for (; unit < 3 && whole && whole % 1024 == 0; unit++)
            whole /= 1024;
    buf_addf(b, "%lld%s", (long long)whole, (const char *[]){"", "KiB", "MiB", "GiB"}[unit]);
}

static bool refuse_number(const struct value *v, const char *what, struct error *err) {
    const struct option *o = v->option;
    struct buf range = BUF_INIT(200);
    if (o->min > 0 || o->max > 0 || o->type == OPTION_COUNT) {
        buf_add_str(&range, " from ");
        add_bound(&range, o, o->min);
        buf_add_str(&range, o->max > 0 ? " to " : " up");
        if (o->max > 0)
            add_bound(&range, o, o->max);
    }
    if (o->type == OPTION_COUNT_AUTO)
        buf_add_str(&range, ", nor auto");
    error_set(err, ERROR_USAGE, "%s: '%s' is not %s%s", v->source, word_show(v->text).text, what,
              buf_cstr(&range));
    buf_free(&range);
    return false;
}

// A flag with choices is an int, and its words go on from there.
static bool read_flag(const struct value *v, struct error *err) {
    static const char *const words[] = {"no", "yes", "false", "true", "0", "1"};
    const char *const *choices = v->option->choices;
    for (int i = 0; i < 6; i++)
        if (strcmp(v->text, words[i]) == 0) {
            if (choices)
                *(int *)v->field = i % 2;
            else
                *(bool *)v->field = i % 2;
            return true;
        }
    for (int i = 0; choices && choices[i]; i++)
        if (strcmp(v->text, choices[i]) == 0) {
            *(int *)v->field = 2 + i;
            return true;
        }
    return error_set(err, ERROR_USAGE, "%s: '%s' is neither yes (true, 1) nor no (false, 0)",
                     v->source, word_show(v->text).text);
}

static void keep_text(const struct value *v, const char *p, size_t n) {
    const char **field = v->field;
    free((void *)*field);
    *field = mem_text(p, n);
}

static bool read_text(const struct value *v, struct error *err) {
    if (!*v->text)
        return error_set(err, ERROR_USAGE, "%s: the value is empty; it takes %s", v->source,
                         v->option->value);
    keep_text(v, v->text, strlen(v->text));
    return true;
}

static bool read_texts(const struct value *v, struct error *err) {
    const char *before = *(const char **)v->field;
    if (!before || !*v->text)
        return read_text(v, err);
    struct buf all = BUF_INIT(OPTION_FILE_MAX);
    buf_add_str(&all, before);
    buf_add_char(&all, OPTION_TEXTS_MARK);
    buf_add_str(&all, v->text);
    keep_text(v, all.p, all.n);
    buf_free(&all);
    return true;
}

// Reads to the end, or until there is no room for another read. Returns errno, 0 for all of it.
static int read_whole(const char *path, struct buf *b) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    ssize_t n = 1;
    int failure = 0;
    while (n != 0 && !failure) {
        if (!buf_reserve(b, READ_BYTES)) {
            failure = EFBIG;
            break;
        }
        n = io_read(fd, b->p + b->n, READ_BYTES);
        failure = n < 0 && errno != EINTR ? errno : 0;
        b->n += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return failure;
}

// The 1-based place of the first byte that no text holds; 0 when all is well.
static size_t first_bad_byte(struct slice text) {
    const char *zero = text.n ? memchr(text.p, 0, text.n) : NULL;
    size_t good = utf8_valid_prefix(text);
    if (zero && (size_t)(zero - text.p) < good)
        good = (size_t)(zero - text.p);
    return good == text.n ? 0 : good + 1;
}

static bool read_at_file(const struct value *v, struct error *err) {
    const char *path = v->text + 1;
    struct word_shown shown = word_show(path);
    struct buf content = BUF_INIT(OPTION_FILE_MAX + READ_BYTES);
    int failure = read_whole(path, &content);
    struct slice text = buf_slice(&content);
    if (slice_starts(text, "\xef\xbb\xbf")) // a byte order mark is no part of the text
        text = slice_of(text.p + 3, text.n - 3);
    size_t bad = first_bad_byte(text);
    if (failure == EFBIG)
        error_set(err, ERROR_USAGE, "%s: the file '%s' is larger than 64 MiB", v->source,
                  shown.text);
    else if (failure)
        error_set(err, ERROR_USAGE, "%s: cannot read the file '%s': %s", v->source, shown.text,
                  strerror(failure));
    else if (bad)
        error_set(err, ERROR_USAGE, "%s: the file '%s' is no text: byte %zu is not valid UTF-8",
                  v->source, shown.text, bad);
    else
        keep_text(v, text.p, text.n);
    buf_free(&content);
    return err->class == ERROR_NONE;
}

static bool read_text_at(const struct value *v, struct error *err) {
    if (v->text[0] == '@')
        return read_at_file(v, err);
    if (!utf8_is_valid(slice_str(v->text)))
        return error_set(err, ERROR_USAGE, "%s: the text '%s' is not valid UTF-8", v->source,
                         word_show(v->text).text);
    keep_text(v, v->text, strlen(v->text));
    return true;
}

static bool read_count(const struct value *v, struct error *err) {
    int64_t value;
    if (!read_integer(v->text, count_units, &value) || !in_range(v->option, (double)value))
        return refuse_number(v, "a whole number", err);
    *(int64_t *)v->field = value;
    return true;
}

static bool read_count_auto(const struct value *v, struct error *err) {
    if (strcmp(v->text, "auto") != 0)
        return read_count(v, err);
    *(int64_t *)v->field = 0;
    return true;
}

static bool read_bytes(const struct value *v, struct error *err) {
    int64_t value;
    if (!read_integer(v->text, byte_units, &value) || !in_range(v->option, (double)value))
        return refuse_number(v, "a size (such as 4096, 64KiB, 1MiB, 2GiB)", err);
    *(int64_t *)v->field = value;
    return true;
}

static bool read_duration(const struct value *v, struct error *err) {
    int64_t usec;
    if (!duration_parse(slice_str(v->text), &usec) ||
        !in_range(v->option, (double)usec / (double)USEC_PER_SEC))
        return refuse_number(v, "a duration (such as 500ms, 30s, 5m, 2h)", err);
    *(int64_t *)v->field = usec;
    return true;
}

static bool read_rate(const struct value *v, struct error *err) {
    char *end = NULL;
    double value = v->text[0] >= '0' && v->text[0] <= '9' ? strtod(v->text, &end) : -1;
    // strtod reads more than people write: exponents and hexadecimal are none of theirs
    bool plain = strspn(v->text, "0123456789.%") == strlen(v->text);
    if (plain && end && strcmp(end, "%") == 0)
        value /= 100;
    else if (!plain || !end || *end)
        value = -1;
    if (!(value >= 0 && value <= 1))
        return error_set(err, ERROR_USAGE,
                         "%s: '%s' is not a share from 0%% to 100%%: write 5%% or 0.05", v->source,
                         word_show(v->text).text);
    *(double *)v->field = value;
    return true;
}

static bool read_choice(const struct value *v, struct error *err) {
    struct buf list = BUF_INIT(400);
    struct suggest near = {.word = slice_str(v->text)};
    const char *const *choice = v->option->choices;
    for (int i = 0; choice[i]; i++) {
        if (strcmp(choice[i], v->text) == 0) {
            *(int *)v->field = i;
            buf_free(&list);
            return true;
        }
        buf_addf(&list, "%s%s", i ? ", " : "", choice[i]);
        suggest_offer(&near, choice[i]);
    }
    error_set(err, ERROR_USAGE, "%s: '%s' is none of %s%s%s%s", v->source, word_show(v->text).text,
              buf_cstr(&list), near.best ? "; did you mean " : "", near.best ? near.best : "",
              near.best ? "?" : "");
    buf_free(&list);
    return false;
}

bool option_set(const struct option *option, const char *source, const char *text, void *config,
                struct error *err) {
    static bool (*const readers[])(const struct value *v, struct error *err) = {
        [OPTION_FLAG] = read_flag,         [OPTION_TEXT] = read_text,
        [OPTION_TEXTS] = read_texts,       [OPTION_TEXT_AT] = read_text_at,
        [OPTION_COUNT] = read_count,       [OPTION_BYTES] = read_bytes,
        [OPTION_DURATION] = read_duration, [OPTION_RATE] = read_rate,
        [OPTION_CHOICE] = read_choice,     [OPTION_COUNT_AUTO] = read_count_auto,
    };
    struct value v = {option, source, text, (char *)config + option->offset};
    return readers[option->type](&v, err);
}

void option_release(const struct option *option, void *config) {
    const char **field = (void *)((char *)config + option->offset);
    if (option->type != OPTION_TEXT && option->type != OPTION_TEXTS &&
        option->type != OPTION_TEXT_AT)
        return;
    free((void *)*field);
    *field = NULL;
}
