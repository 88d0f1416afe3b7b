// torture.c: runs a command again and again, each time with the next call of a family failing, until
// runs pass without one; after each, the same command once more with nothing failing.
//
//   torture FAULTS.so FOLDER FAMILY HOW STRIDE -- COMMAND…        FAMILY and HOW: see faults.c
//
// FOLDER holds rows.jsonl (rows {"id":"r<n>","prompt":…}, n from 1), start.jsonl (what out.jsonl is
// before each first run) and secrets (a line each). COMMAND runs two at a time, each in a folder of its
// own within FOLDER, and is to write the answer to each prompt, which is the prompt, to out.jsonl.
//
// Prints "ok …" or "not ok …" for each fault, and a line of a table: family, how, faults, exit codes.
// SPDX-License-Identifier: MIT
#include "jobs/base/buf.h"
#include "jobs/base/die.h"
#include "jobs/out/line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS  2
#define ROWS_MAX 64
#define TEXT_MAX ((size_t)1 << 20)
#define PASSES                                                                                     \
    3 // how often a thread comes before another is luck, and so is the number of some calls
#define CODES 5 // exit codes that the contract has for a run that no signal stopped

static struct {
    const char *faults, *folder, *family, *how;
    char **command;
    long stride;
    int seconds; // what one run may take
    int rows;
    struct buf start, secrets;
    pthread_mutex_t lock; // of what follows
    long next;
    int passed; // runs in a row in which nothing failed
    long tried, by_code[CODES], wrong;
} torture = {.lock = PTHREAD_MUTEX_INITIALIZER, .next = 1};

// One fault: where it is tried, and what is wrong with how it went.
struct trial {
    long n;
    char folder[4096];
    char reason[400]; // "" while all is well
    int status;
};

static void wrong(struct trial *t, const char *format, ...) {
    va_list args;
    if (t->reason[0])
        return; // the first one says most
    va_start(args, format);
    vsnprintf(t->reason, sizeof t->reason, format, args);
    va_end(args);
}

// -- files --

static bool read_file(const char *folder, const char *name, struct buf *to) {
    char path[5000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    for (size_t n = 1; n && buf_reserve(to, 4096); to->n += n)
        n = fread(to->p + to->n, 1, 4096, file);
    fclose(file);
    return true;
}

static struct buf must_read(const char *folder, const char *name) {
    struct buf text = BUF_INIT(TEXT_MAX);
    if (!read_file(folder, name, &text))
        die("cannot read %s/%s", folder, name);
    return text;
}

static void each_file(struct trial *t, void (*what)(struct trial *, const char *name)) {
    DIR *folder = opendir(t->folder);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            what(t, entry->d_name);
    if (folder)
        closedir(folder);
}

static void remove_file(struct trial *t, const char *name) {
    char path[5000];
    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    unlink(path);
}

static void prepare(struct trial *t) {
    char path[5000];
    each_file(t, remove_file);
    snprintf(path, sizeof path, "%s/out.jsonl", t->folder);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(torture.start.p, 1, torture.start.n, file) != torture.start.n ||
        fclose(file) != 0)
        die("cannot write %s", path);
}

// -- the command --

static void become_command(const struct trial *t, bool faulted) {
    char wish[100];
    int fd;
    snprintf(wish, sizeof wish, "%s %ld %s", torture.family, t->n, torture.how);
    if (chdir(t->folder) != 0)
        die("cannot go to %s", t->folder);
    if ((fd = open("/dev/null", O_RDONLY)) < 0 || dup2(fd, 0) != 0 ||
        (fd = open("stdout", O_WRONLY | O_CREAT | O_TRUNC, 0600)) < 0 || dup2(fd, 1) != 1 ||
        (fd = open("stderr", O_WRONLY | O_CREAT | O_TRUNC, 0600)) < 0 || dup2(fd, 2) != 2)
        die("cannot open files in %s", t->folder);
    if (faulted) {
        setenv("FAULT", wish, 1);
        setenv("FAULT_REPORT", "fault", 1);
        setenv("LD_PRELOAD", torture.faults, 1);
    }
    alarm((unsigned int)torture.seconds); // stays with what is executed
    execv(torture.command[0], torture.command);
    die("cannot start %s", torture.command[0]);
}

static void run(struct trial *t, bool faulted) {
    pid_t child = fork();
    if (child == 0)
        become_command(t, faulted);
    while (child < 0 || waitpid(child, &t->status, 0) != child)
        if (child < 0 || errno != EINTR)
            die("cannot run %s", torture.command[0]);
}

// -- what has to hold --

