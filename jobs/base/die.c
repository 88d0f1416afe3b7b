// die.c: the two ways the program may end by itself, and allocation that cannot fail silently.
// SPDX-License-Identifier: MIT
#include "jobs/base/die.h"

#include "jobs/base/visible.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool as_json;

void die_set_json(bool on) {
    as_json = on;
}

// Without memory: what JSON would have to escape becomes an apostrophe.
static void make_plain(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == '"' || *text == '\\')
            *text = '\'';
}

void die(const char *format, ...) {
    char text[1024], shown[4096]; // memory may be what there is none of
    struct buf out = {.p = shown, .cap = sizeof shown, .max = sizeof shown - 1};
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (as_json) {
        make_plain(text);
        fprintf(stderr, "{\"event\":\"log\",\"level\":\"error\",\"message\":\"%s\"}\n", text);
    } else {
        visible_add(&out, slice_str(text), VISIBLE_ONE_LINE);
        fprintf(stderr, "batch-run: %.*s\n", (int)out.n, shown);
    }
    _exit(4); // other threads may be running: no exit handlers
}

void bug_found(const char *file, int line, const char *what) {
    fprintf(stderr, "batch-run: bug at %s:%d: %s\n", file, line, what);
    abort();
}

static void *checked(void *p, size_t size) {
    if (!p && size)
        die("out of memory (%zu bytes wanted); what is written stays, run again to continue", size);
    return p;
}

void *mem_new(size_t size) {
    return checked(malloc(size ? size : 1), size);
}

void *mem_zero(size_t count, size_t size) {
    return checked(calloc(count ? count : 1, size ? size : 1), count * size);
}

void *mem_resize(void *p, size_t size) {
    return checked(realloc(p, size ? size : 1), size);
}

char *mem_text(const char *p, size_t n) {
    char *text = mem_new(n + 1);
    if (n)
        memcpy(text, p, n);
    text[n] = '\0';
    return text;
}
