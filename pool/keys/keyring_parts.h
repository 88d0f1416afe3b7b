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
    // Of a JSON pool file, once keyring_declare_json() has read it:
    void *tree;    // what cJSON made of it
    bool declares; // it says more of providers than their keys
};

struct keyring_builder {
    struct keyring *ring;
    const struct keyring_options *options;
    const char *wanted;     // the providers of the run, as --provider or the pool file names them
    struct key_file *files; // --keys
    size_t file_count;
    struct key_file env_file;
    const char *source;       // what is read now: "keys.env", "the environment"
    provider_set served;      // by sources before that one
    struct key_index secrets; // by provider and secret
    uint64_t hash_key[2];
    int64_t *numbers; // of each entry: the n its name should have, -1 for none
    size_t numbers_cap;
    size_t repeats; // secrets that were given twice
    size_t environment_count;
    unsigned char *used;        // USED_ bits: which strings of the environment were read
    struct key_index variables; // of the environment, then of the env file, for "env:NAME"
};

#define USED_READ  1 // it held a key: to be wiped
#define USED_TAKEN 2 // a pool file refers to it: not a key of its own

// Whether the run may use this provider, as far as it is known which ones it uses.
bool builder_in_run(const struct keyring_builder *b, const struct provider *provider);

// Whether an earlier source has keys of this provider, so that this one does not count.
bool builder_is_served(const struct keyring_builder *b, const struct provider *provider);

// Why this text cannot be a key ("holds a space"), or NULL when it can.
const char *key_fault(struct slice text);

// A new entry, its fields at their defaults, its name still missing; NULL when the secret is known
// already or a placeholder (a warning was given), or cannot be a key and the run does not use the
// provider. False only with err filled. The entry is good until the next call. place: where the key was
// found ("OPENAI_API_KEY_2", "keys.env:3").
bool builder_add(struct keyring_builder *b, const struct provider *provider, struct slice secret,
                 struct slice place, struct key_entry **entry, struct error *err);
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
bool key_variable_read(const struct registry *providers, struct slice name,
                       struct key_variable *variable);

// Adds the one or more keys of a variable's value. *found counts them, known ones too. file: the env
// file it stands in, NULL for the environment.
bool builder_add_list(struct keyring_builder *b, const struct key_variable *variable,
                      struct slice value, const struct key_file *file, struct slice place,
                      size_t *found, struct error *err);

// A value with ${NAME} replaced, from the file it stands in (or NULL), then the environment, and without
// quotes around it (a warning names the place). The result is in `out` or a part of `value`. False with
// err filled.
bool builder_expand(struct keyring_builder *b, const struct key_file *file, struct slice place,
                    struct slice *value, struct buf *out, struct error *err);

// Overwrites the values of the environment that were read.
void builder_wipe_environment(struct keyring_builder *b);

// The value of a variable for "env:NAME": from the environment, else from the env file. Absent when
// it is not set or empty. The variable is then not read as a key of its own.
struct slice builder_variable(struct keyring_builder *b, struct slice name);

// A variable of the environment; absent when it is not set.
struct slice builder_environment(struct keyring_builder *b, struct slice name);

// Reads all of a file, as UTF-8. False with err filled; *missing is set when there is none.
bool key_file_open(struct key_file *file, bool *missing, struct error *err);
void key_file_close(struct key_file *file); // wipes its text

// Adds the keys of an opened file: --keys FILE of any kind, or the env file.
bool keyring_add_file(struct keyring_builder *b, const struct key_file *file, struct error *err);
// Splits an opened env file into its assignments.
void key_file_read_env(struct key_file *file);
bool keyring_add_env_file(struct keyring_builder *b, const struct key_file *file,
                          struct error *err);
// First of all, of every file: the providers that a JSON pool file declares, and its order.
bool keyring_declare_json(struct keyring_builder *b, struct key_file *file, struct error *err);
void keyring_free_json(struct key_file *file); // wipes it
bool key_file_is_json(const struct key_file *file);
bool keyring_add_json(struct keyring_builder *b, const struct key_file *file, struct error *err);
bool keyring_add_environment(struct keyring_builder *b, struct error *err);

#endif
