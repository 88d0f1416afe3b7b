// route.c: finds out by its path what a request to the simulator is for. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/route.h"

static const struct version {
    const char *prefix;
    const struct dialect *dialect; // of what is not found there
} versions[] = {
    {"/v1beta/openai", &dialect_openai}, // Google's endpoint of OpenAI's shape
    {"/v1beta", &dialect_google},
    {"/v1alpha", &dialect_google},
    {"/v1", &dialect_openai},
    {"", &dialect_openai},
};

static const struct place {
    const char *path;
    struct route route;
} places[] = {
    {"/chat/completions", {ROUTE_CHAT, &dialect_openai, &wire_openai, {0}, false}},
    {"/messages", {ROUTE_CHAT, &dialect_anthropic, &wire_anthropic, {0}, false}},
    {"/models", {ROUTE_MODELS, &dialect_openai, NULL, {0}, false}},
    {"/stats", {ROUTE_STATS, &dialect_openai, NULL, {0}, false}},
    {"/stats/reset", {ROUTE_RESET, &dialect_openai, NULL, {0}, false}},
};

// "/models/MODEL:generateContent", or with streamGenerateContent.
static bool find_model(struct slice path, struct route *route) {
    static const struct slice folder = {"/models/", 8};
    const char *colon = memrchr(path.p, ':', path.n);
    if (!slice_starts(path, folder.p) || !colon || colon <= path.p + folder.n)
        return false;
    struct slice method = slice_of(colon + 1, (size_t)(path.p + path.n - colon) - 1);
    bool stream = slice_is(method, "streamGenerateContent");
    *route = (struct route){
        .kind = stream || slice_is(method, "generateContent") ? ROUTE_CHAT : ROUTE_NOWHERE,
        .dialect = &dialect_google,
        .wire = &wire_gemini,
        .model = slice_of(path.p + folder.n, (size_t)(colon - path.p) - folder.n),
        .stream = stream,
    };
    return true;
}

struct route route_find(const char *path) {
    struct slice rest = slice_str(path);
    const struct version *version = versions;
    for (size_t n; n = strlen(version->prefix), n; version++)
        if (slice_starts(rest, version->prefix) && rest.n > n && rest.p[n] == '/') {
            rest = slice_of(rest.p + n, rest.n - n);
            break;
        }
    struct route route = {.kind = ROUTE_NOWHERE, .dialect = version->dialect};
    if (find_model(rest, &route))
        return route;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (slice_is(rest, places[i].path))
            return places[i].route;
    return route;
}
