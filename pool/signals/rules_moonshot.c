// rules_moonshot.c: what Moonshot, DeepSeek and SiliconFlow mean. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// platform.moonshot.cn/docs/api/chat (errors), api-docs.deepseek.com/quick_start/error_codes,
// docs.siliconflow.cn (error handling). Where two of them use a word, it means the same.
const struct rule rules_moonshot[] = {

    // Moonshot: its word for an account without money comes as 429 and 403
    {.word = "exceeded_current_quota_error", .means = NO_MONEY},
    {.word = "invalid_authentication_error", .means = BAD_KEY},
    {.word = "incorrect_api_key_error", .means = BAD_KEY},
    {.word = "engine_overloaded_error", .means = CROWDED},
    {.word = "resource_not_found_error", .means = NO_MODEL},
    {.word = "permission_denied_error", .means = FORBIDDEN},
    {.word = "rate_limit_reached_error", .text = "max concurrency", .means = TOO_MANY},
    {.word = "rate_limit_reached_error", .text = "TPD rate limit", .means = DAY_SPENT},
    {.word = "rate_limit_reached_error", .means = TOO_FAST},

    // DeepSeek
    {.status = 401, .text = "Authentication Fails", .means = BAD_KEY},
    {.status = 400, .text = "Content Exists Risk", .means = FILTERED},
    {.status = 400, .text = "Model Not Exist", .means = NO_MODEL},

    // SiliconFlow: codes beside the message, at the top of the body
    {.word = "30001", .means = NO_MONEY},
    {.word = "30011", .means = NO_MONEY},
    {.word = "20012", .means = NO_MODEL},
    {.word = "30003", .means = NO_MODEL},
    {.word = "20015", .means = BAD_REQUEST},
    {.word = "50505", .means = DOWN},
    {.word = "50507", .means = DOWN},
    {.status = 403, .text = "real-name verification", .means = NOT_MODEL},
    {.text = "due to rate limiting", .means = TOO_FAST},
    {0},
};
