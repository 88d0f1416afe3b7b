// pipeline.c: opens, starts, watches and joins the three threads. Runs on the main thread, which also
// takes the signals and draws the progress.
// SPDX-License-Identifier: MIT
#include "runner/pipeline.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "pool/secret_set.h"
#include "runner/paths.h"
#include "runner/screen/progress.h"
#include "runner/signal_gate.h"
#include "runner/wake.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

// Jobs in the house: half as many again as may be in flight, and these. Enough that the loop hardly ever
// waits for the reader, few enough that they stay in the processor's cache.
#define CREDITS_MORE 64

// Bytes of rows in the house; one row beyond it may come in alone.
#define CREDIT_BYTES ((size_t)64 << 20)

struct source_options pipeline_source_options(const struct plan *plan, int wake_fd) {
    const struct config *c = plan->config;
    return (struct source_options){.path = plan->input,
                                   .format = (enum input_format)c->input_format,
                                   .prompt_field = c->prompt_field,
                                   .id_field = c->id_field,
                                   .fields = c->fields,
                                   .encoding = c->encoding,
                                   .delimiter = "\0,;|\t"[c->delimiter],
                                   .template = c->template,
                                   .max_line_bytes = (size_t)c->max_line_bytes,
                                   .allow_duplicate_ids = c->allow_duplicate_ids,
                                   .limit = c->limit,
                                   .wake_fd = wake_fd};
}

struct output_options pipeline_output_options(const struct plan *plan, const struct source *source,
                                              size_t jobs_most) {
    return (struct output_options){
        .path = plan->output,
        .line = {.format = (enum output_format)plan->config->format,
                 .no_input = plan->config->no_input,
                 .include_response = plan->config->include_response},
        .overwrite = plan->config->overwrite,
        .changed = (enum output_changed)plan->config->changed,
        .no_retry_failed = plan->config->no_retry_failed,
        .sync = (enum output_sync)plan->config->sync,
        .ordered = plan->config->ordered,
        .sent = {.prompt_field = plan->config->prompt_field,
                 .id_field = plan->config->id_field,
                 .template = plan->config->template,
                 .fields = plan->config->fields,
                 .records = source_has_records(source)},
        .jobs_most = jobs_most,
    };
}

static bool open_output(struct pipeline *p, struct error *err) {
    const struct plan *plan = p->plan;
    bool from_stdin = strcmp(plan->input, "-") == 0;
    if (from_stdin ? paths_is_descriptor(plan->output, STDIN_FILENO)
                   : paths_are_same(plan->input, plan->output))
        return error_set(err, ERROR_USAGE, "%s is the input: results go to another file (-o FILE)",
                         plan->output);
    struct output_options options = pipeline_output_options(plan, p->source, p->credits.stretched);
    options.settings = &p->settings;
    p->output = output_open(&options, err);
    return p->output != NULL;
}

static bool open_engine(struct pipeline *p, struct error *err) {
    const struct config *c = p->plan->config;
    struct engine_options options = {.connect_timeout = c->connect_timeout,
                                     .cacert = c->cacert,
                                     .http = (enum http_version)c->http,
                                     .hosts = p->plan->hosts,
                                     .no_proxy = p->plan->embedded,
                                     .wake_fd = p->loop_fd};
    for (size_t i = 0; i < p->plan->route_count; i++) {
        const char *url = p->plan->routes[i].base_url;
        if (options.http == HTTP_2 && !engine_uses_tls(url))
            return error_set(err, ERROR_USAGE,
                             "--http 2: %s is no https address, and without TLS HTTP/1.1 is spoken",
                             url);
        options.tls |= engine_uses_tls(url);
    }
    p->transport = options;
    p->engine = engine_open(&options, err);
    return p->engine != NULL;
}

static void init_credits(struct pipeline *p) {
    const struct config *c = p->plan->config;
    struct credits_options options = {.wake_fd = p->loop_fd,
                                      .jobs = p->plan->slots + p->plan->slots / 2 + CREDITS_MORE,
                                      .bytes = CREDIT_BYTES,
                                      .line_max = SOURCE_LINE_ROOM((size_t)c->max_line_bytes),
                                      .body_max = (size_t)c->max_reply_bytes};
    credits_init(&p->credits, &options);
}

