// notice.c: what is said about keys and accounts: the reason that a key keeps, a line in the log. Loop
// thread.
// SPDX-License-Identifier: MIT
#include "pool/pool_parts.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/log.h"

#include <stdlib.h>

void key_set_reason(struct key *key, const struct verdict *verdict) {
    struct buf text = BUF_INIT(1024);
    buf_add_str(&text, verdict->code);
    if (verdict->code[0] && verdict->message[0])
        buf_add_str(&text, ": ");
    buf_add_str(&text, verdict->message);
    free(key->reason);
    key->reason = mem_text(text.p, text.n);
    buf_free(&text);
}

void key_clear_reason(struct key *key) {
    free(key->reason);
    key->reason = NULL;
    key->rests_until = 0;
}

void notice_say(const struct notice *n) {
    struct buf text = BUF_INIT(64);
    if (n->pause) {
        buf_add_str(&text, " for ");
        duration_add(&text, n->pause / USEC_PER_MS * USEC_PER_MS);
    }
    if (n->loud)
        log_warn("%s %s%s: %s", n->who, n->what, buf_cstr(&text), n->why);
    else
        log_info("%s %s%s: %s", n->who, n->what, buf_cstr(&text), n->why);
    buf_free(&text);
}

const char *account_name(const struct account *account) {
    return account->name ? account->name : account->keys[0]->entry->name;
}
