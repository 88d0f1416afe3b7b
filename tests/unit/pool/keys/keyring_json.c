// keyring_json.c: pool files in both shapes, and what is said about wrong ones.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring.h"

#include "tests/unit/pool/keys/load.h"

static void reads_a_whole_entry(void **state) {
    (void)state;
    struct loaded l = load_text(
        "\xef\xbb\xbf\n {\"strategy\": \"priority\", \"providers\": {\"zai\": {\"base_url\": "
        "\"https://gateway.example/v4//\", \"keys\": [{\"key\": \"k\\/1\", \"name\": \"prod\", "
        "\"group\": \"acme\", \"enabled\": true, \"priority\": -10, \"weight\": 2.5, \"tags\": "
        "[\"prod\", \"eu\"], \"limits\": {\"rpm\": 50, \"tpm\": 40000, \"rpd\": 5000, \"tpd\": 0, "
        "\"concurrency\": 4}}, {\"key\": \"k2\", \"name\": null, \"limits\": null}]}}}",
        NULL);
    assert_keys(&l,
                "prod=k/1(keys: providers.zai.keys[0])\nzai-2=k2(keys: providers.zai.keys[1])\n");
    assert_int_equal(l.heard.text.n, 0);
    assert_true(l.ring.has_strategy && l.ring.strategy == STRATEGY_PRIORITY);
    const struct key_entry *e = l.ring.entries;
    assert_string_equal(e->provider->base_url, "https://gateway.example/v4");
    assert_string_equal(e->group, "acme");
    assert_true(e->has_priority && e->priority == -10);
    assert_true(e->has_weight && e->weight == 2.5);
    assert_string_equal(e->tags[0], "prod");
    assert_string_equal(e->tags[1], "eu");
    assert_null(e->tags[2]);
    assert_int_equal(e->limits.rpm, 50);
    assert_int_equal(e->limits.tpm, 40000);
    assert_int_equal(e->limits.rpd, 5000);
    assert_int_equal(e->limits.tpd, 0);
    assert_int_equal(e->limits.concurrency, 4);
    e++;
    assert_true(!e->has_priority && !e->has_weight && e->weight == 1 && !e->group && !e->tags);
    assert_int_equal(e->limits.rpm, 0);
    unload(&l);
}

static void reads_the_older_shape(void **state) {
    (void)state;
    struct loaded l =
        load_text("{\"ApiKeyPool\":{\"enabled\":true,\"strategy\":\"round-robin\",\"providers\":{"
                  "\"anthropic\":"
                  "{\"keys\":[{\"key\":\"a1\",\"rateLimit\":{\"requestsPerMinute\":50,"
                  "\"tokensPerMinute\":40000,"
                  "\"requestsPerDay\":1000},\"priority\":1,\"enabled\":true,\"tags\":[\"x\"]},"
                  "{\"key\":\"a2\",\"enabled\":false}]}}}}",
                  NULL);
    assert_keys(&l, "anthropic-1=a1(keys: ApiKeyPool.providers.anthropic.keys[0])\n"
                    "-anthropic-2=a2(keys: ApiKeyPool.providers.anthropic.keys[1])\n");
    assert_int_equal(l.ring.entries[0].limits.rpm, 50);
    assert_int_equal(l.ring.entries[0].limits.tpm, 40000);
    assert_int_equal(l.ring.entries[0].limits.rpd, 1000);
    assert_int_equal(keyring_count(&l.ring, catalogue_find(SLICE("anthropic"))), 1);
    unload(&l);
    assert_loads(load_text("{\"ApiKeyPool\":{\"enabled\":false,\"providers\":{\"zai\":{\"keys\":["
                           "{\"key\":\"a\",\"enabled\":true}]}}}}",
                           NULL),
                 "-zai-1=a(keys: ApiKeyPool.providers.zai.keys[0])\n");
}

#define POOL(key) "{\"providers\":{\"zai\":{\"keys\":[{\"key\":\"a\"},{\"key\":\"b\"}," key "]}}}"

