// rows.c: any bytes as an input file: every row is a job with an id of its own, good or bad, whatever
// the reads. First character: format, --template (its text is the first line), names, ids, limit.
// SPDX-License-Identifier: MIT
#include "jobs/in/source.h"

#include "jobs/ids.h"
#include "jobs/out/line.h"
#include "tests/fuzz/mutate.h"

#include <stdlib.h>

#define SHORT_LINE 48

struct feed {
    struct source_options options;
    char *template;
    struct ids *ids;
    int64_t rows, line_no;
    struct buf told; // what was read, in words
};

static void check_place(struct feed *f, const struct job *job) {
    HOLDS(job->state == JOB_IDLE);
    HOLDS(job->index == f->rows);
    HOLDS(job->line_no > f->line_no);
    f->line_no = job->line_no;
    HOLDS(job->id.n && utf8_is_valid(job->id) && fuzz_is_within(job->id, buf_slice(&job->line)));
    HOLDS(ids_add(f->ids, job->id, ++f->rows) == 0);
}

static void check_fields(const struct request *r) {
    HOLDS(fuzz_is_token(r->prompt, JSON_STRING));
    HOLDS(fuzz_is_token(r->messages, JSON_ARRAY));
    HOLDS(fuzz_is_token(r->body, JSON_OBJECT));
    HOLDS(fuzz_is_token(r->system, JSON_STRING));
    HOLDS(fuzz_is_token(r->model, JSON_STRING));
    for (int i = 0; i < PARAM_COUNT; i++)
        HOLDS(!r->params[i].p ||
              (json_check(r->params[i], NULL) && param_obeys((enum param)i, r->params[i])));
    HOLDS(utf8_is_valid(r->url) && utf8_is_valid(r->provider));
}

static void check_good(const struct job *job) {
    const struct request *r = &job->request;
    check_fields(r);
    HOLDS(job->input.p);
    HOLDS(!r->prompt.p == (r->shape != ROW_PROMPT));
    HOLDS(!r->messages.p == (r->shape != ROW_MESSAGES));
    HOLDS(!r->body.p == (r->shape == ROW_PROMPT || r->shape == ROW_MESSAGES));
}

static void check_bad(const struct job *job) {
    HOLDS(job->result.outcome == OUTCOME_BAD_INPUT);
    HOLDS(job->result.message[0] && utf8_is_valid(slice_str(job->result.message)));
}

// The result line of a job says what it is about.
static void check_line(struct job *job, bool bad) {
    struct buf line = BUF_INIT(FUZZ_MAX), id = BUF_INIT(FUZZ_MAX);
    struct line_facts facts;
    if (!bad)
        job_fail(job, OUTCOME_NO_KEY, "no key");
    line_add(&line, job, &(struct line_options){0});
    HOLDS(!line.failed && json_check(buf_slice(&line), NULL));
    HOLDS(memchr(line.p, '\n', line.n) == line.p + line.n - 1);
    HOLDS(line_read(buf_slice(&line), OUTPUT_NATIVE, &facts));
    HOLDS(!facts.ok && facts.bad_input == bad);
    HOLDS(json_string_decode(facts.id_token, &id) && slice_eq(buf_slice(&id), job->id));
    buf_free(&line);
    buf_free(&id);
}

static void tell(struct feed *f, const struct job *job) {
    buf_addf(&f->told, "%lld:%lld %s \"%s\" %d ", (long long)job->index, (long long)job->line_no,
             outcome_name(job->result.outcome), job->result.message, (int)job->request.shape);
    const struct slice parts[] = {job->id, job->input, job->request.prompt, job->request.messages,
                                  job->request.body};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_addf(&f->told, "%zu ", parts[i].n);
        buf_add_slice(&f->told, parts[i]);
    }
}

static void check_job(struct feed *f, struct job *job) {
    bool bad = job->result.outcome != OUTCOME_NONE;
    check_place(f, job);
    if (bad)
        check_bad(job);
    else
        check_good(job);
    HOLDS(!job->input.p || json_check(job->input, NULL));
    tell(f, job);
    check_line(job, bad);
}

static void read_rows(struct feed *f) {
    struct error err = {0};
    struct source *source = source_open(&f->options, &err);
    struct job *job = job_new(SOURCE_LINE_ROOM(f->options.max_line_bytes), 0);
    enum source_status status = SOURCE_FAILED;
    if (source) {
        while ((status = source_next(source, job, &err)) == SOURCE_JOB) {
            check_job(f, job);
            job_clear(job);
        }
        HOLDS(source_bytes_done(source) <= source_bytes_total(source));
        bool all = status == SOURCE_END && !f->options.limit;
        HOLDS(!all || source_bytes_done(source) == source_bytes_total(source));
    }
    HOLDS(status == SOURCE_END || err.class == ERROR_USAGE);
    HOLDS(utf8_is_valid(slice_str(err.text)) && (status != SOURCE_END || !err.text[0]));
    buf_add_str(&f->told, err.text);
    source_close(source);
    job_free(job);
}

static void feed_choose(struct feed *f, unsigned choice, struct slice *input) {
    f->options = (struct source_options){
        .format = (enum input_format)(INPUT_JSONL + (choice & 3)),
        .allow_duplicate_ids = choice & 8,
        .max_line_bytes = choice & 32 ? SHORT_LINE : 1 << 16,
        .limit = choice & 64 ? 3 : 0,
        .wake_fd = -1,
    };
    if (choice & 4) {
        struct slice text = fuzz_line(input);
        f->options.template = f->template = mem_text(text.p, text.n);
    }
    if (choice & 16) {
        f->options.prompt_field = choice & 4 ? NULL : "question";
        f->options.id_field = "n";
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct fuzz_file file;
    struct slice input = fuzz_input(data, size);
    struct feed f = {.told = BUF_INIT(FUZZ_MAX)};
    struct buf first = BUF_INIT(FUZZ_MAX);
    feed_choose(&f, fuzz_choice(&input), &input);
    fuzz_file_set(&file, input);
    f.options.path = file.path;
    for (int round = 0; round < 2; round++) {
        f.rows = f.line_no = 0;
        f.ids = ids_new();
        buf_clear(&f.told);
        fuzz_cut_reads(round ? size + 1 : 0);
        read_rows(&f);
        ids_free(f.ids);
        if (!round)
            buf_add_slice(&first, buf_slice(&f.told));
    }
    HOLDS(!f.told.failed && slice_eq(buf_slice(&first), buf_slice(&f.told)));
    buf_free(&first);
    buf_free(&f.told);
    free(f.template);
    return 0;
}
