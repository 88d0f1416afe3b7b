// A prompt template: text in which {{name}} is a row's field of that name, and {{{{ a literal {{.
//
// Spaces inside the braces do not count: {{ name }}. A single brace, }} outside of a placeholder
// and the first of three braces, as in {{{name}}}, stand for themselves. A name ends at the first
// }}.
//
// Parsed once, rendered per row as a JSON string token put together from slices: a field that is a
// string goes in with its own escapes, anything else as its JSON text.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_TEMPLATE_H
#define JOBS_IN_TEMPLATE_H

#include "jobs/base/buf.h"
#include "jobs/base/error.h"

struct template;

// NULL with err filled when a {{ is not closed, a name is empty or the text is not valid UTF-8.
struct template *template_parse(struct slice text, struct error *err);
void template_free(struct template *t); // NULL is fine

// The name of the i-th placeholder (from 0, a name as often as it is used), or SLICE_NONE behind
// the last. Lives as long as t.
struct slice template_name(const struct template *t, size_t i);

// A row's field by name as a JSON token; SLICE_NONE when the row has none.
typedef struct slice (*template_field)(void *row, struct slice name);

// Appends the string token. False: missing is set to the first name the row does not have.
bool template_render(const struct template *t, template_field field, void *row, struct buf *out,
                     struct slice *missing);

#endif
