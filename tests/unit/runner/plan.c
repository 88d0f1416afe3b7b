// plan.c (test): options and a pool file become routes, models, addresses and the pool's options.
// SPDX-License-Identifier: MIT
#include "runner/plan.h"

#include "jobs/base/log.h"
#include "runner/commands/commands.h"
#include "tests/unit/pool/test.h"

struct planned {
    struct config config;
    struct plan plan;
    struct error err;
    bool good;
};

static const char pool_file[] =
    "{\"strategy\":\"weighted\",\"providers\":{\"zai\":{\"base_url\":\"http://file/v4\",\"keys\":["
    "{\"key\":\"a\",\"tags\":[\"prod\"]},{\"key\":\"b\"}]},\"groq\":{\"keys\":[{\"key\":\"c\"}]},"
    "\"anthropic\":{\"keys\":[{\"key\":\"d\"}]}}}";

static void make(struct planned *p, const char *line) {
    *p = (struct planned){0};
    write_file("pool.json", slice_str(pool_file));
    chmod("pool.json", 0600);
    if (!options_parse_line(&run_command, line, &p->config, &p->err))
        fail_msg("%s: %s", line, p->err.text);
    p->good = plan_make(&p->plan, &p->config, "in.jsonl", &p->err);
    log_finish();
}

static void unmake(struct planned *p) {
    plan_free(&p->plan);
    options_free(&run_command, &p->config);
}

#define FILE_ "--keys pool.json "

static void assert_refused(const char *line, const char *words) {
    struct planned p;
    make(&p, line);
    if (p.good || !strstr(p.err.text, words))
        fail_msg("%s: \"%s\", expected \"%s\"", line, p.err.text, words);
    assert_int_equal(error_exit_code(&p.err), 2);
    unmake(&p);
}

// The routes, as "name model address" each; those behind the order in brackets.
static void assert_routes(const char *line, const char *expected) {
    struct planned p;
    struct buf b = BUF_INIT(4096);
    make(&p, line);
    if (!p.good)
        fail_msg("%s: %s", line, p.err.text);
    for (size_t i = 0; i < p.plan.route_count; i++) {
        const struct route *r = &p.plan.routes[i];
        bool beside = i >= p.plan.order_count;
        buf_addf(&b, "%s%s%s %.*s %s%s", i ? "; " : "", beside ? "(" : "", r->provider->name,
                 SLICE_ARG(r->defaults.model), r->base_url, beside ? ")" : "");
    }
    if (strcmp(buf_cstr(&b), expected) != 0)
        fail_msg("%s: %s", line, buf_cstr(&b));
    buf_free(&b);
    unmake(&p);
}

#define GROQ_HOME      "https://api.groq.com/openai/v1"
#define ANTHROPIC_HOME "https://api.anthropic.com/v1"

static void routes_in_order(void **state) {
    (void)state;
    assert_routes(FILE_ "-p groq,zai", "groq \"openai/gpt-oss-20b\" " GROQ_HOME
                                       "; zai \"glm-4.7-flash\" http://file/v4; "
                                       "(anthropic \"claude-haiku-4-5\" " ANTHROPIC_HOME ")");
    assert_routes(FILE_ "-p zai,groq -m glm:9b --base-url http://x/",
                  "zai \"glm:9b\" http://x; groq \"glm:9b\" " GROQ_HOME
                  "; (anthropic \"claude-haiku-4-5\" " ANTHROPIC_HOME ")");
    assert_routes(FILE_ "-p zai,groq -m groq:g,zai:z --base-url groq=http://g,anthropic=http://a",
                  "zai \"z\" http://file/v4; groq \"g\" http://g; (anthropic "
                  "\"claude-haiku-4-5\" http://a)");
    // one that has no keys is left out, and so is what was meant for it
    assert_routes(FILE_ "--tag prod -p mistral,zai -m mistral:x,zai:z", "zai \"z\" http://file/v4");
}

static void says_what_makes_no_sense(void **state) {
    (void)state;
    assert_refused(FILE_, "there are keys of several providers");
    assert_refused(FILE_ "-p zai -m zai:a,groq:b", "--model: groq is none of the run's providers");
    assert_refused(FILE_ "-p zai --base-url zai=ftp://x", "--base-url");
    assert_refused(FILE_ "-p zai --base-url acme=http://x", "acme=http://x");
    assert_refused(FILE_ "-p zai --tag nobody", "--tag nobody: no enabled key carries it");
    assert_refused(FILE_ "-p groq --tag prod",
                   "no enabled key of groq carries a tag of --tag prod");
}

