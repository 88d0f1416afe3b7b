// outage.c: reads --outage and says whether the simulated provider is down. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/outage.h"

#include "jobs/base/clock.h"

static bool fail(const char *text, const char *what, struct error *err) {
    return error_set(err, ERROR_USAGE,
                     "--outage %s: %s; expected AFTER,DURATION or AFTER,DURATION,KIND such as "
                     "2s,1s,503; kinds are %s",
                     text, what, fault_names(false));
}

// The kind, if one stands next in the list.
static enum fault read_kind(struct slice *list) {
    struct slice rest = *list, item;
    if (!fault_next_item(&rest, &item))
        return FAULT_NONE;
    enum fault fault = fault_named(item);
    if (fault)
        *list = rest;
    return fault;
}

// One outage off the front of the list; what is wrong with it, or NULL.
static const char *read_outage(struct slice *list, struct outage *o) {
    struct slice item;
    int64_t duration;
    if (!fault_next_item(list, &item) || !duration_parse(item, &o->from))
        return "AFTER is no duration";
    if (!fault_next_item(list, &item) || !duration_parse(item, &duration))
        return "DURATION is missing or none";
    o->until = o->from + duration;
    o->fault = read_kind(list);
    if (fault_needs_answer(o->fault))
        return "this kind needs an answer to break";
    if (!o->fault)
        o->fault = FAULT_503;
    return NULL;
}

bool outages_parse(const char *text, struct outages *outages, struct error *err) {
    struct slice list = slice_str(text);
    outages->count = 0;
    while (list.p) {
        if (outages->count == OUTAGES_MAX)
            return fail(text, "there are more than 16", err);
        const char *what = read_outage(&list, &outages->outage[outages->count]);
        if (what)
            return fail(text, what, err);
        outages->count++;
    }
    return true;
}

enum fault outages_at(const struct outages *outages, int64_t since) {
    for (int i = 0; i < outages->count; i++)
        if (since >= outages->outage[i].from && since < outages->outage[i].until)
            return outages->outage[i].fault;
    return FAULT_NONE;
}
