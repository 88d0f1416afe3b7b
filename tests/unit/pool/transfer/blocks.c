// Tests pool/transfer/blocks.c through libcurl, whose memory it is.
// SPDX-License-Identifier: MIT
#include "pool/transfer/blocks.h"

#include "tests/unit/check.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// A copy in a block of libcurl's: text that needs no escaping.
static char *copy_of(size_t n) {
    char *text = malloc(n + 1);
    memset(text, 'a' + (int)(n % 26), n);
    text[n] = '\0';
    char *copy = curl_easy_escape(NULL, text, (int)n);
    assert_int_equal(strlen(copy), n);
    assert_string_equal(copy, text);
    assert_int_equal((uintptr_t)copy % 16, 0);
    free(text);
    return copy;
}

// Of every size, several at a time, taken again after they were given back.
static void take_and_give(void) {
    char *copies[8];
    for (int again = 0; again < 3; again++)
        for (size_t n = 1; n < 200000; n += n / 16 + 1) {
            for (size_t i = 0; i < 8; i++)
                copies[i] = copy_of(n + i);
            for (size_t i = 0; i < 8; i++) {
                assert_int_equal(copies[i][n - 1], 'a' + (int)((n + i) % 26));
                curl_free(copies[i]);
            }
        }
}

static void kept_or_not(void **state) {
    (void)state;
    take_and_give();
    blocks_keep(true);
    take_and_give();
    blocks_keep(false);
    take_and_give();
}

static void the_same_block_again(void **state) {
    (void)state;
    blocks_keep(true);
    char *first = copy_of(100);
    curl_free(first);
    char *second = copy_of(100);
#ifndef SANITIZED
    assert_ptr_equal(first, second);
#endif
    curl_free(second);
    blocks_keep(false);
}

// Thousands of upload buffers of 64 KB hold some hundred bytes each: small blocks between them would make
// two pages of one. First of all tests, since later there are some to be had from everywhere.
static void buffers_lie_side_by_side(void **state) {
    (void)state;
    char *buffers[6], *small[6], *foreign[6];
    blocks_keep(true);
    for (size_t i = 0; i < 6; i++) {
        buffers[i] = copy_of(60000);
        small[i] = copy_of(300);
        foreign[i] = malloc(300);
#ifndef SANITIZED
        if (i)
            assert_int_equal(buffers[i] - buffers[i - 1], 64 * 1024 + 16);
#endif
    }
    for (size_t i = 0; i < 6; i++) {
        curl_free(buffers[i]);
        curl_free(small[i]);
        free(foreign[i]);
    }
    blocks_keep(false);
}

static void *keep_one(void *bytes) {
    blocks_keep(true);
    curl_free(bytes);
    char *own = copy_of(5000);
    blocks_keep(false);
    return own;
}

static void from_thread_to_thread(void **state) {
    (void)state;
    pthread_t thread;
    void *theirs;
    blocks_keep(true);
    assert_int_equal(pthread_create(&thread, NULL, keep_one, copy_of(300)), 0);
    assert_int_equal(pthread_join(thread, &theirs), 0);
    curl_free(theirs);
    blocks_keep(false);
}

static void *give_back(void *block) {
    curl_free(block);
    return NULL;
}

static void *take_and_end(void *unused) {
    (void)unused;
    blocks_keep(true);
    char *block = copy_of(5000);
    curl_free(block);
    blocks_keep(false);
    return block;
}

// Nothing is lost with threads that end, nor with those that keep nothing: a resolver's, for each name.
static void whoever_gave_it_back(void **state) {
    (void)state;
    pthread_t thread;
    void *ended;
    blocks_keep(true);
    char *first = copy_of(3000);
    assert_int_equal(pthread_create(&thread, NULL, give_back, first), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    char *second = copy_of(3000);
    assert_int_equal(pthread_create(&thread, NULL, take_and_end, NULL), 0);
    assert_int_equal(pthread_join(thread, &ended), 0);
    char *third = copy_of(5000);
#ifndef SANITIZED
    assert_ptr_equal(first, second);
    assert_ptr_equal(ended, third);
#endif
    curl_free(second);
    curl_free(third);
    blocks_keep(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_lie_side_by_side), cmocka_unit_test(kept_or_not),
        cmocka_unit_test(the_same_block_again),     cmocka_unit_test(from_thread_to_thread),
        cmocka_unit_test(whoever_gave_it_back),
    };
    if (!blocks_global_init())
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