static void the_pools_options(void **state) {
    (void)state;
    struct planned p;
    make(&p, FILE_ "-p zai --rpm 60 --tpm 7k --rpd 1M --tpd 2 --slots-per-key 3 --cooldown 9s");
    const struct pool_options *o = &p.plan.pool;
    assert_ptr_equal(o->keyring, &p.plan.keyring);
    assert_int_equal(o->strategy, STRATEGY_WEIGHTED); // the file's
    assert_int_equal(o->slots_per_key, 3);
    assert_int_equal(o->limits.rpm, 60);
    assert_int_equal(o->limits.tpm, 7000);
    assert_int_equal(o->limits.rpd, 1000000);
    assert_int_equal(o->limits.tpd, 2);
    assert_int_equal(o->limits.concurrency, 0);
    assert_int_equal(o->cooldown, 9000000);
    assert_int_equal(p.plan.slots, 2 * 3); // those of other providers are not counted
    unmake(&p);
    make(&p, FILE_ "-p zai --strategy round-robin"); // the option goes before the file
    assert_int_equal(p.plan.pool.strategy, STRATEGY_ROUND_ROBIN);
    unmake(&p);
    make(&p, "-p simulate");
    assert_int_equal(p.plan.pool.strategy, STRATEGY_ROUND_ROBIN);
    unmake(&p);
}

static void slots_that_are_found_out(void **state) {
    (void)state;
    struct planned p;
    make(&p, FILE_ "-p zai --slots-per-key auto");
    assert_int_equal(p.plan.pool.slots_per_key, SLOTS_AUTO);
    assert_int_equal(p.plan.slots, 2 * 64);
    unmake(&p);
    make(&p, FILE_ "-p zai --slots-per-key auto --slots 10");
    assert_int_equal(p.plan.slots, 10);
    unmake(&p);
}

static void who_may_serve_a_row(void **state) {
    (void)state;
    struct planned p;
    make(&p, FILE_ "-p zai,anthropic");
    struct request r = {.shape = ROW_PROMPT};
    assert_int_equal(plan_routes(&p.plan, &r), 3);
    r.shape = ROW_BATCH_ANTHROPIC;
    assert_int_equal(plan_routes(&p.plan, &r), 2);
    r.shape = ROW_BATCH_GEMINI;
    assert_int_equal(plan_routes(&p.plan, &r), 0);
    r = (struct request){.shape = ROW_PROMPT, .provider = SLICE("groq")};
    assert_int_equal(plan_routes(&p.plan, &r), 4);
    r.provider = SLICE("mistral");
    assert_int_equal(plan_routes(&p.plan, &r), 0);
    unmake(&p);
}

static void judges_rows_that_nobody_can_say(void **state) {
    (void)state;
    struct planned p;
    make(&p, FILE_ "-p zai,anthropic");
    struct job *job = job_new(100, 100);
    job->request.shape = ROW_BATCH_GEMINI;
    plan_judge(&p.plan, job);
    assert_int_equal(job->result.outcome, OUTCOME_BAD_INPUT);
    assert_string_equal(job->result.message, "this batch line is not in a format that any provider "
                                             "of the run understands");
    job_clear(job);
    job->request.shape = ROW_BATCH_ANTHROPIC;
    plan_judge(&p.plan, job);
    assert_int_equal(job->result.outcome, OUTCOME_NONE);
    job->request.provider = SLICE("zai");
    plan_judge(&p.plan, job);
    assert_string_equal(job->result.message,
                        "this batch line is not in a format that zai understands");
    job_free(job);
    unmake(&p);
}

static void the_simulator_anywhere_in_the_order(void **state) {
    (void)state;
    struct planned p;
    make(&p, FILE_ "-p zai,simulate --base-url http://elsewhere");
    assert_true(p.plan.embedded);
    plan_set_simulator(&p.plan, "http://127.0.0.1:1/v1");
    assert_string_equal(p.plan.routes[0].base_url, "http://elsewhere");
    assert_string_equal(p.plan.routes[1].base_url, "http://127.0.0.1:1/v1");
    unmake(&p);
    make(&p, FILE_ "-p zai,simulate --base-url simulate=http://elsewhere");
    assert_false(p.plan.embedded);
    unmake(&p);
}

static void the_order_of_the_file(void **state) {
    (void)state;
    struct planned p;
    write_file("order.json", SLICE("{\"order\":[\"groq\",\"zai\"],\"providers\":{\"zai\":{\"keys\":"
                                   "[{\"key\":\"a\"}]},\"groq\":{\"keys\":[{\"key\":\"b\"}]}}}"));
    chmod("order.json", 0600);
    make(&p, "--keys order.json");
    assert_true(p.good);
    assert_int_equal(p.plan.order_count, 2);
    assert_string_equal(p.plan.routes[0].provider->name, "groq");
    unmake(&p);
    make(&p, "--keys order.json -p zai"); // the option goes before the file
    assert_int_equal(p.plan.order_count, 1);
    unmake(&p);
}

// The developer's own keys are none of these tests' affair.
static void hide_keys(void) {
    char name[200];
    for (char **at = environ; *at;) {
        bool key = strstr(*at, "_API_KEY");
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*at, "="), *at);
        at = key && unsetenv(name) == 0 ? environ : at + 1;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_in_order),
        cmocka_unit_test(says_what_makes_no_sense),
        cmocka_unit_test(the_pools_options),
        cmocka_unit_test(slots_that_are_found_out),
        cmocka_unit_test(who_may_serve_a_row),
        cmocka_unit_test(judges_rows_that_nobody_can_say),
        cmocka_unit_test(the_simulator_anywhere_in_the_order),
        cmocka_unit_test(the_order_of_the_file),
    };
    enter_scratch();
    hide_keys();
    RUN_TESTS(tests);
}
