// A connection to the simulator and the request that is on it, as libmicrohttpd drives them.
//
// Runs on the simulator's thread only.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_EXCHANGE_H
#define RUNNER_SIMULATE_EXCHANGE_H

#include "jobs/base/heap.h"
#include "runner/simulate/answer.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

// What libmicrohttpd may use for the headers of one request and its answer.
#define EXCHANGE_MEMORY ((size_t)8 << 10)

struct simulator {
    struct answerer answerer;
    struct MHD_Daemon *daemon;
    int port;
    int stop_fd; // readable when it is to stop
    atomic_bool stopping;
    pthread_t thread;
    struct heap waiting; // exchanges whose connection is suspended until their timer
    int64_t next_release;
};

enum phase {
    EXCHANGE_READING, // the request is coming in
    EXCHANGE_WAITING, // its answer is made and not due yet
    EXCHANGE_SENDING,
};

struct exchange {
    struct simulator *sim;
    struct MHD_Connection *connection;
    struct heap_node timer;
    enum phase phase;
    struct buf in, out;
    struct answer answer;
    int64_t last_key;
    bool unsettled;  // the ledger counts it as in flight
    size_t ready;    // bytes of out that may have left by now
    int64_t started; // when the first of them left
};

// The timer of a suspended exchange has come: what it waited for goes on.
void exchange_resume(struct exchange *x);

// For MHD_start_daemon(); the context is the simulator.
enum MHD_Result exchange_on_request(void *context, struct MHD_Connection *connection,
                                    const char *path, const char *method, const char *version,
                                    const char *upload, size_t *upload_size, void **request);
void exchange_on_completed(void *context, struct MHD_Connection *connection, void **request,
                           enum MHD_RequestTerminationCode why);
void exchange_on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode what);

#endif
