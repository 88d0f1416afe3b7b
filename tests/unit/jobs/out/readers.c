// readers.c (test): files of many blocks, read by one thread or several, say what a plain reading line
// by line says; damage in the middle is found at its line.
// SPDX-License-Identifier: MIT

// Compiled in here, with threads that a test can refuse to start.
#include <pthread.h>
static int threads_left, threads_started;
static int start_thread(pthread_t *thread, const pthread_attr_t *how, void *(*body)(void *),
                        void *p);
#define pthread_create start_thread
#include "jobs/out/readers.c"
#undef pthread_create

#include "jobs/base/random.h"
#include "jobs/out/resume.h"
#include "tests/unit/jobs/out/files.h"

static int start_thread(pthread_t *thread, const pthread_attr_t *how, void *(*body)(void *),
                        void *p) {
    if (threads_left-- <= 0)
        return EAGAIN;
    threads_started++;
    return pthread_create(thread, how, body, p);
}

enum { LINES = 12000, IDS = 4000 };

// Ids that rows without any get, in about their order; ids that look like numbers and are none; others.
static const char *id_text_of(char out[40], int id) {
    static const char *const forms[] = {"%d",  "%d",  "%d",   "%d",          "0%d",    "%de3",
                                        "+%d", "-%d", "%d#2", "row \\u%04d", "7%011d", " %d"};
    snprintf(out, 40, forms[id / 7 % 12], id);
    return out;
}

struct model {
    int id[LINES];
    bool ok[LINES], bad[LINES];
    uint64_t sent[LINES];
    size_t starts[LINES + 1];
    int line_of[IDS]; // that counts, or -1
};

static void add_line(struct buf *file, const char *id, bool ok, bool bad, uint64_t sent,
                     size_t padding) {
    static char text[30000];
    struct job *job = job_new(65536, 1024);
    job->id = slice_str(id);
    job->sent = sent;
    if (!ok)
        job_fail(job, bad ? OUTCOME_BAD_INPUT : OUTCOME_SERVER, "failed");
    job->result.outcome = ok ? OUTCOME_OK : bad ? OUTCOME_BAD_INPUT : OUTCOME_SERVER;
    memset(text, 'x', padding + 2);
    text[0] = text[padding + 1] = '"';
    job->result.reply.text = slice_of(text, padding + 2);
    line_add(file, job, &(struct line_options){.no_input = true});
    job_free(job);
}

// What the rules of resume.h say, line after line.
static void count_line(struct model *m, int i) {
    int before = m->line_of[m->id[i]];
    if (m->bad[i])
        return;
    bool same = before >= 0 && m->sent[before] == m->sent[i];
    if (before < 0 || !m->ok[before] || m->ok[i] || !same)
        m->line_of[m->id[i]] = i;
}

static void make_file(struct model *m, struct buf *file, uint64_t seed) {
    struct random random = {seed};
    bool in_order = random_below(&random, 2);
    char id[40];
    buf_clear(file);
    for (int k = 0; k < IDS; k++)
        m->line_of[k] = -1;
    for (int i = 0; i < LINES; i++) {
        int near = (int)((int64_t)i * IDS / LINES) + (int)random_below(&random, 50);
        m->id[i] = in_order && near < IDS ? near : (int)random_below(&random, IDS);
        m->ok[i] = random_below(&random, 3) > 0;
        m->bad[i] = !m->ok[i] && random_below(&random, 4) == 0;
        m->sent[i] = (uint64_t)(1 + random_below(&random, 2)) << 60;
        m->starts[i] = file->n;
        size_t padding = (size_t)random_below(&random, random_below(&random, 500) ? 400 : 20000);
        add_line(file, id_text_of(id, m->id[i]), m->ok[i], m->bad[i], m->sent[i], padding);
        count_line(m, i);
    }
    m->starts[LINES] = file->n;
}

static bool scan(struct resume *r, struct slice content, int threads, struct error *err) {
    struct sent *sent = sent_new(&(struct sent_options){0});
    threads_left = threads;
    threads_started = 0;
    write_file(results, content);
    int fd = open(results, O_RDONLY);
    bool good = resume_scan(r, fd, &(struct resume_options){.path = results, .sent = sent}, err);
    close(fd);
    sent_free(sent);
    return good;
}

