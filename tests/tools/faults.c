// faults.c: makes one call of a family fail, and tells which. A preloaded object, for torture.c.
//
//   LD_PRELOAD=faults.so FAULT="FAMILY N HOW" FAULT_REPORT=FILE COMMAND…
//
// The N-th call of FAMILY that is made once main has begun fails. HOW is the name of an error, with a
// "+" behind it if all calls after it fail too; or "short": half of what was asked for is read or
// written. When it happens, a line "FAMILY N OBJECT+OFFSET" is added to FILE: who had called.
// Families: see the table below; memory is what the program's own code allocates, library-memory the
// rest. What libc does within itself is not seen.
// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum family { READ, WRITE, SYNC, FILES, OPEN, NET, WAIT, THREAD, MEMORY, LIBRARY_MEMORY, NONE };

static const char *const families[] = {"read", "write", "sync",   "files",  "open",
                                       "net",  "wait",  "thread", "memory", "library-memory"};

static const struct {
    const char *name;
    int code;
} errors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},  {"ENOMEM", ENOMEM},
              {"EAGAIN", EAGAIN}, {"EMFILE", EMFILE}, {"EACCES", EACCES}};

static struct {
    enum family family;
    long at;
    int code; // 0: short
    bool for_good;
    uintptr_t program, program_end; // where its own code is
    atomic_long count;
    atomic_bool on;
} faults = {.family = NONE};

// -- which call fails --

// Only with what cannot fail in its turn.
static void report(const void *caller) {
    const char *path = getenv("FAULT_REPORT");
    char line[200];
    Dl_info info = {0};
    dladdr(caller, &info);
    const char *object = info.dli_fname ? info.dli_fname : "?", *slash = strrchr(object, '/');
    int n = snprintf(line, sizeof line, "%s %ld %s+%#lx\n", families[faults.family], faults.at,
                     slash ? slash + 1 : object, (uintptr_t)caller - (uintptr_t)info.dli_fbase);
    long fd = !path ? -1 : syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0)
        return;
    syscall(SYS_write, fd, line, n);
    syscall(SYS_close, fd);
}

static bool hits(enum family family, const void *caller) {
    if (family != faults.family || !atomic_load(&faults.on))
        return false;
    long n = atomic_fetch_add(&faults.count, 1) + 1;
    if (n < faults.at || (n > faults.at && !faults.for_good))
        return false;
    if (n == faults.at)
        report(caller);
    return true;
}

static bool fails(enum family family, const void *caller) {
    if (!hits(family, caller))
        return false;
    errno = faults.code;
    return true;
}

// How many bytes a call may move: 0 if it is to fail.
static size_t allowed(enum family family, size_t n, const void *caller) {
    if (!hits(family, caller))
        return n;
    errno = faults.code;
    return faults.code == 0 && n ? (n + 1) / 2 : 0;
}

static enum family memory_of(const void *caller) {
    uintptr_t at = (uintptr_t)caller;
    return at >= faults.program && at < faults.program_end ? MEMORY : LIBRARY_MEMORY;
}

// -- what to do, and from when on --

static void read_wish(void) {
    const char *wish = getenv("FAULT");
    char family[32], how[32];
    if (!wish || sscanf(wish, "%31s %ld %31s", family, &faults.at, how) != 3)
        return;
    size_t n = strcspn(how, "+");
    faults.for_good = how[n] == '+';
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strncmp(how, errors[i].name, n) == 0 && errors[i].name[n] == '\0')
            faults.code = errors[i].code;
    for (int i = 0; i < NONE; i++)
        if (strcmp(family, families[i]) == 0)
            faults.family = (enum family)i;
}

// The program is the first of the objects.
static int find_program(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size, (void)unused;
    faults.program = UINTPTR_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        uintptr_t end = start + info->dlpi_phdr[i].p_memsz;
        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        faults.program = start < faults.program ? start : faults.program;
        faults.program_end = end > faults.program_end ? end : faults.program_end;
    }
    return 1;
}

typedef int main_function(int, char **, char **);
static main_function *real_main;

static int counted_main(int argc, char **argv, char **environment) {
    read_wish();
    dl_iterate_phdr(find_program, NULL);
    atomic_store(&faults.on, true);
    return real_main(argc, argv, environment);
}

