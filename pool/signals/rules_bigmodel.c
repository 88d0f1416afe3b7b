// rules_bigmodel.c: what BigModel and Z.AI mean by their codes. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// docs.z.ai/api-reference/api-code and docs.bigmodel.cn/cn/api/api-code, which list the same codes.
const struct rule rules_bigmodel[] = {
    // Token missing, unreadable, expired, refused. Accounts inactive, unknown, locked.
    {.word = "1000", .means = BAD_KEY},
    {.word = "1001", .means = BAD_KEY},
    {.word = "1002", .means = BAD_KEY},
    {.word = "1003", .means = BAD_KEY},
    {.word = "1004", .means = BAD_KEY},
    {.word = "1110", .means = BAD_KEY},
    {.word = "1111", .means = BAD_KEY},
    {.word = "1112", .means = BAD_KEY},
    {.word = "1121", .means = BAD_KEY},
    {.word = "1315", .means = BAD_KEY}, // a key of the wrong kind of plan

    // Comes as 429, but no waiting fills an account. Coding Plan keys get it at the wrong address
    // too (LiteLLM #25479).
    {.word = "1113", .means = NO_MONEY},
    {.word = "1309", .means = PLAN_ENDED},
    {.word = "1314", .means = PLAN_ENDED}, // an enterprise's

    {.word = "1120", .means = DOWN}, // the account cannot be looked up now
    {.word = "1230", .means = DOWN},
    {.word = "1234", .means = DOWN},

    {.word = "1210", .means = BAD_REQUEST},
    {.word = "1212", .means = BAD_REQUEST},
    {.word = "1213", .means = BAD_REQUEST},
    {.word = "1214", .means = BAD_REQUEST},
    {.word = "1215", .means = BAD_REQUEST},
    {.word = "1261", .means = BAD_REQUEST}, // the prompt is too long
    {.word = "1301", .means = FILTERED},

    {.word = "1211", .means = NO_MODEL},
    {.word = "1220", .means = NOT_MODEL},
    {.word = "1221", .means = NO_MODEL},
    {.word = "1222", .means = NO_MODEL},
    {.word = "1311", .means = NOT_MODEL}, // not in this plan

    {.word = "1302", .means = TOO_MANY}, // "concurrency too high", since 2026 "account rate limit"
    {.word = "1303", .means = TOO_FAST},
    {.word = "1304", .means = DAY_SPENT_CHINA}, // "today's calls"; whose midnight is not said
    // The platform or the model is overloaded, no key is to blame; but a job must not use up its
    // retries over it.
    {.word = "1305", .means = CROWDED},
    {.word = "1312", .means = CROWDED},

    // Five hours, a week or a month of a plan are used up; the dates are Beijing's (model-hotel
    // #955). 1316 to 1321 are the same where extra usage may be bought but cannot be.
    {.word = "1308", .means = PLAN_SPENT},
    {.word = "1310", .means = PLAN_SPENT},
    {.word = "1313", .means = PLAN_SPENT}, // fair use (GLM-5 #68: over after a day, unasked)
    {.word = "1316", .means = PLAN_SPENT},
    {.word = "1317", .means = PLAN_SPENT},
    {.word = "1318", .means = PLAN_SPENT},
    {.word = "1319", .means = PLAN_SPENT},
    {.word = "1320", .means = PLAN_SPENT},
    {.word = "1321", .means = PLAN_SPENT},
    {0},
};
