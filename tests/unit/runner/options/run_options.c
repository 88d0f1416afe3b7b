// run_options.c: tests of runner/options/run_options.c: the contract's defaults, and a table that makes sense.
// SPDX-License-Identifier: MIT
#include "tests/unit/runner/sample_commands.h"

#include "jobs/base/log.h"
#include "jobs/in/source.h"
#include "jobs/out/line.h"
#include "pool/keys/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct config parse(const char *line) {
    struct config c;
    struct error err = {0};
    if (!options_parse_line(&run_command, line, &c, &err))
        fail_msg("%s: %s", line, err.text);
    return c;
}

static void test_defaults(void **state) {
    (void)state;
    struct config c = parse("");
    assert_int_equal(c.input_format, INPUT_AUTO);
    assert_null(c.prompt_field); // a default here would forbid --template
    assert_int_equal(c.max_line_bytes, 64 << 20);
    assert_int_equal(c.limit, 0);
    assert_null(c.provider);
    assert_int_equal(c.slots_per_key, 1);
    assert_int_equal(c.slots, 0);
    assert_int_equal(c.strategy, -1); // the pool file may say
    assert_int_equal(c.affinity, AFFINITY_BY_NOTHING);
    assert_int_equal(c.fallback_after, 5000000);
    assert_int_equal(c.rpm + c.tpm + c.rpd + c.tpd, 0);
    assert_null(c.tag);
    assert_string_equal(c.cooldown, "auto");
    assert_int_equal(c.max_retries, 5);
    assert_int_equal(c.timeout, 600000000);
    assert_int_equal(c.connect_timeout, 10000000);
    assert_int_equal(c.deadline, 0);
    assert_int_equal(c.max_reply_bytes, 32 << 20);
    assert_null(c.output);
    assert_int_equal(c.format, OUTPUT_NATIVE);
    assert_int_equal(c.progress, PROGRESS_AUTO);
    assert_int_equal(c.log_level, LOG_WARN);
    assert_false(c.strict || c.dry_run || c.quiet || c.overwrite || c.no_input);
    options_free(&run_command, &c);
}

// Each word of a choice gives the number the enum has for it.
static void test_choices(void **state) {
    (void)state;
    static const struct {
        const char *line;
        int value;
        size_t offset;
    } cases[] = {
        {"--input-format jsonl", INPUT_JSONL, offsetof(struct config, input_format)},
        {"--input-format csv", INPUT_CSV, offsetof(struct config, input_format)},
        {"--input-format tsv", INPUT_TSV, offsetof(struct config, input_format)},
        {"--input-format txt", INPUT_TXT, offsetof(struct config, input_format)},
        {"--format openai", OUTPUT_OPENAI, offsetof(struct config, format)},
        {"--progress bar", PROGRESS_BAR, offsetof(struct config, progress)},
        {"--progress plain", PROGRESS_PLAIN, offsetof(struct config, progress)},
        {"--progress json", PROGRESS_JSON, offsetof(struct config, progress)},
        {"--progress off", PROGRESS_OFF, offsetof(struct config, progress)},
        {"--strategy round-robin", STRATEGY_ROUND_ROBIN, offsetof(struct config, strategy)},
        {"--strategy least-loaded", STRATEGY_LEAST_LOADED, offsetof(struct config, strategy)},
        {"--strategy priority", STRATEGY_PRIORITY, offsetof(struct config, strategy)},
        {"--affinity prefix", AFFINITY_BY_PREFIX, offsetof(struct config, affinity)},
        {"--log-level error", LOG_ERROR, offsetof(struct config, log_level)},
        {"--log-level info", LOG_INFO, offsetof(struct config, log_level)},
        {"--log-level debug", LOG_DEBUG, offsetof(struct config, log_level)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config c = parse(cases[i].line);
        int value;
        memcpy(&value, (char *)&c + cases[i].offset, sizeof value);
        assert_int_equal(value, cases[i].value);
        options_free(&run_command, &c);
    }
}

static void test_slots_of_a_key(void **state) {
    (void)state;
    static const struct {
        const char *line;
        int64_t value;
    } cases[] = {{"--slots-per-key auto", 0}, {"--slots-per-key 7", 7}};
    for (size_t i = 0; i < 2; i++) {
        struct config c = parse(cases[i].line);
        assert_int_equal(c.slots_per_key, cases[i].value);
        options_free(&run_command, &c);
    }
    struct config c;
    struct error err = {0};
    assert_false(options_parse_line(&run_command, "--slots-per-key 0", &c, &err));
    assert_string_equal(err.text,
                        "--slots-per-key: '0' is not a whole number from 1 to 100000, nor auto");
}

static size_t size_of(const struct option *o) {
    switch (o->type) {
    case OPTION_FLAG: return sizeof(bool);
    case OPTION_CHOICE: return sizeof(int);
    case OPTION_TEXT:
    case OPTION_TEXTS:
    case OPTION_TEXT_AT: return sizeof(const char *);
    case OPTION_RATE: return sizeof(double);
    case OPTION_COUNT:
    case OPTION_COUNT_AUTO:
    case OPTION_BYTES:
    case OPTION_DURATION: break;
    }
    return sizeof(int64_t);
}

// Every field of struct config has exactly one option: fields do not overlap, and no gap between them
// is larger than alignment leaves.
static void test_fields_are_covered(void **state) {
    (void)state;
    char used[sizeof(struct config)] = {0};
    for (const struct option *o = run_options; o->name; o++)
        for (size_t i = 0; i < size_of(o); i++) {
            if (used[o->offset + i])
                fail_msg("--%s shares its field with another option", o->name);
            used[o->offset + i] = 1;
        }
    size_t gap = 0;
    for (size_t i = 0; i < sizeof used; i++) {
        gap = used[i] ? 0 : gap + 1;
        if (gap >= 8)
            fail_msg("no option fills the field at offset %zu", i - gap + 1);
    }
}

static void test_table(void **state) {
    (void)state;
    for (const struct option *o = run_options; o->name; o++) {
        assert_non_null(o->group);
        assert_non_null(o->help);
        assert_int_equal(o->type == OPTION_FLAG, o->value == NULL);
        if (o->type != OPTION_FLAG) // one may take words besides yes and no
            assert_int_equal(o->type == OPTION_CHOICE, o->choices != NULL);
        for (const struct option *p = run_options; p != o; p++) {
            assert_string_not_equal(p->name, o->name);
            assert_true(!o->letter || p->letter != o->letter);
        }
        if (o > run_options && strcmp(o[-1].group, o->group) != 0)
            for (const struct option *p = run_options; p != o; p++)
                assert_string_not_equal(p->group, o->group); // a group stands together
        assert_true(o->letter != 'h' && o->letter != 'V');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),       cmocka_unit_test(test_choices),
        cmocka_unit_test(test_slots_of_a_key), cmocka_unit_test(test_fields_are_covered),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