int __libc_start_main(main_function *program, int argc, char **argv, main_function *init,
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);
int __libc_start_main(main_function *program, int argc, char **argv, main_function *init,
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end) {
    __typeof__(&__libc_start_main) start;
    *(void **)&start = dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = program;
    return start(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}

// -- the calls --

#define CALLER __builtin_return_address(0)

// The real one is looked up before main as a rule: looking up may allocate.
#define NEXT(type, name, parameters)                                                               \
    static type(*next_##name) parameters;                                                          \
    __attribute__((constructor)) static void find_##name(void) {                                   \
        *(void **)&next_##name = dlsym(RTLD_NEXT, #name);                                          \
    }

#define WRAP(family, type, name, parameters, arguments, failure)                                   \
    NEXT(type, name, parameters)                                                                   \
    type name parameters {                                                                         \
        if (!next_##name)                                                                          \
            find_##name();                                                                         \
        return fails(family, CALLER) ? failure : next_##name arguments;                            \
    }

// For those that move n bytes.
#define WRAP_BYTES(family, name, parameters, arguments)                                            \
    NEXT(ssize_t, name, parameters)                                                                \
    ssize_t name parameters {                                                                      \
        if (!next_##name)                                                                          \
            find_##name();                                                                         \
        size_t most = allowed(family, n, CALLER);                                                  \
        if (n && !most)                                                                            \
            return -1;                                                                             \
        n = most;                                                                                  \
        return next_##name arguments;                                                              \
    }

WRAP_BYTES(READ, read, (int fd, void *p, size_t n), (fd, p, n))
WRAP_BYTES(READ, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
WRAP_BYTES(READ, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
WRAP_BYTES(WRITE, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP_BYTES(WRITE, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRAP_BYTES(WRITE, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
WRAP(WRITE, ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count), -1)

// libc itself has this one call write. Its counter is never full, nor does it take halves.
NEXT(int, eventfd_write, (int, eventfd_t))
int eventfd_write(int fd, eventfd_t by) {
    if (!next_eventfd_write)
        find_eventfd_write();
    bool can_fail = faults.code && faults.code != EAGAIN;
    return can_fail && fails(WRITE, CALLER) ? -1 : next_eventfd_write(fd, by);
}

WRAP(SYNC, int, fsync, (int fd), (fd), -1)
WRAP(SYNC, int, fdatasync, (int fd), (fd), -1)

WRAP(FILES, int, ftruncate, (int fd, off_t size), (fd, size), -1)
WRAP(FILES, int, rename, (const char *from, const char *to), (from, to), -1)
WRAP(FILES, int, unlink, (const char *path), (path), -1)
WRAP(FILES, off_t, lseek, (int fd, off_t at, int whence), (fd, at, whence), -1)
WRAP(FILES, int, flock, (int fd, int how), (fd, how), -1)
WRAP(FILES, int, stat, (const char *path, struct stat *to), (path, to), -1)
WRAP(FILES, int, fstat, (int fd, struct stat *to), (fd, to), -1)
WRAP(FILES, int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
WRAP(FILES, char *, realpath, (const char *path, char *to), (path, to), NULL)

WRAP(OPEN, FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL)

NEXT(int, open, (const char *, int, ...))
int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (!next_open)
        find_open();
    return fails(OPEN, CALLER) ? -1 : next_open(path, flags, mode);
}

WRAP(NET, int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1)
WRAP(NET, int, connect, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), -1)
WRAP(NET, int, epoll_create1, (int flags), (flags), -1)
WRAP(NET, int, eventfd, (unsigned int count, int flags), (count, flags), -1)
WRAP(NET, int, signalfd, (int fd, const sigset_t *signals, int flags), (fd, signals, flags), -1)
WRAP(NET, int, socketpair, (int domain, int type, int protocol, int fds[2]),
     (domain, type, protocol, fds), -1)

// Taking a descriptor out needs nothing that could be short.
NEXT(int, epoll_ctl, (int, int, int, struct epoll_event *))
int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event) {
    if (!next_epoll_ctl)
        find_epoll_ctl();
    return op != EPOLL_CTL_DEL && fails(NET, CALLER) ? -1 : next_epoll_ctl(epoll, op, fd, event);
}

WRAP(WAIT, int, poll, (struct pollfd * fds, nfds_t count, int ms), (fds, count, ms), -1)
WRAP(WAIT, int, ppoll,
     (struct pollfd * fds, nfds_t count, const struct timespec *most, const sigset_t *mask),
     (fds, count, most, mask), -1)
WRAP(WAIT, int, epoll_wait, (int epoll, struct epoll_event *events, int most, int ms),
     (epoll, events, most, ms), -1)
WRAP(WAIT, int, epoll_pwait2,
     (int epoll, struct epoll_event *events, int most, const struct timespec *until,
      const sigset_t *mask),
     (epoll, events, most, until, mask), -1)

NEXT(int, pthread_create, (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                   void *argument) {
    if (!next_pthread_create)
        find_pthread_create();
    return fails(THREAD, CALLER) ? faults.code
                                 : next_pthread_create(thread, attributes, body, argument);
}

// libc's own names for these need no looking up, which would allocate.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t boundary, size_t size);

void *malloc(size_t size) {
    return fails(memory_of(CALLER), CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return fails(memory_of(CALLER), CALLER) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *p, size_t size) {
    return fails(memory_of(CALLER), CALLER) ? NULL : __libc_realloc(p, size);
}

void *aligned_alloc(size_t boundary, size_t size) {
    return fails(memory_of(CALLER), CALLER) ? NULL : __libc_memalign(boundary, size);
}

int posix_memalign(void **p, size_t boundary, size_t size) {
    *p = fails(memory_of(CALLER), CALLER) ? NULL : __libc_memalign(boundary, size);
    return *p ? 0 : ENOMEM;
}

NEXT(void *, mmap, (void *, size_t, int, int, int, off_t))
void *mmap(void *place, size_t n, int protection, int flags, int fd, off_t at) {
    if (!next_mmap)
        find_mmap();
    return fails(memory_of(CALLER), CALLER) ? MAP_FAILED
                                            : next_mmap(place, n, protection, flags, fd, at);
}

NEXT(void *, mremap, (void *, size_t, size_t, int, ...))
void *mremap(void *old, size_t before, size_t after, int flags, ...) {
    va_list args;
    va_start(args, flags);
    void *place = flags & MREMAP_FIXED ? va_arg(args, void *) : NULL;
    va_end(args);
    if (!next_mremap)
        find_mremap();
    return fails(memory_of(CALLER), CALLER) ? MAP_FAILED
                                            : next_mremap(old, before, after, flags, place);
}
