// carrier.c (test): every errand comes back exactly once, however it ends and whoever carries it.
// SPDX-License-Identifier: MIT
#include "runner/carrier.h"

#include "jobs/base/clock.h"
#include "pool/catalogue.h"
#include "runner/wake.h"
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MANY 60

// A port that takes connections and never says a word, and how it is reached.
static struct {
    int listener;
    char url[64], nobody[64];
} world;

static struct carriers carriers;
static struct engine *engine;
static int wake_fd;

static struct parcel {
    struct errand errand;
    struct job *job;
    struct route route;
    struct answer_stream stream;
    void *auth;
    struct secret *secret;
    int back;
} parcels[MANY];

static int listen_at(char *url, size_t size) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    snprintf(url, size, "http://127.0.0.1:%d/v1", ntohs(at.sin_port));
    return fd;
}

static int make_world(void **state) {
    (void)state;
    struct error err = {0};
    world.listener = listen_at(world.url, sizeof world.url);
    assert_int_equal(listen(world.listener, 2 * MANY), 0);
    listen_at(world.nobody, sizeof world.nobody); // bound, and not listened at
    return engine_global_init(&err) ? 0 : -1;
}

static void open_carriers(int64_t threads, const char *cacert_of_further) {
    struct error err = {0};
    wake_fd = wake_new();
    struct engine_options transport = {
        .connect_timeout = 10 * USEC_PER_SEC, .no_proxy = true, .wake_fd = wake_fd};
    engine = engine_open(&transport, &err);
    assert_non_null(engine);
    transport.cacert = cacert_of_further;
    struct carriers_options options = {
        .engine = engine, .transport = transport, .threads = threads, .slots = MANY};
    carriers_open(&carriers, &options);
}

static void close_carriers(void) {
    carriers_close(&carriers);
    engine_close(engine);
    close(wake_fd);
}

static void pack(struct parcel *p, char *url, const char *row_url) {
    const struct provider *provider = catalogue_find(SLICE("openai"));
    *p = (struct parcel){.job = job_new(1024, 1024), .secret = secret_new(SLICE("a-secret-key"))};
    p->route = (struct route){.provider = provider, .base_url = url};
    p->route.defaults.model = SLICE("\"model-1\"");
    p->job->request.prompt = SLICE("\"hello\"");
    if (row_url)
        p->job->request = (struct request){
            .shape = ROW_BATCH_OPENAI, .body = SLICE("{}"), .url = slice_str(row_url)};
    p->auth = transfer_auth_new(provider, p->secret);
    answer_stream_init(&p->stream, 1024);
    p->errand = (struct errand){.job = p->job,
                                .route = &p->route,
                                .auth = p->auth,
                                .timeout = 60 * USEC_PER_SEC,
                                .reply = &p->job->body,
                                .scratch = &p->job->scratch,
                                .result = &p->job->result,
                                .stream = &p->stream};
}

static void unpack(struct parcel *p) {
    answer_stream_free(&p->stream);
    transfer_auth_free(p->auth);
    secret_free(p->secret);
    job_free(p->job);
}

static void send_all(char *url, const char *row_url) {
    for (size_t i = 0; i < MANY; i++) {
        pack(&parcels[i], url, row_url);
        carriers_send(&carriers, &parcels[i].errand);
    }
}

// Until as many are back, each once and with this end.
static void take_back(size_t count, enum errand_end end) {
    struct errand *e;
    while (count) {
        carriers_wait(&carriers, TIME_NEVER);
        while ((e = carriers_next(&carriers))) {
            struct parcel *p = LIST_ENTRY(e, struct parcel, errand);
            assert_int_equal(p->back++, 0);
            assert_int_equal(e->end, end);
            if (end == ERRAND_ANSWERED)
                assert_int_equal(e->found->verdict.outcome, OUTCOME_NETWORK);
            if (end == ERRAND_UNSENT)
                assert_non_null(e->what);
            unpack(p);
            assert_true(count-- > 0);
        }
    }
    for (size_t i = 0; i < carriers.count; i++)
        assert_int_equal(carriers.under_way[i], 0);
}

static void stop_all(void) {
    for (size_t i = 0; i < MANY; i++)
        carriers_stop(&carriers, &parcels[i].errand);
}

static void answers_come_back(void **state) {
    (void)state;
    for (int64_t threads = 1; threads <= 6; threads++) {
        open_carriers(threads, NULL);
        assert_int_equal(carriers.count, threads);
        for (int round = 0; round < 3; round++) {
            send_all(world.nobody, NULL);
            take_back(MANY, ERRAND_ANSWERED);
        }
        close_carriers();
    }
}

