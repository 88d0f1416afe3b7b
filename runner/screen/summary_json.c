// summary_json.c: the summary as JSON, and the file it goes to. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/screen/summary.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/io.h"
#include "jobs/base/json.h"
#include "jobs/base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_BYTES ((size_t)64 * 1024)
#define SINK_MAX    ((size_t)1024 * 1024)

// Where the JSON goes: written as it grows, so a hundred thousand keys take no more memory than
// one.
struct sink {
    int fd;
    struct buf buf;
    int failure; // errno of the first write that failed
};

static void drain(struct sink *sink, size_t enough) {
    struct buf *b = &sink->buf;
    if (b->failed)
        sink->failure = EOVERFLOW;
    if (b->n <= enough || sink->failure)
        return;
    char last = b->p[b->n - 1]; // stays: json_add_name() looks at it to know whether a comma is due
    errno = EIO;
    if (!io_write_all(sink->fd, slice_of(b->p, b->n - 1), NULL))
        sink->failure = errno;
    b->p[0] = last;
    b->n = 1;
}

static void add_int(struct buf *b, const char *name, int64_t value) {
    json_add_name(b, name);
    buf_add_int(b, value);
}

// Texts come from files of the user: whatever their bytes are, the JSON is valid.
static void add_text(struct buf *b, const char *name, const char *text) {
    json_add_name(b, name);
    if (!text) {
        buf_add_str(b, "null");
        return;
    }
    if (utf8_is_valid(slice_str(text))) {
        json_add_string(b, slice_str(text));
        return;
    }
    struct buf clean = BUF_INIT(64 * 1024);
    utf8_add_repaired(&clean, slice_str(text));
    json_add_string(b, buf_slice(&clean));
    buf_free(&clean);
}

// null when nothing was measured.
static void add_ms(struct buf *b, const char *name, int64_t usec) {
    json_add_name(b, name);
    if (usec > 0)
        json_add_thousandths(b, usec);
    else
        buf_add_str(b, "null");
}

static void add_time(struct buf *b, const char *name, int64_t wall) {
    json_add_name(b, name);
    if (wall <= 0) {
        buf_add_str(b, "null");
        return;
    }
    buf_add_char(b, '"');
    clock_add_rfc3339(b, wall);
    buf_add_char(b, '"');
}

static void open_object(struct buf *b, const char *name) {
    json_add_name(b, name);
    buf_add_char(b, '{');
}

static void add_rate(struct buf *b, const char *name, int64_t count, int64_t elapsed) {
    json_add_name(b, name);
    double rate = elapsed > 0 ? (double)count * 1e9 / (double)elapsed : 0;
    json_add_thousandths(b, (int64_t)(rate + 0.5));
}

static void add_times(struct buf *b, const char *name, const struct summary_times *t) {
    open_object(b, name);
    add_ms(b, "p50", t->p50);
    add_ms(b, "p90", t->p90);
    add_ms(b, "p95", t->p95);
    add_ms(b, "p99", t->p99);
    add_ms(b, "max", t->max);
    buf_add_char(b, '}');
}

static void add_totals(struct buf *b, const struct summary *s) {
    open_object(b, "jobs");
    add_int(b, "total", s->total);
    add_int(b, "ok", s->ok);
    add_int(b, "failed", s->failed);
    add_int(b, "skipped", s->skipped);
    if (s->at_least)
        add_text(b, "total_is", "at_least");
    buf_add_char(b, '}');
    add_int(b, "attempts", s->attempts);
    add_int(b, "rate_limited", s->rate_limited);
    add_int(b, "sent_again", s->sent_again);
    json_add_name(b, "elapsed_s");
    json_add_thousandths(b, s->elapsed / 1000);
    add_rate(b, "requests_per_s", s->attempts, s->elapsed);
    add_rate(b, "rows_per_s", s->ok + s->failed, s->elapsed);
    open_object(b, "tokens");
    add_int(b, "input", s->input_tokens);
    add_int(b, "output", s->output_tokens);
    add_int(b, "cached_tokens", s->cached_tokens);
    buf_add_char(b, '}');
    add_times(b, "latency_ms", &s->latency);
    if (s->streaming)
        add_times(b, "ttft_ms", &s->ttft);
    if (s->hedging) {
        open_object(b, "hedge");
        add_int(b, "copies", s->copies);
        add_int(b, "won", s->copies_won);
        buf_add_char(b, '}');
    }
    add_text(b, "stopped", s->stopped_by);
}

static void add_errors(struct buf *b, const struct summary *s) {
    open_object(b, "errors");
    for (size_t i = 0; i < s->error_count; i++) {
        const struct summary_error *error = &s->errors[i];
        open_object(b, error->class);
        add_int(b, "rows", error->rows);
        add_int(b, "attempts", error->attempts);
        add_text(b, "message", error->message);
        add_text(b, "example_id", error->example_id);
        buf_add_char(b, '}');
    }
    buf_add_char(b, '}');
}