static void check_rows(struct resume *r, const struct model *m) {
    char id[40];
    for (int k = 0; k < IDS; k++) {
        int64_t line;
        int i = m->line_of[k];
        struct slice text = slice_str(id_text_of(id, k));
        enum row_before same = resume_look(r, text, i < 0 ? 0 : m->sent[i], &line);
        assert_int_equal(line, i + 1);
        assert_int_equal(same, i < 0 ? ROW_NEW : m->ok[i] ? ROW_DONE : ROW_FAILED);
        if (i >= 0 && m->ok[i])
            assert_int_equal(resume_look(r, text, UINT64_C(5) << 60, &line), ROW_CHANGED);
    }
    assert_int_equal(resume_unseen(r), 0);
}

static void check_copy(struct resume *r, const struct model *m, struct slice file) {
    struct buf expected = BUF_INIT(1u << 28);
    char to[80];
    int64_t bytes;
    for (int i = 0; i < LINES; i++)
        if (!m->bad[i] && m->line_of[m->id[i]] == i)
            buf_add(&expected, file.p + m->starts[i], m->starts[i + 1] - m->starts[i]);
    snprintf(to, sizeof to, "%s.copy", results);
    int from_fd = open(results, O_RDONLY), to_fd = open(to, O_RDWR | O_CREAT | O_TRUNC, 0644);
    assert_true(resume_copy(r, from_fd, to_fd, &bytes));
    close(from_fd);
    close(to_fd);
    assert_true(slice_eq(read_file(to), buf_slice(&expected)));
    buf_free(&expected);
}

static void big_files_agree_with_a_model(void **state) {
    (void)state;
    static struct model m;
    struct buf file = BUF_INIT(1u << 28);
    for (int round = 0; round < 6; round++) {
        struct resume r;
        struct error err = {0};
        make_file(&m, &file, (uint64_t)round);
        if (!scan(&r, buf_slice(&file), round % 3, &err))
            fail_msg("%s", err.text);
        assert_int_equal(r.lines, LINES);
        assert_int_equal(r.whole, file.n);
        check_copy(&r, &m, buf_slice(&file));
        check_rows(&r, &m);
        resume_free(&r);
    }
    buf_free(&file);
}

// Bytes of a page that the disk lost or mixed up: the first line that is hurt is named, whichever thread
// comes upon it, and no line behind it counts.
static void damage_is_found_at_its_line(void **state) {
    (void)state;
    static struct model m;
    struct random random = {11};
    struct buf file = BUF_INIT(1u << 28), hurt = BUF_INIT(1u << 28);
    make_file(&m, &file, 3);
    for (int round = 0; round < 40; round++) {
        struct resume r;
        struct error err = {0};
        char place[100];
        int line = (int)random_below(&random, LINES);
        size_t from = m.starts[line] + (size_t)random_below(&random, 30), length = 4096;
        buf_clear(&hurt);
        buf_add_slice(&hurt, buf_slice(&file));
        if (from + length > hurt.n)
            length = hurt.n - from;
        switch (round % 3) {
        case 0: memset(hurt.p + from, 0, length); break;
        case 1: memmove(hurt.p + from, hurt.p + m.starts[0], 40); break;
        default: memset(hurt.p + from, 0xff, 1); break;
        }
        snprintf(place, sizeof place, "%s:%d: ", results, line + 1);
        bool torn = round % 3 == 0 && from + length == hurt.n;
        assert_int_equal(scan(&r, buf_slice(&hurt), round % 2, &err), torn);
        if (!torn)
            assert_memory_equal(err.text, place, strlen(place));
        resume_free(&r);
    }
    buf_free(&file);
    buf_free(&hurt);
}

static void a_small_file_needs_no_threads(void **state) {
    (void)state;
    struct resume r;
    struct error err = {0};
    assert_true(scan(&r, slice_str(lines_of("ok:a ok:b")), 9, &err));
    assert_int_equal(threads_started, 0);
    resume_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(big_files_agree_with_a_model, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(damage_is_found_at_its_line, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_small_file_needs_no_threads, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
