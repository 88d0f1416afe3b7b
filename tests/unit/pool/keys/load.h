// Loading keyrings in tests: from a text environment and files in the scratch directory.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_POOL_KEYS_LOAD_H
#define TESTS_UNIT_POOL_KEYS_LOAD_H

#include "jobs/base/log.h"
#include "pool/keys/keyring.h"
#include "tests/unit/pool/test.h"

// What came of loading.
struct loaded {
    struct keyring ring;
    struct error err;
    bool good;
    struct heard heard; // text: everything that was logged
};

static inline struct loaded load(struct keyring_options options) {
    struct loaded l = {0};
    l.heard = hear();
    l.good = keyring_load(&l.ring, &options, &l.err);
    log_finish();
    heard(&l.heard);
    return l;
}

// A file of this text, read with --keys; provider may be NULL.
static inline struct loaded load_text(const char *text, const char *provider) {
    write_file("keys", slice_str(text));
    chmod("keys", 0600);
    return load((struct keyring_options){.keys_file = "keys",
                                         .provider = catalogue_find(slice_str(provider))});
}

static inline void unload(struct loaded *l) {
    keyring_free(&l->ring);
    buf_free(&l->heard.text);
}

// "name=secret(place)" of each key, one a line, in order; a disabled one with a leading '-'.
static inline void assert_keys(const struct loaded *l, const char *expected) {
    struct buf b = BUF_INIT(1 << 20);
    if (!l->good)
        fail_msg("not loaded: %s", l->err.text);
    for (size_t i = 0; i < l->ring.count; i++) {
        const struct key_entry *e = &l->ring.entries[i];
        buf_addf(&b, "%s%s=", e->enabled ? "" : "-", e->name);
        secret_add_header(e->secret, "", &b);
        buf_addf(&b, "(%s)\n", e->place);
    }
    assert_string_equal(buf_cstr(&b), expected);
    buf_free(&b);
}

static inline void assert_fails(struct loaded l, const char *expected) {
    if (l.good)
        fail_msg("loaded, expected: %s", expected);
    assert_int_equal(l.err.class, ERROR_USAGE);
    if (!strstr(l.err.text, expected))
        fail_msg("\"%s\" expected \"%s\"", l.err.text, expected);
    unload(&l);
}

static inline void assert_loads(struct loaded l, const char *expected) {
    assert_keys(&l, expected);
    unload(&l);
}

#endif