static const struct {
    const char *text, *error;
} wrong[] = {
    {"{\"providers\":\n  {\"zai\": }}", "keys:2:11: "},
    {"{", "keys:1:2: "},
    {"{\"providers\":{}} x", "something follows the value"},
    {"{\"a\":\"\xff\"}", "invalid UTF-8"},
    {"[]", "keys: providers is missing"},
    {"{}", "keys: providers is missing"},
    {"{\"providers\":[]}", "keys: providers must be an object"},
    {"{\"ApiKeyPool\":{}}", "keys: ApiKeyPool.providers is missing"},
    {"{\"ApiKeyPool\":5}", "keys: ApiKeyPool.providers is missing"},
    {"{\"enabled\":1,\"providers\":{}}", "keys: enabled must be true or false"},
    {"{\"strategy\":1,\"providers\":{}}", "keys: strategy must be a string"},
    {"{\"strategy\":\"fastest\",\"providers\":{}}",
     "keys: strategy is \"fastest\", which is none of round-robin, least-used, least-loaded, lru, "
     "random, weighted, priority"},
    {"{\"ApiKeyPool\":{\"strategy\":\"x\",\"providers\":{}}}",
     "keys: ApiKeyPool.strategy is \"x\""},
    {"{\"order\":\"zai\",\"providers\":{}}", "keys: order must be an array of providers' names"},
    {"{\"order\":[],\"providers\":{}}", "keys: order must be an array"},
    {"{\"order\":[\"zai\",7],\"providers\":{}}", "keys: order[1] is no provider's name"},
    {"{\"order\":[\"zai\",\"acme\"],\"providers\":{}}", "keys: order[1] is no provider's name"},
    {"{\"order\":[\"zai\",\"groq\",\"zai\"],\"providers\":{}}", "keys: order[2] is given twice"},
    {"{\"providers\":{},\"providers\":{}}", "keys: providers is given twice"},
    {"{\"providers\":{\"zai\":{\"keys\":[],\"keys\":[]}}}",
     "keys: providers.zai.keys is given twice"},
    {"{\"providers\":{\"zai\":{\"groups\":[]}}}", "keys: providers.zai.groups must be an object"},
    {"{\"providers\":{\"zai\":{\"groups\":{\"a\":5}}}}",
     "keys: providers.zai.groups.a must be an object"},
    {"{\"providers\":{\"zai\":{\"groups\":{\"\":{}}}}}",
     "keys: providers.zai.groups. must have a name"},
    {"{\"providers\":{\"zai\":{\"groups\":{\"a\":{\"limits\":{\"rpm\":\"5\"}}}}}}",
     "keys: providers.zai.groups.a.limits.rpm must be a number"},
    {"{\"providers\":{\"zai\":{\"keys\":[{\"key\":\"a\"}],\"groups\":{\"a\":{},\"a\":{}}}}}",
     "keys: providers.zai.groups.a is given twice"},
    {"{\"providers\":{}}", "keys gives no key"},
    {"{\"providers\":{\"zai\":{}}}", "keys gives no key: providers.<name>.keys is empty"},
    {"{\"providers\":{\"acme\":{}}}", "keys: providers.acme is not known, so it needs an address"},
    {"{\"providers\":{\"zai\":[]}}", "keys: providers.zai must be an object"},
    {"{\"providers\":{\"zai\":{\"keys\":{}}}}", "keys: providers.zai.keys must be an array"},
    {"{\"providers\":{\"zai\":{\"base_url\":\"gateway\"}}}",
     "keys: providers.zai.base_url must start with"},
    {"{\"providers\":{\"zai\":{\"base_url\":7}}}", "keys: providers.zai.base_url must be a string"},
    {"{\"providers\":{\"zai\":{\"enabled\":\"no\"}}}",
     "providers.zai.enabled must be true or false"},
    {POOL("\"c\""), "keys: providers.zai.keys[2] must be an object"},
    {POOL("{}"), "keys: providers.zai.keys[2].key is missing"},
    {POOL("{\"key\":null}"), "keys[2].key is missing"},
    {POOL("{\"key\":1}"), "keys: providers.zai.keys[2].key must be a string"},
    {POOL("{\"key\":\"\"}"), "keys: providers.zai.keys[2].key is empty"},
    {POOL("{\"key\":\"c d\"}"), "keys: providers.zai.keys[2].key holds a space"},
    {POOL("{\"key\":\"c\\nd\"}"), "keys[2].key holds a control character"},
    {POOL("{\"key\":\"\\u00e4\"}"), "keys[2].key holds a character outside ASCII"},
    {POOL("{\"key\":\"c,d\"}"), "keys[2].key holds a comma"},
    {POOL("{\"key\":\"c\\u0000d\"}"), "keys:1:"},
    {POOL("{\"key\":\"env:\"}"), "keys[2].key must name a variable"},
    {POOL("{\"key\":\"env:NO_SUCH\"}"),
     "keys[2].key refers to the variable NO_SUCH, which is not set"},
    {POOL("{\"key\":\"c\",\"enabled\":\"yes\"}"), "keys[2].enabled must be true or false"},
    {POOL("{\"key\":\"c\",\"limits\":5}"), "keys: providers.zai.keys[2].limits must be an object"},
    {POOL("{\"key\":\"c\",\"limits\":{\"rpm\":\"5\"}}"),
     "keys: providers.zai.keys[2].limits.rpm must be a number"},
    {POOL("{\"key\":\"c\",\"limits\":{\"rpm\":-5}}"),
     "keys[2].limits.rpm must be a whole number of 0 or more"},
    {POOL("{\"key\":\"c\",\"limits\":{\"tpm\":1.5}}"), "keys[2].limits.tpm must be a whole number"},
    {POOL("{\"key\":\"c\",\"limits\":{\"tpm\":1e300}}"),
     "keys[2].limits.tpm must be a whole number"},
    {POOL("{\"key\":\"c\",\"limits\":{\"tpm\":1e999}}"),
     "keys[2].limits.tpm must be a whole number"},
    {POOL("{\"key\":\"c\",\"rateLimit\":{\"requestsPerDay\":true}}"),
     "keys[2].rateLimit.requestsPerDay must be a number"},
    {POOL("{\"key\":\"c\",\"key\":\"d\"}"), "keys: providers.zai.keys[2].key is given twice"},
    {POOL("{\"key\":\"c\",\"limits\":{\"rpm\":1,\"rpm\":2}}"), "keys[2].limits.rpm is given twice"},
    {POOL("{\"key\":\"c\",\"priority\":\"1\"}"), "keys[2].priority must be a number"},
    {POOL("{\"key\":\"c\",\"weight\":-1}"), "keys[2].weight must be a number of 0 or more"},
    {POOL("{\"key\":\"c\",\"weight\":\"1\"}"), "keys[2].weight must be a number"},
    {POOL("{\"key\":\"c\",\"tags\":\"x\"}"), "keys[2].tags must be an array"},
    {POOL("{\"key\":\"c\",\"tags\":[\"x\",1]}"), "keys[2].tags[1] must be a string"},
    {POOL("{\"key\":\"c\",\"name\":\"\"}"), "keys[2].name must have 1 to 64 bytes"},
    {POOL("{\"key\":\"c\",\"name\":\"a\\tb\"}"), "keys[2].name holds a control character"},
    {POOL("{\"key\":\"c\",\"group\":{}}"), "keys[2].group must be a string"},
    {POOL("{\"key\":\"secret\",\"group\":\"my secret\"}"), "keys[2].group holds the key itself"},
    {POOL("{\"key\":\"c\",\"name\":\"n\"},{\"key\":\"d\",\"name\":\"n\"}"),
     "keys: providers.zai.keys[3].name: \"n\" is the name of keys: providers.zai.keys[2] already"},
};

