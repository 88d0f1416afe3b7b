// keyring_value.c: the values of key variables: references resolved, quotes taken off, lists taken
// apart. Main thread.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring_parts.h"

#include "jobs/base/log.h"
#include "pool/keys/key_value.h"

// References inside references; a circle ends here at the latest.
#define DEPTH_MAX 16

// Where a reference is looked up. The names in front of it are being resolved themselves: one that refers
// to itself means the environment's.
struct lookup {
    struct keyring_builder *b;
    const struct key_file *file;
    struct slice names[DEPTH_MAX];
    size_t depth;
    struct buf *found[DEPTH_MAX];
};

static bool is_under_way(const struct lookup *l, struct slice name) {
    for (size_t i = 0; i < l->depth; i++)
        if (slice_eq(l->names[i], name))
            return true;
    return false;
}

// The first assignment counts, as for the key variables of a file.
static const struct env_variable *find_in_file(const struct key_file *file, struct slice name) {
    for (size_t i = 0; file && i < file->count; i++) {
        const struct env_variable *v = &file->variables[i];
        if (!v->fault && v->value.n && slice_eq(v->name, name))
            return v;
    }
    return NULL;
}

static bool find_name(void *context, struct slice name, struct slice *value,
                      struct value_fault *fault);

// The variable's own references, into a buffer that lives as long as the lookup.
static bool resolve(struct lookup *l, const struct env_variable *v, struct slice *value,
                    struct value_fault *fault) {
    *value = slice_trim(v->value);
    if (v->literal || !value_has_reference(*value))
        return true;
    *fault = (struct value_fault){"refers to itself, by way of", v->name};
    if (l->depth == DEPTH_MAX)
        return false;
    struct buf *out = l->found[l->depth];
    buf_wipe(out);
    l->names[l->depth++] = v->name;
    const struct value_names names = {find_name, l};
    bool good = value_expand(*value, &names, out, fault);
    l->depth--;
    *value = buf_slice(out);
    return good;
}

static bool find_name(void *context, struct slice name, struct slice *value,
                      struct value_fault *fault) {
    struct lookup *l = context;
    bool circle = is_under_way(l, name);
    const struct env_variable *v = circle ? NULL : find_in_file(l->file, name);
    if (v)
        return resolve(l, v, value, fault);
    *value = slice_trim(builder_environment(l->b, name));
    if (!value->n && circle) {
        *fault = (struct value_fault){"refers to itself, by way of", name};
        return false;
    }
    if (!value->n && !l->file) {
        v = find_in_file(&l->b->env_file, name);
        return !v || resolve(l, v, value, fault);
    }
    return true;
}

// A name is shown only if it looks like one: a key may stand in its place.
static bool is_shown(struct slice name) {
    return name.n > 0 && name.n <= 40;
}

static bool refuse(struct slice place, const struct value_fault *fault, struct error *err) {
    bool shown = is_shown(fault->name);
    return error_set(err, ERROR_USAGE, "%.*s: the value %s%s%.*s", SLICE_ARG(place), fault->what,
                     shown ? ": " : "", shown ? (int)fault->name.n : 0, shown ? fault->name.p : "");
}

// The variable that a place is about is being resolved, so that it may refer to the environment's.
static bool expand(struct keyring_builder *b, const struct key_file *file, struct slice value,
                   struct buf *out, struct value_fault *fault) {
    struct buf found[DEPTH_MAX];
    struct lookup lookup = {.b = b, .file = file};
    for (size_t i = 0; i < DEPTH_MAX; i++) {
        found[i] = BUF_INIT(KEY_FILE_MAX);
        lookup.found[i] = &found[i];
    }
    const struct value_names names = {find_name, &lookup};
    bool good = value_expand(value, &names, out, fault);
    for (size_t i = 0; i < DEPTH_MAX; i++) {
        buf_wipe(&found[i]);
        buf_free(&found[i]);
    }
    return good;
}

bool builder_expand(struct keyring_builder *b, const struct key_file *file, struct slice place,
                    struct slice *value, struct buf *out, struct error *err) {
    struct value_fault fault = {0};
    if (value_has_reference(*value)) {
        if (!expand(b, file, *value, out, &fault))
            return refuse(place, &fault, err);
        *value = slice_trim(buf_slice(out));
    }
    if (value_unquote(value))
        log_warn("%.*s: the quotes around the value are no part of the key and were taken off",
                 SLICE_ARG(place));
    return true;
}

static bool add_items(struct keyring_builder *b, const struct key_variable *v,
                      struct value_items *items, bool single, struct slice place, size_t *found,
                      struct error *err) {
    struct buf text = BUF_INIT(8192);
    struct slice item;
    bool good = true;
    for (int64_t n = 1; good && value_next(items, &item); n++) {
        struct key_entry *entry;
        struct slice at = place;
        if (!single) {
            buf_clear(&text);
            buf_addf(&text, "%.*s item %lld", SLICE_ARG(place), (long long)n);
            at = buf_slice(&text);
        }
        if (value_unquote(&item))
            log_warn("%.*s: the quotes around the key are no part of it and were taken off",
                     SLICE_ARG(at));
        good = builder_add(b, v->provider, item, at, &entry, err);
        if (entry)
            builder_wish_number(b, v->plain ? n : n == 1 ? v->number : -1);
        ++*found;
    }
    buf_free(&text);
    return good;
}

// A value that holds only one key is named by its variable alone.
static bool is_single(struct slice value, struct buf *scratch) {
    struct value_items items = value_items(value, scratch);
    return !items.is_array && !memchr(value.p, ',', value.n);
}

bool builder_add_list(struct keyring_builder *b, const struct key_variable *v, struct slice value,
                      const struct key_file *file, struct slice place, size_t *found,
                      struct error *err) {
    struct buf expanded = BUF_INIT(KEY_FILE_MAX), scratch = BUF_INIT(KEY_FILE_MAX);
    struct error trouble = {0};
    value = slice_trim(value);
    bool good = builder_expand(b, file, place, &value, &expanded, &trouble);
    if (good && value.n) {
        struct value_items items = value_items(value, &scratch);
        good = add_items(b, v, &items, is_single(value, &scratch), place, found, &trouble);
        if (items.fault)
            good = error_set(&trouble, ERROR_USAGE, "%.*s: the value %s", SLICE_ARG(place),
                             items.fault);
    }
    buf_wipe(&expanded);
    buf_wipe(&scratch);
    buf_free(&expanded);
    buf_free(&scratch);
    if (good || !builder_in_run(b, v->provider))
        return true;
    return error_set(err, ERROR_USAGE, "%s", trouble.text);
}
