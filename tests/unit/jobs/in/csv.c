// csv.c: RFC 4180 and what people make of it, line numbers, recovery.
// SPDX-License-Identifier: MIT
#include "jobs/base/json.h"
#include "jobs/base/random.h"
#include "tests/unit/jobs/in/feed.h"

static struct feed csv(struct slice bytes) {
    return feed_open(bytes, OPTIONS(.format = INPUT_CSV));
}

// Every column that can steer does.
static struct feed steering(struct slice bytes) {
    return feed_open(bytes, OPTIONS(.format = INPUT_CSV, .fields = "all"));
}

static void plain(void **state) {
    (void)state;
    struct feed f = csv(
        SLICE("id,prompt,note\nx, two  spaces ,\ny,\"quoted \"\"word\"\", comma\",n\xc3\xbc\n"));
    const struct job *job = feed_good(&f);
    assert_int_equal(job->request.shape, ROW_PROMPT);
    assert_slice(job->request.prompt, "\" two  spaces \"");
    assert_slice(job->input, "{\"id\":\"x\",\"prompt\":\" two  spaces \",\"note\":\"\"}");
    assert_slice(job->id, "x");
    assert_int_equal(job->line_no, 2);
    job = feed_good(&f);
    assert_slice(job->request.prompt, "\"quoted \\\"word\\\", comma\"");
    assert_slice(job->input,
                 "{\"id\":\"y\",\"prompt\":\"quoted \\\"word\\\", comma\",\"note\":\"n\xc3\xbc\"}");
    assert_int_equal(job->index, 1);
    feed_ends(&f);
}

// The mark, CRLF everywhere, a quoted CRLF, blank lines, no line end at the end.
static void every_kind_of_line(void **state) {
    (void)state;
    static const struct slice texts[] = {
        {"\xef\xbb\xbfprompt,n\r\n\r\n\"a\r\nb\r\n\r\nc\",1\r\nd,2\r\n \r\n\"e\nf\",3", 52},
        {"\xef\xbb\xbfprompt\tn\r\n\r\n\"a\r\nb\r\n\r\nc\"\t1\r\nd\t2\r\n \r\n\"e\nf\"\t3", 52},
    };
    for (int i = 0; i < 2; i++) {
        struct slice text = slice_str(texts[i].p);
        struct feed f = feed_open(text, OPTIONS(.format = i ? INPUT_TSV : INPUT_CSV));
        assert_slice(feed_good(&f)->input, "{\"prompt\":\"a\\r\\nb\\r\\n\\r\\nc\",\"n\":\"1\"}");
        assert_int_equal(f.job->line_no, 3);
        assert_slice(feed_good(&f)->request.prompt, "\"d\"");
        assert_int_equal(f.job->line_no, 7);
        assert_slice(feed_good(&f)->request.prompt, "\"e\\nf\"");
        assert_int_equal(f.job->line_no, 9);
        assert_slice(f.job->id, "3");
        assert_int_equal(source_bytes_done(f.source), text.n);
        feed_ends(&f);
    }
}

static void expect_prompt_alone(const struct request *r) {
    const struct request alone = {.shape = ROW_PROMPT, .prompt = r->prompt};
    assert_memory_equal(r, &alone, sizeof alone);
}

