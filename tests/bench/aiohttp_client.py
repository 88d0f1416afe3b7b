"""aiohttp: OPEN workers share COUNT requests over one session. Replies are read and parsed as JSON.

usage: aiohttp_client.py URL KEYS-FILE OPEN COUNT
SPDX-License-Identifier: MIT
"""
import asyncio
import json
import sys

import aiohttp

url, keys_file, in_flight, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
keys = [line.split("=", 1)[1].strip() for line in open(keys_file) if "=" in line and line[0] != "#"]
left = iter(range(count))


async def worker(session, key):
    headers = {"Authorization": "Bearer " + key}
    request = {"model": "simulate-1", "messages": [{"role": "user", "content": "a" * 238}]}
    for _ in left:
        async with session.post(url, json=request, headers=headers) as answer:
            reply = json.loads(await answer.read())
            if answer.status != 200 or not reply["choices"]:
                raise SystemExit(f"HTTP {answer.status}")


async def main():
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(worker(session, keys[i % len(keys)]) for i in range(in_flight)))


asyncio.run(main())
