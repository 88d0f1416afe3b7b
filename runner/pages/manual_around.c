// manual_around.c: the manual on what surrounds a run: memory, environment, files, signals. Constant.
// SPDX-License-Identifier: MIT
#include "runner/pages/manual.h"

#include <stddef.h>

const struct manual_section manual_sections_around[] = {
    {"WHAT IS REMEMBERED",
     "A run remembers what it knows of its keys, and the next one goes on with it: what each key "
     "used today and in the last minute, so that `--rpm`, `--tpm`, `--rpd`, `--tpd` and the pool "
     "file's limits hold across runs; which keys rest, for which model and until when; and which "
     "keys are out, with the provider's words. Runs at the same time share it. Use of keys with "
     "stated limits is safe from a kill.\n\n"
     "A key that is out is not asked by later runs at the same address, as long as another key of "
     "its provider can serve; where all are out each is asked once more. `--no-memory` neither "
     "uses "
     "nor changes what is remembered. The simulator inside a run remembers use alone."},

    {"ENVIRONMENT",
     "`<NAME>_API_KEY` and `<NAME>_API_KEY_1`, `_2` and so on hold keys, as described above.\n\n"
     "`SSL_CERT_FILE`, `CURL_CA_BUNDLE`, `REQUESTS_CA_BUNDLE`: files of certificates to trust, the "
     "first of these that is set, unless `--cacert` is given; then `SSL_CERT_DIR`, then the "
     "system's. `HTTPS_PROXY`, `http_proxy` and `NO_PROXY` work as they do with curl. `NO_COLOR`, "
     "when set, "
     "keeps help free of bold type.\n\n"
     "The variables below set other defaults for options. The command line goes before them, and "
     "an "
     "empty variable counts as not set. For a flag, 1, true or yes sets it; 0, false or no does "
     "not. "
     "On the command line such a flag is taken back with `--NAME=no`. Options that decide about "
     "one "
     "call only have no variable."},

    {"FILES",
     "- ./.env: variables with keys, read when it is there and `--env-file` names no other.\n"
     "- INPUT with its ending replaced by .results.jsonl: the results, unless `-o` says "
     "otherwise.\n"
     "- The results' name with .ahead or .ahead2: results of `--ordered` that wait for their "
     "turn.\n"
     "- The results' name with .inflight: which rows were sent and are in doubt.\n"
     "- The results' name with .rewrite: the file that takes its place when a run ends.\n"
     "- `TMPDIR`, or /tmp: what `--ordered` keeps out of memory.\n"
     "- `$XDG_STATE_HOME`/batch-run/pool.json, or ~/.local/state/batch-run/pool.json: what is "
     "remembered of keys between runs. Keys are named there by a keyed hash; no secret is in it."},

    {"SIGNALS",
     "The first SIGINT (Ctrl-C) or SIGTERM stops the reading of rows and lets requests in flight "
     "finish. The second does not wait for them, the third not even for results to be written. The "
     "same signal again within half a second counts once, since timeout(1) and terminals deliver "
     "it "
     "twice. "
     "What was finished is on disk either way, and the same command goes on from there. While "
     "earlier results are read "
     "back, before anything is sent, the first one ends the run. SIGHUP, "
     "which a terminal sends when it goes away, does the same, unless it is ignored (nohup).\n\n"
     "Time that the process is stopped (SIGSTOP, Ctrl-Z) or the machine sleeps does not count "
     "towards "
     "`--timeout`: answers that came meanwhile are read. It does count for everything else: the "
     "rests of "
     "keys, `--deadline`. A connection whose other end is silently gone is given up after about a "
     "minute."},

    {NULL, NULL},
};