static void every_field(void **state) {
    (void)state;
    struct feed f =
        steering(SLICE("prompt,system,model,temperature,top_p,max_tokens,stop,response_"
                       "format,tools,tool_choice,seed,"
                       "provider\n"
                       "p,\"be \"\"kind\"\"\",m, 0.70 "
                       ",1e-1,100,\"[\"\"a\"\",\"\"b\"\"]\",\"{\"\"type\"\": \"\"x\"\"}\","
                       "[{}],\"{\"\"type\"\":1}\",9007199254740993,groq\n"
                       "p,,,,,,,,,,,\n"
                       "p,,,,,,END,,,auto,,\n"
                       "p,,,,,,7,,,\"\"\"auto\"\"\",,\n"
                       "p,,,  ,null,\t,,,,,,\n"));
    const struct request *r = &feed_good(&f)->request;
    assert_slice(r->system, "\"be \\\"kind\\\"\"");
    assert_slice(r->model, "\"m\"");
    assert_slice(r->params[PARAM_TEMPERATURE], "0.70");
    assert_slice(r->params[PARAM_TOP_P], "1e-1");
    assert_slice(r->params[PARAM_MAX_TOKENS], "100");
    assert_slice(r->params[PARAM_STOP], "[\"a\",\"b\"]");
    assert_slice(r->params[PARAM_RESPONSE_FORMAT], "{\"type\": \"x\"}");
    assert_slice(r->params[PARAM_TOOLS], "[{}]");
    assert_slice(r->params[PARAM_TOOL_CHOICE], "{\"type\":1}");
    assert_slice(r->params[PARAM_SEED], "9007199254740993");
    assert_slice(r->provider, "groq");
    r = &feed_good(&f)->request;
    expect_prompt_alone(r);
    r = &feed_good(&f)->request;
    assert_slice(r->params[PARAM_STOP], "\"END\"");
    assert_slice(r->params[PARAM_TOOL_CHOICE], "\"auto\"");
    r = &feed_good(&f)->request;
    assert_slice(r->params[PARAM_STOP], "\"7\"");
    assert_slice(r->params[PARAM_TOOL_CHOICE], "\"\\\"auto\\\"\"");
    r = &feed_good(&f)->request;
    expect_prompt_alone(r);
    feed_ends(&f);
}

// Columns are data: the types of phones, the temperatures of weather, and stops of buses.
static void columns_are_data(void **state) {
    (void)state;
    static const char text[] = "prompt,model,temperature,stop,seed,system,provider\n"
                               "p,iPhone,warm,Main Street,x,solar,zai\n";
    struct feed f = csv(slice_str(text));
    expect_prompt_alone(&feed_good(&f)->request);
    assert_slice(f.job->input,
                 "{\"prompt\":\"p\",\"model\":\"iPhone\",\"temperature\":\"warm\",\"stop\":\"Main "
                 "Street\",\"seed\":\"x\",\"system\":\"solar\",\"provider\":\"zai\"}");
    feed_ends(&f);
    f = feed_open(slice_str(text),
                  OPTIONS(.format = INPUT_CSV, .fields = "model , system,provider"));
    const struct request *r = &feed_good(&f)->request;
    assert_slice(r->model, "\"iPhone\"");
    assert_slice(r->system, "\"solar\"");
    assert_slice(r->provider, "zai");
    assert_absent(r->params[PARAM_STOP]);
    assert_false(r->has_params);
    feed_ends(&f);
    f = feed_try(slice_str(text), OPTIONS(.format = INPUT_CSV, .fields = "model,colour"));
    assert_null(f.source);
    assert_non_null(strstr(f.err.text, "\"colour\" cannot steer a row"));
    feed_close(&f);
    f = feed_try(slice_str(text), OPTIONS(.format = INPUT_CSV, .fields = "model,top_p"));
    assert_null(f.source);
    assert_non_null(strstr(f.err.text, "no column is named \"top_p\""));
    feed_close(&f);
}

static const struct {
    const char *header, *record, *says;
} bad[] = {
    {"id,prompt", "x,", "the column \"prompt\" is empty"},
    {"prompt,temperature", "p,warm", "\"temperature\" must be a number, it is not JSON"},
    {"prompt,temperature", "p,\"\"\"1\"\"\"", "\"temperature\" must be a number, it is a string"},
    {"prompt,max_tokens", "p,1.5", "\"max_tokens\" must be an integer"},
    {"prompt,tools", "p,{}", "\"tools\" must be an array, it is an object"},
    {"prompt,stop", "p,[1]", "\"stop\" must be a string or an array of strings"},
    {"prompt,response_format", "p,json", "\"response_format\" must be an object, it is not JSON"},
    {"prompt,n", "p", "the record has 1 field, the header has 2"},
    {"prompt,n", "p,1,2", "the record has 3 fields, the header has 2"},
    {"prompt,n", "p,,,x", "the record has 4 fields"},
    {"prompt,n", "a \"b\" c,1", "malformed record: a quotation mark in a field"},
    {"prompt,n", " \"b\",1", "malformed record: a quotation mark in a field"},
    {"prompt,n", "\"a\"b,1", "malformed record"},
    {"prompt,n", "\"a\" ,1", "malformed record"},
    {"prompt,n", "a\rb,1", "malformed record: a carriage return"},
    {"prompt,n", "gr\xff,1", "invalid UTF-8 at byte 3 of the record"},
    {"prompt,n", "\"a\n\xff\",1", "invalid UTF-8 at byte 4 of the record"},
};