static void names_what_is_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(load_text(wrong[i].text, NULL), wrong[i].error);
}

static void refuses_what_is_too_deep(void **state) {
    (void)state;
    struct buf b = BUF_INIT(1 << 24);
    for (int i = 0; i < 1000000; i++)
        buf_add_str(&b, "[");
    assert_fails(load_text(buf_cstr(&b), NULL), "nested too deeply");
    buf_free(&b);
}

static void keeps_names_apart(void **state) {
    (void)state;
    // a given name goes before a number, a number before what is left
    assert_loads(
        load_text("{\"providers\":{\"zai\":{\"keys\":[{\"key\":\"a\"},{\"key\":\"b\",\"name\":"
                  "\"zai-1\"},{\"key\":\"c\"}]}}}",
                  NULL),
        "zai-2=a(keys: providers.zai.keys[0])\nzai-1=b(keys: providers.zai.keys[1])\n"
        "zai-3=c(keys: providers.zai.keys[2])\n");
    // the same provider twice: both count
    assert_loads(
        load_text("{\"providers\":{\"zai\":{\"keys\":[{\"key\":\"a\"}]},\"zai\":{\"keys\":["
                  "{\"key\":\"b\"}]}}}",
                  NULL),
        "zai-1=a(keys: providers.zai.keys[0])\nzai-2=b(keys: providers.zai.keys[0])\n");
}

