// row.c, shape.c: every shape of a jsonl row, every field, every way to be bad, bytes as they came.
// SPDX-License-Identifier: MIT
#include "jobs/base/json.h"
#include "jobs/base/random.h"
#include "jobs/base/utf8.h"
#include "tests/unit/jobs/in/feed.h"

static void a_prompt(void **state) {
    (void)state;
    struct feed f =
        feed_jsonl(SLICE(" {\"n\":9007199254740993, \"prompt\":\"a\\u0000\\ud83d \xc3\xbc\"} \n"));
    const struct job *job = feed_good(&f);
    assert_int_equal(job->request.shape, ROW_PROMPT);
    assert_slice(job->request.prompt, "\"a\\u0000\\ud83d \xc3\xbc\"");
    assert_slice(job->input, "{\"n\":9007199254740993, \"prompt\":\"a\\u0000\\ud83d \xc3\xbc\"}");
    assert_slice(job->id, "1");
    assert_int_equal(job->index, 0);
    assert_int_equal(job->line_no, 1);
    assert_absent(job->request.messages);
    assert_absent(job->request.body);
    assert_absent(job->request.model);
    feed_ends(&f);
}

static void a_bare_string(void **state) {
    (void)state;
    struct feed f = feed_jsonl(SLICE("\"hello \\\"you\\\"\"\n"));
    const struct job *job = feed_good(&f);
    assert_int_equal(job->request.shape, ROW_PROMPT);
    assert_slice(job->request.prompt, "\"hello \\\"you\\\"\"");
    assert_slice(job->input, "\"hello \\\"you\\\"\"");
    feed_ends(&f);
}

static void messages(void **state) {
    (void)state;
    struct feed f =
        feed_jsonl(SLICE("{\"id\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}, {}],"
                         "\"system\":\"be kind\"}"));
    const struct job *job = feed_good(&f);
    assert_int_equal(job->request.shape, ROW_MESSAGES);
    assert_slice(job->request.messages, "[{\"role\":\"user\",\"content\":\"x\"}, {}]");
    assert_slice(job->request.system, "\"be kind\"");
    assert_slice(job->id, "m");
    assert_absent(job->request.prompt);
    feed_ends(&f);
}

static void every_field(void **state) {
    (void)state;
    struct feed f = feed_jsonl(SLICE(
        "{\"prompt\":\"p\",\"system\":\"s\",\"model\":\"m\\/"
        "1\",\"temperature\":0.70,\"top_p\":1e-1,"
        "\"max_tokens\":100,\"stop\":[\"a\",\"b\"],\"response_format\":{\"type\":\"json_object\"},"
        "\"tools\":[{\"type\":\"function\"}],\"tool_choice\":{\"type\":\"function\"},"
        "\"seed\":-18446744073709551617,\"provider\":\"z\\u0061i\"}\n"
        "{\"prompt\":\"p\",\"stop\":\"a\",\"tool_choice\":\"auto\",\"provider\":\"groq\"}\n"
        "{\"prompt\":\"p\",\"id\":null,\"custom_id\":null,\"messages\":null,\"system\":null,"
        "\"model\":null,"
        "\"temperature\":null,\"top_p\":null,\"max_tokens\":null,\"stop\":null,\"response_format\":"
        "null,"
        "\"tools\":null,\"tool_choice\":null,\"seed\":null,\"provider\":null}\n"));
    const struct request *r = &feed_good(&f)->request;
    assert_slice(r->system, "\"s\"");
    assert_slice(r->model, "\"m\\/1\"");
    assert_slice(r->params[PARAM_TEMPERATURE], "0.70");
    assert_slice(r->params[PARAM_TOP_P], "1e-1");
    assert_slice(r->params[PARAM_MAX_TOKENS], "100");
    assert_slice(r->params[PARAM_STOP], "[\"a\",\"b\"]");
    assert_slice(r->params[PARAM_RESPONSE_FORMAT], "{\"type\":\"json_object\"}");
    assert_slice(r->params[PARAM_TOOLS], "[{\"type\":\"function\"}]");
    assert_slice(r->params[PARAM_TOOL_CHOICE], "{\"type\":\"function\"}");
    assert_slice(r->params[PARAM_SEED], "-18446744073709551617");
    assert_slice(r->provider, "zai");
    r = &feed_good(&f)->request;
    assert_slice(r->params[PARAM_STOP], "\"a\"");
    assert_slice(r->params[PARAM_TOOL_CHOICE], "\"auto\"");
    assert_slice(r->provider, "groq");
    r = &feed_good(&f)->request;
    const struct request empty = {.shape = ROW_PROMPT, .prompt = r->prompt};
    assert_memory_equal(r, &empty, sizeof empty);
    assert_slice(f.job->id, "3");
    feed_ends(&f);
}

