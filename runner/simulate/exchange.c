// exchange.c: one request to the simulator, from its first header to the last byte of its answer.
// Runs on the simulator's thread.
// SPDX-License-Identifier: MIT
#include "runner/simulate/exchange.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "runner/simulate/dialect.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#define BODY_MAX   ((size_t)256 << 20)
#define KEEP_BYTES ((size_t)16 << 10)
#define PIECES     10                  // an answer that is spread over time comes in so many
#define LOOK_EVERY (100 * USEC_PER_MS) // whether a client that gets nothing more has gone

// -- one exchange --

static void settle(struct exchange *x, bool failed) {
    if (!x->unsettled)
        return;
    x->unsettled = false;
    if (failed)
        x->answer.settlement.how = SETTLED_FAILED;
    ledger_settle(x->sim->answerer.ledger, x->answer.key, &x->answer.settlement, clock_now());
}

static void wait_until(struct exchange *x, int64_t due) {
    MHD_suspend_connection(x->connection);
    heap_set(&x->sim->waiting, &x->timer, due);
}

static int socket_of(struct exchange *x) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

// Disconnecting a TCP socket makes the kernel send RST at once, before libmicrohttpd can say FIN.
static void reset_connection(struct exchange *x) {
    connect(socket_of(x), &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr));
}

// Whether the client has gone while its answer was waiting: then it has counted a failure.
static bool client_is_gone(struct exchange *x) {
    char byte;
    ssize_t n = recv(socket_of(x), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

// The end of the next piece: for a stream, at the end of an event where one ends in time.
static size_t next_ready(const struct exchange *x) {
    size_t n = x->out.n, end = x->ready + n / PIECES + 1;
    if (end >= n)
        return n;
    if (!x->answer.events)
        return end;
    return events_end(x->answer.events, buf_slice(&x->out), end);
}

static void advance(struct exchange *x) {
    x->ready = x->answer.spread ? next_ready(x) : x->out.n;
    if (x->ready == x->out.n)
        settle(x, false);
}

// Nothing more comes, until the client has had enough.
static ssize_t stall(struct exchange *x) {
    if (client_is_gone(x))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    wait_until(x, clock_now() + LOOK_EVERY);
    return 0;
}

// libmicrohttpd asks for the next bytes of an answer that is not sent in one go.
static ssize_t read_piece(void *context, uint64_t at, char *to, size_t max) {
    struct exchange *x = context;
    if (atomic_load_explicit(&x->sim->stopping, memory_order_relaxed))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (at < x->ready) {
        size_t n = x->ready - at < max ? x->ready - at : max;
        memcpy(to, x->out.p + at, n);
        return (ssize_t)n;
    }
    if (x->answer.manner == SEND_TRUNCATED)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (x->answer.manner == SEND_STALLED)
        return stall(x);
    if (at >= x->out.n)
        return MHD_CONTENT_READER_END_OF_STREAM;
    // a piece is due when its share of the whole is: the last byte leaves at the end of `spread`
    double share = (double)next_ready(x) / (double)x->out.n;
    wait_until(x, x->started + (int64_t)((double)x->answer.spread * share));
    return 0;
}

void exchange_resume(struct exchange *x) {
    if (x->phase == EXCHANGE_SENDING && x->answer.manner != SEND_STALLED)
        advance(x);
    MHD_resume_connection(x->connection);
}

// -- headers --

static void add_headers(struct MHD_Response *r, const struct answer *answer) {
    MHD_add_response_header(r, "content-type", answer->content_type);
    for (int i = 0; i < answer->headers.count; i++)
        MHD_add_response_header(r, answer->headers.header[i].name, answer->headers.header[i].value);
}

// -- sending --

static struct MHD_Response *make_response(struct exchange *x) {
    static char nothing[1];
    struct buf *out = &x->out;
    bool stream = x->answer.events && x->answer.manner != SEND_TRUNCATED;
    if (x->answer.manner == SEND_WHOLE) // the bytes stay in `out` until the exchange is over
        return MHD_create_response_from_buffer(out->n, out->n ? out->p : nothing,
                                               MHD_RESPMEM_PERSISTENT);
    return MHD_create_response_from_callback(stream ? MHD_SIZE_UNKNOWN : out->n,
                                             EXCHANGE_MEMORY / 4, read_piece, x, NULL);
}

static enum MHD_Result send_answer(struct exchange *x) {
    x->phase = EXCHANGE_SENDING;
    if (x->answer.manner == SEND_RESET) {
        settle(x, true);
        reset_connection(x);
        return MHD_NO;
    }
    struct MHD_Response *response = make_response(x);
    if (!response)
        die("out of memory");
    if (x->answer.manner == SEND_TRUNCATED || x->answer.manner == SEND_STALLED) {
        bool half = x->answer.manner == SEND_TRUNCATED || !x->answer.events;
        x->ready = half ? x->out.n / 2 : x->out.n;
        settle(x, true);
    } else {
        x->started = clock_now();
        advance(x);
    }
    add_headers(response, &x->answer);
    enum MHD_Result queued =
        MHD_queue_response(x->connection, (unsigned)x->answer.status, response);
    MHD_destroy_response(response);
    return queued;
}

static struct slice find_header(const void *exchange, const char *name) {
    const struct exchange *x = exchange;
    return slice_str(MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name));
}

static struct slice find_argument(const void *exchange, const char *name) {
    const struct exchange *x = exchange;
    return slice_str(MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, name));
}

