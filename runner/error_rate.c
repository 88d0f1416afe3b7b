// error_rate.c: a ring of the last rows' ends. Pure.
// SPDX-License-Identifier: MIT
#include "runner/error_rate.h"

#include <stdlib.h>
#include <string.h>

static bool read_share(const char *text, char **end, double *share) {
    *end = NULL;
    if (text[0] < '0' || text[0] > '9' || strspn(text, "0123456789.%/") != strlen(text))
        return false;
    *share = strtod(text, end);
    if (**end == '%') {
        *share /= 100;
        ++*end;
    }
    return *share > 0 && *share <= 1;
}

static bool read_window(const char *text, int *window) {
    char *end;
    if (!*text)
        return true;
    if (text[0] != '/' || text[1] < '0' || text[1] > '9')
        return false;
    long value = strtol(text + 1, &end, 10);
    *window = value > 0 && value <= ERROR_RATE_MOST ? (int)value : 0;
    return !*end && *window;
}

bool error_rate_parse(const char *text, struct error_rate *rate, struct error *err) {
    char *end;
    *rate = (struct error_rate){0};
    if (!text)
        return true;
    rate->window = ERROR_RATE_WINDOW;
    if (read_share(text, &end, &rate->share) && read_window(end, &rate->window))
        return true;
    return error_set(err, ERROR_USAGE,
                     "--stop-on-error-rate takes a share such as 20%%, or 20%%/500 for the last "
                     "500 rows (%d at most), not '%.60s'",
                     ERROR_RATE_MOST, text);
}

static int least(const struct error_rate *rate) {
    int fifth = rate->window / 5;
    if (fifth < ERROR_RATE_LEAST)
        fifth = ERROR_RATE_LEAST;
    return fifth < rate->window ? fifth : rate->window;
}

bool error_rate_note(struct error_rate *rate, bool failed) {
    if (!rate->window)
        return false;
    uint8_t *byte = &rate->ring[rate->next / 8], bit = (uint8_t)(1u << rate->next % 8);
    if (rate->count == rate->window)
        rate->failed -= (*byte & bit) != 0;
    else
        rate->count++;
    *byte = (uint8_t)(failed ? *byte | bit : *byte & ~bit);
    rate->failed += failed;
    rate->next = (rate->next + 1) % rate->window;
    return rate->count >= least(rate) && rate->failed >= rate->share * rate->count;
}
