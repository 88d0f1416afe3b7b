// dialect_nvidia.c: refusals in the words of NVIDIA's hosted NIM. Pure.
//
// Sources: 429 from free-claude-code #690; a key that is not accepted is 403 "Authorization failed"
// (oh-my-pi #499, BallonsTranslator #1233, OpenHarness #233); no key: free-claude-code #36; a model
// that the account has not: houston #1243; a full worker: new-api #6619. No rate-limit headers. The
// empty account is not seen anywhere.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"

static void add_body(struct buf *out, const struct dialect_words *words, struct slice message) {
    buf_add_str(out, "{\"status\":");
    buf_add_int(out, words->status);
    dialect_add_member(out, "title", words->type);
    if (message.n) {
        json_add_name(out, "detail");
        json_add_string(out, message);
    }
    buf_add_char(out, '}');
}

// It never says which limit, nor how long.
static int add_refusal(struct buf *out, const struct refusal *r, struct slice model) {
    static const struct dialect_words words = {429, "Too Many Requests", NULL, NULL};
    (void)r, (void)model;
    add_body(out, &words, SLICE_NONE);
    return words.status;
}

const struct dialect dialect_nvidia = {
    .name = "nvidia",
    .words =
        {
            [PROBLEM_REQUEST] = {400, "Bad Request", NULL, NULL},
            [PROBLEM_JSON] = {400, "Bad Request", NULL, "Invalid JSON"},
            [PROBLEM_URL] = {404, "Not Found", NULL, ""},
            [PROBLEM_METHOD] = {405, "Method Not Allowed", NULL, ""},
            [PROBLEM_TOO_LARGE] = {413, "Payload Too Large", NULL, ""},
            [PROBLEM_NO_KEY] = {401, "Unauthorized", NULL,
                                "Header of type `authorization` was missing"},
            [PROBLEM_KEY] = {403, "Forbidden", NULL, "Authorization failed"},
            [PROBLEM_SERVER] = {500, "Internal Server Error", NULL, "Inference error"},
            [PROBLEM_UNAVAILABLE] = {503, "Service Unavailable", NULL, ""},
            [PROBLEM_OVERLOADED] = {503, "Service Unavailable", NULL,
                                    "ResourceExhausted: Worker local total request limit reached "
                                    "(33/32)"},
            [PROBLEM_MONEY] = {402, "Payment Required", NULL,
                               "Account 'simulate': Cloud credits expired"},
            [PROBLEM_MODEL] = {404, "Not Found", NULL,
                               "Function '{model}': Not found for account 'simulate'"},
            [PROBLEM_FORBIDDEN] = {403, "Forbidden", NULL, "Authorization failed"},
        },
    .add_body = add_body,
    .add_refusal = add_refusal,
};