static void what_cannot_be_sent_comes_back(void **state) {
    (void)state;
    for (int64_t threads = 1; threads <= 3; threads++) {
        open_carriers(threads, NULL);
        send_all(world.url, "/v1/chat completions");
        take_back(MANY, ERRAND_UNSENT);
        close_carriers();
    }
}

static void stopped_before_it_began(void **state) {
    (void)state;
    for (int64_t threads = 1; threads <= 3; threads++) {
        open_carriers(threads, NULL);
        send_all(world.url, NULL);
        stop_all();
        take_back(MANY, ERRAND_STOPPED);
        close_carriers();
    }
}

static bool all_begun(void) {
    for (size_t i = 0; i < MANY; i++)
        if (!atomic_load(&parcels[i].errand.begun))
            return false;
    return true;
}

static void stopped_while_it_is_out(void **state) {
    (void)state;
    for (int64_t threads = 1; threads <= 3; threads++) {
        open_carriers(threads, NULL);
        send_all(world.url, NULL);
        while (!all_begun())
            carriers_wait(&carriers, clock_now() + USEC_PER_MS);
        stop_all();
        take_back(MANY, ERRAND_STOPPED);
        close_carriers();
    }
}

// Some are back on this thread, some on the way, some not yet done.
static void stopped_when_it_may_be_done(void **state) {
    (void)state;
    for (int64_t pause = 0; pause < 20; pause++) {
        open_carriers(3, NULL);
        send_all(world.nobody, NULL);
        carriers_wait(&carriers, 0);
        carriers_wait(&carriers, clock_now() + pause * 200);
        stop_all();
        take_back(MANY, ERRAND_STOPPED);
        close_carriers();
    }
}

static void stopped_when_it_cannot_be_sent(void **state) {
    (void)state;
    open_carriers(3, NULL);
    send_all(world.url, "/v1/chat completions");
    stop_all();
    take_back(MANY, ERRAND_STOPPED);
    close_carriers();
}

static void goes_on_without_a_thread_that_cannot_be_had(void **state) {
    (void)state;
    open_carriers(4, "/nonexistent/file.pem");
    assert_int_equal(carriers.count, 1);
    send_all(world.nobody, NULL);
    take_back(MANY, ERRAND_ANSWERED);
    close_carriers();
}

static void requests_are_shared_as_the_watch_says(void **state) {
    (void)state;
    open_carriers(2, NULL);
    carriers.watch.share = 0;
    send_all(world.nobody, NULL);
    assert_true(carriers.under_way[0] < carriers.under_way[1] / 2);
    take_back(MANY, ERRAND_ANSWERED);
    assert_int_equal(carriers.returned, MANY);
    carriers.watch.share = 1;
    send_all(world.nobody, NULL);
    assert_in_range(carriers.under_way[0], MANY / 2, MANY / 2 + 1);
    take_back(MANY, ERRAND_ANSWERED);
    close_carriers();
}

static void burn(int64_t usec) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    int64_t until = used.tv_sec * USEC_PER_SEC + used.tv_nsec / 1000 + usec;
    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    while (used.tv_sec * USEC_PER_SEC + used.tv_nsec / 1000 < until);
}

static void auto_starts_one_while_others_are_out(void **state) {
    (void)state;
    int64_t now = 5000 * USEC_PER_SEC;
    open_carriers(0, NULL);
    assert_int_equal(carriers.count, 1);
    carriers.most = 2; // wherever the test runs
    send_all(world.url, NULL);
    carriers_look(&carriers, now);
    carriers_look(&carriers, now += USEC_PER_SEC);
    assert_int_equal(carriers.count, 1);
    burn(USEC_PER_SEC);
    carriers_look(&carriers, now += USEC_PER_SEC);
    assert_int_equal(carriers.count, 2);
    burn(USEC_PER_SEC);
    carriers_look(&carriers, now += USEC_PER_SEC);
    assert_int_equal(carriers.count, 2);
    stop_all();
    take_back(MANY, ERRAND_STOPPED);
    send_all(world.nobody, NULL);
    assert_true(carriers.under_way[1] > carriers.under_way[0]);
    take_back(MANY, ERRAND_ANSWERED);
    close_carriers();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_back),
        cmocka_unit_test(what_cannot_be_sent_comes_back),
        cmocka_unit_test(stopped_before_it_began),
        cmocka_unit_test(stopped_while_it_is_out),
        cmocka_unit_test(stopped_when_it_may_be_done),
        cmocka_unit_test(stopped_when_it_cannot_be_sent),
        cmocka_unit_test(goes_on_without_a_thread_that_cannot_be_had),
        cmocka_unit_test(requests_are_shared_as_the_watch_says),
        cmocka_unit_test(auto_starts_one_while_others_are_out),
    };
    return cmocka_run_group_tests(tests, make_world, NULL);
}
