// Tests pool/transfer/address.c: what is shared, what is not, and what is no address.
// SPDX-License-Identifier: MIT
#include "pool/transfer/address.h"

#include "tests/unit/check.h"

#include <stdio.h>

static struct address *use(struct addresses *a, const char *text) {
    return address_use(a, slice_str(text));
}

static void the_same_for_the_same_text(void **state) {
    struct addresses all;
    (void)state;
    addresses_init(&all, false);
    struct address *one = use(&all, "http://127.0.0.1:1/v1/chat/completions");
    struct address *two = use(&all, "https://127.0.0.1:1/v1/chat/completions");
    assert_non_null(one);
    assert_non_null(two);
    assert_ptr_not_equal(one, two);
    assert_ptr_equal(use(&all, "http://127.0.0.1:1/v1/chat/completions"), one);
    assert_int_equal(one->users, 2);
    assert_false(one->tls);
    assert_true(two->tls);
    char *host = NULL;
    assert_int_equal(curl_url_get(two->url, CURLUPART_HOST, &host, 0), CURLUE_OK);
    assert_string_equal(host, "127.0.0.1");
    curl_free(host);
    // kept for the next user
    address_let_go(one);
    address_let_go(one);
    assert_ptr_equal(use(&all, "http://127.0.0.1:1/v1/chat/completions"), one);
    address_let_go(one);
    address_let_go(two);
    address_let_go(NULL);
    addresses_free(&all);
}

static void hosts_that_are_numbers(void **state) {
    static const struct {
        const char *text;
        bool number;
    } hosts[] = {
        {"http://127.0.0.1:8000/v1", true},     {"https://10.1.2.3/v1", true},
        {"http://[::1]:8000/v1", true},         {"http://localhost/v1", false},
        {"https://api.openai.com/v1", false},   {"http://127.0.0.1.example.org/", false},
        {"http://user:pass@192.0.2.1/x", true},
    };
    struct addresses all;
    (void)state;
    addresses_init(&all, false);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct address *address = use(&all, hosts[i].text);
        assert_non_null(address);
        assert_int_equal(address->is_number, hosts[i].number);
        address_let_go(address);
    }
    addresses_free(&all);
    addresses_init(&all, true);
    struct address *address = use(&all, hosts[0].text);
    assert_false(address->is_number);
    address_let_go(address);
    addresses_free(&all);
}

static void what_is_none(void **state) {
    static const char *const none[] = {"",    "http://",        "ftp://a/b",
                                       "a/b", "http://a:port/", "http://a b/"};
    struct addresses all;
    (void)state;
    addresses_init(&all, false);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_null(use(&all, none[i]));
    assert_int_equal(all.count, 0);
    addresses_free(&all);
}

// Each row its own: as many as are in use at once live, and no more than a few after that.
static void a_thousand_different_ones(void **state) {
    struct addresses all;
    struct address *used[1000];
    (void)state;
    addresses_init(&all, false);
    for (int again = 0; again < 2; again++) {
        for (int i = 0; i < 1000; i++) {
            char text[64];
            snprintf(text, sizeof text, "http://h/%d/%d", again, i);
            used[i] = use(&all, text);
            assert_non_null(used[i]);
            assert_string_equal(buf_cstr(&used[i]->text), text);
            assert_int_equal(used[i]->users, 1);
        }
        assert_true(all.count < 100);
        for (int i = 0; i < 1000; i++)
            address_let_go(used[i]);
    }
    // nobody uses those any more: a newcomer is shared
    struct address *fresh = use(&all, "http://fresh/");
    assert_ptr_equal(use(&all, "http://fresh/"), fresh);
    assert_true(all.count < 100);
    address_let_go(fresh);
    address_let_go(fresh);
    addresses_free(&all);
}

// As libcurl makes it of the same address, unless a proxy is to see all of that.
static void what_is_asked_for(void **state) {
    static const struct {
        const char *text, *target;
    } targets[] = {
        {"http://127.0.0.1:8000/v1/chat/completions", "/v1/chat/completions"},
        {"https://example.org/v1beta/models/x:streamGenerateContent?alt=sse",
         "/v1beta/models/x:streamGenerateContent?alt=sse"},
        {"http://example.org", "/"},
        {"http://example.org?a=b", "/?a=b"},
        {"http://example.org/a/../b/./c//d", "/a/../b/./c//d"},
        {"http://example.org/%41%2f%", "/%41%2f%"},
        {"http://example.org/x?a?b=c&", "/x?a?b=c&"},
        {"https://user:word@example.org/v1", "/v1"},
        {"http://[::1]:8000/v1?q", "/v1?q"},
        {"http://example.org/x#part", "/x"},
    };
    struct addresses all;
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        for (int by_proxy = 0; by_proxy < 2; by_proxy++) {
            addresses_init(&all, by_proxy);
            struct address *address = use(&all, targets[i].text);
            assert_non_null(address);
            assert_string_equal(buf_cstr(&address->target), by_proxy ? "" : targets[i].target);
            char *path = NULL, *query = NULL;
            curl_url_get(address->url, CURLUPART_PATH, &path, 0);
            curl_url_get(address->url, CURLUPART_QUERY, &query, 0);
            assert_non_null(path);
            assert_true(by_proxy || (strcmp(path, "/") == 0 && !query));
            curl_free(path);
            curl_free(query);
            address_let_go(address);
            addresses_free(&all);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_for_the_same_text), cmocka_unit_test(hosts_that_are_numbers),
        cmocka_unit_test(what_is_asked_for),          cmocka_unit_test(what_is_none),
        cmocka_unit_test(a_thousand_different_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