static void every_bad_record(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[200];
        int n = snprintf(text, sizeof text, "%s\n%s\nfine,\n", bad[i].header, bad[i].record);
        struct feed f = steering(slice_of(text, (size_t)n));
        feed_bad(&f, bad[i].says);
        assert_int_equal(f.job->line_no, 2);
        assert_true(json_check(f.job->input, NULL));
        if (strstr(bad[i].header, "id,")) {
            assert_slice(f.job->id, "x");
            feed_bad(&f, "is empty");
        } else {
            assert_slice(f.job->id, "1");
            assert_slice(feed_good(&f)->request.prompt, "\"fine\"");
        }
        feed_ends(&f);
    }
}

static void surplus_that_is_empty(void **state) {
    (void)state;
    struct feed f = csv(SLICE("prompt,n,,\np,1\np,1,,,,\n,,,\n\"\",,,\np,1,,\"\"\n"));
    feed_bad(&f, "the record has 2 fields, the header has 4");
    assert_slice(feed_good(&f)->input,
                 "{\"prompt\":\"p\",\"n\":\"1\",\"column_3\":\"\",\"column_4\":\"\"}");
    assert_slice(feed_good(&f)->id, "3"); // records without any text are blank lines
    assert_int_equal(f.job->line_no, 6);
    feed_ends(&f);
}

// A forgotten quotation mark costs its own line, whatever follows.
static void goes_on_after_a_quote_left_open(void **state) {
    (void)state;
    struct feed f = csv(SLICE("prompt,n\na,1\n\"b,2\nc,3\nd,4\n"));
    assert_slice(feed_good(&f)->request.prompt, "\"a\"");
    feed_bad(&f, "a quotation mark is not closed");
    assert_int_equal(f.job->line_no, 3);
    assert_slice(f.job->input, "\"\\\"b,2\"");
    assert_slice(feed_good(&f)->request.prompt, "\"c\"");
    assert_int_equal(f.job->line_no, 4);
    assert_slice(feed_good(&f)->request.prompt, "\"d\"");
    assert_slice(f.job->id, "4");
    assert_int_equal(source_bytes_done(f.source), source_bytes_total(f.source));
    feed_ends(&f);
    f = csv(SLICE("prompt,n\n\"b,2\nc,3\n\"d\",4\n\"e\nf\",5\n"));
    feed_bad(&f, "malformed record: a quotation mark in a field");
    assert_int_equal(f.job->line_no, 2);
    assert_slice(feed_good(&f)->request.prompt, "\"c\"");
    assert_slice(feed_good(&f)->request.prompt, "\"d\"");
    assert_slice(feed_good(&f)->request.prompt, "\"e\\nf\"");
    assert_int_equal(f.job->line_no, 5);
    feed_ends(&f);
}

static void too_long(void **state) {
    (void)state;
    struct feed f =
        feed_open(SLICE("prompt,n\n12345678,1\n123456789,1\n\"1234\n5\",1\r\n\"1234\n56\",1\n"
                        "\"a\nb\nc\nd\ne\nf\ng\",1\nz,1\n"),
                  OPTIONS(.format = INPUT_CSV, .max_line_bytes = 10));
    assert_slice(feed_good(&f)->request.prompt, "\"12345678\"");
    feed_bad(&f, "longer than 10 bytes");
    assert_absent(f.job->input);
    assert_int_equal(f.job->line_no, 3);
    assert_slice(f.job->id, "2");
    assert_slice(feed_good(&f)->request.prompt, "\"1234\\n5\"");
    feed_bad(&f, "goes on beyond --max-line-bytes");
    assert_int_equal(f.job->line_no, 6);
    feed_bad(&f, "a quotation mark in a field"); // the rest of it, as lines of its own
    feed_bad(&f, "goes on beyond --max-line-bytes");
    assert_int_equal(f.job->line_no, 8);
    for (int i = 0; i < 5; i++)
        feed_bad(&f, "1 field");
    feed_bad(&f, "a quotation mark in a field");
    assert_slice(feed_good(&f)->request.prompt, "\"z\"");
    assert_int_equal(f.job->line_no, 15);
    feed_ends(&f);
}

