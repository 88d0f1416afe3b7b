// providers.c: `batch-run providers`, the known providers as a table or as JSON. Main thread.
// SPDX-License-Identifier: MIT
#include "jobs/base/io.h"
#include "jobs/base/json.h"
#include "jobs/base/log.h"
#include "pool/keys/keyring.h"
#include "pool/wire/request_url.h"
#include "pool/wire/wire.h"
#include "runner/command.h"

#include <errno.h>
#include <unistd.h>

struct providers_config {
    bool json;
    const char *keys;
};

enum column { NAME, ADDRESS, VARIABLES, AUTH, FORMAT, MODEL, COLUMNS };

static const char *const headings[COLUMNS] = {"NAME", "BASE URL", "KEY VARIABLES",
                                              "AUTH", "FORMAT",   "DEFAULT MODEL"};

// "bearer", "none", "header: x-api-key"; what may be left out is said.
static void add_auth(const struct provider *p, struct buf *out) {
    const char *prefix = p->auth_prefix ? p->auth_prefix : p->wire->auth_prefix;
    bool sends = provider_sends_key(p);
    if (!sends)
        buf_add_str(out, "none");
    else if (slice_starts(slice_str(prefix), "Authorization: Bearer"))
        buf_add_str(out, "bearer");
    else
        buf_addf(out, "header: %.*s", (int)strcspn(prefix, ":"), prefix);
    if (sends && p->key_is_optional)
        buf_add_str(out, " (optional)");
}

static void add_variables(const struct provider *p, struct buf *out) {
    for (int i = 0; i < PROVIDER_VARIABLES && p->variables[i]; i++)
        buf_addf(out, "%s%s", i ? ", " : "", p->variables[i]);
}

static void add_cell(const struct provider *p, int column, struct buf *out) {
    switch ((enum column)column) {
    case NAME: buf_add_str(out, p->name); break;
    case ADDRESS:
        url_add_shown(out, slice_str(p->base_url ? p->base_url : "(your resource's)"));
        break;
    case VARIABLES: add_variables(p, out); break;
    case AUTH: add_auth(p, out); break;
    case FORMAT: buf_add_str(out, p->wire_name); break;
    case MODEL: buf_add_str(out, p->default_model ? p->default_model : "(none: --model)"); break;
    case COLUMNS: break;
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

static void add_line(const struct provider *p, const size_t width[COLUMNS], struct buf *out) {
    for (int c = 0; c < COLUMNS; c++) {
        size_t start = out->n;
        if (p)
            add_cell(p, c, out);
        else
            buf_add_str(out, headings[c]);
        if (c < COLUMNS - 1)
            pad(out, start, width[c] + 2);
    }
    buf_add_char(out, '\n');
}

static void add_table(const struct registry *providers, struct buf *out) {
    size_t width[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) {
        width[c] = strlen(headings[c]);
        for (size_t i = 0; i < registry_count(providers); i++)
            if (cell_width(registry_at(providers, i), c) > width[c])
                width[c] = cell_width(registry_at(providers, i), c);
    }
    add_line(NULL, width, out);
    for (size_t i = 0; i < registry_count(providers); i++)
        add_line(registry_at(providers, i), width, out);
}

static void add_member(struct buf *out, const char *name, const char *text) {
    json_add_name(out, name);
    if (text)
        json_add_string(out, slice_str(text));
    else
        buf_add_str(out, "null");
}

static void add_cell_member(struct buf *out, const char *name, const struct provider *p,
                            int column) {
    struct buf text = BUF_INIT(8192);
    add_cell(p, column, &text);
    add_member(out, name, buf_cstr(&text));
    buf_free(&text);
}

static void add_object(const struct provider *p, struct buf *out) {
    add_member(out, "name", p->name);
    if (p->base_url)
        add_cell_member(out, "base_url", p, ADDRESS);
    else
        add_member(out, "base_url", NULL);
    json_add_name(out, "variables");
    for (int i = 0; i < PROVIDER_VARIABLES && p->variables[i]; i++) {
        buf_add_char(out, i ? ',' : '[');
        json_add_string(out, slice_str(p->variables[i]));
    }
    buf_add_char(out, ']');
    add_cell_member(out, "auth", p, AUTH);
    add_member(out, "format", p->wire_name);
    add_member(out, "default_model", p->default_model);
    add_member(out, "documentation", p->documentation);
}

// An array, one provider a line.
static void add_json(const struct registry *providers, struct buf *out) {
    for (size_t i = 0; i < registry_count(providers); i++) {
        buf_add_str(out, i ? ",\n {" : "[{");
        add_object(registry_at(providers, i), out);
        buf_add_char(out, '}');
    }
    buf_add_str(out, "]\n");
}

// The built-in ones, and those that the pool file of --keys declares. No key of it is needed here.
static bool load(const struct providers_config *c, struct keyring *ring) {
    const struct keyring_options options = {.keys_file = c->keys, .wanted = ""};
    struct error err = {0};
    *ring = (struct keyring){0};
    if (!c->keys || keyring_load(ring, &options, &err))
        return true;
    log_error("%s", err.text);
    return false;
}

static bool print(const struct buf *out) {
    bool written = io_write_all(STDOUT_FILENO, buf_slice(out), NULL);
    if (!written)
        log_error("standard output cannot be written: %s", strerror(errno));
    return written;
}

static int providers_run(const void *config, int count, char **operands) {
    const struct providers_config *c = config;
    struct buf out = BUF_INIT(256 * 1024);
    struct keyring ring;
    (void)count;
    (void)operands;
    if (!load(c, &ring))
        return 2;
    if (c->json)
        add_json(&ring.providers, &out);
    else
        add_table(&ring.providers, &out);
    bool written = print(&out);
    buf_free(&out);
    keyring_free(&ring);
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
    {
        .name = "keys",
        .type = OPTION_TEXT,
        .offset = offsetof(struct providers_config, keys),
        .value = "FILE,...",
        .group = "Keys and providers",
        .help = "List the providers that a JSON pool file declares or changes, too",
    },
    OPTIONS_END,
};

const struct command providers_command = {
    .name = "providers",
    .operands = "",
    .summary = "List the providers that are known: addresses, key variables, formats, models",
    .description =
        "Prints the providers that are built in and, with --keys, those that a pool file declares. "
        "A provider's keys come from the variables shown, as one key or a comma-separated list, "
        "and "
        "from the same names with _1, _2 and so on behind them. Any other provider is declared "
        "with "
        "--provider NAME=https://ADDRESS/v1 or in a pool file: see PROVIDERS OF YOUR OWN in the "
        "manual.\n\n"
        "A base URL can be replaced with --base-url, a model with --model, for one provider or for "
        "each by name. Several providers make an order of preference: --provider zai,groq. A row "
        "of any shape goes "
        "to any of them, translated into its format; a provider's own batch lines go to its own.",
    .options = options,
    .config_size = sizeof(struct providers_config),
    .run = providers_run,
};