static void openai_batch_lines(void **state) {
    (void)state;
    struct feed f = feed_jsonl(SLICE(
        "{\"custom_id\":\"r-1\",\"method\":\"POST\",\"url\":\"\\/v1/chat/completions\",\"body\":"
        "{\"model\": "
        "\"gpt\",\"seed\":9007199254740993,\"messages\":[]},\"temperature\":\"ignored\"}\n"
        "{\"custom_id\":\"r-2\",\"url\":\"/v4/chat/"
        "completions\",\"body\":{},\"provider\":\"bigmodel\"}\n"
        "{\"custom_id\":3,\"body\":{\"model\":\"m\"},\"method\":null,\"url\":null}\n"));
    const struct job *job = feed_good(&f);
    assert_int_equal(job->request.shape, ROW_BATCH_OPENAI);
    assert_slice(job->request.body,
                 "{\"model\": \"gpt\",\"seed\":9007199254740993,\"messages\":[]}");
    assert_slice(job->request.model, "\"gpt\"");
    assert_slice(job->request.url, "/v1/chat/completions");
    assert_slice(job->id, "r-1");
    assert_absent(job->request.params[PARAM_TEMPERATURE]);
    job = feed_good(&f);
    assert_int_equal(job->request.shape, ROW_BATCH_OPENAI);
    assert_slice(job->request.url, "/v4/chat/completions");
    assert_slice(job->request.provider, "bigmodel");
    assert_absent(job->request.model);
    job = feed_good(&f);
    assert_int_equal(job->request.shape, ROW_BATCH_MISTRAL);
    assert_slice(job->id, "3");
    assert_absent(job->request.url);
    feed_ends(&f);
}

static void other_batch_lines(void **state) {
    (void)state;
    struct feed f = feed_jsonl(
        SLICE("{\"custom_id\":\"a\",\"params\":{\"model\":\"claude\",\"max_tokens\":5}}\n"
              "{\"key\":\"g\",\"request\":{\"contents\":[]}}\n"
              "{\"custom_id\":\"v\",\"request\":{\"contents\":[]}}\n"
              "{\"key\":7,\"id\":\"own\",\"request\":{\"contents\":[]}}\n"));
    const struct job *job = feed_good(&f);
    assert_int_equal(job->request.shape, ROW_BATCH_ANTHROPIC);
    assert_slice(job->request.body, "{\"model\":\"claude\",\"max_tokens\":5}");
    assert_slice(job->request.model, "\"claude\"");
    assert_absent(job->request.params[PARAM_MAX_TOKENS]);
    job = feed_good(&f);
    assert_int_equal(job->request.shape, ROW_BATCH_GEMINI);
    assert_slice(job->request.body, "{\"contents\":[]}");
    assert_slice(job->id, "g");
    assert_slice(feed_good(&f)->id, "v");
    assert_slice(feed_good(&f)->id, "own");
    feed_ends(&f);
}