// Any provider's answer may hold any of the keys, and what the way to it is opened with.
static struct secret_set *gather_secrets(const struct plan *plan) {
    static const char *const proxies[] = {"http_proxy",  "HTTP_PROXY", "https_proxy",
                                          "HTTPS_PROXY", "all_proxy",  "ALL_PROXY"};
    struct secret_set *set = secret_set_new();
    for (size_t i = 0; i < plan->keyring.count; i++)
        secret_set_add(set, plan->keyring.entries[i].secret);
    for (size_t i = 0; i < plan->route_count; i++) {
        const struct route *route = &plan->routes[i];
        secret_set_add_address(set, slice_str(route->base_url));
        for (const struct secret *const *s = route->provider->secrets; s && *s; s++)
            secret_set_add(set, *s);
    }
    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++)
        if (getenv(proxies[i]))
            secret_set_add_address(set, slice_str(getenv(proxies[i])));
    secret_set_ready(set);
    return set;
}

static const char *base_url_of(const void *context, const struct provider *provider) {
    const struct plan *plan = context;
    for (size_t i = 0; i < plan->route_count; i++)
        if (plan->routes[i].provider == provider)
            return plan->routes[i].base_url;
    return NULL;
}

static void open_memory(struct pipeline *p) {
    const struct plan *plan = p->plan;
    char *directory = plan->config->no_memory ? NULL : memory_directory();
    struct memory_options options = {.directory = directory,
                                     .pool = p->pool,
                                     .base_url = base_url_of,
                                     .context = plan,
                                     .use_only = plan->embedded};
    if (directory)
        p->memory = memory_open(&options, clock_now(), clock_wall());
    free(directory);
}

bool pipeline_open(struct pipeline *p, const struct plan *plan, struct error *err) {
    *p = (struct pipeline){.plan = plan, .count_until = TIME_NEVER};
    p->budget = (struct run_budget){.max_requests = plan->config->max_requests,
                                    .max_tokens = plan->config->max_tokens_total,
                                    .errors = plan->error_rate};
    p->secrets = gather_secrets(plan);
    run_settings_make(&p->settings, plan);
    p->loop_fd = wake_new();
    p->reader_fd = wake_new();
    p->done_fd = wake_new();
    why_init(&p->why);
    queue_init(&p->to_loop, p->loop_fd);
    queue_init(&p->to_writer, -1);
    init_credits(p);
    struct source_options input = pipeline_source_options(plan, p->reader_fd);
    struct pool_options keys = plan->pool;
    keys.seed = random_seed();
    p->pool = pool_new(&keys);
    p->source = source_open(&input, err);
    if (!p->source || !open_engine(p, err) || !open_output(p, err))
        return false;
    source_share_ids(p->source, output_share_ids(p->output));
    open_memory(p);
    return true;
}

void pipeline_close(struct pipeline *p) {
    source_close(p->source);
    engine_close(p->engine);
    memory_close(p->memory, clock_now(), clock_wall());
    pool_free(p->pool);
    secret_set_free(p->secrets);
    run_settings_free(&p->settings);
    credits_free(&p->credits);
    stats_free(&p->stats);
    why_free(&p->why);
    queue_free(&p->to_loop);
    queue_free(&p->to_writer);
    close(p->loop_fd);
    close(p->reader_fd);
    close(p->done_fd);
}

void pipeline_stop(struct pipeline *p, enum stop_mode mode, enum stop_cause cause,
                   const struct error *err) {
    int none = CAUSE_NONE;
    if (atomic_compare_exchange_strong(&p->cause, &none, (int)cause) && err)
        p->err = *err;
    if (mode == STOP_NO)
        return;
    int seen = atomic_load(&p->stop);
    while (seen < (int)mode && !atomic_compare_exchange_weak(&p->stop, &seen, (int)mode))
        ;
    credits_stop(&p->credits);
    wake_up(p->reader_fd);
    wake_up(p->loop_fd);
}

static void start_thread(pthread_t *thread, void *(*body)(void *), struct pipeline *p) {
    int failure = pthread_create(thread, NULL, body, p);
    if (failure)
        die("cannot start a thread: %s", strerror(failure));
}