static void look_for_secrets(struct trial *t, const char *name) {
    struct buf text = must_read(t->folder, name);
    const char *p = torture.secrets.p, *end = p + torture.secrets.n, *newline;
    for (; p < end && (newline = memchr(p, '\n', (size_t)(end - p))); p = newline + 1)
        if (newline > p && text.n && memmem(text.p, text.n, p, (size_t)(newline - p)))
            wrong(t, "a secret is in %s", name);
    buf_free(&text);
}

static void look_for_strangers(struct trial *t, const char *name) {
    static const char *const known[] = {"out.jsonl", "summary.json", "stdout", "stderr", "fault"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i]) == 0)
            return;
    wrong(t, "%s is left behind", name);
}

// The value of a member that is a string without escapes.
static struct slice text_of(struct slice line, const char *name) {
    char mark[40];
    int n = snprintf(mark, sizeof mark, "\"%s\":\"", name);
    const char *p = memmem(line.p, line.n, mark, (size_t)n);
    const char *end = p ? memchr(p + n, '"', (size_t)(line.p + line.n - p - n)) : NULL;
    return end ? slice_of(p + n, (size_t)(end - p - n)) : SLICE_NONE;
}

// Takes the next line off; false when there is none. One that is not whole has no newline.
static bool next_line(struct slice *text, struct slice *line) {
    if (!text->n)
        return false;
    const char *newline = memchr(text->p, '\n', text->n);
    *line = slice_of(text->p, newline ? (size_t)(newline + 1 - text->p) : text->n);
    *text = slice_of(text->p + line->n, text->n - line->n);
    return true;
}

// All lines are whole, and each answer is the right one.
static void look_at_lines(struct trial *t, struct slice text, int seen[ROWS_MAX + 1], int *ok) {
    struct slice line;
    struct line_facts facts;
    while (next_line(&text, &line)) {
        char id[16] = "";
        if (line.p[line.n - 1] != '\n' || !line_read(line, OUTPUT_NATIVE, &facts)) {
            wrong(t, "a line is not whole");
            return;
        }
        if (facts.id_token.n < sizeof id)
            memcpy(id, facts.id_token.p, facts.id_token.n);
        long row = strncmp(id, "\"r", 2) == 0 ? strtol(id + 2, NULL, 10) : 0;
        if (row < 1 || row > torture.rows) {
            wrong(t, "a line of no row: %s", id);
            return;
        }
        seen[row]++;
        *ok += facts.ok;
        if (facts.ok && !slice_eq(text_of(line, "text"), text_of(line, "prompt")))
            wrong(t, "row %ld has the answer of another", row);
    }
}

// What was answered before is there still, byte for byte.
static void look_for_lost(struct trial *t, struct slice before, struct slice now) {
    struct slice line;
    struct line_facts facts;
    while (next_line(&before, &line))
        if (line.p[line.n - 1] == '\n' && line_read(line, OUTPUT_NATIVE, &facts) && facts.ok &&
            !memmem(now.p, now.n, line.p, line.n))
            wrong(t, "an answer is lost: %.*s", SLICE_ARG(facts.id_token));
}

static bool says_why(const struct trial *t) {
    struct buf text = must_read(t->folder, "stderr");
    bool said = text.n > 0;
    buf_free(&text);
    return said || strcmp(torture.family, "write") == 0;
}

static void judge_faulted(struct trial *t, struct slice now) {
    int seen[ROWS_MAX + 1] = {0}, ok = 0;
    int code = WIFEXITED(t->status) ? WEXITSTATUS(t->status) : -1;
    if (WIFSIGNALED(t->status) && WTERMSIG(t->status) == SIGALRM)
        wrong(t, "it hangs");
    else if (WIFSIGNALED(t->status))
        wrong(t, "killed by signal %d", WTERMSIG(t->status));
    else if (code >= CODES)
        wrong(t, "exit code %d", code);
    else if (code > 1 && !says_why(t))
        wrong(t, "exit code %d without a word", code);
    if (slice_eq(now, buf_slice(&torture.start))) { // not even its torn end was touched
        if (code == 0)
            wrong(t, "exit code 0, but nothing is answered");
        return;
    }
    look_at_lines(t, now, seen, &ok);
    look_for_lost(t, buf_slice(&torture.start), now);
    if (code == 0 && ok != torture.rows)
        wrong(t, "exit code 0, but %d rows of %d are answered", ok, torture.rows);
}

static void judge_final(struct trial *t, struct slice before, struct slice now) {
    int seen[ROWS_MAX + 1] = {0}, ok = 0;
    if (!WIFEXITED(t->status) || WEXITSTATUS(t->status) != 0)
        wrong(t, "then, with nothing failing: status %#x", (unsigned int)t->status);
    look_at_lines(t, now, seen, &ok);
    look_for_lost(t, before, now);
    for (int i = 1; i <= torture.rows; i++)
        if (seen[i] != 1)
            wrong(t, "then, with nothing failing: row %d has %d lines", i, seen[i]);
    if (ok != torture.rows)
        wrong(t, "then, with nothing failing: %d rows are answered", ok);
    each_file(t, look_for_strangers);
}

