// keyring.c, keyring_env.c, keyring_file.c: every source, names, duplicates, wiping, many keys.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring.h"

#include "jobs/base/clock.h"
#include "tests/unit/pool/keys/load.h"

#include <fcntl.h>

// An environment that can be written to, as the real one can.
static char **environment(const char *const *texts) {
    size_t n = 0;
    while (texts[n])
        n++;
    char **copy = calloc(n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = strdup(texts[i]);
    return copy;
}

static void free_environment(char **texts) {
    for (size_t i = 0; texts[i]; i++)
        free(texts[i]);
    free(texts);
}

#define ENVIRONMENT(...) environment((const char *const[]){__VA_ARGS__, NULL})

static void assert_environment(char **texts, const char *expected) {
    struct loaded l = load((struct keyring_options){.environment = texts});
    assert_keys(&l, expected);
    unload(&l);
    free_environment(texts);
}

static void reads_the_environment(void **state) {
    (void)state;
    assert_environment(ENVIRONMENT("PATH=/bin"), "");
    assert_environment(ENVIRONMENT("OPENAI_API_KEY=a"), "openai-1=a(OPENAI_API_KEY)\n");
    assert_environment(ENVIRONMENT("OPENAI_API_KEY= a , ,b,,\tc \r"),
                       "openai-1=a(OPENAI_API_KEY item 1)\n"
                       "openai-2=b(OPENAI_API_KEY item 2)\n"
                       "openai-3=c(OPENAI_API_KEY item 3)\n");
    assert_environment(ENVIRONMENT("OPENAI_API_KEY=", "ZAI_API_KEY= , ,"), "");
    assert_environment(ENVIRONMENT("OPENAI_API_KEY"), "");
    // numbered, with gaps, in no order; not every name that begins alike
    assert_environment(ENVIRONMENT("ZAI_API_KEY_70=g", "ZAI_API_KEY_2=b", "ZAI_API_KEY_=x",
                                   "ZAI_API_KEY_A=x", "ZAI_API_KEYS=x", "MY_ZAI_API_KEY=x",
                                   "ZAI_API_KEY_1=a", "zai_api_key=x", "ZAI_API_KEY_2B=x"),
                       "zai-1=a(ZAI_API_KEY_1)\nzai-2=b(ZAI_API_KEY_2)\n"
                       "zai-70=g(ZAI_API_KEY_70)\n");
    assert_environment(ENVIRONMENT("ZAI_API_KEY_007=a", "ZAI_API_KEY_0=b"),
                       "zai-0=b(ZAI_API_KEY_0)\nzai-7=a(ZAI_API_KEY_007)\n");
    assert_environment(ENVIRONMENT("ZAI_API_KEY_999999999999999999999999=a"),
                       "zai-1=a(ZAI_API_KEY_999999999999999999999999)\n");
    // both of Google's names
    assert_environment(ENVIRONMENT("GEMINI_API_KEY=b", "GOOGLE_API_KEY=a", "GEMINI_API_KEY_5=c"),
                       "google-1=a(GOOGLE_API_KEY)\ngoogle-2=b(GEMINI_API_KEY)\n"
                       "google-5=c(GEMINI_API_KEY_5)\n");
    // providers in the catalogue's order
    assert_environment(ENVIRONMENT("GROQ_API_KEY=g", "BIGMODEL_API_KEY=b"),
                       "bigmodel-1=b(BIGMODEL_API_KEY)\ngroq-1=g(GROQ_API_KEY)\n");
}

static void gives_each_name_once(void **state) {
    (void)state;
    // a variable's own number goes before what was displaced
    assert_environment(
        ENVIRONMENT("OPENAI_API_KEY=a,b,c", "OPENAI_API_KEY_2=d", "OPENAI_API_KEY_4=e"),
        "openai-1=a(OPENAI_API_KEY item 1)\nopenai-2=b(OPENAI_API_KEY item 2)\n"
        "openai-3=c(OPENAI_API_KEY item 3)\nopenai-5=d(OPENAI_API_KEY_2)\n"
        "openai-4=e(OPENAI_API_KEY_4)\n");
    assert_environment(ENVIRONMENT("OPENAI_API_KEY_3=a,b"),
                       "openai-3=a(OPENAI_API_KEY_3 item 1)\n"
                       "openai-1=b(OPENAI_API_KEY_3 item 2)\n");
}

static void wipes_what_it_read(void **state) {
    (void)state;
    char **texts =
        ENVIRONMENT("HOME=/root", "OPENAI_API_KEY=sk-one,sk-two", "ZAI_API_KEY_2=zz",
                    "OPENAI_API_KEY_PATH=/x", "GROQ_API_KEY=bad key", "TOKEN=t0k", "OTHER=stays");
    write_file("pool.json",
               SLICE("{\"providers\":{\"groq\":{\"keys\":[{\"key\":\"env:TOKEN\"}]}}}"));
    struct loaded l = load((struct keyring_options){
        .keys_file = "pool.json", .environment = texts, .wanted = "openai,groq"});
    assert_true(l.good);
    assert_int_equal(l.ring.count, 4);
    static const char *const after[] = {
        "HOME=/root",    "OPENAI_API_KEY=", "ZAI_API_KEY_2=", "OPENAI_API_KEY_PATH=/x",
        "GROQ_API_KEY=", "TOKEN=",          "OTHER=stays"};
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(texts[i], after[i]);
    for (size_t i = 0; i < 12; i++) // the bytes behind the first are gone too
        assert_int_equal(texts[1][15 + i], 0);
    unload(&l);
    free_environment(texts);
}

// The same for a real process: what /proc says of its environment.
static void wipes_proc_environ(void **state) {
    (void)state;
    int out[2];
    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    if (child == 0) {
        char self[4096];
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        self[n > 0 ? n : 0] = '\0';
        dup2(out[1], STDOUT_FILENO);
        char *const words[] = {self, (char *)"--show-environ", NULL};
        char *const texts[] = {(char *)"OPENAI_API_KEY=sk-secret-secret", (char *)"KEEP=kept",
                               NULL};
        execve(self, words, texts);
        _exit(1);
    }
    close(out[1]);
    struct buf text = BUF_INIT(1 << 16);
    char part[512];
    for (ssize_t n; (n = read(out[0], part, sizeof part)) > 0;)
        buf_add(&text, part, (size_t)n);
    close(out[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_non_null(memmem(text.p, text.n, "OPENAI_API_KEY=", 15));
    assert_non_null(memmem(text.p, text.n, "KEEP=kept", 9));
    assert_null(memmem(text.p, text.n, "secret", 6));
    buf_free(&text);
}

// The child of the test above: loads its keys, then copies what /proc shows to stdout.
static int show_environ(void) {
    extern char **environ;
    struct keyring ring;
    struct error err = {0};
    char part[4096];
    if (!keyring_load(&ring, &(struct keyring_options){.environment = environ}, &err) ||
        ring.count != 1)
        return 2;
    keyring_free(&ring);
    int fd = open("/proc/self/environ", O_RDONLY);
    for (ssize_t n; (n = read(fd, part, sizeof part)) > 0;)
        if (write(STDOUT_FILENO, part, (size_t)n) != n)
            return 3;
    return 0;
}

static void takes_a_secret_once(void **state) {
    (void)state;
    char **texts = ENVIRONMENT("OPENAI_API_KEY=same-key,same-key,other",
                               "OPENAI_API_KEY_9=same-key", "ZAI_API_KEY=same-key");
    struct loaded l = load((struct keyring_options){.environment = texts});
    assert_keys(&l, "zai-1=same-key(ZAI_API_KEY)\nopenai-1=same-key(OPENAI_API_KEY item 1)\n"
                    "openai-3=other(OPENAI_API_KEY item 3)\n");
    const char *log = buf_cstr(&l.heard.text);
    assert_non_null(
        strstr(log, "OPENAI_API_KEY item 2 gives the same key as OPENAI_API_KEY item 1"));
    assert_non_null(strstr(log, "OPENAI_API_KEY_9 gives the same key as OPENAI_API_KEY item 1"));
    assert_null(strstr(log, "same-key"));
    unload(&l);
    free_environment(texts);
}

static const char *source_of(const struct loaded *l, const char *provider) {
    return l->ring.sources[provider_place(catalogue_find(slice_str(provider)))];
}

static void reads_the_first_source_that_has_keys(void **state) {
    (void)state;
    char **texts = ENVIRONMENT("OPENAI_API_KEY=from-env", "GROQ_API_KEY=g", "ZAI_API_KEY=no");
    write_file("keys.txt", SLICE("from-file\n"));
    write_file(".env", SLICE("OPENAI_API_KEY=from-dotenv\nZAI_API_KEY=z1,z2\n"));
    struct loaded l = load((struct keyring_options){.keys_file = "keys.txt",
                                                    .provider = catalogue_find(SLICE("openai")),
                                                    .environment = texts});
    assert_keys(&l, "openai-1=from-file(keys.txt:1)\nzai-1=z1(.env:2 item 1)\n"
                    "zai-2=z2(.env:2 item 2)\ngroq-1=g(GROQ_API_KEY)\n");
    assert_string_equal(source_of(&l, "openai"), "keys.txt");
    assert_string_equal(source_of(&l, "zai"), ".env");
    assert_string_equal(source_of(&l, "groq"), "the environment");
    assert_null(source_of(&l, "mistral"));
    assert_string_equal(texts[2], "ZAI_API_KEY="); // wiped all the same
    unload(&l);
    // several files are one source
    write_file("more.env", SLICE("OPENAI_API_KEY=more\nMISTRAL_API_KEY=m\n"));
    l = load((struct keyring_options){.keys_file = "keys.txt,more.env", .wanted = "openai"});
    assert_keys(&l, "openai-1=from-file(keys.txt:1)\nopenai-2=more(more.env:1)\n"
                    "mistral-1=m(more.env:2)\nzai-1=z1(.env:2 item 1)\nzai-2=z2(.env:2 item 2)\n");
    assert_string_equal(source_of(&l, "openai"), "keys.txt, more.env");
    unload(&l);
    assert_fails(load((struct keyring_options){.keys_file = "more.env,absent"}),
                 "absent cannot be read");
    // --keys .env: the same file is not read twice
    l = load((struct keyring_options){.keys_file = "./.env"});
    assert_keys(&l, "openai-1=from-dotenv(./.env:1)\nzai-1=z1(./.env:2 item 1)\n"
                    "zai-2=z2(./.env:2 item 2)\n");
    assert_int_equal(l.heard.text.n, 0);
    unload(&l);
    // --env-file takes the place of ./.env
    write_file("other.env", SLICE("ZAI_API_KEY=z\n"));
    l = load((struct keyring_options){.env_file = "other.env"});
    assert_keys(&l, "zai-1=z(other.env:1)\n");
    unload(&l);
    unlink(".env");
    free_environment(texts);
}

static void reads_bare_lines(void **state) {
    (void)state;
    assert_loads(
        load_text("\xef\xbb\xbf# mine\r\n\r\n  sk-a  \r\nsk-b # the second\n\nsk-c", "openai"),
        "openai-1=sk-a(keys:3)\nopenai-2=sk-b(keys:4)\nopenai-3=sk-c(keys:6)\n");
    assert_loads(load_text("QUJDREVGRw==\nQUJDREVGRx=\n", "zai"),
                 "zai-1=QUJDREVGRw==(keys:1)\nzai-2=QUJDREVGRx=(keys:2)\n");
    assert_fails(load_text("sk-a\n", NULL), "--provider NAME");
    assert_fails(load_text("sk-a\nsk b\n", "openai"), "keys:2: the key holds a space");
    assert_fails(load_text("sk-a\nsk\tb\n", "openai"), "keys:2: the key holds a control character");
    assert_fails(load_text("sk-\xc3\xa4\n", "openai"),
                 "keys:1: the key holds a character outside ASCII");
    assert_fails(load_text("sk-a,sk-b\n", "openai"), "keys:1: the key holds a comma");
    assert_fails(load_text("", "openai"), "keys gives no key");
    assert_fails(load_text("# nothing\n", "openai"), "OPENAI_API_KEY");
}

static void reads_env_files(void **state) {
    (void)state;
    assert_loads(load_text("# keys\nexport OPENAI_API_KEY = \"a, b\" # two\nDEBUG=1\n"
                           "ZAI_API_KEY_3='c'\r\n",
                           NULL),
                 "openai-1=a(keys:2 item 1)\nopenai-2=b(keys:2 item 2)\nzai-3=c(keys:4)\n");
    assert_loads(load_text("FOO=\nhello there\nOPENAI_API_KEY=a\n", NULL), "openai-1=a(keys:3)\n");
    assert_fails(load_text("FOO=bar\n", NULL),
                 "keys gives no key; it may hold variables such as OPENAI_API_KEY");
    assert_fails(load_text("OPENAI_API_KEY=\n", NULL), "keys gives no key");
    assert_fails(load_text("A=1\nOPENAI_API_KEY='a\n", NULL), "keys:2: a quote is not closed");
    assert_fails(load_text("OPENAI_API_KEY=\"a b\"\n", NULL), "keys:1: the key holds a space");
    assert_fails(load((struct keyring_options){.env_file = "absent.env"}),
                 "absent.env cannot be read: No such file");
    assert_fails(load((struct keyring_options){.keys_file = "absent"}), "absent cannot be read");
    assert_fails(load((struct keyring_options){.keys_file = "."}),
                 ". cannot be read: Is a directory");
}

// A key that cannot be one stops a run that would use it, wherever it stands, and no other.
static void stops_at_bad_keys_of_the_run(void **state) {
    (void)state;
    write_file(".env", SLICE("FOO=1\n"));
    assert_loads(load((struct keyring_options){0}), "");
    write_file(".env", SLICE("ZAI_API_KEY=a key\nOPENAI_API_KEY=good\nGROQ_API_KEY='x\n"));
    struct loaded l = load((struct keyring_options){.wanted = "openai"});
    assert_keys(&l, "openai-1=good(.env:2)\n");
    assert_int_equal(l.heard.text.n, 0);
    unload(&l);
    assert_fails(load((struct keyring_options){0}), ".env:1: the key holds a space");
    assert_fails(load((struct keyring_options){.wanted = "openai,zai"}),
                 ".env:1: the key holds a space");
    assert_fails(load((struct keyring_options){.wanted = "groq"}), ".env:3: a quote is not closed");
    write_file(".env", SLICE("OPENAI_API_KEY: sk-a\n"));
    assert_fails(load((struct keyring_options){0}),
                 ".env:1: a colon follows the name; write NAME=VALUE");
    assert_fails(load_text("OPENAI_API_KEY: sk-a\n", NULL), "keys:1: a colon follows the name");
    char **texts = ENVIRONMENT("OPENAI_API_KEY=a b");
    write_file(".env", SLICE(""));
    assert_fails(load((struct keyring_options){.environment = texts}),
                 "OPENAI_API_KEY: the key holds a space");
    free_environment(texts);
    unlink(".env");
    assert_int_equal(mkdir(".env", 0700), 0); // cannot be read, whoever one is
    l = load((struct keyring_options){0});
    assert_keys(&l, "");
    assert_non_null(
        strstr(buf_cstr(&l.heard.text), "warning: .env cannot be read: Is a directory"));
    unload(&l);
    rmdir(".env");
}

static void says_who_can_read_a_file(void **state) {
    (void)state;
    write_file("open.env", SLICE("ZAI_API_KEY=z\n"));
    chmod("open.env", 0644);
    log_set_level(LOG_INFO);
    struct loaded l = load((struct keyring_options){.env_file = "open.env"});
    assert_non_null(strstr(buf_cstr(&l.heard.text), "open.env can be read by others (mode 0644)"));
    unload(&l);
    chmod("open.env", 0600);
    l = load((struct keyring_options){.env_file = "open.env"});
    assert_int_equal(l.heard.text.n, 0);
    unload(&l);
    log_set_level(LOG_WARN);
}

static void refuses_a_huge_file(void **state) {
    (void)state;
    int fd = open("huge", O_CREAT | O_WRONLY, 0600);
    assert_int_equal(ftruncate(fd, (off_t)65 << 20), 0);
    close(fd);
    assert_fails(load((struct keyring_options){.keys_file = "huge"}), "huge is larger than 64 MiB");
    unlink("huge");
}

// Everything that is said about bad input, with one secret in all of it.
static void never_says_the_secret(void **state) {
    (void)state;
    static const char *const texts[] = {
        "SECRETSECRET SECRETSECRET",
        "SECRETSECRET\x01",
        "SECRETSECRET\xff",
        "SECRETSECRET,SECRETSECRET",
        "OPENAI_API_KEY=SECRETSECRET SECRETSECRET",
        "OPENAI_API_KEY='SECRETSECRET",
        "OPENAI_API_KEY 'SECRETSECRET'\nZAI_API_KEY=SECRETSECRET\nZAI_API_KEY_2=SECRETSECRET",
        "OPENAI_API_KEY='SECRETSECRET' SECRETSECRET",
        "FOO=SECRETSECRET",
        "{\"SECRETSECRET",
        "{\"providers\":{\"openai\":{\"keys\":[\"SECRETSECRET\"]}}}",
        "{\"providers\":{\"openai\":{\"keys\":[{\"key\":[\"SECRETSECRET\"]}]}}}",
        "{\"providers\":{\"openai\":{\"keys\":[{\"key\":\"SECRETSECRET SECRETSECRET\"}]}}}",
        "{\"providers\":{\"openai\":{\"keys\":[{\"key\":\"env:gskSECRETSECRET\"}]}}}",
        "{\"providers\":{\"openai\":{\"keys\":[{\"key\":\"SECRETSECRET\",\"name\":\"my "
        "SECRETSECRET\"}]}}}",
        "{\"providers\":{\"openai\":{\"keys\":[{\"key\":\"SECRETSECRET\",\"tags\":["
        "\"SECRETSECRET\"]}]}}}",
        "{\"providers\":{\"openai\":{\"keys\":[{\"key\":\"SECRETSECRET\",\"name\":\"n\"},{\"key\":"
        "\"SECRETSECRET\"},{\"key\":\"b\",\"name\":\"n\"}]}}}",
        "{\"providers\":{\"sk-0123456789-SECRETSECRET\":{}}}",
        "{\"providers\":{\"openai\":{\"keys\":[{\"key\":\"SECRETSECRET\",\"sk-0123456789-"
        "SECRETSECRET\":1}]}}}",
        "{\"providers\":{\"openai\":{\"keys\":[{\"key\":\"SECRETSECRET\\u0000\"}]}}}",
    };
    log_set_level(LOG_DEBUG);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct loaded l = load_text(texts[i], "openai");
        if (strstr(l.err.text, "SECRET") || strstr(buf_cstr(&l.heard.text), "SECRET"))
            fail_msg("text %zu: %s%s", i, l.err.text, buf_cstr(&l.heard.text));
        unload(&l);
    }
    log_set_level(LOG_WARN);
}

// Seconds of CPU time: what another process does is not ours.
static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// A file of 100,000 keys, and the same again: as duplicates, and as keys that are displaced.
static void loads_many_quickly(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    struct buf lines = BUF_INIT(1 << 25), env = BUF_INIT(1 << 25);
    for (int i = 0; i < COUNT; i++) {
        buf_addf(&lines, "sk-proj-%048d\n", i);
        buf_addf(&env, "OPENAI_API_KEY_%d=sk-%s-%048d\n", i + 1, i % 2 ? "other" : "proj", i);
    }
    write_file("many", buf_slice(&lines));
    write_file("many.env", buf_slice(&env));
    double start = cpu_seconds();
    struct loaded l = load((struct keyring_options){.keys_file = "many,many.env",
                                                    .provider = catalogue_find(SLICE("openai"))});
    double took = cpu_seconds() - start;
    assert_true(l.good);
    assert_int_equal(l.ring.count, COUNT + COUNT / 2);
    assert_int_equal(keyring_count(&l.ring, catalogue_find(SLICE("openai"))), l.ring.count);
    assert_string_equal(l.ring.entries[COUNT - 1].name, "openai-100000");
    assert_string_equal(l.ring.entries[COUNT + COUNT / 2 - 1].name, "openai-150000");
    assert_non_null(strstr(buf_cstr(&l.heard.text), "49990 more keys were given twice"));
#ifdef SANITIZED
    assert_true(took < 20);
#else
    assert_true(took < 2); // about 0.2; quadratic ways would take minutes
#endif
    unload(&l);
    buf_free(&lines);
    buf_free(&env);
}

static void adds_the_programs_own(void **state) {
    (void)state;
    struct loaded l = {.good = true};
    const struct provider *simulate = catalogue_find(SLICE("simulate"));
    for (int i = 1; i <= 20; i++)
        keyring_add(&l.ring, simulate, SLICE("sim-key"), i);
    assert_int_equal(keyring_count(&l.ring, simulate), 20);
    assert_string_equal(l.ring.entries[19].name, "simulate-20");
    assert_string_equal(l.ring.entries[19].place, "simulate");
    assert_true(l.ring.entries[19].enabled);
    unload(&l);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--show-environ") == 0)
        return show_environ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_environment),
        cmocka_unit_test(gives_each_name_once),
        cmocka_unit_test(wipes_what_it_read),
        cmocka_unit_test(wipes_proc_environ),
        cmocka_unit_test(takes_a_secret_once),
        cmocka_unit_test(reads_the_first_source_that_has_keys),
        cmocka_unit_test(reads_bare_lines),
        cmocka_unit_test(reads_env_files),
        cmocka_unit_test(stops_at_bad_keys_of_the_run),
        cmocka_unit_test(says_who_can_read_a_file),
        cmocka_unit_test(refuses_a_huge_file),
        cmocka_unit_test(never_says_the_secret),
        cmocka_unit_test(loads_many_quickly),
        cmocka_unit_test(adds_the_programs_own),
    };
    enter_scratch();
    RUN_TESTS(tests);
}
