// dry_run.c: shows what a run would send, and sends nothing. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/dry_run.h"

#include "jobs/base/log.h"
#include "pool/wire/request_url.h"
#include "runner/pipeline.h"

#include <stdio.h>

#define SHOWN       3
#define SHOWN_BYTES 2000

// "from openai: keys.env, groq: .env"
static void add_sources(const struct plan *plan, struct buf *out) {
    bool any = false;
    for (size_t i = 0; i < plan->order_count; i++) {
        const struct provider *provider = plan->routes[i].provider;
        const char *source = plan->keyring.sources[provider_place(provider)];
        if (!source)
            continue;
        buf_addf(out, any ? ", " : "\n  from      ");
        if (plan->order_count > 1)
            buf_addf(out, "%s: ", provider->name);
        buf_add_str(out, source);
        any = true;
    }
}

static void add_keys(const struct plan *plan, struct buf *out) {
    buf_addf(out, "  keys      %zu", plan_key_count(plan));
    size_t shown = 0;
    for (size_t i = 0; i < plan->keyring.count && shown < 10; i++) {
        const struct key_entry *entry = &plan->keyring.entries[i];
        char mask[SECRET_MASK_SIZE];
        if (!entry->enabled || entry->beside)
            continue;
        secret_mask(entry->secret, mask);
        buf_addf(out, "%s %s (%s)", shown++ ? "," : ":", entry->name,
                 secret_is_empty(entry->secret) ? "no key is needed" : mask);
    }
    if (plan_key_count(plan) > shown)
        buf_addf(out, " and %zu more", plan_key_count(plan) - shown);
    add_sources(plan, out);
    buf_add_char(out, '\n');
}

static void add_plan(const struct plan *plan, struct buf *out) {
    buf_addf(out, "dry run: nothing is sent\n");
    buf_addf(out, "  input     %s\n  output    %s\n", plan->input, plan->output);
    for (size_t i = 0; i < plan->order_count; i++) {
        const struct route *route = &plan->routes[i];
        buf_addf(out, "  %s  %s at ", i ? "else    " : "provider", route->provider->name);
        url_add_shown(out, slice_str(route->base_url));
        if (route->defaults.model.n)
            buf_addf(out, ", model %.*s\n", SLICE_ARG(route->defaults.model));
        else
            buf_add_str(out, ", no default model\n");
    }
    add_keys(plan, out);
    buf_addf(out, "  slots     %zu requests in flight at most\n", plan->slots);
}

static void add_body(const struct route *route, struct job *job, struct buf *out) {
    const struct provider *provider = route->provider;
    struct buf path = BUF_INIT(64 * 1024), body = BUF_INIT(SIZE_MAX / 2);
    struct wire_out built = {.path = &path, .body = &body};
    if (request_build(&job->request, provider, route->base_url, &route->defaults, &built) !=
        WIRE_OK) {
        job_fail(job, OUTCOME_BAD_INPUT, "%s cannot be asked this: %s", provider->name, built.what);
        buf_addf(out, "  no good: %s\n", job->result.message);
    } else {
        size_t shown = body.n < SHOWN_BYTES ? body.n : SHOWN_BYTES;
        buf_add_str(out, "  POST ");
        url_add_shown(out, buf_slice(&path));
        buf_add_str(out, "\n  ");
        buf_add(out, body.p, shown);
        if (shown < body.n)
            buf_addf(out, " … (%zu bytes)", body.n);
        buf_add_char(out, '\n');
    }
    buf_free(&path);
    buf_free(&body);
}

static void add_request(const struct plan *plan, struct job *job, struct buf *out) {
    route_set routes = plan_routes(plan, &job->request);
    buf_addf(out, "\nrow %lld (line %lld), id %.*s\n", (long long)job->index + 1,
             (long long)job->line_no, SLICE_ARG(job->id));
    if (job->result.outcome == OUTCOME_BAD_INPUT) {
        buf_addf(out, "  no good: %s\n", job->result.message);
    } else if (!routes) {
        buf_addf(out, "  no key for provider \"%.*s\"\n", SLICE_ARG(job->request.provider));
    } else {
        add_body(&plan->routes[route_first(routes)], job, out);
    }
}

static int show_rows(const struct plan *plan, struct source *source, struct error *err) {
    const struct config *c = plan->config;
    struct job *job = job_new(SOURCE_LINE_ROOM((size_t)c->max_line_bytes), 1);
    struct buf out = BUF_INIT(64 << 20);
    enum source_status status = SOURCE_JOB;
    int code = 0;
    for (int i = 0; i < SHOWN && (status = source_next(source, job, err)) == SOURCE_JOB; i++) {
        plan_judge(plan, job);
        if (i == 0)
            source_describe(source, job, &out);
        add_request(plan, job, &out);
        if (job->result.outcome == OUTCOME_BAD_INPUT)
            code = 1;
        job_clear(job);
    }
    log_text(buf_slice(&out));
    buf_free(&out);
    job_free(job);
    return status == SOURCE_FAILED ? error_exit_code(err) : code;
}

int dry_run(const struct plan *plan, struct error *err) {
    struct source_options options = pipeline_source_options(plan, -1);
    struct source *source = source_open(&options, err);
    if (!source)
        return error_exit_code(err);
    struct buf out = BUF_INIT(1 << 20);
    add_plan(plan, &out);
    log_text(buf_slice(&out));
    buf_free(&out);
    int code = show_rows(plan, source, err);
    source_close(source);
    return code;
}