static const struct {
    const char *text, *says;
    const char *prompt_field, *id_field;
} headers[] = {
    {"", "is empty: its first line must name the columns", NULL, NULL},
    {"\n \n", "is empty", NULL, NULL},
    {"id,Prompt\nx,y\n",
     "no column is named \"prompt\" (there is \"id\", \"Prompt\"); --prompt-field", NULL, NULL},
    {"id,prompt\nx,y\n", "no column is named \"question\"", "question", NULL},
    {"id,prompt\nx,y\n", "no column is named \"nr\"", NULL, "nr"},
    {"prompt,a,b,a\n", "columns 2 and 4 are both named \"a\"", NULL, NULL},
    {"prompt,,column_2\n", "columns 2 and 3 are both named \"column_2\"", NULL, NULL},
    {"prompt,\"a\"b\n", "line 1: the header cannot be read: a quotation mark", NULL, NULL},
    {"\nprompt,\"a\n", "line 2: the header cannot be read: a quotation mark is not closed", NULL,
     NULL},
    {"prompt,\xff\n", "invalid UTF-8", NULL, NULL},
    {"prompt\rx\r", "carriage return", NULL, NULL},
    {"\xff\xfep", "cut off", NULL, NULL},
};

static void headers_that_are_none(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct feed f =
            feed_try(slice_str(headers[i].text),
                     OPTIONS(.format = INPUT_CSV, .prompt_field = headers[i].prompt_field,
                             .id_field = headers[i].id_field));
        assert_null(f.source); // known at once, before results are touched
        assert_int_equal(f.err.class, ERROR_USAGE);
        if (!strstr(f.err.text, headers[i].says) || !strstr(f.err.text, f.path))
            fail_msg("\"%s\" does not say \"%s\"", f.err.text, headers[i].says);
        feed_close(&f);
    }
}

static void many_columns(void **state) {
    (void)state;
    for (int columns = 10000; columns <= 10001; columns++) {
        struct buf text = BUF_INIT(1 << 20);
        buf_add_str(&text, "prompt");
        for (int i = 1; i < columns; i++)
            buf_addf(&text, ",c%d", i);
        buf_add_char(&text, '\n');
        struct feed f = feed_try(buf_slice(&text), OPTIONS(.format = INPUT_CSV));
        assert_int_equal(f.source != NULL, columns == 10000);
        if (f.source)
            assert_int_equal(feed_next(&f), SOURCE_END);
        feed_close(&f);
        buf_free(&text);
    }
}

// A record of nothing but commas does not take memory by their number.
static void endless_commas(void **state) {
    (void)state;
    size_t n = 3 << 20;
    struct buf text = BUF_INIT(n + 100);
    buf_add_str(&text, "prompt,n\nx");
    for (size_t i = 0; i < n; i++)
        buf_add_char(&text, ',');
    buf_add_str(&text, "y\nfine,1\n");
    struct feed f = csv(buf_slice(&text));
    feed_bad(&f, "the record has 3145729 fields");
    assert_absent(f.job->input); // job->line has a ceiling of 1 MiB here
    feed_good(&f);
    feed_ends(&f);
    buf_free(&text);
}

