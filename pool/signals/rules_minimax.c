// rules_minimax.c: what MiniMax means by its codes. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// platform.minimax.io/docs/api-reference/errorcode. They come in base_resp with a good status; the newer
// endpoints end the message with the code: "insufficient balance (1008)".
const struct rule rules_minimax[] = {
    {.word = "base_resp:1004", .means = BAD_KEY},
    {.text = "(1004)", .means = BAD_KEY},
    {.word = "base_resp:2049", .means = BAD_KEY},
    {.text = "(2049)", .means = BAD_KEY},
    {.word = "base_resp:1008", .means = NO_MONEY},
    {.text = "(1008)", .means = NO_MONEY},
    {.word = "base_resp:1026", .means = FILTERED}, // the prompt
    {.text = "(1026)", .means = FILTERED},
    {.word = "base_resp:1027", .means = FILTERED}, // the answer
    {.text = "(1027)", .means = FILTERED},
    {.word = "base_resp:1042", .means = BAD_REQUEST}, // too many invisible characters
    {.text = "(1042)", .means = BAD_REQUEST},
    {.word = "base_resp:2013", .means = BAD_REQUEST},
    {.text = "(2013)", .means = BAD_REQUEST},
    {.word = "base_resp:1041", .means = TOO_MANY},
    {.text = "(1041)", .means = TOO_MANY},
    {.word = "base_resp:1002", .means = TOO_FAST},
    {.text = "(1002)", .means = TOO_FAST},
    {.word = "base_resp:1039", .means = TOO_FAST}, // tokens per minute
    {.text = "(1039)", .means = TOO_FAST},
    {.word = "base_resp:2045", .means = TOO_FAST}, // more requests all of a sudden
    {.text = "(2045)", .means = TOO_FAST},
    {.word = "base_resp:2056", .means = PLAN_SPENT}, // a plan's hours
    {.text = "(2056)", .means = PLAN_SPENT},
    {.word = "base_resp:2061", .means = NOT_MODEL}, // not in this plan
    {.text = "(2061)", .means = NOT_MODEL},
    {.word = "base_resp:1000", .means = DOWN},
    {.text = "(1000)", .means = DOWN},
    {.word = "base_resp:1001", .means = SLOW},
    {.text = "(1001)", .means = SLOW},
    {.word = "base_resp:1013", .means = DOWN},
    {.text = "(1013)", .means = DOWN},
    {.word = "base_resp:1024", .means = DOWN},
    {.text = "(1024)", .means = DOWN},
    {.word = "base_resp:1033", .means = DOWN},
    {.text = "(1033)", .means = DOWN},
    {0},
};
