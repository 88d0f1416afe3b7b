// dry_run.c: shows what a run would send, and sends nothing. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/dry_run.h"

#include "jobs/base/io.h"
#include "jobs/base/json.h"
#include "jobs/base/log.h"
#include "jobs/out/done_before.h"
#include "pool/wire/request_url.h"
#include "runner/estimate.h"
#include "runner/pipeline.h"
#include "runner/screen/show.h"

#include <stdio.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SHOWN       3
#define SHOWN_BYTES 2000

#define READ_SECONDS 20

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

// One of the first requests as JSON: {id, line, provider, method, url, body}, or its error.
static void add_first(const struct plan *plan, struct job *job, struct buf *out) {
    struct buf url = BUF_INIT(128 * 1024), body = BUF_INIT(SIZE_MAX / 2);
    struct buf shown = BUF_INIT(128 * 1024);
    struct wire_out built = {.path = &url, .body = &body};
    route_set routes = plan_routes(plan, &job->request);
    const struct route *route = routes ? &plan->routes[route_first(routes)] : NULL;
    const char *fault = job->result.outcome == OUTCOME_BAD_INPUT ? job->result.message : NULL;
    if (!fault && !route)
        fault = "no key for the provider that the row names";
    if (!fault && request_build(&job->request, route->provider, route->base_url, &route->defaults,
                                &built) != WIRE_OK)
        fault = built.what;
    buf_add_str(out, out->p[out->n - 1] == '[' ? "{\"id\":" : ",{\"id\":");
    json_add_string(out, job->id);
    buf_addf(out, ",\"line\":%lld", (long long)job->line_no);
    if (fault) {
        json_add_name(out, "error");
        json_add_string(out, slice_str(fault));
    } else {
        url_add_shown(&shown, buf_slice(&url));
        buf_addf(out, ",\"provider\":\"%s\",\"method\":\"POST\",\"url\":", route->provider->name);
        json_add_string(out, buf_slice(&shown));
        buf_add_str(out, ",\"body\":");
        buf_add_slice(out, buf_slice(&body));
    }
    buf_add_char(out, '}');
    buf_free(&url);
    buf_free(&body);
    buf_free(&shown);
}

static void add_models(const struct estimate *e, struct buf *out) {
    buf_add_str(out, ",\"models\":[");
    for (size_t i = 0; i < e->model_count; i++) {
        const struct estimate_model *m = &e->models[i];
        buf_addf(out, "%s{\"provider\":\"%s\",\"model\":%.*s,\"rows\":%lld", i ? "," : "",
                 m->route->provider->name, SLICE_ARG(m->model.n ? m->model : SLICE("null")),
                 (long long)m->rows);
        buf_addf(out, ",\"tokens\":{\"input\":%lld,\"output\":%lld},\"usd\":null}",
                 (long long)m->input_tokens, (long long)m->output_tokens);
    }
    buf_add_char(out, ']');
}

static void add_json(const struct estimate *e, const struct plan *plan, struct slice first,
                     struct buf *out) {
    double seconds = estimate_seconds(e, plan);
    buf_addf(out, "{\"rows_left\":%lld", (long long)e->left);
    if (e->at_least)
        buf_add_str(out, ",\"rows_left_is\":\"at_least\"");
    buf_addf(out, ",\"rows_done\":%lld,\"rows_bad\":%lld", (long long)e->done, (long long)e->bad);
    buf_addf(out, ",\"tokens\":{\"input\":%lld,\"output\":%lld},\"seconds\":",
             (long long)e->input_tokens, (long long)e->output_tokens);
    if (seconds < 0)
        buf_add_str(out, "null");
    else
        json_add_thousandths(out, (int64_t)(seconds * 1000 + 0.5));
    buf_addf(out, ",\"cost\":{\"usd\":null,\"unpriced\":%lld}", (long long)e->left);
    add_models(e, out);
    buf_add_str(out, ",\"first\":");
    buf_add_slice(out, first);
    buf_add_str(out, "]}\n");
}

