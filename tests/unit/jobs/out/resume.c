// resume.c (test): what is kept of a results file, against a simple model; torn lines; foreign
// files.
// SPDX-License-Identifier: MIT
#include "jobs/out/resume.h"

#include "jobs/base/json.h"
#include "jobs/base/random.h"
#include "tests/unit/jobs/out/files.h"

static bool scan(struct resume *r, const char *content, bool keep_failed, struct error *err) {
    write_file(results, slice_str(content));
    int fd = open(results, O_RDONLY);
    bool good = resume_scan(
        r, fd, &(struct resume_options){.path = results, .keep_failed = keep_failed}, err);
    close(fd);
    return good;
}

static const char *copied(struct resume *r) {
    static struct buf content = BUF_INIT(1u << 28);
    char to[80];
    int64_t bytes;
    snprintf(to, sizeof to, "%s.copy", results);
    int from_fd = open(results, O_RDONLY), to_fd = open(to, O_RDWR | O_CREAT | O_TRUNC, 0644);
    assert_true(resume_copy(r, from_fd, to_fd, &bytes));
    close(from_fd);
    close(to_fd);
    buf_clear(&content);
    buf_add_slice(&content, read_file(to));
    assert_int_equal(bytes, content.n);
    return buf_cstr(&content);
}

