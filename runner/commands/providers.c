// providers.c: `batch-run providers`, the built-in catalogue as a table or as JSON. Main thread.
// SPDX-License-Identifier: MIT
#include "jobs/base/io.h"
#include "jobs/base/json.h"
#include "jobs/base/log.h"
#include "pool/catalogue.h"
#include "runner/command.h"

#include <errno.h>
#include <unistd.h>

struct providers_config {
    bool json;
};

enum { COLUMNS = 5 };

static const char *const headings[COLUMNS] = {"NAME", "BASE URL", "KEY VARIABLES", "FORMAT",
                                              "DEFAULT MODEL"};

// The text of one cell; variables are listed with commas.
static void add_cell(const struct provider *p, int column, struct buf *out) {
    const char *const texts[COLUMNS] = {p->name, p->base_url, p->variables[0], p->wire_name,
                                        p->default_model};
    buf_add_str(out, texts[column]);
    for (int i = 1; column == 2 && i < 3 && p->variables[i]; i++) {
        buf_add_str(out, ", ");
        buf_add_str(out, p->variables[i]);
    }
}

static size_t cell_width(const struct provider *p, int column) {
    struct buf cell = BUF_INIT(1024);
    add_cell(p, column, &cell);
    size_t n = cell.n;
    buf_free(&cell);
    return n;
}

static void pad(struct buf *out, size_t start, size_t width) {
    while (out->n - start < width)
        buf_add_char(out, ' ');
}

static void add_table(struct buf *out) {
    size_t width[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) {
        width[c] = strlen(headings[c]);
        for (const struct provider *p = catalogue; p->name; p++)
            if (cell_width(p, c) > width[c])
                width[c] = cell_width(p, c);
    }
    for (int row = -1; row < CATALOGUE_COUNT; row++)
        for (int c = 0; c < COLUMNS; c++) {
            size_t start = out->n;
            if (row < 0)
                buf_add_str(out, headings[c]);
            else
                add_cell(&catalogue[row], c, out);
            if (c < COLUMNS - 1)
                pad(out, start, width[c] + 2);
            else
                buf_add_char(out, '\n');
        }
}

static void add_member(struct buf *out, const char *name, const char *text) {
    json_add_name(out, name);
    json_add_string(out, slice_str(text));
}

// An array, one provider a line.
static void add_json(struct buf *out) {
    for (const struct provider *p = catalogue; p->name; p++) {
        buf_add_str(out, p == catalogue ? "[{" : ",\n {");
        add_member(out, "name", p->name);
        add_member(out, "base_url", p->base_url);
        json_add_name(out, "variables");
        for (int i = 0; i < 3 && p->variables[i]; i++) {
            buf_add_char(out, i ? ',' : '[');
            json_add_string(out, slice_str(p->variables[i]));
        }
        buf_add_char(out, ']');
        add_member(out, "format", p->wire_name);
        add_member(out, "default_model", p->default_model);
        add_member(out, "documentation", p->documentation);
        buf_add_char(out, '}');
    }
    buf_add_str(out, "]\n");
}

static int providers_run(const void *config, int count, char **operands) {
    const struct providers_config *c = config;
    struct buf out = BUF_INIT(64 * 1024);
    (void)count;
    (void)operands;
    if (c->json)
        add_json(&out);
    else
        add_table(&out);
    bool written = io_write_all(STDOUT_FILENO, buf_slice(&out), NULL);
    if (!written)
        log_error("standard output cannot be written: %s", strerror(errno));
    buf_free(&out);
    return written ? 0 : 4;
}

static const struct option options[] = {
    {
        .name = "json",
        .type = OPTION_FLAG,
        .offset = offsetof(struct providers_config, json),
        .group = "Output",
        .help = "Print a JSON array for programs instead of the table",
    },
    OPTIONS_END,
};

const struct command providers_command = {
    .name = "providers",
    .operands = "",
    .summary = "List the providers that are known: addresses, key variables, formats, models",
    .description =
        "Prints the built-in catalogue. A provider's keys come from the variables shown, as one "
        "key "
        "or a comma-separated list, and from the same names with _1, _2 and so on behind them.\n\n"
        "A base URL can be replaced with --base-url, a model with --model, for one provider or for "
        "each by name. Several providers make an order of preference: --provider zai,groq. A row "
        "of any shape goes "
        "to any of them, translated into its format; a provider's own batch lines go to its own.",
    .options = options,
    .config_size = sizeof(struct providers_config),
    .run = providers_run,
};
