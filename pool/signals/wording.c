// wording.c: chooses the code and the message that are reported. Pure.
// SPDX-License-Identifier: MIT
#include "pool/signals/wording.h"

#include <stdarg.h>
#include <stdio.h>

// The provider's own code; its type where the code says no more than the HTTP status.
static void choose_code(const struct refusal *r, struct verdict *verdict) {
    const struct error_body *error = &r->error;
    char number[16];
    snprintf(number, sizeof number, "%d", r->status);
    const char *const candidates[] = {error->code, error->status, error->type};
    const char *chosen = error->code;
    for (size_t i = 0; i < 3; i++)
        if (candidates[i][0] && strcmp(candidates[i], number) != 0) {
            chosen = candidates[i];
            break;
        }
    snprintf(verdict->code, sizeof verdict->code, "%s", chosen);
}

__attribute__((format(printf, 2, 3))) static void say(struct verdict *verdict, const char *format,
                                                      ...) {
    char text[VERDICT_MESSAGE_MAX * 2];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    message_clean(slice_str(text), verdict->message, sizeof verdict->message);
}

// The host of an absolute URL, without user, password and port; absent for a relative one.
static struct slice url_host(struct slice url) {
    const char *found = url.n ? memmem(url.p, url.n, "//", 2) : NULL;
    if (!found)
        return SLICE_NONE;
    const char *end = url.p + url.n, *host = found + 2, *stop = host;
    for (; stop < end && !memchr("/?#\\", *stop, 4); stop++)
        if (*stop == '@')
            host = stop + 1;
    const char *bracket =
        host < stop && *host == '[' ? memchr(host, ']', (size_t)(stop - host)) : NULL;
    const char *colon = bracket ? bracket + 1 : memchr(host, ':', (size_t)(stop - host));
    return slice_of(host, (size_t)((colon ? colon : stop) - host));
}

static void say_redirect(const struct refusal *r, struct verdict *verdict) {
    struct slice host = url_host(refusal_header(r, "location"));
    if (host.n > 200)
        host.n = 200;
    if (host.n)
        say(verdict,
            "HTTP %d: redirected to %.*s, where the key was not sent; if that is the right place, "
            "name it with --base-url",
            r->answer->status, SLICE_ARG(host));
    else
        say(verdict, "HTTP %d: redirected; is --base-url right?", r->answer->status);
}

static void choose_message(const struct refusal *r, struct verdict *verdict) {
    const struct error_body *error = &r->error;
    int status = r->answer->status;
    if (status >= 300 && status <= 399)
        say_redirect(r, verdict);
    else if (status == 407)
        say(verdict, PROXY_WANTS_PASSWORD);
    else if (verdict->wrong_address || (status == 404 && !error->is_json))
        say(verdict, "HTTP %d%s%s: nothing is served at this path (is --base-url right?)", status,
            error->message[0] ? ": " : "", error->message);
    else if (error->is_json && error->message[0])
        say(verdict, "%s", error->message);
    else if (error->is_json)
        say(verdict, "HTTP %d, code %s", status, error->code[0] ? error->code : error->type);
    else if (error->message[0])
        say(verdict, "HTTP %d: %s", status, error->message);
    else
        say(verdict, "HTTP %d without a message", status);
}

void wording_choose(const struct refusal *r, struct verdict *verdict) {
    choose_code(r, verdict);
    choose_message(r, verdict);
}
