#!/usr/bin/env python3
"""Runs all clients in turn against the same upstream and compares what they cost. See `make bench`.

How it is measured:
- upstream (`batch-run simulate`, nginx where there is TLS) on one core, the client on another;
- ratios to the bare libcurl loop are taken within a round; in a round the clients run at the same time,
  but only one of them at any moment: the others are stopped (SIGSTOP), and every tenth of a second (with
  1,000 requests open and more, an eighth of their time) it is the next one's turn. So a machine that
  changes its speed changes it for all. Their times are those of their own turns. wrk alone goes by the
  clock, and runs after them. Take several rounds: one and the same command can take half as long again,
  for all of its life, depending on where its memory lies;
- what measures keeps off the client's core;
- CPU is user + system time of the client alone, peak memory its resident set, from wait4();
- a client that is not busy on its core waits for the upstream: compare its CPU, not its rate;
- what a client costs before its first request is taken off: every round also runs it with one
  request;
- all read the same rows from a file and write results to a file, but for the bare loop, wrk and h2load,
  which send one body all the time and forget the replies, and curl, whose requests are prebuilt and whose
  replies go to a file each, in memory if there is room: on a disk that costs several times as much;
- requests have a body of 300 bytes, replies one of about 700.

usage: bench.py [--quick] [--only SCENARIO,...] [--rounds N]     SPDX-License-Identifier: MIT
"""
import argparse
import atexit
import contextlib
import json
import os
import platform
import re
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = "build/bench"
PROGRAM = os.environ.get("BATCH_RUN", "./batch-run")
UPSTREAM_CORE, CLIENT_CORE = "0", "1"
ALL_CORES = os.sched_getaffinity(0)
PROMPT = "a" * 232
REPLY = "words:33"
TURN = 0.1  # seconds, with 64 requests open; longer with more of them, see one_round()


def path(name):
    return os.path.join(WORK, name)


def log(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port):
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise SystemExit("bench: the upstream does not start")


def pinned(core, command):
    return (["taskset", "-c", core] if (os.cpu_count() or 1) > 1 else []) + command


