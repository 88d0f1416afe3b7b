// rules_k2think.c: what an Open WebUI server (K2-Think's) means by its `detail`. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// open-webui: constants.py, routers/auths.py, routers/openai.py. It answers many things with 400.
const struct rule rules_k2think[] = {
    {.text = "email or password provided is incorrect", .means = BAD_KEY},
    {.status = 403, .text = "Use of API key is not enabled", .means = BAD_KEY},
    {.status = 403, .text = "Model not found", .means = NOT_MODEL}, // kept from this user
    {.text = "Model not found", .means = NO_MODEL},
    {.text = "Server Connection Error", .means = DOWN}, // what stands behind it
    {0},
};
