#!/bin/bash
# tests/setup.sh on machines it was not written on: with stand-ins for apt-get, sudo and the tools.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

# machine NAME TOOL...: a directory that is all of the PATH, with these tools and stand-ins.
machine() {
    local name=$1 tool
    shift
    rm -rf "$name" && mkdir "$name"
    for tool in sh env cat rm mktemp "$@"; do
        [ -e "$name/$tool" ] || ln -s "$(command -v "$tool")" "$name/$tool"
    done
}

# stand_in DIRECTORY NAME: an executable from stdin.
stand_in() {
    { echo '#!/bin/sh'; cat; } >"$1/$2"
    chmod +x "$1/$2"
}

user() { # DIRECTORY ID
    stand_in "$1" id <<<"echo $2"
}

setup() { # DIRECTORY WHAT
    env -i PATH="$WORK/$1" LOG="$WORK/log" "$WORK/$1/sh" "$ROOT/tests/setup.sh" "$2"
}
export -f setup
export WORK ROOT
call() { # WANTED DIRECTORY WHAT
    : >log
    expect_exit "$1" bash -c 'setup "$@"' bash "$2" "$3"
}

t "nothing to do: silent"
machine full make
user full 0
for tool in gcc pkg-config clang jq curl ps mandoc openssl valgrind; do
    stand_in full $tool <<<'exit 0'
done
stand_in full apt-get <<<'echo called >>"$LOG"'
for what in run test valgrind fuzz; do
    call 0 full $what
    assert_empty "$OUT"
    assert_empty "$ERR"
done
assert_empty log

t "it says what it installs, without asking, and installs that"
machine bare make
user bare 0
stand_in bare apt-get <<<'echo "$DEBIAN_FRONTEND $*" >>"$LOG"'
call 0 bare run
assert_contains "$ERR" "installing gcc libc6-dev pkg-config libcurl4-openssl-dev libcjson-dev libcsv-dev zlib1g-dev libzstd-dev libmicrohttpd-dev"
assert_match log '^noninteractive .*install -y --no-install-recommends gcc .* libmicrohttpd-dev'
assert_no_match log cmocka
call 0 bare test
assert_match log 'libcmocka-dev clang'
assert_lines log 1

t "lists that are missing are fetched, once"
stand_in bare apt-get <<'E2'
echo "$*" >>"$LOG"
case "$*" in *update*) exit 0 ;; esac
[ "$(wc -l <"$LOG")" -gt 1 ]
E2
ln -s "$(command -v wc)" bare/wc
call 0 bare run
assert_lines log 3
assert_match log update

t "what apt-get says is shown when it fails for good"
stand_in bare apt-get <<<'echo "E: the network is down"; exit 100'
call 1 bare run
assert_contains "$ERR" "E: the network is down"
assert_contains "$ERR" "could not install gcc"

t "not root: through sudo"
user bare 1000
stand_in bare sudo <<<'echo "sudo $*" >>"$LOG"'
call 0 bare run
assert_match log '^sudo env DEBIAN_FRONTEND=noninteractive apt-get .*install'

t "neither root nor sudo: says what to do"
rm bare/sudo
call 1 bare run
assert_match "$ERR" '^    apt-get install gcc libc6-dev pkg-config '
assert_contains "$ERR" "neither root nor sudo"

t "not Debian: says what is missing"
rm bare/apt-get
call 1 bare run
assert_contains "$ERR" "not Debian"
assert_contains "$ERR" libcurl4-openssl-dev

t "the Makefile can be read on the bare machine"
machine bare make find grep sort
expect_exit 0 env -i PATH="$WORK/bare" make -C "$ROOT" -n deps
assert_match "$OUT" 'tests/setup.sh test'
