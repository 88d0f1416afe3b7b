#!/bin/sh
# Gets the clients that `make bench` compares with and that are no Debian packages: aiohttp from PyPI,
# undici and openai from npm, and nginx with its echo module from Debian's packages without installing
# them, since that would start a server; all into build/bench. Quick when they are there. What cannot be
# had is named and left out of the comparison.
# SPDX-License-Identifier: MIT
set -u
cd "$(dirname "$0")/../.." || exit 1
into=build/bench
mkdir -p "$into"

if ! "$into/venv/bin/python" -c 'import aiohttp' 2>/dev/null; then
    { python3 -m venv "$into/venv" && "$into/venv/bin/pip" -q install aiohttp; } >"$into/pip.log" 2>&1 ||
        echo "bench: aiohttp cannot be had (see $into/pip.log); going on without it" >&2
fi
for package in undici openai; do
    test -d "$into/npm/node_modules/$package" ||
        npm install --prefix "$into/npm" --silent --no-fund --no-audit "$package" >"$into/npm.log" 2>&1 ||
        echo "bench: $package cannot be had (see $into/npm.log); going on without it" >&2
done
if ! command -v nginx >/dev/null && ! [ -x "$into/nginx/usr/sbin/nginx" ]; then
    (cd "$into" && apt-get -qq download nginx && dpkg -x nginx_*.deb nginx) >"$into/nginx.log" 2>&1 ||
        echo "bench: nginx cannot be had (see $into/nginx.log); going on without TLS" >&2
fi
if ! [ -e "$into/nginx/usr/lib/nginx/modules/ngx_http_echo_module.so" ]; then
    (cd "$into" && apt-get -qq download libnginx-mod-http-echo && dpkg -x libnginx-mod-http-echo_*.deb nginx) \
        >"$into/nginx-echo.log" 2>&1 ||
        echo "bench: nginx's echo module cannot be had (see $into/nginx-echo.log); no requests are" \
            "held open over TLS" >&2
fi
exit 0
