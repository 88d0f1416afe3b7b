// rules_nvidia.c: what NVIDIA's hosted NIM means, in problem documents of title and detail. Constant.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// No documentation; the threads that showed each.
const struct rule rules_nvidia[] = {
    {.text = "DEGRADED function cannot be invoked", .means = DOWN}, // a sick model; freellmapi #522
    {.text = "ResourceExhausted", .means = CROWDED}, // a worker's slots are taken; new-api #6619
    {.status = 404, .whole = "404 page not found", .means = NO_MODEL},    // not in its catalogue
    {.status = 404, .text = "not found for account", .means = NOT_MODEL}, // free-claude-code #1021
    // Trial credits that are used up or over; 402 says so by itself.
    {.text = "no remaining credits", .means = NO_MONEY},
    {.text = "credits expired", .means = NO_MONEY},
    {.text = "credits exhausted", .means = NO_MONEY},
    {0},
};
