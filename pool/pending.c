// pending.c: what 202 with NVCF-REQID means. Pure.
// SPDX-License-Identifier: MIT
#include "pool/pending.h"

#include "jobs/base/clock.h"

#define ID_MAX      128
#define DELAY_FIRST (200 * USEC_PER_MS)
#define DELAY_MOST  (5 * USEC_PER_SEC)

// It becomes a part of an address.
static bool is_id(struct slice id) {
    if (!id.n || id.n > ID_MAX)
        return false;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && c != '-' && c != '_')
            return false;
    }
    return true;
}

bool pending_read(const struct transfer *t, const char *base_url, struct buf *url) {
    if (t->status != TRANSFER_ANSWERED || t->http_status != 202)
        return false;
    struct slice id = slice_trim(transfer_header(t, "NVCF-REQID"));
    if (!is_id(id))
        return false;
    buf_clear(url);
    buf_add_str(url, base_url);
    buf_add_str(url, "/status/");
    buf_add_slice(url, id);
    return true;
}

bool pending_still(const struct transfer *t) {
    if (t->status == TRANSFER_NETWORK || t->status == TRANSFER_UNPROCESSED)
        return true;
    return t->status == TRANSFER_ANSWERED && (t->http_status == 202 || t->http_status >= 500);
}

int64_t pending_delay(int n) {
    int64_t delay = DELAY_FIRST << (n < 10 ? n : 10);
    return delay < DELAY_MOST ? delay : DELAY_MOST;
}
