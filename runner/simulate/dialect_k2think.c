// dialect_k2think.c: refusals in the words of Open WebUI, which serves K2 Think. Pure.
//
// Sources: open-webui backend/open_webui/constants.py for the sentences, FastAPI for the shape. No
// rate-limit headers, no waits, no accounts to run empty: 402 is made up.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"

static void add_body(struct buf *out, const struct dialect_words *words, struct slice message) {
    (void)words;
    buf_add_str(out, "{\"detail\":");
    json_add_string(out, message);
    buf_add_char(out, '}');
}

static int add_refusal(struct buf *out, const struct refusal *r, struct slice model) {
    (void)r, (void)model;
    add_body(out, NULL, SLICE("API rate limit exceeded"));
    return 429;
}

const struct dialect dialect_k2think = {
    .name = "k2think",
    .words =
        {
            [PROBLEM_REQUEST] = {400, NULL, NULL, NULL},
            [PROBLEM_JSON] = {400, NULL, NULL, "There was an error parsing the body"},
            [PROBLEM_URL] = {404, NULL, NULL, "Not Found"},
            [PROBLEM_METHOD] = {405, NULL, NULL, "Method Not Allowed"},
            [PROBLEM_TOO_LARGE] = {413, NULL, NULL, "Request Entity Too Large"},
            [PROBLEM_NO_KEY] = {401, NULL, NULL, "Not authenticated"},
            [PROBLEM_KEY] = {401, NULL, NULL,
                             "Your session has expired or the token is invalid. Please sign in "
                             "again."},
            [PROBLEM_SERVER] = {500, NULL, NULL, "Open WebUI: Server Connection Error"},
            [PROBLEM_UNAVAILABLE] = {503, NULL, NULL, "Service Unavailable"},
            [PROBLEM_OVERLOADED] = {503, NULL, NULL, "Server is overloaded"},
            [PROBLEM_MONEY] = {402, NULL, NULL, "Insufficient balance"},
            [PROBLEM_MODEL] = {404, NULL, NULL, "Model not found"},
            [PROBLEM_FORBIDDEN] = {403, NULL, NULL,
                                   "You do not have permission to access this resource. Please "
                                   "contact your administrator for assistance."},
        },
    .add_body = add_body,
    .add_refusal = add_refusal,
};
