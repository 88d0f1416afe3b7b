// Tests runner/queue.c and runner/credits.c: threads that hand jobs round, none lost, never too many.
// SPDX-License-Identifier: MIT
#include "runner/queue.h"

#include "jobs/base/clock.h"
#include "runner/credits.h"
#include "runner/wake.h"
#include "tests/unit/check.h"

#include <poll.h>
#include <unistd.h>

#define ROUNDS 20000
#define MOST   7

static struct shared {
    struct credits credits;
    struct queue forth;
} shared;

static void *produce(void *unused) {
    (void)unused;
    for (int64_t i = 0; i < ROUNDS; i++) {
        struct job *job = credits_take(&shared.credits);
        assert_non_null(job);
        assert_true(job->index == 0 && job->state == JOB_IDLE);
        job->index = i + 1;
        buf_add(&job->line, "0123456789", 10);
        assert_true(credits_charge(&shared.credits, job));
        job_set_state(job, JOB_FINISHED);
        struct list one;
        list_init(&one);
        list_push(&one, &job->node);
        queue_push(&shared.forth, &one);
    }
    queue_close(&shared.forth);
    return NULL;
}

static void open_shared(size_t bytes, int wake_fd) {
    credits_init(
        &shared.credits,
        &(struct credits_options){.jobs = MOST, .bytes = bytes, .line_max = 100, .body_max = 100});
    queue_init(&shared.forth, wake_fd);
}

static void close_shared(void) {
    queue_free(&shared.forth);
    credits_free(&shared.credits); // aborts if a job was lost
}

static int64_t consume(struct list *jobs, int64_t last) {
    struct list *node;
    int count = 0;
    while ((node = list_pop(jobs))) {
        struct job *job = LIST_ENTRY(node, struct job, node);
        assert_true(job->index == ++last);
        job_set_state(job, JOB_IDLE);
        credits_give_one(&shared.credits, job);
        count++;
    }
    assert_in_range(count, 0, MOST);
    return last;
}

static void a_waiting_consumer_gets_all_in_order(void **state) {
    (void)state;
    static const size_t bytes[] = {1000, 30, 5}; // 5: less than one row, which still comes in alone
    for (size_t i = 0; i < COUNT_OF(bytes); i++) {
        pthread_t producer;
        struct list jobs;
        int64_t last = 0;
        open_shared(bytes[i], -1);
        list_init(&jobs);
        pthread_create(&producer, NULL, produce, NULL);
        bool more = true;
        while (more) {
            more = queue_wait(&shared.forth, &jobs, TIME_NEVER);
            last = consume(&jobs, last);
        }
        assert_true(last == ROUNDS);
        pthread_join(producer, NULL);
        assert_true(shared.credits.bytes == 0);
        close_shared();
    }
}

// Takes once and then sleeps, whether it got something or not, as a loop does that has nothing in
// flight.
static void an_eventfd_wakes_a_consumer_that_sleeps_after_each_take(void **state) {
    (void)state;
    pthread_t producer;
    struct list jobs;
    int64_t last = 0;
    int fd = wake_new();
    open_shared(1000, fd);
    list_init(&jobs);
    pthread_create(&producer, NULL, produce, NULL);
    bool more = queue_take(&shared.forth, &jobs);
    while (more) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        uint64_t count;
        last = consume(&jobs, last);
        assert_int_equal(poll(&wait, 1, 10000), 1); // a lost wake-up would time out
        assert_int_equal(read(fd, &count, sizeof count), sizeof count);
        more = queue_take(&shared.forth, &jobs);
    }
    last = consume(&jobs, last);
    assert_true(last == ROUNDS);
    pthread_join(producer, NULL);
    close_shared();
    close(fd);
}

// What was pushed before the end comes with the news of the end: there is nothing to wait for.
static void the_last_jobs_come_with_the_end(void **state) {
    (void)state;
    struct list jobs;
    open_shared(1000, -1);
    list_init(&jobs);
    struct job *job = credits_take(&shared.credits);
    list_push(&jobs, &job->node);
    queue_push(&shared.forth, &jobs);
    queue_close(&shared.forth);
    assert_false(queue_take(&shared.forth, &jobs));
    assert_false(list_is_empty(&jobs));
    credits_give(&shared.credits, &jobs);
    close_shared();
}

static void *take_until_stopped(void *unused) {
    (void)unused;
    struct job *job;
    while ((job = credits_take(&shared.credits))) {
        struct list one;
        list_init(&one);
        list_push(&one, &job->node);
        job_set_state(job, JOB_FINISHED);
        queue_push(&shared.forth, &one);
    }
    return NULL;
}