// After a record of many blocks, memory is given back and the next ones are whole.
static void a_large_record(void **state) {
    (void)state;
    size_t n = 300000;
    struct buf text = BUF_INIT(2 * n);
    buf_add_str(&text, "prompt,n\nx,1\n\"");
    for (size_t i = 0; i < n; i++)
        buf_add_char(&text, i % 100 ? 'y' : '\n');
    buf_add_str(&text, "\",2\nz,3\n");
    struct feed f = csv(buf_slice(&text));
    feed_good(&f);
    const struct job *job = feed_good(&f);
    assert_int_equal(job->request.prompt.n, n + n / 100 + 2); // each \n as two bytes, two quotes
    assert_slice(feed_good(&f)->input, "{\"prompt\":\"z\",\"n\":\"3\"}");
    assert_int_equal(f.job->line_no, 3 + n / 100 + 1);
    feed_ends(&f);
    f = csv(buf_slice(&text));
    job_free(f.job);
    f.job = job_new(1000, 0);
    feed_good(&f);
    feed_bad(&f, "the row takes more than 1000 bytes");
    feed_good(&f);
    feed_ends(&f);
    f = feed_try(SLICE("prompt,name\nx,1\n"), OPTIONS(.format = INPUT_CSV, .max_line_bytes = 10));
    assert_null(f.source);
    assert_non_null(strstr(f.err.text, "longer than --max-line-bytes"));
    feed_close(&f);
    buf_free(&text);
}

static void columns_by_name(void **state) {
    (void)state;
    struct feed f = feed_try(SLICE(" nr , \"q\"\" uestion\" ,model\nx,1,m\n"),
                             OPTIONS(.format = INPUT_CSV, .prompt_field = "question"));
    assert_null(f.source); // a blank before the quote: not RFC 4180
    feed_close(&f);
    f = feed_open(SLICE(" nr ,\" question\",model\nx,q,m\ny,,m\n,r,m\n"),
                  OPTIONS(.format = INPUT_CSV, .prompt_field = "question", .id_field = "nr"));
    assert_slice(feed_good(&f)->id, "x");
    assert_slice(f.job->request.prompt, "\"q\"");
    assert_slice(f.job->input, "{\"nr\":\"x\",\"question\":\"q\",\"model\":\"m\"}");
    assert_slice(feed_bad(&f, "column \"question\" is empty")->id, "y");
    assert_slice(feed_good(&f)->id, "3"); // an empty id is none
    feed_ends(&f);
}

static void template(void **state) {
    (void)state;
    struct feed f = feed_open(
        SLICE(",q,system,max_tokens,stop\n0,\"a \"\"b\"\"\",,5,\"[\"\"x\"\"]\"\n1,,s,,\n"),
        OPTIONS(.format = INPUT_CSV, .fields = "system,max_tokens",
                .template = "{{column_1}}|{{q}}|{{system}}|{{max_tokens}}|{{stop}}"));
    assert_slice(feed_good(&f)->request.prompt, "\"0|a \\\"b\\\"||5|[\\\"x\\\"]\"");
    assert_absent(f.job->request.system);
    assert_slice(f.job->request.params[PARAM_MAX_TOKENS], "5");
    assert_slice(feed_good(&f)->request.prompt, "\"1||s||\"");
    assert_slice(f.job->request.system, "\"s\"");
    feed_ends(&f);
    f = feed_try(SLICE("a,c\nx,y\n"), OPTIONS(.format = INPUT_CSV, .template = "{{b}}"));
    assert_null(f.source); // no row can have it
    assert_non_null(strstr(f.err.text, "no column is named \"b\" (there is \"a\", \"c\")"));
    feed_close(&f);
}

// A column called like a part of a batch line is data, and a cell that is no id is text.
static void only_the_prompt_column_counts(void **state) {
    (void)state;
    struct feed f = csv(SLICE("prompt,messages,body,custom_id,key,request\np,[],{},07,k,{}\n"));
    assert_slice(feed_good(&f)->request.prompt, "\"p\"");
    assert_slice(f.job->id, "07");
    assert_absent(f.job->request.body);
    feed_ends(&f);
}