// -- all faults --

static void take_down(const struct trial *t, const struct buf *fault) {
    int code = WIFEXITED(t->status) ? WEXITSTATUS(t->status) : CODES;
    pthread_mutex_lock(&torture.lock);
    torture.tried++;
    if (code < CODES)
        torture.by_code[code]++;
    torture.wrong += t->reason[0] != '\0';
    printf("%s %s %.*s\n", t->reason[0] ? "not ok" : "ok", torture.how,
           fault->n ? (int)(strcspn(fault->p, "\n")) : 0, fault->n ? fault->p : "");
    if (t->reason[0])
        printf("# %s\n", t->reason);
    pthread_mutex_unlock(&torture.lock);
}

// False when nothing failed.
static bool try_fault(struct trial *t) {
    struct buf fault = BUF_INIT(TEXT_MAX), faulted = BUF_INIT(TEXT_MAX), final = BUF_INIT(TEXT_MAX);
    t->reason[0] = '\0';
    prepare(t);
    run(t, true);
    bool failed = read_file(t->folder, "fault", &fault);
    struct trial first = *t;
    read_file(t->folder, "out.jsonl", &faulted);
    judge_faulted(&first, buf_slice(&faulted));
    each_file(&first, look_for_secrets);
    run(t, false);
    read_file(t->folder, "out.jsonl", &final);
    memcpy(t->reason, first.reason, sizeof t->reason);
    judge_final(t, buf_slice(&faulted), buf_slice(&final));
    each_file(t, look_for_secrets);
    memcpy(first.reason, t->reason, sizeof t->reason);
    buf_cstr(&fault);
    if (failed || first.reason[0])
        take_down(&first, &fault);
    buf_free(&fault);
    buf_free(&faulted);
    buf_free(&final);
    return failed;
}

static bool next_fault(struct trial *t) {
    pthread_mutex_lock(&torture.lock);
    bool more = torture.passed < PASSES;
    t->n = torture.next;
    torture.next += torture.stride;
    pthread_mutex_unlock(&torture.lock);
    return more;
}

static void *worker(void *folder) {
    struct trial t = {0};
    snprintf(t.folder, sizeof t.folder, "%s", (const char *)folder);
    mkdir(t.folder, 0700);
    while (next_fault(&t)) {
        bool failed = try_fault(&t);
        pthread_mutex_lock(&torture.lock);
        torture.passed = failed ? 0 : torture.passed + 1;
        pthread_mutex_unlock(&torture.lock);
    }
    return NULL;
}

static int count_lines(struct slice text) {
    struct slice line;
    int count = 0;
    while (next_line(&text, &line))
        count++;
    return count;
}

int main(int argc, char **argv) {
    pthread_t threads[WORKERS];
    char folders[WORKERS][4096];
    if (argc < 8 || strcmp(argv[6], "--") != 0)
        die("usage: torture FAULTS.so FOLDER FAMILY HOW STRIDE -- COMMAND…");
    torture.faults = argv[1];
    torture.folder = argv[2];
    torture.family = argv[3];
    torture.how = argv[4];
    torture.stride = strtol(argv[5], NULL, 10);
    torture.command = argv + 7;
    const char *slow = getenv("SLOW");
    torture.seconds = 20 * (slow ? (int)strtol(slow, NULL, 10) : 1);
    torture.start = must_read(torture.folder, "start.jsonl");
    torture.secrets = must_read(torture.folder, "secrets");
    struct buf rows = must_read(torture.folder, "rows.jsonl");
    torture.rows = count_lines(buf_slice(&rows));
    if (torture.rows < 1 || torture.rows > ROWS_MAX || torture.stride < 1)
        die("1 to %d rows, a stride of 1 or more", ROWS_MAX);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < WORKERS; i++) {
        snprintf(folders[i], sizeof folders[i], "%s/%d", torture.folder, i + 1);
        if (pthread_create(&threads[i], NULL, worker, folders[i]) != 0)
            die("cannot start a thread");
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    const long *c = torture.by_code;
    printf("| %-14s %-8s %6ld %6ld %6ld %6ld %6ld %6ld %6ld\n", torture.family, torture.how,
           torture.tried, c[0], c[1], c[2], c[3], c[4], torture.wrong);
    buf_free(&torture.start);
    buf_free(&torture.secrets);
    buf_free(&rows);
    return torture.wrong || !torture.tried;
}