static enum progress_key mark_of(enum key_state state) {
    switch (state) {
    case KEY_READY: return PROGRESS_KEY_IDLE;
    case KEY_FULL:
    case KEY_PROBING: return PROGRESS_KEY_BUSY;
    case KEY_COOLING:
    case KEY_TRIAL: return PROGRESS_KEY_COOLING;
    default: return PROGRESS_KEY_OUT;
    }
}

static void view_keys(const struct pool *pool, struct progress_view *view, unsigned char *marks) {
    size_t shown = 0;
    for (size_t i = 0; i < pool_key_count(pool); i++) {
        if (pool_key(pool, i)->entry->beside)
            continue;
        enum progress_key mark = mark_of(key_state(pool_key(pool, i)));
        view->key_states[mark]++;
        if (shown < PROGRESS_KEYS_SHOWN)
            marks[shown++] = (unsigned char)mark;
    }
    view->keys = marks;
}

// Texts and marks that a view points to, and since when the run has been going on.
struct viewer {
    unsigned char marks[PROGRESS_KEYS_SHOWN];
    struct buf why;
    int64_t began;
};

static struct progress_view view_of(struct pipeline *p, struct viewer *viewer) {
    struct totals sum = {0};
    bool ended = atomic_load(&p->input_ended); // first: `rows` is then the last word
    stats_sum(&sum, &p->stats);
    struct progress_view view = {.ok = sum.ok,
                                 .failed = sum.failed + sum.bad_rows,
                                 .skipped = sum.skipped,
                                 .rows = sum.rows,
                                 .input_ended = ended,
                                 .total = -1,
                                 .bytes_done = source_bytes_done(p->source),
                                 .bytes_total = source_bytes_total(p->source),
                                 .elapsed = clock_now() - viewer->began,
                                 .in_flight = sum.in_flight,
                                 .rate_limited = sum.rate_limited,
                                 .draining = pipeline_stopping(p) != STOP_NO};
    view_keys(p->pool, &view, viewer->marks);
    struct why_note note = why_get(&p->why);
    buf_clear(&viewer->why);
    if (!view.draining)
        why_describe(&note, clock_now(), clock_wall(), false, &viewer->why);
    view.why = viewer->why.n ? buf_cstr(&viewer->why) : NULL;
    return view;
}

// Each signal goes one step further.
static void on_signal(struct pipeline *p) {
    if (pipeline_stopping(p) == STOP_NO) {
        long long count = (long long)stats_get(&p->stats.in_flight);
        if (count)
            log_warn(
                "stopping: waiting for %lld request%s in flight; press Ctrl-C again to cancel %s",
                count, count == 1 ? "" : "s", count == 1 ? "it" : "them");
        else
            log_warn("stopping: waiting for results to be written");
        pipeline_stop(p, STOP_DRAIN, CAUSE_SIGNAL, NULL);
    } else if (pipeline_stopping(p) == STOP_DRAIN) {
        log_warn("stopping now: requests in flight are cancelled; the next run sends them again");
        pipeline_stop(p, STOP_ABORT, CAUSE_SIGNAL, NULL);
    } else {
        _exit(130); // the writer is stuck in an output that takes nothing
    }
}

// Blocks the signals that stop a run, before any thread exists: they inherit it, and this thread takes
// them from a descriptor. A hang-up that is ignored (nohup) stays ignored.
static sigset_t take_signals(sigset_t *before) {
    struct sigaction hangup;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, before);
    return signals;
}

static int poll_timeout(int64_t due) {
    if (due == TIME_NEVER)
        return -1;
    int64_t left = due - clock_now();
    return left <= 0 ? 0 : (int)((left + USEC_PER_MS - 1) / USEC_PER_MS);
}

// Until the writer has ended: signals and the live line.
static void watch(struct pipeline *p, struct progress *progress, int64_t began,
                  const sigset_t *signals) {
    struct viewer viewer = {.why = BUF_INIT(4096), .began = began};
    struct signal_gate gate = {{0}};
    struct pollfd fds[2] = {
        {.fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK), .events = POLLIN},
        {.fd = p->done_fd, .events = POLLIN}};
    while (!fds[1].revents) {
        struct signalfd_siginfo info;
        poll(fds, 2, poll_timeout(progress_due(progress)));
        if (fds[0].revents && read(fds[0].fd, &info, sizeof info) == sizeof info &&
            signal_gate_counts(&gate, (int)info.ssi_signo, clock_now()))
            on_signal(p);
        if (!fds[1].revents && clock_now() >= progress_due(progress)) {
            struct progress_view view = view_of(p, &viewer);
            progress_tick(progress, &view, clock_now());
        }
    }
    struct progress_view view = view_of(p, &viewer);
    progress_end(progress, &view, clock_now());
    buf_free(&viewer.why);
    if (fds[0].fd >= 0)
        close(fds[0].fd);
}

