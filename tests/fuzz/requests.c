// requests.c: any JSON row for every provider: a request that is built is whole, holds what the row
// asks for, and reads back as it was meant.
// SPDX-License-Identifier: MIT
#include "jobs/in/row.h"
#include "pool/catalogue.h"
#include "pool/wire/prefix.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/wires.h"

static void check_path(struct slice path) {
    for (size_t i = 0; i < path.n; i++)
        HOLDS(path.p[i] > ' ' && path.p[i] <= '~');
    HOLDS(path.n == 0 || path.p[0] == '/');
}

static bool ends_with(struct slice text, struct slice end) {
    return text.n >= end.n && memcmp(text.p + text.n - end.n, end.p, end.n) == 0;
}

static void check_built(const struct request *r, const struct wire *wire,
                        const struct wire_out *out) {
    struct slice body = buf_slice(out->body);
    struct wire_request back;
    const char *what = NULL;
    HOLDS(fuzz_is_token(body, JSON_OBJECT) && fuzz_is_token(out->model, JSON_STRING));
    HOLDS(out->model.p);
    check_path(buf_slice(out->path));
    if (r->shape == ROW_PROMPT) {
        bool good = wire->read_request(body, &back, &what) == WIRE_OK;
        HOLDS(good || r->params[PARAM_MAX_TOKENS].p); // which may be what no provider takes
        HOLDS(!good || slice_eq(back.prompt, r->prompt));
    } else if (r->shape != ROW_MESSAGES) { // a batch line: no byte of it behind the brace moves
        HOLDS(ends_with(body, slice_of(r->body.p + 1, r->body.n - 1)));
    }
}

static void build(const struct request *r, const struct provider *provider, bool stream) {
    const struct wire *wire = provider->wire;
    struct buf path = BUF_INIT(FUZZ_MAX), body = BUF_INIT(FUZZ_MAX);
    struct wire_out out = {.path = &path, .body = &body};
    struct wire_defaults defaults = {SLICE("\"m\""), SLICE("\"be brief\""), stream, NULL};
    enum wire_answer answer = wire->build_request(r, provider, &defaults, &out);
    HOLDS(answer == WIRE_OK || (answer == WIRE_NOT_MINE && out.what));
    HOLDS(answer != WIRE_OK || wire->shapes & WIRE_TAKES(r->shape));
    if (answer == WIRE_OK)
        check_built(r, wire, &out);
    HOLDS(prefix_of(r, &defaults) == prefix_of(r, &defaults));
    buf_free(&path);
    buf_free(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rows rows = {0};
    struct job *job = job_new(FUZZ_MAX, 0);
    fields_init(&rows.fields, NULL, NULL, NULL);
    rows.ids.set = ids_new();
    job->line_no = 1;
    row_from_json(&rows, fuzz_input(data, size), job);
    for (const struct provider *p = catalogue; p->name && job->result.outcome == OUTCOME_NONE; p++)
        for (int stream = 0; stream < 2; stream++)
            build(&job->request, p, stream);
    fields_free(&rows.fields);
    ids_free(rows.ids.set);
    buf_free(&rows.rendered);
    buf_free(&rows.built);
    job_free(job);
    return 0;
}
