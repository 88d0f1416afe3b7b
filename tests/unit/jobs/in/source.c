// source.c: files, pipes and standard input; stopping, limits, progress; txt; real data.
// SPDX-License-Identifier: MIT
#include "jobs/base/json.h"
#include "tests/unit/jobs/in/feed.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

static void txt(void **state) {
    (void)state;
    struct feed f = feed_open(SLICE("\xef\xbb\xbf"
                                    "first \"line\"\r\n\n \t\n  \\n kept \x01\n"
                                    "{\"prompt\":\"no JSON here\"}\nbad \xff\nl\0t\nlast\r"),
                              OPTIONS(.format = INPUT_TXT));
    const struct job *job = feed_good(&f);
    assert_int_equal(job->request.shape, ROW_PROMPT);
    assert_slice(job->request.prompt, "\"first \\\"line\\\"\"");
    assert_slice(job->input, "{\"prompt\":\"first \\\"line\\\"\"}");
    assert_slice(job->id, "1");
    assert_slice(feed_good(&f)->request.prompt, "\"  \\\\n kept \\u0001\"");
    assert_int_equal(f.job->line_no, 4);
    assert_slice(f.job->id, "2");
    assert_slice(feed_good(&f)->request.prompt, "\"{\\\"prompt\\\":\\\"no JSON here\\\"}\"");
    assert_slice(feed_bad(&f, "invalid UTF-8 at byte 5")->input, "\"bad \xef\xbf\xbd\"");
    assert_slice(feed_good(&f)->request.prompt, "\"l\\u0000t\"");
    assert_slice(feed_good(&f)->request.prompt, "\"last\\r\""); // a CR alone ends no line
    assert_int_equal(f.job->line_no, 8);
    feed_ends(&f);
}

static void jsonl_lines(void **state) {
    (void)state;
    static const char text[] =
        "\xef\xbb\xbf{\"prompt\":\"a\",\"id\":9007199254740993}\r\n\r\n \n\"b\\u0000\"\r\n"
        "{\"prompt\":\"c\"}";
    struct feed f = feed_jsonl(slice_str(text));
    assert_slice(feed_good(&f)->input, "{\"prompt\":\"a\",\"id\":9007199254740993}");
    assert_slice(f.job->id, "9007199254740993");
    assert_slice(feed_good(&f)->request.prompt, "\"b\\u0000\"");
    assert_int_equal(f.job->line_no, 4);
    assert_int_equal(f.job->index, 1);
    assert_slice(f.job->id, "2");
    assert_slice(feed_good(&f)->request.prompt, "\"c\"");
    assert_int_equal(source_bytes_done(f.source), sizeof text - 1);
    feed_ends(&f);
}

static void line_lengths(void **state) {
    (void)state;
    struct feed f =
        feed_open(SLICE("\"345678\"\n\"3456789\"\n\"3456789\"\r\n\"345678\"\r\n\"3456789\""),
                  OPTIONS(.format = INPUT_JSONL, .max_line_bytes = 8));
    feed_good(&f);
    assert_slice(feed_bad(&f, "longer than 8 bytes (--max-line-bytes)")->id, "2");
    assert_absent(f.job->input);
    assert_int_equal(f.job->line_no, 2);
    feed_bad(&f, "longer than 8 bytes");
    feed_good(&f);
    assert_int_equal(feed_bad(&f, "longer than 8 bytes")->line_no, 5);
    feed_ends(&f);
}

static void limits(void **state) {
    (void)state;
    struct feed f =
        feed_open(SLICE("\"a\"\n\nbad\n\"c\"\n"), OPTIONS(.format = INPUT_JSONL, .limit = 2));
    feed_good(&f);
    feed_bad(&f, "not JSON");
    assert_false(source_may_wait(f.source));
    assert_int_equal(source_bytes_done(f.source), 9);
    feed_ends(&f);
}

static void empty_inputs(void **state) {
    (void)state;
    struct feed f = feed_jsonl(SLICE(""));
    assert_int_equal(source_bytes_total(f.source), 0);
    feed_ends(&f);
    f = feed_jsonl(SLICE("\n\r\n  "));
    feed_ends(&f);
    f = feed_open(SLICE("\n"), OPTIONS(.format = INPUT_TXT));
    feed_ends(&f);
}

