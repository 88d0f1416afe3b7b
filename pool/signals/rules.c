// rules.c: the tables of refusals: by code or words, and by HTTP status. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules.h"

#include <strings.h>

// What the rows conclude, so that equal conclusions read alike.
#define BAD_REQUEST                                                                                \
    { OUTCOME_INVALID_REQUEST, KEY_KEEP, true }
#define FILTERED                                                                                   \
    { OUTCOME_CONTENT_FILTER, KEY_KEEP, true }
#define NO_MODEL                                                                                   \
    { OUTCOME_MODEL, KEY_KEEP, true } // nobody has it
#define NOT_MODEL                                                                                  \
    { OUTCOME_MODEL, KEY_KEEP, false } // this account has it not
#define BAD_KEY                                                                                    \
    { OUTCOME_AUTH, KEY_REMOVE, false }
#define REFUSED                                                                                    \
    { OUTCOME_AUTH, KEY_SUSPEND, false } // not for good as far as we know
#define NO_MONEY                                                                                   \
    { OUTCOME_QUOTA, KEY_SUSPEND, false }
#define TOO_FAST                                                                                   \
    { OUTCOME_RATE_LIMITED, KEY_COOL, false }
#define DOWN                                                                                       \
    { OUTCOME_SERVER, KEY_KEEP, false }

struct word_rule {
    int status;       // 0: any
    bool nested;      // only inside an `error` object (numbers mean other things elsewhere)
    const char *word; // equal to code, type or status text; NULL: any
    const char *text; // part of the message, in any case; NULL: any
    struct meaning meaning;
};

static const struct word_rule by_words[] = {
    // Money. OpenAI: platform error guide and its insufficient_quota page; Anthropic's text is met
    // through OpenAI-compatible gateways (LiteLLM #16092).
    {0, false, "insufficient_quota", NULL, NO_MONEY},
    {0, false, "credit_balance_exhausted", NULL, NO_MONEY},
    {0, false, "organization_spend_limit_exceeded", NULL, NO_MONEY},
    {0, false, "project_spend_limit_exceeded", NULL, NO_MONEY},
    {0, false, "organization_usage_limit_exceeded", NULL, NO_MONEY},
    {0, false, "billing_hard_limit_reached", NULL, NO_MONEY},
    {0, false, "billing_not_active", NULL, NO_MONEY},
    {0, false, NULL, "credit balance is too low", NO_MONEY},

    // Keys that will not be accepted again. Google's texts come with status 400.
    {0, false, "invalid_api_key", NULL, BAD_KEY},
    {0, false, "account_deactivated", NULL, BAD_KEY},
    {401, false, "ip_not_authorized", NULL, BAD_KEY},
    {400, false, NULL, "API key not valid", BAD_KEY},
    {400, false, NULL, "API key expired", BAD_KEY},
    {403, false, NULL, "has been suspended", BAD_KEY},
    // The place, not the key: right again from another network.
    {403, false, "unsupported_country_region_territory", NULL, REFUSED},

    // A request that is larger than a whole minute's tokens comes as a rate limit, but no waiting
    // helps it (OpenAI 429: aider #1880; Groq 413: continue #10218).
    {413, false, NULL, "Request too large", BAD_REQUEST},
    {429, false, NULL, "Request too large", BAD_REQUEST},
    {0, false, "context_length_exceeded", NULL, BAD_REQUEST},
    {0, false, "content_filter", NULL, FILTERED},
    {0, false, "content_policy_violation", NULL, FILTERED},

    // Models. model_decommissioned: Groq; invalid_model: Mistral; the function: NVIDIA
    // (free-claude-code #1021).
    {0, false, "model_not_found", NULL, NO_MODEL},
    {0, false, "model_decommissioned", NULL, NO_MODEL},
    {0, false, "invalid_model", NULL, NO_MODEL},
    {404, false, NULL, "not found for account", NOT_MODEL},

    // Z.AI and BigModel: docs.z.ai/api-reference/api-code, docs.bigmodel.cn/cn/api/api-code.
    {0, true, "1000", NULL, BAD_KEY},
    {0, true, "1001", NULL, BAD_KEY},
    {0, true, "1002", NULL, BAD_KEY},
    {0, true, "1003", NULL, BAD_KEY},
    {0, true, "1004", NULL, BAD_KEY},
    {0, true, "1110", NULL, BAD_KEY},
    {0, true, "1111", NULL, BAD_KEY},
    {0, true, "1112", NULL, BAD_KEY},
    {0, true, "1113", NULL, NO_MONEY}, // 429, but no waiting fills an account
    {0, true, "1120", NULL, DOWN},
    {0, true, "1121", NULL, BAD_KEY},
    {0, true, "1210", NULL, BAD_REQUEST},
    {0, true, "1211", NULL, NO_MODEL},
    {0, true, "1212", NULL, BAD_REQUEST},
    {0, true, "1213", NULL, BAD_REQUEST},
    {0, true, "1214", NULL, BAD_REQUEST},
    {0, true, "1215", NULL, BAD_REQUEST},
    {0, true, "1220", NULL, NOT_MODEL},
    {0, true, "1221", NULL, NO_MODEL},
    {0, true, "1222", NULL, NO_MODEL},
    {0, true, "1230", NULL, DOWN},
    {0, true, "1234", NULL, DOWN},
    {0, true, "1261", NULL, BAD_REQUEST},
    {0, true, "1301", NULL, FILTERED},
    {0, true, "1302", NULL, TOO_FAST},
    {0, true, "1303", NULL, TOO_FAST},
    {0, true, "1304", NULL, NO_MONEY}, // the day's calls are used up
    // The platform or the model is overloaded, no key is to blame; but a job must not use up its
    // retries over it, and a key that is left alone for a moment is what paces the run.
    {0, true, "1305", NULL, TOO_FAST},
    {0, true, "1312", NULL, TOO_FAST},
    {0, true, "1308", NULL, NO_MONEY}, // the plan's hours, week or month are used up
    {0, true, "1310", NULL, NO_MONEY},
    {0, true, "1309", NULL, {OUTCOME_QUOTA, KEY_REMOVE, false}}, // the plan has ended
    {0, true, "1311", NULL, NOT_MODEL},
    {0, true, "1313", NULL, NO_MONEY}, // fair use

    // NVIDIA: a sick model comes as 400 (freellmapi #522), a full worker under several statuses
    // (new-api #6619).
    {0, false, NULL, "DEGRADED function cannot be invoked", DOWN},
    {0, false, NULL, "ResourceExhausted", TOO_FAST},

    // Said under other statuses than 429 too, and inside 200.
    {0, false, "rate_limit_exceeded", NULL, TOO_FAST},
    {0, false, "rate_limited", NULL, TOO_FAST},
    {0, false, "slow_down", NULL, TOO_FAST},
    {0, false, "server_is_overloaded", NULL, DOWN},
    {0, false, "overloaded_error", NULL, DOWN},
};