// Columns of a data set that happen to be called like parts of batch lines.
static void data_is_no_batch_line(void **state) {
    (void)state;
    struct feed f = feed_jsonl(SLICE(
        "{\"prompt\":\"p\",\"body\":{\"x\":1},\"request\":{\"y\":2},\"params\":[],\"key\":\"k\","
        "\"url\":\"https://x\",\"method\":\"GET\"}\n"));
    // with a key and an object `request` it could be a Gemini line
    feed_bad(&f, "both \"prompt\" and \"request\"");
    feed_ends(&f);
    f = feed_jsonl(
        SLICE("{\"prompt\":\"p\",\"body\":{\"x\":1},\"request\":\"y\",\"key\":\"k\",\"url\":7}\n"));
    assert_slice(feed_good(&f)->request.prompt, "\"p\"");
    assert_slice(f.job->id, "1");
    feed_ends(&f);
}

static const struct {
    const char *row, *says, *id;
} bad[] = {
    {"nonsense", "not JSON: this is no JSON value at byte 1", "1"},
    {"{\"prompt\":\"p\"", "not JSON", "1"},
    {"{'prompt':'p'}", "not JSON: a member's name is missing at byte 2", "1"},
    {"{\"prompt\":\"p\"} {\"prompt\":\"q\"}", "something follows", "1"},
    {"{\"prompt\":\"\xff\"}", "invalid UTF-8 at byte 12", "1"},
    {"[\"p\"]", "it is an array", "1"},
    {"7", "it is a number", "1"},
    {"null", "it is null", "1"},
    {"true", "it is a boolean", "1"},
    {"{}", "neither \"prompt\" nor \"messages\"", "1"},
    {"{\"prompt\":null,\"id\":\"x\"}", "no prompt", "x"},
    {"{\"prompt\":7,\"id\":\"x\"}", "\"prompt\" must be a string, it is a number", "x"},
    {"{\"prompt\":[\"p\"]}", "\"prompt\" must be a string, it is an array", "1"},
    {"{\"messages\":\"hi\"}", "\"messages\" must be an array of objects, it is a string", "1"},
    {"{\"messages\":[]}", "\"messages\" is empty", "1"},
    {"{\"messages\":[{},\"x\"]}", "number 2 is a string", "1"},
    {"{\"prompt\":\"p\",\"messages\":[{}]}", "both \"prompt\" and \"messages\"", "1"},
    {"{\"custom_id\":\"c\",\"body\":{},\"params\":{}}", "both \"body\" and \"params\"", "c"},
    {"{\"custom_id\":\"c\",\"prompt\":\"p\",\"body\":{}}", "both \"prompt\" and \"body\"", "c"},
    {"{\"custom_id\":\"c\",\"body\":\"{}\"}", "\"body\" must be an object, it is a string", "c"},
    {"{\"custom_id\":\"c\",\"params\":[]}", "\"params\" must be an object", "c"},
    {"{\"body\":{}}", "\"body\" makes a batch line only with \"custom_id\"", "1"},
    {"{\"request\":{}}", "\"request\" makes a batch line only with \"key\"", "1"},
    {"{\"custom_id\":\"c\",\"body\":{\"model\":7}}", "\"model\" in \"body\" must be a string", "c"},
    {"{\"custom_id\":\"c\",\"body\":{\"model\":null}}", "it is null", "c"},
    {"{\"custom_id\":\"c\",\"body\":{},\"url\":\"https://x/v1\"}", "\"url\" must be a path", "c"},
    {"{\"custom_id\":\"c\",\"body\":{},\"url\":\"/v1 x\"}", "\"url\" must be a path", "c"},
    {"{\"custom_id\":\"c\",\"body\":{},\"url\":\"/v1\\r\\nX: y\"}", "\"url\" must be a path", "c"},
    {"{\"custom_id\":\"c\",\"body\":{},\"url\":\"/\xc3\xbc\"}", "\"url\" must be a path", "c"},
    {"{\"custom_id\":\"c\",\"body\":{},\"url\":\"\"}", "\"url\" must be a path", "c"},
    {"{\"custom_id\":\"c\",\"body\":{},\"url\":7}", "\"url\" must be a string", "c"},
    {"{\"custom_id\":\"c\",\"body\":{},\"method\":\"GET\"}", "\"method\" must be \"POST\"", "c"},
    {"{\"prompt\":\"p\",\"id\":\"\"}", "id is empty", "1"},
    {"{\"prompt\":\"p\",\"id\":1.0}", "id must be a string or an integer", "1"},
    {"{\"prompt\":\"p\",\"id\":1e3}", "id must be a string or an integer", "1"},
    {"{\"prompt\":\"p\",\"id\":true}", "id must be a string or an integer", "1"},
    {"{\"prompt\":\"p\",\"id\":[1]}", "id must be a string or an integer", "1"},
    {"{\"prompt\":\"p\",\"id\":\"\\ud83d\"}", "half a surrogate", "1"},
    {"{\"prompt\":\"p\",\"provider\":\"\\ude00\"}", "\"provider\" holds half a surrogate", "1"},
    {"{\"prompt\":\"p\",\"provider\":1}", "\"provider\" must be a string, it is a number", "1"},
    {"{\"prompt\":\"p\",\"system\":1}", "\"system\" must be a string, it is a number", "1"},
    {"{\"prompt\":\"p\",\"model\":{}}", "\"model\" must be a string, it is an object", "1"},
    {"{\"prompt\":\"p\",\"temperature\":\"0.7\"}",
     "\"temperature\" must be a number, it is a string", "1"},
    {"{\"prompt\":\"p\",\"top_p\":true}", "\"top_p\" must be a number", "1"},
    {"{\"prompt\":\"p\",\"max_tokens\":1.5}", "\"max_tokens\" must be an integer", "1"},
    {"{\"prompt\":\"p\",\"max_tokens\":1e-2}", "\"max_tokens\" must be an integer", "1"},
    {"{\"prompt\":\"p\",\"max_tokens\":\"5\"}", "\"max_tokens\" must be an integer, it is a string",
     "1"},
    {"{\"prompt\":\"p\",\"seed\":1.5}", "\"seed\" must be an integer", "1"},
    {"{\"prompt\":\"p\",\"stop\":1}", "\"stop\" must be a string or an array of strings, it is",
     "1"},
    {"{\"prompt\":\"p\",\"stop\":[\"a\",1]}", "\"stop\" must be a string or an array of strings",
     "1"},
    {"{\"prompt\":\"p\",\"response_format\":\"json\"}", "\"response_format\" must be an object",
     "1"},
    {"{\"prompt\":\"p\",\"tools\":{}}", "\"tools\" must be an array, it is an object", "1"},
    {"{\"prompt\":\"p\",\"tool_choice\":[]}", "\"tool_choice\" must be a string or an object", "1"},
    {"{\"messages\":[{}],\"seed\":\"x\"}", "\"seed\" must be an integer", "1"},
};

