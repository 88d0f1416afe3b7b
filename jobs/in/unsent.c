// unsent.c: names fields of requests that are not sent. Reader thread; owns the names told.
// SPDX-License-Identifier: MIT
#include "jobs/in/unsent.h"

#include "jobs/base/die.h"
#include "jobs/base/log.h"

#include <stdlib.h>

#define NAME_MOST 60

void unsent_free(struct unsent *u) {
    for (size_t i = 0; i < u->count; i++)
        free(u->names[i]);
}

static bool is_batch_line(const struct request *r) {
    return r->shape != ROW_PROMPT && r->shape != ROW_MESSAGES;
}

static bool is_sent(const struct fields *f, size_t field, bool batch) {
    if (field == FIELD_NONE)
        return false;
    if (field == f->id || field == FIELD_ID || field == FIELD_CUSTOM_ID || field == FIELD_PROVIDER)
        return true;
    if (batch)
        return field <= FIELD_METHOD;
    return field == FIELD_PROMPT || field == FIELD_MESSAGES || fields_steers(f, field);
}

static bool is_told(const struct unsent *u, struct slice name) {
    for (size_t i = 0; i < u->count; i++)
        if (slice_is(name, u->names[i]))
            return true;
    return false;
}

static void tell(struct unsent *u, struct slice name, bool batch) {
    u->names[u->count++] = mem_text(name.p, name.n);
    if (u->silent)
        return;
    if (batch)
        log_warn("the field \"%.*s\" stands beside the body of a batch line and is not sent",
                 SLICE_ARG(name));
    else if (slice_starts(name, "stream"))
        log_warn("the field \"%.*s\" is not sent: --stream says for all rows how answers come",
                 SLICE_ARG(name));
    else
        log_warn("the field \"%.*s\" is not a known parameter and is not sent; extra_body sends it",
                 SLICE_ARG(name));
    if (u->count == UNSENT_NAMES)
        log_warn("further fields that are not sent are not named");
}

void unsent_look(struct unsent *u, const struct fields *f, const struct job *job) {
    struct json_walk walk = json_walk(job->input);
    struct slice name, value;
    bool batch = is_batch_line(&job->request);
    if (f->record || json_type(job->input) != JSON_OBJECT)
        return;
    while (u->count < UNSENT_NAMES && json_next_member(&walk, &name, &value)) {
        struct slice plain = slice_of(name.p + 1, name.n - 2);
        if (plain.n <= NAME_MOST && !is_sent(f, fields_index(f, plain), batch) &&
            !is_told(u, plain))
            tell(u, plain, batch);
    }
}