struct status_rule {
    int from, to;
    struct meaning meaning;
};

// RFC 9110 section 15, and what providers make of it.
static const struct status_rule by_status[] = {
    {300, 399, {OUTCOME_BAD_RESPONSE, KEY_KEEP, true}}, // a key is not sent on to another address
    {401, 401, BAD_KEY},
    {402, 402, NO_MONEY},
    // Without a known code this may be a right that is missing, a country, a firewall: not for this
    // key now, but no proof against it either. So a rare probe, and a run with no other key ends.
    {403, 403, REFUSED},
    {404, 404, NO_MODEL},
    {407, 407, {OUTCOME_NETWORK, KEY_KEEP, true}}, // a proxy on the way
    {408, 408, {OUTCOME_TIMEOUT, KEY_KEEP, false}},
    {409, 409, DOWN}, // a conflict passes
    {410, 410, NO_MODEL},
    {425, 425, DOWN},
    {429, 429, TOO_FAST},
    {498, 499, DOWN}, // Groq: flex capacity exceeded
    {400, 499, BAD_REQUEST},
    {500, 599, DOWN}, // 529: overloaded, and no key's fault
};

static bool has_text(const char *message, const char *text) {
    return strcasestr(message, text) != NULL;
}

static bool has_word(const struct error_body *error, const char *word) {
    return strcmp(error->code, word) == 0 || strcmp(error->type, word) == 0 ||
           strcmp(error->status, word) == 0;
}

const struct meaning *rules_by_words(int status, const struct error_body *error) {
    for (size_t i = 0; i < sizeof by_words / sizeof *by_words; i++) {
        const struct word_rule *rule = &by_words[i];
        if ((!rule->status || rule->status == status) && (!rule->nested || error->nested) &&
            (!rule->word || has_word(error, rule->word)) &&
            (!rule->text || has_text(error->message, rule->text)))
            return &rule->meaning;
    }
    return NULL;
}

const struct meaning *rules_by_status(int status) {
    static const struct meaning odd = {OUTCOME_BAD_RESPONSE, KEY_KEEP, false};
    for (size_t i = 0; i < sizeof by_status / sizeof *by_status; i++)
        if (status >= by_status[i].from && status <= by_status[i].to)
            return &by_status[i].meaning;
    return &odd;
}