static void make_answer(struct exchange *x, const char *path, const char *method) {
    struct ask ask = {
        .method = method,
        .path = path,
        .authorization = find_header(x, "Authorization"),
        .header = find_header,
        .argument = find_argument,
        .context = x,
        .body = buf_slice(&x->in),
        .too_large = x->in.failed,
        .last_key = x->last_key,
    };
    answer_make(&x->sim->answerer, &ask, clock_now(), &x->answer, &x->out);
    x->unsettled = x->answer.key != 0;
    if (x->answer.key)
        x->last_key = x->answer.key;
}

// The answer that was waited for is due.
static enum MHD_Result go_on(struct exchange *x) {
    if (atomic_load_explicit(&x->sim->stopping, memory_order_relaxed) || client_is_gone(x))
        return MHD_NO;
    if (x->answer.manner != SEND_NOTHING)
        return send_answer(x);
    wait_until(x, clock_now() + LOOK_EVERY);
    return MHD_YES;
}

// libmicrohttpd calls this once with the headers, then for each part of the body, then once more;
// and again when a suspended connection was resumed.
enum MHD_Result exchange_on_request(void *context, struct MHD_Connection *connection,
                                    const char *path, const char *method, const char *version,
                                    const char *upload, size_t *upload_size, void **request) {
    (void)context, (void)version;
    struct exchange *x = *request;
    if (!x) {
        x = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
        *request = x;
        x->connection = connection;
        x->phase = EXCHANGE_READING;
        x->ready = 0;
        return MHD_YES;
    }
    if (*upload_size) {
        buf_add(&x->in, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (x->phase == EXCHANGE_WAITING)
        return go_on(x);
    make_answer(x, path, method);
    if (x->answer.manner == SEND_NOTHING) {
        settle(x, true);
        x->answer.delay = LOOK_EVERY;
    }
    if (x->answer.delay <= 0)
        return send_answer(x);
    x->phase = EXCHANGE_WAITING;
    wait_until(x, clock_now() + x->answer.delay);
    return MHD_YES;
}

// However a request ended; what was not answered until now has failed.
void exchange_on_completed(void *context, struct MHD_Connection *connection, void **request,
                           enum MHD_RequestTerminationCode why) {
    (void)context, (void)connection, (void)why;
    struct exchange *x = *request;
    if (!x)
        return;
    settle(x, true);
    buf_recycle(&x->in, KEEP_BYTES);
    buf_recycle(&x->out, KEEP_BYTES);
    *request = NULL;
}

void exchange_on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode what) {
    (void)connection;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        struct exchange *x = mem_zero(1, sizeof *x);
        x->sim = context;
        x->in = x->out = BUF_INIT(BODY_MAX);
        *socket_context = x;
        return;
    }
    struct exchange *x = *socket_context;
    heap_remove(&x->sim->waiting, &x->timer);
    buf_free(&x->in);
    buf_free(&x->out);
    free(x);
    *socket_context = NULL;
}