static void which_lines_stay(void **state) {
    (void)state;
    static const struct {
        const char *file, *kept;
        int64_t ok, failed;
    } cases[] = {
        {"", "", 0, 0},
        {"ok:a ok:b", "ok:a ok:b", 2, 0},
        {"ok:a failed:b ok:c", "ok:a failed:b ok:c", 2, 1},
        {"failed:a failed:a", "failed:a", 0, 1},
        {"ok:a ok:a", "ok:a", 1, 0},
        {"failed:a ok:a", "ok:a", 1, 0},
        {"ok:a failed:a", "ok:a", 1, 0},
        {"failed:a ok:a ok:a failed:a", "ok:a", 1, 0},
        {"bad:a ok:b bad:b", "ok:b", 1, 0},
        {"bad:a failed:a", "failed:a", 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct resume r;
        struct error err = {0};
        assert_true(scan(&r, lines_of(cases[i].file), false, &err));
        assert_string_equal(copied(&r), lines_of(cases[i].kept));
        assert_int_equal(r.kept_ok, cases[i].ok);
        assert_int_equal(r.kept_failed, cases[i].failed);
        assert_int_equal(resume_unseen(&r), cases[i].ok + cases[i].failed);
        assert_int_equal(resume_drops(&r), strcmp(cases[i].kept, cases[i].file) != 0);
        resume_free(&r);
    }
}

static enum row_before look(struct resume *r, const char *id, uint64_t sent) {
    int64_t line;
    return resume_look(r, slice_str(id), sent, &line);
}

// Lines of --no-input, which tell what was sent in a member of its own.
static void add_sent(struct buf *file, const char *id, enum outcome outcome, uint64_t sent) {
    struct job *job = job_new(1024, 1024);
    job->id = slice_str(id);
    job->sent = sent;
    if (outcome != OUTCOME_OK)
        job_fail(job, outcome, "failed");
    job->result.outcome = outcome;
    line_add(file, job, &(struct line_options){.no_input = true});
    job_free(job);
}

// Every bit that is kept of it matters.
#define SENT(n) ((uint64_t)(n)*UINT64_C(0x0101010101010101))

static void a_row_is_known_by_what_it_sends(void **state) {
    (void)state;
    for (int keep_failed = 0; keep_failed < 2; keep_failed++) {
        struct buf file = BUF_INIT(1u << 20);
        struct sent *sent = sent_new(&(struct sent_options){0});
        struct resume r;
        add_sent(&file, "a", OUTCOME_OK, SENT(1));
        add_sent(&file, "b", OUTCOME_SERVER, SENT(1));
        add_sent(&file, "c", OUTCOME_BAD_INPUT, SENT(1));
        add_sent(&file, "d", OUTCOME_OK, 0); // somebody took it out
        write_file(results, buf_slice(&file));
        int fd = open(results, O_RDONLY);
        struct resume_options options = {.path = results, .keep_failed = keep_failed, .sent = sent};
        assert_true(resume_scan(&r, fd, &options, &(struct error){0}));
        assert_true(resume_is_done(&r, SLICE("a"), SENT(1)));
        assert_false(resume_is_done(&r, SLICE("a"), SENT(2)));
        assert_true(resume_is_done(&r, SLICE("a"), 0));
        assert_int_equal(resume_is_done(&r, SLICE("b"), SENT(1)), keep_failed);
        assert_false(resume_is_done(&r, SLICE("b"), SENT(2)));
        assert_false(resume_is_done(&r, SLICE("c"), SENT(1))); // bad input
        assert_false(resume_is_done(&r, SLICE("e"), SENT(1))); // not there
        assert_int_equal(look(&r, "a", SENT(1)), ROW_DONE);
        assert_int_equal(look(&r, "a", SENT(2)), ROW_CHANGED);
        assert_int_equal(look(&r, "a", 0), ROW_DONE);
        assert_int_equal(look(&r, "b", SENT(1)), keep_failed ? ROW_DONE : ROW_FAILED);
        assert_int_equal(look(&r, "b", SENT(2)), ROW_FAILED);
        assert_int_equal(look(&r, "c", SENT(1)), ROW_NEW);
        assert_int_equal(resume_unseen(&r), 1);
        assert_int_equal(look(&r, "d", SENT(7)), ROW_DONE);
        assert_int_equal(look(&r, "e", SENT(1)), ROW_NEW);
        assert_int_equal(resume_unseen(&r), 0);
        assert_int_equal(r.failed_done, keep_failed);
        close(fd);
        resume_free(&r);
        sent_free(sent);
        buf_free(&file);
    }
}

// What a run leaves that was killed after rows were sent again: the later line counts, unless it is a
// failure of what was answered.
static void the_later_of_two_lines_stays(void **state) {
    (void)state;
    static const struct {
        enum outcome first, second;
        uint64_t first_sent, second_sent;
        int kept; // which
    } cases[] = {
        {OUTCOME_OK, OUTCOME_OK, SENT(1), SENT(1), 2},
        {OUTCOME_OK, OUTCOME_OK, SENT(1), SENT(2), 2},
        {OUTCOME_OK, OUTCOME_SERVER, SENT(1), SENT(1), 1},
        {OUTCOME_OK, OUTCOME_SERVER, 0, SENT(1), 1},
        {OUTCOME_OK, OUTCOME_SERVER, SENT(1), SENT(2), 2},
        {OUTCOME_SERVER, OUTCOME_SERVER, SENT(1), SENT(1), 2},
        {OUTCOME_SERVER, OUTCOME_OK, SENT(1), SENT(2), 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf file = BUF_INIT(1u << 20);
        struct sent *sent = sent_new(&(struct sent_options){0});
        struct resume r;
        add_sent(&file, "a", cases[i].first, cases[i].first_sent);
        size_t first = file.n;
        add_sent(&file, "a", cases[i].second, cases[i].second_sent);
        write_file(results, buf_slice(&file));
        int fd = open(results, O_RDONLY);
        struct resume_options options = {.path = results, .sent = sent};
        assert_true(resume_scan(&r, fd, &options, &(struct error){0}));
        struct slice kept =
            cases[i].kept == 1 ? slice_of(file.p, first) : slice_of(file.p + first, file.n - first);
        assert_true(slice_is(kept, copied(&r)));
        assert_int_equal(r.kept_ok + r.kept_failed, 1);
        close(fd);
        resume_free(&r);
        sent_free(sent);
        buf_free(&file);
    }
}

static void lines_that_are_given_up_go_and_new_ones_stay(void **state) {
    (void)state;
    struct resume r;
    struct error err = {0};
    int64_t line;
    char file[8192];
    assert_true(scan(&r, lines_of("ok:a failed:b ok:c"), false, &err));
    assert_int_equal(resume_look(&r, SLICE("b"), 0, &line), ROW_FAILED);
    assert_int_equal(line, 2);
    assert_false(resume_drops(&r));
    snprintf(file, sizeof file, "%s", lines_of("ok:a failed:b ok:c ok:b"));
    write_file(results, slice_str(file)); // the run has added one
    resume_give_up(&r, line);
    resume_give_up(&r, line);
    assert_true(resume_drops(&r));
    assert_string_equal(copied(&r), lines_of("ok:a ok:c ok:b"));
    resume_free(&r);
}

// Files of random lines, short and longer than a block, against a model that looks at all of them.
static void random_files_agree_with_a_model(void **state) {
    (void)state;
    struct random random = {7};
    for (int round = 0; round < 60; round++) {
        enum { LINES = 40, IDS = 12 };
        enum outcome outcomes[LINES];
        int ids[LINES];
        struct buf file = BUF_INIT(1u << 28), expected = BUF_INIT(1u << 28);
        size_t starts[LINES + 1] = {0};
        bool keep_failures = round % 2;
        for (int i = 0; i < LINES; i++) {
            char id[16];
            ids[i] = (int)random_below(&random, IDS);
            outcomes[i] = random_below(&random, 2) ? OUTCOME_OK : OUTCOME_SERVER;
            size_t padding = (size_t)random_below(&random, random_below(&random, 9) ? 200 : 700000);
            snprintf(id, sizeof id, "%d", ids[i]);
            add_result(&file, id, outcomes[i], outcomes[i] == OUTCOME_OK ? padding : 0);
            starts[i + 1] = file.n;
        }
        for (int i = 0; i < LINES; i++) {
            bool last = true, any_ok = false;
            for (int k = 0; k < LINES; k++) {
                any_ok |= ids[k] == ids[i] && outcomes[k] == OUTCOME_OK;
                last &= !(k > i && ids[k] == ids[i] && outcomes[k] == outcomes[i]);
            }
            if (last && (outcomes[i] == OUTCOME_OK || !any_ok))
                buf_add(&expected, file.p + starts[i], starts[i + 1] - starts[i]);
        }
        struct resume r;
        struct error err = {0};
        assert_true(scan(&r, buf_cstr(&file), keep_failures, &err));
        assert_true(slice_is(buf_slice(&expected), copied(&r)));
        for (int id = 0; id < IDS; id++) {
            char text[16];
            bool any = false, any_ok = false;
            for (int i = 0; i < LINES; i++) {
                any |= ids[i] == id;
                any_ok |= ids[i] == id && outcomes[i] == OUTCOME_OK;
            }
            snprintf(text, sizeof text, "%d", id);
            assert_int_equal(look(&r, text, 0), any_ok          ? ROW_DONE
                                                : !any          ? ROW_NEW
                                                : keep_failures ? ROW_DONE
                                                                : ROW_FAILED);
        }
        resume_free(&r);
        buf_free(&file);
        buf_free(&expected);
    }
}

static void a_torn_line_at_every_byte(void **state) {
    (void)state;
    struct buf file = BUF_INIT(1u << 20);
    for (int before = 0; before < 2; before++) {
        buf_clear(&file);
        if (before)
            buf_add_str(&file, lines_of("ok:a ok:b"));
        size_t whole = file.n;
        buf_add_str(&file, lines_of("ok:last\\\"\xc3\xa9"));
        for (size_t cut = whole; cut < file.n; cut++) {
            struct resume r;
            struct error err = {0};
            char *content = mem_text(file.p, cut);
            assert_true(scan(&r, content, false, &err));
            assert_int_equal(r.whole, whole);
            assert_int_equal(r.torn, cut > whole);
            assert_int_equal(r.kept_ok, before ? 2 : 0);
            assert_false(resume_drops(&r));
            assert_int_equal(look(&r, "last\\\"\xc3\xa9", 0), ROW_NEW);
            resume_free(&r);
            free(content);
        }
    }
    buf_free(&file);
}

static void a_tail_of_zeros_is_torn_too(void **state) {
    (void)state;
    struct buf file = BUF_INIT(1u << 24);
    buf_add_str(&file, lines_of("ok:a"));
    size_t whole = file.n;
    for (int i = 0; i < 3 << 20; i++)
        buf_add_char(&file, '\0');
    write_file(results, buf_slice(&file));
    struct resume r;
    struct error err = {0};
    int fd = open(results, O_RDONLY);
    assert_true(resume_scan(&r, fd, &(struct resume_options){.path = results}, &err));
    assert_true(r.torn);
    assert_int_equal(r.whole, whole);
    resume_free(&r);
    close(fd);
    buf_free(&file);
}

static void foreign_files_are_named_by_line(void **state) {
    (void)state;
    struct {
        const char *content;
        int line;
    } cases[] = {
        {"my notes", 1},
        {"my notes\n", 1},
        {"\n", 1},
        {"{", 0}, // may be the start of a result
        {"{}", 1},
        {"{\"id\":\"1\",\"prompt\":\"x\"}\n", 1},
        {"{\"id\":\"1\",\"prompt\":\"x\"}", 1},
        {"id,prompt\n1,x\n", 1},
        {"%PDF-1.4", 1},
        {lines_of("ok:a ok:b"), 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct resume r;
        struct error err = {0};
        char place[100];
        assert_int_equal(scan(&r, cases[i].content, false, &err), cases[i].line == 0);
        resume_free(&r);
        if (!cases[i].line)
            continue;
        snprintf(place, sizeof place, "%s:%d: ", results, cases[i].line);
        assert_int_equal(err.class, ERROR_USAGE);
        assert_memory_equal(err.text, place, strlen(place));
        assert_non_null(strstr(err.text, "--overwrite"));
        assert_non_null(strstr(err.text, "-o"));
    }
}

static void a_foreign_line_in_the_middle(void **state) {
    (void)state;
    struct buf file = BUF_INIT(1u << 20);
    struct resume r;
    struct error err = {0};
    buf_add_str(&file, lines_of("ok:a ok:b"));
    buf_add_str(&file, "{\"id\":\"c\"\n");
    buf_add_str(&file, lines_of("ok:d"));
    assert_false(scan(&r, buf_cstr(&file), false, &err));
    assert_non_null(strstr(err.text, "r.jsonl:3: "));
    resume_free(&r);
    buf_free(&file);
}

// Three rows in one format: answered, failed, no good.
static void write_three(enum output_format format) {
    struct buf file = BUF_INIT(1u << 20);
    static const enum outcome outcomes[] = {OUTCOME_OK, OUTCOME_SERVER, OUTCOME_BAD_INPUT};
    for (int i = 0; i < 3; i++) {
        struct job *job = job_new(100, 100);
        job->id = slice_of(&"abc"[i], 1);
        if (i > 0)
            job_fail(job, outcomes[i], "failed");
        job->result.outcome = outcomes[i];
        line_add(&file, job, &(struct line_options){.format = format});
        job_free(job);
    }
    char torn[20];
    memcpy(torn, file.p, sizeof torn);
    buf_add(&file, torn, sizeof torn);
    write_file(results, buf_slice(&file));
    buf_free(&file);
}

static void every_format_is_read_back_and_none_is_taken_for_another(void **state) {
    (void)state;
    for (int as = 0; as < OUTPUT_FORMATS; as++)
        for (int f = 0; f < OUTPUT_FORMATS; f++) {
            struct resume r;
            struct error err = {0};
            write_three((enum output_format)as);
            int fd = open(results, O_RDONLY);
            struct resume_options options = {
                .path = results, .format = (enum output_format)f, .keep_failed = true};
            assert_int_equal(resume_scan(&r, fd, &options, &err), as == f);
            if (as != f) {
                assert_non_null(strstr(err.text, "another --format"));
            } else {
                assert_true(r.torn);
                assert_int_equal(r.lines, 3);
                assert_int_equal(look(&r, "a", 0), ROW_DONE);
                assert_int_equal(look(&r, "b", 0), ROW_DONE);
                assert_int_equal(look(&r, "c", 0), ROW_NEW);
            }
            resume_free(&r);
            close(fd);
        }
}

// A big file without newlines is turned down before it is gathered in memory.
static void a_big_foreign_file_is_refused_early(void **state) {
    (void)state;
    int fd = open(results, O_RDWR | O_CREAT | O_TRUNC, 0644);
    assert_int_equal(ftruncate(fd, (off_t)1 << 33), 0);
    struct resume r;
    struct error err = {0};
    set_fault(FAULT_NONE, 0, 0, 0);
    assert_false(resume_scan(&r, fd, &(struct resume_options){.path = results}, &err));
    assert_true(fault.calls < 10);
    assert_int_equal(err.class, ERROR_USAGE);
    resume_free(&r);
    close(fd);
}

static void an_unreadable_disk_is_an_error(void **state) {
    (void)state;
    struct resume r;
    struct error err = {0};
    set_fault(FAULT_ERRNO, 1, EIO, 0);
    write_file(results, SLICE(""));
    set_fault(FAULT_ERRNO, 1, EIO, 0);
    int fd = open(results, O_RDONLY);
    assert_false(resume_scan(&r, fd, &(struct resume_options){.path = results}, &err));
    assert_int_equal(err.class, ERROR_OUTPUT);
    set_fault(FAULT_ERRNO, 1, EINTR, 0);
    resume_free(&r);
    err = (struct error){0};
    assert_true(resume_scan(&r, fd, &(struct resume_options){.path = results}, &err));
    resume_free(&r);
    close(fd);
    set_fault(FAULT_NONE, 0, 0, 0);
}

static void ids_with_escapes_are_found_by_their_text(void **state) {
    (void)state;
    struct resume r;
    struct error err = {0};
    assert_true(
        scan(&r,
             "{\"id\":\"\\u0061\\n\\\"\\u0000\",\"index\":0,\"status\":\"ok\",\"provider\":null,"
             "\"key\":null,\"model\":null}\n",
             false, &err));
    int64_t line;
    assert_int_equal(resume_look(&r, slice_of("a\n\"\0", 4), 0, &line), ROW_DONE);
    assert_int_equal(look(&r, "a\n\"", 0), ROW_NEW);
    resume_free(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(which_lines_stay),
        TEST(a_row_is_known_by_what_it_sends),
        TEST(the_later_of_two_lines_stays),
        TEST(lines_that_are_given_up_go_and_new_ones_stay),
        TEST(random_files_agree_with_a_model),
        TEST(a_torn_line_at_every_byte),
        TEST(a_tail_of_zeros_is_torn_too),
        TEST(foreign_files_are_named_by_line),
        TEST(a_foreign_line_in_the_middle),
        TEST(every_format_is_read_back_and_none_is_taken_for_another),
        TEST(a_big_foreign_file_is_refused_early),
        TEST(an_unreadable_disk_is_an_error),
        TEST(ids_with_escapes_are_found_by_their_text),
    };
    QUIET_RUN(tests);
}
