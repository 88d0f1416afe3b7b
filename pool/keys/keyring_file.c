// keyring_file.c: opens a file of keys, tells its kind by its content, reads lines and .env files.
// Main thread; wipes what it read.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring_parts.h"

#include "jobs/base/die.h"
#include "jobs/base/io.h"
#include "jobs/base/log.h"
#include "pool/keys/choose.h"
#include "pool/keys/key_value.h"
#include "pool/keys/near_miss.h"
#include "pool/keys/utf16.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_BYTES ((size_t)16 * 1024)

// More room, without leaving the old bytes behind in memory as realloc() would.
static void grow_wiped(struct buf *b) {
    struct buf bigger = BUF_INIT(b->max);
    buf_reserve(&bigger, b->cap ? b->cap * 2 : FIRST_BYTES);
    buf_add(&bigger, b->p, b->n);
    buf_wipe(b);
    buf_free(b);
    *b = bigger;
}

// Reads to the end. Returns 0, or an errno; EFBIG when it is beyond KEY_FILE_MAX.
static int read_all(int fd, struct buf *b) {
    for (;;) {
        if (b->n > KEY_FILE_MAX)
            return EFBIG;
        if (b->n == b->cap)
            grow_wiped(b);
        ssize_t n = io_read(fd, b->p + b->n, b->cap - b->n);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0)
            b->n += (size_t)n;
    }
}

// Windows' shells and editors write UTF-16.
static void decode(struct buf *text) {
    if (!utf16_is(buf_slice(text)))
        return;
    struct buf decoded = BUF_INIT(text->max);
    buf_reserve(&decoded, text->n * 3 / 2 + 4); // at once: what is moved stays behind in memory
    utf16_add(buf_slice(text), &decoded);
    buf_wipe(text);
    buf_free(text);
    *text = decoded;
}

static void note_mode(const char *path, const struct stat *status) {
    if (S_ISREG(status->st_mode) && status->st_mode & (S_IRGRP | S_IROTH))
        log_info("%s can be read by others (mode %04o); chmod 600 keeps its keys to you", path,
                 (unsigned)status->st_mode & 07777u);
}

bool key_file_open(struct key_file *file, bool *missing, struct error *err) {
    struct stat status;
    file->text = BUF_INIT(KEY_FILE_MAX * 4); // read_all() stops far earlier
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    int fault = fd < 0 ? errno : 0;
    *missing = fault == ENOENT;
    if (fd >= 0) {
        if (fstat(fd, &status) == 0)
            note_mode(file->path, &status);
        fault = read_all(fd, &file->text);
        close(fd);
    }
    if (!fault) {
        decode(&file->text);
        return true;
    }
    key_file_close(file);
    if (fault == EFBIG)
        return error_set(err, ERROR_USAGE, "%s is larger than 64 MiB: this is no file of keys",
                         file->path);
    return error_set(err, ERROR_USAGE, "%s cannot be read: %s", file->path, strerror(fault));
}

void key_file_close(struct key_file *file) {
    keyring_free_json(file);
    buf_wipe(&file->text);
    buf_free(&file->text);
    free(file->variables);
    file->variables = NULL;
    file->count = 0;
}

static struct slice file_text(const struct key_file *file) {
    struct slice text = buf_slice(&file->text);
    return slice_starts(text, "\xef\xbb\xbf") ? slice_of(text.p + 3, text.n - 3) : text;
}

// The next line, trimmed, that is neither blank nor a comment.
static bool next_line(struct slice *text, size_t *line_no, struct slice *line) {
    while (text->n) {
        const char *newline = memchr(text->p, '\n', text->n);
        size_t n = newline ? (size_t)(newline - text->p) : text->n;
        size_t step = newline ? n + 1 : n;
        *line = slice_trim(slice_of(text->p, n));
        *text = slice_of(text->p + step, text->n - step);
        ++*line_no;
        if (line->n && *line->p != '#')
            return true;
    }
    return false;
}

// An env file has an assignment in its first line, or one to a variable of ours anywhere. "abc=="
// is a key in base64, no assignment.
static bool is_env_text(const struct registry *providers, struct slice text) {
    struct slice line, name, rest;
    struct key_variable variable;
    size_t line_no = 0;
    bool first_assigns = false;
    for (size_t n = 0; next_line(&text, &line_no, &line); n++) {
        bool splits = env_split(line, &name, &rest);
        if ((splits || env_split_colon(line, &name)) &&
            key_variable_read(providers, name, &variable))
            return true;
        if (!splits)
            continue;
        rest = slice_trim(rest);
        if (n == 0)
            first_assigns = rest.n && !slice_is(rest, "=");
    }
    return first_assigns;
}

static struct slice place_text(const char *path, size_t line, struct buf *b) {
    buf_clear(b);
    buf_addf(b, "%s:%zu", path, line);
    return buf_slice(b);
}

