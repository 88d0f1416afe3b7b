// events.c: finds the ends of events and words an error in a stream. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/events.h"

#include "jobs/base/json.h"

static const struct event_form forms[] = {
    {&wire_openai, &dialect_openai, false, "data: ", "\n\n", 1, 2, true},
    {&wire_anthropic, &dialect_anthropic, true, "event: error\ndata: ", "\n\n", 3, 3, false},
    {&wire_gemini, &dialect_google, true, "data: ", "\r\n\r\n", 0, 1, false},
};

const struct event_form *events_form(const struct wire *wire) {
    const struct event_form *form = forms;
    while (form->wire != wire)
        form++;
    return form;
}

size_t events_end(const struct event_form *form, struct slice bytes, size_t from) {
    size_t n = strlen(form->end);
    size_t start = from > n ? from - n : 0;
    const char *found =
        start < bytes.n ? memmem(bytes.p + start, bytes.n - start, form->end, n) : NULL;
    return found ? (size_t)(found - bytes.p) + n : bytes.n;
}

static size_t skip_events(const struct event_form *form, struct slice bytes, int count) {
    size_t end = 0;
    while (count-- > 0)
        end = events_end(form, bytes, end + 1);
    return end;
}

size_t events_middle(const struct event_form *form, struct slice bytes, bool usage) {
    int events = 0, tail = form->tail + (usage && form->usage_apart);
    for (size_t end = 0; end < bytes.n; events++)
        end = events_end(form, bytes, end + 1);
    int words = events - form->head - tail;
    return skip_events(form, bytes, words > 0 ? form->head + (words + 1) / 2 : events - tail);
}

void events_add_error(const struct event_form *form, const struct dialect *dialect,
                      struct slice model, struct buf *out) {
    struct problem_about about = {.model = model};
    size_t start = out->n;
    dialect_add_error(out, form->strict ? form->errors : dialect, PROBLEM_OVERLOADED, &about);
    if (json_get(slice_of(out->p + start, out->n - start), "error").n)
        return;
    out->n = start;
    dialect_add_error(out, form->errors, PROBLEM_OVERLOADED, &about);
}
