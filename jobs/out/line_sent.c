// line_sent.c: a number for what a row asks for. Whoever holds it; owns the names of the fields.
// SPDX-License-Identifier: MIT
#include "jobs/out/line_sent.h"

#include "jobs/base/die.h"
#include "jobs/base/hash.h"
#include "jobs/in/fields.h"
#include "jobs/out/line_parts.h"

#include <stdlib.h>

#define KEEP_BYTES (64 * 1024)

struct sent {
    struct fields fields;
    bool *counts; // by field
    struct buf text;
};

static void count_shapes(struct sent *s) {
    static const enum field shapes[] = {FIELD_PROMPT, FIELD_MESSAGES, FIELD_BODY,
                                        FIELD_PARAMS, FIELD_REQUEST,  FIELD_URL};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        s->counts[shapes[i]] = true;
}

static void count_fields(struct sent *s, const struct template *t) {
    const struct fields *f = &s->fields;
    s->counts = mem_zero(f->count, sizeof *s->counts);
    for (size_t i = FIELD_PROVIDER; i < FIELD_KNOWN; i++)
        s->counts[i] = fields_steers(f, i);
    if (f->id != FIELD_NONE)
        s->counts[f->id] = false;
    if (!t && f->prompt == FIELD_PROMPT)
        count_shapes(s);
    s->counts[f->prompt] = !t;
    for (size_t i = 0; t && template_name(t, i).p; i++)
        s->counts[fields_index(f, template_name(t, i))] = true;
}

struct sent *sent_new(const struct sent_options *options) {
    struct sent *s = mem_zero(1, sizeof *s);
    struct error err = {0};
    struct template *t =
        options->template ? template_parse(slice_str(options->template), &err) : NULL;
    BUG_IF(err.class != ERROR_NONE);
    s->text = BUF_INIT(SIZE_MAX / 2);
    fields_init(&s->fields, options->prompt_field, options->id_field, t);
    s->fields.record |= options->records;
    BUG_IF(options->fields && !fields_name(&s->fields, options->fields, &err));
    count_fields(s, t);
    template_free(t);
    return s;
}

struct sent *sent_copy(const struct sent *sent) {
    struct sent *s = mem_zero(1, sizeof *s);
    s->text = BUF_INIT(SIZE_MAX / 2);
    fields_copy(&s->fields, &sent->fields);
    s->counts = mem_new(s->fields.count * sizeof *s->counts);
    memcpy(s->counts, sent->counts, s->fields.count * sizeof *s->counts);
    return s;
}

void sent_free(struct sent *s) {
    if (!s)
        return;
    fields_free(&s->fields);
    buf_free(&s->text);
    free(s->counts);
    free(s);
}

// Names and values one after the other: both are JSON, so that no two rows read alike.
static void add_fields(struct sent *s, struct slice input) {
    const struct fields *f = &s->fields;
    fields_read(&s->fields, input);
    for (size_t i = 0; i < f->count; i++) {
        if (!s->counts[i] || !f->found[i].p)
            continue;
        buf_add_str(&s->text, f->want[i].name);
        buf_add_char(&s->text, ':');
        line_add_json(&s->text, f->found[i]);
    }
}

uint64_t sent_hash(struct sent *s, struct slice input) {
    if (!input.n)
        return 0;
    buf_recycle(&s->text, KEEP_BYTES);
    if (json_type(input) == JSON_OBJECT)
        add_fields(s, input);
    else
        line_add_json(&s->text, input);
    uint64_t hash = hash_bytes(buf_slice(&s->text), (const uint64_t[2]){0, 0}).low;
    return hash ? hash : 1;
}
