// results.c: any bytes as a results file, whole and torn anywhere: it is refused and left alone, or
// repaired so that the rows that are done stay done. First character: format (0 to 3), and 4 more for
// --no-retry-failed.
// SPDX-License-Identifier: MIT
#include "jobs/out/output.h"
#include "jobs/out/resume.h"

#include "tests/fuzz/mutate.h"

#include <fcntl.h>
#include <stdlib.h>

static char folder[] = "/tmp/batch-run-fuzz-XXXXXX";
static char path[64];

static void remove_folder(void) {
    unlink(path);
    rmdir(folder);
}

static int no_sync(int fd) {
    (void)fd;
    return 0;
}

// A folder of one's own; the disk need not know.
static void prepare(void) {
    if (path[0])
        return;
    HOLDS(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/r.jsonl", folder);
    atexit(remove_folder);
    io_fsync = io_fdatasync = no_sync;
}

static struct slice whole_lines(struct slice bytes) {
    const char *last = memrchr(bytes.p, '\n', bytes.n);
    return slice_of(bytes.p, last ? (size_t)(last + 1 - bytes.p) : 0);
}

static int64_t count_lines(struct slice bytes) {
    int64_t count = 0;
    for (; bytes.n; count++)
        fuzz_line(&bytes);
    return count;
}

static bool scan(struct resume *r, struct slice bytes, const struct resume_options *options) {
    static struct fuzz_file file;
    struct error err = {0};
    *r = (struct resume){0};
    fuzz_file_set(&file, bytes);
    bool good = resume_scan(r, file.fd, options, &err);
    HOLDS(good || (err.class == ERROR_USAGE && utf8_is_valid(slice_str(err.text))));
    return good;
}

// A good file that breaks off anywhere is good, and has nothing that the whole one has not.
static void check_torn(struct slice bytes, const struct resume_options *options) {
    struct random random = fuzz_random(bytes);
    struct resume torn;
    for (int i = 0; i < 3; i++) {
        struct slice part = slice_of(bytes.p, (size_t)random_below(&random, (int64_t)bytes.n + 1));
        bool good = scan(&torn, part, options);
        HOLDS(good || !whole_lines(part).n); // a piece alone may be anybody's
        HOLDS(!good || torn.whole == (int64_t)whole_lines(part).n);
        HOLDS(!good || torn.torn == (whole_lines(part).n < part.n));
        resume_free(&torn);
    }
}

static void check_scan(struct slice bytes, const struct resume_options *options) {
    struct resume r;
    fuzz_cut_reads(bytes.n + 1);
    if (scan(&r, bytes, options)) {
        struct slice whole = whole_lines(bytes);
        HOLDS(r.whole == (int64_t)whole.n && r.torn == (whole.n < bytes.n));
        HOLDS(r.lines == count_lines(whole));
        HOLDS(r.kept_ok >= 0 && r.kept_failed >= 0 && r.kept_ok + r.kept_failed <= r.lines);
        HOLDS(resume_drops(&r) == (r.kept_ok + r.kept_failed < r.lines));
        check_torn(bytes, options);
    }
    resume_free(&r);
    fuzz_cut_reads(0);
}

static void put_file(struct slice bytes) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    HOLDS(fd >= 0 && io_write_all(fd, bytes, NULL));
    close(fd);
}

static void get_file(struct buf *bytes) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    buf_clear(bytes);
    HOLDS(fd >= 0 && buf_reserve(bytes, FUZZ_MAX / 2));
    ssize_t n = read(fd, bytes->p, FUZZ_MAX / 2);
    HOLDS(n >= 0);
    bytes->n = (size_t)n;
    close(fd);
}

// As a run does that has nothing to add. False: it would not run. *kept: rows that have a line.
static bool take_up(const struct output_options *options, int64_t *kept) {
    struct error err = {0};
    struct output *o = output_open(options, &err);
    if (!o)
        return false;
    *kept = output_unseen(o);
    HOLDS(output_close(o, &err));
    return true;
}

// What stays is lines of the old file in their order, one for each row that is done; the next run
// finds nothing left to repair.
static void check_repair(struct slice bytes, const struct output_options *options) {
    struct buf once = BUF_INIT(FUZZ_MAX), twice = BUF_INIT(FUZZ_MAX);
    int64_t kept, again;
    put_file(bytes);
    bool good = take_up(options, &kept);
    get_file(&once);
    HOLDS(good || slice_eq(buf_slice(&once), bytes));
    if (good) {
        struct slice left = slice_of(once.p, once.n), from = bytes;
        HOLDS(count_lines(left) == kept);
        while (left.n) {
            struct slice line = fuzz_line(&left);
            HOLDS(from.n);
            while (!slice_eq(fuzz_line(&from), line))
                HOLDS(from.n);
        }
        HOLDS(take_up(options, &again));
        HOLDS(again == kept);
        get_file(&twice);
        HOLDS(slice_eq(buf_slice(&once), buf_slice(&twice)));
    }
    buf_free(&once);
    buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct slice bytes = fuzz_input(data, size);
    unsigned choice = fuzz_choice(&bytes);
    enum output_format format = (enum output_format)(choice % OUTPUT_FORMATS);
    bool keep_failed = choice / OUTPUT_FORMATS % 2;
    prepare();
    struct sent *sent = sent_new(&(struct sent_options){0});
    check_scan(bytes,
               &(struct resume_options){
                   .path = "r.jsonl", .format = format, .keep_failed = keep_failed, .sent = sent});
    sent_free(sent);
    check_repair(bytes, &(struct output_options){.path = path,
                                                 .line = {.format = format},
                                                 .no_retry_failed = keep_failed});
    return 0;
}