// Each bad row alone, then a good one: nothing sticks.
static void every_bad_row(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[300];
        int n = snprintf(text, sizeof text, "%s\n{\"prompt\":\"fine\"}", bad[i].row);
        struct feed f = feed_jsonl(slice_of(text, (size_t)n));
        const struct job *job = feed_bad(&f, bad[i].says);
        if (!slice_is(job->id, bad[i].id))
            fail_msg("%s: id %.*s", bad[i].row, SLICE_ARG(job->id));
        assert_int_equal(job->line_no, 1);
        bool is_json = !strstr(bad[i].says, "not JSON") && !strstr(bad[i].says, "UTF-8") &&
                       !strstr(bad[i].says, "follows");
        if (is_json)
            assert_true(slice_is(job->input, bad[i].row));
        job = feed_good(&f);
        assert_slice(job->request.prompt, "\"fine\"");
        assert_slice(job->id, "2");
        assert_int_equal(job->line_no, 2);
        feed_ends(&f);
    }
}

static void what_is_no_json_comes_back_as_a_string(void **state) {
    (void)state;
    struct feed f = feed_jsonl(SLICE(" say \"hi\"\t\xff\xc3\r\n\x01\n"));
    assert_slice(feed_bad(&f, "invalid UTF-8 at byte 11")->input,
                 "\" say \\\"hi\\\"\\t\xef\xbf\xbd\xef\xbf\xbd\"");
    feed_next(&f); // U+0001 is no white space
    assert_slice(f.job->input, "\"\\u0001\"");
    feed_ends(&f);
}