static void add_key(struct buf *b, const struct summary_key *key) {
    buf_add_char(b, '{');
    add_text(b, "key", key->name);
    add_text(b, "provider", key->provider);
    add_text(b, "masked", key->masked);
    add_text(b, "state", key->state);
    add_int(b, "health", key->health);
    add_int(b, "requests", key->requests);
    add_int(b, "ok", key->ok);
    add_int(b, "failed", key->failed);
    add_int(b, "rate_limited", key->rate_limited);
    add_int(b, "sent_again", key->sent_again);
    add_int(b, "input_tokens", key->input_tokens);
    add_int(b, "output_tokens", key->output_tokens);
    add_int(b, "cached_tokens", key->cached_tokens);
    open_object(b, "latency_ms");
    add_ms(b, "p50", key->p50);
    add_ms(b, "p95", key->p95);
    buf_add_char(b, '}');
    add_time(b, "last_used_at", key->last_used);
    add_time(b, "cooling_until", key->cooling_until);
    add_text(b, "reason", key->reason);
    buf_add_char(b, '}');
}

// False with errno set.
static bool write_json(const struct summary *s, struct sink *sink) {
    struct buf *b = &sink->buf;
    buf_add_char(b, '{');
    add_totals(b, s);
    add_errors(b, s);
    json_add_name(b, "keys");
    buf_add_char(b, '[');
    for (size_t i = 0; i < s->key_count; i++) {
        if (i)
            buf_add_char(b, ',');
        add_key(b, &s->keys[i]);
        drain(sink, WRITE_BYTES);
    }
    buf_add_str(b, "]}\n");
    buf_add_char(b, '\n'); // what drain() holds back
    drain(sink, 0);
    errno = sink->failure;
    return !sink->failure;
}

void summary_print_json(const struct summary *s) {
    struct sink sink = {.fd = STDERR_FILENO, .buf = BUF_INIT(SINK_MAX)};
    write_json(s, &sink); // nobody is left to be told of a failure
    buf_free(&sink.buf);
}

static bool is_special(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

bool summary_check_path(const char *path, struct error *err) {
    struct stat st;
    if (strcmp(path, "-") == 0)
        return error_set(err, ERROR_USAGE,
                         "--summary -: standard output is for results only; name a "
                         "file (the table goes to stderr anyway)");
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return error_set(err, ERROR_USAGE, "--summary %s: is a directory; name a file", path);
    const char *slash = strrchr(path, '/');
    char *folder = mem_text(slash ? path : ".", slash ? (size_t)(slash - path) + 1 : 1);
    bool good = stat(folder, &st) == 0 && S_ISDIR(st.st_mode);
    free(folder);
    return good || error_set(err, ERROR_USAGE,
                             "--summary %s: its folder is not there; make it first", path);
}

static bool cannot_write(const char *path, struct error *err) {
    return error_set(err, ERROR_OUTPUT, "--summary %s: cannot be written: %s", path,
                     strerror(errno));
}

static bool write_special(const struct summary *s, const char *path, struct error *err) {
    struct sink sink = {.fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY),
                        .buf = BUF_INIT(SINK_MAX)};
    if (sink.fd < 0)
        return cannot_write(path, err);
    bool good = write_json(s, &sink) || cannot_write(path, err);
    close(sink.fd);
    buf_free(&sink.buf);
    return good;
}

static bool write_aside(const struct summary *s, const char *target, const char *aside) {
    struct sink sink = {.buf = BUF_INIT(SINK_MAX)};
    buf_reserve(&sink.buf, 2 * WRITE_BYTES); // now: once the file is there, memory must not run out
    sink.fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    bool good = sink.fd >= 0 && write_json(s, &sink) && io_fsync(sink.fd) == 0;
    int code = errno;
    buf_free(&sink.buf);
    if (sink.fd >= 0)
        close(sink.fd);
    if (good && io_rename(aside, target) == 0)
        return true;
    if (good)
        code = errno;
    if (sink.fd >= 0)
        unlink(aside);
    errno = code;
    return false;
}

bool summary_write(const struct summary *s, const char *path, struct error *err) {
    if (!summary_check_path(path, err))
        return false;
    if (is_special(path))
        return write_special(s, path, err);
    char *real = realpath(path, NULL); // a symbolic link stays one
    const char *target = real ? real : path;
    struct buf aside = BUF_INIT(64 * 1024);
    buf_addf(&aside, "%s.%ld.tmp", target, (long)getpid());
    bool good = write_aside(s, target, buf_cstr(&aside)) || cannot_write(path, err);
    buf_free(&aside);
    free(real);
    return good;
}
