// version.c: the versions of the program and of the libraries it runs with. Any thread.
// SPDX-License-Identifier: MIT
#include "runner/pages/version.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <microhttpd.h>

void version_add(struct buf *out) {
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    buf_add_str(out, "batch-run " BATCH_RUN_VERSION "\n");
    buf_addf(out, "libcurl %s (%s), libmicrohttpd %s, cJSON %s\n", curl->version,
             curl->ssl_version ? curl->ssl_version : "without TLS", MHD_get_version(),
             cJSON_Version());
}