class Upstream:
    """A server of chat completions; `with` starts and ends it."""

    def __init__(self, keys, extra=(), keys_file="keys.env"):
        self.keys, self.port, self.scheme, self.cacert = keys, free_port(), "http", None
        self.keys_file = path(keys_file)
        self.command = [PROGRAM, "simulate", "--port", str(self.port), "--keys", str(keys), "--reply",
                        REPLY, "--write-keys", self.keys_file, "--quiet", *extra]

    def base(self):
        return f"{self.scheme}://127.0.0.1:{self.port}/v1"

    def url(self):
        return self.base() + "/chat/completions"

    def stats(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats") as answer:
            return json.load(answer)

    def in_flight(self):
        return self.stats()["in_flight"]

    def __enter__(self):
        self.process = subprocess.Popen(pinned(UPSTREAM_CORE, self.command), stdout=subprocess.DEVNULL)
        wait_for_port(self.port)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Nginx(Upstream):
    """Behind TLS, over HTTP/1.1 or HTTP/2: a canned reply, at once or after `pause` seconds."""

    def __init__(self, keys, http2, pause=0):
        super().__init__(keys)
        self.scheme, self.cacert, self.stats_port = "https", os.path.abspath(path("tls.pem")), free_port()
        if not os.path.exists(self.cacert):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650", "-subj",
                            "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                            path("tls.key"), "-out", self.cacert], check=True, stderr=subprocess.DEVNULL)
        reply = json.dumps({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "simulate-1",
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": "plain words " * 36}}],
            "usage": {"prompt_tokens": 75, "completion_tokens": 125, "total_tokens": 200}})
        temps = " ".join(f"{kind}_temp_path {os.path.abspath(path('nginx-temp'))};" for kind in
                         ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        answer = f"echo_read_request_body; echo_sleep {pause}; echo '{reply}';" if pause else \
            f"return 200 '{reply}';"
        with open(path("nginx.conf"), "w") as f:
            f.write(f"""{f"load_module {os.path.abspath(NGINX_ECHO)};" if pause else ""}
daemon off; master_process off; pid {os.path.abspath(path('nginx.pid'))};
error_log stderr crit; worker_rlimit_nofile 65536;
events {{ worker_connections 30000; }}
http {{
    access_log off; keepalive_requests 100000000; http2_max_concurrent_streams 100;
    {temps}
    server {{
        listen 127.0.0.1:{self.port} ssl{' http2' if http2 else ''};
        ssl_certificate {self.cacert}; ssl_certificate_key {os.path.abspath(path('tls.key'))};
        location / {{ default_type application/json; {answer} }}
    }}
    server {{ listen 127.0.0.1:{self.stats_port}; location / {{ stub_status; }} }}
}}
""")
        self.command = [NGINX, "-c", os.path.abspath(path("nginx.conf")), "-p", os.path.abspath(WORK),
                        "-e", "stderr"]
        self.keys_file = path("canned.env")
        with open(self.keys_file, "w") as f:
            f.writelines(f"SIMULATE_API_KEY_{i + 1}=bench-key-{i + 1:04}\n" for i in range(keys))

    def in_flight(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.stats_port}/") as answer:
            # the look itself is one of them
            return int(re.search(r"Writing: (\d+)", answer.read().decode()).group(1)) - 1


NGINX = shutil.which("nginx") or path("nginx/usr/sbin/nginx")
NGINX_ECHO = path("nginx/usr/lib/nginx/modules/ngx_http_echo_module.so")


class Measured:
    """A command on the client's core, in one turn or in several. What the kernel counted for it, and what
    it printed, is `got` in the end."""

    def __init__(self, command, env=None, number=0, first_port=None):
        self.first_port, self.result = first_port, path(f"measure-{number}.json")
        more = ["--first", str(first_port)] if first_port else []
        self.command = pinned(CLIENT_CORE, [path("measure"), self.result, *more, *command])
        self.env = {**os.environ, **(env or {})}
        self.process, self.seconds, self.got = None, 0, None
        # files, since pipes would have to be emptied while it runs
        self.printed, self.errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")

    def turn(self, seconds=None):
        """Until it has ended, or its time is over. It is then stopped."""
        begun = time.monotonic()
        if self.process:
            os.killpg(self.process.pid, signal.SIGCONT)
        else:
            self.process = subprocess.Popen(self.command, env=self.env, stdout=self.printed,
                                            stderr=self.errors, start_new_session=True)
        end = os.pidfd_open(self.process.pid)
        ended = select.select([end], [], [], seconds)[0]
        os.close(end)
        if not ended:
            os.killpg(self.process.pid, signal.SIGSTOP)
        self.seconds += time.monotonic() - begun
        if ended:
            self.judge()

    def judge(self):
        self.printed.seek(0)
        self.errors.seek(0)
        what, errors = " ".join(self.command)[:200], self.errors.read()[-600:]
        if self.process.wait():
            raise SystemExit(f"bench: {what}: {errors}")
        with open(self.result) as f:
            got = json.load(f)
        if got["status"] and not self.first_port:
            raise SystemExit(f"bench: {what}: status {got['status']}: {errors}")
        self.got = {**got, "stdout": self.printed.read(), "turns_us": self.seconds * 1e6}

    def end(self):
        if self.process and self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.printed.close()
        self.errors.close()


def in_turns(all_of_them, seconds):
    left = list(all_of_them)
    try:
        while left:
            for it in left:
                it.turn(seconds)
            left = [it for it in left if not it.got]
    finally:
        for it in all_of_them:
            it.end()


def measure(command, env=None, first_port=None):
    it = Measured(command, env, first_port=first_port)
    try:
        it.turn(60 if first_port else None)
    finally:
        it.end()
    if not it.got:
        raise SystemExit(f"bench: {command[0]}: no request within a minute")
    return it.got


def rows_file(count, ids=False):
    name = path(f"rows-{count}{'-ids' if ids else ''}.jsonl")
    if not os.path.exists(name):
        with open(name + ".tmp", "w") as f:
            for i in range(count):
                head = f'{{"id":"row-{i:012}",' if ids else "{"
                f.write(f'{head}"prompt":"{i:07}{PROMPT}"}}\n')
        os.rename(name + ".tmp", name)
    return name


def batch_run(up, rows, slots, *more, results="results.jsonl"):
    command = [PROGRAM, rows, "--provider", "simulate", "--base-url", up.base(), "--output",
               path(results), "--overwrite", "--progress", "off", "--quiet", "--slots-per-key",
               # the same headers as the other clients: no provider but the simulator is sent a key
               str(slots), "--idempotency-keys", "never", "--simulate", f"--keys {up.keys}", *more]
    return command + (["--cacert", up.cacert] if up.cacert else [])


class Client:
    """name, requests a second to expect (decides how many are made), command of (up, open, count)."""

    def __init__(self, name, expect, command, available=True, env=None, least=0):
        self.name, self.expect, self.command = name, expect, command
        self.available, self.env, self.least = available, env, least

    def count(self, opened, seconds):
        slower = 2 if opened >= 1000 else 1
        return max(int(self.expect * seconds / slower), 2 * opened, self.least)

    def start(self, up, opened, seconds, number):
        """To be run in turns; judge() says what came of it."""
        self.requests = self.count(opened, seconds)
        self.one = measure(self.command(up, 1, 1), self.env)
        self.all = Measured(self.command(up, opened, self.requests), self.env, number)
        return self.all

    def judge(self):
        one, all_ = self.one, self.all.got
        took, cpu = all_["turns_us"] - one["turns_us"], all_["cpu_us"] - one["cpu_us"]
        return {"per_second": (self.requests - 1) / took * 1e6, "cpu_us": cpu / (self.requests - 1),
                "peak_mib": all_["peak_kib"] / 1024}


class Wrk(Client):
    """Goes by the clock: it cannot be stopped for a while."""

    def run(self, up, opened, seconds):
        got = measure(["wrk", "-t1", f"-c{opened}", f"-d{max(1, round(seconds))}", "-s",
                       os.path.join(HERE, "simulate.lua"), up.url()])
        count = int(re.search(r"(\d+) requests in", got["stdout"]).group(1))
        rate = float(re.search(r"Requests/sec:\s*([\d.]+)", got["stdout"]).group(1))
        return {"per_second": rate, "cpu_us": got["cpu_us"] / count, "peak_mib": got["peak_kib"] / 1024}


def h2load(up, opened, count):
    with open(path("body.json"), "w") as f:
        json.dump({"model": "simulate-1", "messages": [{"role": "user", "content": PROMPT}]}, f)
    return ["h2load", "-t1", f"-c{max(1, opened // 100)}", f"-m{min(opened, 100)}", f"-n{count}", "-d",
            path("body.json"), up.url()]


def script(interpreter, name):
    return lambda up, opened, count: [interpreter, os.path.join(HERE, name), up.url(), up.keys_file,
                                      str(opened), rows_file(count), path(f"results-{name}.jsonl")]


def bare(up, opened, count):
    return [path("bare_multi"), up.url(), up.keys_file, str(opened), str(count)] + \
        ([up.cacert] if up.cacert else [])


def job(up, opened, count):
    if count == 1:
        return batch_run(up, rows_file(1), 1)
    return batch_run(up, rows_file(count), max(1, opened // up.keys))


def curl_replies():
    """A folder in memory if there is room, else on the disk; gone at the end."""
    memory = "/dev/shm"
    roomy = os.path.isdir(memory) and shutil.disk_usage(memory).free > 200 << 20
    folder = os.path.join(memory, f"batch-run-bench-{os.getpid()}") if roomy else path("curl-replies")
    atexit.register(shutil.rmtree, folder, True)
    return os.path.abspath(folder)


CURL_REPLIES = curl_replies()


def curl(up, opened, count):
    config = path(f"curl-{count}.config")
    shutil.rmtree(CURL_REPLIES, ignore_errors=True)
    subprocess.run([os.path.join(HERE, "curl_parallel.sh"), "prepare", up.url(), up.keys_file, str(count),
                    config, CURL_REPLIES], check=True)
    return [os.path.join(HERE, "curl_parallel.sh"), "run", str(opened), config]


def clients():
    venv, npm = path("venv/bin/python"), os.path.abspath(path("npm"))
    node = shutil.which("node")

    def has(package):
        return bool(node) and os.path.isdir(os.path.join(npm, "node_modules", package))

    env = {"BENCH_NPM": npm}
    aio = os.path.exists(venv) and subprocess.run([venv, "-c", "import aiohttp"], capture_output=True)
    return {c.name: c for c in [
        Client("bare libcurl loop", 50000, bare),
        Client("batch-run", 36000, job),
        Wrk("wrk", 0, None, bool(shutil.which("wrk"))),
        Client("h2load", 60000, h2load, bool(shutil.which("h2load"))),
        Client("aiohttp", 4000, script(venv, "aiohttp_client.py"), aio and aio.returncode == 0),
        Client("undici", 12000, script(node, "undici_client.mjs"), has("undici"), env),
        Client("openai SDK (node)", 1500, script(node, "openai_client.mjs"), has("openai"), env),
        # reading its list is part of it: the same length always
        Client("curl --parallel", 0, curl, bool(shutil.which("curl")), least=20000),
    ] if c.available}


def summary(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def one_round(chosen, up, opened, seconds, first):
    together = [c for c in chosen if not isinstance(c, Wrk)]
    started = [c.start(up, opened, seconds, i) for i, c in enumerate(together)]
    first %= len(started)
    in_turns(started[first:] + started[:first], min(TURN * max(1, opened / 64), seconds / 8))
    return {c.name: c.run(up, opened, seconds) if isinstance(c, Wrk) else c.judge() for c in chosen}


def compare(name, up, opened, names, run):
    """One scenario: every client in every round; ratios to the bare loop within the round."""
    known = clients()
    chosen = [known[n] for n in names if n in known]
    rounds = {c.name: [] for c in chosen}
    with up:
        for i in range(run.rounds):
            log(f"{name}: round {i + 1} of {run.rounds}")
            for client, got in one_round(chosen, up, opened, run.seconds, i).items():
                rounds[client].append(got)
    table = {}
    for c, got in rounds.items():
        base = rounds["bare libcurl loop"]
        table[c] = {k: summary([g[k] for g in got]) for k in ("per_second", "cpu_us", "peak_mib")}
        # how much of its core it had use for: well below 100 %, the upstream was the limit
        table[c]["busy_percent"] = summary([g["cpu_us"] * g["per_second"] / 1e4 for g in got])
        table[c]["rate_ratio"] = summary([g["per_second"] / b["per_second"] for g, b in zip(got, base)])
        table[c]["per_cpu_ratio"] = summary([b["cpu_us"] / g["cpu_us"] for g, b in zip(got, base)])
        if "batch-run" in rounds:
            table[c]["batch_run_per_cpu"] = summary(
                [g["cpu_us"] / r["cpu_us"] for g, r in zip(got, rounds["batch-run"])])
    return table


def threads_ns(pid):
    """CPU time of each thread that lives, to the nanosecond."""
    used = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            used[task] = int(f.read().split()[0])
    return used


def cpu_ns(pid):
    return sum(threads_ns(pid).values())


def peak_mib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmHWM:\s*(\d+)", f.read()).group(1)) / 1024


def count_answered(results):
    with open(results) as f:
        return sum('"status":"ok"' in line[:200] for line in f)


def hold(up, latency):
    begun = time.monotonic()
    process = subprocess.Popen(pinned(CLIENT_CORE, batch_run(up, rows_file(10000), 10)))
    opened = 0
    while opened < 10000 and time.monotonic() - begun < latency:
        time.sleep(0.05)  # asking costs the upstream something too
        opened = max(opened, up.in_flight())
    ramp, ramp_cpu = time.monotonic() - begun, cpu_ns(process.pid) / 1e9
    time.sleep(max(0, latency * 0.4 - ramp))
    before, at = cpu_ns(process.pid), time.monotonic()
    time.sleep(latency * 0.4)
    share = (cpu_ns(process.pid) - before) / 1e9 / (time.monotonic() - at)
    if process.poll() is not None:
        raise SystemExit(f"bench: batch-run ended with {process.returncode} before all requests were open")
    top, connections = peak_mib(process.pid), len(os.listdir(f"/proc/{process.pid}/fd"))
    while process.poll() is None:
        try:
            top = max(top, peak_mib(process.pid))
        except (OSError, AttributeError):
            pass
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"bench: batch-run ended with {process.returncode}")
    return {"open_at_once": opened, "answered": count_answered(path("results.jsonl")),
            "ramp_s": ramp, "ramp_cpu_s": ramp_cpu, "cpu_percent_waiting": share * 100,
            "peak_mib": top, "descriptors": connections}


def held(run):
    """Ten thousand requests open at once: memory, ramp, CPU while nothing happens.

    How many are open the upstream says, every 50 ms. Over HTTP/2 that is nginx, which answers by itself
    after a pause: as a proxy it would open a connection for each request, and the ramp would be its own."""
    latency = 3 if run.quick else 6
    upstreams = {"HTTP/1.1": lambda: Upstream(1000, ["--latency", f"{latency}s"]),
                 "HTTP/2, TLS": lambda: Nginx(1000, True, latency)}
    if not os.path.exists(NGINX) or not os.path.exists(NGINX_ECHO):
        log("held: HTTP/2 is left out, there is no nginx with its echo module")
        del upstreams["HTTP/2, TLS"]
    found = {name: [] for name in upstreams}
    for i in range(min(run.rounds, 5)):
        for name, upstream in upstreams.items():
            log(f"held: round {i + 1}: {name}")
            with upstream() as up:
                found[name].append(hold(up, latency))
    return {name: {k: summary([g[k] for g in got]) for k in got[0]} for name, got in found.items()}


def rows(run):
    """The rate and the memory of long files against short ones, with and without ids."""
    sizes = (20000, 100000) if run.quick else (100000, 1000000)
    found = {}
    with Upstream(64) as up:
        for i in range(1 if run.quick else min(run.rounds, 3)):
            for ids in (False, True):
                for n in sizes:
                    log(f"rows: round {i + 1}: {n} {'with' if ids else 'without'} ids")
                    got = measure(batch_run(up, rows_file(n, ids), 1))
                    found.setdefault((n, ids), []).append((n / got["wall_us"] * 1e6, got["peak_kib"]))
    table = {}
    for (n, ids), got in found.items():
        table[f"{n} {'with' if ids else 'without'} ids"] = {
            "per_second": summary([g[0] for g in got]), "peak_mib": summary([g[1] / 1024 for g in got]),
            "rate_ratio": summary([g[0] / s[0] for g, s in zip(got, found[(sizes[0], ids)])]),
            "bytes_a_row_for_ids": summary([(g[1] - o[1]) * 1024 / n
                                            for g, o in zip(got, found[(n, False)])])}
    return table


def start(run):
    """Until the first request is on the wire, from just before exec."""
    table = {}
    sizes = {"1 row": 1, "100,000 rows": 100000} if run.quick else \
        {"1 row": 1, "100,000 rows": 100000, "1,000,000 rows": 1000000}
    up = Upstream(64)  # not started: measure listens in its place
    up.keys_file = path("canned.env")
    with open(up.keys_file, "w") as f:
        f.write("SIMULATE_API_KEY_1=bench-key-0001\n")
    commands = {f"batch-run, {text}": batch_run(up, rows_file(n), 1) for text, n in sizes.items()}
    commands["bare libcurl loop"] = bare(up, 1, 1)
    found = {name: [] for name in commands}
    for _ in range(5 if run.quick else 15):
        for name, command in commands.items():
            found[name].append(measure(command, first_port=up.port)["first_us"] / 1000)
    for name, values in found.items():
        table[name] = {"first_ms": summary(values)}
    return table


def idle(run):
    """All keys refused and resting: what waiting costs."""
    seconds = 3 if run.quick else 10
    with Upstream(3, ["--fault", "429=100%", "--retry-after", "60"]) as up:
        process = subprocess.Popen(pinned(CLIENT_CORE, batch_run(up, rows_file(1000), 1)),
                                   stderr=subprocess.DEVNULL)
        time.sleep(1)
        before = cpu_ns(process.pid)
        time.sleep(seconds)
        used = cpu_ns(process.pid) - before
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        process.wait()
        refused = up.stats()["rate_limited"]
    return {"seconds": seconds, "cpu_us": used / 1000, "cpu_percent": used / seconds / 1e7,
            "refusals": refused}


def ready(run):
    """From a key's becoming ready to its next request on the wire, while rows wait for it.

    Refused at random and told to wait 200 ms, which is also how long keys rest (--cooldown; the
    automatic one adds up to 2 % so that keys do not come back all at once)."""
    count = 600 if run.quick else 6000
    found = []
    for _ in range(1 if run.quick else min(run.rounds, 3)):
        with Upstream(20, ["--fault", "429=30%", "--retry-after", "0.2", "--latency", "5"]) as up:
            measure(batch_run(up, rows_file(count), 1, "--cooldown", "200ms"))
            found.append(up.stats()["late_us"])
    return {"waits": sum(f["count"] for f in found), "p50_us": summary([f["p50"] for f in found]),
            "p99_us": summary([f["p99"] for f in found])}


def connects(run):
    """A thousand new TLS connections: what the distribution's bundle of authorities costs beside a file
    with one certificate. The answers take so long that all are open at once."""
    with open("/etc/ssl/certs/ca-certificates.crt") as f:
        bundle = f.read()
    found = {"one certificate": [], "the distribution's bundle": []}
    with Nginx(100, False, 3) as up:
        one, all_ = up.cacert, os.path.abspath(path("bundle.pem"))
        with open(one) as f, open(all_, "w") as out:
            out.write(bundle + f.read())
        for _ in range(2 if run.quick else run.rounds):
            both = []
            for up.cacert in (one, all_):
                both.append(Measured(batch_run(up, rows_file(1000), 10, results=f"results-{len(both)}.jsonl"),
                                     number=len(both)))
            in_turns(both, TURN / 5)
            for name, it in zip(found, both):
                found[name].append(it.got)
    return {name: {"cpu_ms": summary([g["cpu_us"] / 1000 for g in got]),
                   "cpu_ratio": summary([g["cpu_us"] / o["cpu_us"]
                                         for g, o in zip(got, found["one certificate"])]),
                   "peak_mib": summary([g["peak_kib"] / 1024 for g in got])}
            for name, got in found.items()}


class Threaded:
    """batch-run with so many threads that carry requests, and an upstream of its own."""

    def __init__(self, count, latency):
        self.upstream = Upstream(64, ["--latency", str(latency)], f"keys-{count}.env")
        with contextlib.ExitStack() as stack:
            up = stack.enter_context(self.upstream)
            command = batch_run(up, rows_file(2000000), 8, "--threads", str(count),
                                results=f"results-{count}.jsonl")
            self.process = subprocess.Popen(pinned(",".join(map(str, ALL_CORES)), command),
                                            stderr=subprocess.DEVNULL)
            self.running = stack.pop_all()

    def turn(self):
        self.process.send_signal(signal.SIGCONT)
        time.sleep(TURN)
        self.process.send_signal(signal.SIGSTOP)

    def look(self):
        return threads_ns(self.process.pid), self.upstream.stats()["requests"]

    def end(self):
        self.process.kill()
        self.process.wait()
        self.running.close()


def busiest(counts, latency, run):
    """CPU of each thread for a request, in µs, the busiest first, over a stretch of a run; the runs take
    turns."""
    all_of_them = []
    settling = 1 if run.quick else 5  # seconds of each: how the threads share is set once a second
    try:
        for count in counts:
            all_of_them.append(Threaded(count, latency))
            all_of_them[-1].turn()
        for _ in range(round(settling / TURN)):
            for it in all_of_them:
                it.turn()
        before = [it.look() for it in all_of_them]
        for _ in range(round(run.seconds / TURN)):
            for it in all_of_them:
                it.turn()
        after = [it.look() for it in all_of_them]
    finally:
        for it in all_of_them:
            it.end()
    return [sorted((float(then[t] - n) / (made_then - made) / 1e3 for t, n in now.items()), reverse=True)
            for (now, made), (then, made_then) in zip(before, after)]


def threads(run):
    """What the busiest thread spends on a request, with one that carries requests and with more.

    Its inverse is what the program can reach where each thread has a core of its own and the upstream
    is not the limit. The rate itself would say nothing here: the upstream has the same few cores. Once
    with an upstream that answers after 5 ms, so that hundreds of requests wait there, as with any real
    one; once with one that answers at once, where few are open at a time and wake-ups are many."""
    counts, table = (1, 2, 3), {}
    for latency in (5, 0):
        found = {n: [] for n in counts}
        for i in range(run.rounds):
            log(f"threads: latency {latency} ms: round {i + 1} of {run.rounds}")
            for n, got in zip(counts, busiest(counts, latency, run)):
                found[n].append(got)
        for n, got in found.items():
            table[f"{latency} ms, --threads {n}"] = {
                "busiest_us": summary([g[0] for g in got]), "all_us": summary([sum(g) for g in got]),
                "capacity_ratio": summary([o[0] / g[0] for g, o in zip(got, found[1])]),
                "threads_us": [[round(t, 2) for t in g] for g in got]}
    return table


EVERYBODY = ["bare libcurl loop", "batch-run", "wrk", "undici", "aiohttp", "curl --parallel",
             "openai SDK (node)"]
FEW = ["bare libcurl loop", "batch-run", "wrk"]
TLS = ["bare libcurl loop", "batch-run"]

COMPARED = {
    "64": ("64 open, HTTP/1.1", lambda: Upstream(64), 64, EVERYBODY),
    "1000": ("1,000 open, HTTP/1.1", lambda: Upstream(100), 1000, FEW),
    "4000": ("4,000 open, HTTP/1.1", lambda: Upstream(100), 4000, FEW),
    "tls": ("64 open, TLS, HTTP/1.1", lambda: Nginx(64, False), 64, TLS),
    "tls2": ("64 open, TLS, HTTP/2", lambda: Nginx(64, True), 64, TLS + ["h2load"]),
}
ALONE = {"rows": rows, "held": held, "start": start, "idle": idle, "ready": ready,
         "connects": connects, "threads": threads}


NEED_NGINX = ("tls", "tls2", "connects")


def shown(s, digits=0):
    return f"{s['median']:,.{digits}f} ({s['min']:,.{digits}f}-{s['max']:,.{digits}f})"


def print_table(head, lines):
    widths = [max(len(line[i]) for line in [head] + lines) for i in range(len(head))]
    for line in [head] + lines:
        print("  ".join([line[0].ljust(widths[0])] +
                        [text.rjust(width) for text, width in zip(line[1:], widths[1:])]).rstrip())
    print()


def print_compared(title, table):
    print(title)
    print_table(["client", "requests/s", "CPU µs/request", "busy %", "peak MiB", "rate / bare",
                 "per CPU s / bare", "batch-run per CPU s / it"],
                [[name, shown(t["per_second"]), shown(t["cpu_us"], 1), shown(t["busy_percent"]),
                  shown(t["peak_mib"], 1), shown(t["rate_ratio"], 2), shown(t["per_cpu_ratio"], 2),
                  shown(t["batch_run_per_cpu"], 2) if "batch_run_per_cpu" in t else ""]
                 for name, t in table.items()])


def print_alone(name, got):
    if name == "rows":
        print("A file's length, 64 open (whole run, start and end included)")
        print_table(["rows", "rows/s", "peak MiB", "rate / shorter file", "bytes a row for ids"],
                    [[n, shown(t["per_second"]), shown(t["peak_mib"], 1), shown(t["rate_ratio"], 2),
                      shown(t["bytes_a_row_for_ids"], 1)] for n, t in got.items()])
    elif name == "start":
        print("Start: until the first request is on the wire")
        print_table(["", "ms"], [[n, shown(t["first_ms"], 1)] for n, t in got.items()])
    elif name == "held":
        print("10,000 requests open at once")
        print_table(["", "open at once", "ramp s", "client's CPU s in it", "peak MiB",
                     "% of a core while waiting", "descriptors", "answered"],
                    [[n, shown(t["open_at_once"]), shown(t["ramp_s"], 2), shown(t["ramp_cpu_s"], 2),
                      shown(t["peak_mib"]), shown(t["cpu_percent_waiting"], 3), shown(t["descriptors"]),
                      shown(t["answered"])] for n, t in got.items()])
    elif name == "connects":
        print("1,000 new TLS connections, a request each")
        print_table(["authorities", "CPU ms", "CPU / one certificate", "peak MiB"],
                    [[n, shown(t["cpu_ms"]), shown(t["cpu_ratio"], 2), shown(t["peak_mib"], 1)]
                     for n, t in got.items()])
    elif name == "threads":
        print("More cores, 512 slots, by the upstream's latency: what limits the rate where each thread has "
              "a core")
        print_table(["", "busiest thread, CPU µs/request", "all threads", "capacity / one thread's"],
                    [[n, shown(t["busiest_us"], 1), shown(t["all_us"], 1), shown(t["capacity_ratio"], 2)]
                     for n, t in got.items()])
    elif name == "ready":
        print(f"From a key's becoming ready to its next request, {got['waits']:,} times: p50 "
              f"{shown(got['p50_us'])} µs, p99 {shown(got['p99_us'])} µs\n")
    else:
        print(f"All keys resting for {got['seconds']} s: {got['cpu_us']:.0f} µs of CPU "
              f"({got['cpu_percent']:.4f} %)\n")


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        return (done.stdout or done.stderr).strip().splitlines()[0]
    except (OSError, IndexError):
        return None


def machine():
    with open("/proc/cpuinfo") as f:
        model = re.search(r"model name\s*:\s*(.*)", f.read())
    npm = path("npm/node_modules")

    def npm_version(package):
        try:
            with open(os.path.join(npm, package, "package.json")) as f:
                return json.load(f)["version"]
        except OSError:
            return None

    return {"cores": os.cpu_count(), "cpu": model.group(1) if model else platform.machine(),
            "kernel": platform.release(), "load": os.getloadavg()[0],
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "versions": {"batch-run": first_line(PROGRAM, "--version"),
                         "commit": first_line("git", "describe", "--always", "--dirty"),
                         "libcurl": first_line("curl-config", "--version"),
                         "curl": first_line("curl", "--version"), "wrk": first_line("wrk", "--version"),
                         "h2load": first_line("h2load", "--version"), "node": first_line("node", "--version"),
                         "undici": npm_version("undici"), "openai": npm_version("openai"),
                         "aiohttp": first_line(path("venv/bin/python"), "-c",
                                               "import aiohttp; print(aiohttp.__version__)"),
                         "nginx": first_line(NGINX, "-v"), "gcc": first_line("gcc", "--version")}}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended too
    # this process, and what it starts without a core of its own, keeps off the client's
    os.sched_setaffinity(0, ALL_CORES - {int(CLIENT_CORE)} or ALL_CORES)
    parser = argparse.ArgumentParser(usage="%(prog)s [--quick] [--only SCENARIO,...] [--rounds N]")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join([*COMPARED, *ALONE]))
    parser.add_argument("--rounds", type=int)
    run = parser.parse_args()
    run.rounds = run.rounds or (2 if run.quick else 9)
    run.seconds = 0.9 if run.quick else 3
    names = run.only.split(",")
    unknown = [n for n in names if n not in COMPARED and n not in ALONE]
    if unknown:
        parser.error(f"no scenario {unknown[0]}; there are {', '.join([*COMPARED, *ALONE])}")
    result = {"machine": machine(), "quick": run.quick, "rounds": run.rounds, "scenarios": {}}
    for name in names:
        needs = [NGINX] * (name in NEED_NGINX) + [NGINX_ECHO] * (name == "connects")
        if not all(os.path.exists(need) for need in needs):
            log(f"{name}: left out, there is no nginx, or none with its echo module")
            continue
        if name in COMPARED:
            title, up, opened, who = COMPARED[name]
            result["scenarios"][name] = compare(name, up(), opened, who, run)
        else:
            log(name)
            result["scenarios"][name] = ALONE[name](run)
    m = result["machine"]
    print(f"{m['cores']} cores, {m['cpu']}, Linux {m['kernel']}; {m['versions']['libcurl']}; medians (ranges) "
          f"of {run.rounds} rounds\n")
    for name, got in result["scenarios"].items():
        if name in COMPARED:
            print_compared(COMPARED[name][0], got)
        else:
            print_alone(name, got)
    with open(path("bench.json"), "w") as f:
        json.dump(result, f, indent=2)
    print(f"written: {path('bench.json')}")


if __name__ == "__main__":
    main()
