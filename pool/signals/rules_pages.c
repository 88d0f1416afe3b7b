// rules_pages.c: what the pages of proxies and firewalls may say.  Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// Cloudflare's list of 1xxx errors: developers.cloudflare.com/support/troubleshooting/http-status-codes.
// Everything else in a page is decoration: the status decides.
const struct rule rules_pages[] = {
    {.status = 429, .text = "error 1015", .means = TOO_FAST},
    {.text = "You are being rate limited", .means = TOO_FAST},
    {.text = "error 524", .means = SLOW},
    {.text = "error 522", .means = DOWN},
    {0},
};
