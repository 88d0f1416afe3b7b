// route.c: finds out by its path what a request to the simulator is for. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/route.h"

static const struct version {
    const char *prefix;
    const struct dialect *dialect; // of what has none of its own
} versions[] = {
    {"/v1beta/openai", &dialect_google_openai}, // Google's endpoint of OpenAI's shape
    {"/v1beta", &dialect_google},
    {"/v1alpha", &dialect_google},
    {"/openai/v1", &dialect_openai},          // Groq
    {"/api/coding/paas/v4", &dialect_openai}, // Z.AI
    {"/api/paas/v4", &dialect_openai},        // Z.AI, BigModel
    {"/api", &dialect_openai},                // Open WebUI
    {"/v1", &dialect_openai},
    {"", &dialect_openai},
};

static const struct place {
    const char *path;
    enum route_kind kind;
    const struct wire *wire;
    const struct dialect *dialect; // NULL: the version's
} places[] = {
    {"/chat/completions", ROUTE_CHAT, &wire_openai, NULL},
    {"/messages", ROUTE_CHAT, &wire_anthropic, &dialect_anthropic},
    {"/models", ROUTE_MODELS, NULL, NULL},
    {"/stats", ROUTE_STATS, NULL, NULL},
    {"/stats/reset", ROUTE_RESET, NULL, NULL},
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

// What is before the place; rest is left with the place.
static const struct version *find_version(struct slice *rest) {
    const struct version *v = versions;
    for (size_t n; n = strlen(v->prefix), n; v++)
        if (slice_starts(*rest, v->prefix) && rest->n > n && rest->p[n] == '/') {
            *rest = slice_of(rest->p + n, rest->n - n);
            break;
        }
    return v;
}

static struct route find_place(struct slice path, const struct dialect *of_version) {
    struct route route = {.kind = ROUTE_NOWHERE, .dialect = of_version};
    if (find_model(path, &route))
        return route;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (slice_is(path, places[i].path)) {
            route.kind = places[i].kind;
            route.wire = places[i].wire;
            if (places[i].dialect)
                route.dialect = places[i].dialect;
        }
    return route;
}

struct route route_find(const char *path, const struct dialect *chosen) {
    struct slice rest = slice_str(path);
    const struct version *version = find_version(&rest);
    struct route route = find_place(rest, version->dialect);
    if (chosen)
        route.dialect = chosen;
    if (route.wire == &wire_openai && route.dialect->on_openai)
        route.dialect = route.dialect->on_openai;
    return route;
}
