// memory_file.c: the document that the pool remembers by, its lock and its journals. Whoever owns the memory.
// SPDX-License-Identifier: MIT
#include "pool/memory_file.h"

#include "jobs/base/buf.h"
#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/io.h"
#include "jobs/base/random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX     ((size_t)64 * 1024 * 1024)
#define MINUTE       60 // seconds
#define LOCK_TRIES   200
#define LOCK_PAUSE   10000 // microseconds
#define UNUSED_DAYS  40    // an entry that was not used for so long is forgotten
#define JOURNAL_LINE 160

static char *join(const char *directory, const char *name) {
    struct buf path = BUF_INIT(8192);
    buf_addf(&path, "%s/%s", directory, name);
    char *text = mem_text(path.p, path.n);
    buf_free(&path);
    return text;
}

// With its parents, for the user alone.
static bool make_directory(const char *path) {
    char *copy = mem_text(path, strlen(path));
    for (char *p = copy + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            mkdir(copy, 0700); // what is wrong shows at the last one
            *p = '/';
        }
    bool good = mkdir(copy, 0700) == 0 || errno == EEXIST;
    free(copy);
    return good;
}

// -- numbers of the document --

int64_t memory_number(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) && item->valuedouble > -9e15 && item->valuedouble < 9e15
               ? (int64_t)item->valuedouble
               : 0;
}

void memory_set_number(cJSON *object, const char *name, int64_t value) {
    cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (item)
        cJSON_SetNumberValue(item, (double)value);
    else
        cJSON_AddNumberToObject(object, name, (double)value);
}

static int64_t element(const cJSON *array, int i) {
    const cJSON *item = cJSON_GetArrayItem(array, i);
    return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : 0;
}

// -- entries --

static cJSON *keys_of(struct memory_file *f) {
    cJSON *keys = cJSON_GetObjectItemCaseSensitive(f->root, "keys");
    return cJSON_IsObject(keys) ? keys : cJSON_AddObjectToObject(f->root, "keys");
}

cJSON *memory_file_entry(struct memory_file *f, const char *hash) {
    cJSON *keys = keys_of(f), *entry = cJSON_GetObjectItemCaseSensitive(keys, hash);
    return cJSON_IsObject(entry) ? entry : cJSON_AddObjectToObject(keys, hash);
}

// Use by seconds, [unix second, requests, tokens]: the last minute's only.
void memory_entry_add_second(cJSON *entry, int64_t wall, int64_t requests, int64_t tokens) {
    int64_t second = wall / USEC_PER_SEC;
    cJSON *minute = cJSON_GetObjectItemCaseSensitive(entry, "minute"), *row, *next;
    if (!cJSON_IsArray(minute))
        minute = cJSON_AddArrayToObject(entry, "minute");
    for (row = minute->child; row; row = next) {
        next = row->next;
        if (element(row, 0) == second) {
            cJSON_SetNumberValue(cJSON_GetArrayItem(row, 1), (double)(element(row, 1) + requests));
            cJSON_SetNumberValue(cJSON_GetArrayItem(row, 2), (double)(element(row, 2) + tokens));
            return;
        }
        if (element(row, 0) < second - MINUTE)
            cJSON_Delete(cJSON_DetachItemViaPointer(minute, row));
    }
    const double numbers[] = {(double)second, (double)requests, (double)tokens};
    cJSON_AddItemToArray(minute, cJSON_CreateDoubleArray(numbers, 3));
}

void memory_entry_add_today(cJSON *entry, int64_t wall, int64_t day_end, int64_t requests,
                            int64_t tokens) {
    int64_t end = day_end / USEC_PER_SEC, known = memory_number(entry, "day_end");
    if (end > known) {
        memory_set_number(entry, "day_end", end);
        memory_set_number(entry, "requests", 0);
        memory_set_number(entry, "tokens", 0);
    }
    if (end >= known) {
        memory_set_number(entry, "requests", memory_number(entry, "requests") + requests);
        memory_set_number(entry, "tokens", memory_number(entry, "tokens") + tokens);
    }
    memory_set_number(entry, "used_at", wall / USEC_PER_SEC);
}

static void forget_old(struct memory_file *f) {
    int64_t oldest = clock_wall() / USEC_PER_SEC - (int64_t)UNUSED_DAYS * 86400;
    cJSON *keys = keys_of(f), *next;
    for (cJSON *entry = keys->child; entry; entry = next) {
        next = entry->next;
        if (memory_number(entry, "used_at") < oldest)
            cJSON_Delete(cJSON_DetachItemViaPointer(keys, entry));
    }
}

// -- the document --

static bool read_all(int fd, struct buf *text) {
    for (;;) {
        if (!buf_reserve(text, 65536))
            return false;
        ssize_t n = io_read(fd, text->p + text->n, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        text->n += (size_t)n;
    }
}

static void read_file(const char *path, struct buf *text) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (!read_all(fd, text))
        buf_clear(text);
    close(fd);
}