static void a_file_says_its_size(void **state) {
    (void)state;
    struct feed f = feed_jsonl(SLICE("\"a\"\n\"b\"\n\n"));
    assert_int_equal(source_bytes_total(f.source), 9);
    assert_int_equal(source_bytes_done(f.source), 0);
    assert_false(source_may_wait(f.source));
    feed_next(&f);
    assert_int_equal(source_bytes_done(f.source), 4);
    feed_next(&f);
    assert_int_equal(feed_next(&f), SOURCE_END);
    assert_int_equal(source_bytes_done(f.source), 9);
    feed_close(&f);
}

static const struct {
    const char *ending, *text;
    enum row_shape shape;
    const char *prompt;
} named[] = {
    {".jsonl", "\"p\"", ROW_PROMPT, "\"p\""},   {".NDJSON", "\"p\"", ROW_PROMPT, "\"p\""},
    {".csv", "prompt\np", ROW_PROMPT, "\"p\""}, {".tsv", "a\tprompt\n1\tp", ROW_PROMPT, "\"p\""},
    {".txt", "p", ROW_PROMPT, "\"p\""},
};

static void kind_from_the_name(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        struct feed f = {.job = job_new(1000, 0)};
        char path[64];
        feed_write(&f, slice_str(named[i].text));
        snprintf(path, sizeof path, "%s%s", f.path, named[i].ending);
        assert_int_equal(rename(f.path, path), 0);
        f.source = source_open(&OPTIONS(.path = path), &f.err);
        assert_non_null(f.source);
        assert_true(slice_is(feed_good(&f)->request.prompt, named[i].prompt));
        assert_int_equal(feed_next(&f), SOURCE_END);
        feed_close(&f);
        unlink(path);
    }
}

