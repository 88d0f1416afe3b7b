// What the files that read keys share while a keyring is being filled. Nobody else includes this.
//
// keyring.c starts the builder; keyring_file.c, keyring_json.c and keyring_env.c add what they
// find; keyring.c then gives out the names.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_KEYRING_PARTS_H
#define POOL_KEYS_KEYRING_PARTS_H

#include "pool/keys/env_text.h"
#include "pool/keys/key_index.h"
#include "pool/keys/keyring.h"

// A file beyond this is no file of keys.
#define KEY_FILE_MAX ((size_t)64 * 1024 * 1024)
// A key beyond this cannot stand in a request header anywhere.
#define KEY_TEXT_MAX 8192

// A file that was read, with its assignments if it is an env file. Its text holds secrets.
struct key_file {
    const char *path; // NULL: there is none
    bool named;       // by the user: what is wrong in it is an error, else a warning
    struct buf text;
    struct env_variable *variables; // slices into text
    size_t count;
};

struct keyring_builder {
    struct keyring *ring;
    const struct keyring_options *options;
    struct key_file env_file;
    struct key_index secrets; // by provider and secret
    uint64_t hash_key[2];
    int64_t *numbers; // of each entry: the n its name should have, -1 for none
    size_t numbers_cap;
    size_t repeats; // secrets that were given twice
    size_t environment_count;
    bool *used;                 // which strings of the environment were read as keys, to be wiped
    struct key_index variables; // of the environment, then of the env file, for "env:NAME"
};

// Where a key was found, and how serious a bad one is there.
struct key_place {
    struct slice text; // "OPENAI_API_KEY_2", "keys.env:3"
    bool named;        // as in struct key_file
};

// Why this text cannot be a key ("holds a space"), or NULL when it can.
const char *key_fault(struct slice text);

// A new entry, its fields at their defaults, its name still missing; NULL when the secret is known
// already (a warning was given) or cannot be a key and place is not named (likewise). False only
// with err filled. The entry is good until the next call.
bool builder_add(struct keyring_builder *b, const struct provider *provider, struct slice secret,
                 struct key_place place, struct key_entry **entry, struct error *err);
// The n in "<provider>-<n>" that an entry just added should have.
void builder_wish_number(struct keyring_builder *b, int64_t number);

// Puts the ring's groups into the order keyring_group() relies on.
void builder_sort_groups(struct keyring_builder *b);

// A variable that holds keys: "ZAI_API_KEY_3".
struct key_variable {
    const struct provider *provider;
    int order;      // among the provider's variables
    int64_t number; // behind the last underscore; -1: none, or too large to be a number
    bool plain;     // without a number
};
bool key_variable_read(struct slice name, struct key_variable *variable);

// Adds the one or more keys of a variable's value. *found counts them, known ones too.
bool builder_add_list(struct keyring_builder *b, const struct key_variable *variable,
                      struct slice value, struct key_place place, size_t *found, struct error *err);

// Overwrites the values of the environment that were read.
void builder_wipe_environment(struct keyring_builder *b);

// The value of a variable for "env:NAME": from the environment, else from the env file. Absent when
// it is not set or empty. The variable is then not read as a key of its own.
struct slice builder_variable(struct keyring_builder *b, struct slice name);

// Reads all of a file. False with err filled; *missing is set when there is none.
bool key_file_open(struct key_file *file, bool *missing, struct error *err);
void key_file_close(struct key_file *file); // wipes its text

// Adds the keys of an opened file: --keys FILE of any kind, or the env file.
bool keyring_add_file(struct keyring_builder *b, const struct key_file *file, struct error *err);
// Splits an opened env file into its assignments.
void key_file_read_env(struct key_file *file);
bool keyring_add_env_file(struct keyring_builder *b, const struct key_file *file,
                          struct error *err);
bool keyring_add_json(struct keyring_builder *b, const struct key_file *file, struct error *err);
bool keyring_add_environment(struct keyring_builder *b, struct error *err);

#endif
