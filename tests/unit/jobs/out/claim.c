// claim.c (test): what may be a results file, the lock, and the lock across a replacement.
// SPDX-License-Identifier: MIT
#include "jobs/out/claim.h"

#include "tests/unit/jobs/out/files.h"

#include <sys/socket.h>
#include <sys/un.h>

static void assert_refused(const char *path, enum error_class class, const char *word) {
    struct claim claim;
    struct error err = {0};
    assert_false(claim_open(&claim, path, &err));
    assert_int_equal(err.class, class);
    assert_non_null(strstr(err.text, path));
    if (!strstr(err.text, word))
        fail_msg("%s: no word of %s", err.text, word);
    claim_close(&claim);
}

static void what_cannot_hold_results(void **state) {
    (void)state;
    char path[200];
    assert_refused(folder, ERROR_USAGE, "directory");
    snprintf(path, sizeof path, "%s/none/r.jsonl", folder);
    assert_refused(path, ERROR_USAGE, "-o");
    snprintf(path, sizeof path, "%s/file/r.jsonl", folder);
    snprintf(results, sizeof results, "%s/file", folder);
    write_file(results, SLICE(""));
    assert_refused(path, ERROR_USAGE, "-o");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_refused(address.sun_path, ERROR_USAGE, "socket");
    close(fd);
    snprintf(path, sizeof path, "%s/loop", folder);
    assert_int_equal(symlink(path, path), 0);
    assert_refused(path, ERROR_USAGE, "-o");
}

static void a_new_file_has_the_modes_of_the_umask(void **state) {
    (void)state;
    struct claim claim;
    struct error err = {0};
    struct stat st;
    mode_t old = umask(027);
    assert_true(claim_open(&claim, results, &err));
    umask(old);
    assert_true(claim.created && claim.regular);
    assert_int_equal(stat(results, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_true(claim_close(&claim));
}

static void a_second_opener_is_refused(void **state) {
    (void)state;
    struct claim first, second;
    struct error err = {0};
    assert_true(claim_open(&first, results, &err));
    assert_refused(results, ERROR_USAGE, "another run");
    assert_true(claim_close(&first));
    assert_true(claim_open(&second, results, &err));
    assert_false(second.created);
    assert_true(claim_close(&second));
}

// Before, between and after the steps of a replacement a second run never gets the file.
static void the_lock_holds_across_a_replacement(void **state) {
    (void)state;
    struct claim claim;
    struct error err = {0};
    write_file(results, SLICE("old"));
    chmod(results, 0604);
    assert_true(claim_open(&claim, results, &err));
    int fd = claim_aside(&claim, &err);
    assert_true(fd >= 0);
    assert_refused(results, ERROR_USAGE, "another run");
    assert_refused(claim.aside, ERROR_USAGE, "another run");
    assert_true(io_write_all(fd, SLICE("new"), NULL));
    assert_file(results, "old");
    assert_true(claim_swap(&claim, fd, &err));
    assert_refused(results, ERROR_USAGE, "another run");
    assert_file(results, "new");
    struct stat st;
    assert_int_equal(stat(results, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0604);
    assert_int_equal(folder_count(), 1);
    assert_true(claim_close(&claim));
}

// Many processes take the file, replace it and let go: the number in it counts each of them once.
static void nobody_gets_a_file_that_is_on_its_way_out(void **state) {
    (void)state;
    enum { PROCESSES = 6, ROUNDS = 40 };
    write_file(results, SLICE("0"));
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() != 0)
            continue;
        for (int done = 0; done < ROUNDS;) {
            struct claim claim;
            struct error err = {0};
            char text[16] = "";
            if (claim_open(&claim, results, &err)) {
                int fd = claim_aside(&claim, &err);
                if (fd < 0 || pread(claim.fd, text, sizeof text - 1, 0) < 1)
                    _exit(1);
                int n = snprintf(text, sizeof text, "%ld", strtol(text, NULL, 10) + 1);
                if (write(fd, text, (size_t)n) != n || !claim_swap(&claim, fd, &err))
                    _exit(1);
                done++;
            }
            claim_close(&claim);
        }
        _exit(0);
    }
    for (int i = 0, status; i < PROCESSES; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_file(results, "240");
}

static void a_symbolic_link_stays_one(void **state) {
    (void)state;
    char link[100];
    struct claim claim;
    struct error err = {0};
    struct stat st;
    snprintf(link, sizeof link, "%s/link", folder);
    write_file(results, SLICE("old"));
    assert_int_equal(symlink("r.jsonl", link), 0);
    assert_true(claim_open(&claim, link, &err));
    int fd = claim_aside(&claim, &err);
    assert_true(claim_swap(&claim, fd, &err));
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_file(results, "");
    assert_true(claim_close(&claim));
}

static void a_replacement_that_fails_leaves_the_old_file(void **state) {
    (void)state;
    for (int at = 1; at <= 2; at++) { // fsync, rename
        struct claim claim;
        struct error err = {0};
        write_file(results, SLICE("old"));
        assert_true(claim_open(&claim, results, &err));
        int fd = claim_aside(&claim, &err);
        set_fault(FAULT_ERRNO, at, ENOSPC, 0);
        assert_false(claim_swap(&claim, fd, &err));
        set_fault(FAULT_NONE, 0, 0, 0);
        assert_int_equal(err.class, ERROR_OUTPUT);
        assert_non_null(strstr(err.text, strerror(ENOSPC)));
        assert_file(results, "old");
        assert_int_equal(folder_count(), 1);
        assert_refused(results, ERROR_USAGE, "another run");
        claim_close(&claim);
    }
}

static void what_a_killed_run_left_is_in_nobodys_way(void **state) {
    (void)state;
    struct claim claim;
    struct error err = {0};
    assert_true(claim_open(&claim, results, &err));
    write_file(claim.aside, SLICE("half a file"));
    int fd = claim_aside(&claim, &err);
    assert_true(fd >= 0);
    assert_file(claim.aside, "");
    claim_discard(&claim, fd);
    assert_int_equal(folder_count(), 1);
    assert_true(claim_close(&claim));
}

static void a_device_can_be_written_to(void **state) {
    (void)state;
    struct claim claim;
    struct error err = {0};
    assert_true(claim_open(&claim, "/dev/null", &err));
    assert_false(claim.regular);
    assert_true(claim_sync(&claim));
    assert_true(claim_close(&claim));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_cannot_hold_results),
        TEST(a_new_file_has_the_modes_of_the_umask),
        TEST(a_second_opener_is_refused),
        TEST(the_lock_holds_across_a_replacement),
        TEST(nobody_gets_a_file_that_is_on_its_way_out),
        TEST(a_symbolic_link_stays_one),
        TEST(a_replacement_that_fails_leaves_the_old_file),
        TEST(what_a_killed_run_left_is_in_nobodys_way),
        TEST(a_device_can_be_written_to),
    };
    QUIET_RUN(tests);
}
