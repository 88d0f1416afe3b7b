#!/bin/sh
# Installs what building (run) or testing (test, bench, valgrind, fuzz) needs, on Debian and its kin.
# Silent and quick when nothing is missing, however it came there.
# SPDX-License-Identifier: MIT
set -u

missing=

need() { # PACKAGE CHECK...: the package is missing unless the check succeeds
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

has() {
    command -v "$1"
}

has_header() { # needs a compiler to know where it looks
    echo "#include <$1>" | gcc -E -o /dev/null -
}

need_for_run() {
    need gcc has gcc
    need libc6-dev has_header stdlib.h
    need make has make
    need pkg-config has pkg-config
    need libcurl4-openssl-dev pkg-config --exists libcurl
    need libcjson-dev pkg-config --exists libcjson
    need libcsv-dev has_header csv.h
    need zlib1g-dev pkg-config --exists zlib
    need libzstd-dev pkg-config --exists libzstd
    need libmicrohttpd-dev pkg-config --exists libmicrohttpd
    need ca-certificates test -e /etc/ssl/certs -o -e /etc/pki/tls -o -e /etc/ssl/cert.pem
}

need_for_test() {
    need libcmocka-dev pkg-config --exists cmocka
    need clang has clang
    need jq has jq
    need curl has curl
    need procps has ps
    need mandoc has mandoc
    need openssl has openssl
}

need_for_bench() {
    need curl has curl
    need wrk has wrk
    need nghttp2-client has h2load
    need openssl has openssl
    need python3 has python3
    need python3-venv python3 -c "import ensurepip"
    need nodejs has node
    need npm has npm
    need util-linux has taskset
}

has_fuzzer() { # libFuzzer and the sanitizers for this clang
    echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return !p && n; }' |
        clang -fsanitize=fuzzer,address,undefined -x c -o /dev/null -
}

need_for_fuzz() {
    need clang has clang
    need libclang-rt-dev has_fuzzer
}

case ${1:-} in
run) need_for_run ;;
test) need_for_run && need_for_test ;;
bench) need_for_run && need_for_bench ;;
fuzz) need_for_run && need_for_fuzz ;;
valgrind) need_for_run && need valgrind has valgrind && need jq has jq ;;
*)
    echo "usage: tests/setup.sh run|test|bench|valgrind|fuzz" >&2
    exit 2
    ;;
esac

if [ -z "$missing" ]; then
    exit 0
fi
if ! has apt-get >/dev/null; then
    echo "setup: this is not Debian or its kin; please install what these packages hold:$missing" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    if ! has sudo >/dev/null; then
        echo "setup: packages are missing, and neither root nor sudo is at hand. As root, run:" >&2
        echo "    apt-get install$missing" >&2
        exit 1
    fi
    as_root=sudo
fi

apt() {
    # shellcheck disable=SC2086 # nothing when root
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 \
        -o DPkg::Lock::Timeout=300 "$@"
}

install_missing() {
    # shellcheck disable=SC2086 # a list of words
    apt install -y --no-install-recommends $missing
}

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
echo "setup: installing$missing" >&2
# Lists that are not there, or too old to be good, make the first try fail.
if ! install_missing >"$log" 2>&1; then
    if ! { apt update && install_missing; } >"$log" 2>&1; then
        cat "$log" >&2
        echo "setup: apt-get could not install$missing (its words are above)" >&2
        exit 1
    fi
fi
