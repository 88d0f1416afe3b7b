// What the tables of rules are made of. Private to pool/signals/rules*.c.
// SPDX-License-Identifier: MIT
#ifndef POOL_SIGNALS_RULES_PARTS_H
#define POOL_SIGNALS_RULES_PARTS_H

#include "pool/signals/rules.h"

// What rows conclude, so that equal conclusions read alike; rules.c says what they mean.
enum conclusion {
    BAD_REQUEST,
    FILTERED,
    REDIRECTED,
    NO_PROXY,
    BAD_KEY,
    PLAN_ENDED, // as bad as a bad key, but the account's affair
    FORBIDDEN,
    NO_MONEY,
    NO_MONEY_UNTIL, // the message says when
    DAY_SPENT,
    DAY_SPENT_CHINA,
    MODEL_DAY_SPENT, // Google's day, of this model
    PLAN_SPENT, // hours, week or month of a plan; the message says until when, by China's clock
    TOO_FAST,
    TOO_MANY,  // at once
    NO_MODEL,  // nobody has it
    NOT_MODEL, // this account has it not
    CROWDED,   // the provider is full and says so in the manner of a rate limit
    DOWN,
    SLOW,
    ODD,
};

// Matches when everything it names does. A row names at least one of word, text and quota; a row
// that names none ends a table. The first match wins.
struct rule {
    int status;        // 0: any
    const char *word;  // equal to code, type, status text or reason
    const char *text;  // part of the message, in any case
    const char *quota; // part of a violated quota's id
    enum conclusion means;
};

// The provider's own words.
extern const struct rule rules_anthropic[];
extern const struct rule rules_bigmodel[]; // and zai
extern const struct rule rules_google[];
extern const struct rule rules_groq[];
extern const struct rule rules_k2think[];
extern const struct rule rules_mistral[];
extern const struct rule rules_nvidia[];
extern const struct rule rules_openai[]; // and whatever speaks like it
// What is said by many, since gateways pass it on: any provider may stand behind --base-url.
extern const struct rule rules_common[];

#endif
