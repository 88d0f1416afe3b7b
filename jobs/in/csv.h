// Records of csv and tsv (RFC 4180, by libcsv) → jobs.
//
// The header names the columns; spaces around a name do not count, an unnamed column is called
// column_2 (by its place), and two of the same name are an error of the whole input. White space in
// cells belongs to them. A record whose cells are all empty is a blank line. Too few cells are a
// bad row (half a record may be a prompt cut in two); too many as well, unless the surplus is
// empty, as spreadsheets write it.
//
// A malformed record is a bad row that ends with the line it began on: reading goes on with the
// next line, so that one forgotten quotation mark costs one row and not the rest of the file.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_CSV_H
#define JOBS_IN_CSV_H

#include "jobs/in/lines.h"
#include "jobs/in/row.h"

struct csv;

// Reads from lines, which must stay. delimiter 0: the header says it, `,` `;` tab or `|`. A first line
// `sep=;`, as spreadsheets write and read it, is passed over and says it too.
struct csv *csv_new(struct lines *lines, char delimiter);
void csv_delete(struct csv *c); // NULL is fine

// Reads the header, unless that has happened. LINES_LINE: it is good.
enum lines_status csv_start(struct csv *c, const struct rows *rows, struct error *err);

// The next record as a job with its index set; the first call reads the header first. LINES_LINE:
// the job is filled, a good row or a bad one.
enum lines_status csv_next(struct csv *c, struct rows *rows, struct job *job, struct error *err);

#endif
