// log.c: the one writer to stderr: log lines, folded repeats, and the live line. Any thread.
// SPDX-License-Identifier: MIT
#include "jobs/base/log.h"

#include "jobs/base/utf8.h"
#include "jobs/base/visible.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048
// What a byte takes at most when it is shown as an escape.
#define ESCAPED_BYTES 4

static const char *const prefix[] = {"error: ", "warning: ", "info: ", "debug: "};
static const char *const level_names[] = {"error", "warn", "info", "debug"};

static enum log_level most = LOG_WARN;

static struct {
    pthread_mutex_t lock;
    char status[ESCAPED_BYTES * LINE_MAX_BYTES];
    char last[ESCAPED_BYTES * LINE_MAX_BYTES];
    unsigned long repeats;
} screen = {.lock = PTHREAD_MUTEX_INITIALIZER};

void log_set_level(enum log_level level) {
    most = level;
}

bool log_wants(enum log_level level) {
    return level <= most;
}

bool log_level_parse(struct slice text, enum log_level *level) {
    for (int i = 0; i <= LOG_DEBUG; i++)
        if (slice_is(text, level_names[i])) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

// stderr may be closed or full: there is nobody left to tell, so the rest is dropped.
static void put(const char *p, size_t n) {
    while (n) {
        ssize_t done = write(STDERR_FILENO, p, n);
        if (done <= 0)
            return;
        p += done;
        n -= (size_t)done;
    }
}

static void put_str(const char *text) {
    put(text, strlen(text));
}

static void put_lines(const char *p, size_t n) {
    if (screen.status[0])
        put_str("\r\033[K");
    put(p, n);
    if (screen.status[0])
        put_str(screen.status);
}

static void put_repeats(void) {
    char text[80];
    if (!screen.repeats)
        return;
    int n = snprintf(text, sizeof text, "warning: … the last warning %lu more time%s\n",
                     screen.repeats, screen.repeats == 1 ? "" : "s");
    screen.repeats = 0;
    put_lines(text, (size_t)n);
}

// Foreign text may be anywhere in it: nothing that steers the terminal gets past here.
static struct slice show_text(char *shown, size_t size, struct slice text, unsigned keep) {
    struct buf out = {.p = shown, .cap = size, .max = size - 1};
    visible_add(&out, text, keep);
    return slice_of(shown, out.n);
}

static void put_log_line(enum log_level level, struct slice line) {
    pthread_mutex_lock(&screen.lock);
    if (level == LOG_WARN && slice_is(line, screen.last)) {
        screen.repeats++;
    } else {
        put_repeats();
        if (level == LOG_WARN)
            snprintf(screen.last, sizeof screen.last, "%.*s", SLICE_ARG(line));
        put_lines(line.p, line.n);
    }
    pthread_mutex_unlock(&screen.lock);
}

static void log_line(enum log_level level, const char *format, va_list args) {
    if (!log_wants(level))
        return;
    char line[LINE_MAX_BYTES], shown[ESCAPED_BYTES * LINE_MAX_BYTES];
    size_t head = strlen(prefix[level]);
    memcpy(line, prefix[level], head);
    int n = vsnprintf(line + head, sizeof line - head, format, args);
    size_t size = head + (n > 0 ? (size_t)n : 0);
    struct slice text = slice_of(line, size);
    if (size > sizeof line - 2)
        text = utf8_cut(text, sizeof line - 2);
    text = show_text(shown, sizeof shown - 1, text, VISIBLE_ONE_LINE);
    shown[text.n] = '\n';
    put_log_line(level, slice_of(shown, text.n + 1));
}

#define LOG_FUNCTION(name, level)                                                                  \
    void name(const char *format, ...) {                                                           \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        log_line(level, format, args);                                                             \
        va_end(args);                                                                              \
    }

LOG_FUNCTION(log_error, LOG_ERROR)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)

void log_text(struct slice text) {
    struct buf shown = BUF_INIT(SIZE_MAX / 2);
    visible_add(&shown, text, VISIBLE_LINES);
    pthread_mutex_lock(&screen.lock);
    put_lines(shown.p, shown.n);
    pthread_mutex_unlock(&screen.lock);
    buf_free(&shown);
}

void log_status(const char *text) {
    pthread_mutex_lock(&screen.lock);
    if (screen.status[0] || text)
        put_str("\r\033[K");
    struct slice shown = show_text(screen.status, sizeof screen.status,
                                   text ? slice_str(text) : SLICE_NONE, VISIBLE_COLORS);
    screen.status[shown.n] = '\0';
    put_str(screen.status);
    pthread_mutex_unlock(&screen.lock);
}

void log_finish(void) {
    pthread_mutex_lock(&screen.lock);
    put_repeats();
    pthread_mutex_unlock(&screen.lock);
}