// With the names in it that are nearly right.
static bool no_keys(struct keyring_builder *b, const struct key_file *file, struct error *err) {
    struct buf near = BUF_INIT(2048);
    near_misses_of_file(&b->ring->providers, file, &near);
    error_set(
        err, ERROR_USAGE,
        "%s gives no key; it may hold variables such as OPENAI_API_KEY (with _1, _2 … behind "
        "them too; `batch-run providers` lists them), be a JSON pool file, or hold one key per "
        "line%s%s",
        file->path, near.n ? ". " : "", buf_cstr(&near));
    buf_free(&near);
    return false;
}

void key_file_read_env(struct key_file *file) {
    struct env_reader reader = env_reader(file->text.p, file->text.n);
    struct env_variable variable;
    size_t cap = 0;
    while (env_next(&reader, &variable)) {
        if (file->count == cap) {
            cap = cap ? cap * 2 : 64;
            file->variables = mem_resize(file->variables, cap * sizeof *file->variables);
        }
        file->variables[file->count++] = variable;
    }
}

// Lines that are no assignments: of no use here, but worth a word.
static void warn_junk(const struct key_file *file, size_t junk, size_t first) {
    if (junk)
        log_warn("%s:%zu: this is no NAME=VALUE and was passed over%s", file->path, first,
                 junk > 1 ? " (and more such lines)" : "");
}

static const char *fault_of(const struct env_variable *v) {
    if (v->literal && value_has_reference(v->value))
        return "a ${ in single quotes is not replaced; take them off, or use double quotes";
    return v->fault;
}

static bool add_variable(struct keyring_builder *b, const struct key_file *file,
                         const struct env_variable *v, size_t *found, struct error *err) {
    struct key_variable variable;
    if (v->referenced)
        ++*found;
    if (v->referenced || !key_variable_read(&b->ring->providers, v->name, &variable))
        return true;
    if (builder_is_served(b, variable.provider)) {
        ++*found;
        return true;
    }
    if (fault_of(v))
        return !builder_in_run(b, variable.provider) ||
               error_set(err, ERROR_USAGE, "%s:%zu: %s", file->path, v->line, fault_of(v));
    struct buf text = BUF_INIT(8192);
    bool good = builder_add_list(b, &variable, v->value, file,
                                 place_text(file->path, v->line, &text), found, err);
    buf_free(&text);
    return good;
}

bool keyring_add_env_file(struct keyring_builder *b, const struct key_file *file,
                          struct error *err) {
    size_t found = 0, junk = 0, first_junk = 0;
    bool good = true;
    for (size_t i = 0; good && i < file->count; i++) {
        const struct env_variable *v = &file->variables[i];
        if (!v->name.p && junk++ == 0)
            first_junk = v->line;
        if (v->name.p)
            good = add_variable(b, file, v, &found, err);
    }
    warn_junk(file, junk, first_junk);
    return good && (found || !file->named || no_keys(b, file, err));
}

// "key" or "key   # a remark"
static struct slice without_remark(struct slice line) {
    for (size_t i = 1; i < line.n; i++)
        if (line.p[i] == '#' && (line.p[i - 1] == ' ' || line.p[i - 1] == '\t'))
            return slice_trim(slice_of(line.p, i));
    return line;
}

static bool add_lines(struct keyring_builder *b, const struct key_file *file, struct error *err) {
    const struct provider *whose = b->options->provider;
    struct slice text = file_text(file), line;
    size_t line_no = 0;
    int64_t number = 0;
    if (!whose)
        whose = choose_single(&b->ring->providers, b->wanted);
    struct buf place = BUF_INIT(8192);
    bool good = true;
    while (good && next_line(&text, &line_no, &line)) {
        struct key_entry *entry = NULL;
        struct slice at = place_text(file->path, line_no, &place), key = without_remark(line);
        struct buf expanded = BUF_INIT(KEY_FILE_MAX);
        if (!whose)
            good =
                error_set(err, ERROR_USAGE,
                          "%s holds keys without a name; say whose they are with --provider NAME",
                          file->path);
        good = good && builder_expand(b, NULL, at, &key, &expanded, err) &&
               builder_add(b, whose, key, at, &entry, err);
        buf_wipe(&expanded);
        buf_free(&expanded);
        if (!good)
            break;
        number++;
        if (entry)
            builder_wish_number(b, number);
    }
    buf_free(&place);
    return good && (number || no_keys(b, file, err));
}

bool key_file_is_json(const struct key_file *file) {
    struct slice text = slice_trim(file_text(file));
    return text.n && (*text.p == '{' || *text.p == '[');
}

bool keyring_add_file(struct keyring_builder *b, const struct key_file *file, struct error *err) {
    if (key_file_is_json(file))
        return keyring_add_json(b, file, err);
    if (!is_env_text(&b->ring->providers, slice_trim(file_text(file))))
        return add_lines(b, file, err);
    struct key_file env = *file;
    key_file_read_env(&env);
    bool good = keyring_add_env_file(b, &env, err);
    free(env.variables);
    return good;
}