static void takes_a_secret_once(void **state) {
    (void)state;
    struct loaded l = load_text(POOL("{\"key\":\"a\",\"name\":\"again\"},{\"key\":\"d\"}"), NULL);
    assert_keys(&l, "zai-1=a(keys: providers.zai.keys[0])\nzai-2=b(keys: providers.zai.keys[1])\n"
                    "zai-4=d(keys: providers.zai.keys[3])\n");
    assert_non_null(
        strstr(buf_cstr(&l.heard.text),
               "keys: providers.zai.keys[2] gives the same key as keys: providers.zai.keys[0]"));
    unload(&l);
}

static void looks_variables_up(void **state) {
    (void)state;
    char one[] = "MY_TOKEN=from-env", two[] = "OPENAI_API_KEY=oa",
         three[] = "EMPTY=", four[] = "MY_TOKEN=second";
    char *texts[] = {three, one, two, four, NULL};
    write_file("pool.json",
               SLICE("{\"providers\":{\"openai\":{\"keys\":[{\"key\":\"env:MY_TOKEN\"},{\"key\":"
                     "\"env:OPENAI_API_KEY\"},{\"key\":\"env:IN_FILE\"},{\"key\":\"env:NONE\","
                     "\"enabled\":false}]}}}"));
    write_file(".env", SLICE("IN_FILE='from file'\nIN_FILE=from-file\nZAI_API_KEY=z\n"));
    struct loaded l =
        load((struct keyring_options){.keys_file = "pool.json", .environment = texts});
    assert_false(l.good); // the first assignment counts, and it has a space
    assert_non_null(strstr(l.err.text, "keys[2].key holds a space"));
    unload(&l);
    memcpy(one, "MY_TOKEN=from-env", sizeof one);
    memcpy(two, "OPENAI_API_KEY=oa", sizeof two);
    write_file(".env", SLICE("IN_FILE='from-file'\nZAI_API_KEY=z\n"));
    l = load((struct keyring_options){.keys_file = "pool.json", .environment = texts});
    assert_keys(&l, "openai-1=from-env(pool.json: providers.openai.keys[0])\n"
                    "openai-2=oa(pool.json: providers.openai.keys[1])\n"
                    "openai-3=from-file(pool.json: providers.openai.keys[2])\n"
                    "zai-1=z(.env:2)\n");
    assert_int_equal(l.heard.text.n, 0); // what a pool file refers to is not given twice
    assert_string_equal(one, "MY_TOKEN=");
    assert_string_equal(two, "OPENAI_API_KEY=");
    assert_string_equal(four, "MY_TOKEN=second");
    unload(&l);
    write_file("pool.json",
               SLICE("{\"providers\":{\"openai\":{\"keys\":[{\"key\":\"env:EMPTY\"}]}}}"));
    assert_fails(load((struct keyring_options){.keys_file = "pool.json", .environment = texts}),
                 "the variable EMPTY, which is not set");
    unlink(".env");
}

static void warns_of_what_nobody_reads(void **state) {
    (void)state;
    struct loaded l =
        load_text(POOL("{\"key\":\"c\",\"limits\":{\"concurency\":4},\"wieght\":1}"), NULL);
    assert_true(l.good);
    assert_non_null(strstr(buf_cstr(&l.heard.text), "providers.zai.keys[2].wieght is not known"));
    assert_non_null(strstr(buf_cstr(&l.heard.text), "as were others"));
    unload(&l);
}