// Random tables, written with every liberty RFC 4180 gives, come back cell by cell.
static void property(void **state) {
    (void)state;
    struct random random = {9};
    static const char letters[] = "ab ,\t\"\n\rz";
    for (int round = 0; round < 400; round++) {
        bool tsv = round % 2;
        struct buf text = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
        static int64_t line_of[50];
        int64_t line = 1, rows = random_below(&random, 50), columns = 1 + random_below(&random, 4);
        for (int64_t c = 0; c < columns; c++)
            buf_addf(&text, "%s%s%.0d", c ? (tsv ? "\t" : ",") : "", c ? "c" : "prompt", (int)c);
        for (int64_t r = 0; r < rows; r++) {
            buf_add_str(&text, random_below(&random, 2) ? "\n" : "\r\n");
            line++;
            line_of[r] = line;
            for (int64_t c = 0; c < columns; c++) {
                char cell[12];
                size_t n = (size_t)random_below(&random, sizeof cell);
                for (size_t i = 0; i < n; i++)
                    cell[i] = letters[random_below(&random, sizeof letters - 1)];
                if (c == 0) // a prompt, and no blank line
                    cell[0] = 'p', n += n == 0;
                bool plain = true;
                for (size_t i = 0; i < n; i++)
                    plain &= !strchr("\"\n\r\t,", cell[i]);
                plain &= random_below(&random, 4) != 0;
                buf_add_str(&text, c ? (tsv ? "\t" : ",") : "");
                buf_add_str(&text, plain ? "" : "\"");
                for (size_t i = 0; i < n; i++) {
                    buf_add_str(&text, cell[i] == '"' ? "\"" : "");
                    buf_add_char(&text, cell[i]);
                    line += cell[i] == '\n';
                }
                buf_add_str(&text, plain ? "" : "\"");
                buf_addf(&want, "%s\"%s%.0d\":", c ? "," : "{", c ? "c" : "prompt", (int)c);
                json_add_string(&want, slice_of(cell, n));
            }
            buf_add_char(&want, '}');
        }
        struct feed f = feed_open(buf_slice(&text), OPTIONS(.format = tsv ? INPUT_TSV : INPUT_CSV));
        struct slice rest = buf_slice(&want);
        for (int64_t r = 0; r < rows; r++) {
            const struct job *job = feed_good(&f);
            assert_int_equal(job->line_no, line_of[r]);
            assert_true(rest.n >= job->input.n && memcmp(rest.p, job->input.p, job->input.n) == 0);
            rest = slice_of(rest.p + job->input.n, rest.n - job->input.n);
        }
        assert_int_equal(rest.n, 0);
        feed_ends(&f);
        buf_free(&text);
        buf_free(&want);
    }
}

// Random bytes never stop the reader, every row is told, and no line is read for ever.
static void garbage(void **state) {
    (void)state;
    struct random random = {10};
    static const char letters[] = "a,\"\n\"\n\r\xff,";
    for (int round = 0; round < 2000; round++) {
        char text[200];
        size_t n = (size_t)random_below(&random, sizeof text - 10);
        memcpy(text, "prompt,n\n", 9);
        for (size_t i = 0; i < n; i++)
            text[9 + i] = letters[random_below(&random, sizeof letters - 1)];
        struct feed f =
            feed_open(slice_of(text, 9 + n), OPTIONS(.format = INPUT_CSV, .max_line_bytes = 20));
        enum source_status got;
        int rows = 0;
        while ((got = feed_next(&f)) == SOURCE_JOB) {
            assert_int_equal(f.job->index, rows++);
            assert_true(f.job->id.n > 0);
            if (f.job->input.p)
                assert_true(json_check(f.job->input, NULL));
        }
        assert_int_equal(got, SOURCE_END);
        assert_true(rows <= 200);
        assert_int_equal(source_bytes_done(f.source), 9 + n);
        feed_close(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(every_kind_of_line),
        cmocka_unit_test(every_field),
        cmocka_unit_test(columns_are_data),
        cmocka_unit_test(every_bad_record),
        cmocka_unit_test(surplus_that_is_empty),
        cmocka_unit_test(goes_on_after_a_quote_left_open),
        cmocka_unit_test(too_long),
        cmocka_unit_test(headers_that_are_none),
        cmocka_unit_test(many_columns),
        cmocka_unit_test(endless_commas),
        cmocka_unit_test(a_large_record),
        cmocka_unit_test(columns_by_name),
        cmocka_unit_test(template),
        cmocka_unit_test(only_the_prompt_column_counts),
        cmocka_unit_test(property),
        cmocka_unit_test(garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
