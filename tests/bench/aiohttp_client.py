"""aiohttp, as scripts use it: OPEN workers share the rows of a file and write a result line for each.

usage: aiohttp_client.py URL KEYS-FILE OPEN ROWS RESULTS
SPDX-License-Identifier: MIT
"""
import asyncio
import json
import sys
import time

import aiohttp

url, keys_file, in_flight, rows_file, results_file = sys.argv[1:]
keys = [line.strip().split("=", 1) for line in open(keys_file) if "=" in line and line[0] != "#"]
rows = enumerate(open(rows_file))
results = open(results_file, "w")


async def worker(session, name, key):
    headers = {"Authorization": "Bearer " + key}
    for index, line in rows:
        row = json.loads(line)
        request = {"model": "simulate-1", "messages": [{"role": "user", "content": row["prompt"]}]}
        begun = time.monotonic()
        async with session.post(url, json=request, headers=headers) as answer:
            reply = json.loads(await answer.read())
            if answer.status != 200:
                raise SystemExit(f"HTTP {answer.status}")
        result = {"id": row.get("id", str(index + 1)), "status": "ok", "key": name,
                  "text": reply["choices"][0]["message"]["content"], "usage": reply["usage"],
                  "latency_ms": round((time.monotonic() - begun) * 1000, 3), "input": row}
        results.write(json.dumps(result) + "\n")


async def main():
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(worker(session, *keys[i % len(keys)]) for i in range(int(in_flight))))


asyncio.run(main())
results.close()