static void add_estimate(const struct estimate *e, const struct plan *plan, struct buf *out) {
    double seconds = estimate_seconds(e, plan);
    buf_addf(out, "  rows      %s", e->at_least ? "at least " : "");
    show_count(out, e->left);
    buf_add_str(out, " to send");
    if (e->done) {
        buf_add_str(out, ", ");
        show_count(out, e->done);
        buf_add_str(out, " done before");
    }
    if (e->bad) {
        buf_add_str(out, ", ");
        show_count(out, e->bad);
        buf_add_str(out, " not valid");
    }
    buf_add_str(out, "\n  tokens    about ");
    show_count(out, e->input_tokens);
    buf_add_str(out, " in, ");
    show_count(out, e->output_tokens);
    buf_add_str(out, " out\n  time      ");
    if (seconds < 0) {
        buf_add_str(out, "not known: no limit is stated, so it depends on the provider\n");
    } else {
        buf_add_str(out, "about ");
        show_span(out, (int64_t)(seconds * 1e6));
        buf_add_str(out, " at the stated limits\n");
    }
}

struct look {
    const struct plan *plan;
    struct done_before *before;
    const struct source *source;
    struct estimate estimate;
    int shown;
    struct buf text, first;
};

static void look_at(struct look *l, struct job *job) {
    struct estimate *e = &l->estimate;
    plan_judge(l->plan, job);
    e->rows++;
    if (done_before_has(l->before, job)) {
        e->done++;
        return;
    }
    if (l->shown < SHOWN) {
        if (!l->shown)
            source_describe(l->source, job, &l->text);
        add_first(l->plan, job, &l->first);
        add_request(l->plan, job, &l->text); // finds out what the wire cannot say
        l->shown++;
    }
    if (job->result.outcome == OUTCOME_BAD_INPUT)
        e->bad++;
    else
        estimate_add(e, l->plan, job);
}

static enum source_status look_at_all(struct look *l, struct source *source, struct error *err) {
    size_t room = SOURCE_LINE_ROOM((size_t)l->plan->config->max_line_bytes);
    struct job *job = job_new(room, 1);
    enum source_status status;
    while ((status = source_next(source, job, err)) == SOURCE_JOB) {
        look_at(l, job);
        job_clear(job);
    }
    l->estimate.at_least = status == SOURCE_STOPPED;
    job_free(job);
    return status;
}

static int tell(struct look *l) {
    struct buf out = BUF_INIT(64 << 20), json = BUF_INIT(64 << 20);
    add_plan(l->plan, &out);
    add_estimate(&l->estimate, l->plan, &out);
    buf_add_slice(&out, buf_slice(&l->text));
    log_text(buf_slice(&out));
    add_json(&l->estimate, l->plan, buf_slice(&l->first), &json);
    bool good = l->plan->config->dry_run != DRY_RUN_JSON ||
                io_write_all(STDOUT_FILENO, buf_slice(&json), NULL);
    buf_free(&out);
    buf_free(&json);
    return !good ? 4 : l->estimate.bad ? 1 : 0;
}

// A timer that ends the reading of a pipe which goes on; of a file there is always an end.
static int reading_ends(void) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct itimerspec when = {.it_value = {.tv_sec = READ_SECONDS}};
    if (fd >= 0)
        timerfd_settime(fd, 0, &when, NULL);
    return fd;
}

int dry_run(const struct plan *plan, struct error *err) {
    int code = 2, timer = reading_ends();
    struct look look = {.plan = plan, .text = BUF_INIT(64 << 20), .first = BUF_INIT(64 << 20)};
    struct source_options options = pipeline_source_options(plan, timer);
    struct source *source = source_open(&options, err);
    buf_add_char(&look.first, '[');
    look.source = source;
    if (source) {
        struct output_options results = pipeline_output_options(plan, source, 0);
        look.before = done_before_open(&results, err);
    }
    if (look.before && look_at_all(&look, source, err) != SOURCE_FAILED)
        code = tell(&look);
    else
        code = error_exit_code(err);
    done_before_close(look.before);
    estimate_free(&look.estimate);
    source_close(source);
    buf_free(&look.text);
    buf_free(&look.first);
    if (timer >= 0)
        close(timer);
    return code;
}