static void open_fails(void **state) {
    (void)state;
    static const struct {
        struct source_options options;
        const char *says;
    } cases[] = {
        {{.path = "/nowhere/x.jsonl"}, "cannot open /nowhere/x.jsonl: No such file"},
        {{.path = "/tmp", .format = INPUT_JSONL}, "/tmp is a directory"},
        {{.path = "Makefile"}, "--input-format jsonl, json, csv, tsv or txt"},
        {{.path = "Makefile", .format = INPUT_TXT, .prompt_field = "q"}, "--prompt-field q: "},
        {{.path = "Makefile", .format = INPUT_TXT, .id_field = "q"}, "--id-field q: "},
        {{.path = "Makefile", .format = INPUT_TXT, .template = "{{"}, "--template, line 1"},
        {{.path = "Makefile", .format = INPUT_JSONL, .template = "x", .prompt_field = "q"},
         "give one"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        assert_null(source_open(&cases[i].options, &err));
        assert_int_equal(err.class, ERROR_USAGE);
        if (!strstr(err.text, cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].says);
    }
    source_close(NULL);
}

// Standard input, replaced by something else for a test.
static int swap_stdin(int fd) {
    int old = dup(STDIN_FILENO);
    dup2(fd, STDIN_FILENO);
    close(fd);
    return old;
}

static struct feed feed_stdin(enum input_format format, int wake_fd) {
    struct feed f = {.job = job_new(1 << 20, 0)};
    f.source = source_open(
        &(struct source_options){.path = "-", .format = format, .wake_fd = wake_fd}, &f.err);
    assert_non_null(f.source);
    return f;
}

struct pieces {
    int fd;
    const char *const *texts; // ends with NULL
};

static void *write_pieces(void *arg) {
    struct pieces *p = arg;
    for (const char *const *text = p->texts; *text; text++)
        assert_int_equal(write(p->fd, *text, strlen(*text)), strlen(*text));
    close(p->fd);
    return NULL;
}

static void a_pipe_in_pieces(void **state) {
    (void)state;
    static const char *const texts[] = {"\xef", "\xbb",         "\xbf\"a", "\"\r",
                                        "\n",   "\n\"b\"\n\"c", "\"",      NULL};
    int fds[2];
    pthread_t writer;
    assert_int_equal(pipe(fds), 0);
    int old = swap_stdin(fds[0]);
    struct pieces pieces = {fds[1], texts};
    pthread_create(&writer, NULL, write_pieces, &pieces);
    struct feed f = feed_stdin(INPUT_AUTO, -1);
    assert_int_equal(source_bytes_total(f.source), -1);
    assert_slice(feed_good(&f)->request.prompt, "\"a\"");
    assert_slice(feed_good(&f)->request.prompt, "\"b\"");
    assert_slice(feed_good(&f)->request.prompt, "\"c\"");
    assert_int_equal(f.job->line_no, 4);
    assert_int_equal(feed_next(&f), SOURCE_END);
    assert_int_equal(source_bytes_done(f.source), 16);
    pthread_join(writer, NULL);
    source_close(f.source);
    job_free(f.job);
    close(swap_stdin(old));
}

// Whether the next row may have to be waited for is told before, row by row.
static void may_wait(void **state) {
    (void)state;
    static const struct {
        enum input_format format;
        const char *text;
    } cases[] = {{INPUT_JSONL, "\"a\"\n\"b\"\n\n\"c"}, {INPUT_CSV, "prompt\na\n\"b\nb\"\n\n\"c\n"}};
    for (size_t i = 0; i < 2; i++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        int old = swap_stdin(fds[0]);
        write_pieces(&(struct pieces){dup(fds[1]), (const char *const[]){cases[i].text, NULL}});
        struct feed f = feed_stdin(cases[i].format, -1);
        assert_true(source_may_wait(f.source));
        feed_good(&f);
        assert_false(source_may_wait(f.source));
        feed_good(&f);
        assert_true(source_may_wait(f.source));
        write_pieces(&(struct pieces){fds[1], (const char *const[]){"\"\n", NULL}});
        feed_good(&f);
        assert_true(source_may_wait(f.source));
        assert_int_equal(feed_next(&f), SOURCE_END);
        assert_false(source_may_wait(f.source));
        source_close(f.source);
        job_free(f.job);
        close(swap_stdin(old));
    }
}

static void *wake(void *arg) {
    uint64_t one = 1;
    usleep(20000); // most likely the reader waits by then; the test holds either way
    assert_int_equal(write(*(int *)arg, &one, sizeof one), sizeof one);
    return NULL;
}

static void a_wait_can_be_stopped(void **state) {
    (void)state;
    int fds[2], wake_fd = eventfd(0, 0);
    pthread_t waker;
    assert_int_equal(pipe(fds), 0);
    int old = swap_stdin(fds[0]);
    assert_int_equal(write(fds[1], "\"a\"\n\"b", 6), 6);
    struct feed f = feed_stdin(INPUT_JSONL, wake_fd);
    feed_good(&f);
    pthread_create(&waker, NULL, wake, &wake_fd);
    assert_int_equal(feed_next(&f), SOURCE_STOPPED);
    assert_int_equal(feed_next(&f), SOURCE_STOPPED);
    pthread_join(waker, NULL);
    source_close(f.source);
    job_free(f.job);
    close(swap_stdin(old));
    close(fds[1]);
    close(wake_fd);
}

// In the middle of the header, and of a quoted field.
static void csv_can_be_stopped(void **state) {
    (void)state;
    static const char *const texts[] = {"promp", "prompt\n", "prompt\n\"a\nb"};
    for (size_t i = 0; i < 3; i++) {
        int fds[2], wake_fd = eventfd(0, 0);
        pthread_t waker;
        assert_int_equal(pipe(fds), 0);
        int old = swap_stdin(fds[0]);
        write_pieces(&(struct pieces){dup(fds[1]), (const char *const[]){texts[i], NULL}});
        struct feed f = feed_stdin(INPUT_CSV, wake_fd);
        pthread_create(&waker, NULL, wake, &wake_fd);
        assert_int_equal(feed_next(&f), SOURCE_STOPPED);
        assert_int_equal(f.err.class, ERROR_NONE);
        pthread_join(waker, NULL);
        source_close(f.source);
        job_free(f.job);
        close(swap_stdin(old));
        close(fds[1]);
        close(wake_fd);
    }
}

static void *write_fifo(void *arg) {
    int fd = open(arg, O_WRONLY);
    assert_int_equal(write(fd, "\"a\"\n", 4), 4);
    close(fd);
    return NULL;
}

// A named pipe opens before its writer is there, and is waited for.
static void a_named_pipe(void **state) {
    (void)state;
    struct feed f = {.job = job_new(1000, 0)};
    pthread_t writer;
    feed_write(&f, SLICE(""));
    unlink(f.path);
    assert_int_equal(mkfifo(f.path, 0600), 0);
    f.source = source_open(&OPTIONS(.path = f.path), &f.err);
    assert_non_null(f.source);
    pthread_create(&writer, NULL, write_fifo, f.path);
    assert_slice(feed_good(&f)->request.prompt, "\"a\"");
    pthread_join(writer, NULL);
    feed_ends(&f);
}

static void redirected_standard_input(void **state) {
    (void)state;
    struct feed file = {0};
    feed_write(&file, SLICE("skipped\n\"a\"\n"));
    int fd = open(file.path, O_RDONLY);
    lseek(fd, 8, SEEK_SET); // another program read the first line
    int old = swap_stdin(fd);
    struct feed f = feed_stdin(INPUT_AUTO, -1);
    assert_int_equal(source_bytes_total(f.source), 4);
    assert_false(source_may_wait(f.source));
    feed_good(&f);
    assert_int_equal(source_bytes_done(f.source), 4);
    assert_int_equal(feed_next(&f), SOURCE_END);
    source_close(f.source);
    job_free(f.job);
    close(swap_stdin(old));
    unlink(file.path);
}

// Rows much longer than a block, and jobs used again: no row shows through another.
static void long_rows(void **state) {
    (void)state;
    struct buf text = BUF_INIT(4 << 20);
    for (size_t i = 0; i < 20; i++) {
        buf_add_str(&text, "{\"prompt\":\"");
        for (size_t j = 0; j < (i % 3 ? 10 : 300000); j++)
            buf_add_char(&text, (char)('a' + i));
        buf_add_str(&text, "\"}\n");
    }
    struct feed f = feed_jsonl(buf_slice(&text));
    for (size_t i = 0; i < 20; i++) {
        struct slice prompt = feed_good(&f)->request.prompt;
        assert_int_equal(prompt.n, (i % 3 ? 10 : 300000) + 2);
        for (size_t j = 1; j < prompt.n - 1; j++)
            assert_true(prompt.p[j] == (char)('a' + i));
    }
    feed_ends(&f);
    buf_free(&text);
}

// Every row of a real file, against the file read in one piece.
static void real_excerpt(void **state) {
    (void)state;
    const char *path = "tests/data/gsm8k-excerpt.jsonl";
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int64_t rows = 0;
    struct feed plain = {.job = job_new(1 << 20, 0)}, both = {.job = job_new(1 << 20, 0)};
    plain.source = source_open(&OPTIONS(.path = path, .prompt_field = "question"), &plain.err);
    both.source = source_open(&OPTIONS(.path = path, .template = "Q: {{question}}\nA: {{answer}}"),
                              &both.err);
    assert_true(plain.source && both.source);
    struct buf want = BUF_INIT(1 << 20);
    while ((n = getline(&line, &cap, file)) > 0) {
        struct slice row = slice_trim(slice_of(line, (size_t)n));
        struct slice question = json_get(row, "question"), answer = json_get(row, "answer");
        assert_true(slice_eq(feed_good(&plain)->input, row));
        assert_true(slice_eq(plain.job->request.prompt, question));
        buf_clear(&want);
        buf_addf(&want, "\"Q: %.*s\\nA: %.*s\"", (int)question.n - 2, question.p + 1,
                 (int)answer.n - 2, answer.p + 1);
        assert_true(slice_eq(feed_good(&both)->request.prompt, buf_slice(&want)));
        assert_int_equal(both.job->index, rows++);
    }
    assert_true(rows > 0);
    assert_int_equal(feed_next(&plain), SOURCE_END);
    assert_int_equal(feed_next(&both), SOURCE_END);
    source_close(plain.source);
    source_close(both.source);
    job_free(plain.job);
    job_free(both.job);
    buf_free(&want);
    free(line);
    fclose(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(txt),
        cmocka_unit_test(jsonl_lines),
        cmocka_unit_test(line_lengths),
        cmocka_unit_test(limits),
        cmocka_unit_test(empty_inputs),
        cmocka_unit_test(a_file_says_its_size),
        cmocka_unit_test(kind_from_the_name),
        cmocka_unit_test(open_fails),
        cmocka_unit_test(a_pipe_in_pieces),
        cmocka_unit_test(may_wait),
        cmocka_unit_test(a_wait_can_be_stopped),
        cmocka_unit_test(csv_can_be_stopped),
        cmocka_unit_test(a_named_pipe),
        cmocka_unit_test(redirected_standard_input),
        cmocka_unit_test(long_rows),
        cmocka_unit_test(real_excerpt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
