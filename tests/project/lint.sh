#!/bin/bash
# tests/lint.sh finds what it is there for, and only that.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

# A tree in which all is well; each test spoils it.
fresh() {
    rm -rf tree
    mkdir -p tree/jobs/base tree/pool tree/runner tree/tests
    printf '// a.c: does it.\n// SPDX-License-Identifier: MIT\n#include "jobs/a.h"\n\n#include "jobs/base/b.h"\n' >tree/jobs/a.c
    printf '// Promises.\n// SPDX-License-Identifier: MIT\n' >tree/jobs/a.h
    cp tree/jobs/a.h tree/jobs/base/b.h
    cp tree/jobs/a.h tree/pool/p.h
    printf '// job.c: states.\n// SPDX-License-Identifier: MIT\nvoid job_set_state(struct job *job, int state) {\n    job->state = state;\n}\n' >tree/jobs/job.c
    touch tree/Makefile tree/README.md tree/LICENSE
    printf 'DisableFormat: true\nSortIncludes: Never\n' >tree/.clang-format
}

lint() { # WANTED
    LINT_ROOT=$WORK/tree GIT_CEILING_DIRECTORIES=$WORK expect_exit "$1" "$ROOT/tests/lint.sh"
}

finds() { # TEXT
    lint 1
    assert_contains "$OUT" "$1"
    assert_lines "$OUT" 1
}

t "a tidy tree has no findings"
fresh
lint 0
assert_empty "$OUT"

t "includes that point back"
fresh
printf '#include "pool/p.h"\n' >>tree/jobs/a.c
finds "jobs/a.c:6:"
fresh
printf '#include "jobs/a.h"\n' >>tree/jobs/base/b.h
finds "jobs/base/ must not know this"
fresh
printf '#include "runner/x.h"\n' >>tree/pool/p.h
finds "pool/ must not know this"

t "first lines, licences, own headers"
fresh
sed -i '1s/.*/\/\/ something else/' tree/jobs/a.c
finds "jobs/a.c:1: the first line is not"
fresh
sed -i 2d tree/jobs/job.c
finds "SPDX"
fresh
sed -i 's,#include "jobs/a.h",#include <stdio.h>,' tree/jobs/a.c
finds "is not the first include"

t "states are written in one place"
fresh
printf '\nvoid other(struct job *job) {\n    job->state = 3;\n}\n' >>tree/jobs/job.c
finds "jobs/job.c:8: only job_set_state()"
fresh
printf '\nint other(struct job *job) {\n    return job->state == 3;\n}\n' >>tree/jobs/job.c
lint 0

t "long functions and long files"
fresh
{
    printf '\nstatic void long_one(void) {\n'
    seq 1 69 | sed 's/.*/    call();/'
    printf '}\n'
} >>tree/jobs/a.c
finds "long_one has 71 lines"
fresh
seq 1 500 | sed 's/.*/\/\/ &/' >>tree/jobs/a.c
finds "the file has 500 lines or more"

t "what is left half done"
fresh
printf '// TO%s: later\n' DO >>tree/jobs/a.c
finds "jobs/a.c:6:"

t "strangers at the top level"
fresh
touch tree/notes.txt
finds "notes.txt:1: has no place at the top level"

t "layout"
if [ "$(clang-format --version 2>/dev/null | sed -nE 's/.*version ([0-9]+)\..*/\1/p')" = 14 ]; then
    fresh
    cp "$ROOT/.clang-format" tree
    printf '\nint  spaced( void );\n' >>tree/jobs/a.c
    finds "jobs/a.c:7: not laid out"
fi
