// fault.c: reads and draws the simulator's faults. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/fault.h"

#include "jobs/base/json.h"

#include <stdlib.h>

static const struct kind {
    const char *name;
    bool needs_answer;
} kinds[FAULT_COUNT] = {
    [FAULT_NONE] = {"", false},
    [FAULT_429] = {"429", false},
    [FAULT_500] = {"500", false},
    [FAULT_503] = {"503", false},
    [FAULT_401] = {"401", false},
    [FAULT_RESET] = {"reset", false},
    [FAULT_TRUNCATED] = {"truncated", true},
    [FAULT_SLOW] = {"slow", true},
    [FAULT_MALFORMED] = {"malformed", true},
    [FAULT_HTML] = {"html", false},
    [FAULT_EMPTY] = {"empty", false},
    [FAULT_529] = {"529", false},
    [FAULT_QUOTA] = {"quota", false},
    [FAULT_DAY] = {"day", false},
    [FAULT_OVERLOADED] = {"overloaded", false},
    [FAULT_MODEL] = {"model", false},
    [FAULT_FORBIDDEN] = {"forbidden", false},
    [FAULT_STREAM_ERROR] = {"stream-error", true},
    [FAULT_STALL] = {"stall", true},
    [FAULT_HANG] = {"hang", false},
};

#define OUTAGE_NAMES                                                                               \
    "429, 500, 503, 529, 401, reset, html, empty, quota, day, overloaded, model, forbidden, hang"

const char *fault_names(bool all) {
    return all ? OUTAGE_NAMES ", truncated, slow, malformed, stream-error, stall" : OUTAGE_NAMES;
}

enum fault fault_named(struct slice name) {
    for (int f = 1; f < FAULT_COUNT; f++)
        if (slice_is(name, kinds[f].name))
            return (enum fault)f;
    return FAULT_NONE;
}

bool fault_needs_answer(enum fault fault) {
    return kinds[fault].needs_answer;
}

bool fault_next_item(struct slice *list, struct slice *item) {
    if (!list->p)
        return false;
    const char *comma = list->n ? memchr(list->p, ',', list->n) : NULL;
    size_t n = comma ? (size_t)(comma - list->p) : list->n;
    *item = slice_trim(slice_of(list->p, n));
    *list = comma ? slice_of(comma + 1, list->n - n - 1) : SLICE_NONE;
    return true;
}

// "5%" or "0.05", between 0 and 1.
static bool parse_rate(struct slice text, double *rate) {
    bool percent = text.n && text.p[text.n - 1] == '%';
    if (percent)
        text.n--;
    if (!text.n || text.p[0] == '-' || !json_check(text, NULL) || !json_double(text, rate))
        return false;
    if (percent)
        *rate /= 100;
    return *rate <= 1;
}

static bool parse_fault(struct slice item, double rates[FAULT_COUNT]) {
    const char *equals = item.n ? memchr(item.p, '=', item.n) : NULL;
    if (!equals)
        return false;
    size_t n = (size_t)(equals - item.p);
    enum fault fault = fault_named(slice_trim(slice_of(item.p, n)));
    return fault && parse_rate(slice_trim(slice_of(equals + 1, item.n - n - 1)), &rates[fault]);
}

bool fault_rates_parse(const char *text, struct fault_rates *rates, struct error *err) {
    double each[FAULT_COUNT] = {0}, sum = 0;
    struct slice list = slice_str(text), item;
    *rates = (struct fault_rates){0};
    while (fault_next_item(&list, &item))
        if (item.n && !parse_fault(item, each))
            return error_set(err, ERROR_USAGE,
                             "--fault %.*s: expected KIND=RATE such as 429=5%%; kinds are %s",
                             SLICE_ARG(item), fault_names(true));
    for (int f = 1; f < FAULT_COUNT; f++) {
        sum += each[f];
        rates->until[f] = sum;
    }
    if (sum > 1 + 1e-9)
        return error_set(err, ERROR_USAGE, "--fault %s: the rates add up to more than 100%%", text);
    rates->any = sum > 0;
    return true;
}

enum fault fault_draw(const struct fault_rates *rates, struct random *random) {
    double drawn = random_unit(random);
    for (int f = 1; f < FAULT_COUNT; f++)
        if (drawn < rates->until[f])
            return (enum fault)f;
    return FAULT_NONE;
}

static bool parse_range(struct slice item, int64_t *first, int64_t *last) {
    const char *dash = item.n ? memchr(item.p, '-', item.n) : NULL;
    size_t n = dash ? (size_t)(dash - item.p) : item.n;
    if (!json_int(slice_of(item.p, n), first))
        return false;
    *last = *first;
    if (dash && !json_int(slice_of(dash + 1, item.n - n - 1), last))
        return false;
    return *first >= 1 && *first <= *last;
}

bool key_ranges_parse(const char *text, const char *option, struct key_ranges *ranges,
                      struct error *err) {
    struct slice list = slice_str(text), item;
    ranges->count = 0;
    while (fault_next_item(&list, &item)) {
        if (!item.n)
            continue;
        if (ranges->count == KEY_RANGES_MAX)
            return error_set(err, ERROR_USAGE, "--%s: at most %d numbers or ranges", option,
                             KEY_RANGES_MAX);
        int i = ranges->count;
        if (!parse_range(item, &ranges->first[i], &ranges->last[i]))
            return error_set(err, ERROR_USAGE,
                             "--%s %.*s: expected key numbers such as 2 or 1,3,10-20", option,
                             SLICE_ARG(item));
        ranges->count++;
    }
    return true;
}

bool key_ranges_hold(const struct key_ranges *ranges, int64_t key) {
    for (int i = 0; i < ranges->count; i++)
        if (key >= ranges->first[i] && key <= ranges->last[i])
            return true;
    return false;
}
