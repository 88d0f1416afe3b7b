// Files for the tests of results files: a folder that goes away again, jobs, and faulty system
// calls.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_JOBS_OUT_FILES_H
#define TESTS_UNIT_JOBS_OUT_FILES_H

#include "jobs/base/buf.h"
#include "jobs/base/die.h"
#include "jobs/base/io.h"
#include "jobs/out/output.h"
#include "tests/unit/quiet.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

static char folder[] = "/tmp/batch-run-unit-XXXXXX";
static char results[64];

static inline int make_folder(void **state) {
    (void)state;
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    if (!mkdtemp(folder))
        return -1;
    snprintf(results, sizeof results, "%s/r.jsonl", folder);
    return 0;
}

// How many names the folder holds.
static inline int folder_count(void) {
    DIR *dir = opendir(folder);
    int count = 0;
    for (struct dirent *e; (e = readdir(dir));)
        count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

static inline int remove_folder(void **state) {
    (void)state;
    DIR *dir = opendir(folder);
    char path[400];
    for (struct dirent *e; (e = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (unlink(path) != 0)
            rmdir(path);
    }
    closedir(dir);
    return rmdir(folder);
}

static inline void write_file(const char *path, struct slice bytes) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_true(io_write_all(fd, bytes, NULL));
    close(fd);
}

// The file's bytes, good until the next call.
static inline struct slice read_file(const char *path) {
    static struct buf content = BUF_INIT(1u << 30);
    buf_clear(&content);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n;
    do {
        assert_true(buf_reserve(&content, 65536));
        n = read(fd, content.p + content.n, 65536);
        content.n += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    close(fd);
    return buf_slice(&content);
}

static inline void assert_file(const char *path, const char *content) {
    struct slice found = read_file(path);
    if (!slice_is(found, content))
        fail_msg("%s holds:\n%.*s\nnot:\n%s", path, SLICE_ARG(found), content);
}

// A line as a run writes it, padded to whatever length.
static inline void add_result(struct buf *out, const char *id, enum outcome outcome,
                              size_t padding) {
    struct job *job = job_new(1u << 24, 1u << 24);
    struct buf text = BUF_INIT(1u << 24);
    buf_add_char(&text, '"');
    for (size_t i = 0; i < padding; i++)
        buf_add_char(&text, 'x');
    buf_add_char(&text, '"');
    job->id = slice_str(id);
    if (outcome != OUTCOME_OK)
        job_fail(job, outcome, "failed");
    job->result.outcome = outcome;
    job->result.reply.text = buf_slice(&text);
    line_add(out, job, &(struct line_options){.no_input = true});
    buf_free(&text);
    job_free(job);
}

// "ok:a failed:b bad:c" as lines.
static inline const char *lines_of(const char *script) {
    static struct buf rotating[4];
    static unsigned turn;
    struct buf *out = &rotating[turn++ % 4];
    if (!out->max)
        *out = BUF_INIT(1u << 24);
    buf_clear(out);
    char word[64];
    for (int n; sscanf(script, "%63s%n", word, &n) == 1; script += n) {
        char *id = strchr(word, ':');
        *id++ = '\0';
        add_result(out, id,
                   strcmp(word, "ok") == 0    ? OUTCOME_OK
                   : strcmp(word, "bad") == 0 ? OUTCOME_BAD_INPUT
                                              : OUTCOME_SERVER,
                   0);
    }
    return buf_cstr(out);
}

static inline struct output *open_results(struct error *err) {
    return output_open(&(struct output_options){.path = results, .line = {.no_input = true}}, err);
}

static inline struct output *must_open(void) {
    struct error err = {0};
    struct output *o = open_results(&err);
    if (!o)
        fail_msg("%s", err.text);
    return o;
}

static inline void must_close(struct output *o) {
    struct error err = {0};
    if (!output_close(o, &err))
        fail_msg("%s", err.text);
}

static inline bool add_job(struct output *o, const char *id, enum outcome outcome,
                           struct error *err) {
    struct job *job = job_new(1024, 1024);
    job->id = slice_str(id);
    if (outcome != OUTCOME_OK)
        job_fail(job, outcome, "failed");
    job->result.outcome = outcome;
    if (outcome == OUTCOME_OK)
        job->result.reply.text = SLICE("\"\"");
    output_look(o, job);
    bool good = output_add(o, job, err);
    job_free(job);
    return good;
}

// ---- system calls that fail or end the process ----

enum fault_kind { FAULT_NONE, FAULT_ERRNO, FAULT_KILL };

static struct {
    int calls; // made so far, of all kinds
    int at;    // the call that goes wrong, counted from 1
    enum fault_kind kind;
    int code;
    size_t partial; // a write that fails first takes so many bytes
} fault;

static int synced; // calls of fdatasync()

static inline bool is_faulty(void) {
    if (++fault.calls != fault.at)
        return false;
    if (fault.kind == FAULT_KILL)
        kill(getpid(), SIGKILL);
    errno = fault.code;
    return fault.kind == FAULT_ERRNO;
}

static inline ssize_t faulty_read(int fd, void *p, size_t n) {
    return is_faulty() ? -1 : read(fd, p, n);
}

static inline ssize_t faulty_write(int fd, const void *p, size_t n) {
    bool now = fault.calls + 1 == fault.at;
    if (now && fault.partial && fault.partial < n) {
        ssize_t done = write(fd, p, fault.partial);
        fault.partial = 0;
        return done;
    }
    return is_faulty() ? -1 : write(fd, p, n);
}

static inline ssize_t faulty_pread(int fd, void *p, size_t n, off_t offset) {
    return is_faulty() ? -1 : pread(fd, p, n, offset);
}

static inline ssize_t faulty_pwrite(int fd, const void *p, size_t n, off_t offset) {
    return is_faulty() ? -1 : pwrite(fd, p, n, offset);
}

static inline int faulty_fsync(int fd) {
    return is_faulty() ? -1 : fsync(fd);
}

static inline int faulty_fdatasync(int fd) {
    synced++;
    return is_faulty() ? -1 : fdatasync(fd);
}

static inline int faulty_rename(const char *from, const char *to) {
    return is_faulty() ? -1 : rename(from, to);
}

static inline void set_fault(enum fault_kind kind, int at, int code, size_t partial) {
    fault.calls = 0;
    fault.kind = kind;
    fault.at = kind == FAULT_NONE ? 0 : at;
    fault.code = code;
    fault.partial = partial;
    io_read = faulty_read;
    io_write = faulty_write;
    io_pread = faulty_pread;
    io_pwrite = faulty_pwrite;
    io_fsync = faulty_fsync;
    io_fdatasync = faulty_fdatasync;
    io_rename = faulty_rename;
}

// Whether run() gets to its end in a process that is killed at its call number `at`.
static inline bool ends_before_kill_at(int at, bool (*run)(struct error *err)) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        set_fault(FAULT_KILL, at, 0, 0);
        _exit(run(&(struct error){0}) ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_true(status == 0 || WIFSIGNALED(status));
    return status == 0;
}

#endif
