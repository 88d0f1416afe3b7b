// What the tables of rules are made of. Private to pool/signals/rules*.c.
// SPDX-License-Identifier: MIT
#ifndef POOL_SIGNALS_RULES_PARTS_H
#define POOL_SIGNALS_RULES_PARTS_H

#include "pool/signals/rules.h"

// What rows conclude, so that equal conclusions read alike; rules.c says what they mean.
enum conclusion {
    BAD_REQUEST,
    FILTERED,
    TOO_LARGE, // for a limit per minute, or for what the account can pay: no waiting helps
    REDIRECTED,
    NO_PATH, // nothing speaks this wire there
    NO_PROXY,
    BAD_KEY,
    PLAN_ENDED, // as bad as a bad key, but the account's affair
    FORBIDDEN,
    NO_MONEY,
    NO_MONEY_UNTIL, // the message says when
    KEY_SPENT,      // the account has money, this key has spent what it may
    DAY_SPENT,
    DAY_SPENT_CHINA,
    MODEL_DAY_SPENT, // Google's day, of this model
    MODEL_SPENT,     // what is free of this model, for good
    PLAN_SPENT, // hours, week or month of a plan; the message says until when, by China's clock
    TOO_FAST,
    TOO_MANY,  // at once
    NO_MODEL,  // nobody has it
    NOT_MODEL, // this account or key has it not
    CROWDED,   // the provider is full and says so in the manner of a rate limit
    DOWN,
    SLOW,
    ODD,
};

// Of an error inside a 2xx that names no status of its own.
#define IN_200 (-1)

// Matches when everything it names does. A row names at least one of word, text, whole and quota; a
// row that names none ends a table. The first match wins.
struct rule {
    int status;        // 0: any; IN_200
    const char *word;  // equal to a code, type, status text or reason of any level
    const char *text;  // said in a message of any level (phrase.h)
    const char *also;  // said there too
    const char *whole; // the innermost message in full, in any case, full stop or not
    const char *quota; // part of a violated quota's id
    enum conclusion means;
};

// The provider's own words.
extern const struct rule rules_anthropic[];
extern const struct rule rules_azure[];
extern const struct rule rules_bedrock[];
extern const struct rule rules_bigmodel[]; // and zai
extern const struct rule rules_cohere[];
extern const struct rule rules_dashscope[];
extern const struct rule rules_google[];
extern const struct rule rules_groq[];
extern const struct rule rules_k2think[];
extern const struct rule rules_minimax[];
extern const struct rule rules_mistral[];
extern const struct rule rules_moonshot[]; // and DeepSeek, SiliconFlow
extern const struct rule rules_nvidia[];
extern const struct rule rules_openai[];
extern const struct rule rules_openrouter[];
extern const struct rule rules_xai[];
// Those of whole families.
extern const struct rule rules_china[];    // clouds of China that are not in the catalogue
extern const struct rule rules_gateways[]; // LiteLLM, one-api, new-api
extern const struct rule rules_hosts[];    // Together, Fireworks, Cerebras, Hugging Face …
extern const struct rule rules_local[];    // Ollama, llama.cpp, LM Studio, vLLM
// Who answers where nobody knows the path, whoever is asked; looked at first.
extern const struct rule rules_paths[];
// What a page (HTML) may say: it is never the provider's word on key or money.
extern const struct rule rules_pages[];
// What is said by many, since gateways pass it on: any provider may stand behind --base-url.
extern const struct rule rules_common[];

#endif