static void stopping_frees_a_reader_that_waits(void **state) {
    (void)state;
    pthread_t reader;
    struct list jobs, *node;
    open_shared(1000, -1);
    list_init(&jobs);
    pthread_create(&reader, NULL, take_until_stopped, NULL);
    int seen = 0;
    while (seen < MOST && queue_wait(&shared.forth, &jobs, TIME_NEVER))
        for (node = jobs.next, seen = 0; node != &jobs; node = node->next)
            seen++;
    credits_stop(&shared.credits); // it has none left to take
    pthread_join(reader, NULL);
    while ((node = list_pop(&jobs))) {
        struct job *job = LIST_ENTRY(node, struct job, node);
        job_set_state(job, JOB_IDLE);
        credits_give_one(&shared.credits, job);
    }
    close_shared();
}

// While it may, a reader goes on without a credit that came back, whether it waited before or comes to
// wait afterwards, up to a bound.
static void credits_stretch_for_a_reader(void **state) {
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        pthread_t reader;
        struct list jobs, *node;
        size_t seen = 0;
        open_shared(1000, -1);
        list_init(&jobs);
        if (!waits)
            credits_may_stretch(&shared.credits, true);
        pthread_create(&reader, NULL, take_until_stopped, NULL);
        for (int i = 0; i < 100000 && seen < MOST * CREDITS_STRETCH; i++) {
            if (waits && seen == MOST)
                credits_may_stretch(&shared.credits, true);
            usleep(100);
            queue_take(&shared.forth, &jobs);
            for (node = jobs.next, seen = 0; node != &jobs; node = node->next)
                seen++;
        }
        assert_int_equal(seen, MOST * CREDITS_STRETCH);
        credits_stop(&shared.credits);
        pthread_join(reader, NULL);
        assert_int_equal(shared.credits.most, MOST * CREDITS_STRETCH);
        while ((node = list_pop(&jobs))) {
            struct job *job = LIST_ENTRY(node, struct job, node);
            job_set_state(job, JOB_IDLE);
            credits_give_one(&shared.credits, job);
        }
        close_shared();
    }
}

static bool reader_waits(void) {
    pthread_mutex_lock(&shared.credits.lock);
    bool waits = shared.credits.waiting;
    pthread_mutex_unlock(&shared.credits.lock);
    return waits;
}

static size_t taken(const struct list *jobs) {
    size_t count = 0;
    for (const struct list *node = jobs->next; node != jobs; node = node->next)
        count++;
    return count;
}

// Until the reader has taken so many and waits for more.
static void await_taken(struct list *jobs, size_t count) {
    for (int i = 0; i < 100000 && (taken(jobs) < count || !reader_waits()); i++) {
        usleep(100);
        queue_take(&shared.forth, jobs);
    }
    assert_int_equal(taken(jobs), count);
}

static void give_first(struct list *jobs) {
    struct job *job = LIST_ENTRY(list_pop(jobs), struct job, node);
    job_set_state(job, JOB_IDLE);
    credits_give_one(&shared.credits, job);
}

// Fewer than a waiting reader is otherwise woken for: nobody else will give any back.
static void while_it_may_stretch_a_reader_takes_the_few_that_came_back(void **state) {
    (void)state;
    pthread_t reader;
    struct list jobs;
    open_shared(1000, -1);
    list_init(&jobs);
    pthread_create(&reader, NULL, take_until_stopped, NULL);
    await_taken(&jobs, MOST);
    give_first(&jobs);
    credits_may_stretch(&shared.credits, true);
    await_taken(&jobs, MOST * CREDITS_STRETCH); // at its bound now
    give_first(&jobs);
    await_taken(&jobs, MOST * CREDITS_STRETCH);
    credits_stop(&shared.credits);
    pthread_join(reader, NULL);
    while (!list_is_empty(&jobs))
        give_first(&jobs);
    close_shared();
}

static void a_consumer_that_waits_for_a_time_comes_back_with_nothing(void **state) {
    (void)state;
    struct queue queue;
    struct list jobs;
    queue_init(&queue, -1);
    list_init(&jobs);
    int64_t until = clock_now() + 20 * USEC_PER_MS;
    assert_true(queue_wait(&queue, &jobs, until));
    assert_true(clock_now() >= until);
    assert_true(list_is_empty(&jobs));
    assert_true(queue_wait(&queue, &jobs, 0)); // a time long gone
    queue_close(&queue);
    assert_false(queue_wait(&queue, &jobs, TIME_NEVER));
    queue_free(&queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_waiting_consumer_gets_all_in_order),
        cmocka_unit_test(an_eventfd_wakes_a_consumer_that_sleeps_after_each_take),
        cmocka_unit_test(the_last_jobs_come_with_the_end),
        cmocka_unit_test(stopping_frees_a_reader_that_waits),
        cmocka_unit_test(a_consumer_that_waits_for_a_time_comes_back_with_nothing),
        cmocka_unit_test(credits_stretch_for_a_reader),
        cmocka_unit_test(while_it_may_stretch_a_reader_takes_the_few_that_came_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