static void prompt_field(void **state) {
    (void)state;
    struct source_options o =
        OPTIONS(.format = INPUT_JSONL, .prompt_field = "question", .id_field = "nr");
    struct feed f = feed_open(SLICE("{\"question\":\"q\\n\",\"prompt\":7,\"messages\":1,\"id\":"
                                    "\"not me\",\"nr\":9007199254740993}\n"
                                    "{\"question\":4}\n"
                                    "{\"question\":null}\n"
                                    "{\"prompt\":\"p\",\"id\":\"x\"}\n"
                                    "\"bare\"\n"
                                    "{\"quest\\u0069on\":\"escaped name\"}\n"),
                              o);
    const struct job *job = feed_good(&f);
    assert_slice(job->request.prompt, "\"q\\n\"");
    assert_slice(job->id, "9007199254740993");
    feed_bad(&f, "\"question\" must be a string, it is a number");
    feed_bad(&f, "no field \"question\"");
    assert_slice(feed_bad(&f, "no field \"question\"")->id, "4");
    feed_bad(&f, "no field \"question\"");
    assert_slice(feed_good(&f)->request.prompt, "\"escaped name\"");
    feed_ends(&f);
}

// A steering field that is named as the prompt steers nothing.
static void prompt_field_of_a_known_name(void **state) {
    (void)state;
    struct feed f =
        feed_open(SLICE("{\"system\":\"the prompt\",\"seed\":\"the id\"}\n"),
                  OPTIONS(.format = INPUT_JSONL, .prompt_field = "system", .id_field = "seed"));
    const struct job *job = feed_good(&f);
    assert_slice(job->request.prompt, "\"the prompt\"");
    assert_absent(job->request.system);
    assert_slice(job->id, "the id");
    feed_ends(&f);
}

static void template(void **state) {
    (void)state;
    struct feed f = feed_open(
        SLICE("{\"a\":\"x\\u00e9\",\"b\":[1, "
              "2],\"system\":\"s\",\"temperature\":0.5,\"custom_id\":\"c\"}\n"
              "{\"a\":\"x\"}\n"
              "{\"a\":\"x\",\"b\":null}\n"
              "{\"prompt\":\"ignored\",\"a\":\"\",\"b\":true,\"seed\":\"x\"}\n"
              "{\"prompt\":\"ignored\",\"messages\":0,\"a\":\"{{b}}\",\"b\":true}\n"),
        OPTIONS(.format = INPUT_JSONL, .template = "Say \"{{a}}\" {{ b }} {{{{a}}\n{{a}}"));
    const struct job *job = feed_good(&f);
    assert_int_equal(job->request.shape, ROW_PROMPT);
    assert_slice(job->request.prompt, "\"Say \\\"x\\u00e9\\\" [1, 2] {{a}}\\nx\\u00e9\"");
    assert_absent(job->request.system); // a record's fields are data
    assert_absent(job->request.params[PARAM_TEMPERATURE]);
    assert_slice(job->id, "c");
    job = feed_bad(&f, "template needs \"b\"");
    assert_slice(job->input, "{\"a\":\"x\"}");
    assert_absent(job->request.prompt);
    assert_slice(feed_good(&f)->request.prompt, "\"Say \\\"x\\\"  {{a}}\\nx\"");
    feed_good(&f);
    assert_slice(feed_good(&f)->request.prompt, "\"Say \\\"{{b}}\\\" true {{a}}\\n{{b}}\"");
    feed_ends(&f);
}

