// What the value of a key variable holds, as people and tools write it: quotes that a tool left in
// place, a list in JSON, a placeholder of an example file, references to other variables. Pure.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_KEY_VALUE_H
#define POOL_KEYS_KEY_VALUE_H

#include "jobs/base/json.h"

// Takes one pair of quotes that stands around the value off: "…", '…', `…`. False: there is none.
bool value_unquote(struct slice *value);

// Whether this is what an example file has in the place of a key: "your-api-key-here", "changeme",
// "sk-xxxx", "<key>", "sk-...".
bool value_is_placeholder(struct slice value);

// The keys of a value: the elements of a JSON array, else what stands between commas.
struct value_items {
    bool is_array;
    struct json_walk walk;
    struct slice rest;
    struct buf *scratch; // elements are decoded here
    const char *fault;   // why the rest makes no sense ("looks like …"); NULL: it does
};
struct value_items value_items(struct slice value, struct buf *scratch);

// The next one, without spaces around it; empty ones are passed over. Good until the next call. False
// at the end, or when items->fault is set.
bool value_next(struct value_items *items, struct slice *item);

// Why a value could not be expanded.
struct value_fault {
    const char *what;  // "refers to a variable that is not set"; static
    struct slice name; // of the variable, or absent
};

// Where value_expand() finds variables: *value is absent when one is not set. False with fault filled
// when it cannot be expanded itself.
struct value_names {
    bool (*find)(void *context, struct slice name, struct slice *value, struct value_fault *fault);
    void *context;
};

// Appends value with ${NAME} and ${NAME:-default} replaced by what `names` knows. A '$' without '{'
// stands for itself: keys may hold one. What is found is not expanded again: `names` does that. False
// with fault filled when a variable is not set or a ${ makes no sense.
bool value_expand(struct slice value, const struct value_names *names, struct buf *out,
                  struct value_fault *fault);

static inline bool value_has_reference(struct slice value) {
    return value.n > 1 && memmem(value.p, value.n, "${", 2);
}

#endif
