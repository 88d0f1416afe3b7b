// log.c: the one writer to stderr: log lines, folded repeats, and the live line. Any thread.
// SPDX-License-Identifier: MIT
#include "jobs/base/log.h"

#include "jobs/base/die.h"
#include "jobs/base/json.h"
#include "jobs/base/utf8.h"
#include "jobs/base/visible.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048
#define STATUS_BYTES   ((size_t)8192)

static const char *const prefix[] = {"error: ", "warning: ", "info: ", "debug: "};
static const char *const level_names[] = {"error", "warn", "info", "debug"};

static enum log_level most = LOG_WARN;
static bool as_json;

static struct {
    pthread_mutex_t lock;
    char status[STATUS_BYTES + 1];
    char last[LINE_MAX_BYTES];
    unsigned long repeats;
} screen = {.lock = PTHREAD_MUTEX_INITIALIZER};

void log_set_level(enum log_level level) {
    most = level;
}

void log_set_json(bool on) {
    as_json = on;
    die_set_json(on);
}

bool log_is_json(void) {
    return as_json;
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

// Foreign text may be anywhere in it: nothing that steers the terminal gets past here.
static void put_shown(struct slice text) {
    struct buf shown = BUF_INIT(SIZE_MAX / 2);
    visible_add(&shown, text, VISIBLE_LINES);
    put(shown.p, shown.n);
    buf_free(&shown);
}

static void put_lines(const char *p, size_t n) {
    if (screen.status[0])
        put_str("\r\033[K");
    put_shown(slice_of(p, n));
    if (screen.status[0])
        put_str(screen.status);
}

#define JSON_MAX ((size_t)4 << 20)

// {"event":EVENT,"level":LEVEL,NAME:TEXT}, whatever the bytes of the text are.
static void put_json(const char *event, const char *level, const char *name, struct slice text) {
    struct buf line = BUF_INIT(JSON_MAX), clean = BUF_INIT(JSON_MAX);
    utf8_add_repaired(&clean, text);
    buf_addf(&line, "{\"event\":\"%s\"", event);
    if (level)
        buf_addf(&line, ",\"level\":\"%s\"", level);
    json_add_name(&line, name);
    json_add_string(&line, buf_slice(&clean));
    buf_add_str(&line, "}\n");
    if (!line.failed)
        put_shown(buf_slice(&line));
    buf_free(&line);
    buf_free(&clean);
}

static void put_one_line(struct slice line) {
    struct buf shown = BUF_INIT(SIZE_MAX / 2);
    visible_add(&shown, line, VISIBLE_ONE_LINE);
    buf_add_char(&shown, '\n');
    put_lines(shown.p, shown.n);
    buf_free(&shown);
}

// A line of a level, its prefix and its newline included.
static void put_level(enum log_level level, const char *line, size_t size) {
    size_t head = strlen(prefix[level]);
    if (as_json)
        put_json("log", level_names[level], "message", slice_of(line + head, size - head - 1));
    else
        put_one_line(slice_of(line, size - 1));
}

static void put_repeats(void) {
    char text[80];
    if (!screen.repeats)
        return;
    int n = snprintf(text, sizeof text, "warning: … the last warning %lu more time%s\n",
                     screen.repeats, screen.repeats == 1 ? "" : "s");
    screen.repeats = 0;
    put_level(LOG_WARN, text, (size_t)n);
}

static void log_line(enum log_level level, const char *format, va_list args) {
    if (!log_wants(level))
        return;
    char line[LINE_MAX_BYTES];
    size_t head = strlen(prefix[level]);
    memcpy(line, prefix[level], head);
    int n = vsnprintf(line + head, sizeof line - head - 1, format, args);
    size_t size = head + (n > 0 ? (size_t)n : 0);
    if (size > sizeof line - 2)
        size = utf8_cut(slice_of(line, size), sizeof line - 2).n;
    line[size++] = '\n';
    line[size] = '\0';
    pthread_mutex_lock(&screen.lock);
    if (level == LOG_WARN && strcmp(line, screen.last) == 0) {
        screen.repeats++;
    } else {
        put_repeats();
        if (level == LOG_WARN)
            memcpy(screen.last, line, size + 1);
        put_level(level, line, size);
    }
    pthread_mutex_unlock(&screen.lock);
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
    pthread_mutex_lock(&screen.lock);
    if (as_json)
        put_json("text", NULL, "text", text);
    else
        put_lines(text.p, text.n);
    pthread_mutex_unlock(&screen.lock);
}

void log_json(struct slice line) {
    pthread_mutex_lock(&screen.lock);
    put_lines(line.p, line.n);
    pthread_mutex_unlock(&screen.lock);
}

void log_status(const char *text) {
    pthread_mutex_lock(&screen.lock);
    if (screen.status[0] || text)
        put_str("\r\033[K");
    struct buf shown = {.p = screen.status, .cap = sizeof screen.status, .max = STATUS_BYTES};
    visible_add(&shown, slice_str(text ? text : ""), VISIBLE_COLORS);
    put_str(buf_cstr(&shown));
    pthread_mutex_unlock(&screen.lock);
}

void log_finish(void) {
    pthread_mutex_lock(&screen.lock);
    put_repeats();
    pthread_mutex_unlock(&screen.lock);
}