static void template_over_bare_strings(void **state) {
    (void)state;
    struct feed f = feed_open(SLICE("\"hi\"\n"),
                              OPTIONS(.format = INPUT_JSONL, .template = "Translate: {{prompt}}"));
    assert_slice(feed_good(&f)->request.prompt, "\"Translate: hi\"");
    feed_ends(&f);
    f = feed_open(SLICE("say \"hi\"\n"),
                  OPTIONS(.format = INPUT_TXT, .template = "Translate: {{prompt}} {{lang}}"));
    feed_bad(&f, "template needs \"lang\"");
    feed_ends(&f);
    f = feed_open(SLICE("say \"hi\"\n"),
                  OPTIONS(.format = INPUT_TXT, .template = "Translate: {{prompt}}"));
    assert_slice(feed_good(&f)->request.prompt, "\"Translate: say \\\"hi\\\"\"");
    assert_slice(f.job->input, "{\"prompt\":\"say \\\"hi\\\"\"}");
    feed_ends(&f);
}

static void ids(void **state) {
    (void)state;
    struct feed f =
        feed_jsonl(SLICE("{\"prompt\":\"p\",\"id\":\"a\\u0000\\u00e9\\ud83d\\ude00\\\"\",\"custom_"
                         "id\":\"no\",\"key\":\"no\"}\n"
                         "{\"prompt\":\"p\",\"id\":null,\"custom_id\":\"yes\"}\n"
                         "{\"prompt\":\"p\",\"key\":\"no\"}\n"
                         "{\"prompt\":\"p\",\"id\":-9007199254740993}\n"
                         "{\"prompt\":\"p\",\"id\":\" spaces \"}\n"));
    assert_slice(feed_good(&f)->id, "a\0\xc3\xa9\xf0\x9f\x98\x80\"");
    assert_slice(feed_good(&f)->id, "yes");
    assert_slice(feed_good(&f)->id, "3");
    assert_slice(feed_good(&f)->id, "-9007199254740993");
    assert_slice(feed_good(&f)->id, " spaces ");
    feed_ends(&f);
}

// Rows near the ceiling of job->line: whole, or bad, never cut.
static void too_big_for_the_job(void **state) {
    (void)state;
    struct buf text = BUF_INIT(1 << 20);
    buf_add_str(&text, "{\"prompt\":\"");
    for (int i = 0; i < 3000; i++)
        buf_add_char(&text, 'x');
    buf_add_str(&text, "\"}");
    struct feed f = feed_open(buf_slice(&text), OPTIONS(.format = INPUT_JSONL));
    job_free(f.job);
    f.job = job_new(2000, 0);
    const struct job *job = feed_bad(&f, "takes more than 2000 bytes");
    assert_slice(job->id, "1");
    assert_absent(job->input);
    feed_ends(&f);
    f = feed_open(buf_slice(&text), OPTIONS(.format = INPUT_JSONL, .template = "{{prompt}}"));
    job_free(f.job);
    f.job = job_new(5000, 0);
    feed_bad(&f, "takes more than 5000 bytes");
    feed_ends(&f);
    f = feed_open(buf_slice(&text), OPTIONS(.format = INPUT_TXT));
    job_free(f.job);
    f.job = job_new(2000, 0);
    feed_bad(&f, "takes more than 2000 bytes");
    feed_ends(&f);
    buf_free(&text);
}

// All that a job points at lies in its own bytes and is the JSON it is said to be.
static void check_token(const struct job *job, struct slice token) {
    if (!token.p)
        return;
    assert_true(token.p >= job->line.p && token.p + token.n <= job->line.p + job->line.n);
    assert_true(json_check(token, NULL));
}

static void check_job(const struct job *job) {
    const struct request *r = &job->request;
    const struct slice tokens[] = {job->input,
                                   r->prompt,
                                   r->messages,
                                   r->body,
                                   r->system,
                                   r->model,
                                   r->params[PARAM_STOP],
                                   r->params[PARAM_TEMPERATURE],
                                   r->params[PARAM_TOP_P],
                                   r->params[PARAM_SEED],
                                   r->params[PARAM_TOOLS],
                                   r->params[PARAM_TOOL_CHOICE],
                                   r->params[PARAM_MAX_TOKENS],
                                   r->params[PARAM_RESPONSE_FORMAT]};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        check_token(job, tokens[i]);
    const struct slice texts[] = {job->id, r->url, r->provider};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].p)
            assert_true(texts[i].p >= job->line.p &&
                        texts[i].p + texts[i].n <= job->line.p + job->line.n);
    assert_true(job->id.n > 0 && utf8_is_valid(job->id));
    bool asks = r->prompt.p || r->messages.p || r->body.p;
    assert_true(asks || job->result.outcome == OUTCOME_BAD_INPUT);
    assert_false(job->line.failed);
}