static bool lock(struct memory_file *f, bool wait) {
    for (int i = 0; i <= (wait ? LOCK_TRIES : 0); i++) {
        if (flock(f->lock_fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (wait)
            usleep(LOCK_PAUSE);
    }
    return false;
}

bool memory_file_open(struct memory_file *f, bool wait) {
    struct buf text = BUF_INIT(FILE_MAX);
    if (!lock(f, wait))
        return false;
    read_file(f->path, &text);
    f->root = text.n ? cJSON_ParseWithLength(text.p, text.n) : NULL;
    if (!cJSON_IsObject(f->root) || memory_number(f->root, "version") != 1) {
        cJSON_Delete(f->root);
        f->root = cJSON_CreateObject();
        memory_set_number(f->root, "version", 1);
    }
    buf_free(&text);
    return true;
}

void memory_file_close(struct memory_file *f) {
    cJSON_Delete(f->root);
    f->root = NULL;
    flock(f->lock_fd, LOCK_UN);
}

static bool replace(struct memory_file *f, struct slice text, bool durable) {
    char *aside = join(f->directory, "pool.json.new");
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && io_write_all(fd, text, NULL) && (!durable || io_fsync(fd) == 0);
    if (fd >= 0)
        close(fd);
    good = good && io_rename(aside, f->path) == 0;
    if (!good)
        unlink(aside);
    free(aside);
    return good;
}

bool memory_file_save(struct memory_file *f, bool durable) {
    forget_old(f);
    char *text = cJSON_PrintUnformatted(f->root);
    bool good = text && replace(f, slice_str(text), durable);
    int code = errno;
    cJSON_free(text);
    if (good && f->journal_fd >= 0 && ftruncate(f->journal_fd, 0) != 0)
        good = false; // what it holds would count twice
    memory_file_close(f);
    errno = code;
    return good;
}

void memory_file_salt(struct memory_file *f, uint64_t salt[2]) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(f->root, "salt");
    unsigned long long high, low;
    if (cJSON_IsString(item) && sscanf(item->valuestring, "%16llx%16llx", &high, &low) == 2) {
        salt[0] = low;
        salt[1] = high;
        return;
    }
    char text[MEMORY_HASH_SIZE];
    salt[0] = random_seed();
    salt[1] = random_seed();
    snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)salt[1],
             (unsigned long long)salt[0]);
    cJSON_DeleteItemFromObjectCaseSensitive(f->root, "salt");
    cJSON_AddStringToObject(f->root, "salt", text);
}

// -- journals --

void memory_file_note(struct memory_file *f, const char *hash, int64_t wall, int64_t day_end,
                      int64_t requests, int64_t tokens) {
    char line[JOURNAL_LINE];
    if (f->journal_fd < 0)
        return;
    int n = snprintf(line, sizeof line, "%s %lld %lld %lld %lld\n", hash, (long long)wall,
                     (long long)day_end, (long long)requests, (long long)tokens);
    if (!io_write_all(f->journal_fd, slice_of(line, (size_t)n), NULL)) {
        close(
            f->journal_fd); // a full disk: what is used until the next save is not safe from a kill
        f->journal_fd = -1;
    }
}

static bool read_line(const char *text, struct memory_line *line) {
    long long wall, day_end, requests, tokens;
    int found = sscanf(text, "%32[0-9a-f] %lld %lld %lld %lld", line->hash, &wall, &day_end,
                       &requests, &tokens);
    line->wall = wall;
    line->day_end = day_end;
    line->requests = requests;
    line->tokens = tokens;
    return found == 5;
}

static void fold_line(void *file, const struct memory_line *line) {
    cJSON *entry = memory_file_entry(file, line->hash);
    memory_entry_add_today(entry, line->wall, line->day_end, line->requests, line->tokens);
    memory_entry_add_second(entry, line->wall, line->requests, line->tokens);
}

// A line that a kill cut off is of a request that was not sent.
static void each_line(struct buf *text, void (*each)(void *context, const struct memory_line *line),
                      void *context) {
    struct memory_line line;
    for (char *p = text->p, *end = text->p + text->n; p && p < end;) {
        char *stop = memchr(p, '\n', (size_t)(end - p));
        if (!stop)
            return;
        *stop = '\0';
        if (read_line(p, &line))
            each(context, &line);
        p = stop + 1;
    }
}

static void fold_journal(struct memory_file *f, const char *path,
                         void (*unsaved)(void *context, const struct memory_line *line),
                         void *context) {
    struct buf text = BUF_INIT(FILE_MAX);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    bool is_dead = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (read_all(fd, &text))
        each_line(&text, is_dead ? fold_line : unsaved, is_dead ? f : context);
    if (is_dead)
        unlink(path);
    close(fd);
    buf_free(&text);
}

void memory_file_fold(struct memory_file *f,
                      void (*unsaved)(void *context, const struct memory_line *line),
                      void *context) {
    DIR *directory = opendir(f->directory);
    struct dirent *file;
    while (directory && (file = readdir(directory)))
        if (strncmp(file->d_name, "use-", 4) == 0) {
            char *path = join(f->directory, file->d_name);
            if (strcmp(path, f->journal_path) != 0)
                fold_journal(f, path, unsaved, context);
            free(path);
        }
    if (directory)
        closedir(directory);
}

// -- its life --

bool memory_file_init(struct memory_file *f, const char *directory) {
    char name[64];
    snprintf(name, sizeof name, "use-%ld-%08x.log", (long)getpid(), (unsigned)random_seed());
    *f = (struct memory_file){.directory = mem_text(directory, strlen(directory)),
                              .path = join(directory, "pool.json"),
                              .lock_path = join(directory, "pool.json.lock"),
                              .journal_path = join(directory, name),
                              .lock_fd = -1,
                              .journal_fd = -1};
    if (!make_directory(directory))
        return false;
    f->lock_fd = open(f->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->lock_fd < 0)
        return false;
    f->journal_fd = open(f->journal_path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    return f->journal_fd >= 0 && flock(f->journal_fd, LOCK_EX | LOCK_NB) == 0;
}

void memory_file_free(struct memory_file *f) {
    if (f->journal_fd >= 0) {
        unlink(f->journal_path);
        close(f->journal_fd);
    }
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    free(f->directory);
    free(f->path);
    free(f->lock_path);
    free(f->journal_path);
}
