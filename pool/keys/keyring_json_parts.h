// What the files that read a JSON pool file share. Nobody else includes this.
//
// keyring_json.c reads the file down to its providers and groups, keyring_json_key.c one key;
// keyring_json_parts.c has what both need. Messages say the JSON path of what is wrong.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_KEYRING_JSON_PARTS_H
#define POOL_KEYS_KEYRING_JSON_PARTS_H

#include "pool/keys/keyring_parts.h"

#include <cjson/cJSON.h>

// Of a key, a group, a tag.
#define NAME_MAX_BYTES 64

// Whole numbers up to here are exact in a double.
#define EXACT_MAX 9007199254740992.0

// Where in the file we are, for messages.
struct pool_reader {
    struct keyring_builder *builder;
    const struct key_file *file;
    struct error *err;
    const char *root;                // "" or "ApiKeyPool."
    const struct provider *provider; // NULL above the providers
    char at[NAME_MAX_BYTES + 20];    // behind the provider: ".keys[3]", ".groups.acme", ""
    bool enabled;                    // of all that is above the key
    struct key_limits common;        // of keys that state no such limit themselves
    size_t found;
    size_t declared; // providers of which more than keys is said
    size_t unknown;  // members that nobody reads
    char first_unknown[200];
};

// Both false, with err filled: for a member of the place we are at ("" for the place itself), and
// for a path below the root.
__attribute__((format(printf, 3, 4))) bool reader_fail(const struct pool_reader *r,
                                                       const char *member, const char *format, ...);
bool reader_fail_at(const struct pool_reader *r, const char *path, const char *what);

// A member, or NULL; null is as good as absent.
const cJSON *reader_member(const cJSON *object, const char *name);

// A text as it may be shown: a long one could be a key that slipped into its place.
const char *reader_shown(const char *text);

// Notes members that are not known, and fails over known ones given twice, of which one would be
// lost silently. path is behind the place we are at.
bool reader_check_members(struct pool_reader *r, const char *path, const cJSON *object,
                          const char *const *known);

// A whole number from least to EXACT_MAX.
bool reader_whole(const struct pool_reader *r, const cJSON *item, const char *path, double least,
                  int64_t *value);

// The object under "limits" or "rateLimit".
bool reader_limits(struct pool_reader *r, const cJSON *object, const char *under,
                   struct key_limits *limits);

// A provider of the file: what is said of it but its keys, headers and query, which may refer to variables.
bool reader_declare(struct pool_reader *r, const cJSON *object);
bool reader_headers(struct pool_reader *r, const cJSON *object);

// The index-th object of a provider's "keys": a new entry, unless the secret is known already.
bool reader_key(struct pool_reader *r, const cJSON *key, size_t index);

#endif