// False when all rows were done all the same.
static bool tell_budget(struct pipeline *p) {
    struct totals sum = {0};
    stats_sum(&sum, &p->stats);
    bool all_read = atomic_load(&p->input_ended);
    int64_t left = sum.rows - sum.skipped - sum.bad_rows - sum.ok - sum.failed;
    if (all_read && left == 0)
        return false;
    struct buf what = BUF_INIT(1024);
    run_budget_describe(&p->budget, &what);
    error_set(&p->err, ERROR_USAGE, "%s; %s%lld row%s left undone: run again %sto go on",
              buf_cstr(&what), all_read ? "" : "at least ", (long long)left,
              left == 1 ? " is" : "s are", p->budget.requests ? "" : "with more ");
    buf_free(&what);
    return true;
}

static int exit_code(struct pipeline *p) {
    switch ((enum stop_cause)atomic_load(&p->cause)) {
    case CAUSE_NONE: break;
    case CAUSE_SIGNAL: return 130;
    case CAUSE_OUTAGE:
    case CAUSE_NO_KEY: return 3;
    case CAUSE_BUDGET:
        if (tell_budget(p))
            return 3;
        break;
    case CAUSE_INPUT: return 2;
    case CAUSE_OUTPUT: return 4;
    }
    bool failed =
        stats_get(&p->stats.failed) + stats_get(&p->stats.bad_rows) + output_kept_failed(p->output);
    return failed ? 1 : 0;
}

// Once everything else has ended: how long the reader may go on counting rows that were not read. Not
// noticeable after a signal, nor for a pipe that may never end.
#define COUNT_BRIEFLY (200 * USEC_PER_MS)
#define COUNT_FILE    (2 * USEC_PER_SEC)

static void join_reader(struct pipeline *p, pthread_t reader) {
    bool brief = atomic_load(&p->cause) == CAUSE_SIGNAL || source_bytes_total(p->source) < 0;
    int64_t span = brief ? COUNT_BRIEFLY : COUNT_FILE;
    atomic_store(&p->count_until, clock_now() + span);
    int64_t until = clock_wall() + span;
    struct timespec end = {(time_t)(until / USEC_PER_SEC), (long)(until % USEC_PER_SEC * 1000)};
    if (pthread_timedjoin_np(reader, NULL, &end) == 0)
        return;
    atomic_store(&p->count_until, 0);
    wake_up(p->reader_fd); // it may wait for a pipe
    pthread_join(reader, NULL);
}

int pipeline_run(struct pipeline *p) {
    pthread_t reader, loop, writer;
    struct progress progress;
    struct progress_settings screen = progress_settings(
        (enum progress_mode)p->plan->config->progress, strcmp(p->plan->output, "-") == 0);
    int64_t began = clock_now();
    sigset_t before, signals = take_signals(&before);
    progress_init(&progress, &screen, began);
    start_thread(&writer, writer_main, p);
    start_thread(&loop, loop_main, p);
    start_thread(&reader, reader_main, p);
    watch(p, &progress, began, &signals);
    pthread_join(loop, NULL);
    pthread_join(writer, NULL);
    p->elapsed = clock_now() - began;
    join_reader(p, reader);
    int code = exit_code(p);
    struct error err = {0};
    if (code == 0)
        output_renew_time(p->output);
    if (!output_close(p->output, &err)) {
        p->err = err; // the last word on how much is not saved
        code = 4;
    }
    p->output = NULL;
    while (sigtimedwait(&signals, NULL, &(struct timespec){0, 0}) > 0)
        ; // came too late to stop anything
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (p->err.class != ERROR_NONE)
        log_error("%s", p->err.text);
    return code;
}