static void reads_groups_and_order(void **state) {
    (void)state;
    struct loaded l = load_text(
        "{\"strategy\":\"LEAST_USED\",\"order\":[\"zai\",\"groq\"],\"providers\":{\"zai\":{"
        "\"groups\":{"
        "\"beta\":{\"limits\":{\"rpm\":7}},\"acme\":{\"limits\":{\"rpm\":60,\"tpm\":9}}},\"keys\":["
        "{\"key\":\"a\",\"group\":\"acme\"},{\"key\":\"b\",\"group\":\"other\"}]},\"groq\":{"
        "\"keys\":["
        "{\"key\":\"c\",\"group\":\"acme\"}]}}}",
        NULL);
    assert_true(l.good);
    assert_int_equal(l.ring.strategy, STRATEGY_LEAST_USED);
    assert_string_equal(l.ring.order, "zai,groq");
    const struct provider *zai = catalogue_find(SLICE("zai"));
    const struct key_group *acme = keyring_group(&l.ring, zai, "acme");
    assert_non_null(acme);
    assert_int_equal(acme->limits.rpm, 60);
    assert_int_equal(acme->limits.tpm, 9);
    assert_int_equal(keyring_group(&l.ring, zai, "beta")->limits.rpm, 7);
    assert_null(keyring_group(&l.ring, zai, "other"));
    assert_null(keyring_group(&l.ring, zai, NULL));
    assert_null(keyring_group(&l.ring, catalogue_find(SLICE("groq")), "acme"));
    assert_non_null(strstr(buf_cstr(&l.heard.text),
                           "keys: providers.zai.groups.beta: no key is in this group"));
    assert_null(strstr(buf_cstr(&l.heard.text), "groups.acme"));
    unload(&l);
}

#define TAGGED                                                                                     \
    POOL(                                                                                          \
        "{\"key\":\"c\",\"tags\":[\"eu\",\"prod\"]},{\"key\":\"d\",\"tags\":[\"test\"]},{\"key\":" \
        "\"e\",\"tags\":[\"off\"],\"enabled\":false}")

static void picks_keys_by_tag(void **state) {
    (void)state;
    struct error err = {0};
    struct loaded l = load_text(TAGGED, NULL);
    assert_true(keyring_keep_tagged(&l.ring, "test, prod", &err));
    assert_keys(&l, "zai-3=c(keys: providers.zai.keys[2])\nzai-4=d(keys: providers.zai.keys[3])\n");
    assert_true(keyring_keep_tagged(&l.ring, "eu", &err));
    assert_keys(&l, "zai-3=c(keys: providers.zai.keys[2])\n");
    assert_false(keyring_keep_tagged(&l.ring, "pro", &err));
    assert_non_null(strstr(err.text, "--tag pro: no enabled key carries it"));
    unload(&l);
    l = load_text(TAGGED, NULL);
    assert_false(keyring_keep_tagged(&l.ring, "off", &err));            // its only key is disabled
    assert_true(keyring_keep_tagged(&(struct keyring){0}, "eu", &err)); // what to say is another's
    unload(&l);
}

static void warns_of_unknown_members_above_the_keys(void **state) {
    (void)state;
    struct loaded l =
        load_text("{\"strategi\":1,\"providers\":{\"zai\":{\"keys\":[{\"key\":\"a\"}]}}}", NULL);
    assert_true(l.good);
    assert_non_null(strstr(buf_cstr(&l.heard.text), "keys: strategi is not known"));
    unload(&l);
    l = load_text(
        "{\"ApiKeyPool\":{\"providers\":{\"zai\":{\"url\":1,\"keys\":[{\"key\":\"a\"}]}}}}", NULL);
    assert_true(l.good);
    assert_non_null(
        strstr(buf_cstr(&l.heard.text), "keys: ApiKeyPool.providers.zai.url is not known"));
    unload(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_whole_entry),
        cmocka_unit_test(reads_the_older_shape),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(refuses_what_is_too_deep),
        cmocka_unit_test(keeps_names_apart),
        cmocka_unit_test(takes_a_secret_once),
        cmocka_unit_test(reads_groups_and_order),
        cmocka_unit_test(picks_keys_by_tag),
        cmocka_unit_test(warns_of_unknown_members_above_the_keys),
        cmocka_unit_test(looks_variables_up),
        cmocka_unit_test(warns_of_what_nobody_reads),
    };
    enter_scratch();
    RUN_TESTS(tests);
}
