#!/bin/bash
# make install and uninstall: program, manual and completions in their places, and away again.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

files="bin/batch-run
share/bash-completion/completions/batch-run
share/fish/vendor_completions.d/batch-run.fish
share/man/man1/batch-run.1.gz
share/zsh/site-functions/_batch-run"

t "everything is put below DESTDIR and PREFIX"
expect_exit 0 make -C "$ROOT" install "DESTDIR=$WORK/dest" PREFIX=/usr
assert_eq "$files" "$(cd dest/usr && find . -type f | sed 's,^\./,,' | LC_ALL=C sort)" files
assert_eq usr "$(ls dest)" "directories below DESTDIR"

t "the installed program is the one that was built, the pages are its own"
assert_same dest/usr/bin/batch-run "$BATCH_RUN"
gzip -dc dest/usr/share/man/man1/batch-run.1.gz >page
run_ok help manual
assert_same page "$OUT"
run_ok completion zsh
assert_same dest/usr/share/zsh/site-functions/_batch-run "$OUT"
assert_true "no time stamp in the page's archive" \
    sh -c 'gzip -9nc page | cmp - dest/usr/share/man/man1/batch-run.1.gz'

t "modes"
assert_eq "755 644" "$(stat -c %a dest/usr/bin/batch-run dest/usr/share/man/man1/batch-run.1.gz | paste -sd ' ')"

t "PREFIX alone"
expect_exit 0 make -C "$ROOT" install "PREFIX=$WORK/own"
expect_exit 0 own/bin/batch-run --version
if command -v man >/dev/null && man -w ls >/dev/null 2>&1; then
    assert_true "man does not find the page" man -M "$WORK/own/share/man" -w batch-run
fi

t "uninstall leaves nothing of it"
expect_exit 0 make -C "$ROOT" uninstall "DESTDIR=$WORK/dest" PREFIX=/usr
assert_eq "" "$(find dest -type f)"
