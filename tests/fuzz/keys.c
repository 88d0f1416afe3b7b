// keys.c: any bytes as a file of keys or as the environment: what is loaded can be used, what is not
// has a reason. First character: --keys, --keys beside --provider, --env-file, environment.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring.h"

#include "jobs/base/log.h"
#include "tests/fuzz/mutate.h"

#include <math.h>
#include <stdlib.h>

#define VARIABLES_MAX 64

enum place { KEYS_FILE, KEYS_FILE_OF_ONE, ENV_FILE, ENVIRONMENT, PLACES };

// NAME=VALUE strings of one's own, as loading wipes them. The first is there to be referred to.
static void environment_fill(char **variables, struct slice text) {
    static const char known[] = "FUZZ_KEY=sk-from-the-environment";
    size_t count = 0;
    variables[count++] = mem_text(known, strlen(known));
    while (text.n && count < VARIABLES_MAX) {
        struct slice line = fuzz_line(&text);
        const char *zero = memchr(line.p, '\0', line.n);
        variables[count++] = mem_text(line.p, zero ? (size_t)(zero - line.p) : line.n);
    }
    variables[count] = NULL;
}

static void environment_free(char **variables) {
    for (; *variables; variables++)
        free(*variables);
}

static void check_limits(const struct key_limits *l) {
    HOLDS(l->rpm >= 0 && l->tpm >= 0 && l->rpd >= 0 && l->tpd >= 0 && l->concurrency >= 0);
}

// What stands in a request header and in a result.
static void check_secret(const struct secret *secret) {
    struct buf text = BUF_INIT(FUZZ_MAX);
    char mask[SECRET_MASK_SIZE];
    secret_add_header(secret, "", &text);
    HOLDS(text.n > 0);
    for (size_t i = 0; i < text.n; i++)
        HOLDS(text.p[i] > ' ' && text.p[i] <= '~' && text.p[i] != ',');
    secret_mask(secret, mask);
    HOLDS(text.n < SECRET_SHOWN_MIN ? strcmp(mask, "****") == 0 : strlen(mask) == 12);
    buf_wipe(&text);
    buf_free(&text);
}

static void check_entry(const struct key_entry *entry) {
    HOLDS(entry->provider >= catalogue && entry->provider < catalogue + CATALOGUE_COUNT);
    HOLDS(entry->name[0] && utf8_is_valid(slice_str(entry->name)));
    HOLDS(entry->place[0] && utf8_is_valid(slice_str(entry->place)));
    HOLDS(isfinite(entry->weight) && entry->weight >= 0);
    HOLDS(!entry->group || utf8_is_valid(slice_str(entry->group)));
    check_limits(&entry->limits);
    check_secret(entry->secret);
}

static void check_ring(const struct keyring *ring) {
    for (size_t i = 0; i < ring->count; i++) {
        const struct key_entry *a = &ring->entries[i];
        check_entry(a);
        for (size_t k = 0; k < i; k++) {
            const struct key_entry *b = &ring->entries[k];
            HOLDS(strcmp(a->name, b->name) != 0);
            HOLDS(a->provider != b->provider || !secret_eq(a->secret, b->secret));
        }
    }
}

static void tell(const struct keyring *ring, const struct error *err, struct buf *told) {
    for (size_t i = 0; i < ring->count; i++) {
        const struct key_entry *e = &ring->entries[i];
        buf_addf(told, "%s %s %d %g %lld ", e->name, e->place, e->enabled, e->weight,
                 (long long)e->priority);
        secret_add_header(e->secret, "", told);
    }
    buf_add_str(told, err->text);
}

static void load(enum place place, struct slice text, struct buf *told) {
    static struct fuzz_file file;
    char *variables[VARIABLES_MAX + 1];
    struct keyring ring;
    struct error err = {0};
    environment_fill(variables, place == ENVIRONMENT ? text : SLICE(""));
    fuzz_file_set(&file, place == ENVIRONMENT ? SLICE("") : text);
    struct keyring_options options = {
        .keys_file = place == KEYS_FILE || place == KEYS_FILE_OF_ONE ? file.path : NULL,
        .env_file = place == ENV_FILE ? file.path : "/dev/null",
        .provider = place == KEYS_FILE_OF_ONE ? catalogue_find(SLICE("groq")) : NULL,
        .environment = variables,
    };
    if (place == ENVIRONMENT)
        options.env_file = NULL; // ./.env, which is not there
    bool good = keyring_load(&ring, &options, &err);
    HOLDS(good ? !err.text[0] : err.class == ERROR_USAGE && err.text[0]);
    HOLDS(good || ring.count == 0);
    HOLDS(utf8_is_valid(slice_str(err.text)));
    check_ring(&ring);
    tell(&ring, &err, told);
    keyring_free(&ring);
    environment_free(variables);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct slice input = fuzz_input(data, size);
    struct buf first = BUF_INIT(FUZZ_MAX), second = BUF_INIT(FUZZ_MAX);
    enum place place = fuzz_choice(&input) % PLACES;
    log_set_level(LOG_ERROR);
    fuzz_cut_reads(0);
    load(place, input, &first);
    fuzz_cut_reads(size + 1);
    load(place, input, &second);
    HOLDS(slice_eq(buf_slice(&first), buf_slice(&second)));
    buf_free(&first);
    buf_free(&second);
    return 0;
}