// Texts without their escapes and numbered ids stand behind the row, of whatever size, and nothing
// moves for them.
static void room_behind_the_row(void **state) {
    (void)state;
    for (int n = 1; n < 1500; n += 13) {
        struct buf text = BUF_INIT(1 << 20);
        for (int row = 0; row < 2; row++) {
            buf_add_str(&text, "{\"prompt\":\"p\",\"provider\":\"\\/\",\"id\":\"\\n");
            for (int i = 0; i < n; i++)
                buf_add_char(&text, 'x');
            buf_add_str(&text, "\"}\n");
        }
        struct feed f = feed_jsonl(buf_slice(&text));
        assert_int_equal(feed_good(&f)->id.n, n + 1);
        job_free(f.job); // the next begins without memory
        f.job = job_new(1 << 20, 0);
        check_job(feed_bad(&f, "already used on line 1"));
        assert_int_equal(f.job->id.n, n + 3);
        assert_slice(f.job->request.provider, "/");
        feed_ends(&f);
        buf_free(&text);
    }
}

// Rows with a few random bytes changed, in every kind of run.
static void property(void **state) {
    (void)state;
    static const char *const rows[] = {
        "{\"id\":\"\\u0061\\\"\",\"prompt\":\"p\",\"provider\":\"\\u007a\"}\n",
        "{\"prompt\":\"p\",\"seed\":1,\"stop\":[\"a\"]}\n",
        "{\"custom_id\":7,\"url\":\"\\/v1\",\"body\":{\"model\":\"m\"}}\n",
        "{\"key\":\"k\",\"request\":{}}\n",
        "{\"messages\":[{\"a\":1}],\"system\":\"s\"}\n",
    };
    static const char letters[] = "{}[]\",:\\u0017nea\n\xff ";
    static const struct source_options kinds[] = {
        {.format = INPUT_JSONL},
        {.format = INPUT_JSONL, .template = "{{prompt}} {{id}}"},
        {.format = INPUT_JSONL, .prompt_field = "id", .id_field = "prompt"},
        {.format = INPUT_TXT}};
    struct random random = {21};
    for (int round = 0; round < 400; round++) {
        struct buf text = BUF_INIT(1 << 20);
        for (int i = 0; i < 20; i++) {
            size_t start = text.n;
            buf_add_str(&text, rows[random_below(&random, 5)]);
            for (int64_t edits = random_below(&random, 4); edits; edits--)
                text.p[start + (size_t)random_below(&random, (int64_t)(text.n - start))] =
                    letters[random_below(&random, sizeof letters - 1)];
        }
        struct source_options o = kinds[round % 4];
        o.wake_fd = -1;
        o.allow_duplicate_ids = round & 4;
        struct feed f = feed_open(buf_slice(&text), o);
        while (feed_next(&f) == SOURCE_JOB)
            check_job(f.job);
        feed_ends(&f);
        buf_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompt),
        cmocka_unit_test(a_bare_string),
        cmocka_unit_test(messages),
        cmocka_unit_test(every_field),
        cmocka_unit_test(openai_batch_lines),
        cmocka_unit_test(other_batch_lines),
        cmocka_unit_test(data_is_no_batch_line),
        cmocka_unit_test(every_bad_row),
        cmocka_unit_test(what_is_no_json_comes_back_as_a_string),
        cmocka_unit_test(prompt_field),
        cmocka_unit_test(prompt_field_of_a_known_name),
        cmocka_unit_test(template),
        cmocka_unit_test(template_over_bare_strings),
        cmocka_unit_test(ids),
        cmocka_unit_test(too_big_for_the_job),
        cmocka_unit_test(room_behind_the_row),
        cmocka_unit_test(property),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
